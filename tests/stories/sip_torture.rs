//! Messages of our own for each class of torture in RFC 4475 and RFC 5118.

use demarc::sip::message::{
    Abilities, Host, Message, Method, ParseError, Request, Response, Uri, unescape, validate,
    validate_response,
};

/// A request of our own: what differs comes first, what is missing is added.
struct Draft {
    line: &'static str,
    fields: Vec<(&'static str, String)>,
    body: &'static str,
}

fn draft(line: &'static str) -> Draft {
    let method = line.split(' ').next().unwrap_or_default();
    let fields = [
        ("Via", "SIP/2.0/UDP pbx.example.org;branch=z9hG4bKd1"),
        ("Max-Forwards", "70"),
        ("From", "<sip:lobby@example.org>;tag=f1"),
        ("To", "<sip:desk@example.org>"),
        ("Call-ID", "d1@pbx.example.org"),
    ];
    let mut fields: Vec<(&str, String)> = fields
        .into_iter()
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    fields.push(("CSeq", format!("21 {method}")));
    Draft {
        line,
        fields,
        body: "",
    }
}

impl Draft {
    fn with(mut self, name: &'static str, value: &str) -> Draft {
        match self.fields.iter_mut().find(|(own, _)| *own == name) {
            Some((_, own)) => *own = value.to_owned(),
            None => self.fields.push((name, value.to_owned())),
        }
        self
    }

    fn and(mut self, name: &'static str, value: &str) -> Draft {
        self.fields.push((name, value.to_owned()));
        self
    }

    fn without(mut self, name: &str) -> Draft {
        self.fields.retain(|(own, _)| *own != name);
        self
    }

    fn body(mut self, body: &'static str) -> Draft {
        self.body = body;
        self
    }

    fn text(&self) -> String {
        let fields: String = self
            .fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        format!("{}\r\n{fields}\r\n{}", self.line, self.body)
    }

    fn read(&self) -> Request {
        let text = self.text();
        match Message::parse(text.as_bytes()) {
            Ok(Message::Request(request)) => {
                assert_eq!(request.to_bytes(), text.as_bytes(), "lossless");
                request
            }
            other => panic!("no request: {other:?}\n{text}"),
        }
    }

    fn status(&self) -> Option<u16> {
        let request = self.read();
        let judged = validate(&request).and_then(|()| ENDPOINT.admit(&request));
        judged.err().map(|refuse| refuse.status().code())
    }

    fn is_served(&self) {
        assert_eq!(self.status(), None, "{}", self.text());
    }

    fn is_refused(&self, code: u16) {
        assert_eq!(self.status(), Some(code), "{}", self.text());
    }
}

fn response(text: &str) -> Response {
    match Message::parse(text.as_bytes()) {
        Ok(Message::Response(response)) => response,
        other => panic!("no response: {other:?}\n{text}"),
    }
}

const ENDPOINT: Abilities<'static> = Abilities {
    methods: &[
        Method::Invite,
        Method::Ack,
        Method::Options,
        Method::Register,
    ],
    extensions: &[],
    media: &["application/sdp"],
};
const OPTIONS: &str = "OPTIONS sip:desk@example.org SIP/2.0";
const REGISTER: &str = "REGISTER sip:example.org SIP/2.0";
const INVITE: &str = "INVITE sip:desk@example.org SIP/2.0";
const ANSWER: &str = "SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP gw.example.org;branch=z9hG4bKr1\r\n\
    From: <sip:gw@example.org>;tag=f2\r\n\
    To: <sip:desk@example.org>;tag=t2\r\n\
    Call-ID: r1\r\n\
    CSeq: 5 OPTIONS\r\n\
    Content-Length: 0\r\n\r\n";

// RFC 4475 §3.1.1: valid.

