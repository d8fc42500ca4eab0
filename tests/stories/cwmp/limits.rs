//! What an ACS may ask for and say, and what is too much.

use super::world::{Answer, World, acs, informed, texts};
use std::collections::BTreeSet;
use std::time::Duration;

/// The same path so many times, as an array of strings.
fn paths(method: &str, path: &str, count: usize) -> Answer {
    let names = format!("<string>{path}</string>").repeat(count);
    let body = format!("<C:{method}><ParameterNames>{names}</ParameterNames></C:{method}>");
    acs("p", &body)
}

fn schedule(key: &str) -> Answer {
    let body = format!(
        "<C:ScheduleInform><DelaySeconds>100</DelaySeconds>\
         <CommandKey>{key}</CommandKey></C:ScheduleInform>"
    );
    acs("s", &body)
}

fn reboot(key: &str) -> Answer {
    let body = format!("<C:Reboot><CommandKey>{key}</CommandKey></C:Reboot>");
    acs("r", &body)
}

#[test]
fn everything_a_thousand_times_is_too_much() {
    let mut world = World::bootstrapped();
    world.answers([
        informed(),
        paths("GetParameterValues", "Device.", 1000),
        paths("GetParameterAttributes", "Device.", 1000),
        paths(
            "GetParameterAttributes",
            "Device.RootDataModelVersion",
            1000,
        ),
    ]);
    world.ask_for_a_session();
    assert_eq!(texts(&world.posts[2], "FaultCode"), ["9004"]);
    assert_eq!(texts(&world.posts[3], "FaultCode"), ["9004"]);
    assert_eq!(texts(&world.posts[4], "Notification").len(), 1000);
}

#[test]
fn what_an_acs_says_at_length_is_shown_in_short() {
    let mut world = World::bootstrapped();
    let long = "\u{e9}".repeat(100_000);
    let fault = format!(
        "<S:Fault><faultcode>Server</faultcode><faultstring>CWMP fault</faultstring><detail>\
         <C:Fault><FaultCode>8003</FaultCode><FaultString>{long}</FaultString></C:Fault>\
         </detail></S:Fault>"
    );
    world.answers([acs("1", &fault)]);
    world.ask_for_a_session();
    world.answers([informed(), paths("GetParameterValues", &long, 1)]);
    world.pass(Duration::from_secs(5));
    let status = world.status.expect("shown");
    assert!(status.last_fault.starts_with("9005 ") && status.last_fault.len() < 320);
    for record in &status.sessions {
        assert!(record.result.len() <= 256 && record.steps.iter().all(|step| step.len() <= 256));
    }
    let failed = status.sessions.iter().rev().nth(1).expect("two");
    assert!(
        failed
            .result
            .starts_with("the ACS refused the Inform: 8003 \u{e9}")
    );
}

#[test]
fn a_header_that_must_be_understood_and_is_not_is_a_fault_of_soap() {
    let mut world = World::bootstrapped();
    let Answer::Envelope(asked) = acs("7", "<C:GetRPCMethods/>") else {
        panic!("an envelope");
    };
    let foreign = "<X:Soon xmlns:X=\"urn:x\" S:mustUnderstand=\"1\"/></S:Header>";
    let asked = asked.replace("</S:Header>", foreign);
    world.answers([informed(), Answer::Envelope(asked), reboot("r")]);
    world.ask_for_a_session();
    let fault = &world.posts[2];
    // SOAP 1.1 §4.4.1 the code; §4.4: no detail, since the body was not looked at.
    assert_eq!(texts(fault, "faultcode"), ["soap:MustUnderstand"]);
    assert!(
        fault.contains("Soon") && !fault.contains("detail"),
        "{fault}"
    );
    assert!(fault.contains(">7</cwmp:ID>"), "{fault}");
    assert!(world.posts[3].contains("RebootResponse"));
}

#[test]
fn what_could_not_be_told_later_is_refused_at_once() {
    let mut world = World::bootstrapped();
    world.answers([informed()]);
    world.answers((0..257).map(|number| schedule(&number.to_string())));
    world.answers([reboot("one more"), reboot(&"k".repeat(33))]);
    world.ask_for_a_session();
    let codes: Vec<String> = world
        .posts
        .iter()
        .flat_map(|post| texts(post, "FaultCode"))
        .collect();
    assert_eq!(codes, ["9004", "9004", "9003"]);
    assert_eq!(world.reboots, 0);
    world.posts.clear();
    for _ in 0..6 {
        world.answers([informed(), Answer::Nothing]);
    }
    world.pass(Duration::from_secs(100));
    let keys: BTreeSet<String> = world
        .posts
        .iter()
        .flat_map(|post| texts(post, "CommandKey"))
        .filter(|key| !key.is_empty())
        .collect();
    assert_eq!(keys.len(), 256);
    world.forget_answers();
    world.answers([informed(), reboot("one more")]);
    world.ask_for_a_session();
    assert_eq!(world.reboots, 1);
}
