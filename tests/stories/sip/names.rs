//! Names: where they lead after the name servers or the device's own hosts changed.

use demarc::sip::event::Input;
use demarc::sip::resolve::{Records, Source};
use demarc::sip::status::RegistrationState;
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::{World, host};

/// A gateway set to `sip.example:5060`, and two registrars that the name may lead to.
fn world() -> World {
    let mut world = World::new();
    world.add_registrar("198.51.100.1:5060", Manner::default());
    world.add_registrar("198.51.100.2:5060", Manner::default());
    world.settings.registration.server_host = host("sip.example:5060");
    world.transports("default", &[Transport::Udp]);
    world
}

fn leads_to(world: &mut World, ip: [u8; 4]) {
    let address = Records::Addresses(vec![ip.into()]);
    world.zone.insert("A sip.example".into(), address);
}

#[test]
fn a_name_that_led_nowhere_is_looked_up_again_as_soon_as_the_name_servers_change() {
    let mut world = world();
    world.apply();
    world.seconds(40);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(
        reason.contains("the server's name sip.example could not be resolved"),
        "{reason}"
    );
    leads_to(&mut world, [198, 51, 100, 1]);
    world.input(Input::NamesChanged);
    world.seconds(1);
    assert!(world.is_registered());
}

#[test]
fn a_registration_follows_its_servers_name_as_soon_as_that_leads_elsewhere() {
    let mut world = world();
    leads_to(&mut world, [198, 51, 100, 1]);
    world.apply();
    world.seconds(1);
    assert_eq!(world.registers(0).len(), 1);
    leads_to(&mut world, [198, 51, 100, 2]);
    world.input(Input::NamesChanged);
    world.seconds(1);
    assert_eq!(world.registers(1).len(), 1);
    assert!(world.is_registered());
}

#[test]
fn nothing_is_sent_where_names_changed_and_this_one_did_not() {
    let mut world = world();
    leads_to(&mut world, [198, 51, 100, 1]);
    world.apply();
    world.seconds(1);
    world.input(Input::NamesChanged);
    world.seconds(5);
    assert_eq!(world.registers(0).len(), 1);
}

#[test]
fn an_address_of_the_devices_own_hosts_is_used_no_longer_than_its_row_is_there() {
    let mut world = world();
    world.source = Source::OwnHosts;
    leads_to(&mut world, [198, 51, 100, 1]);
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    world.zone.clear();
    world.input(Input::NamesChanged);
    world.seconds(1);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(
        reason.contains("the server's name sip.example could not be resolved"),
        "{reason}"
    );
    let sent = world.sent.len();
    world.seconds(4000);
    assert_eq!(world.sent.len(), sent, "{:?}", &world.sent[sent..]);
    leads_to(&mut world, [198, 51, 100, 2]);
    world.input(Input::NamesChanged);
    world.seconds(1);
    assert!(world.is_registered());
}

#[test]
fn what_name_servers_said_goes_on_where_others_know_nothing_of_it() {
    let mut world = world();
    leads_to(&mut world, [198, 51, 100, 1]);
    world.apply();
    world.seconds(1);
    world.zone.clear();
    world.input(Input::NamesChanged);
    world.seconds(5);
    assert!(world.is_registered());
}
