//! A session that stands is changed: re-INVITE and UPDATE, both ways.

use demarc::sip::message::Method;
use demarc::sip::session::{Ending, Event, Fork, LegId, Manner, Order, Refusal};

use super::desk::{CONTACT, Desk, is, text};
use super::{sdp, status};

const OUT: LegId = LegId::Out(1);
const IN: LegId = LegId::In(1);
const UPDATES: &str = "Allow: INVITE, ACK, BYE, UPDATE\r\n";

fn desk() -> Desk {
    Desk::new(Manner::default())
}

#[test]
fn an_offer_goes_by_re_invite_and_its_answer_is_told() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    let again = desk.request();
    assert!(is(&again, Method::Invite));
    assert_eq!(text(&again.headers, "CSeq"), "2 INVITE");
    assert_eq!(again.body, b"hold");
    desk.answer(&again, 100, "", "");
    desk.answer_with(&again, 200, ("there", CONTACT), "held");
    let ack = desk.request();
    assert_eq!(text(&ack.headers, "CSeq"), "2 ACK");
    assert_eq!(desk.told(), [Event::Answer(OUT, Fork(0), sdp("held"))]);
    desk.answer_with(&again, 200, ("there", CONTACT), "held");
    assert_eq!(desk.lines(), ["ACK"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn an_offer_that_is_refused_leaves_the_call_as_it_was() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    let again = desk.request();
    desk.answer(&again, 488, "there", "");
    assert_eq!(desk.lines(), ["ACK"]);
    let refusal = Refusal::of(status(488));
    assert_eq!(desk.told(), [Event::OfferRefused(OUT, Fork(0), refusal)]);
    desk.order(Order::HangUp(OUT, None));
    assert_eq!(desk.lines(), ["BYE"]);
}

#[test]
fn who_made_the_call_offers_again_2_to_4_s_after_a_491() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    let again = desk.request();
    desk.answer(&again, 491, "there", "");
    let _ = desk.sent();
    // RFC 3261 §14.1: between 2.1 and 4 s.
    desk.millis(2090);
    assert_eq!(desk.lines(), [""; 0]);
    desk.millis(1950);
    let third = desk.first_request();
    assert_eq!(third.body, b"hold");
    assert_eq!(text(&third.headers, "CSeq"), "3 INVITE");
    assert_eq!(desk.told(), []);
}

#[test]
fn who_was_called_offers_again_within_2_s_after_a_491() {
    let mut desk = desk();
    desk.taken_call("");
    desk.order(Order::Offer(IN, sdp("hold")));
    let again = desk.request();
    desk.answer(&again, 491, "alice", "");
    let _ = desk.sent();
    desk.millis(2010);
    assert_eq!(desk.first_request().body, b"hold");
}

#[test]
fn a_re_invite_that_meets_ours_is_told_to_wait() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    let _ = desk.sent();
    desk.asks("INVITE", names.next(), "", Some("their hold"));
    // RFC 3261 §14.2.
    assert_eq!(desk.lines(), ["491 INVITE"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn a_second_re_invite_before_the_first_is_answered_gets_500_and_a_time() {
    let mut desk = desk();
    let mut names = desk.taken_call("");
    desk.asks("INVITE", names.next(), "", Some("one"));
    let _ = desk.sent();
    desk.asks("INVITE", names.next(), "", Some("two"));
    let response = desk.response();
    assert_eq!(response.status, status(500));
    let seconds: u32 = text(&response.headers, "Retry-After").parse().expect("s");
    assert!(seconds <= 10);
}

#[test]
fn a_re_invite_is_answered_by_the_user_and_moves_the_target() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    let at = "Contact: <sip:moved@198.51.100.1:5066>\r\n";
    names.contact = at.into();
    desk.asks("INVITE", names.next(), "", Some("hold"));
    assert_eq!(desk.told(), [Event::Offer(OUT, Fork(0), Some(sdp("hold")))]);
    desk.order(Order::Answer(OUT, Fork(0), sdp("held")));
    assert_eq!(desk.lines(), ["100 INVITE", "200 INVITE"]);
    desk.asks("ACK", &names, "", None);
    desk.world.seconds(2);
    assert_eq!(desk.lines(), [""; 0]);
    desk.order(Order::HangUp(OUT, None));
    let bye = desk.request();
    assert_eq!(bye.uri.as_bytes(), b"sip:moved@198.51.100.1:5066");
}

#[test]
fn a_re_invite_may_be_refused_and_the_call_goes_on() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.asks("INVITE", names.next(), "", Some("image"));
    let _ = (desk.sent(), desk.told());
    desk.order(Order::RefuseOffer(OUT, Fork(0), Refusal::of(status(488))));
    assert_eq!(desk.lines(), ["488 INVITE"]);
    desk.asks("ACK", &names, "", None);
    desk.order(Order::Offer(OUT, sdp("hold")));
    assert_eq!(desk.lines(), ["INVITE"]);
}

