//! What Informs carry besides the forced parameters (TR-181
//! ManagementServer.InformParameter.{i}).

use super::world::{Answer, World, acs, informed, set, texts};
use demarc::schema::Value;
use std::time::Duration;

const ROWS: &str = "Device.ManagementServer.InformParameter.";
const CONTACT: &str = "Device.X_0090F8_Hoc.SystemContact";

fn column(short: &str) -> String {
    format!("Cwmp.InformParameter[Index=1].{short}")
}

/// What the next Inform names; the ACS asks for it, or the period does.
fn carried(world: &mut World, asked: bool) -> Vec<String> {
    world.posts.clear();
    world.answers([informed()]);
    match asked {
        true => world.ask_for_a_session(),
        false => world.pass(Duration::from_secs(100)),
    }
    texts(&world.posts[0], "Name")
}

#[test]
pub(crate) fn an_inform_carries_what_the_acs_wants_with_the_events_that_it_lists() {
    let mut world = World::bootstrapped();
    world.change("Cwmp.PeriodicInformInterval", Value::Unsigned(100));
    world.change("Cwmp.PeriodicInformEnable", Value::Integer(1));
    carried(&mut world, false);
    let has = |names: &[String]| names.iter().any(|name| name == CONTACT);
    world.change(&column("Name"), CONTACT.into());
    assert!(!has(&carried(&mut world, true)));
    world.change(&column("Enable"), Value::Integer(1));
    assert!(has(&carried(&mut world, true)));
    world.change(&column("EventList"), "1 BOOT,2 PERIODIC".into());
    assert!(!has(&carried(&mut world, true)));
    assert!(has(&carried(&mut world, false)));
    world.change(
        &column("Name"),
        "Device.X_0090F8_Hoc.StaticHosts.*.Name".into(),
    );
    world.change("Hoc.StaticHosts[Index=4].Name", "a.example".into());
    let names = carried(&mut world, false);
    assert!(names.contains(&"Device.X_0090F8_Hoc.StaticHosts.4.Name".to_owned()));
    assert!(!has(&names));
    world.change(&column("Delete"), Value::Integer(10));
    let names = carried(&mut world, false);
    assert!(!names.iter().any(|name| name.contains("StaticHosts")));
}

#[test]
fn the_acs_adds_a_parameter_but_none_that_informs_carry_anyway_and_no_value_change() {
    let mut world = World::bootstrapped();
    let row = |short: &str| format!("{ROWS}1.{short}");
    let add = format!("<C:AddObject><ObjectName>{ROWS}</ObjectName><ParameterKey/></C:AddObject>");
    world.answers([
        informed(),
        acs("add", &add),
        set(
            &[(&row("ParameterName"), "Device.RootDataModelVersion")],
            "",
        ),
        set(&[(&row("ParameterName"), "Device.DeviceInfo.")], ""),
        set(&[(&row("EventList"), "1 BOOT,4 VALUE CHANGE")], ""),
        set(
            &[
                (&row("ParameterName"), CONTACT),
                (&row("EventList"), "1 BOOT"),
                (&row("Enable"), "true"),
            ],
            "",
        ),
        Answer::Nothing,
    ]);
    world.ask_for_a_session();
    for refused in &world.posts[3..6] {
        assert_eq!(texts(refused, "FaultCode"), ["9003", "9007"]);
    }
    assert_eq!(texts(&world.posts[6], "Status"), ["0"]);
    assert!(!carried(&mut world, true).iter().any(|name| name == CONTACT));
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert!(
        texts(&world.posts[0], "Name")
            .iter()
            .any(|name| name == CONTACT)
    );
}