#[test]
fn folds_spaces_compact_names_and_odd_case_are_read() {
    let text = "OPTIONS sip:desk@example.org;odd SIP/2.0\r\n\
        T :\r\n sip:desk@example.org ;\r\n\ttag   = t3\r\n\
        FROM  : \"Lobby \\\\\\\"east\\\"\"   <sip:lobby@example.org>\r\n  ; tag\r\n  = f3\r\n\
        max-FORWARDS: 0007\r\n\
        i: d2\r\n\
        cseq: 00021\r\n\t OPTIONS\r\n\
        s :\r\n\
        X-Unheard: ;;,,;\r\n\
        v:  SIP  /  2.0 /  TCP   one.example.org  ; branch =  z9hG4bKa ,\r\n\
        \x20SIP / 2.0\r\n /UDP 192.0.2.77 :5070; branch=\r\n z9hG4bKb\r\n\
        Via: SIP/2.0/UDP 192.0.2.78;branch=old\r\n\
        l : 0\r\n\r\n";
    let Ok(Message::Request(request)) = Message::parse(text.as_bytes()) else {
        panic!("no request");
    };
    assert_eq!(validate(&request), Ok(()));
    assert_eq!(request.to_bytes(), text.as_bytes());
    let headers = &request.headers;
    let from = headers.from().expect("a From");
    assert_eq!(from.display.as_deref(), Some("Lobby \\\"east\""));
    assert_eq!(from.tag(), Some("f3"));
    assert_eq!(headers.to().expect("a To").tag(), Some("t3"));
    assert_eq!(headers.max_forwards(), Some(7));
    assert_eq!(headers.cseq().expect("a CSeq").number, 21);
    let vias = headers.vias().expect("three Vias");
    let branches: Vec<_> = vias.iter().map(|via| via.branch()).collect();
    assert_eq!(branches, [Some("z9hG4bKa"), Some("z9hG4bKb"), Some("old")]);
    assert_eq!(vias[1].port, Some(5070));
}

#[test]
fn a_method_of_odd_tokens_is_read_and_not_implemented() {
    draft("!dance.*_%41'~ sip:desk@example.org SIP/2.0").is_refused(501);
    draft("OPTION%53 sip:desk@example.org SIP/2.0").is_refused(501);
}

#[test]
fn octets_of_any_value_survive_in_quotes_and_unknown_fields() {
    let mut octets = draft(OPTIONS)
        .with(
            "To",
            "\"BEL:\\\u{7} NUL:\\\u{0} DEL:\\\u{7f} é\" <sip:desk@example.org>",
        )
        .text()
        .into_bytes();
    let at = octets.len() - 2;
    octets.splice(at..at, *b"X-Raw: \xff\xfe\x80\r\n");
    let message = Message::parse(&octets).expect("a message");
    assert_eq!(message.to_bytes(), octets);
    let Message::Request(request) = message else {
        panic!("a request");
    };
    assert_eq!(validate(&request), Ok(()));
    let to = request.headers.to().expect("a To");
    assert_eq!(
        to.display.as_deref(),
        Some("BEL:\u{7} NUL:\u{0} DEL:\u{7f} é")
    );
}

#[test]
fn percent_escapes_only_in_uris_and_only_once() {
    let request = draft(OPTIONS)
        .with("To", "\"%41\" <sip:d%65sk%2541@example.org;%6C%72>")
        .and("C%6Fntact", "<sip:not@example.org>")
        .read();
    assert_eq!(validate(&request), Ok(()));
    let to = request.headers.to().expect("a To");
    assert_eq!(to.display.as_deref(), Some("%41"));
    assert_eq!(
        to.uri.user().map(unescape).as_deref(),
        Some(&b"desk%41"[..])
    );
    assert_eq!(request.headers.contacts(), Ok(Vec::new()));
}

#[test]
fn escaped_nulls_keep_contacts_apart() {
    let request = draft(REGISTER)
        .and("Contact", "<sip:%00@192.0.2.1>")
        .and("Contact", "<sip:%00%00@192.0.2.1>")
        .read();
    let contacts = request.headers.contacts().expect("two contacts");
    let users: Vec<Vec<u8>> = contacts
        .iter()
        .filter_map(|contact| contact.address()?.uri.user().map(unescape))
        .collect();
    assert_eq!(users, [b"\0".to_vec(), b"\0\0".to_vec()]);
}

#[test]
fn a_display_name_may_touch_its_bracket() {
    draft(OPTIONS)
        .with("From", "lobby<sip:lobby@example.org>;tag=1")
        .is_served();
}

#[test]
fn long_values_and_many_vias_are_read() {
    let long = "longer".repeat(200);
    let mut request = draft(OPTIONS)
        .with(
            "To",
            &format!("\"{long}\" <sip:desk@example.org;{long}={long}>"),
        )
        .with("Call-ID", &long);
    for hop in 0..40 {
        request = request.and("v", &format!("SIP/2.0/TCP hop{hop}.example.org"));
    }
    request.is_served();
}

#[test]
fn octets_behind_the_body_are_no_part_of_the_message() {
    let mut text = draft(REGISTER).with("Content-Length", "0").text();
    let length = text.len();
    text.push_str("\r\nINVITE sip:joe@example.org SIP/2.0\r\n");
    let message = Message::parse(text.as_bytes()).expect("a message");
    assert_eq!(message.to_bytes(), &text.as_bytes()[..length]);
}

