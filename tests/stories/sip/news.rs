//! What the status and the log tell of registrations, and whom it takes out of service.

use std::time::Duration;

use demarc::sip::event::Input;
use demarc::sip::resolve::Records;
use demarc::sip::settings::{UnitUnregisteredBehavior, UserAgent};
use demarc::sip::status::{GatewayState, NextAction};
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host};

/// How often a line was logged that contains `words`.
fn told(world: &World, words: &str) -> usize {
    let notices = world.notices.iter();
    notices.filter(|it| it.contains(words)).count()
}

fn endpoint(world: &mut World) {
    let agent = UserAgent {
        username: "100".into(),
        register: true,
        ..UserAgent::default()
    };
    world.settings.user_agents.insert("Port01".into(), agent);
}

#[test]
fn the_status_tells_what_was_granted_and_what_comes_next() {
    let mut world = World::with(Manner {
        grants: 300,
        ..Manner::default()
    });
    world.apply();
    world.seconds(10);
    let row = world.status.registrations[0].clone();
    assert_eq!(row.contact, "sip:100@192.0.2.1:5060");
    assert_eq!(row.granted, 300);
    assert_eq!(row.heard, Some((200, "OK".to_owned())));
    let (next, at) = row.next.expect("a refresh");
    assert_eq!(next, NextAction::Refresh);
    let expires = row.expires.expect("granted");
    assert_eq!(expires - at, Duration::from_secs(60), "RefreshTime");

    world.registrars[0].manner.refuses = Some((403, None));
    world.seconds(240);
    let row = world.status.registrations[0].clone();
    assert_eq!(row.heard, Some((403, "Forbidden".to_owned())));
    assert_eq!(row.next.map(|it| it.0), Some(NextAction::Retry));
}

#[test]
fn a_registration_that_is_held_back_says_so() {
    let mut world = World::with(Manner::default());
    world.settings.interop.registration_delay_value = 600;
    world.apply();
    world.seconds(1);
    let row = &world.status.registrations[0];
    assert_eq!(row.next.map(|it| it.0), Some(NextAction::Register));
    assert_eq!((row.granted, row.expires, &row.heard), (0, None, &None));
}

#[test]
fn refused_credentials_are_told_once_and_again_only_for_other_ones() {
    let mut world = World::with(Manner {
        password: Some("another".into()),
        ..Manner::default()
    });
    world.apply();
    world.seconds(600);
    assert!(world.registers(0).len() > 6, "it was tried again");
    let words = "198.51.100.1:5060 refuses the credentials of 100 in realm test";
    assert_eq!(told(&world, words), 1, "{:?}", world.notices);
    let row = world.settings.authentication.get_mut(&1).expect("there");
    row.password = "wrong as well".into();
    world.apply();
    world.seconds(600);
    assert_eq!(told(&world, words), 2);
}

#[test]
fn a_name_that_leads_nowhere_is_told_once_until_it_led_somewhere() {
    let mut world = World::new();
    world.add_registrar("198.51.100.1:5060", Manner::default());
    world.settings.registration.server_host = host("sip.example");
    world.transports("default", &[Transport::Tcp]);
    world.apply();
    world.seconds(300);
    let words = "sip.example not resolved";
    assert_eq!(told(&world, words), 1, "{:?}", world.notices);
    let address = Records::Addresses(vec![[198, 51, 100, 1].into()]);
    world.zone.insert("A sip.example".into(), address);
    world.seconds(120);
    assert!(world.is_registered());
    world.zone.clear();
    world.close_streams("198.51.100.1:5060");
    world.seconds(300);
    assert_eq!(told(&world, words), 2);
}

