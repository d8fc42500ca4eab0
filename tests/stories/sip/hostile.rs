//! Registrars that misbehave: the status names each cause and the object to change.

use std::time::Duration;

use demarc::sip::settings::ContactMatching;
use demarc::sip::status::RegistrationState;
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, socket};

fn only_tls() -> Manner {
    Manner {
        transports: vec![Transport::Tls],
        ..Manner::default()
    }
}

#[test]
fn a_registrar_that_speaks_only_tls_is_mute_over_udp() {
    let mut world = World::with(only_tls());
    world.apply();
    world.seconds(40);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    let object = "SipEp.TransportConfig[GatewayName=default].TlsEnable";
    assert!(reason.contains(object), "{reason}");
}

#[test]
fn a_registrar_that_speaks_only_tls_betrays_it_over_tcp() {
    let mut world = World::with(only_tls());
    world.transports("default", &[Transport::Tcp]);
    world.apply();
    world.run(Duration::from_millis(500));
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    let object = "SipEp.TransportConfig[GatewayName=default].TlsEnable";
    assert!(
        reason.contains("speaks TLS") && reason.contains(object),
        "{reason}"
    );
}

#[test]
fn a_500_to_a_contact_without_transport_names_registration_enable() {
    for transport in [Transport::Tls, Transport::Tcp, Transport::Udp] {
        let mut world = World::with(Manner {
            wants_transport: true,
            ..Manner::default()
        });
        world.transports("default", &[transport]);
        world.apply();
        world.seconds(2);
        let (state, reason) = world.registration("default");
        assert_eq!(state, RegistrationState::Rejected);
        let object = "SipEp.TransportConfig[GatewayName=default].RegistrationEnable";
        assert!(
            reason.contains("500") && reason.contains(object),
            "{reason}"
        );
        let config = world.transports("default", &[transport]);
        config.registration_enable = true;
        world.apply();
        world.seconds(2);
        assert!(world.is_registered());
    }
}

#[test]
fn a_clear_stream_that_is_reset_before_a_word_names_tls() {
    let mut world = World::with(only_tls());
    world.transports("default", &[Transport::Tcp]);
    world.apply();
    let server = world.registrars[0].addr.to_string();
    while world.stream_ports(&server).is_empty() {
        world.run(Duration::from_millis(1));
    }
    // Open, and not answered yet.
    world.run(Duration::from_millis(15));
    world.reset_streams();
    let (_, reason) = world.registration("default");
    let object = "SipEp.TransportConfig[GatewayName=default].TlsEnable";
    assert!(
        reason.contains("only TLS") && reason.contains(object),
        "{reason}"
    );
}

#[test]
fn another_form_of_request_or_of_reading_is_tried_at_once() {
    let mut world = World::with(Manner {
        refuses: Some((400, None)),
        ..Manner::default()
    });
    world.apply();
    world.seconds(2);
    let asked = world.registers(0).len();
    world.settings.interop.sip_uri_user_parameter_value = "phone".into();
    world.apply();
    world.seconds(2);
    assert_eq!(world.registers(0).len(), asked + 1);
    world.settings.interop.registration_contact_matching = ContactMatching::IgnoreUriParams;
    world.apply();
    world.seconds(2);
    assert_eq!(world.registers(0).len(), asked + 2);
}

#[test]
fn a_registrar_that_closes_idle_links_is_told_with_the_keep_alive_to_set() {
    let mut world = World::with(Manner {
        closes_idle: Some(Duration::from_secs(10)),
        ..Manner::default()
    });
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(20);
    assert_eq!(
        world.registration("default").0,
        RegistrationState::Registered,
        "it comes back"
    );
    let reason = &world.status.links[0].reason;
    assert!(
        reason.contains("10 s") && reason.contains("SipEp.SipKeepAliveMethod"),
        "{reason}"
    );
    world.settings.keep_alive.method = demarc::sip::settings::KeepAliveMethod::Ping;
    world.settings.keep_alive.interval = 5;
    world.apply();
    let connects = world.connects.len();
    world.seconds(120);
    assert_eq!(world.connects.len(), connects);
    assert!(world.status.links[0].reason.is_empty());
}

#[test]
fn rubbish_and_answers_to_nothing_are_swallowed() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(1);
    let sent = world.sent.len();
    let stray = b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKnone\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    let ack = b"ACK sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n";
    let rubbish: [&[u8]; 5] = [b"", b"\0\0", b"GET / HTTP/1.1\r\n\r\n", stray, ack];
    for bytes in rubbish {
        world.datagram(socket("203.0.113.5:5060"), bytes.to_vec());
    }
    world.seconds(1);
    assert_eq!(world.sent.len(), sent);
    assert!(world.is_registered());
}

#[test]
fn a_call_is_refused_and_its_refusal_repeated_until_it_is_acknowledged() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(1);
    let peer = socket("203.0.113.5:5060");
    let message = |method: &str, to: &str| {
        format!("{method} sip:100@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.5:5060;branch=z9hG4bKcall\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:100@b>{to}\r\nCall-ID: x\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    let to_peer = |world: &World| world.sent.iter().filter(|it| it.1 == peer).count();
    world.datagram(peer, message("INVITE", ""));
    assert_eq!(to_peer(&world), 1);
    world.seconds(3);
    assert!(to_peer(&world) >= 3, "timer G");
    world.datagram(peer, message("ACK", ";tag=x"));
    let sent = to_peer(&world);
    world.seconds(30);
    assert_eq!(to_peer(&world), sent);
}
