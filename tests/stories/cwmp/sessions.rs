//! What a session says, when there is one, and what survives.

use super::world::{Answer, URL, World, acs, events, informed, notify, set, texts};
use demarc::north::cwmp::client::TroubleKind;
use demarc::schema::Value;
use demarc::schema::cwmp::AcsStatus;
use std::time::Duration;

const NAME: &str = "Device.X_0090F8_Hoc.SystemName";

#[test]
fn the_first_session_says_bootstrap_and_boot_and_the_next_start_only_boot() {
    let mut world = World::new();
    world.answers([informed()]);
    world.start();
    assert_eq!(events(&world.posts[0]), ["0 BOOTSTRAP", "1 BOOT"]);
    assert_eq!(world.posts[1], "");
    assert_eq!(world.closed, 1);
    assert_eq!(world.read("Cwmp.KnownAcsUrl"), Value::from(URL));
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
}

#[test]
fn a_bootstrap_that_nobody_took_is_said_again_after_a_restart() {
    let mut world = World::new();
    world.answers([Answer::Trouble(TroubleKind::NotResponding)]);
    world.start();
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["0 BOOTSTRAP", "1 BOOT"]);
}

#[test]
fn another_url_is_a_bootstrap_at_the_new_server_once_the_session_has_ended() {
    let mut world = World::bootstrapped();
    let other = "http://other.example/";
    world.answers([
        informed(),
        set(&[("Device.X_0090F8_Cwmp.AcsStaticUrl", other)], "k1"),
        Answer::Nothing,
        informed(),
    ]);
    world.ask_for_a_session();
    assert_eq!(world.urls, [URL, URL, URL, other, other]);
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
    assert!(world.posts[2].contains("SetParameterValuesResponse"));
    assert_eq!(events(&world.posts[3]), ["0 BOOTSTRAP"]);
    assert_eq!(world.read("Cwmp.KnownAcsUrl"), Value::from(other));
}

#[test]
fn what_the_acs_is_to_hear_outlives_a_url_that_comes_and_goes() {
    for other in ["", "http://other.example/"] {
        let mut world = World::bootstrapped();
        let reboot = "<C:Reboot><CommandKey>why</CommandKey></C:Reboot>";
        world.answers([informed(), acs("r", reboot)]);
        world.ask_for_a_session();
        let refused = Answer::Trouble(TroubleKind::NotResponding);
        world.answers([refused.clone()]);
        world.restart();
        world.posts.clear();
        if !other.is_empty() {
            world.answers([refused]);
        }
        world.change("Cwmp.AcsStaticUrl", other.into());
        assert!(world.posts.iter().all(|post| !post.contains("M Reboot")));
        world.posts.clear();
        world.answers([informed()]);
        world.change("Cwmp.AcsStaticUrl", URL.into());
        assert_eq!(events(&world.posts[0]), ["1 BOOT", "M Reboot"], "{other}");
    }
}

#[test]
fn another_acs_hears_nothing_that_the_last_one_had_asked_for() {
    let mut world = World::bootstrapped();
    let schedule = "<C:ScheduleInform><DelaySeconds>100</DelaySeconds>\
                    <CommandKey>later</CommandKey></C:ScheduleInform>";
    world.answers([informed(), acs("s", schedule)]);
    world.ask_for_a_session();
    world.posts.clear();
    world.answers([informed()]);
    world.change("Cwmp.AcsStaticUrl", "http://other.example/".into());
    assert_eq!(events(&world.posts[0]), ["0 BOOTSTRAP"]);
    assert_eq!((world.posts.len(), world.wait()), (2, None));
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
    assert_eq!(world.wait(), None);
}

#[test]
fn a_change_of_the_url_is_provisional_and_proven_by_the_next_session() {
    let mut world = World::bootstrapped();
    let other = "http://other.example/";
    world.answers([
        informed(),
        set(&[("Device.X_0090F8_Cwmp.AcsStaticUrl", other)], ""),
        Answer::Nothing,
        Answer::Trouble(TroubleKind::NotResponding),
    ]);
    world.ask_for_a_session();
    let pending = world.tree.pending_changes();
    assert_eq!(pending.len(), 1);
    assert_eq!(pending[0].within, 600);
    let version = u64::from(pending[0].version);
    // The session that made the change proves nothing.
    assert!(world.proven.iter().all(|proven| *proven < version));
    world.answers([informed()]);
    world.pass(Duration::from_secs(10));
    assert!(world.proven.iter().any(|proven| *proven >= version));
}

