//! Registering, refreshing, being refused, leaving.

use demarc::sip::Input;
use demarc::sip::message::HeaderName;
use demarc::sip::settings::{GatewayType, UserAgent};
use demarc::sip::status::{GatewayState, RegistrationState};
use demarc::sip::transport::Transport;

use super::registrar::Manner;
use super::world::World;

fn secret() -> Manner {
    Manner {
        password: Some("secret".into()),
        ..Manner::default()
    }
}

#[test]
fn a_gateway_registers_over_udp_with_digest() {
    let mut world = World::with(secret());
    world.apply();
    world.seconds(2);
    assert!(world.is_registered(), "{:?}", world.status);
    assert!(world.status.ready);
    assert_eq!(world.status.gateways[0].state, GatewayState::Ready);
    let registers = world.registers(0);
    assert_eq!(registers.len(), 2);
    let call_ids: Vec<_> = registers.iter().map(|it| it.headers.call_id()).collect();
    assert_eq!(call_ids[0], call_ids[1]);
    let numbers: Vec<_> = registers
        .iter()
        .filter_map(|it| Some(it.headers.cseq().ok()?.number))
        .collect();
    assert_eq!(numbers, [1, 2]);
    let branch = |n: usize| {
        registers[n]
            .headers
            .via()
            .expect("a Via")
            .branch()
            .map(str::to_owned)
    };
    assert_ne!(branch(0), branch(1));
    assert_eq!(registers[1].headers.expires(), None, "0 proposes none");
    assert!(
        world.registrars[0]
            .bindings
            .contains_key("sip:100@192.0.2.1:5060")
    );
}

#[test]
fn a_registration_is_refreshed_before_it_expires_with_the_nonce_it_has() {
    let mut world = World::with(Manner {
        grants: 300,
        ..secret()
    });
    world.apply();
    world.seconds(239);
    assert_eq!(world.registers(0).len(), 2);
    world.seconds(2);
    let registers = world.registers(0);
    assert_eq!(
        registers.len(),
        3,
        "refreshed 60 s before the 300 s are over"
    );
    let value = registers[2]
        .headers
        .text(&HeaderName::Authorization)
        .unwrap_or_default();
    assert!(value.contains("nc=00000002"), "{value}");
    assert!(world.is_registered());
}

#[test]
fn a_423_is_answered_with_what_it_asks_for() {
    let mut world = World::with(Manner {
        min_expires: Some(900),
        ..Manner::default()
    });
    world.settings.registration.proposed_expiration_value = 60;
    world.apply();
    world.seconds(2);
    assert!(world.is_registered());
    let proposed: Vec<_> = world
        .registers(0)
        .iter()
        .map(|it| it.headers.expires())
        .collect();
    assert_eq!(proposed, [Some(60), Some(900)]);
}

#[test]
fn a_stale_nonce_is_replaced_without_asking_for_another_password() {
    let mut world = World::with(Manner {
        stale: 1,
        ..secret()
    });
    world.apply();
    world.seconds(2);
    assert!(world.is_registered());
    assert_eq!(world.registers(0).len(), 3);
}

#[test]
fn a_wrong_password_stops_until_the_retry_time_and_says_so() {
    let mut world = World::with(Manner {
        password: Some("another".into()),
        ..Manner::default()
    });
    world.apply();
    world.seconds(60);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::AuthFailed);
    assert!(reason.contains("SipEp.Authentication"), "{reason}");
    assert_eq!(world.registers(0).len(), 2);
    world.seconds(65);
    let registers = world.registers(0);
    let proofs = registers
        .iter()
        .filter(|it| it.headers.contains(&HeaderName::Authorization));
    assert_eq!(
        (registers.len(), proofs.count()),
        (4, 2),
        "RegistrationRetryTime is 120 s"
    );
}

#[test]
fn a_corrected_password_registers_at_once() {
    let mut world = World::with(Manner {
        password: Some("another".into()),
        ..Manner::default()
    });
    world.apply();
    world.seconds(5);
    let row = world.settings.authentication.get_mut(&1).expect("there");
    row.password = "another".into();
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
}

#[test]
fn nonces_forgotten_by_the_registrar_cost_one_more_round() {
    let mut world = World::with(Manner {
        grants: 100,
        ..secret()
    });
    world.apply();
    world.seconds(10);
    world.registrars[0].forget_nonces();
    world.seconds(40);
    assert!(world.is_registered());
    assert_eq!(world.registers(0).len(), 4);
}

#[test]
fn a_503_with_retry_after_is_obeyed() {
    let mut world = World::with(Manner {
        refuses: Some((503, Some(40))),
        ..Manner::default()
    });
    world.apply();
    world.seconds(39);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Rejected);
    assert!(reason.contains("503"), "{reason}");
    assert_eq!(world.registers(0).len(), 1);
    world.registrars[0].manner.refuses = None;
    world.seconds(3);
    assert!(world.is_registered());
}

#[test]
fn the_expiry_of_our_contact_counts_among_several() {
    let mut world = World::with(Manner {
        stranger: Some("sip:100@203.0.113.9:5060".into()),
        grants: 300,
        ..Manner::default()
    });
    world.apply();
    world.seconds(200);
    assert_eq!(
        world.registers(0).len(),
        1,
        "the stranger's 7 s are not ours"
    );
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Registered);
    assert!(
        reason.contains("2 bindings") && reason.contains("203.0.113.9"),
        "{reason}"
    );
}

