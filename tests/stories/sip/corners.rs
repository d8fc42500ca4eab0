//! Corners of the RFCs that others were caught in, one story each.

use std::time::Duration;

use demarc::sip::Stack;
use demarc::sip::event::{Input, TimeOfDay};
use demarc::sip::message::{HeaderName, Message, Method, Response, StatusCode};
use demarc::sip::resolve::{Naptr, Records, Srv};
use demarc::sip::settings::KeepAliveMethod;
use demarc::sip::status::RegistrationState;
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host, socket};

const SERVER: &str = "198.51.100.1:5060";
const PEER: &str = "203.0.113.5:40000";

fn over(transport: Transport, manner: Manner) -> World {
    let mut world = World::with(manner);
    world.transports("default", &[transport]);
    world
}

fn options(number: u32, more: &str) -> String {
    format!(
        "OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 203.0.113.5;branch=z9hG4bKo{number}\r\nMax-Forwards: 70\r\nFrom: <sip:a@example.org>;tag=1\r\nTo: <sip:100@example.org>\r\nCall-ID: o{number}\r\nCSeq: {number} OPTIONS\r\n{more}\r\n"
    )
}

/// The codes and Call-IDs of the answers that were sent since `from`.
fn answers(world: &World, from: usize) -> Vec<(u16, String)> {
    let messages = world.octets[from..].iter();
    messages
        .filter_map(|octets| match Message::parse(octets) {
            Ok(Message::Response(it)) => {
                let call_id = it.headers.call_id().unwrap_or_default().to_owned();
                Some((it.status.code(), call_id))
            }
            _ => None,
        })
        .collect()
}

// Transactions and transports.

#[test]
fn over_a_stream_a_request_is_sent_once_and_given_up_after_32_seconds() {
    for transport in [Transport::Tcp, Transport::Tls] {
        let mut world = over(transport, Manner::default());
        world.apply();
        world.run(Duration::from_millis(15));
        world.registrars[0].manner.is_dead = true;
        world.seconds(31);
        assert_eq!(world.octets.len(), 1, "{transport}: no timer E");
        assert_eq!(
            world.registration("default").0,
            RegistrationState::Registering
        );
        world.seconds(2);
        let (state, reason) = world.registration("default");
        assert_eq!(state, RegistrationState::Unreachable, "timer F");
        assert!(reason.contains("no answer to REGISTER"), "{reason}");
    }
}

#[test]
fn requests_on_a_stream_are_answered_on_it_however_they_are_cut() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let stream = world.accept(Transport::Tcp, socket(PEER));
    let from = world.octets.len();
    let length = "Content-Length: 0\r\n";
    let both = format!("{}\r\n\r\n{}", options(1, length), options(2, length));
    for piece in both.as_bytes().chunks(7) {
        world.data(stream, piece);
    }
    assert_eq!(
        answers(&world, from),
        [(200, "o1".to_owned()), (200, "o2".to_owned())]
    );
    assert!(world.closed.is_empty());
}

#[test]
fn a_message_too_large_is_answered_with_513_and_its_stream_closed() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let stream = world.accept(Transport::Tcp, socket(PEER));
    let from = world.octets.len();
    let text = options(1, "Content-Length: 99999999\r\n");
    world.data(stream, text.as_bytes());
    assert_eq!(answers(&world, from), [(513, "o1".to_owned())]);
    assert_eq!(world.closed, [stream]);
}

#[test]
fn a_message_on_a_stream_without_content_length_is_answered_with_400_and_its_stream_closed() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let stream = world.accept(Transport::Tcp, socket(PEER));
    let from = world.octets.len();
    world.data(stream, options(1, "").as_bytes());
    assert_eq!(answers(&world, from), [(400, "o1".to_owned())]);
    assert_eq!(world.closed, [stream]);
}