#[test]
fn the_parameter_key_is_kept_with_the_change_and_not_without_it() {
    let mut world = World::bootstrapped();
    world.answers([
        informed(),
        set(&[(NAME, "gw")], "key-1"),
        set(&[("Device.X_DEMARC_Cwmp.RetryCount", "1")], "key-2"),
    ]);
    world.ask_for_a_session();
    assert_eq!(world.read("Hoc.SystemName"), Value::from("gw"));
    assert_eq!(world.read("Cwmp.ParameterKey"), Value::from("key-1"));
    assert_eq!(texts(&world.posts[2], "Status"), ["0"]);
}

#[test]
fn every_bad_parameter_is_named_and_nothing_is_changed() {
    let mut world = World::bootstrapped();
    world.answers([
        informed(),
        set(
            &[
                (NAME, "gw"),
                ("Device.Nothing", "1"),
                ("Device.X_DEMARC_Cwmp.RetryCount", "1"),
                ("Device.X_DEMARC_Cwmp.SessionTimeout", "soon"),
            ],
            "key",
        ),
    ]);
    world.ask_for_a_session();
    let fault = &world.posts[2];
    assert_eq!(texts(fault, "FaultCode"), ["9003", "9005", "9008", "9007"]);
    assert_eq!(
        texts(fault, "ParameterName"),
        [
            "Device.Nothing",
            "Device.X_DEMARC_Cwmp.RetryCount",
            "Device.X_DEMARC_Cwmp.SessionTimeout"
        ]
    );
    assert_eq!(world.read("Hoc.SystemName"), Value::from(""));
    assert_eq!(world.read("Cwmp.ParameterKey"), Value::from(""));
    // The session goes on and ends well.
    assert_eq!(world.closed, 1);
    assert_eq!(
        world.status.as_ref().expect("shown").state,
        AcsStatus::Connected
    );
}

#[test]
fn the_same_parameter_twice_is_refused() {
    let mut world = World::bootstrapped();
    world.answers([informed(), set(&[(NAME, "a"), (NAME, "b")], "")]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9003", "9003"]);
}

#[test]
fn a_refusal_of_the_tree_names_the_parameter_that_it_is_about() {
    let mut world = World::bootstrapped();
    let name = "Device.X_DEMARC_Cwmp.SessionTimeout";
    world.answers([informed(), set(&[(NAME, "gw"), (name, "5")], "")]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "ParameterName"), [name]);
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9003", "9007"]);
}

#[test]
fn a_failed_session_is_tried_again_after_the_standards_wait_with_its_count() {
    let mut world = World::bootstrapped();
    world.answers([
        Answer::Trouble(TroubleKind::NotResponding),
        Answer::Trouble(TroubleKind::AuthFailure),
        informed(),
    ]);
    world.restart();
    assert_eq!(world.wait(), Some(5));
    let status = world.status.clone().expect("shown");
    assert_eq!(
        (status.state, status.retries),
        (AcsStatus::ErrorNotResponding, 1)
    );
    assert_eq!(status.reason, "the wire was cut");
    world.pass(Duration::from_secs(5));
    assert_eq!(world.wait(), Some(10));
    world.pass(Duration::from_secs(10));
    let counts: Vec<String> = world
        .posts
        .iter()
        .flat_map(|post| texts(post, "RetryCount"))
        .collect();
    assert_eq!(counts, ["0", "1", "2"]);
    assert_eq!(events(&world.posts[2]), ["1 BOOT"]);
    let status = world.status.clone().expect("shown");
    assert_eq!((status.state, status.retries), (AcsStatus::Connected, 0));
}

#[test]
fn a_change_that_could_not_be_told_waits_as_the_standards_table_says() {
    let mut world = World::bootstrapped();
    world.answers([informed(), notify(NAME, 2)]);
    world.ask_for_a_session();
    world.posts.clear();
    let refused = Answer::Trouble(TroubleKind::NotResponding);
    world.answers([refused.clone(), refused.clone(), refused, informed()]);
    world.change("Hoc.SystemName", "one".into());
    assert_eq!((world.posts.len(), world.wait()), (1, Some(5)));
    // 4 VALUE CHANGE waits already: a further change is no new event.
    world.change("Hoc.SystemName", "two".into());
    world.look();
    assert_eq!((world.posts.len(), world.wait()), (1, Some(5)));
    world.pass(Duration::from_secs(5));
    assert_eq!((world.posts.len(), world.wait()), (2, Some(10)));
    world.pass(Duration::from_secs(10));
    assert_eq!((world.posts.len(), world.wait()), (3, Some(20)));
    world.pass(Duration::from_secs(20));
    assert_eq!(events(&world.posts[3]), ["4 VALUE CHANGE"]);
    assert_eq!(texts(&world.posts[3], "RetryCount"), ["3"]);
    assert_eq!(world.wait(), None);
}

