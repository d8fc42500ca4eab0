//! Alarms of a whole device: raised, shown, cleared; as an ACS sees them.

use crate::services::{Folder, World, eventually};
use demarc::north::cwmp::model::DataModel;
use demarc::north::cwmp::settings::Settings;
use demarc::tree::Configured;

/// The value of a parameter, as an ACS is told it.
fn told(world: &World, path: &str) -> Vec<String> {
    let settings = Settings::read(&world.tree.snapshot()).model;
    let view = world.tree.instances();
    let model = DataModel::new(&view, &settings);
    let found = model.find(&format!("Device.FaultMgmt.{path}"));
    let values = found.unwrap_or_default().into_iter();
    values
        .map(|parameter| model.value(&parameter).value)
        .collect()
}

/// The number of the alarm of the interface in the last row that stands.
fn standing(world: &World) -> Option<String> {
    let settings = Settings::read(&world.tree.snapshot()).model;
    let view = world.tree.instances();
    let model = DataModel::new(&view, &settings);
    let all = model.find("Device.FaultMgmt.CurrentAlarm.").ok()?;
    let mut about = all.iter().map(|one| model.value(one));
    let problem = about.find(|one| one.value.ends_with("has no address: Lan9"))?;
    let rest = problem
        .name
        .strip_prefix("Device.FaultMgmt.CurrentAlarm.")?;
    Some(rest.split_once('.')?.0.to_owned())
}

#[test]
fn an_interface_that_goes_down_is_an_alarm_until_it_is_up_again() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    for (column, value) in [
        ("InterfaceName", "Lan9"),
        ("Activation", "enable"),
        ("StaticIpAddr", "203.0.113.9/24"),
    ] {
        let name = format!("Bni.NetworkInterfaces[Idx=9].{column}");
        world.set(&name, value).expect("granted");
    }
    eventually("the alarm", || standing(&world).is_some());
    let number = standing(&world).expect("it stands");
    let current = |name: &str| told(&world, &format!("CurrentAlarm.{number}.{name}"));
    assert_eq!(current("AlarmIdentifier").concat(), number);
    assert_eq!(current("PerceivedSeverity"), ["Major"]);
    assert_eq!(current("ProbableCause"), ["LAN Error"]);
    assert_eq!(
        current("ManagedObjectInstance"),
        ["Bni.NetworkInterfacesStatus[Idx=9]"]
    );
    assert_eq!(current("AdditionalText"), ["linkDown"]);
    // SNMP's managers see the same rows.
    let row = format!("Nlm.CurrentAlarm[Index={number}].Problem");
    assert_eq!(world.read(&row), "a network interface has no address: Lan9");
    let address = "Bni.NetworkInterfaces[Idx=9].StaticIpAddr";
    world.set(address, "127.0.0.9/8").expect("granted");
    eventually("it is cleared", || standing(&world).is_none());
    let turns = |world: &World| -> Vec<String> {
        let mine = |place: &u32| {
            let alarm = format!("HistoryEvent.{place}.AlarmIdentifier");
            told(world, &alarm) == [number.clone()]
        };
        let turn = |place: u32| told(world, &format!("HistoryEvent.{place}.NotificationType"));
        (1..=32).filter(mine).flat_map(turn).collect()
    };
    assert_eq!(turns(&world), ["NewAlarm", "ClearedAlarm"]);
    world.end();
}

#[test]
pub(crate) fn an_alarm_is_reported_where_its_mechanism_says() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    let mechanism = "Nlm.SupportedAlarm[Index=4].ReportingMechanism";
    let address = "Bni.NetworkInterfaces[Idx=9].StaticIpAddr";
    world.set(mechanism, "disabled").expect("granted");
    for (column, value) in [
        ("InterfaceName", "Lan9"),
        ("Activation", "enable"),
        ("StaticIpAddr", "203.0.113.9/24"),
    ] {
        let name = format!("Bni.NetworkInterfaces[Idx=9].{column}");
        world.set(&name, value).expect("granted");
    }
    let state = "Bni.NetworkInterfacesStatus[Idx=9].InterfaceStatus";
    eventually("it is down", || world.read(state) == "linkDown");
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(standing(&world), None);
    world.set(mechanism, "expedited").expect("granted");
    eventually("it is raised", || standing(&world).is_some());
    assert_eq!(
        told(&world, "ExpeditedEvent.1.NotificationType"),
        ["NewAlarm"]
    );
    assert_eq!(told(&world, "QueuedEvent.1.NotificationType"), [""]);
    world.set(mechanism, "queued").expect("granted");
    world.set(address, "127.0.0.9/8").expect("granted");
    eventually("it is cleared", || standing(&world).is_none());
    assert_eq!(
        told(&world, "QueuedEvent.1.NotificationType"),
        ["ClearedAlarm"]
    );
    assert_eq!(told(&world, "QueuedEvent.1.PerceivedSeverity"), ["Cleared"]);
    assert_eq!(
        told(&world, "ExpeditedEvent.2.EventTime"),
        ["0001-01-01T00:00:00Z"]
    );
    world.end();
}

#[test]
fn an_acs_sees_what_can_be_raised_and_in_how_many_places() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("they are laid out", || {
        told(&world, "HistoryEventNumberOfEntries") == ["32"]
    });
    assert_eq!(told(&world, "ExpeditedEventNumberOfEntries"), ["8"]);
    assert_eq!(told(&world, "QueuedEventNumberOfEntries"), ["16"]);
    assert_eq!(told(&world, "MaxCurrentAlarmEntries"), ["64"]);
    assert_eq!(
        told(&world, "SupportedAlarm.9.PerceivedSeverity"),
        ["Critical"]
    );
    assert_eq!(
        told(&world, "SupportedAlarm.9.ReportingMechanism"),
        ["2 Logged"]
    );
    world.end();
}
