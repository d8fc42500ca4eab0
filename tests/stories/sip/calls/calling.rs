//! We call a peer.

use demarc::sip::session::{
    Description, Ending, Event, Fork, LegId, Manner, Order, Reason, Refusal,
};

use super::desk::{CONTACT, Desk, invite, is, text};
use super::{sdp, status};
use demarc::sip::message::Method;

const LEG: LegId = LegId::Out(1);

fn desk() -> Desk {
    Desk::new(Manner::default())
}

fn progress(code: u16, fork: u32, description: Description) -> Event {
    Event::Progress {
        leg: LEG,
        fork: Fork(fork),
        status: status(code),
        description,
    }
}

fn answered(fork: u32, description: Description) -> Event {
    Event::Answered {
        leg: LEG,
        fork: Fork(fork),
        description,
        connected: Vec::new(),
    }
}

#[test]
fn a_call_goes_to_the_gateways_server_and_is_acknowledged() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    assert_eq!(invite.uri.as_bytes(), b"sip:200@198.51.100.1:5060");
    assert!(text(&invite.headers, "From").starts_with("<sip:100@198.51.100.1:5060>;tag="));
    assert_eq!(text(&invite.headers, "Contact"), "<sip:192.0.2.1:5060>");
    assert_eq!(text(&invite.headers, "Session-Expires"), "3600");
    assert_eq!(invite.body, b"offer");

    desk.answer(&invite, 100, "", "");
    desk.answer(&invite, 180, "there", CONTACT);
    assert_eq!(desk.told(), [progress(180, 0, Description::Absent)]);
    desk.answer_with(&invite, 200, ("there", CONTACT), "answer");
    let ack = desk.request();
    assert!(is(&ack, Method::Ack));
    assert_eq!(ack.uri.as_bytes(), b"sip:b@198.51.100.1");
    assert_eq!(text(&ack.headers, "CSeq"), "1 ACK");
    assert_ne!(text(&ack.headers, "Via"), text(&invite.headers, "Via"));
    assert_eq!(
        desk.told(),
        [answered(0, Description::Answer(sdp("answer")))]
    );

    desk.order(Order::HangUp(LEG, Some(Reason("Q.850;cause=16".into()))));
    let bye = desk.request();
    assert!(is(&bye, Method::Bye));
    assert_eq!(text(&bye.headers, "CSeq"), "2 BYE");
    assert_eq!(text(&bye.headers, "Reason"), "Q.850;cause=16");
    desk.answer(&bye, 200, "there", "");
    assert_eq!(desk.told(), []);
}

#[test]
fn each_repeated_200_is_acknowledged_again() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    desk.answer_with(&invite, 200, ("there", CONTACT), "answer");
    desk.answer_with(&invite, 200, ("there", CONTACT), "answer");
    assert_eq!(desk.lines(), ["ACK", "ACK"]);
    assert_eq!(desk.told().len(), 1);
}

#[test]
fn within_a_call_requests_go_by_the_route_set() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    let routes = "Record-Route: <sip:203.0.113.2;lr>, <sip:203.0.113.1:5070;lr>\r\n";
    desk.answer_with(
        &invite,
        200,
        ("there", &format!("{CONTACT}{routes}")),
        "answer",
    );
    let ack = desk.request();
    assert_eq!(text(&ack.headers, "Route"), "<sip:203.0.113.1:5070;lr>");
    let (_, to) = desk.world.sent.last().expect("sent");
    assert_eq!(to.to_string(), "203.0.113.1:5070");
}

#[test]
fn a_refusal_is_told_with_what_it_says() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    desk.answer(
        &invite,
        503,
        "there",
        "Retry-After: 20\r\nReason: Q.850;cause=34\r\n",
    );
    assert_eq!(desk.lines(), ["ACK"]);
    let refusal = Refusal {
        retry_after: Some(20),
        reason: Some(Reason("Q.850;cause=34".into())),
        ..Refusal::of(status(503))
    };
    assert_eq!(desk.told(), [Event::Refused(LEG, refusal)]);
}

