use super::*;
use crate::sip::message::{Message, StatusCode};

const INVITE: &str = "INVITE sip:b@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\nFrom: \"A\" <sip:a@example>;tag=from\r\nTo: <sip:b@example>\r\nCall-ID: x\r\nCSeq: 7 INVITE\r\nContact: <sip:a@192.0.2.9:5070>\r\nRecord-Route: <sip:p2.example;lr>\r\nRecord-Route: <sip:p1.example;lr>\r\nContent-Length: 0\r\n\r\n";

fn invite(text: &str) -> Request {
    match Message::parse(text.as_bytes()) {
        Ok(Message::Request(request)) => request,
        other => panic!("not a request: {other:?}"),
    }
}

fn answer(contact: &str) -> Response {
    let mut answer = Response::answering(&invite(INVITE), StatusCode::OK, Some("to"));
    answer.headers.push(HeaderName::Contact, contact);
    for route in ["<sip:p2.example;lr>", "<sip:p1.example;lr>"] {
        answer.headers.push(HeaderName::RecordRoute, route);
    }
    answer
}

fn routes(request: &Request) -> Vec<String> {
    let routes = request.headers.routes().expect("routes");
    routes.iter().map(ToString::to_string).collect()
}

fn text(request: &Request, name: &HeaderName) -> String {
    request.headers.text(name).unwrap_or_default()
}

#[test]
fn who_is_called_keeps_the_record_route_in_its_order() {
    let mut dialog = Dialog::called(&invite(INVITE), "to").expect("a dialog");
    let bye = dialog.request(Method::Bye);
    assert_eq!(routes(&bye), ["<sip:p2.example;lr>", "<sip:p1.example;lr>"]);
    assert_eq!(bye.uri.as_bytes(), b"sip:a@192.0.2.9:5070");
    assert_eq!(text(&bye, &HeaderName::From), "<sip:b@example>;tag=to");
    assert_eq!(
        text(&bye, &HeaderName::To),
        "\"A\" <sip:a@example>;tag=from"
    );
    assert_eq!(text(&bye, &HeaderName::CSeq), "1 BYE");
}

#[test]
fn who_calls_turns_the_record_route_round() {
    let dialog = Dialog::calling(&invite(INVITE), &answer("<sip:b@192.0.2.1:5080>"));
    let mut dialog = dialog.expect("a dialog");
    let bye = dialog.request(Method::Bye);
    assert_eq!(routes(&bye), ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]);
    assert_eq!(bye.uri.as_bytes(), b"sip:b@192.0.2.1:5080");
    assert_eq!(text(&bye, &HeaderName::CSeq), "8 BYE");
    let ack = dialog.acknowledgement(7);
    assert_eq!(text(&ack, &HeaderName::CSeq), "7 ACK");
}

#[test]
fn a_strict_router_is_asked_itself_and_the_target_comes_last() {
    let strict = INVITE.replace("sip:p2.example;lr", "sip:p2.example");
    let mut dialog = Dialog::called(&invite(&strict), "to").expect("a dialog");
    let bye = dialog.request(Method::Bye);
    assert_eq!(bye.uri.as_bytes(), b"sip:p2.example");
    assert_eq!(
        routes(&bye),
        ["<sip:p1.example;lr>", "<sip:a@192.0.2.9:5070>"]
    );
}

#[test]
fn a_request_of_a_lower_number_is_out_of_order() {
    let mut dialog = Dialog::called(&invite(INVITE), "to").expect("a dialog");
    let numbered = |number: &str| invite(&INVITE.replace("7 INVITE", number));
    assert_eq!(dialog.admit(&numbered("9 INVITE")), Ok(()));
    assert_eq!(dialog.admit(&numbered("8 INVITE")), Err(OutOfOrder));
    assert_eq!(dialog.admit(&numbered("10 INVITE")), Ok(()));
}

#[test]
fn a_contact_moves_the_target_and_its_absence_does_not() {
    let mut dialog = Dialog::called(&invite(INVITE), "to").expect("a dialog");
    dialog.refresh(&invite(&INVITE.replace(":5070", ":5099")).headers);
    assert_eq!(
        dialog.request(Method::Bye).uri.as_bytes(),
        b"sip:a@192.0.2.9:5099"
    );
    dialog.refresh(&Headers::new());
    assert_eq!(
        dialog.request(Method::Bye).uri.as_bytes(),
        b"sip:a@192.0.2.9:5099"
    );
}

#[test]
fn an_invite_without_contact_makes_no_dialog() {
    let bare = INVITE.replace("Contact: <sip:a@192.0.2.9:5070>\r\n", "");
    let unfit = Dialog::called(&invite(&bare), "to").expect_err("no dialog");
    assert_eq!(
        unfit,
        Unfit::Field(FieldError::Missing(HeaderName::Contact))
    );
}

#[test]
fn a_request_belongs_to_the_dialog_of_its_call_id_and_both_tags() {
    let dialog = Dialog::called(&invite(INVITE), "to").expect("a dialog");
    let within = INVITE.replace("<sip:b@example>", "<sip:b@example>;tag=to");
    assert!(dialog.owns(&invite(&within)));
    assert!(!dialog.owns(&invite(INVITE)));
    assert!(!dialog.owns(&invite(&within.replace("tag=from", "tag=other"))));
    assert!(!dialog.owns(&invite(&within.replace("Call-ID: x", "Call-ID: X"))));
}

#[test]
fn a_route_set_that_is_too_long_makes_no_dialog() {
    let many = "Record-Route: <sip:p;lr>\r\n".repeat(MAX_ROUTES);
    let long = INVITE.replace("Content-Length", &format!("{many}Content-Length"));
    assert_eq!(Dialog::called(&invite(&long), "to"), Err(Unfit::Routes));
}
