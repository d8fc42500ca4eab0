//! A SIP datagram: what parses prints and parses to the same.
#![no_main]

use demarc::sip::message::{
    Abilities, Contact, Headers, Message, NameAddr, Request, Response, StatusCode, Uri, Via,
    validate, validate_response,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let message = match Message::parse(octets) {
        Ok(message) => message,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(Message::parse(&message.to_bytes()).as_ref(), Ok(&message));
    read(message.headers());
    match &message {
        Message::Request(request) => answer(request),
        Message::Response(response) => {
            if let Err(discard) = validate_response(response) {
                assert!(!format!("{discard:?}").is_empty());
            }
            assert_eq!(
                response.reason_text(),
                String::from_utf8_lossy(&response.reason)
            );
        }
    }
});

/// A request that is good is answered, and so is one that is not.
fn answer(request: &Request) {
    let verdict = validate(request).and_then(|()| Abilities::default().admit(request));
    if let Some(uri) = request.target() {
        check_uri(uri);
    }
    let response = Response::answering(request, StatusCode::BAD_REQUEST, Some("t"));
    let printed = response.to_bytes();
    match (verdict, Message::parse(&printed)) {
        (_, Ok(again)) => assert_eq!(again, Message::Response(response)),
        (Err(_), Err(_)) => {}
        (Ok(()), Err(error)) => panic!("the answer to a good request is unreadable: {error}"),
    }
}

/// Whatever field is read prints as something that reads the same.
fn read(headers: &Headers) {
    let lists = [
        headers.routes(),
        headers.record_routes(),
        headers.path(),
        headers.service_route(),
        headers.from().map(|from| vec![from]),
        headers.to().map(|to| vec![to]),
    ];
    for address in lists.into_iter().flatten().flatten() {
        let printed = address.to_string();
        check_uri(&address.uri);
        assert_eq!(
            NameAddr::parse(printed.as_bytes()),
            Some(address),
            "{printed}"
        );
    }
    for via in headers.vias().into_iter().flatten() {
        let printed = via.to_string();
        assert_eq!(Via::parse(printed.as_bytes()), Some(via), "{printed}");
    }
    for contact in headers.contacts().into_iter().flatten() {
        let _ = (contact.q(), contact.expires());
        let printed = contact.to_string();
        assert_eq!(
            Contact::parse(printed.as_bytes()),
            Some(contact),
            "{printed}"
        );
    }
    let _ = (headers.call_id(), headers.cseq(), headers.content_length());
    let _ = (
        headers.expires(),
        headers.retry_after(),
        headers.flow_timer(),
    );
    let _ = (headers.content_type(), headers.allow(), headers.supported());
    for (name, _) in headers.iter() {
        let _ = (headers.text(name), headers.values(name).count());
    }
}

fn check_uri(uri: &Uri) {
    assert_eq!(Uri::parse(uri.as_str()).as_ref(), Some(uri));
    assert!(uri.is_equivalent(uri), "{uri}");
    let moved = uri.with_port(Some(5061)).without_headers();
    assert_eq!(Uri::parse(moved.as_str()), Some(moved));
}
