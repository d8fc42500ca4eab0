//! Values that engines publish, told as they change.

use super::world::{World, events, informed, notify, texts};
use demarc::schema::bni::network_interfaces_status::{self, InterfaceStatus};
use demarc::schema::cwmp::notification;
use demarc::schema::{Index, Value, hoc};
use std::time::Duration;

const REASON: &str = "Device.X_DEMARC_Hoc.ClockReason";

/// A device of which the ACS has asked for this notification, at rest.
fn told(path: &str, level: u8) -> World {
    let mut world = World::bootstrapped();
    world.answers([informed(), notify(path, level)]);
    world.ask_for_a_session();
    assert!(
        world.posts[2].contains("SetParameterAttributesResponse"),
        "{}",
        world.posts[2]
    );
    world.posts.clear();
    world.answers([informed()]);
    world
}

#[test]
fn a_status_with_active_notification_opens_a_session_as_it_is_published() {
    let mut world = told(REASON, 2);
    world.publish(|live| live.scalar(hoc::CLOCK_REASON, "set by hand"));
    assert_eq!(events(&world.posts[0]), ["4 VALUE CHANGE"]);
    let values = texts(&world.posts[0], "Name");
    assert!(values.contains(&REASON.to_owned()), "{values:?}");
    // And nothing was waited for, nor is told twice.
    world.posts.clear();
    world.publish(|live| live.scalar(hoc::CLOCK_REASON, "set by hand"));
    world.pass(Duration::from_secs(60));
    assert!(world.posts.is_empty());
}

#[test]
fn a_status_that_nobody_asked_for_wakes_nobody() {
    let mut world = told(REASON, 1);
    world.publish(|live| live.scalar(hoc::CLOCK_REASON, "set by hand"));
    assert!(world.posts.is_empty());
}

#[test]
fn the_status_of_a_row_is_told_under_the_standards_name() {
    let mut world = World::bootstrapped();
    world.change("Bni.NetworkInterfaces[Idx=1].InterfaceName", "Lan1".into());
    let path = "Device.IP.Interface.1.Status";
    world.answers([informed(), notify(path, 2)]);
    world.ask_for_a_session();
    world.posts.clear();
    world.answers([informed()]);
    let up = InterfaceStatus::Active;
    world.publish(|live| {
        live.set(
            network_interfaces_status::INTERFACE_STATUS,
            &Index::number(1),
            up,
        )
    });
    assert_eq!(events(&world.posts[0]), ["4 VALUE CHANGE"]);
    assert!(texts(&world.posts[0], "Name").contains(&path.to_owned()));
}

#[test]
fn a_partial_path_is_refused_as_a_whole_where_a_part_may_not_be_active() {
    let mut world = World::bootstrapped();
    world.answers([informed(), notify("Device.DeviceInfo.", 2)]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9009"]);
    let kept = world.tree.snapshot();
    let rows = kept.rows(notification::TABLE);
    let attribute = notification::ATTRIBUTE.id();
    // Only what is told unasked: three of the standard, one of ours.
    assert!(
        rows.iter()
            .all(|(_, row)| row.column(attribute) == Some(&Value::Unsigned(2)))
    );
    assert!(rows.len() <= 4, "{}", rows.len());
}
