//! Asking, as a client with stub servers does it.

use super::super::client::Input;
use super::super::settings::ClockSource;
use super::super::testing::{HOUR, MINUTE, ONE, SECOND, Stub, TWO, World, settings};
use super::*;

#[test]
fn the_second_server_is_asked_when_the_first_is_silent() {
    let mut world = World::new(None).stub(TWO, Stub::Right);
    world.give(settings(ClockSource::Sntp, &[ONE, TWO]));
    world.pass(SECOND * 6);
    assert_eq!(
        world.sent,
        [(ONE.into(), Duration::ZERO), (TWO.into(), SECOND * 5)]
    );
    assert_eq!(world.current_source(), TWO);
}

#[test]
fn bad_answers_and_dead_networks_give_way_at_once() {
    for bad in [
        Stub::Unsynchronized,
        Stub::Unreachable,
        Stub::Kiss(*b"INIT"),
    ] {
        let mut world = World::new(None).stub(ONE, bad).stub(TWO, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE, TWO]));
        world.pass(SECOND);
        assert_eq!(world.current_source(), TWO);
    }
}

#[test]
fn a_forged_answer_changes_nothing() {
    let mut world = World::new(None).stub(ONE, Stub::Forged);
    world.give(settings(ClockSource::Sntp, &[ONE]));
    world.pass(SECOND * 4);
    assert_eq!(world.time(), None);
    assert_eq!(world.reason(), "waiting for 192.0.2.1");
}

#[test]
fn after_an_answer_it_rests_for_the_period_less_an_eighth_at_most() {
    let mut world = World::new(None).stub(ONE, Stub::Right);
    world.give(settings(ClockSource::Sntp, &[ONE]));
    world.pass(HOUR * 21 - SECOND);
    assert_eq!(world.sent.len(), 1);
    world.pass(HOUR * 3 + MINUTE);
    assert_eq!(world.sent.len(), 2);
}

#[test]
fn at_the_start_pauses_grow_to_the_period_on_error_and_no_server_is_asked_within_15_s() {
    let mut world = World::new(None);
    world.give(settings(ClockSource::Sntp, &[ONE]));
    world.pass(HOUR * 12);
    let gaps: Vec<Duration> = world
        .sent
        .windows(2)
        .map(|pair| pair[1].1 - pair[0].1)
        .collect();
    assert!(gaps.iter().all(|gap| *gap >= SECOND * 15));
    assert!(gaps[0] < SECOND * 30);
    assert!(gaps[gaps.len() - 1] > MINUTE * 50 && gaps[gaps.len() - 1] <= MINUTE * 61);
    let failed = |event: &&Event| matches!(event, Event::NoneAnswered(_));
    assert_eq!(world.events.iter().filter(failed).count(), 1, "said once");
}

#[test]
fn a_name_that_does_not_resolve_is_tried_again_within_seconds() {
    let mut world = World::new(None).stub(ONE, Stub::Right);
    world.give(settings(ClockSource::Sntp, &["ntp.example.com"]));
    world.pass(SECOND);
    assert!(
        world
            .reason()
            .starts_with("ntp.example.com: its name has no address")
    );
    let address = ONE.parse().expect("an address");
    world.names.insert("ntp.example.com".into(), vec![address]);
    world.pass(SECOND * 3);
    assert_eq!(world.current_source(), "ntp.example.com");
}

#[test]
fn each_address_of_a_name_is_tried() {
    let mut world = World::new(None).stub(TWO, Stub::Right);
    let addresses = [ONE, TWO].map(|text| text.parse().expect("an address"));
    world
        .names
        .insert("ntp.example.com".into(), addresses.to_vec());
    world.give(settings(ClockSource::Sntp, &["ntp.example.com:1123"]));
    world.pass(SECOND * 6);
    assert_eq!(world.current_source(), "ntp.example.com:1123");
}

#[test]
fn a_server_that_denies_is_never_asked_again_until_servers_are_named_anew() {
    let mut world = World::new(None).stub(ONE, Stub::Kiss(*b"DENY"));
    world.give(settings(ClockSource::Sntp, &[ONE]));
    world.pass(HOUR * 48);
    assert_eq!(world.sent.len(), 1);
    assert!(world.reason().contains("kiss-o'-death DENY"));
    world.give(settings(ClockSource::Sntp, &[TWO, ONE]));
    world.pass(SECOND * 6);
    assert_eq!(
        world.sent.last().map(|(server, _)| server.as_str()),
        Some(ONE)
    );
}

#[test]
fn when_servers_fail_later_the_time_runs_on_and_is_asked_for_on_error() {
    let mut world = World::new(None).stub(ONE, Stub::Right);
    world.give(settings(ClockSource::Sntp, &[ONE]));
    world.pass(HOUR);
    world.servers.clear();
    world.pass(HOUR * 24);
    assert!(world.error().abs() < 1000);
    assert!(
        world
            .reason()
            .starts_with("runs on without a server; 192.0.2.1: no answer")
    );
    world.servers.insert(ONE.into(), Stub::Right);
    world.pass(HOUR + MINUTE);
    assert_eq!(world.reason(), "synchronized with 192.0.2.1");
}

#[test]
fn an_unchanged_server_is_not_asked_for_a_changed_period() {
    let mut world = World::new(None).stub(ONE, Stub::Right);
    world.give(settings(ClockSource::Sntp, &[ONE]));
    world.pass(MINUTE);
    let Input::Settings(mut changed) = settings(ClockSource::Sntp, &[ONE]) else {
        unreachable!("settings are settings");
    };
    changed.period = 10;
    world.give(Input::Settings(changed));
    assert_eq!(world.sent.len(), 1);
    world.pass(MINUTE * 10);
    assert_eq!(world.sent.len(), 2);
}