#[test]
fn a_server_that_gives_way_is_told_once_until_it_served_again() {
    for transport in [Transport::Udp, Transport::Tcp] {
        let mut world = World::new();
        world.add_registrar("198.51.100.1:5060", Manner::default());
        world.add_registrar(
            "198.51.100.2:5060",
            Manner {
                grants: 100,
                ..Manner::default()
            },
        );
        let both = vec![[198, 51, 100, 1].into(), [198, 51, 100, 2].into()];
        let both = Records::Addresses(both);
        world.zone.insert("A sip.example".into(), both);
        world.settings.registration.server_host = host("sip.example:5060");
        world.transports("default", &[transport]);
        world.registrars[0].manner.is_dead = true;
        world.apply();
        world.seconds(600);
        let words = "198.51.100.1:5060) gives way to";
        assert_eq!(told(&world, words), 1, "{transport}: {:?}", world.notices);
        world.registrars[0].manner.is_dead = false;
        world.seconds(200);
        assert!(world.is_registered());
        assert!(!world.registers(0).is_empty(), "it served again");
        world.registrars[0].manner.is_dead = true;
        world.close_streams("198.51.100.1:5060");
        world.seconds(4000);
        assert_eq!(told(&world, words), 2, "{transport}: {:?}", world.notices);
    }
}

#[test]
fn an_endpoint_whose_registration_does_not_stand_is_out_of_service_unless_the_settings_let_it() {
    let mut world = World::with(Manner {
        refuses: Some((403, None)),
        ..Manner::default()
    });
    endpoint(&mut world);
    world.apply();
    world.seconds(2);
    assert!(world.status.unregistered.contains("Port01"));
    let sent = world.sent.len();
    world.settings.registration.unregistered_behavior = true;
    world.apply();
    assert!(world.status.unregistered.is_empty());
    world.settings.registration.unregistered_behavior = false;
    world.apply();
    assert!(world.status.unregistered.contains("Port01"));
    assert_eq!(world.sent.len(), sent, "nothing was sent for it");
    world.registrars[0].manner.refuses = None;
    world.seconds(130);
    assert!(world.status.unregistered.is_empty());
    world.input(Input::Shutdown);
    world.seconds(3);
    assert!(world.status.unregistered.contains("Port01"));
}

#[test]
fn one_gateway_that_serves_an_endpoint_is_enough() {
    let mut world = World::with(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.add_registrar("198.51.100.3:5060", Manner::default());
    world.add_other_gateway("198.51.100.3:5060");
    endpoint(&mut world);
    world.apply();
    world.seconds(40);
    assert!(world.status.unregistered.is_empty(), "{:?}", world.status);
    world.registrars[1].manner.refuses = Some((403, None));
    let rows = &mut world.settings.gw_specific_registration;
    let row = rows.get_mut("other").expect("there");
    row.proposed_expiration_value = 7200;
    world.apply();
    world.seconds(2);
    assert!(world.status.unregistered.contains("Port01"));
    let rows = &mut world.settings.gw_specific_registration;
    rows.get_mut("other").expect("there").unregistered_behavior = true;
    world.apply();
    assert!(world.status.unregistered.is_empty());
}

#[test]
fn a_gateway_waits_for_one_of_the_units_registrations_where_the_settings_say_so() {
    let mut world = World::with(Manner {
        refuses: Some((403, None)),
        ..Manner::default()
    });
    world.apply();
    world.seconds(2);
    assert_eq!(world.status.gateways[0].state, GatewayState::Ready);
    let sent = world.sent.len();
    world.settings.unit_unregistered_behavior = UnitUnregisteredBehavior::DisableGateway;
    world.apply();
    let gateway = &world.status.gateways[0];
    assert_eq!(gateway.state.text(), "Unregistered");
    let object = "SipEp.DefaultUnitRegistrationUnregisteredBehavior";
    assert!(gateway.reason.contains(object), "{}", gateway.reason);
    assert_eq!(world.sent.len(), sent, "nothing was sent for it");
    world.registrars[0].manner.refuses = None;
    world.seconds(130);
    assert_eq!(world.status.gateways[0].state, GatewayState::Ready);
}
