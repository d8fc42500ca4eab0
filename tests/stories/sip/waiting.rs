//! What is said while something is waited for, and how long that is.

use std::time::Duration;

use demarc::sip::event::{Input, ListenFault, Stage};
use demarc::sip::status::{GatewayState, LinkState, RegistrationState};
use demarc::sip::transport::Transport;

use super::links::two_servers;
use super::registrar::Manner;
use super::world::{World, host, socket};

const SERVER: &str = "198.51.100.1:5060";

fn tls(hangs: Option<Stage>) -> World {
    let mut world = World::with(Manner {
        hangs,
        ..Manner::default()
    });
    world.transports("default", &[Transport::Tls]);
    world
}

fn link(world: &World) -> (LinkState, &str) {
    let link = &world.status.links[0];
    (link.state, &link.reason)
}

#[test]
fn a_server_that_is_mute_in_the_handshake_is_told_of_and_given_up_after_10_seconds() {
    let mut world = tls(Some(Stage::Handshake));
    world.apply();
    world.seconds(4);
    let (state, reason) = link(&world);
    assert_eq!(state, LinkState::WaitingUp);
    assert!(reason.contains("is this its TLS port?"), "{reason}");
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(reason.contains("is this its TLS port?"), "{reason}");
    world.seconds(5);
    assert_eq!(link(&world).0, LinkState::WaitingUp);
    world.run(Duration::from_millis(1100));
    let (state, reason) = link(&world);
    assert_eq!(state, LinkState::Down);
    assert!(reason.contains("is this its TLS port?"), "{reason}");
}

#[test]
fn a_responder_that_takes_its_time_is_not_taken_for_a_mute_handshake() {
    let mut world = tls(Some(Stage::Revocation));
    world.apply();
    world.seconds(4);
    let (state, reason) = link(&world);
    assert_eq!(state, LinkState::WaitingUp);
    assert!(reason.contains("OCSP"), "{reason}");
}

#[test]
fn a_server_that_does_not_take_the_connection_is_told_of_after_3_seconds() {
    let mut world = tls(Some(Stage::Connection));
    world.apply();
    world.seconds(2);
    assert_eq!(link(&world), (LinkState::WaitingUp, ""));
    world.seconds(2);
    let (state, reason) = link(&world);
    assert_eq!(state, LinkState::WaitingUp);
    assert!(reason.contains("no answer from 198.51.100.1:5060 yet"));
    world.seconds(122);
    assert_eq!(link(&world).0, LinkState::WaitingUp, "127 s are configured");
    world.seconds(2);
    assert_eq!(link(&world).0, LinkState::Down);
}

#[test]
fn a_better_server_that_is_mute_in_the_handshake_is_left_alone_after_10_seconds() {
    let mut world = two_servers(&[Transport::Tls], "_sips._tcp");
    world.registrars[0].manner.is_dead = true;
    world.apply();
    world.seconds(2);
    assert!(world.is_registered());
    world.registrars[0].manner.is_dead = false;
    world.registrars[0].manner.hangs = Some(Stage::Handshake);
    world.seconds(60);
    let first = socket("198.51.100.1:5071");
    let probes = { world.connects.iter() }.filter(|it| it.1.peer == first);
    assert!(probes.count() > 2, "it was tried again");
    assert!(world.is_registered());
}

#[test]
fn a_registration_whose_transport_is_no_longer_wanted_ends_with_the_new_link() {
    let mut world = World::with(Manner::default());
    world.apply();
    world.seconds(2);
    assert!(world.is_registered());
    // It speaks no TLS: the handshake is refused.
    world.registrars[0].manner.transports = vec![Transport::Udp];
    world.transports("default", &[Transport::Tls]);
    world.apply();
    world.seconds(1);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(reason.contains("does not speak TLS"), "{reason}");
    assert!(!world.status.ready);
    world.transports("default", &[Transport::Udp]);
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
}

#[test]
fn a_registration_stands_on_the_old_link_for_as_long_as_that_serves() {
    let mut world = tls(None);
    world.apply();
    world.seconds(2);
    assert!(world.is_registered());
    world.registrars[0].manner.hangs = Some(Stage::Connection);
    world.settings.transport.tls_generation += 1;
    world.apply();
    world.seconds(30);
    assert!(world.is_registered());
    world.seconds(3);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(reason.contains("no answer from"), "{reason}");
}

#[test]
fn a_port_where_nobody_listens_is_told_of_at_once_and_asked_again() {
    let mut world = World::with(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.apply();
    world.run(Duration::from_millis(100));
    world.undelivered(socket(SERVER));
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(reason.contains("no datagram reaches 198.51.100.1:5060"));
    world.registrars[0].manner.is_dead = false;
    world.seconds(2);
    assert!(world.is_registered(), "it started meanwhile");
}

#[test]
fn an_answer_that_does_not_come_is_told_of_after_3_seconds() {
    let mut world = World::with(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.apply();
    world.seconds(4);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Registering);
    assert!(reason.contains("no answer to REGISTER by UDP from 198.51.100.1:5060 yet"));
    world.registrars[0].manner.is_dead = false;
    world.seconds(8);
    assert!(world.is_registered(), "{:?}", world.status.registrations);
}

#[test]
fn a_new_certificate_opens_the_tls_listener_at_once() {
    let mut world = tls(None);
    world.settings.registration.server_host = host("0.0.0.0:0");
    world.settings.unit_registrations.clear();
    world.apply();
    let (id, _) = world.listener(Transport::Tls);
    let fault = ListenFault::NoCertificate("no host certificate is installed".to_owned());
    world.input(Input::ListenFailed { id, fault });
    assert_eq!(
        world.status.gateways[0].reason,
        "no peer can connect by TLS: no host certificate is installed"
    );
    world.settings.transport.tls_generation += 1;
    world.apply();
    world.run(Duration::from_millis(1));
    assert_eq!(world.status.gateways[0].reason, "");
    assert_ne!(world.listener(Transport::Tls).0, id);
}

#[test]
fn a_port_that_somebody_else_has_is_told_of_at_the_second_attempt() {
    let mut world = World::with(Manner::default());
    world.apply();
    for state in [GatewayState::Restarting, GatewayState::PortInUse] {
        let (id, _) = world.listener(Transport::Udp);
        let fault = ListenFault::PortInUse;
        world.input(Input::ListenFailed { id, fault });
        assert_eq!(world.status.gateways[0].state, state);
        world.run(Duration::from_millis(200));
    }
}
