//! REFER with its NOTIFYs (RFC 3515), Replaces (RFC 3891), and INFO.

use demarc::sip::message::{Method, Uri};
use demarc::sip::session::{Body, Event, LegId, Manner, Order, Replaced};

use super::desk::{Desk, Names, is, text};
use super::status;

const OUT: LegId = LegId::Out(1);
const IN: LegId = LegId::In(1);

fn desk() -> Desk {
    Desk::new(Manner::default())
}

fn uri(text: &str) -> Uri {
    Uri::parse(text).expect("a URI")
}

#[test]
fn a_transfer_is_accepted_and_told_step_by_step() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    let more = "Refer-To: <sip:300@198.51.100.9>\r\nReferred-By: <sip:b@198.51.100.1>\r\n";
    desk.asks("REFER", names.next(), more, None);
    let told = desk.told();
    let [
        Event::Referred {
            leg: OUT,
            to,
            replaces: Replaced::Nobody,
            by,
        },
    ] = told.as_slice()
    else {
        panic!("{told:?}");
    };
    assert_eq!(to.as_str(), "sip:300@198.51.100.9");
    assert!(by.is_some());
    desk.order(Order::ReferProgress(OUT, status(100)));
    let sent = desk.sent();
    assert_eq!(sent.len(), 2);
    let demarc::sip::message::Message::Request(trying) = &sent[1] else {
        panic!("no NOTIFY");
    };
    assert_eq!(text(&trying.headers, "Event"), "refer");
    assert!(text(&trying.headers, "Subscription-State").starts_with("active"));
    assert_eq!(
        text(&trying.headers, "Content-Type"),
        "message/sipfrag;version=2.0"
    );
    assert_eq!(trying.body, b"SIP/2.0 100 Trying\r\n");
    // One after the other.
    desk.order(Order::ReferProgress(OUT, status(180)));
    desk.order(Order::ReferProgress(OUT, status(200)));
    assert_eq!(desk.lines(), [""; 0]);
    desk.answer(trying, 200, "there", "");
    let ringing = desk.request();
    assert_eq!(ringing.body, b"SIP/2.0 180 Ringing\r\n");
    desk.answer(&ringing, 200, "there", "");
    let last = desk.request();
    assert_eq!(last.body, b"SIP/2.0 200 OK\r\n");
    assert!(text(&last.headers, "Subscription-State").starts_with("terminated"));
}

#[test]
fn a_transfer_may_be_refused() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.asks(
        "REFER",
        names.next(),
        "Refer-To: <sip:300@198.51.100.9>\r\n",
        None,
    );
    desk.order(Order::RefuseRefer(OUT, status(603)));
    assert_eq!(desk.lines(), ["603 REFER"]);
}