#[test]
fn a_peer_that_says_nothing_whole_for_32_seconds_is_closed() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let mute = world.accept(Transport::Tcp, socket(PEER));
    let slow = world.accept(Transport::Tcp, socket(PEER));
    let good = world.accept(Transport::Tcp, socket(PEER));
    world.data(good, options(1, "Content-Length: 0\r\n").as_bytes());
    for octet in options(2, "Content-Length: 0\r\n")
        .as_bytes()
        .chunks(1)
        .take(40)
    {
        world.data(slow, octet);
        world.seconds(1);
    }
    assert_eq!(world.closed, [mute, slow]);
    world.data(good, b"OPTIONS ");
    world.seconds(40);
    assert_eq!(world.closed, [mute, slow, good], "it did not finish");
}

#[test]
fn a_peer_that_is_silent_for_an_hour_is_closed() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let stream = world.accept(Transport::Tcp, socket(PEER));
    world.data(stream, b"\r\n\r\n");
    world.seconds(3590);
    assert!(world.closed.is_empty());
    world.data(stream, b"\r\n\r\n");
    world.seconds(3590);
    assert!(world.closed.is_empty());
    world.seconds(20);
    assert_eq!(world.closed, [stream]);
}

#[test]
fn of_too_many_peers_the_one_that_was_silent_longest_goes() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let mut streams = Vec::new();
    for _ in 0..512 {
        let stream = world.accept(Transport::Tcp, socket(PEER));
        world.data(stream, b"\r\n\r\n");
        streams.push(stream);
    }
    world.seconds(1);
    world.data(streams[0], b"\r\n\r\n");
    assert!(world.closed.is_empty());
    world.accept(Transport::Tcp, socket(PEER));
    assert_eq!(world.closed, [streams[1]]);
}

#[test]
fn the_peers_of_a_gateway_that_is_deleted_are_closed() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let stream = world.accept(Transport::Tcp, socket(PEER));
    world.settings.gateways.clear();
    world.settings.unit_registrations.clear();
    world.apply();
    world.seconds(1);
    assert!(world.closed.contains(&stream));
}

#[test]
fn a_ping_of_a_peer_is_answered_with_a_pong() {
    let mut world = over(Transport::Tcp, Manner::default());
    world.apply();
    world.seconds(1);
    let stream = world.accept(Transport::Tcp, socket(PEER));
    let from = world.octets.len();
    world.data(stream, b"\r\n\r\n");
    assert_eq!(world.octets[from..], [b"\r\n".to_vec()]);
}

