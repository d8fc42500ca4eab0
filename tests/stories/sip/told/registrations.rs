//! When registrations are made, refreshed and tried again, and what one that fails means.

use super::{OTHER, Told, Wish};
use crate::sip::registrar::Manner;
use demarc::sip::status::GatewayState;

/// An endpoint that is to register.
const ENDPOINT: [Wish<'static>; 2] = [
    ("UserAgent[EpId=Port01].Username", "555"),
    ("UserAgent[EpId=Port01].Register", "enable"),
];

/// The objects of registration, for all gateways and for one, with the prefix of their names.
const WHOSE: [(&str, &str, &[Wish<'static>]); 2] = [
    (
        "DefaultRegistration",
        "DefaultStaticRegistrarServerHost",
        &[],
    ),
    (
        "GwSpecificRegistration[GatewayName=default].",
        "GwSpecificRegistration[GatewayName=default].ServerHost",
        &[
            (
                "GwSpecificRegistration[GatewayName=default].EnableConfig",
                "enable",
            ),
            (
                "GwSpecificRegistration[GatewayName=default].ServerHost",
                super::REGISTRAR,
            ),
        ],
    ),
];

/// At which seconds the registrar was asked within so many.
fn asked(manner: Manner, seconds: u64, wishes: &[&[Wish<'_>]]) -> Vec<u64> {
    let mut told = Told::new(&wishes.concat());
    told.world.registrars[0].manner = manner;
    told.begin(seconds);
    let times = told.world.sent.iter();
    times.map(|it| it.0.as_secs()).collect()
}

fn grants(grants: u32) -> Manner {
    Manner {
        grants,
        ..Manner::default()
    }
}

#[test]
pub(crate) fn a_registration_is_refreshed_so_long_before_its_end() {
    for (prefix, _, enabled) in WHOSE {
        let name = format!("{prefix}RefreshTime");
        assert_eq!(asked(grants(300), 290, &[enabled]), [0, 240], "{prefix}");
        let wish = [(&*name, "100")];
        assert_eq!(
            asked(grants(300), 290, &[enabled, &wish]),
            [0, 200],
            "{prefix}"
        );
    }
}

#[test]
pub(crate) fn a_registration_that_failed_is_tried_again_after_the_retry_time() {
    let refuses = || Manner {
        refuses: Some((403, None)),
        ..Manner::default()
    };
    for (prefix, _, enabled) in WHOSE {
        let name = format!("{prefix}RetryTime");
        assert_eq!(asked(refuses(), 200, &[enabled]), [0, 120], "{prefix}");
        let wish = [(&*name, "70")];
        assert_eq!(
            asked(refuses(), 200, &[enabled, &wish]),
            [0, 70, 140],
            "{prefix}"
        );
    }
}

#[test]
pub(crate) fn where_the_registrar_says_nothing_the_settings_say_how_long_it_counts() {
    for (prefix, _, enabled) in WHOSE {
        let name = format!("{prefix}ExpirationValue");
        let silent = || Manner {
            names_no_expiry: true,
            ..Manner::default()
        };
        assert_eq!(asked(silent(), 1000, &[enabled]), [0], "{prefix}");
        let wish = [(&*name, "300")];
        assert_eq!(
            asked(silent(), 400, &[enabled, &wish])[..2],
            [0, 240],
            "{prefix}"
        );
    }
}

#[test]
pub(crate) fn the_seconds_that_are_proposed_are_asked_for() {
    for (prefix, _, enabled) in WHOSE {
        let name = format!("{prefix}ProposedExpirationValue");
        let mut told = Told::after(1, enabled);
        assert!(!told.register().contains("Expires:"));
        told.set(&[(&name, "600")]);
        assert!(told.register().contains("Expires: 600\r\n"), "{prefix}");
    }
}

#[test]
pub(crate) fn the_registrar_that_is_set_is_registered_at() {
    for (_, server, enabled) in WHOSE {
        let mut told = Told::after(1, enabled);
        assert!(told.world.registers(1).is_empty());
        told.set(&[(server, OTHER)]);
        assert_eq!(told.world.registers(1).len(), 1, "{server}");
    }
}

#[test]
pub(crate) fn the_registration_of_one_gateway_counts_where_its_row_is_enabled() {
    let row = "GwSpecificRegistration[GatewayName=default]";
    let server = format!("{row}.ServerHost");
    let mut told = Told::after(1, &[(&server, OTHER)]);
    assert!(told.world.registers(1).is_empty());
    told.set(&[(&format!("{row}.EnableConfig"), "enable")]);
    assert_eq!(told.world.registers(1).len(), 1);
}

#[test]
pub(crate) fn an_endpoint_that_is_not_registered_serves_where_the_settings_let_it() {
    for (prefix, _, enabled) in WHOSE {
        let name = format!("{prefix}UnregisteredBehavior");
        let mut told = Told::new(&[&ENDPOINT, enabled].concat());
        told.world.registrars[0].manner.refuses = Some((403, None));
        told.begin(2);
        assert!(told.world.status.unregistered.contains("Port01"));
        told.set(&[(&name, "enable")]);
        assert!(told.world.status.unregistered.is_empty(), "{prefix}");
    }
}

#[test]
pub(crate) fn a_gateway_without_its_unit_registration_serves_unless_it_is_to_wait() {
    let mut told = Told::new(&[]);
    told.world.registrars[0].manner.refuses = Some((403, None));
    told.begin(2);
    assert_eq!(told.world.status.gateways[0].state, GatewayState::Ready);
    let name = "DefaultUnitRegistrationUnregisteredBehavior";
    told.set(&[(name, "disableGateway")]);
    assert_eq!(told.world.status.gateways[0].state.text(), "Unregistered");
}

#[test]
pub(crate) fn the_first_registration_waits_for_a_part_of_the_delay() {
    assert_eq!(asked(Manner::default(), 1, &[]), [0]);
    let wish = [("InteropRegistrationDelayValue", "600")];
    let late = asked(Manner::default(), 600, &[&wish]);
    assert!(late[0] > 1, "{late:?}");
}

#[test]
pub(crate) fn our_contact_is_found_among_others_as_the_settings_say() {
    for (matching, stranger, is_ours) in [
        ("strict", "sip:100@192.0.2.1:5060;user=phone", false),
        ("ignoreUriParams", "sip:100@192.0.2.1:5060;user=phone", true),
        ("ignoreUriParams", "sip:100@192.0.2.1:9;user=phone", false),
        (
            "ignoreUriAndPortParams",
            "sip:100@192.0.2.1:9;user=phone",
            true,
        ),
    ] {
        let mut told = Told::new(&[("InteropRegistrationContactMatching", matching)]);
        let manner = &mut told.world.registrars[0].manner;
        manner.stranger = Some(stranger.to_owned());
        manner.lists_nobody_else = true;
        told.begin(2);
        let refreshed = told.world.status.registrations[0].granted == 7;
        assert_eq!(refreshed, is_ours, "{matching} {stranger}");
    }
}

#[test]
pub(crate) fn registrations_over_streams_name_their_flow_where_that_is_wanted() {
    let tcp = [
        ("TransportConfig[GatewayName=default].TcpEnable", "enable"),
        ("TransportConfig[GatewayName=default].UdpEnable", "disable"),
    ];
    let mut told = Told::after(1, &tcp);
    let register = told.register();
    assert!(
        register.contains(";+sip.instance=\"<urn:uuid:"),
        "{register}"
    );
    assert!(register.contains("Supported: path, outbound\r\n"));
    told.set(&[("OutboundEnable", "disable")]);
    let register = told.register();
    assert!(!register.contains("+sip.instance"), "{register}");
    assert!(register.contains("Supported: path\r\n"));
}
