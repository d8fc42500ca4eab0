//! Kamailio over IPv6.

use crate::bench::{Clients, Folder, Kamailio};
use std::time::Duration;

/// The gateway's interface and the registrar's address are ::1.
const OVER_IPV6: &[&str] = &[
    "Bni.NetworkInterfaces[Idx=2].StaticIpAddr=::1/128",
    "Hoc.StaticHosts[Index=1].IpAddresses=::1",
];
const LIMIT: Duration = Duration::from_secs(15);

#[test]
fn it_registers_over_udp_and_then_over_tls() {
    let folder = Folder::new("kam-ipv6");
    let kamailio = Kamailio::start_as(&folder, "[::1]", Clients::Anybody, &[]);
    let device = kamailio.device(&folder, OVER_IPV6);
    kamailio.registered_by("udp", LIMIT);
    device.trusts("ca.pem", &kamailio.ca("ca.crt"));
    kamailio.switch_to_tls(&device);
    kamailio.registered_by("tls", LIMIT);
    let contacts = kamailio.location().expect("kamailio answers");
    assert!(contacts[0].0.contains("@[::1]:"), "{contacts:?}");
}
