//! 14 HEARTBEAT (TR-181 ManagementServer.HeartbeatPolicy.).

use super::world::{Answer, World, acs, events, informed, set, texts};
use demarc::north::cwmp::client::TroubleKind;
use demarc::schema::Value;
use std::time::Duration;

fn told(world: &World) -> Vec<Vec<String>> {
    let informs = world.posts.iter().filter(|post| !post.is_empty());
    informs.map(|post| events(post)).collect()
}

#[test]
pub(crate) fn the_unit_says_that_it_is_alive_in_its_own_phase() {
    let mut world = World::bootstrapped();
    world.change("Cwmp.HeartbeatReportingInterval", Value::Unsigned(100));
    // The world began at 1 800 000 000, which is 2027-01-15T08:00:00Z.
    world.change("Cwmp.HeartbeatInitiationTime", "2027-01-15 08:00:40".into());
    assert_eq!(world.wait(), None);
    world.change("Cwmp.HeartbeatEnable", Value::Integer(1));
    assert_eq!(world.wait(), Some(40));
    world.answers([informed(), Answer::Nothing, informed()]);
    world.pass(Duration::from_secs(140));
    assert_eq!(told(&world), [["14 HEARTBEAT"], ["14 HEARTBEAT"]]);
    world.change("Cwmp.HeartbeatEnable", Value::Integer(0));
    assert_eq!(world.wait(), None);
}

#[test]
fn a_heartbeat_that_nobody_heard_is_kept_over_a_restart() {
    let mut world = World::bootstrapped();
    world.change("Cwmp.HeartbeatEnable", Value::Integer(1));
    world.answers([Answer::Trouble(TroubleKind::NotResponding)]);
    let wait = Duration::from_secs(world.wait().expect("it beats"));
    world.pass(wait);
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT", "14 HEARTBEAT"]);
}

#[test]
fn the_acs_sets_the_policy_by_the_standards_names() {
    let mut world = World::bootstrapped();
    let policy = "Device.ManagementServer.HeartbeatPolicy.";
    let name = |short: &str| format!("{policy}{short}");
    world.answers([
        informed(),
        set(&[(&name("ReportingInterval"), "29")], ""),
        set(
            &[
                (&name("ReportingInterval"), "30"),
                (&name("InitiationTime"), "0001-01-01T00:00:00Z"),
                (&name("Enable"), "true"),
            ],
            "",
        ),
        acs(
            "get",
            &format!("<C:GetParameterValues><ParameterNames><string>{policy}</string></ParameterNames></C:GetParameterValues>"),
        ),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9003", "9007"]);
    assert!(
        world.posts[4].contains("0001-01-01T00:00:00Z"),
        "{}",
        world.posts[4]
    );
    // The first is somewhere in the first interval.
    assert!(world.wait().is_some_and(|seconds| seconds < 30));
}
