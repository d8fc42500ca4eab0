//! Gateways on an IPv6 address.

use demarc::sip::event::Input;
use demarc::sip::message::HeaderName;
use demarc::sip::resolve::Records;
use demarc::sip::status::LinkState;
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host, socket};

const SERVER: &str = "[2001:db8::5]:5061";

fn world(transports: &[Transport]) -> World {
    let mut world = World::new();
    let ip = "2001:db8::1".parse().expect("an address");
    world.settings.interfaces.insert("Lan1".into(), ip);
    world.add_registrar(SERVER, Manner::default());
    world.settings.registration.server_host = host(SERVER);
    world.transports("default", transports);
    world
}

#[test]
fn a_tls_link_over_ipv6_writes_its_address_in_brackets() {
    let mut world = world(&[Transport::Tls]);
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
    let link = &world.status.links[0];
    assert_eq!((link.state, link.local_port), (LinkState::Up, 16000));
    assert_eq!(link.remote_host, SERVER);
    assert!(link.remote_addr.is_some_and(|it| it.is_ipv6()));
    let register = world.registers(0)[0];
    let via = register.headers.text(&HeaderName::Via).unwrap_or_default();
    assert!(via.starts_with("SIP/2.0/TLS [2001:db8::1]:16000;"), "{via}");
    let bindings = &world.registrars[0].bindings;
    assert!(
        bindings.contains_key("sip:100@[2001:db8::1]:16000"),
        "{bindings:?}"
    );
}

#[test]
fn listeners_over_ipv6_answer_to_where_the_request_came_from() {
    let mut world = world(&[Transport::Udp, Transport::Tcp]);
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
    let id = world.accept(Transport::Tcp, socket("[2001:db8::7]:40001"));
    let bytes = b"OPTIONS sip:[2001:db8::1] SIP/2.0\r\n\
        Via: SIP/2.0/TCP [2001:db8::9]:5060;branch=z9hG4bK6\r\n\
        Max-Forwards: 70\r\n\
        From: <sip:1@peer.example>;tag=a\r\n\
        To: <sip:[2001:db8::1]>\r\n\
        Call-ID: six\r\n\
        CSeq: 1 OPTIONS\r\n\
        Content-Length: 0\r\n\r\n";
    let bytes = bytes.to_vec();
    world.input(Input::Data { id, bytes });
    let (_, answer) = world.written.last().expect("an answer");
    let answer = String::from_utf8_lossy(answer);
    assert!(answer.contains(";received=2001:db8::7"), "{answer}");
}

#[test]
fn only_addresses_that_the_interface_reaches_are_looked_up() {
    let mut world = world(&[Transport::Tls]);
    let address = "2001:db8::5".parse().expect("an address");
    world.settings.registration.server_host = host("sip.example:5061");
    let records = Records::Addresses(vec![address]);
    world.zone.insert("AAAA sip.example".into(), records);
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
    assert_eq!(world.asked, ["AAAA sip.example"]);
}
