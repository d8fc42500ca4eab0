//! Our reading of typical messages beside that of rsip, another parser.
//!
//! Where both understand a message they must agree. What rsip reads wrongly is
//! listed with the reason, and the list is checked: an entry on which rsip has
//! come to agree fails, and leaves.

use demarc::sip::message::{Contact, HeaderName, Message};
use rsip::headers::{ToTypedHeader, UntypedHeader};
use rsip::message::{HasHeaders, HeadersExt};

/// What a message says, in words that both readings can be put into.
#[derive(Debug, PartialEq, Eq)]
struct Facts {
    start: String,
    call_id: String,
    cseq: (u32, String),
    vias: usize,
    transport: String,
    sent_by: String,
    branch: Option<String>,
    from: (String, Option<String>),
    to: (String, Option<String>),
    contacts: Vec<String>,
    max_forwards: Option<u32>,
    expires: Option<u32>,
    body: Vec<u8>,
}

#[test]
fn typical_messages_mean_the_same_to_both() {
    let corpus = corpus();
    assert!(corpus.len() > 200, "only {} messages", corpus.len());
    for text in corpus {
        let ours = ours(&text).expect(&text);
        let theirs = theirs(&text).expect(&text);
        assert_eq!(ours, theirs, "{text}");
    }
}

#[test]
fn each_known_disagreement_is_still_one() {
    for (reason, text) in disagreements() {
        let ours = ours(&text);
        assert!(ours.is_some(), "we must read this: {reason}\n{text}");
        assert_ne!(ours, theirs(&text), "rsip agrees now: {reason}\n{text}");
    }
}

/// Every combination of these pieces is a message of an everyday kind.
fn corpus() -> Vec<String> {
    let starts = [
        ("REGISTER sip:example.org SIP/2.0", "REGISTER"),
        ("INVITE sip:desk@gw.example.org:5070 SIP/2.0", "INVITE"),
        ("OPTIONS sip:192.0.2.4;transport=TCP SIP/2.0", "OPTIONS"),
        (
            "BYE sip:desk@192.0.2.4:5061;transport=TLS;lr SIP/2.0",
            "BYE",
        ),
        ("SIP/2.0 200 OK", "INVITE"),
        ("SIP/2.0 401 Unauthorized", "REGISTER"),
    ];
    let vias = [
        "Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKa1\r\n",
        "Via: SIP/2.0/TLS gw.example.org;branch=z9hG4bKa2;received=192.0.2.9\r\n\
         Via: SIP/2.0/TCP pbx.example.org:5062;branch=z9hG4bKa3\r\n",
    ];
    let parties = [
        "From: <sip:lobby@example.org>;tag=f1\r\nTo: <sip:desk@example.org>\r\n",
        "From: \"The Lobby\" <sip:lobby@example.org:5070>;tag=f2\r\n\
         To: Desk <sip:desk@example.org;user=phone>;tag=t2\r\n",
        "From: sip:lobby@example.org;tag=f3\r\nTo: sip:desk@example.org;tag=t3\r\n",
    ];
    let extras = [
        "Max-Forwards: 70\r\nContact: <sip:desk@192.0.2.4:16000;transport=TLS>\r\nExpires: 600\r\n",
        "Max-Forwards: 69\r\nUser-Agent: demarc\r\nSubject: a, b; c\r\n",
        "Contact: <sip:a@192.0.2.4>;expires=60\r\nContact: <sip:b@192.0.2.5>;q=0.5\r\n",
    ];
    let bodies = ["", "v=0\r\no=- 1 1 IN IP4 192.0.2.4\r\n"];
    let mut corpus = Vec::new();
    for (start, method) in starts {
        for via in vias {
            for party in parties {
                for extra in extras {
                    for body in bodies {
                        let number = corpus.len() + 1;
                        let length = body.len();
                        corpus.push(format!(
                            "{start}\r\n{via}{party}Call-ID: c{number}@example.org\r\n\
                             CSeq: {number} {method}\r\n{extra}Content-Length: {length}\r\n\r\n{body}"
                        ));
                    }
                }
            }
        }
    }
    corpus
}

