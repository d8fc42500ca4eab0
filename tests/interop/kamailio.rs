//! Kamailio as registrar: digest, transports, a live switch to TLS.

use crate::bench::{Clients, Folder, Kamailio, REGISTRATIONS, eventually};
use std::time::{Duration, Instant};

#[test]
fn it_registers_over_udp_with_digest_and_unregisters_at_the_end() {
    let folder = Folder::new("kam-udp");
    let kamailio = Kamailio::start(&folder);
    let mut device = kamailio.device(&folder, &[]);
    kamailio.registered_by("udp", Duration::from_secs(10));
    assert_eq!(device.process.stop(), Some(0));
    eventually("nothing is registered", Duration::from_secs(5), || {
        kamailio.location()?.is_empty().then_some(())
    });
}

#[test]
fn it_registers_over_tcp() {
    let folder = Folder::new("kam-tcp");
    let kamailio = Kamailio::start(&folder);
    let _device = kamailio.device(
        &folder,
        &[
            "SipEp.TransportConfig[GatewayName=default].TcpEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ],
    );
    kamailio.registered_by("tcp", Duration::from_secs(10));
}

#[test]
fn it_registers_with_a_sha_256_digest() {
    let folder = Folder::new("kam-sha256");
    let defined = &["WITH_SHA256"];
    let kamailio = Kamailio::start_as(&folder, "127.0.0.1", Clients::Anybody, defined);
    let _device = kamailio.device(&folder, &[]);
    kamailio.registered_by("udp", Duration::from_secs(10));
}

/// How often TLS is switched on.
const ROUNDS: usize = 7;

#[test]
fn tls_switched_on_by_one_snmpset_leads_to_a_registration_within_two_seconds() {
    let folder = Folder::new("kam-tls");
    let mut kamailio = Kamailio::start(&folder);
    let device = kamailio.device(&folder, &[]);
    device.trusts("ca.pem", &kamailio.ca("ca.crt"));
    let limit = Duration::from_secs(10);
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        kamailio.registered_by("udp", limit);
        let started = Instant::now();
        kamailio.switch_to_tls(&device);
        kamailio.registered_by("tls", limit);
        times.push(started.elapsed());
        kamailio.switch_to_udp(&device);
    }
    times.sort();
    println!("from snmpset to Kamailio's location table over TLS: {times:?}");
    let median = times[ROUNDS / 2];
    println!("median of {ROUNDS}: {median:?}");
    assert!(median < Duration::from_secs(2), "{times:?}");
    // And it is found again after a restart.
    kamailio.switch_to_tls(&device);
    kamailio.registered_by("tls", limit);
    kamailio.restart();
    kamailio.registered_by("tls", Duration::from_secs(40));
}

#[test]
fn a_wrong_password_stops_and_names_the_credentials() {
    let folder = Folder::new("kam-password");
    let kamailio = Kamailio::start(&folder);
    let device = kamailio.device(&folder, &["SipEp.Authentication[Index=1].Password=wrong"]);
    let status = eventually("authFailed", Duration::from_secs(10), || {
        let rows = device.done(&["walk", "SipEp.RegistrationStatus"]);
        rows.contains("authFailed").then_some(rows)
    });
    assert!(status.contains("Port01"), "{status}");
    assert_eq!(kamailio.location(), Some(Vec::new()));
    device.complains(REGISTRATIONS, &["\"1000\"", "SipEp.Authentication"]);
    device.snmpset(&[("SipEp.Authentication[Index=1].Password", "s", "pw-1000")]);
    kamailio.registered_by("udp", Duration::from_secs(10));
}
