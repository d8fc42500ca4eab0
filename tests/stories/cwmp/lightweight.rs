//! Lightweight notifications (TR-069 annex M): datagrams beside the sessions.

use super::world::{Answer, World, events, informed, notify, texts};
use demarc::schema::Value;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use std::time::Duration;

const NAME: &str = "Device.X_0090F8_Hoc.SystemName";

/// A device that sends them, with one level of notification for its name.
fn with(level: u8) -> World {
    let mut world = World::bootstrapped();
    world.change("Cwmp.LightweightNotificationProtocols", Value::Integer(200));
    world.answers([informed(), Answer::Nothing, informed(), notify(NAME, level)]);
    world.change("Cwmp.Password", "secret".into());
    world.ask_for_a_session();
    world.pass(Duration::from_secs(5));
    world.posts.clear();
    assert!(world.announced.is_empty());
    world
}

/// Head and body of the last one, its signature checked.
fn last(world: &World) -> (String, String) {
    let octets = &world.announced.last().expect("one was sent").octets;
    let text = std::str::from_utf8(octets).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("a body");
    let key = PKey::hmac(b"secret").expect("a key");
    let mut signer = Signer::new(MessageDigest::sha1(), &key).expect("a signer");
    let mac = signer.sign_oneshot_to_vec(body.as_bytes()).expect("signed");
    let mac: String = mac.iter().map(|octet| format!("{octet:02X}")).collect();
    assert!(head.contains(&format!("Signature: {mac}")), "{head}");
    (head.to_owned(), body.to_owned())
}

#[test]
pub(crate) fn an_active_one_leaves_at_once_for_the_server_that_is_set() {
    let mut world = with(5);
    world.change("Hoc.SystemName", "by-hand".into());
    let (head, body) = last(&world);
    assert!(
        head.starts_with("POST / HTTP/1.1\r\nHost: acs.example:7547\r\n"),
        "{head}"
    );
    assert_eq!(texts(&body, "TS").len(), 1);
    assert_eq!(texts(&body, "UN"), ["0090F8-Demarc-S1"]);
    assert_eq!(texts(&body, "Name"), [NAME]);
    assert_eq!(texts(&body, "Value"), ["by-hand"]);
    // No session comes of it, and none of the next Informs tells it.
    assert!(world.posts.is_empty());
    world.answers([informed()]);
    world.ask_for_a_session();
    assert_eq!(events(&world.posts[0]), ["6 CONNECTION REQUEST"]);
    world.change(
        "Cwmp.UdpLightweightNotificationHost",
        "other.example".into(),
    );
    world.change("Cwmp.UdpLightweightNotificationPort", Value::Unsigned(99));
    world.pass(Duration::from_secs(2));
    world.change("Hoc.SystemName", "again".into());
    let sent = world.announced.last().expect("one was sent");
    assert_eq!((sent.host.as_str(), sent.port), ("other.example", 99));
    world.change("Cwmp.LightweightNotificationProtocols", Value::Integer(100));
    world.pass(Duration::from_secs(2));
    world.change("Hoc.SystemName", "silent".into());
    assert_eq!(world.announced.len(), 2);
}

#[test]
pub(crate) fn passive_ones_wait_for_their_time() {
    let mut world = with(3);
    world.change("Hoc.SystemName", "by-hand".into());
    world.pass(Duration::from_secs(1000));
    assert!(world.announced.is_empty());
    let interval = "Cwmp.LightweightNotificationTriggerInterval";
    world.change(interval, Value::Unsigned(3600));
    let time = "Cwmp.LightweightNotificationTriggerTime";
    // The world began at 2027-01-15T08:00:00Z and is a thousand seconds older.
    world.change(time, "2027-01-15 00:30:00".into());
    assert!(
        world.wait().is_some_and(|seconds| seconds <= 800),
        "{:?}",
        world.wait()
    );
    world.pass(Duration::from_secs(700));
    assert!(world.announced.is_empty());
    world.pass(Duration::from_secs(100));
    assert_eq!(texts(&last(&world).1, "Value"), ["by-hand"]);
    world.pass(Duration::from_secs(7200));
    assert_eq!(world.announced.len(), 1);
}

#[test]
fn one_that_is_passive_too_is_told_both_ways() {
    let mut world = with(6);
    world.change("Hoc.SystemName", "by-hand".into());
    assert_eq!(world.announced.len(), 1);
    assert!(world.posts.is_empty());
    world.answers([informed()]);
    world.ask_for_a_session();
    assert_eq!(
        events(&world.posts[0]),
        ["4 VALUE CHANGE", "6 CONNECTION REQUEST"]
    );
}

#[test]
fn many_changes_in_a_second_are_one_datagram_more() {
    let mut world = with(5);
    for name in ["a", "b", "c", "d"] {
        world.change("Hoc.SystemName", name.into());
    }
    assert_eq!(world.announced.len(), 1);
    world.pass(Duration::from_secs(1));
    assert_eq!(world.announced.len(), 2);
    assert_eq!(texts(&last(&world).1, "Value"), ["d"]);
}

#[test]
fn without_the_time_nothing_is_sent_and_what_was_sent_is_known_after_a_restart() {
    let mut world = with(5);
    world.forget_the_time();
    world.change("Hoc.SystemName", "by-hand".into());
    assert!(world.announced.is_empty());
    let mut world = with(5);
    world.change("Hoc.SystemName", "by-hand".into());
    world.answers([informed()]);
    world.restart();
    world.pass(Duration::from_secs(10));
    assert_eq!(world.announced.len(), 1);
}