#[test]
fn a_semicolon_in_the_user_part_starts_no_parameter() {
    let request = draft("OPTIONS sip:desk;x=1%40a@example.org SIP/2.0").read();
    let target = request.target().expect("a target");
    assert_eq!(target.user(), Some("desk;x=1%40a"));
    assert_eq!(target.params().count(), 0);
}

#[test]
fn transports_nobody_knows_are_read() {
    let request = draft(OPTIONS)
        .and("Via", "SIP/2.0/PIGEON loft.example.org;branch=z9hG4bKp")
        .read();
    assert_eq!(validate(&request), Ok(()));
    let vias = request.headers.vias().expect("two Vias");
    assert_eq!(&*vias[1].transport, "PIGEON");
}

#[test]
fn reason_phrases_may_be_odd_or_empty() {
    for phrase in ["", "= 2**3 * 5**2 не прошло девяносто лет"] {
        let text = ANSWER.replacen("OK", phrase, 1);
        let response = response(&text);
        assert_eq!(validate_response(&response), Ok(()));
        assert_eq!(response.reason_text(), phrase);
        assert_eq!(response.to_bytes(), text.as_bytes());
    }
}

// RFC 4475 §3.1.2: invalid.

#[test]
fn stray_separators_are_400() {
    draft(OPTIONS)
        .with("Via", "SIP/2.0/UDP 192.0.2.1;;,")
        .is_refused(400);
    draft(INVITE)
        .and("Contact", "\"J\" <sip:j@example.org>;;")
        .is_refused(400);
}

#[test]
fn a_content_length_that_cannot_be_is_400() {
    let body = |length: &str| draft(OPTIONS).body("hello").and("Content-Length", length);
    body("5").is_served();
    body("6").is_refused(400);
    body("-5").is_refused(400);
    body("5").and("l", "5").is_refused(400);
}

#[test]
fn numbers_that_are_too_large_are_400_in_cseq_and_ignored_elsewhere() {
    draft(OPTIONS)
        .with("CSeq", "4294967296 OPTIONS")
        .is_refused(400);
    draft(OPTIONS)
        .with("CSeq", "2147483648 OPTIONS")
        .is_refused(400);
    draft(OPTIONS)
        .with("CSeq", "2147483647 OPTIONS")
        .is_served();
    let request = draft(REGISTER)
        .with("Max-Forwards", "300")
        .and("Expires", "99999999999")
        .and("Contact", "<sip:a@192.0.2.1>;expires=99999999999");
    request.is_served();
    assert_eq!(request.read().headers.expires(), None);
}

#[test]
fn a_response_with_a_number_that_is_too_large_is_thrown_away() {
    let text = ANSWER.replace("CSeq: 5", "CSeq: 99999999999999999999");
    assert!(validate_response(&response(&text)).is_err());
    let text = ANSWER.replacen("200", "4294967496", 1);
    assert_eq!(Message::parse(text.as_bytes()), Err(ParseError::StatusCode));
}

#[test]
fn a_quote_without_end_is_400() {
    draft(OPTIONS)
        .with("To", "\"Desk <sip:desk@example.org>")
        .is_refused(400);
}

#[test]
fn a_request_line_that_breaks_the_grammar_is_400() {
    for line in [
        "OPTIONS <sip:desk@example.org> SIP/2.0",
        "OPTIONS sip:desk@example.org; lr SIP/2.0",
        "OPTIONS  sip:desk@example.org  SIP/2.0",
        "OPTIONS sip:desk@example.org SIP/2.0 ",
        "OPTIONS sip:desk@example.org?Route=%3Csip:x%3E SIP/2.0",
        "OPTIONS desk SIP/2.0",
        "OPTIONS sip:desk@example.org SIP/two",
    ] {
        draft(line).is_refused(400);
    }
}

#[test]
fn a_date_in_another_zone_is_nobodys_trouble() {
    draft(OPTIONS)
        .and("Date", "Tue, 24 Nov 2026 08:00:00 CET")
        .is_served();
}

#[test]
fn addresses_that_break_the_grammar_are_400() {
    draft(REGISTER)
        .and("Contact", "sip:a@example.org?Route=%3Csip:x%3E")
        .is_refused(400);
    draft(OPTIONS)
        .with("To", "\"Desk\" < sip:desk@example.org >")
        .is_refused(400);
    draft(OPTIONS)
        .with("From", "East, Lobby <sip:lobby@example.org>;tag=1")
        .is_refused(400);
}

#[test]
fn another_version_is_505() {
    draft("OPTIONS sip:desk@example.org SIP/3.1").is_refused(505);
    draft("OPTIONS sip:desk@example.org sip/2.0").is_served();
}

