//! What holds for any message and any octets.

use demarc::sip::message::framing::Framer;
use demarc::sip::message::{Abilities, Message, NameAddr, Uri, validate, validate_response};
use demarc::wire::digest::{Challenge, Credentials};
use proptest::collection::vec;
use proptest::prelude::*;

/// Reads everything that there is to read.
fn read_all(message: &Message) {
    match message {
        Message::Request(request) => {
            let _ = validate(request).and_then(|()| Abilities::default().admit(request));
        }
        Message::Response(response) => {
            let _ = validate_response(response);
        }
    }
    let headers = message.headers();
    let _ = (headers.vias(), headers.contacts(), headers.routes());
    let _ = (
        headers.retry_after(),
        headers.content_type(),
        headers.allow(),
    );
    for (name, _) in headers.iter() {
        let _ = (headers.text(name), headers.values(name).count());
    }
    let challenges = headers.www_authenticate();
    let _ = Challenge::parse_all(challenges.iter().map(String::as_str));
}

fn token() -> impl Strategy<Value = String> {
    "[A-Za-z0-9.!%*_+`'~-]{1,12}"
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}\\.example",
        any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
}

fn uri() -> impl Strategy<Value = String> {
    let user = "([a-z0-9;?&=+$,/_.!~*'()-]|%[0-9A-F]{2}){0,8}";
    let port = proptest::option::of(1u16..);
    let params = vec(("[a-z]{1,6}", "[a-z0-9:&+$-]{0,6}"), 0..4);
    (user, host(), port, params).prop_map(|(user, host, port, params)| {
        let mut text = String::from("sip:");
        if !user.is_empty() {
            text += &format!("{user}@");
        }
        text += &host;
        if let Some(port) = port {
            text += &format!(":{port}");
        }
        for (name, value) in params {
            text += &format!(";{name}");
            if !value.is_empty() {
                text += &format!("={value}");
            }
        }
        text
    })
}

fn address() -> impl Strategy<Value = String> {
    let display = "\"([ a-z<>,;é]|\\\\[\"\\\\]){0,10}\"";
    (display, uri(), token()).prop_map(|(display, uri, tag)| format!("{display} <{uri}>;tag={tag}"))
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    let space = "[ \t]{0,2}|\r\n ";
    let line = (token(), space, vec(any::<u8>(), 0..20)).prop_map(|(name, space, value)| {
        let value: Vec<u8> = value
            .into_iter()
            .filter(|octet| !b"\r\n".contains(octet))
            .collect();
        [format!("X{name}:{space}").as_bytes(), &value, b"\r\n"].concat()
    });
    let lines = vec(line, 0..6).prop_map(|lines| lines.concat());
    let body = vec(any::<u8>(), 0..40);
    (token(), uri(), address(), address(), lines, body).prop_map(
        |(method, uri, from, to, lines, body)| {
            let head = format!(
                "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKx\r\n\
                 f: {from}\r\nTo: {to}\r\nCall-ID: x\r\nCSeq: 1 {method}\r\nl: {}\r\n",
                body.len()
            );
            [head.as_bytes(), &lines, b"\r\n", &body].concat()
        },
    )
}

proptest! {
    #[test]
    fn a_valid_message_prints_the_octets_it_was_read_from(octets in message()) {
        let message = Message::parse(&octets).expect("a message");
        prop_assert_eq!(message.to_bytes(), octets);
        read_all(&message);
        if let Message::Request(request) = &message {
            prop_assert_eq!(validate(request), Ok(()));
        }
    }

    #[test]
    fn a_message_that_was_printed_reads_back_the_same(
        octets in message(),
        cuts in vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut octets = octets;
        for (at, octet) in cuts {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        if let Ok(message) = Message::parse(&octets) {
            read_all(&message);
            prop_assert_eq!(Message::parse(&message.to_bytes()), Ok(message));
        }
    }

    #[test]
    fn arbitrary_octets_never_panic(octets in vec(any::<u8>(), 0..300)) {
        if let Ok(message) = Message::parse(&octets) {
            read_all(&message);
        }
        let text = String::from_utf8_lossy(&octets);
        let _ = (Uri::parse(&text), NameAddr::parse(&octets));
        let _ = (Challenge::parse_all([&*text]), Credentials::parse(&text));
        let mut framer = Framer::new();
        for piece in octets.chunks(7) {
            framer.push(piece);
            while let Ok(Some(_)) = framer.next() {}
        }
    }

    #[test]
    fn text_that_looks_like_sip_never_panics(text in "[a-z<>\"\\\\;,:=?@%&/ \r\n0-9\\[\\]]{0,80}") {
        let message = format!(
            "OPTIONS {text} SIP/2.0\r\nVia: {text}\r\nm: {text}\r\nTo: {text}\r\nCSeq: {text}\r\n\
             Route: {text}\r\nWWW-Authenticate: Digest {text}\r\nRetry-After: {text}\r\n\r\n"
        );
        if let Ok(message) = Message::parse(message.as_bytes()) {
            read_all(&message);
        }
        let _ = Credentials::parse(&format!("Digest {text}"));
    }

    #[test]
    fn an_address_that_was_printed_means_the_same(text in address()) {
        let address = NameAddr::parse(text.as_bytes()).expect("an address");
        let again = NameAddr::parse(address.to_string().as_bytes());
        prop_assert_eq!(again, Some(address));
    }

    #[test]
    fn a_uri_prints_as_it_was_read_and_is_equivalent_to_itself(text in uri()) {
        let uri = Uri::parse(&text).expect("a URI");
        prop_assert_eq!(uri.as_str(), &text);
        prop_assert!(uri.is_equivalent(&uri));
        let rebuilt = uri.with_port(uri.port());
        prop_assert!(rebuilt.is_equivalent(&uri), "{}", rebuilt);
    }

    #[test]
    fn a_stream_gives_the_same_messages_however_it_is_cut(
        messages in vec(message(), 1..4),
        size in 1usize..50,
    ) {
        let mut framer = Framer::new();
        let mut seen = Vec::new();
        for piece in messages.concat().chunks(size) {
            framer.push(piece);
            while let Some(frame) = framer.next().expect("no framing error") {
                seen.push(frame);
            }
        }
        prop_assert_eq!(seen.len(), messages.len());
    }
}
