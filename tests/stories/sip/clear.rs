//! What UDP and TCP may do beside TLS (`transportClearBesideTls`).

use demarc::sip::resolve::{Naptr, Records, Srv};
use demarc::sip::settings::ClearBesideTls;
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host, socket};

/// A gateway with TLS and UDP; `sip.example` prefers `first` and speaks both.
fn world(clear: ClearBesideTls, first: Transport) -> World {
    let mut world = World::new();
    world.add_registrar("198.51.100.1:5060", Manner::default());
    world.add_registrar("198.51.100.1:5061", Manner::default());
    let naptr = |transport: Transport, service: &str, replacement: &str| Naptr {
        order: u16::from(transport != first),
        preference: 0,
        flags: "s".into(),
        service: service.into(),
        replacement: replacement.into(),
    };
    let records = vec![
        naptr(Transport::Udp, "SIP+D2U", "_sip._udp.sip.example"),
        naptr(Transport::Tls, "SIPS+D2T", "_sips._tcp.sip.example"),
    ];
    let srv = |port| {
        Records::Srv(vec![Srv {
            priority: 0,
            weight: 0,
            port,
            target: "one.example".into(),
        }])
    };
    let zone = &mut world.zone;
    zone.insert("NAPTR sip.example".into(), Records::Naptr(records));
    zone.insert("SRV _sip._udp.sip.example".into(), srv(5060));
    zone.insert("SRV _sips._tcp.sip.example".into(), srv(5061));
    let address = Records::Addresses(vec![[198, 51, 100, 1].into()]);
    zone.insert("A one.example".into(), address);
    world.settings.registration.server_host = host("sip.example");
    world.transports("default", &[Transport::Udp, Transport::Tls]);
    let policies = &mut world.settings.clear_beside_tls;
    policies.insert("default".into(), clear);
    world
}

fn options() -> Vec<u8> {
    b"OPTIONS sip:192.0.2.1 SIP/2.0\r\n\
      Via: SIP/2.0/UDP 198.51.100.7;branch=z9hG4bKo\r\n\
      Max-Forwards: 70\r\n\
      From: <sip:1@peer.example>;tag=a\r\n\
      To: <sip:192.0.2.1>\r\n\
      Call-ID: o\r\n\
      CSeq: 1 OPTIONS\r\n\
      Content-Length: 0\r\n\r\n"
        .to_vec()
}

#[test]
fn listening_only_they_answer_and_send_no_request() {
    let mut world = world(ClearBesideTls::ListenOnly, Transport::Udp);
    world.apply();
    world.seconds(2);
    assert_eq!(world.listens(), ["udp:5060", "tls:5061"]);
    assert_eq!(world.registers(1).len(), 1, "by TLS");
    assert!(world.registers(0).is_empty());
    let peer = socket("198.51.100.7:5060");
    world.datagram(peer, options());
    assert_eq!(world.sent.last().map(|it| it.1), Some(peer), "answered");
    world.registrars[1].manner.is_dead = true;
    world.close_streams("198.51.100.1:5061");
    world.seconds(600);
    assert!(world.registers(0).is_empty(), "no falling back to clear");
}

#[test]
fn where_requests_may_use_them_the_server_s_records_choose() {
    for (first, by) in [(Transport::Udp, 0), (Transport::Tls, 1)] {
        let mut world = world(ClearBesideTls::ReceiveAndSend, first);
        world.apply();
        world.seconds(2);
        assert!(world.is_registered(), "{:?}", world.status);
        assert_eq!(world.registers(by).len(), 1, "{first}");
        assert!(world.registers(1 - by).is_empty(), "{first}");
    }
}

#[test]
fn requests_that_fell_to_udp_return_to_tls_once_that_is_back() {
    let mut world = world(ClearBesideTls::ReceiveAndSend, Transport::Tls);
    world.registrars[1].manner.is_dead = true;
    world.apply();
    world.seconds(10);
    assert_eq!(world.registers(0).len(), 1, "by UDP");
    world.registrars[1].manner.is_dead = false;
    world.seconds(20);
    assert_eq!(world.registers(1).len(), 1, "by TLS again");
    assert!(world.listens().contains(&"udp:5060".to_owned()));
    assert!(world.notices.iter().any(|it| it.contains("back to")));
}

#[test]
fn refused_they_are_not_listened_on_and_a_change_counts_at_once() {
    let mut world = world(ClearBesideTls::ListenOnly, Transport::Tls);
    world.apply();
    world.seconds(2);
    let policies = &mut world.settings.clear_beside_tls;
    policies.insert("default".into(), ClearBesideTls::Refuse);
    world.apply();
    world.seconds(1);
    assert_eq!(world.listens(), ["tls:5061"]);
    assert!(world.is_registered());
    assert_eq!(world.connects.len(), 1, "the link stays");
    world.transports("default", &[Transport::Udp]);
    world.apply();
    world.seconds(1);
    assert_eq!(
        world.listens(),
        ["udp:5060"],
        "without TLS it means nothing"
    );
}
