//! Interfaces, names and endpoints of a whole device.

use std::net::TcpListener;

use crate::services::{Folder, World, eventually, free_port};

fn shows(world: &World, name: &str, value: &str) {
    eventually(&format!("{name} is {value}"), || world.read(name) == value);
}

fn set(world: &World, wishes: &[(&str, &str)]) {
    for (name, value) in wishes {
        world.set(name, value).expect(name);
    }
}

#[test]
pub(crate) fn an_interface_is_what_its_row_says() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let row = |column: &str| format!("Bni.NetworkInterfaces[Idx=9].{column}");
    let status = |column: &str| format!("Bni.NetworkInterfacesStatus[Idx=9].{column}");
    let (name, active, address) = (row("InterfaceName"), row("Activation"), row("StaticIpAddr"));
    let (state, shown) = (status("InterfaceStatus"), status("IpAddr"));
    set(&world, &[(&name, "Lan9"), (&address, "127.0.0.9/8")]);
    shows(&world, &status("InterfaceName"), "Lan9");
    shows(&world, &state, "linkDown");
    set(&world, &[(&active, "enable")]);
    shows(&world, &state, "active");
    shows(&world, &shown, "127.0.0.9/8");
    set(&world, &[(&address, "127.0.0.8/8")]);
    shows(&world, &shown, "127.0.0.8/8");
    set(&world, &[(&row("LinkName"), "no-such-link")]);
    shows(&world, &state, "linkDown");
    set(&world, &[(&row("LinkName"), "lo"), (&address, "")]);
    shows(&world, &shown, "127.0.0.1/8");
    set(&world, &[(&address, "224.0.0.5/24")]);
    shows(&world, &row("ConfigStatus"), "invalidStaticIpAddr");
    shows(&world, &state, "invalidConfig");
    set(&world, &[(&address, "")]);
    shows(&world, &row("ConfigStatus"), "validConfig");
    set(&world, &[(&row("ConnectionType"), "ip6Static")]);
    eventually("no address of IPv4", || world.read(&shown) != "127.0.0.1/8");
    set(&world, &[(&name, "Lan1")]);
    shows(&world, &row("ConfigStatus"), "duplicateInterfaceName");
    set(&world, &[(&row("Delete"), "delete")]);
    shows(&world, &state, "");
    world.end();
}

#[test]
pub(crate) fn the_dns_servers_that_are_set_are_used_where_they_are_the_source() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let (first, shown) = (
        "Hoc.StaticDnsServers[Priority=1].IpAddress",
        "Hoc.DnsServersInfo[Priority=1].IpAddress",
    );
    set(&world, &[(first, "192.0.2.53")]);
    eventually("it runs", || world.answers_sip());
    assert_ne!(world.read(shown), "192.0.2.53");
    set(&world, &[("Hoc.DnsServersConfigSource", "static")]);
    shows(&world, shown, "192.0.2.53");
    set(&world, &[(first, "192.0.2.54")]);
    shows(&world, shown, "192.0.2.54");
    world.end();
}

#[test]
pub(crate) fn a_name_of_the_devices_own_leads_where_its_row_says() {
    let folder = Folder::new();
    let world = World::boot(&folder, &["Hoc.DnsServersConfigSource=static"]);
    let port = free_port();
    let hosts = ["127.0.0.1", "127.0.0.2"].map(|ip| {
        let host = TcpListener::bind((ip, port)).expect("a port");
        host.set_nonblocking(true).expect("a socket");
        host
    });
    let url = format!("https://pbx.test:{port}/ca.pem");
    set(&world, &[("Cert.Transfer[Index=1].Url", &url)]);
    let fetch = || {
        if world.read("Cert.Transfer[Index=1].State") != "running" {
            set(&world, &[("Cert.Transfer[Index=1].Start", "start")]);
        }
    };
    let leads_to = |host: usize| {
        eventually(&format!("it leads to {:?}", hosts[host]), || {
            fetch();
            hosts[host].accept().is_ok()
        });
    };
    let leads_nowhere = || {
        eventually("it leads nowhere", || {
            fetch();
            let reason = world.read("Cert.Transfer[Index=1].Reason");
            reason.contains("pbx.test has no address")
        });
    };
    let (name, addresses) = (
        "Hoc.StaticHosts[Index=1].Name",
        "Hoc.StaticHosts[Index=1].IpAddresses",
    );
    leads_nowhere();
    set(&world, &[(addresses, "127.0.0.1"), (name, "pbx.test")]);
    leads_to(0);
    set(&world, &[(addresses, "127.0.0.2")]);
    leads_to(1);
    set(&world, &[("Hoc.StaticHosts[Index=1].Delete", "delete")]);
    leads_nowhere();
    world.end();
}

#[test]
pub(crate) fn an_endpoint_begins_as_it_is_set_and_is_locked_and_unlocked_by_command() {
    let folder = Folder::new();
    let initially = "EpAdm.Endpoint[EpId=Port02].InitialAdminStateConfig=locked";
    let world = World::boot(&folder, &[initially]);
    let state = |endpoint: &str| format!("EpAdm.Endpoint[EpId={endpoint}].AdminState");
    shows(&world, &state("Port01"), "unlocked");
    shows(&world, &state("Port02"), "locked");
    for (command, verb, becomes) in [
        ("Unlock", "unlock", "unlocked"),
        ("Lock", "lock", "locked"),
        ("Unlock", "unlock", "unlocked"),
        ("ForceLock", "forceLock", "locked"),
    ] {
        let command = format!("EpAdm.Endpoint[EpId=Port02].{command}");
        set(&world, &[(&command, verb)]);
        shows(&world, &state("Port02"), becomes);
    }
    world.end();
}
