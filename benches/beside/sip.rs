//! Our SIP messages beside rsip's: reading with the fields that every element
//! needs, and printing.

use std::hint::black_box;
use std::path::Path;
use std::{env, fs};

use demarc::sip::message::{HeaderName, Message, Request, RequestUri};
use rsip::headers::ToTypedHeader;
use rsip::message::HeadersExt;

use crate::measure::{THREAD, alternate, each, repeat};
use crate::report::{Report, Target, Unit};

pub(crate) fn run(report: &mut Report) {
    report.table(
        "SIP messages, a second and core",
        &[
            THREAD.to_owned(),
            "peer: rsip 0.4".to_owned(),
            "REGISTER with credentials, INVITE with SDP, 401 and 200, in turns".to_owned(),
            "parse: the start line, Via, From, To, CSeq and Contact typed and read".to_owned(),
        ],
    );
    let goal = Target::AtLeast(500_000.0);
    let ours = || {
        each(TIMES, |at| {
            read(MESSAGES[at % 4].as_bytes()).expect("typical")
        })
    };
    let theirs = || {
        each(TIMES / 10, |at| {
            read_by_rsip(MESSAGES[at % 4].as_bytes()).expect("typical")
        })
    };
    let (our_cost, their_cost) = alternate(ours, theirs);
    report.pair(
        "parse",
        Unit::PerSecond,
        1e6 / our_cost,
        1e6 / their_cost,
        goal,
    );

    let ours = MESSAGES.map(|text| Message::parse(text.as_bytes()).expect("typical"));
    let theirs = MESSAGES.map(|text| rsip::SipMessage::try_from(text).expect("typical"));
    let (our_cost, their_cost) = alternate(
        || each(TIMES, |at| _ = black_box(ours[at % 4].to_bytes())),
        || each(TIMES / 10, |at| _ = black_box(theirs[at % 4].to_string())),
    );
    report.pair(
        "print",
        Unit::PerSecond,
        1e6 / our_cost,
        1e6 / their_cost,
        goal,
    );

    let Message::Request(like) = &ours[0] else {
        panic!("a request comes first");
    };
    let cost = repeat(|| each(TIMES, |_| _ = black_box(made(like).to_bytes())));
    report.alone(
        "make from typed fields, and print",
        Unit::PerSecond,
        1e6 / cost,
        goal,
    );
    if let Some(folder) = env::var_os("DEMARC_VECTORS") {
        torture(Path::new(&folder));
    }
}

/// Reads what every element reads.
fn read(octets: &[u8]) -> Option<()> {
    let message = Message::parse(octets).ok()?;
    let headers = message.headers();
    black_box(headers.via().ok()?);
    black_box(headers.from().ok()?);
    black_box(headers.to().ok()?);
    black_box(headers.cseq().ok()?);
    black_box(headers.contacts().ok()?);
    black_box(&message);
    Some(())
}

fn read_by_rsip(octets: &[u8]) -> Option<()> {
    let message = rsip::SipMessage::try_from(octets).ok()?;
    black_box(message.via_header().ok()?.typed().ok()?);
    black_box(message.from_header().ok()?.typed().ok()?);
    black_box(message.to_header().ok()?.typed().ok()?);
    black_box(message.cseq_header().ok()?.typed().ok()?);
    for contact in message.contact_headers() {
        black_box(contact.typed().ok()?);
    }
    black_box(&message);
    Some(())
}

/// A request with the fields of another, each printed from its meaning.
fn made(like: &Request) -> Request {
    let RequestUri::Uri(uri) = &like.uri else {
        panic!("a typical URI");
    };
    let mut request = Request::new(like.method.clone(), uri.clone());
    let from = &like.headers;
    let headers = &mut request.headers;
    headers.push(HeaderName::Via, from.via().expect("typical"));
    headers.push(HeaderName::MaxForwards, 70);
    headers.push(HeaderName::From, from.from().expect("typical"));
    headers.push(HeaderName::To, from.to().expect("typical"));
    headers.push(HeaderName::CallId, from.call_id().expect("typical"));
    headers.push(HeaderName::CSeq, from.cseq().expect("typical"));
    for contact in from.contacts().expect("typical") {
        headers.push(HeaderName::Contact, contact);
    }
    headers.push(HeaderName::ContentLength, 0);
    request
}

