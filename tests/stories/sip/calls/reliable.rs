//! Provisional responses that are acknowledged (RFC 3262).

use demarc::sip::message::Method;
use demarc::sip::session::{
    Description, Ending, Event, Fork, LegId, Manner, Order, Refusal, Reliability,
};

use super::desk::{CONTACT, Desk, Names, is, text};
use super::{reliable_manner, sdp, status};

const OUT: LegId = LegId::Out(1);
const IN: LegId = LegId::In(1);
const ABLE: &str = "Supported: 100rel\r\n";

fn reliable(rseq: u32) -> String {
    format!("{CONTACT}Require: 100rel\r\nRSeq: {rseq}\r\n")
}

#[test]
fn a_reliable_response_is_acknowledged_once_and_in_order() {
    let mut desk = Desk::new(reliable_manner());
    let invite = desk.call(1, Some("offer"));
    assert!(text(&invite.headers, "Supported").contains("100rel"));
    desk.answer_with(&invite, 183, ("there", &reliable(17)), "answer");
    let prack = desk.request();
    assert!(is(&prack, Method::Prack));
    assert_eq!(text(&prack.headers, "RAck"), "17 1 INVITE");
    assert_eq!(text(&prack.headers, "CSeq"), "2 PRACK");
    // §4: repeated, and one that comes too early.
    desk.answer_with(&invite, 183, ("there", &reliable(17)), "answer");
    desk.answer(&invite, 180, "there", &reliable(19));
    assert_eq!(desk.lines(), [""; 0]);
    assert_eq!(desk.told().len(), 1);
    desk.answer(&prack, 200, "there", "");
    desk.answer(&invite, 180, "there", &reliable(18));
    assert_eq!(desk.lines(), ["PRACK"]);
}

#[test]
fn an_offer_in_a_reliable_response_is_answered_in_its_prack() {
    let mut desk = Desk::new(reliable_manner());
    let invite = desk.call(1, None);
    desk.answer_with(&invite, 183, ("there", &reliable(1)), "offer");
    let told = desk.told();
    let [Event::Progress { description, .. }] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert_eq!(*description, Description::Offer(sdp("offer")));
    assert_eq!(desk.lines(), [""; 0]);
    desk.order(Order::Answer(OUT, Fork(0), sdp("answer")));
    let prack = desk.request();
    assert_eq!(
        (prack.method.as_str(), prack.body.as_slice()),
        ("PRACK", &b"answer"[..])
    );
    desk.answer(&prack, 200, "there", "");
    // The exchange is done: the 200 has none, and is acknowledged at once.
    desk.answer(&invite, 200, "there", CONTACT);
    assert_eq!(desk.lines(), ["ACK"]);
}

#[test]
fn our_responses_are_reliable_where_both_can() {
    let mut desk = Desk::new(reliable_manner());
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, ABLE, Some("offer"));
    desk.order(Order::Progress(IN, status(183), Some(sdp("answer"))));
    let early = desk.response();
    assert_eq!(text(&early.headers, "Require"), "100rel");
    let rseq: u32 = text(&early.headers, "RSeq").parse().expect("RSeq");
    assert!(rseq >= 1);
    // §3: T1, doubling.
    desk.millis(3600);
    assert_eq!(desk.lines(), ["183 INVITE"; 3]);
    // §3: no 200 before the PRACK, since the 183 has the answer; and no second response.
    desk.order(Order::Progress(IN, status(180), None));
    desk.order(Order::Accept(IN, None));
    assert_eq!(desk.lines(), [""; 0]);
    names.learn(&early);
    let rack = format!("RAck: {rseq} 1 INVITE\r\n");
    desk.asks("PRACK", names.next(), &rack, None);
    assert_eq!(desk.lines(), ["200 PRACK", "200 INVITE"]);
}

#[test]
fn a_prack_of_nothing_is_not_known() {
    let mut desk = Desk::new(reliable_manner());
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, ABLE, Some("offer"));
    desk.order(Order::Progress(IN, status(180), None));
    let early = desk.response();
    names.learn(&early);
    desk.asks("PRACK", names.next(), "RAck: 1 7 INVITE\r\n", None);
    // §3.
    assert_eq!(desk.lines(), ["481 PRACK"]);
}

#[test]
fn a_call_whose_reliable_response_is_never_acknowledged_is_refused() {
    let mut desk = Desk::new(reliable_manner());
    desk.asks("INVITE", &Names::new("a"), ABLE, Some("offer"));
    desk.order(Order::Progress(IN, status(180), None));
    let _ = (desk.sent(), desk.told());
    desk.millis(32_100);
    // §3: a 5xx.
    assert!(desk.lines().contains(&"504 INVITE".to_owned()));
    assert_eq!(desk.told(), [Event::Ended(IN, Ending::NoPrack)]);
}

#[test]
fn our_offer_in_a_reliable_response_is_answered_by_the_prack() {
    let mut desk = Desk::new(reliable_manner());
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, ABLE, None);
    desk.order(Order::Progress(IN, status(183), Some(sdp("offer"))));
    let early = desk.response();
    assert_eq!(early.body, b"offer");
    names.learn(&early);
    let _ = desk.told();
    let rack = format!("RAck: {} 1 INVITE\r\n", text(&early.headers, "RSeq"));
    desk.asks("PRACK", names.next(), &rack, Some("answer"));
    assert_eq!(desk.told(), [Event::Answer(IN, Fork(0), sdp("answer"))]);
    desk.order(Order::Accept(IN, None));
    let ok = desk.response();
    assert_eq!((ok.status, ok.body.as_slice()), (status(200), &b""[..]));
}

#[test]
fn an_offer_in_a_prack_is_answered_in_its_200() {
    let mut desk = Desk::new(reliable_manner());
    let mut names = Names::new("a");
    desk.asks("INVITE", &names, ABLE, Some("offer"));
    desk.order(Order::Progress(IN, status(183), Some(sdp("answer"))));
    let early = desk.response();
    names.learn(&early);
    let _ = desk.told();
    let rack = format!("RAck: {} 1 INVITE\r\n", text(&early.headers, "RSeq"));
    desk.asks("PRACK", names.next(), &rack, Some("second offer"));
    assert_eq!(
        desk.told(),
        [Event::Offer(IN, Fork(0), Some(sdp("second offer")))]
    );
    desk.order(Order::Answer(IN, Fork(0), sdp("second answer")));
    let ok = desk.response();
    assert_eq!(text(&ok.headers, "CSeq"), "2 PRACK");
    assert_eq!(ok.body, b"second answer");
}

#[test]
fn where_we_must_have_them_the_invite_requires_reliable_responses() {
    let manner = Manner {
        uac_prack: Reliability::Required,
        ..Manner::default()
    };
    let mut desk = Desk::new(manner);
    let invite = desk.call(1, Some("offer"));
    assert_eq!(text(&invite.headers, "Require"), "100rel");
    desk.answer(&invite, 420, "there", "Unsupported: 100rel\r\n");
    let refusal = Refusal::of(status(420));
    assert_eq!(desk.told(), [Event::Refused(OUT, refusal)]);
}