#[test]
fn an_answer_with_the_sent_by_of_another_is_not_for_us() {
    let mut world = World::with(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.apply();
    world.run(Duration::from_millis(100));
    let Ok(Message::Request(request)) = Message::parse(&world.octets[0]) else {
        panic!("a request");
    };
    let answer = Response::answering(&request, StatusCode::OK, Some("x"));
    let right = String::from_utf8(answer.to_bytes()).expect("text");
    let wrong = right.replacen("192.0.2.1:5060", "192.0.2.9:5060", 1);
    world.datagram(socket(SERVER), wrong.into_bytes());
    assert_eq!(
        world.registration("default").0,
        RegistrationState::Registering
    );
    world.datagram(socket(SERVER), right.into_bytes());
    assert_eq!(
        world.registration("default").0,
        RegistrationState::Registered
    );
}

// Via, Contact and URI.

#[test]
fn rport_is_asked_for_over_udp_alone_and_no_alias_is_ever_offered() {
    for (transport, asked) in [(Transport::Udp, true), (Transport::Tls, false)] {
        let mut world = over(transport, Manner::default());
        world.apply();
        world.seconds(1);
        let via = world.registers(0)[0].headers.via().expect("a Via");
        assert_eq!(&*via.transport, transport.token());
        assert_eq!(via.rport().is_some(), asked);
        assert!(!via.has_alias(), "RFC 5923 is for mutual TLS alone");
    }
}

#[test]
fn the_request_uri_of_a_register_never_names_the_transport() {
    let mut world = over(Transport::Tls, Manner::default());
    let config = world.transports("default", &[Transport::Tls]);
    config.registration_enable = true;
    world.apply();
    world.seconds(1);
    let register = world.registers(0)[0];
    assert_eq!(register.uri.as_bytes(), b"sip:198.51.100.1:5060");
    let contact = register.headers.text(&HeaderName::Contact);
    assert_eq!(
        contact.as_deref(),
        Some("<sip:100@192.0.2.1:16000;transport=tls>")
    );
}

// Registration.

#[test]
fn a_challenge_without_qop_is_answered_without_a_count() {
    let mut world = World::with(Manner {
        password: Some("secret".into()),
        without_qop: true,
        ..Manner::default()
    });
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    let register = world.registers(0)[1];
    let value = register.headers.text(&HeaderName::Authorization);
    let value = value.expect("credentials");
    for parameter in ["qop=", "nc=", "cnonce="] {
        assert!(!value.contains(parameter), "{value}");
    }
    let uri = format!("uri=\"{}\"", "sip:198.51.100.1:5060");
    assert!(value.contains(&uri), "the Request-URI octet for octet");
}

#[test]
fn after_a_restart_the_call_id_is_new_and_the_flow_is_the_same() {
    let life = |seed: u8| {
        let mut world = over(Transport::Tls, Manner::default());
        world.stack = Stack::new([seed; 32]);
        world.input(Input::Time(TimeOfDay::Known));
        world.settings.unit.instance_id =
            "urn:uuid:00000000-0000-1000-8000-00907f000001".to_owned();
        world.apply();
        world.seconds(1);
        let register = world.registers(0)[0].clone();
        let contact = register.headers.text(&HeaderName::Contact);
        let call_id = register.headers.call_id().expect("a Call-ID").to_owned();
        (call_id, contact.expect("a Contact"))
    };
    let (first, second) = (life(1), life(2));
    assert_ne!(first.0, second.0, "or its CSeq would have to go on");
    assert_eq!(first.1, second.1);
    assert!(first.1.contains("+sip.instance") && first.1.contains("reg-id="));
}

// DNS and failover.

#[test]
fn naptr_srv_and_address_records_lead_to_the_registrar() {
    let mut world = World::new();
    world.add_registrar("198.51.100.1:5071", Manner::default());
    world.settings.registration.server_host = host("sip.example");
    world.transports("default", &[Transport::Udp, Transport::Tcp]);
    let naptr = |order, service: &str, replacement: &str| Naptr {
        order,
        preference: 0,
        flags: "s".into(),
        service: service.into(),
        replacement: replacement.into(),
    };
    let naptrs = vec![
        naptr(20, "SIP+D2U", "_sip._udp.sip.example"),
        naptr(10, "SIP+D2T", "_sip._tcp.sip.example"),
    ];
    let srv = Srv {
        priority: 1,
        weight: 0,
        port: 5071,
        target: "one.example".into(),
    };
    let address = Records::Addresses(vec![[198, 51, 100, 1].into()]);
    let zone = [
        ("NAPTR sip.example", Records::Naptr(naptrs)),
        ("SRV _sip._tcp.sip.example", Records::Srv(vec![srv])),
        ("A one.example", address),
    ];
    world.zone = zone.map(|(name, it)| (name.to_owned(), it)).into();
    world.apply();
    world.seconds(1);
    assert!(world.is_registered(), "{:?}", world.status);
    let (transport, _) = world.registrars[0].seen[0];
    assert_eq!(transport, Transport::Tcp, "the lower order");
}

#[test]
fn names_are_asked_for_again_when_their_time_is_over_and_not_before() {
    let mut world = World::new();
    world.add_registrar(SERVER, Manner::default());
    world.settings.registration.server_host = host("sip.example:5060");
    let address = Records::Addresses(vec![[198, 51, 100, 1].into()]);
    world.zone.insert("A sip.example".into(), address);
    world.apply();
    world.seconds(3590);
    assert_eq!(world.asked, ["A sip.example"]);
    world.seconds(20);
    assert_eq!(world.asked.len(), 2, "the records hold for an hour");
    assert!(world.is_registered());
}

#[test]
fn a_datagram_that_cannot_be_delivered_moves_to_the_next_target_at_once() {
    let mut world = World::new();
    world.add_registrar("198.51.100.2:5060", Manner::default());
    world.settings.registration.server_host = host("sip.example:5060");
    let both = vec![[198, 51, 100, 1].into(), [198, 51, 100, 2].into()];
    let both = Records::Addresses(both);
    world.zone.insert("A sip.example".into(), both);
    world.apply();
    world.run(Duration::from_millis(100));
    world.undelivered(socket(SERVER));
    world.seconds(1);
    assert!(world.is_registered(), "{:?}", world.status);
}

// Keep-alive.

#[test]
fn a_registrar_that_agrees_to_flows_is_pinged_at_80_to_100_percent_of_its_timer() {
    let mut world = over(
        Transport::Tls,
        Manner {
            flow_timer: Some(100),
            ..Manner::default()
        },
    );
    world.apply();
    world.seconds(1);
    let from = world.sent.len();
    world.seconds(99);
    let pings: Vec<_> = world.octets[from..]
        .iter()
        .filter(|it| it.len() == 4)
        .collect();
    assert_eq!(pings, [b"\r\n\r\n"]);
    let at = world.sent[from].0;
    assert!((80..=101).contains(&at.as_secs()), "{at:?}");
}

#[test]
fn a_flow_whose_ping_is_not_answered_is_replaced_and_registers_again() {
    let mut world = over(Transport::Tls, Manner::default());
    world.settings.keep_alive.method = KeepAliveMethod::Ping;
    world.apply();
    world.seconds(1);
    world.registrars[0].manner.is_dead = true;
    world.seconds(42);
    world.registrars[0].manner.is_dead = false;
    world.seconds(60);
    assert!(world.is_registered(), "{:?}", world.status);
    assert_eq!(world.registers(0).len(), 2);
}

// Service-Route (RFC 3608).

#[test]
fn the_service_route_is_the_way_of_options_of_its_user_until_it_is_taken_back() {
    use demarc::sip::settings::KeepAliveOptionFormat::{FullFrom, ShortFrom};
    let mut world = World::with(Manner {
        service_route: Some("<sip:edge.example;lr>, <sip:core.example;lr>".into()),
        grants: 100,
        ..Manner::default()
    });
    world.settings.keep_alive.method = KeepAliveMethod::SipOptions;
    world.settings.interop.keep_alive_option_format = FullFrom;
    let routes = |world: &World| {
        let mut seen = world.registrars[0].seen.iter().rev();
        let (_, options) = seen
            .find(|(_, it)| it.method == Method::Options)
            .expect("OPTIONS");
        let routes = options.headers.routes().expect("readable");
        routes.iter().map(|it| it.uri.as_str().to_owned()).collect()
    };
    world.apply();
    world.seconds(31);
    let both = ["sip:edge.example;lr", "sip:core.example;lr"];
    let seen: Vec<String> = routes(&world);
    assert_eq!(seen, both);
    let shown = &world.status.registrations[0].service_route;
    assert_eq!(shown, "<sip:edge.example;lr>, <sip:core.example;lr>");

    world.settings.interop.keep_alive_option_format = ShortFrom;
    world.apply();
    world.seconds(31);
    let seen: Vec<String> = routes(&world);
    assert!(seen.is_empty(), "such OPTIONS are nobody's");

    world.settings.interop.keep_alive_option_format = FullFrom;
    world.registrars[0].manner.service_route = None;
    world.apply();
    world.seconds(60);
    let seen: Vec<String> = routes(&world);
    assert!(seen.is_empty(), "the refresh gave none");
    assert_eq!(world.status.registrations[0].service_route, "");
}
