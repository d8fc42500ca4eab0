//! A peer calls us.

use demarc::sip::session::{Ending, Event, LegId, Manner, Order, Reason, Refusal};

use super::desk::{Desk, Names, text};
use super::{sdp, status};

const LEG: LegId = LegId::In(1);

fn desk() -> Desk {
    Desk::new(Manner::default())
}

#[test]
fn a_call_is_told_rung_and_answered() {
    let mut desk = desk();
    let mut names = Names::new("a");
    desk.asks(
        "INVITE",
        &names,
        "Diversion: <sip:300@198.51.100.1>\r\nX-Private: 1\r\n",
        Some("offer"),
    );
    // RFC 3261 §17.2.1: 100 stops the repetition at once.
    assert_eq!(desk.lines(), ["100 INVITE"]);
    let told = desk.told();
    let [Event::Incoming(LEG, incoming)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(incoming.gateway, "default");
    assert_eq!(incoming.called.user(), Some("100"));
    assert_eq!(
        incoming.caller.from.to_string(),
        "\"Alice\" <sip:alice@198.51.100.1>"
    );
    assert_eq!(incoming.offer, Some(sdp("offer")));
    assert_eq!(incoming.carried.len(), 1);

    desk.order(Order::Progress(LEG, status(180), None));
    let ringing = desk.response();
    assert_eq!(ringing.status, status(180));
    assert!(ringing.headers.to().expect("To").tag().is_some());

    desk.order(Order::Accept(LEG, Some(sdp("answer"))));
    let ok = desk.response();
    assert_eq!(
        (ok.status, ok.body.as_slice()),
        (status(200), &b"answer"[..])
    );
    assert_eq!(text(&ok.headers, "To"), text(&ringing.headers, "To"));
    assert_eq!(text(&ok.headers, "Contact"), "<sip:192.0.2.1:5060>");
    assert!(text(&ok.headers, "Allow").contains("UPDATE"));

    names.learn(&ok);
    desk.asks("ACK", &names, "", None);
    assert_eq!(desk.told(), [Event::Confirmed(LEG, None)]);
    desk.world.seconds(40);
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn a_200_is_repeated_until_its_ack_comes() {
    let mut desk = desk();
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, "", Some("offer"));
    desk.order(Order::Accept(LEG, Some(sdp("answer"))));
    let ok = desk.response();
    names.learn(&ok);
    // RFC 3261 §13.3.1.4: T1, doubling up to T2: 0.5, 1.5, 3.5, 7.5 s.
    desk.millis(8000);
    assert_eq!(desk.lines(), ["200 INVITE"; 4]);
    desk.asks("ACK", &names, "", None);
    desk.world.seconds(60);
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn a_call_whose_200_is_never_acknowledged_is_ended_with_bye() {
    let mut desk = desk();
    desk.asks("INVITE", &Names::new("a"), "", Some("offer"));
    desk.order(Order::Accept(LEG, Some(sdp("answer"))));
    let _ = (desk.sent(), desk.told());
    desk.millis(32_100);
    assert_eq!(desk.lines().last().map(String::as_str), Some("BYE"));
    assert_eq!(desk.told(), [Event::Ended(LEG, Ending::NoAck)]);
}

#[test]
fn who_hangs_up_before_the_ack_waits_for_it() {
    let mut desk = desk();
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, "", Some("offer"));
    desk.order(Order::Accept(LEG, Some(sdp("answer"))));
    let ok = desk.response();
    names.learn(&ok);
    desk.order(Order::HangUp(LEG, None));
    // RFC 3261 §15: the callee must not send BYE before the ACK.
    assert_eq!(desk.lines(), [""; 0]);
    desk.asks("ACK", &names, "", None);
    let bye = desk.request();
    assert_eq!(bye.method.as_str(), "BYE");
    assert_eq!(bye.uri.as_bytes(), b"sip:alice@198.51.100.1");
}

#[test]
fn a_cancelled_call_is_answered_487() {
    let mut desk = desk();
    let names = Names::new("a");
    desk.asks("INVITE", &names, "", Some("offer"));
    desk.order(Order::Progress(LEG, status(180), None));
    let _ = (desk.sent(), desk.told());
    desk.asks("CANCEL", &names, "Reason: SIP;cause=200\r\n", None);
    assert_eq!(desk.lines(), ["200 CANCEL", "487 INVITE"]);
    let reason = Some(Reason("SIP;cause=200".into()));
    assert_eq!(desk.told(), [Event::Ended(LEG, Ending::Cancelled(reason))]);
    desk.order(Order::Accept(LEG, Some(sdp("answer"))));
    assert_eq!(desk.lines(), [""; 0]);
}

#[test]
fn a_cancel_that_comes_after_the_200_changes_nothing() {
    let mut desk = desk();
    let names = Names::new("a");
    desk.asks("INVITE", &names, "", Some("offer"));
    desk.order(Order::Accept(LEG, Some(sdp("answer"))));
    let _ = (desk.sent(), desk.told());
    desk.asks("CANCEL", &names, "", None);
    // RFC 3261 §9.2: 200 to the CANCEL, no effect on the call.
    assert_eq!(desk.lines(), ["200 CANCEL"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn a_refusal_says_what_it_is_told_to() {
    let mut desk = desk();
    desk.asks("INVITE", &Names::new("a"), "", Some("offer"));
    let refusal = Refusal {
        retry_after: Some(30),
        reason: Some(Reason("Q.850;cause=17".into())),
        ..Refusal::of(status(486))
    };
    desk.order(Order::Refuse(LEG, refusal));
    let busy = desk.response();
    assert_eq!(busy.status, status(486));
    assert_eq!(text(&busy.headers, "Retry-After"), "30");
    assert_eq!(text(&busy.headers, "Reason"), "Q.850;cause=17");
}

#[test]
fn a_media_type_that_is_refused_is_told_which_one_is_not() {
    let mut desk = desk();
    desk.asks("INVITE", &Names::new("a"), "", Some("offer"));
    desk.order(Order::Refuse(LEG, Refusal::of(status(415))));
    // RFC 3261 §21.4.13.
    assert_eq!(text(&desk.response().headers, "Accept"), "application/sdp");
}

#[test]
fn an_answer_that_was_previewed_stands_in_the_200_again() {
    let mut desk = desk();
    desk.asks("INVITE", &Names::new("a"), "", Some("offer"));
    desk.order(Order::Progress(LEG, status(183), Some(sdp("answer"))));
    assert_eq!(desk.response().body, b"answer");
    desk.order(Order::Accept(LEG, Some(sdp("another"))));
    // RFC 3261 §13.2.1: it must be the same.
    assert_eq!(desk.response().body, b"answer");
}

#[test]
fn a_call_without_an_offer_gets_ours_in_the_200_and_answers_in_the_ack() {
    let mut desk = desk();
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, "", None);
    desk.order(Order::Progress(LEG, status(183), Some(sdp("early"))));
    // RFC 3261 §13.2.1: an offer stands in no unreliable response.
    assert_eq!(desk.response().body, b"");
    desk.order(Order::Accept(LEG, Some(sdp("offer"))));
    let ok = desk.response();
    assert_eq!(ok.body, b"offer");
    names.learn(&ok);
    let _ = desk.told();
    desk.asks("ACK", &names, "", Some("answer"));
    assert_eq!(desk.told(), [Event::Confirmed(LEG, Some(sdp("answer")))]);
}

#[test]
fn a_bye_of_the_peer_ends_the_call() {
    let mut desk = desk();
    let mut names = desk.taken_call("");
    desk.asks("BYE", names.next(), "Reason: Q.850;cause=16\r\n", None);
    assert_eq!(desk.lines(), ["200 BYE"]);
    let reason = Some(Reason("Q.850;cause=16".into()));
    assert_eq!(desk.told(), [Event::Ended(LEG, Ending::Bye(reason))]);
    desk.asks("BYE", names.next(), "", None);
    // RFC 3261 §15.1.2.
    assert_eq!(desk.lines(), ["481 BYE"]);
}

#[test]
fn a_request_with_a_lower_number_is_out_of_order() {
    let mut desk = desk();
    let mut names = desk.taken_call("");
    names.cseq = 0;
    desk.asks("BYE", &names, "", None);
    // RFC 3261 §12.2.2.
    assert_eq!(desk.lines(), ["500 BYE"]);
}

#[test]
fn the_same_invite_by_another_way_is_a_loop() {
    let mut desk = desk();
    let names = Names::new("a");
    desk.asks("INVITE", &names, "", Some("offer"));
    let _ = desk.sent();
    desk.asks("INVITE", &names, "", Some("offer"));
    // RFC 3261 §8.2.2.2.
    assert_eq!(desk.lines(), ["482 INVITE"]);
}

#[test]
fn an_invite_of_a_dialog_that_nobody_knows_is_refused() {
    let mut desk = desk();
    let mut names = Names::new("a");
    names.to.push_str(";tag=unknown");
    desk.asks("INVITE", &names, "", Some("offer"));
    assert_eq!(desk.lines(), ["481 INVITE"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn options_tell_what_calls_can_do_and_are_answered_within_a_call_too() {
    let mut desk = desk();
    desk.asks("OPTIONS", &Names::new("o"), "", None);
    let ok = desk.response();
    assert_eq!(ok.status, status(200));
    assert!(text(&ok.headers, "Allow").contains("BYE"));
    let mut names = desk.taken_call("");
    desk.asks("OPTIONS", names.next(), "", None);
    assert_eq!(desk.lines(), ["200 OPTIONS"]);
}

#[test]
fn without_a_user_of_calls_an_invite_is_refused() {
    let mut world = super::super::world::World::new();
    world.apply();
    world.run(std::time::Duration::from_millis(100));
    let call = Names::new("a").text("INVITE", "UDP", Some("offer"));
    world.datagram(super::super::world::socket(super::desk::PEER), call);
    let sent = world.octets.last().expect("an answer");
    assert!(sent.starts_with(b"SIP/2.0 503 "));
    assert_eq!(world.heard, []);
}

#[test]
fn what_is_only_asked_within_a_dialog_has_none_outside_of_it() {
    let mut desk = desk();
    for method in ["BYE", "UPDATE", "PRACK", "INFO", "NOTIFY", "CANCEL"] {
        desk.asks(method, &Names::new(method), "", None);
        assert_eq!(desk.lines(), [format!("481 {method}")]);
    }
}