/// Valid messages that rsip 0.4 reads wrongly or not at all.
fn disagreements() -> Vec<(&'static str, String)> {
    let plain = "OPTIONS sip:desk@example.org SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bKa1\r\n\
        From: <sip:lobby@example.org>;tag=f1\r\n\
        To: <sip:desk@example.org>\r\n\
        Call-ID: c1\r\n\
        CSeq: 1 OPTIONS\r\n\
        Contact: <sip:lobby@192.0.2.4>\r\n\
        Content-Length: 0\r\n\r\n";
    assert_eq!(
        ours(plain),
        theirs(plain),
        "only the changes are in dispute"
    );
    let with = |old: &str, new: &str| {
        assert!(plain.contains(old), "{old}");
        plain.replace(old, new)
    };
    vec![
        (
            "methods beyond those of its list are refused (RFC 3261 §7.1: token)",
            with("OPTIONS", "DANCE"),
        ),
        (
            "a folded header field is not read on (RFC 3261 §7.3.1)",
            with("To: <sip", "To:\r\n <sip"),
        ),
        (
            "white space before the colon is not allowed for (RFC 3261 §25.1, HCOLON)",
            with("Call-ID:", "Call-ID :"),
        ),
        (
            "several Contacts on one line are not read (RFC 3261 §7.3.1)",
            with(
                "<sip:lobby@192.0.2.4>",
                "<sip:lobby@192.0.2.4>, <sip:lobby@192.0.2.5>",
            ),
        ),
        (
            "transports beyond those of its list are refused (RFC 3261 §25.1, other-transport)",
            with("UDP", "PIGEON"),
        ),
        (
            "a lower-case transport parameter is rewritten, which breaks the digest URI",
            with("desk@example.org SIP", "desk@example.org;transport=tls SIP"),
        ),
        (
            "white space around the slashes of Via is not allowed for (RFC 3261 §25.1, SLASH)",
            with("SIP/2.0/UDP", "SIP / 2.0 / UDP"),
        ),
    ]
}

fn ours(text: &str) -> Option<Facts> {
    let message = Message::parse(text.as_bytes()).ok()?;
    let (start, body) = match &message {
        Message::Request(request) => {
            let uri = String::from_utf8_lossy(request.uri.as_bytes());
            (format!("{} {uri}", request.method), &request.body)
        }
        Message::Response(response) => (response.status.to_string(), &response.body),
    };
    let headers = message.headers();
    let via = headers.via().ok()?;
    let cseq = headers.cseq().ok()?;
    let from = headers.from().ok()?;
    let to = headers.to().ok()?;
    let port = via.port.map(|port| format!(":{port}"));
    let contacts = headers.contacts().ok()?;
    Some(Facts {
        start,
        call_id: headers.call_id().ok()?.to_owned(),
        cseq: (cseq.number, cseq.method.to_string()),
        vias: headers.values(&HeaderName::Via).count(),
        transport: via.transport.to_string(),
        sent_by: format!("{}{}", via.host, port.unwrap_or_default()),
        branch: via.branch().map(str::to_owned),
        from: (from.uri.to_string(), from.tag().map(str::to_owned)),
        to: (to.uri.to_string(), to.tag().map(str::to_owned)),
        contacts: contacts
            .iter()
            .filter_map(Contact::address)
            .map(|address| address.uri.to_string())
            .collect(),
        max_forwards: headers.max_forwards().map(u32::from),
        expires: headers.expires(),
        body: body.clone(),
    })
}

fn theirs(text: &str) -> Option<Facts> {
    let message = rsip::SipMessage::try_from(text.as_bytes()).ok()?;
    let start = match &message {
        rsip::SipMessage::Request(request) => format!("{} {}", request.method, request.uri),
        rsip::SipMessage::Response(response) => response.status_code.code().to_string(),
    };
    let via = message.via_header().ok()?.typed().ok()?;
    let cseq = message.cseq_header().ok()?.typed().ok()?;
    let from = message.from_header().ok()?.typed().ok()?;
    let to = message.to_header().ok()?.typed().ok()?;
    let vias = message
        .headers()
        .iter()
        .filter(|header| matches!(header, rsip::Header::Via(_)));
    let contacts = message
        .contact_headers()
        .into_iter()
        .map(|contact| Some(contact.typed().ok()?.uri.to_string()))
        .collect::<Option<Vec<String>>>()?;
    Some(Facts {
        start,
        call_id: message.call_id_header().ok()?.value().to_owned(),
        cseq: (cseq.seq, cseq.method.to_string()),
        vias: vias.count(),
        transport: via.transport.to_string(),
        sent_by: via.uri.host_with_port.to_string(),
        branch: via.branch().map(|branch| branch.value().to_owned()),
        from: (
            from.uri.to_string(),
            from.tag().map(|tag| tag.value().to_owned()),
        ),
        to: (
            to.uri.to_string(),
            to.tag().map(|tag| tag.value().to_owned()),
        ),
        contacts,
        max_forwards: message
            .max_forwards_header()
            .ok()
            .and_then(|header| header.num().ok()),
        expires: message
            .expires_header()
            .and_then(|header| header.seconds().ok()),
        body: message.body().clone(),
    })
}