#[test]
fn a_stop_unregisters_and_is_done() {
    let mut world = World::with(secret());
    world.apply();
    world.seconds(2);
    world.input(Input::Shutdown);
    world.seconds(1);
    assert!(world.is_done);
    assert!(world.registrars[0].bindings.is_empty());
    assert!(world.listens().is_empty());
}

#[test]
fn a_stop_takes_three_seconds_at_most() {
    let mut world = World::with(secret());
    world.apply();
    world.seconds(2);
    world.registrars[0].manner.is_dead = true;
    world.input(Input::Shutdown);
    world.seconds(2);
    assert!(!world.is_done);
    world.seconds(1);
    assert!(world.is_done);
}

#[test]
fn a_registration_stands_although_a_third_of_all_datagrams_is_lost() {
    for seed_run in 0..5 {
        let mut world = World::with(Manner {
            grants: 120,
            ..secret()
        });
        world.loss = 30;
        world.run(std::time::Duration::from_millis(seed_run * 7));
        world.apply();
        world.seconds(60);
        let (state, _) = world.registration("default");
        assert!(
            matches!(
                state,
                RegistrationState::Registered | RegistrationState::Refreshing
            ),
            "{state:?}"
        );
    }
}

#[test]
fn silence_is_told_with_the_objects_that_may_be_wrong() {
    let mut world = World::with(Manner {
        is_dead: true,
        ..Manner::default()
    });
    world.apply();
    world.seconds(40);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::Unreachable);
    assert!(
        reason.contains("by UDP") && reason.contains("TlsEnable"),
        "{reason}"
    );
}

#[test]
fn an_endpoint_registers_its_user_with_its_name() {
    let mut world = World::with(Manner::default());
    world.settings.unit_registrations.clear();
    let agent = UserAgent {
        username: "4#2".into(),
        friendly_name: "Front desk".into(),
        register: true,
        ..UserAgent::default()
    };
    world.settings.user_agents.insert("Port01".into(), agent);
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    assert_eq!(world.status.registrations[0].endpoint, "Port01");
    let contact = world.registers(0)[0].headers.text(&HeaderName::Contact);
    assert_eq!(
        contact.as_deref(),
        Some("\"Front desk\" <sip:4%232@192.0.2.1:5060>")
    );
}

#[test]
fn an_endpoint_without_a_user_is_a_configuration_error_that_names_the_object() {
    let mut world = World::with(Manner::default());
    world.settings.unit_registrations.clear();
    let agent = UserAgent {
        register: true,
        ..UserAgent::default()
    };
    world.settings.user_agents.insert("Port01".into(), agent);
    world.apply();
    world.seconds(1);
    let (state, reason) = world.registration("default");
    assert_eq!(state, RegistrationState::ConfigError);
    assert!(
        reason.contains("SipEp.UserAgent[EpId=Port01].Username"),
        "{reason}"
    );
    assert!(world.registers(0).is_empty());
}

#[test]
fn registration_enable_writes_a_contact_for_each_transport_with_its_q() {
    let mut world = World::with(Manner::default());
    let config = world.transports("default", &[Transport::Udp, Transport::Tcp]);
    config.registration_enable = true;
    config.tcp_q_value = "0.5".into();
    world.apply();
    world.seconds(1);
    let register = world.registers(0)[0];
    let contacts: Vec<String> = register
        .headers
        .contacts()
        .expect("Contacts")
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        contacts,
        [
            "<sip:100@192.0.2.1:5060;transport=udp>",
            "<sip:100@192.0.2.1:5060;transport=tcp>;q=0.5"
        ]
    );
}

#[test]
fn an_endpoint_gateway_registers_from_a_port_of_no_importance() {
    let mut world = World::with(Manner::default());
    let gateway = world.settings.gateways.get_mut("default").expect("there");
    gateway.kind = GatewayType::EndpointGateway;
    world.apply();
    world.seconds(1);
    assert!(world.is_registered());
    assert_eq!(world.listens(), ["udp:40000"]);
}

#[test]
fn the_first_registration_is_held_back_by_chance_after_a_start() {
    let mut world = World::with(Manner::default());
    world.settings.interop.registration_delay_value = 600;
    world.apply();
    world.seconds(1);
    assert!(world.registers(0).is_empty());
    world.seconds(600);
    assert!(world.is_registered());
}

#[test]
fn the_outbound_proxy_is_sent_the_request_with_a_route() {
    let mut world = World::with(Manner::default());
    let proxy = world.add_registrar("198.51.100.9:5060", Manner::default());
    world.settings.proxy.outbound_host = super::world::host("198.51.100.9:5060");
    world.apply();
    world.seconds(1);
    assert!(world.registers(0).is_empty());
    let register = world.registers(proxy)[0];
    assert_eq!(register.uri.as_bytes(), b"sip:198.51.100.1:5060");
    let route = register.headers.text(&HeaderName::Route);
    assert_eq!(route.as_deref(), Some("<sip:198.51.100.9:5060;lr>"));
}