#[test]
fn a_new_change_ends_the_wait_of_a_retry_once() {
    let mut world = World::bootstrapped();
    world.answers([informed(), notify(NAME, 2)]);
    world.ask_for_a_session();
    world.posts.clear();
    let refused = Answer::Trouble(TroubleKind::NotResponding);
    world.answers([refused.clone(), refused]);
    world.restart();
    assert_eq!((world.posts.len(), world.wait()), (1, Some(5)));
    world.change("Hoc.SystemName", "one".into());
    assert_eq!((world.posts.len(), world.wait()), (2, Some(10)));
    assert_eq!(texts(&world.posts[1], "RetryCount"), ["1"]);
    world.change("Hoc.SystemName", "two".into());
    assert_eq!((world.posts.len(), world.wait()), (2, Some(10)));
}

#[test]
fn a_connection_request_is_not_told_again_after_a_failure() {
    let mut world = World::bootstrapped();
    world.answers([Answer::Trouble(TroubleKind::NotResponding), informed()]);
    world.ask_for_a_session();
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
    world.pass(Duration::from_secs(10));
    assert!(!events(&world.posts[1]).contains(&"6 CONNECTION REQUEST".to_owned()));
}

#[test]
pub(crate) fn periodic_sessions_keep_their_phase() {
    let mut world = World::bootstrapped();
    world.change("Cwmp.PeriodicInformInterval", Value::Unsigned(1000));
    // The world began at 1 800 000 000, which is 2027-01-15T08:00:00Z.
    world.change("Cwmp.PeriodicInformTime", "2027-01-15T08:05:00Z".into());
    world.change("Cwmp.PeriodicInformEnable", Value::Integer(1));
    assert_eq!(world.wait(), Some(300));
    world.answers([informed(), Answer::Nothing, informed()]);
    world.pass(Duration::from_secs(1300));
    let told: Vec<Vec<String>> = world
        .posts
        .iter()
        .filter(|post| !post.is_empty())
        .map(|post| events(post))
        .collect();
    assert_eq!(told, [["2 PERIODIC"], ["2 PERIODIC"]]);
    world.change("Cwmp.PeriodicInformEnable", Value::Integer(0));
    assert_eq!(world.wait(), None);
}

#[test]
fn an_active_notification_opens_a_session_and_the_acs_own_change_does_not() {
    let mut world = World::bootstrapped();
    world.answers([informed(), notify(NAME, 2)]);
    world.ask_for_a_session();
    assert!(world.posts[2].contains("SetParameterAttributesResponse"));
    world.posts.clear();
    world.answers([informed()]);
    world.change("Hoc.SystemName", "by-hand".into());
    assert_eq!(events(&world.posts[0]), ["4 VALUE CHANGE"]);
    assert!(texts(&world.posts[0], "Name").contains(&NAME.to_owned()));
    world.posts.clear();
    world.answers([informed(), set(&[(NAME, "by-acs")], "")]);
    world.ask_for_a_session();
    world.pass(Duration::from_secs(100));
    assert_eq!(world.posts.len(), 3);
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
}

#[test]
fn a_passive_notification_rides_along_and_survives_a_restart() {
    let mut world = World::bootstrapped();
    world.answers([informed(), notify(NAME, 1)]);
    world.ask_for_a_session();
    world.posts.clear();
    world.change("Hoc.SystemName", "by-hand".into());
    assert!(world.posts.is_empty());
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT", "4 VALUE CHANGE"]);
}

#[test]
pub(crate) fn active_notifications_are_throttled() {
    let mut world = World::bootstrapped();
    world.change("Cwmp.ActiveNotificationThrottle", Value::Unsigned(60));
    world.answers([informed(), notify(NAME, 2)]);
    world.ask_for_a_session();
    world.pass(Duration::from_secs(20));
    world.posts.clear();
    world.change("Hoc.SystemName", "by-hand".into());
    assert!(world.posts.is_empty());
    // Counted from the end of the last session that went well.
    assert_eq!(world.wait(), Some(40));
    world.answers([informed()]);
    world.pass(Duration::from_secs(60));
    assert_eq!(events(&world.posts[0]), ["4 VALUE CHANGE"]);
}

#[test]
fn a_reboot_waits_for_the_end_of_the_session_and_is_told_with_its_key_after_it() {
    let mut world = World::bootstrapped();
    let reboot = "<C:Reboot><CommandKey>why</CommandKey></C:Reboot>";
    world.answers([informed(), acs("r", reboot), acs("g", "<C:GetRPCMethods/>")]);
    world.ask_for_a_session();
    assert!(world.posts[2].contains("RebootResponse"));
    assert!(world.posts[3].contains("<string>SetParameterValues</string>"));
    assert_eq!((world.reboots, world.closed), (1, 1));
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT", "M Reboot"]);
    assert_eq!(texts(&world.posts[0], "CommandKey"), ["", "why"]);
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
}

