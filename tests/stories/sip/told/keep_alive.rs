//! How it is found out that a server still answers.

use demarc::sip::message::Method;

use super::{OTHER, Told, Wish};

const METHOD: &str = "SipKeepAliveMethod";
const TCP: [Wish<'static>; 2] = [
    ("TransportConfig[GatewayName=default].TcpEnable", "enable"),
    ("TransportConfig[GatewayName=default].UdpEnable", "disable"),
];

/// How many OPTIONS a registrar was sent.
fn options(told: &Told, registrar: usize) -> usize {
    let seen = told.world.registrars[registrar].seen.iter();
    seen.filter(|(_, it)| it.method == Method::Options).count()
}

#[test]
pub(crate) fn a_server_is_asked_by_the_method_that_is_set() {
    let pings = |told: &Told| {
        let octets = told.world.octets.iter();
        octets.filter(|it| *it == b"\r\n\r\n").count()
    };
    // The registrar of the base gives no timer for flows of its own.
    for (method, asked) in [("none", (0, 0)), ("sipOptions", (1, 0)), ("ping", (0, 1))] {
        let told = Told::after(40, &[&TCP[..], &[(METHOD, method)]].concat());
        assert_eq!((options(&told, 0), pings(&told)), asked, "{method}");
    }
}

#[test]
pub(crate) fn a_server_is_asked_once_in_each_interval() {
    for (seconds, count) in [("30", 2), ("10", 6)] {
        let wishes = [(METHOD, "sipOptions"), ("SipKeepAliveInterval", seconds)];
        assert_eq!(options(&Told::after(65, &wishes), 0), count);
    }
}

#[test]
pub(crate) fn the_system_is_told_how_many_tcp_keep_alives_may_stay_unanswered() {
    for (retry, count) in [("3", 3), ("5", 5)] {
        let wishes = [(METHOD, "tcpKeepAlive"), ("SipKeepAliveRetry", retry)];
        let told = Told::after(2, &[&TCP[..], &wishes].concat());
        let order = told.world.connects[0].1.tcp_keep_alive.expect("wanted");
        assert_eq!((order.interval.as_secs(), order.retry), (30, count));
    }
}

#[test]
pub(crate) fn options_go_to_the_destination_that_is_set() {
    let row = "GwKeepAliveAlternateDestination[GatewayName=default].AlternateDestination";
    let first = [(METHOD, "sipOptions"), (row, OTHER)];
    let told = Told::after(40, &first);
    assert_eq!((options(&told, 0), options(&told, 1)), (1, 0));
    let alternate = ("SipKeepAliveDestination", "alternateDestination");
    let told = Told::after(40, &[first[0], first[1], alternate]);
    assert_eq!((options(&told, 0), options(&told, 1)), (0, 1));
    let told = Told::after(40, &[first[0], alternate]);
    assert_eq!(options(&told, 1), 0, "it has none of its own");
}

#[test]
pub(crate) fn the_from_of_options_is_the_gateway_or_its_user() {
    for (format, from) in [
        ("shortFrom", "<sip:192.0.2.1>"),
        ("fullFrom", "<sip:100@198.51.100.1>"),
    ] {
        let wishes = [
            (METHOD, "sipOptions"),
            ("InteropKeepAliveOptionFormat", format),
        ];
        let told = Told::after(40, &wishes);
        let seen = told.world.registrars[0].seen.last().expect("OPTIONS");
        let text = String::from_utf8(seen.1.to_bytes()).expect("text");
        assert!(text.contains(&format!("From: {from};tag=")), "{text}");
    }
}
