//! How a server is found, and when the next one is tried.

use std::collections::BTreeMap;

use demarc::sip::resolve::{Naptr, Records, Srv};

use super::{REGISTRAR, Told, Wish};

const TLS: [Wish<'static>; 2] = [
    ("TransportConfig[GatewayName=default].TlsEnable", "enable"),
    ("TransportConfig[GatewayName=default].UdpEnable", "disable"),
];

/// `sip.example` is two servers for every transport; the first has the higher priority.
fn zone() -> BTreeMap<String, Records> {
    let srv = |priority, target: &str| Srv {
        priority,
        weight: 0,
        port: 5060,
        target: target.into(),
    };
    let servers = Records::Srv(vec![srv(1, "one.example"), srv(2, "two.example")]);
    let naptr = Naptr {
        order: 0,
        preference: 0,
        flags: "s".into(),
        service: "SIP+D2U".into(),
        replacement: "_sip._udp.sip.example".into(),
    };
    let address = |ip: [u8; 4]| Records::Addresses(vec![ip.into()]);
    [
        ("NAPTR sip.example", Records::Naptr(vec![naptr])),
        ("SRV _sip._udp.sip.example", servers.clone()),
        ("SRV _sips._tcp.sip.example", servers),
        ("A one.example", address([198, 51, 100, 1])),
        ("A two.example", address([198, 51, 100, 9])),
        ("A sip.example", address([198, 51, 100, 1])),
    ]
    .map(|(name, it)| (name.to_owned(), it))
    .into()
}

/// A gateway that registers at `sip.example`.
fn named(wishes: &[Wish<'_>]) -> Told {
    let server = [("DefaultStaticRegistrarServerHost", "sip.example")];
    let mut told = Told::new(&[&server, wishes].concat());
    told.world.zone = zone();
    told
}

/// At which seconds links were asked for.
fn connects(told: &Told) -> Vec<u64> {
    let connects = told.world.connects.iter();
    connects.map(|it| it.0.as_secs()).collect()
}

#[test]
pub(crate) fn no_more_is_asked_of_dns_than_the_settings_allow() {
    for (queries, asked) in [
        ("naptr", "NAPTR sip.example"),
        ("srv", "SRV _sip._udp.sip.example"),
        ("address", "A sip.example"),
    ] {
        let mut told = named(&[("SupportedDnsQueries", queries)]);
        told.begin(1);
        assert_eq!(told.world.asked[0], asked, "{queries}");
    }
}

#[test]
pub(crate) fn naptr_is_asked_for_beside_tls_only_where_it_is_forced() {
    for (forced, asked) in [
        ("disable", "SRV _sips._tcp.sip.example"),
        ("enable", "NAPTR sip.example"),
    ] {
        let mut told = named(&[&TLS[..], &[("InteropForceDnsNaptrInTls", forced)]].concat());
        told.begin(1);
        assert_eq!(told.world.asked[0], asked);
    }
}

#[test]
pub(crate) fn addresses_of_ipv6_are_asked_for_unless_ipv4_alone_is_to_be_used() {
    for (version, asks) in [("ipV4Preferred", true), ("ipV4Only", false)] {
        let mut told = named(&[("DnsIpVersion", version)]);
        told.world.settings = told.settings();
        let six = "2001:db8::1".parse().expect("an address");
        told.world.settings.interfaces.insert("Lan1".into(), six);
        told.world.apply();
        told.world.seconds(1);
        let asked = told.world.asked.iter().any(|it| it.starts_with("AAAA"));
        assert_eq!(asked, asks, "{version}");
    }
}

#[test]
pub(crate) fn the_last_answer_of_dns_serves_on_where_failures_are_concealed() {
    for (concealment, comes_back) in [("none", false), ("onNoResolution", true)] {
        let mut told = named(&[&TLS[..], &[("DnsFailureConcealment", concealment)]].concat());
        told.begin(1);
        told.world.zone.clear();
        told.world.close_streams(REGISTRAR);
        told.world.seconds(30);
        assert_eq!(told.world.status.ready, comes_back, "{concealment}");
    }
}

#[test]
pub(crate) fn a_refusal_moves_to_the_next_server_where_the_conditions_say_so() {
    let row = "GwSpecificFailover[GatewayName=default]";
    let (own, enable) = (
        format!("{row}.SipFailoverConditions"),
        format!("{row}.EnableConfig"),
    );
    let cases: [(&[Wish<'_>], bool); 5] = [
        (&[], false),
        (
            &[("DefaultSipFailoverConditions", "403OnRegistration")],
            true,
        ),
        (&[(&own, "403OnRegistration")], false),
        (&[(&own, "403OnRegistration"), (&enable, "enable")], true),
        (&[(&own, "404OnRegistration"), (&enable, "enable")], false),
    ];
    for (wishes, moves) in cases {
        let mut told = named(wishes);
        told.world.registrars[0].manner.refuses = Some((403, None));
        told.begin(2);
        assert_eq!(told.world.is_registered(), moves, "{wishes:?}");
    }
}

#[test]
pub(crate) fn the_preferred_server_is_tried_again_after_the_fail_back_interval() {
    for (seconds, last) in [("15", 15), ("60", 60)] {
        let mut told = named(&[&TLS[..], &[("TransportFailbackInterval", seconds)]].concat());
        told.world.registrars[0].manner.is_dead = true;
        told.begin(10);
        told.world.registrars[0].manner.is_dead = false;
        told.world.seconds(100);
        assert_eq!(connects(&told), [0, 0, last]);
    }
}

#[test]
pub(crate) fn a_server_that_failed_is_left_out_for_the_time_of_the_penalty_box() {
    let returns = |wishes: &[Wish<'_>], seconds: u64| {
        let mut told = named(&[&TLS[..], wishes].concat());
        told.world.registrars[0].manner.is_dead = true;
        told.begin(5);
        told.world.registrars[0].manner.is_dead = false;
        told.world.seconds(seconds);
        !told.registers().is_empty()
    };
    let enable = ("PenaltyBoxEnable", "enable");
    assert!(returns(&[], 100));
    assert!(!returns(&[enable], 100));
    assert!(returns(&[enable, ("PenaltyBoxTime", "60")], 100));
}

#[test]
pub(crate) fn a_request_without_an_answer_fails_after_the_transmission_timeout() {
    for (seconds, moved) in [("32", false), ("5", true)] {
        let mut told = named(&[("InteropTransmissionTimeout", seconds)]);
        told.world.registrars[0].manner.is_dead = true;
        told.begin(10);
        assert_eq!(told.world.is_registered(), moved, "{seconds}");
    }
}