#[test]
fn a_reboot_that_the_acs_has_no_answer_to_is_neither_made_nor_told() {
    let mut world = World::bootstrapped();
    let reboot = "<C:Reboot><CommandKey>why</CommandKey></C:Reboot>";
    world.answers([informed(), acs("r", reboot)]);
    world.cuts_at_change = true;
    world.ask_for_a_session();
    assert_eq!((world.reboots, world.closed), (0, 1));
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
}

#[test]
fn a_reboot_that_the_device_does_not_make_is_not_told() {
    let mut world = World::bootstrapped();
    let reboot = "<C:Reboot><CommandKey>why</CommandKey></C:Reboot>";
    world.answers([informed(), acs("r", reboot)]);
    world.ask_for_a_session();
    assert_eq!(world.reboots, 1);
    world.stays();
    world.posts.clear();
    world.answers([informed()]);
    world.ask_for_a_session();
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
}

#[test]
fn an_inform_that_was_scheduled_as_its_session_broke_comes_without_a_restart() {
    let mut world = World::bootstrapped();
    let schedule = "<C:ScheduleInform><DelaySeconds>60</DelaySeconds>\
                    <CommandKey>later</CommandKey></C:ScheduleInform>";
    world.answers([informed(), acs("s", schedule)]);
    world.cuts_at_change = true;
    world.ask_for_a_session();
    world.posts.clear();
    world.answers([informed(), Answer::Nothing, informed()]);
    world.pass(Duration::from_secs(61));
    let last = world
        .posts
        .iter()
        .rev()
        .find(|post| post.contains("<cwmp:Inform>"));
    let last = events(last.expect("an Inform"));
    assert_eq!(last, ["3 SCHEDULED", "M ScheduleInform"]);
}

#[test]
fn a_scheduled_inform_comes_with_its_key_also_over_a_restart() {
    let mut world = World::bootstrapped();
    let schedule = |key: &str, delay: u32| {
        let body = format!(
            "<C:ScheduleInform><DelaySeconds>{delay}</DelaySeconds>\
             <CommandKey>{key}</CommandKey></C:ScheduleInform>"
        );
        acs("s", &body)
    };
    world.answers([informed(), schedule("a", 30), schedule("b", 90)]);
    world.ask_for_a_session();
    world.posts.clear();
    world.answers([informed()]);
    world.pass(Duration::from_secs(30));
    assert_eq!(events(&world.posts[0]), ["3 SCHEDULED", "M ScheduleInform"]);
    world.posts.clear();
    world.answers([informed()]);
    world.restart();
    assert_eq!(events(&world.posts[0]), ["1 BOOT"]);
    world.posts.clear();
    world.answers([informed()]);
    world.pass(Duration::from_secs(60));
    assert_eq!(texts(&world.posts[0], "CommandKey"), ["", "b"]);
}

#[test]
fn without_the_time_an_inform_says_the_unknown_time() {
    let mut world = World::new();
    world.forget_the_time();
    world.answers([informed()]);
    world.start();
    assert_eq!(
        texts(&world.posts[0], "CurrentTime"),
        ["0001-01-01T00:00:00Z"]
    );
}

#[test]
fn without_an_acs_the_status_says_which_object_to_set() {
    let mut world = World::new();
    world.assign("Cwmp.AcsStaticUrl", "".into());
    world.start();
    assert!(world.posts.is_empty());
    let status = world.status.clone().expect("shown");
    assert_eq!(status.state, AcsStatus::NoUrl);
    assert!(status.reason.contains("Cwmp.AcsStaticUrl"));
}

#[test]
fn an_unknown_method_and_an_unknown_name_are_faults_with_the_id_of_the_question() {
    let mut world = World::bootstrapped();
    let names = "<C:GetParameterValues><ParameterNames><string>Device.No</string>\
                 </ParameterNames></C:GetParameterValues>";
    world.answers([informed(), acs("q1", "<C:X_Magic/>"), acs("q2", names)]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9000"]);
    assert!(world.posts[2].contains(">q1</cwmp:ID>"));
    assert!(world.posts[2].contains("urn:dslforum-org:cwmp-1-0"));
    assert_eq!(texts(&world.posts[3], "FaultCode"), ["9005"]);
    assert!(world.posts[3].contains(">q2</cwmp:ID>"));
}

#[test]
fn values_are_as_many_as_the_array_says() {
    let mut world = World::bootstrapped();
    let all = "<C:GetParameterValues><ParameterNames><string></string></ParameterNames>\
               </C:GetParameterValues>";
    world.answers([informed(), acs("v", all)]);
    world.ask_for_a_session();
    let count = texts(&world.posts[2], "Name").len();
    assert!(count > 100, "{count} parameters");
    assert!(world.posts[2].contains(&format!("cwmp:ParameterValueStruct[{count}]")));
}
