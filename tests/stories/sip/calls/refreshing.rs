//! Session timers (RFC 4028).

use demarc::sip::message::Method;
use demarc::sip::session::{Ending, Event, Fork, LegId, Manner, Order, Refresh};

use super::desk::{CONTACT, Desk, Names, is, text};
use super::{sdp, status};

const OUT: LegId = LegId::Out(1);
const IN: LegId = LegId::In(1);

fn manner() -> Manner {
    Manner {
        min_se: 90,
        session_expires: 600,
        ..Manner::default()
    }
}

fn agreed(refresher: &str) -> String {
    format!(
        "{CONTACT}Allow: INVITE, ACK, BYE, UPDATE\r\nRequire: timer\r\nSession-Expires: 600;refresher={refresher}\r\n"
    )
}

#[test]
fn the_caller_refreshes_at_half_time_with_the_session_as_it_is() {
    let mut desk = Desk::new(manner());
    let invite = desk.call(1, Some("offer"));
    desk.answer_with(&invite, 200, ("there", &agreed("uac")), "answer");
    let _ = (desk.sent(), desk.told());
    desk.world.seconds(299);
    assert_eq!(desk.lines(), [""; 0]);
    desk.world.seconds(2);
    let refresh = desk.sent().remove(0);
    assert_eq!(
        text(refresh.headers(), "Session-Expires"),
        "600;refresher=uac"
    );
    let demarc::sip::message::Message::Request(refresh) = refresh else {
        panic!("no request");
    };
    assert!(is(&refresh, Method::Invite));
    // The same description, so that no key changes by accident.
    assert_eq!(refresh.body, b"offer");
    desk.answer_with(&refresh, 200, ("there", &agreed("uac")), "answer");
    assert_eq!(desk.told(), [Event::Answer(OUT, Fork(0), sdp("answer"))]);
}

#[test]
fn a_refresh_goes_by_update_where_that_is_wanted_and_allowed() {
    let mut desk = Desk::new(Manner {
        refresh: Refresh::Update,
        ..manner()
    });
    let invite = desk.call(1, Some("offer"));
    desk.answer_with(&invite, 200, ("there", &agreed("uac")), "answer");
    let _ = (desk.sent(), desk.told());
    desk.world.run(std::time::Duration::from_millis(300_100));
    let refresh = desk.request();
    assert!(is(&refresh, Method::Update));
    assert_eq!(refresh.body, b"");
    desk.answer(&refresh, 200, "there", &agreed("uac"));
    assert_eq!(desk.told(), []);
    desk.world.seconds(301);
    assert!(desk.lines().contains(&"UPDATE".to_owned()));
}

#[test]
fn a_session_that_the_peer_does_not_refresh_is_ended_a_little_before_its_time() {
    let mut desk = Desk::new(manner());
    let invite = desk.call(1, Some("offer"));
    desk.answer_with(&invite, 200, ("there", &agreed("uas")), "answer");
    let _ = (desk.sent(), desk.told());
    // §10: min(32 s, a third) before the end.
    desk.world.seconds(567);
    assert_eq!(desk.lines(), [""; 0]);
    desk.world.seconds(2);
    assert_eq!(desk.lines().first().map(String::as_str), Some("BYE"));
    assert_eq!(desk.told(), [Event::Ended(OUT, Ending::Expired)]);
}

#[test]
fn a_peer_that_says_nothing_of_timers_has_none() {
    let mut desk = Desk::new(manner());
    desk.answered_call();
    desk.world.seconds(10_000);
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn an_interval_that_is_too_small_for_the_peer_is_raised() {
    let mut desk = Desk::new(manner());
    let first = desk.call(1, Some("offer"));
    desk.answer(&first, 422, "there", "Min-SE: 900\r\n");
    let sent = desk.sent();
    let again = sent.last().expect("a second INVITE").headers();
    assert_eq!(text(again, "CSeq"), "2 INVITE");
    assert_eq!(text(again, "Session-Expires"), "900");
    assert_eq!(text(again, "Min-SE"), "900");
}

#[test]
fn an_interval_that_is_too_small_for_us_is_refused_with_ours() {
    let mut desk = Desk::new(Manner::default());
    let more = "Supported: timer\r\nSession-Expires: 600\r\n";
    desk.asks("INVITE", &Names::new("a"), more, Some("offer"));
    let refused = desk.response();
    assert_eq!(refused.status, status(422));
    assert_eq!(text(&refused.headers, "Min-SE"), "1800");
    assert_eq!(desk.told(), []);
}

#[test]
fn who_calls_with_a_timer_refreshes_unless_it_says_otherwise() {
    let mut desk = Desk::new(manner());
    let more = "Supported: timer\r\nSession-Expires: 600\r\n";
    desk.asks("INVITE", &Names::new("a"), more, Some("offer"));
    desk.order(Order::Accept(IN, Some(sdp("answer"))));
    let ok = desk.response();
    assert_eq!(text(&ok.headers, "Session-Expires"), "600;refresher=uac");
    assert_eq!(text(&ok.headers, "Require"), "timer");
}

#[test]
fn a_caller_without_timers_is_refreshed_by_us() {
    let mut desk = Desk::new(manner());
    let mut names = desk.taken_call("");
    desk.world.run(std::time::Duration::from_millis(300_100));
    let refresh = desk.request();
    assert_eq!(
        text(&refresh.headers, "Session-Expires"),
        "600;refresher=uac"
    );
    assert_eq!(refresh.body, b"answer");
    // The peer's re-INVITE starts the time anew.
    desk.answer(&refresh, 500, "alice", "");
    let _ = desk.sent();
    desk.asks(
        "INVITE",
        names.next(),
        "Session-Expires: 600;refresher=uac\r\n",
        Some("again"),
    );
    desk.order(Order::Answer(IN, Fork(0), sdp("answer")));
    let ok = desk.response();
    assert_eq!(text(&ok.headers, "Session-Expires"), "600;refresher=uac");
}

#[test]
fn a_refresh_that_fails_is_tried_again_and_then_the_session_expires() {
    let mut desk = Desk::new(manner());
    let invite = desk.call(1, Some("offer"));
    desk.answer_with(&invite, 200, ("there", &agreed("uac")), "answer");
    let _ = (desk.sent(), desk.told());
    desk.world.run(std::time::Duration::from_millis(300_100));
    let refresh = desk.request();
    desk.answer(&refresh, 500, "there", "");
    desk.world.seconds(151);
    let lines = desk.lines();
    assert_eq!(lines.first().map(String::as_str), Some("ACK"));
    assert!(lines.contains(&"INVITE".to_owned()), "{lines:?}");
}

#[test]
fn without_timers_nothing_is_said_of_them() {
    let mut desk = Desk::new(Manner {
        timers: false,
        ..Manner::default()
    });
    let invite = desk.call(1, Some("offer"));
    assert_eq!(text(&invite.headers, "Session-Expires"), "");
    assert!(!text(&invite.headers, "Supported").contains("timer"));
}