#[test]
fn a_redirection_tells_its_contacts_best_first() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    let contacts = "Contact: <sip:b@x.example>;q=0.2, <sip:c@x.example>;q=0.9\r\n";
    desk.answer(&invite, 302, "there", contacts);
    let told = desk.told();
    let [Event::Refused(LEG, refusal)] = told.as_slice() else {
        panic!("{told:?}");
    };
    let users: Vec<_> = refusal.contacts.iter().map(|it| it.uri.user()).collect();
    assert_eq!(users, [Some("c"), Some("b")]);
}

#[test]
fn a_call_that_nobody_answers_is_over_after_timer_b() {
    let mut desk = desk();
    desk.call(1, Some("offer"));
    desk.world.seconds(33);
    assert_eq!(desk.lines(), ["INVITE"; 6]);
    assert_eq!(desk.told(), [Event::Refused(LEG, Refusal::of(status(408)))]);
}

#[test]
fn cancel_waits_for_a_provisional_response() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    desk.order(Order::HangUp(LEG, None));
    // RFC 3261 §9.1.
    assert_eq!(desk.lines(), [""; 0]);
    desk.answer(&invite, 100, "", "");
    let cancel = desk.request();
    assert!(is(&cancel, Method::Cancel));
    assert_eq!(text(&cancel.headers, "Via"), text(&invite.headers, "Via"));
    assert_eq!(text(&cancel.headers, "CSeq"), "1 CANCEL");
    desk.answer(&cancel, 200, "there", "");
    desk.answer(&invite, 487, "there", "");
    assert_eq!(desk.lines(), ["ACK"]);
    assert_eq!(desk.told(), []);
}

#[test]
fn a_call_that_is_answered_although_it_was_cancelled_is_acknowledged_and_ended() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    desk.answer(&invite, 180, "there", CONTACT);
    desk.order(Order::HangUp(LEG, None));
    desk.answer_with(&invite, 200, ("there", CONTACT), "answer");
    assert_eq!(desk.lines(), ["CANCEL", "ACK", "BYE"]);
}

#[test]
fn the_forks_of_a_call_are_told_apart_and_the_second_answer_is_ended() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    desk.answer_with(&invite, 183, ("one", CONTACT), "answer one");
    desk.answer_with(&invite, 183, ("two", CONTACT), "answer two");
    desk.answer_with(&invite, 183, ("one", CONTACT), "answer one");
    assert_eq!(
        desk.told(),
        [
            progress(183, 0, Description::Answer(sdp("answer one"))),
            progress(183, 1, Description::Answer(sdp("answer two"))),
            progress(183, 0, Description::Absent),
        ]
    );
    desk.answer_with(&invite, 200, ("two", CONTACT), "answer two");
    assert_eq!(desk.told(), [answered(1, Description::Absent)]);
    assert_eq!(desk.lines(), ["ACK"]);
    // RFC 3261 §13.2.2.4: every 2xx is acknowledged, the others are ended.
    desk.answer_with(&invite, 200, ("three", CONTACT), "answer three");
    let sent = desk.sent();
    let tags: Vec<String> = sent.iter().map(|it| text(it.headers(), "To")).collect();
    assert_eq!(tags.len(), 2);
    assert!(tags.iter().all(|it| it.ends_with("tag=three")), "{tags:?}");
    assert_eq!(desk.told(), []);
}

#[test]
fn a_call_without_an_offer_answers_that_of_the_200_in_its_ack() {
    let mut desk = desk();
    let invite = desk.call(1, None);
    desk.answer_with(&invite, 183, ("there", CONTACT), "not yet");
    desk.answer_with(&invite, 200, ("there", CONTACT), "offer");
    assert_eq!(
        desk.told(),
        [
            progress(183, 0, Description::Absent),
            answered(0, Description::Offer(sdp("offer"))),
        ]
    );
    assert_eq!(desk.lines(), [""; 0]);
    desk.order(Order::Answer(LEG, Fork(0), sdp("answer")));
    let ack = desk.request();
    assert!(is(&ack, Method::Ack));
    assert_eq!(ack.body, b"answer");
}