/// How many of the valid messages of RFC 4475 §3.1.1 each reads.
fn torture(folder: &Path) {
    let mut counts = [0; 2];
    for name in VALID {
        let file = folder.join("rfc4475").join(format!("{name}.dat"));
        let octets = fs::read(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        // A parser that panics does not read.
        let theirs = std::panic::catch_unwind(|| read_by_rsip(&octets));
        counts[0] += usize::from(read(&octets).is_some());
        counts[1] += usize::from(theirs.is_ok_and(|read| read.is_some()));
    }
    let [ours, theirs] = counts;
    let all = VALID.len();
    println!(
        "\nValid messages of RFC 4475 §3.1.1 that are read: {ours} of {all}; by rsip {theirs} of {all}."
    );
}

const TIMES: usize = 400_000;

const VALID: [&str; 13] = [
    "TC_WSINV",
    "TC_INTMETH",
    "TC_ESC01_V",
    "TC_ESCNULL_V",
    "TC_ESC02_V",
    "TC_LWSDISP_V",
    "TC_LONGREQ_V",
    "TC_DBLREQ",
    "TC_SEMIURI_V",
    "TC_TRANSPORTS_V",
    "TC_MPART01",
    "TC_UNREASON_V",
    "TC_NOREASON_V",
];

const MESSAGES: [&str; 4] = [
    "REGISTER sip:example.org SIP/2.0\r\n\
     Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK776asdhds;rport\r\n\
     Max-Forwards: 70\r\n\
     From: <sip:1000@example.org>;tag=49583\r\n\
     To: <sip:1000@example.org>\r\n\
     Call-ID: 843817637684230@998sdasdh09\r\n\
     CSeq: 1827 REGISTER\r\n\
     Contact: <sip:1000@192.0.2.4:5060>;expires=3600\r\n\
     Authorization: Digest username=\"1000\", realm=\"example.org\", nonce=\"84a4cc6f3082121f32b42a2187831a9e\", \
     uri=\"sip:example.org\", response=\"7587245234b3434cc3412213e5f113a5\", algorithm=MD5\r\n\
     User-Agent: demarc\r\n\
     Content-Length: 0\r\n\r\n",
    "INVITE sip:2000@192.0.2.9:5060 SIP/2.0\r\n\
     Via: SIP/2.0/UDP 192.0.2.20:5060;branch=z9hG4bK0a1b2c\r\n\
     Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK776asdhdt;received=192.0.2.5\r\n\
     Record-Route: <sip:192.0.2.20;lr>\r\n\
     Max-Forwards: 69\r\n\
     From: \"Lobby\" <sip:1000@example.org>;tag=1928301774\r\n\
     To: <sip:2000@example.org>\r\n\
     Call-ID: a84b4c76e66710@192.0.2.4\r\n\
     CSeq: 314159 INVITE\r\n\
     Contact: <sip:1000@192.0.2.4:5060>\r\n\
     Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n\
     Supported: timer, 100rel\r\n\
     Content-Type: application/sdp\r\n\
     Content-Length: 103\r\n\r\n\
     v=0\r\no=- 1 1 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\nm=audio 5004 RTP/AVP 0 8\r\na=sendrecv\r\n\r\n",
    "SIP/2.0 401 Unauthorized\r\n\
     Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK776asdhds;rport=5060\r\n\
     From: <sip:1000@example.org>;tag=49583\r\n\
     To: <sip:1000@example.org>;tag=2493k59kd\r\n\
     Call-ID: 843817637684230@998sdasdh09\r\n\
     CSeq: 1826 REGISTER\r\n\
     WWW-Authenticate: Digest realm=\"example.org\", nonce=\"84a4cc6f3082121f32b42a2187831a9e\", algorithm=MD5\r\n\
     Content-Length: 0\r\n\r\n",
    "SIP/2.0 200 OK\r\n\
     Via: SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK776asdhds;rport=5060\r\n\
     From: <sip:1000@example.org>;tag=49583\r\n\
     To: <sip:1000@example.org>;tag=2493k59ke\r\n\
     Call-ID: 843817637684230@998sdasdh09\r\n\
     CSeq: 1827 REGISTER\r\n\
     Contact: <sip:1000@192.0.2.4:5060>;expires=3600\r\n\
     Server: registrar\r\n\
     Content-Length: 0\r\n\r\n",
];
