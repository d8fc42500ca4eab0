//! The local ports of persistent links, one after the other and over a restart.

use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host};

const SERVER: &str = "198.51.100.1:5061";

fn cycling(last: Option<u16>) -> World {
    let mut world = World::new();
    world.add_registrar(SERVER, Manner::default());
    world.settings.registration.server_host = host(SERVER);
    world.transports("default", &[Transport::Tls]);
    let transport = &mut world.settings.transport;
    transport.persistent_base_port = 20_000;
    transport.persistent_port_interval = 2;
    transport.last_persistent_port = last;
    world.apply();
    world.seconds(2);
    world
}

#[test]
fn ports_go_round_and_each_is_remembered() {
    let mut world = cycling(None);
    for _ in 0..3 {
        world.close_streams(SERVER);
        world.seconds(40);
        assert!(world.is_registered());
    }
    assert_eq!(world.remembered, [20_000, 20_001, 20_002, 20_000]);
    let ports: Vec<u16> = { world.connects.iter() }
        .map(|it| it.1.local.port())
        .collect();
    assert_eq!(ports, world.remembered);
}

#[test]
fn after_a_restart_the_circle_goes_on_behind_the_last_port() {
    assert_eq!(cycling(Some(20_001)).remembered, [20_002]);
    assert_eq!(cycling(Some(20_002)).remembered, [20_000]);
    assert_eq!(cycling(Some(16_000)).remembered, [20_000], "another base");
}

#[test]
fn without_an_interval_nothing_is_remembered() {
    let mut world = cycling(None);
    world.settings.transport.persistent_port_interval = 0;
    world.settings.transport.persistent_base_port = 17_000;
    world.apply();
    world.seconds(2);
    assert_eq!(world.stream_ports(SERVER), [17_000]);
    assert_eq!(world.remembered, [20_000]);
}

#[test]
fn requests_leave_from_another_udp_port_where_they_are_not_to_be_symmetric() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(1);
    assert_eq!(world.sources, [5060]);
    world.settings.interop.symmetric_udp_source_port_enable = false;
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    assert_eq!(world.sources, [5060, 40_000]);
    let register = *world.registers(0).last().expect("some");
    let via = register.headers.via().expect("a Via");
    assert_eq!(via.port, Some(5060), "where others may answer to");
    let bindings = &world.registrars[0].bindings;
    assert!(
        bindings.contains_key("sip:100@192.0.2.1:5060"),
        "{bindings:?}"
    );
    world.settings.interop.symmetric_udp_source_port_enable = true;
    world.apply();
    world.seconds(1);
    assert_eq!(world.sources, [5060, 40_000, 5060]);
    assert_eq!(world.listens(), ["udp:5060"], "the other socket went");
}