#[test]
fn a_cseq_of_another_method_is_400_or_501() {
    draft(OPTIONS).with("CSeq", "1 INVITE").is_refused(400);
    draft("DANCE sip:desk@example.org SIP/2.0")
        .with("CSeq", "1 INVITE")
        .is_refused(501);
}

// RFC 4475 §3.2 and §3.3: transactions and applications.

#[test]
fn a_branch_of_nothing_but_the_cookie_is_400() {
    draft(OPTIONS)
        .with("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK")
        .is_refused(400);
}

#[test]
fn a_request_without_what_it_needs_is_400() {
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        draft(OPTIONS).without(name).is_refused(400);
    }
}

#[test]
fn a_scheme_that_is_not_served_is_416() {
    draft("OPTIONS unheardof:anything SIP/2.0").is_refused(416);
    draft("OPTIONS http://www.example.org SIP/2.0").is_refused(416);
    draft("OPTIONS tel:+15550100 SIP/2.0").is_served();
}

#[test]
fn other_schemes_in_headers_are_read() {
    draft(OPTIONS)
        .with("To", "isbn:2983792873")
        .with("From", "<http://www.example.org>;tag=1")
        .is_served();
}

#[test]
fn an_extension_that_is_required_is_420() {
    draft(OPTIONS).and("Require", "teleport").is_refused(420);
    draft(OPTIONS).and("Proxy-Require", "teleport").is_served();
}

#[test]
fn a_body_of_an_unknown_type_is_415() {
    draft(INVITE)
        .body("<x/>")
        .and("Content-Type", "application/unheardof")
        .is_refused(415);
}

#[test]
fn credentials_of_an_unknown_scheme_are_read() {
    draft(REGISTER)
        .and("Authorization", "Handshake secret=yes")
        .is_served();
}

#[test]
fn what_may_be_there_once_is_400_when_it_is_twice() {
    for (name, value) in [
        ("Call-ID", "other"),
        ("CSeq", "9 OPTIONS"),
        ("From", "<sip:x@example.org>;tag=9"),
        ("To", "<sip:x@example.org>"),
        ("Max-Forwards", "70"),
    ] {
        draft(OPTIONS).and(name, value).is_refused(400);
    }
}

#[test]
fn a_response_for_somebody_else_is_thrown_away() {
    let second = "Via: SIP/2.0/UDP 255.255.255.255;branch=z9hG4bKx\r\nFrom:";
    let text = ANSWER.replacen("From:", second, 1);
    assert!(validate_response(&response(&text)).is_err());
}

#[test]
fn an_endpoint_minds_no_hops() {
    draft(OPTIONS).with("Max-Forwards", "0").is_served();
}

#[test]
fn unknown_contact_parameters_and_headers_are_read() {
    for contact in [
        "sip:desk@192.0.2.5;odd",
        "<sip:desk@192.0.2.5;odd>",
        "<sip:desk@192.0.2.5?Route=%3Csip:edge.example.org%3E>",
    ] {
        draft(REGISTER).and("Contact", contact).is_served();
    }
}

#[test]
fn an_offer_that_can_only_be_answered_in_an_unknown_type_is_406() {
    draft(INVITE)
        .and("Accept", "text/unheardof")
        .is_refused(406);
}

#[test]
fn a_request_of_rfc_2543_is_served() {
    draft(INVITE)
        .with("Via", "SIP/2.0/UDP old.example.org")
        .with("From", "<sip:lobby@example.org>")
        .without("Max-Forwards")
        .is_served();
}

#[test]
fn a_line_that_is_no_field_is_400() {
    let text = draft(OPTIONS)
        .text()
        .replacen("Max-Forwards: 70", "Foobar", 1);
    for bad in [
        "Foobar roobar",
        "Foobar",
        "Foo bar: 1",
        "X: a\nb",
        "X: a\rb",
        ": x",
    ] {
        let text = text.replacen("Foobar", bad, 1);
        let Ok(Message::Request(request)) = Message::parse(text.as_bytes()) else {
            panic!("no request: {text}");
        };
        assert_eq!(request.to_bytes(), text.as_bytes());
        let status = validate(&request).map_err(|refuse| refuse.status().code());
        assert_eq!(status, Err(400), "{bad:?}");
    }
}

#[test]
fn a_request_uri_that_is_too_long_is_414() {
    let line = format!("OPTIONS sip:{}@example.org SIP/2.0", "x".repeat(2_100));
    let text = draft(OPTIONS).text().replacen(OPTIONS, &line, 1);
    let Ok(Message::Request(request)) = Message::parse(text.as_bytes()) else {
        panic!("no request");
    };
    let status = validate(&request).map_err(|refuse| refuse.status().code());
    assert_eq!(status, Err(414));
}