#[test]
fn a_re_invite_without_an_offer_asks_for_ours_and_answers_in_its_ack() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.asks("INVITE", names.next(), "", None);
    assert_eq!(desk.told(), [Event::Offer(OUT, Fork(0), None)]);
    desk.order(Order::Answer(OUT, Fork(0), sdp("our offer")));
    assert_eq!(desk.response().body, b"our offer");
    desk.asks("ACK", &names, "", Some("their answer"));
    assert_eq!(
        desk.told(),
        [Event::Answer(OUT, Fork(0), sdp("their answer"))]
    );
}

#[test]
fn an_offer_can_be_asked_for() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::AskOffer(OUT));
    let again = desk.request();
    assert_eq!(again.body, b"");
    desk.answer_with(&again, 200, ("there", CONTACT), "their offer");
    assert_eq!(
        desk.told(),
        [Event::Offer(OUT, Fork(0), Some(sdp("their offer")))]
    );
    desk.order(Order::Answer(OUT, Fork(0), sdp("our answer")));
    let ack = desk.request();
    assert_eq!(
        (ack.method.as_str(), ack.body.as_slice()),
        ("ACK", &b"our answer"[..])
    );
}

#[test]
fn an_offer_waits_until_the_call_is_acknowledged() {
    let mut desk = desk();
    let mut names = super::desk::Names::new("a");
    desk.asks("INVITE", &names, "", Some("offer"));
    desk.order(Order::Accept(IN, Some(sdp("answer"))));
    let ok = desk.response();
    names.learn(&ok);
    desk.order(Order::Offer(IN, sdp("hold")));
    assert_eq!(desk.lines(), [""; 0]);
    desk.asks("ACK", &names, "", None);
    assert_eq!(desk.request().body, b"hold");
}

#[test]
fn a_re_invite_that_the_peer_does_not_know_ends_the_call() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    let again = desk.request();
    desk.answer(&again, 481, "there", "");
    // RFC 3261 §12.2.1.2.
    assert_eq!(desk.lines(), ["ACK", "BYE"]);
    assert_eq!(desk.told(), [Event::Ended(OUT, Ending::Lost(status(481)))]);
}

#[test]
fn a_re_invite_that_nobody_answers_ends_the_call() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    desk.world.seconds(33);
    assert_eq!(desk.told(), [Event::Ended(OUT, Ending::Lost(status(408)))]);
}

#[test]
fn an_update_within_a_call_is_answered_by_the_user() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.asks("UPDATE", names.next(), "", Some("hold"));
    assert_eq!(desk.told(), [Event::Offer(OUT, Fork(0), Some(sdp("hold")))]);
    // RFC 3311 §5.2: a second offer before the answer.
    desk.asks("UPDATE", names.next(), "", Some("more"));
    assert_eq!(desk.lines(), ["500 UPDATE"]);
    desk.order(Order::Answer(OUT, Fork(0), sdp("held")));
    let ok = desk.response();
    assert_eq!((ok.status, ok.body.as_slice()), (status(200), &b"held"[..]));
}

#[test]
fn an_update_without_a_body_is_answered_at_once() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.asks("UPDATE", names.next(), "", None);
    assert_eq!(desk.lines(), ["200 UPDATE"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn an_update_that_meets_our_offer_is_told_to_wait() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("hold")));
    let _ = desk.sent();
    desk.asks("UPDATE", names.next(), "", Some("their hold"));
    // RFC 3311 §5.2.
    assert_eq!(desk.lines(), ["491 UPDATE"]);
}

#[test]
fn before_the_call_is_answered_an_offer_goes_by_update() {
    let mut desk = Desk::new(super::reliable_manner());
    let invite = desk.call(1, Some("offer"));
    let reliable = format!("{CONTACT}{UPDATES}Require: 100rel\r\nRSeq: 1\r\n");
    desk.order(Order::Offer(OUT, sdp("change")));
    desk.answer_with(&invite, 183, ("there", &reliable), "answer");
    let sent = desk.lines();
    assert_eq!(sent, ["PRACK", "UPDATE"]);
}

#[test]
fn an_offer_that_waits_is_replaced_by_the_next() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Offer(OUT, sdp("one")));
    let first = desk.request();
    desk.order(Order::Offer(OUT, sdp("two")));
    desk.order(Order::Offer(OUT, sdp("three")));
    assert_eq!(desk.lines(), [""; 0]);
    desk.answer_with(&first, 200, ("there", CONTACT), "yes");
    let sent = desk.sent();
    let last = sent.last().expect("a re-INVITE");
    assert!(last.to_bytes().ends_with(b"three"));
    assert_eq!(sent.len(), 2);
}
