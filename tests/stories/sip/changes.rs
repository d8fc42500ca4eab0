//! Live change: what differs changes at once, and nothing else is touched.

use std::time::Duration;

use demarc::sip::settings::{Proxy, Registration};
use demarc::sip::status::{LinkState, RegistrationState};
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host};

#[test]
fn switching_tls_on_registers_over_tls_and_the_udp_binding_goes() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(2);
    assert!(
        world.registrars[0]
            .bindings
            .contains_key("sip:100@192.0.2.1:5060")
    );
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
    let bound: Vec<_> = world.registrars[0].bindings.keys().cloned().collect();
    assert_eq!(bound, ["sip:100@192.0.2.1:16000"]);
    let (last, _) = world.registrars[0].seen.last().expect("some");
    assert_eq!(*last, Transport::Tls, "nothing in clear after TLS is on");
    assert_eq!(world.listens(), ["tls:5061"], "the UDP socket is closed");
    let clear = world.registrars[0]
        .seen
        .iter()
        .filter(|it| it.0 == Transport::Udp)
        .count();
    assert_eq!(clear, 1);
}

#[test]
fn a_new_certificate_opens_a_new_link_and_registers_on_it_before_the_old_one_closes() {
    let mut world = World::with(Manner::default());
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(2);
    assert_eq!(world.stream_ports("198.51.100.1:5060"), [16000]);
    world.settings.transport.tls_generation += 1;
    world.apply();
    assert_eq!(
        world.registration("default").0,
        RegistrationState::Registered,
        "it stands meanwhile"
    );
    let states: Vec<_> = world.status.links.iter().map(|it| it.state).collect();
    assert_eq!(states, [LinkState::WaitingUp, LinkState::WaitingShutdown]);
    world.seconds(1);
    assert_eq!(world.stream_ports("198.51.100.1:5060"), [16001]);
    assert!(world.is_registered());
    assert_eq!(world.registrars[0].bindings.len(), 1);
}

#[test]
fn a_registration_that_moves_is_removed_at_the_old_registrar_after_it_stands_at_the_new_one() {
    let mut world = World::with(Manner::default());
    let new = world.add_registrar("198.51.100.7:5060", Manner::default());
    world.apply();
    world.seconds(2);
    world.settings.registration.server_host = host("198.51.100.7:5060");
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    assert_eq!(world.registrars[new].bindings.len(), 1);
    assert!(world.registrars[0].bindings.is_empty());
    assert_eq!(world.status.registrations.len(), 1);
}

#[test]
fn a_registration_that_is_no_longer_wanted_is_removed() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(2);
    world.settings.unit_registrations.clear();
    world.apply();
    world.seconds(1);
    assert!(world.registrars[0].bindings.is_empty());
    assert!(world.status.registrations.is_empty());
    let sent = world.sent.len();
    world.seconds(3600);
    assert_eq!(world.sent.len(), sent, "silence afterwards");
}

#[test]
fn another_registrar_for_one_gateway_sends_not_one_packet_for_the_other() {
    for transport in [Transport::Udp, Transport::Tls] {
        let mut world = World::with(Manner::default());
        let of_other = world.add_registrar("198.51.100.3:5060", Manner::default());
        world.add_registrar("198.51.100.4:5060", Manner::default());
        world.add_other_gateway("198.51.100.3:5060");
        world.transports("default", &[transport]);
        world.transports("other", &[transport]);
        world.apply();
        world.seconds(5);
        assert_eq!(world.registration("other").0, RegistrationState::Registered);
        let before = (world.registrars[of_other].seen.len(), world.connects.len());
        let registration = Registration {
            server_host: host("198.51.100.4:5060"),
            ..Registration::default()
        };
        world
            .settings
            .gw_specific_registration
            .insert("default".into(), registration);
        world.apply();
        world.seconds(60);
        assert!(world.is_registered());
        assert_eq!(world.registrars[of_other].seen.len(), before.0);
        let peer = super::world::socket("198.51.100.3:5060");
        let connects = world.connects[before.1..]
            .iter()
            .filter(|it| it.1.peer == peer);
        assert_eq!(connects.count(), 0);
        assert_eq!(world.registration("other").0, RegistrationState::Registered);
    }
}

#[test]
fn gateways_mix_transports() {
    let mut world = World::with(Manner::default());
    world.add_registrar("198.51.100.3:5060", Manner::default());
    world.add_other_gateway("198.51.100.3:5060");
    world.transports("default", &[Transport::Tls]);
    world.transports("other", &[Transport::Udp]);
    world.apply();
    world.seconds(2);
    assert_eq!(world.registrars[0].seen[0].0, Transport::Tls);
    assert_eq!(world.registrars[1].seen[0].0, Transport::Udp);
}

#[test]
fn another_port_moves_the_listener_and_the_binding() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(2);
    world
        .settings
        .gateways
        .get_mut("default")
        .expect("there")
        .port = 5090;
    world.apply();
    world.seconds(2);
    assert_eq!(world.listens(), ["udp:5090"]);
    let bound: Vec<_> = world.registrars[0].bindings.keys().cloned().collect();
    assert_eq!(bound, ["sip:100@192.0.2.1:5090"]);
}

#[test]
fn a_gateway_that_is_deleted_unregisters_and_closes() {
    let mut world = World::with(Manner::default());
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(2);
    world.settings.gateways.clear();
    world.apply();
    world.seconds(2);
    assert!(world.registrars[0].bindings.is_empty());
    assert!(world.stream_ports("198.51.100.1:5060").is_empty());
    assert!(world.listens().is_empty());
    assert!(world.status.gateways.is_empty());
}

#[test]
fn an_interface_that_goes_down_is_told_and_one_that_returns_registers_again() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(2);
    let lan = world.settings.interfaces.remove("Lan1").expect("there");
    world.apply();
    world.seconds(2);
    assert_eq!(world.status.gateways[0].state.text(), "Network down");
    assert_eq!(
        world.registration("default").0,
        RegistrationState::Unreachable
    );
    world.settings.interfaces.insert("Lan1".into(), lan);
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
}

#[test]
fn the_same_settings_again_change_nothing() {
    let mut world = World::with(Manner::default());
    world.settings.proxy = Proxy {
        home_domain_host: host("198.51.100.1:5060"),
        ..Proxy::default()
    };
    world.apply();
    world.seconds(2);
    let sent = world.sent.len();
    world.apply();
    world.seconds(60);
    assert_eq!(world.sent.len(), sent);
}

#[test]
fn a_change_while_an_answer_is_awaited_is_sent_after_it() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.run(Duration::from_millis(5));
    world.settings.registration.proposed_expiration_value = 900;
    world.apply();
    world.seconds(1);
    let proposed = world.registers(0).into_iter();
    let proposed: Vec<_> = proposed.map(|it| it.headers.expires()).collect();
    assert_eq!(proposed, [None, Some(900)]);
    world.seconds(120);
    assert_eq!(world.registers(0).len(), 2);
}

#[test]
fn a_change_while_the_link_is_down_leaves_the_reason_standing() {
    let mut world = World::with(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(2);
    let before = world.registration("default");
    assert_eq!(before.0, RegistrationState::Unreachable);
    world.settings.registration.proposed_expiration_value = 900;
    world.apply();
    assert_eq!(world.registration("default"), before);
    world.registrars[0].manner.is_dead = false;
    world.seconds(120);
    assert!(world.is_registered());
}
