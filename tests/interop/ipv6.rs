//! Kamailio and net-snmp over IPv6.

use crate::bench::{Clients, Device, Folder, Kamailio, eventually};
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

#[test]
fn the_agent_answers_over_ipv6() {
    let folder = Folder::new("snmp-ipv6");
    let settings = ["Bni.NetworkInterfaces[Idx=1].StaticIpAddr=::1/128"];
    let device = Device::start(&folder, &settings);
    let agent = format!("udp6:[::1]:{}", device.snmp);
    let name = "1.3.6.1.2.1.1.5.0";
    let set = device.manager_at(&agent, "snmpset", &[name, "s", "gateway-6"]);
    assert!(set.status.success(), "{set:?}");
    eventually("the agent answers", LIMIT, || {
        let got = device.manager_at(&agent, "snmpget", &[name]);
        (got.stdout == b"\"gateway-6\"\n").then_some(())
    });
}