#[test]
fn a_refer_needs_exactly_one_target() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.asks("REFER", names.next(), "", None);
    let two = "Refer-To: <sip:1@a.example>\r\nRefer-To: <sip:2@a.example>\r\n";
    desk.asks("REFER", names.next(), two, None);
    assert_eq!(desk.lines(), ["400 REFER", "400 REFER"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn a_transfer_of_ours_is_followed_to_its_end() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    desk.order(Order::Refer(OUT, uri("sip:300@198.51.100.9"), None));
    let refer = desk.request();
    assert!(is(&refer, Method::Refer));
    assert_eq!(text(&refer.headers, "Refer-To"), "<sip:300@198.51.100.9>");
    desk.answer(&refer, 202, "there", "");
    desk.notify(names.next(), "active;expires=60", "SIP/2.0 100 Trying\r\n");
    desk.notify(
        names.next(),
        "terminated;reason=noresource",
        "SIP/2.0 200 OK\r\n",
    );
    assert_eq!(
        desk.told(),
        [
            Event::ReferProgress(OUT, status(100)),
            Event::ReferProgress(OUT, status(200))
        ]
    );
    assert_eq!(desk.lines(), ["200 NOTIFY", "200 NOTIFY"]);
    desk.notify(names.next(), "active", "SIP/2.0 200 OK\r\n");
    assert_eq!(desk.lines(), ["481 NOTIFY"]);
}

#[test]
fn a_transfer_of_ours_that_is_refused_is_told() {
    let mut desk = desk();
    desk.answered_call();
    desk.order(Order::Refer(OUT, uri("sip:300@198.51.100.9"), None));
    let refer = desk.request();
    desk.answer(&refer, 405, "there", "");
    assert_eq!(desk.told(), [Event::ReferProgress(OUT, status(405))]);
}

#[test]
fn a_consultative_transfer_names_the_other_call() {
    let mut desk = desk();
    desk.answered_call();
    let second = desk.call(2, Some("offer"));
    desk.answer_with(
        &second,
        200,
        ("other", "Contact: <sip:c@198.51.100.1>\r\n"),
        "answer",
    );
    let _ = (desk.sent(), desk.told());
    desk.order(Order::Refer(
        OUT,
        uri("sip:c@198.51.100.1"),
        Some(LegId::Out(2)),
    ));
    let refer = desk.request();
    let to = text(&refer.headers, "Refer-To");
    assert!(to.starts_with("<sip:c@198.51.100.1?Replaces="), "{to}");
    assert!(
        to.contains("%3bto-tag%3dother%3b") || to.contains("%3Bto-tag%3Dother%3B"),
        "{to}"
    );
}

#[test]
fn a_transfer_to_another_call_of_ours_names_its_leg() {
    let mut desk = desk();
    let (first, mut names) = desk.answered_call();
    let second = desk.call(2, Some("offer"));
    desk.answer_with(
        &second,
        200,
        ("other", "Contact: <sip:c@198.51.100.1>\r\n"),
        "answer",
    );
    let _ = (desk.sent(), desk.told());
    let tag = second.headers.from().expect("From");
    let value = format!(
        "{}%3Bto-tag%3D{}%3Bfrom-tag%3Dother",
        text(&second.headers, "Call-ID"),
        tag.tag().expect("a tag")
    );
    let more = format!("Refer-To: <sip:100@192.0.2.1?Replaces={value}>\r\n");
    desk.asks("REFER", names.next(), &more, None);
    let told = desk.told();
    assert!(
        matches!(
            told.as_slice(),
            [Event::Referred {
                replaces: Replaced::Leg(LegId::Out(2)),
                ..
            }]
        ),
        "{told:?}"
    );
    assert_ne!(
        text(&first.headers, "Call-ID"),
        text(&second.headers, "Call-ID")
    );
}

#[test]
fn an_invite_that_replaces_a_call_of_ours_names_its_leg() {
    let mut desk = desk();
    let old = desk.taken_call("");
    let to = old.to.rsplit("tag=").next().expect("a tag").to_owned();
    let mut new = Names::new("b");
    new.from = "<sip:carol@198.51.100.1>;tag=carol".into();
    let more = format!("Require: replaces\r\nReplaces: theirs;from-tag=alice;to-tag={to}\r\n");
    desk.asks("INVITE", &new, &more, Some("offer"));
    let told = desk.told();
    assert!(
        matches!(told.as_slice(), [Event::Incoming(_, it)] if it.replaces == Some(IN)),
        "{told:?}"
    );
    let mut other = Names::new("c");
    other.from = "<sip:dave@198.51.100.1>;tag=dave".into();
    let _ = desk.sent();
    desk.asks(
        "INVITE",
        &other,
        "Replaces: none;from-tag=a;to-tag=b\r\n",
        Some("offer"),
    );
    // RFC 3891 §3.
    assert_eq!(desk.lines(), ["481 INVITE"]);
}

#[test]
fn info_is_told_and_answered_and_sent() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    let digits = Body {
        content_type: "application/dtmf-relay".into(),
        octets: b"Signal=5\r\nDuration=160\r\n".to_vec(),
    };
    desk.order(Order::Info(OUT, digits.clone()));
    let info = desk.request();
    assert!(is(&info, Method::Info));
    assert_eq!(info.body, digits.octets);
    desk.answer(&info, 200, "there", "");
    desk.asks_with("INFO", names.next(), &digits);
    assert_eq!(desk.lines(), ["200 INFO"]);
    assert_eq!(desk.told(), [Event::Info(OUT, digits)]);
}

#[test]
fn an_info_of_a_type_that_nobody_reads_is_refused() {
    let mut desk = desk();
    let (_, mut names) = desk.answered_call();
    let body = Body {
        content_type: "text/x-unknown".into(),
        octets: b"x".to_vec(),
    };
    desk.asks_with("INFO", names.next(), &body);
    assert_eq!(desk.lines(), ["415 INFO"]);
    assert_eq!(desk.told(), []);
}