// RFC 5118: IPv6.

#[test]
fn an_ipv6_reference_stands_in_brackets() {
    draft("OPTIONS sip:[2001:db8::10] SIP/2.0")
        .with("Via", "SIP/2.0/UDP [2001:db8::9:1];branch=z9hG4bKv6")
        .is_served();
    draft("OPTIONS sip:2001:db8::10 SIP/2.0").is_refused(400);
    draft(OPTIONS)
        .with("Via", "SIP/2.0/UDP 2001:db8::9:1;branch=z9hG4bKv6")
        .is_refused(400);
}

#[test]
fn what_stands_inside_the_brackets_is_no_port() {
    let parts = |text: &str| {
        let uri = Uri::parse(text).expect("a URI");
        (uri.host().and_then(Host::address), uri.port())
    };
    assert_eq!(
        parts("sip:[2001:db8::10:5070]"),
        ("2001:db8::10:5070".parse().ok(), None)
    );
    assert_eq!(
        parts("sip:[2001:db8::10]:5070"),
        ("2001:db8::10".parse().ok(), Some(5070))
    );
}

#[test]
fn received_may_have_brackets_or_not() {
    for received in ["2001:db8::9:255", "[2001:db8::9:255]"] {
        let via = format!("SIP/2.0/UDP [2001:db8::9:1];received={received};branch=z9hG4bKv6");
        let request = draft(OPTIONS).with("Via", &via).read();
        assert_eq!(validate(&request), Ok(()));
        let seen = request.headers.via().expect("a Via").received();
        assert_eq!(seen, "2001:db8::9:255".parse().ok());
    }
}

#[test]
fn families_may_be_mixed_and_mapped() {
    draft("OPTIONS sip:desk@[2001:db8::20] SIP/2.0")
        .with("Via", "SIP/2.0/UDP [2001:db8::9:1]:6050;branch=z9hG4bKv6")
        .and("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKv4")
        .and("Contact", "<sip:desk@[::ffff:192.0.2.10]:5060>")
        .is_served();
}

#[test]
fn three_colons_are_no_address() {
    // RFC 5954 took them out of the grammar.
    draft("OPTIONS sip:desk@[2001:db8:::192.0.2.1] SIP/2.0").is_refused(400);
}

#[test]
fn an_ipv6_via_of_each_hop_stands_in_its_own_brackets() {
    let vias = draft(OPTIONS)
        .with(
            "Via",
            "SIP/2.0/TCP [2001:db8::a]:5061;branch=z9hG4bKa;received=[2001:db8::a], SIP/2.0/UDP [::1];branch=z9hG4bKb",
        )
        .read()
        .headers
        .vias()
        .expect("two Vias");
    assert_eq!(
        (vias.len(), vias[0].port, vias[1].port),
        (2, Some(5061), None)
    );
}

#[test]
fn a_body_that_names_ipv6_addresses_is_carried_as_it_is() {
    let body = "v=0\r\no=lobby 1 1 IN IP6 2001:db8::20\r\ns=-\r\nt=0 0\r\nc=IN IP6 2001:db8::20\r\nm=audio 6000 RTP/AVP 0\r\nm=video 6010 RTP/AVP 31\r\nc=IN IP4 192.0.2.1\r\n";
    let invite = draft(INVITE)
        .body(body)
        .and("Content-Type", "application/sdp");
    invite.is_served();
    assert_eq!(invite.read().body, body.as_bytes());
}

#[test]
fn one_address_of_ipv6_is_the_same_however_it_is_written() {
    let uri = |text: &str| Uri::parse(text).expect("a URI");
    let short = uri("sip:desk@[2001:db8::20]:5060");
    assert!(short.is_equivalent(&uri("sip:desk@[2001:0DB8:0:0:0:0:0:20]:5060")));
    assert!(!short.is_equivalent(&uri("sip:desk@[2001:db8::20]")));
    assert!(!short.is_equivalent(&uri("sip:desk@[2001:db8::21]:5060")));
}

#[test]
fn an_address_of_ipv6_that_is_none_is_400() {
    for host in [
        "[2001:db8::g]",
        "[2001:db8",
        "[::1::2]",
        "[192.0.2.1]",
        "[]",
    ] {
        let via = format!("SIP/2.0/UDP {host};branch=z9hG4bKv6");
        draft(OPTIONS).with("Via", &via).is_refused(400);
        let contact = format!("<sip:desk@{host}>");
        draft(REGISTER).and("Contact", &contact).is_refused(400);
    }
}