#[test]
fn an_answer_without_a_description_ends_the_call() {
    let mut desk = desk();
    let invite = desk.call(1, Some("offer"));
    desk.answer(&invite, 200, "there", CONTACT);
    assert_eq!(desk.lines(), ["ACK", "BYE"]);
    assert_eq!(desk.told(), [Event::Ended(LEG, Ending::NoAnswer)]);
}

#[test]
fn a_challenged_call_is_made_again_with_credentials() {
    let mut desk = desk();
    let first = desk.call(1, Some("offer"));
    let challenge = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    desk.answer(&first, 407, "there", challenge);
    let sent = desk.sent();
    assert_eq!(sent.len(), 2, "{sent:?}");
    let again = sent[1].headers();
    assert_eq!(text(again, "CSeq"), "2 INVITE");
    // RFC 3261 §22.2: of the same call.
    assert_eq!(text(again, "Call-ID"), text(&first.headers, "Call-ID"));
    assert_eq!(text(again, "From"), text(&first.headers, "From"));
    assert!(text(again, "Proxy-Authorization").contains("username=\"100\""));
    assert_eq!(desk.told(), []);
    let demarc::sip::message::Message::Request(second) = &sent[1] else {
        panic!("no request");
    };
    desk.answer_with(second, 200, ("there", CONTACT), "answer");
    let ack = desk.request();
    assert_eq!(text(&ack.headers, "CSeq"), "2 ACK");
    // §22.1: the ACK carries the credentials of the INVITE.
    let of = |it| text(it, "Proxy-Authorization");
    assert_eq!(of(&ack.headers), of(&second.headers));
    desk.order(Order::HangUp(LEG, None));
    let bye = desk.request();
    assert!(
        of(&bye.headers).contains("nc=00000002"),
        "{}",
        of(&bye.headers)
    );
}

#[test]
fn credentials_that_are_refused_twice_end_the_call() {
    let mut desk = desk();
    let first = desk.call(1, Some("offer"));
    let challenge = "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";
    desk.answer(&first, 401, "there", challenge);
    let sent = desk.sent();
    let Some(demarc::sip::message::Message::Request(second)) = sent.last() else {
        panic!("no request");
    };
    desk.answer(second, 401, "there", challenge);
    let told = desk.told();
    assert!(
        matches!(told.as_slice(), [Event::Refused(LEG, it)] if it.status == status(401)),
        "{told:?}"
    );
}

#[test]
fn an_anonymous_caller_is_vouched_for_and_not_shown() {
    let mut desk = desk();
    let mut wanted = invite(Some("offer"));
    wanted.caller.privacy = vec!["id".into()];
    wanted.caller.asserted = vec![wanted.caller.from.clone()];
    desk.order(Order::Invite(LEG, Box::new(wanted)));
    let invite = desk.request();
    let from = text(&invite.headers, "From");
    assert!(
        from.starts_with("\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag="),
        "{from}"
    );
    assert_eq!(
        text(&invite.headers, "P-Asserted-Identity"),
        "<sip:100@unit.invalid>"
    );
    assert_eq!(text(&invite.headers, "Privacy"), "id");
}

#[test]
fn a_gateway_without_a_server_calls_a_numeric_address_itself() {
    let mut desk = desk();
    desk.world.settings.proxy.home_domain_host = None;
    desk.world.settings.registration.server_host = None;
    desk.world.apply();
    let mut wanted = invite(Some("offer"));
    let uri = demarc::sip::message::Uri::parse("sip:200@203.0.113.7:5090");
    wanted.target = demarc::sip::session::Target::Uri(uri.expect("a URI"));
    desk.order(Order::Invite(LEG, Box::new(wanted)));
    assert!(is(&desk.request(), Method::Invite));
    let (_, to) = desk.world.sent.last().expect("sent");
    assert_eq!(to.to_string(), "203.0.113.7:5090");
}
