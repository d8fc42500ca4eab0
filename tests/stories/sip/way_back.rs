//! Responses whose connection is gone (RFC 3261 section 18.2.2, RFC 3263 section 5).

use demarc::sip::event::{Input, SocketId};
use demarc::sip::resolve::{Records, Srv};
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host, socket};

const SOURCE: &str = "198.51.100.9:40001";

/// A gateway that listens on TCP and TLS, and nobody else yet.
fn world() -> World {
    let mut world = World::new();
    world.settings.unit_registrations.clear();
    world.transports("default", &[Transport::Tcp, Transport::Tls]);
    world.apply();
    world.seconds(1);
    world
}

/// An INVITE with this sent-by; its 503 waits for an ACK, and is repeated.
fn invite(transport: Transport, sent_by: &str) -> Vec<u8> {
    let token = transport.token();
    format!(
        "INVITE sip:100@192.0.2.1 SIP/2.0\r\n\
         Via: SIP/2.0/{token} {sent_by};branch=z9hG4bKway\r\n\
         Max-Forwards: 70\r\n\
         From: <sip:1@client.example>;tag=a\r\n\
         To: <sip:100@192.0.2.1>\r\n\
         Call-ID: way\r\n\
         CSeq: 1 INVITE\r\n\
         Contact: <sip:1@client.example>\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The INVITE comes by one stream, which ends, and again by another.
fn twice(world: &mut World, transport: Transport, sent_by: &str) -> SocketId {
    let id = world.accept(transport, socket(SOURCE));
    let bytes = invite(transport, sent_by);
    world.input(Input::Data { id, bytes });
    assert!(world.written.iter().any(|it| it.0 == id), "503 at once");
    world.input(Input::Closed { id });
    let again = world.accept(transport, socket("198.51.100.9:40002"));
    let bytes = invite(transport, sent_by);
    world.input(Input::Data { id: again, bytes });
    again
}

/// The status codes that came to a peer.
fn statuses(world: &World, peer: usize) -> Vec<u16> {
    let responses = world.registrars[peer].responses.iter();
    responses.map(|it| it.status.code()).collect()
}

#[test]
fn it_goes_to_the_source_of_the_request_at_the_port_of_the_via() {
    let mut world = world();
    let peer = world.add_registrar("198.51.100.9:5080", Manner::default());
    let again = twice(&mut world, Transport::Tcp, "10.0.0.1:5080");
    world.seconds(1);
    assert_eq!(statuses(&world, peer), [503]);
    assert!(!world.written.iter().any(|it| it.0 == again));
    let connect = &world.connects[0].1;
    assert_eq!(connect.transport, Transport::Tcp);
    assert_eq!(connect.local, "192.0.2.1:0".parse().expect("an address"));
}

#[test]
fn the_way_that_was_found_serves_from_then_on() {
    let mut world = world();
    let peer = world.add_registrar("198.51.100.9:5060", Manner::default());
    let again = twice(&mut world, Transport::Tcp, "198.51.100.9");
    world.seconds(1);
    let bytes = invite(Transport::Tcp, "198.51.100.9");
    world.input(Input::Data { id: again, bytes });
    world.seconds(1);
    assert_eq!(statuses(&world, peer), [503, 503]);
    assert_eq!(world.connects.len(), 1);
}

#[test]
fn where_the_source_does_not_listen_the_name_in_the_via_leads_on() {
    let mut world = world();
    let peer = world.add_registrar("198.51.100.10:5090", Manner::default());
    let srv = Srv {
        priority: 1,
        weight: 0,
        port: 5090,
        target: "host.client.example".into(),
    };
    let service = "SRV _sip._tcp.client.example";
    world.zone.insert(service.into(), Records::Srv(vec![srv]));
    let address = Records::Addresses(vec![[198, 51, 100, 10].into()]);
    world.zone.insert("A host.client.example".into(), address);
    twice(&mut world, Transport::Tcp, "client.example");
    world.seconds(1);
    assert_eq!(statuses(&world, peer), [503]);
    let tried: Vec<u16> = { world.connects.iter() }
        .map(|it| it.1.peer.port())
        .collect();
    assert_eq!(tried, [5060, 5090]);
}

#[test]
fn a_tls_peer_must_prove_to_be_the_name_in_the_via() {
    let mut world = world();
    let peer = world.add_registrar("198.51.100.9:5061", Manner::default());
    twice(&mut world, Transport::Tls, "client.example");
    world.seconds(1);
    assert_eq!(statuses(&world, peer), [503]);
    let connect = &world.connects[0].1;
    assert_eq!(connect.transport, Transport::Tls);
    assert_eq!(connect.reference.host, "client.example");
}

#[test]
fn a_link_that_stands_to_there_is_used() {
    let mut world = world();
    let peer = world.add_registrar("198.51.100.9:5061", Manner::default());
    world.settings.proxy.home_domain_host = host("198.51.100.9:5061");
    world.apply();
    world.seconds(1);
    assert_eq!(world.connects.len(), 1, "the link");
    twice(&mut world, Transport::Tls, "198.51.100.9:5061");
    world.seconds(1);
    assert_eq!(statuses(&world, peer), [503]);
    assert_eq!(world.connects.len(), 1);
}

#[test]
fn a_way_that_cannot_be_found_costs_nothing_but_the_response() {
    let mut world = world();
    twice(&mut world, Transport::Tcp, "nowhere.example");
    world.seconds(60);
    assert_eq!(world.connects.len(), 1);
    world.input(Input::Shutdown);
    world.seconds(4);
    assert!(world.is_done);
}
