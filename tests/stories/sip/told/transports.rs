//! The transports of a gateway: where it listens, and what its Contacts say.

use super::{Told, Wish};

const UDP: &str = "TransportConfig[GatewayName=default].UdpEnable";
const TCP: &str = "TransportConfig[GatewayName=default].TcpEnable";
const TLS: &str = "TransportConfig[GatewayName=default].TlsEnable";
const PER_TRANSPORT: &str = "TransportConfig[GatewayName=default].RegistrationEnable";

#[test]
pub(crate) fn a_gateway_listens_on_the_transports_that_are_enabled() {
    let mut told = Told::after(1, &[]);
    assert_eq!(told.listens(), ["udp:5060"]);
    told.set(&[(TCP, "enable")]);
    assert_eq!(told.listens(), ["tcp:5060", "udp:5060"]);
    told.set(&[(TLS, "enable")]);
    assert_eq!(told.listens(), ["tcp:5060", "tls:5061", "udp:5060"]);
    told.set(&[(UDP, "disable")]);
    assert_eq!(told.listens(), ["tcp:5060", "tls:5061"]);
}

#[test]
pub(crate) fn a_contact_for_each_transport_has_its_q_value() {
    let all = [(UDP, "enable"), (TCP, "enable"), (TLS, "enable")];
    let mut told = Told::after(1, &all);
    assert!(!told.sent().contains(";transport="));
    let before = told.sent().len();
    told.set(&[(PER_TRANSPORT, "enable")]);
    let now = told.sent().split_off(before);
    for transport in ["udp", "tcp", "tls"] {
        assert!(now.contains(&format!(";transport={transport}>")), "{now}");
    }
    for (column, transport, q) in [
        ("UdpQValue", "udp", "0.1"),
        ("TcpQValue", "tcp", "0.2"),
        ("TlsQValue", "tls", "0.3"),
    ] {
        let contact = |told: &Told| {
            let lines: Vec<String> = told.sent().lines().map(str::to_owned).collect();
            let is_it = |it: &&String| it.contains(&format!(";transport={transport}>"));
            let has_q = |it: &String| it.contains(&format!(";q={q}"));
            lines.iter().filter(is_it).any(has_q)
        };
        assert!(!contact(&told), "{column}");
        let name = format!("TransportConfig[GatewayName=default].{column}");
        told.set(&[(&name, q)]);
        assert!(contact(&told), "{column}: {}", told.sent());
    }
}

#[test]
pub(crate) fn the_contact_of_other_requests_names_the_transport_where_that_is_wanted() {
    let options = [
        ("SipKeepAliveMethod", "sipOptions"),
        ("SipKeepAliveInterval", "10"),
    ];
    let mut told = Told::after(15, &options);
    assert!(told.sent().contains("Contact: <sip:192.0.2.1:5060>\r\n"));
    told.set(&[(
        "TransportConfig[GatewayName=default].ContactEnable",
        "enable",
    )]);
    told.world.seconds(12);
    let contact = "Contact: <sip:192.0.2.1:5060;transport=udp>\r\n";
    assert!(told.sent().contains(contact), "{}", told.sent());
}

#[test]
pub(crate) fn beside_tls_the_clear_transports_do_what_their_policy_says() {
    let both: [Wish<'_>; 2] = [(UDP, "enable"), (TLS, "enable")];
    let mut told = Told::after(1, &both);
    assert_eq!(told.listens(), ["tls:5061", "udp:5060"]);
    let sent_clear = |told: &Told| told.world.sources.len();
    assert_eq!(sent_clear(&told), 0);
    let policy = "TransportClear[GatewayName=default].BesideTls";
    told.set(&[(policy, "refuse")]);
    assert_eq!(told.listens(), ["tls:5061"]);
    told.set(&[(policy, "receiveAndSend")]);
    assert_eq!(told.listens(), ["tls:5061", "udp:5060"]);
    assert!(sent_clear(&told) > 0, "an address chooses UDP");
}

#[test]
pub(crate) fn udp_requests_leave_from_another_port_where_they_are_not_to_be_symmetric() {
    let mut told = Told::after(1, &[]);
    assert_eq!(told.world.sources, [5060]);
    told.set(&[("InteropSymmetricUdpSourcePortEnable", "disable")]);
    assert_eq!(told.world.sources, [5060, 40_000]);
}

#[test]
pub(crate) fn persistent_links_leave_from_the_ports_that_are_set() {
    let tls = [(TLS, "enable"), (UDP, "disable")];
    let ports = |told: &Told| -> Vec<u16> {
        let connects = told.world.connects.iter();
        connects.map(|it| it.1.local.port()).collect()
    };
    let mut told = Told::after(2, &tls);
    assert_eq!(ports(&told), [16_000]);
    told.set(&[("TransportPersistentBasePort", "17000")]);
    assert_eq!(ports(&told), [16_000, 17_000]);
    told.world.close_streams(super::REGISTRAR);
    told.world.seconds(40);
    assert_eq!(ports(&told)[2..], [17_000], "the first that is free");
    told.set(&[("TransportPersistentPortInterval", "100")]);
    let before = ports(&told).len();
    told.world.close_streams(super::REGISTRAR);
    told.world.seconds(40);
    let next = ports(&told)[before];
    assert_ne!(next, ports(&told)[before - 1], "the one behind it");
}

#[test]
pub(crate) fn a_link_that_does_not_open_fails_after_the_connect_timeout() {
    let tries = |wishes: &[Wish<'_>]| {
        let mut told = Told::new(&[&[(TCP, "enable"), (UDP, "disable")], wishes].concat());
        told.world
            .silent
            .push(super::REGISTRAR.parse().expect("an address"));
        told.begin(30);
        told.world.connects.len()
    };
    assert_eq!(tries(&[]), 1, "127 s are not over");
    assert!(tries(&[("InteropTcpConnectTimeout", "10")]) > 1);
}
