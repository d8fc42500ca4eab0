//! A response: how a request fared.

use std::borrow::Cow;

use super::error::ParseError;
use super::headers::Headers;
use super::name::HeaderName;
use super::request::{Request, Version};
use super::status::StatusCode;

/// A SIP response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The code.
    pub status: StatusCode,
    /// The phrase as received; it should be UTF-8 and need not be.
    pub reason: Vec<u8>,
    /// The version that the sender speaks.
    pub version: Version,
    /// All header fields.
    pub headers: Headers,
    /// The body, as long as Content-Length says or the octets reach.
    pub body: Vec<u8>,
}

impl Response {
    /// A response to `request` with what RFC 3261 §8.2.6.2 has it copy, octet
    /// for octet. The To gets `to_tag` unless it has a tag, and not in a 100.
    pub fn answering(request: &Request, status: StatusCode, to_tag: Option<&str>) -> Response {
        let mut headers = Headers::new();
        for name in COPIED {
            headers.copy(&name, &request.headers);
        }
        let tagged = request.headers.to().is_ok_and(|to| to.tag().is_some());
        // To a value that names nobody no parameter can belong.
        let is_empty = request
            .headers
            .get(&HeaderName::To)
            .is_none_or(|value| value.trim_ascii().is_empty());
        if let Some(tag) = to_tag
            && !tagged
            && !is_empty
            && status != StatusCode::TRYING
        {
            headers.extend_value(&HeaderName::To, &format!(";tag={tag}"));
        }
        headers.push(HeaderName::ContentLength, 0);
        Response {
            status,
            reason: status.phrase().into(),
            version: Version::Two,
            headers,
            body: Vec::new(),
        }
    }

    /// The phrase for people.
    pub fn reason_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.reason)
    }

    /// Gives the response its body and says its length.
    pub fn set_body(&mut self, body: Vec<u8>) {
        self.headers.set(HeaderName::ContentLength, body.len());
        self.body = body;
    }

    /// The octets to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(START + self.headers.printed_len() + self.body.len());
        out.extend_from_slice(self.version.as_str().as_bytes());
        out.extend_from_slice(format!(" {} ", self.status).as_bytes());
        out.extend_from_slice(&self.reason);
        out.extend_from_slice(b"\r\n");
        self.headers.print(&mut out);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// Reads `SIP-Version SP Status-Code SP Reason-Phrase`. A missing phrase may
    /// take its space with it; it is printed again.
    pub(super) fn read_line(line: &[u8]) -> Result<Response, ParseError> {
        let mut words = line.splitn(3, |&octet| octet == b' ');
        let version = words.next().and_then(|word| std::str::from_utf8(word).ok());
        let version = Version::read(version.ok_or(ParseError::StartLine)?);
        if !version.is_two() {
            return Err(ParseError::StartLine);
        }
        let code = words.next().ok_or(ParseError::StartLine)?;
        Ok(Response {
            status: status(code).ok_or(ParseError::StatusCode)?,
            reason: words.next().unwrap_or_default().to_vec(),
            version,
            headers: Headers::new(),
            body: Vec::new(),
        })
    }
}

/// Exactly three digits.
fn status(code: &[u8]) -> Option<StatusCode> {
    let digits = code.len() == 3 && code.iter().all(u8::is_ascii_digit);
    let code = std::str::from_utf8(code).ok().filter(|_| digits)?;
    StatusCode::new(code.parse().ok()?)
}

/// RFC 3261 §8.2.6.2.
const COPIED: [HeaderName; 5] = [
    HeaderName::Via,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CallId,
    HeaderName::CSeq,
];
/// Room for a typical start line and the empty line.
const START: usize = 64;

#[cfg(test)]
mod tests {
    use super::super::Message;
    use super::*;

    fn request(to: &str) -> Request {
        let text = format!(
            "OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nSubject: x\r\n\
             VIA: SIP/2.0/UDP i\r\nTo: {to}\r\nf: sip:c@d;tag=1\r\nCall-ID: k\r\nCSeq: 7 OPTIONS\r\n\r\n"
        );
        match Message::parse(text.as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("no request: {other:?}"),
        }
    }

    #[test]
    fn an_answer_copies_what_matches_it_to_the_request() {
        let answer = Response::answering(&request("sip:a@b"), StatusCode::OK, Some("t1"));
        assert_eq!(
            String::from_utf8_lossy(&answer.to_bytes()),
            "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nVIA: SIP/2.0/UDP i\r\n\
             f: sip:c@d;tag=1\r\nTo: sip:a@b;tag=t1\r\nCall-ID: k\r\nCSeq: 7 OPTIONS\r\n\
             Content-Length: 0\r\n\r\n"
        );
    }

    #[test]
    fn an_empty_to_gets_no_tag() {
        let answer = Response::answering(&request(""), StatusCode::BAD_REQUEST, Some("t1"));
        let printed = answer.to_bytes();
        assert!(!printed.windows(6).any(|part| part == b";tag=t"));
    }

    #[test]
    fn a_tag_that_is_there_stays_and_a_100_gets_none() {
        let to = |request: &Request, status| {
            let answer = Response::answering(request, status, Some("t1"));
            answer.headers.text(&HeaderName::To)
        };
        let tagged = request("<sip:a@b>;tag=old");
        assert_eq!(
            to(&tagged, StatusCode::OK).as_deref(),
            Some("<sip:a@b>;tag=old")
        );
        let fresh = request("<sip:a@b>");
        assert_eq!(to(&fresh, StatusCode::TRYING).as_deref(), Some("<sip:a@b>"));
    }

    #[test]
    fn a_phrase_may_be_empty_absent_or_any_octets() {
        let reason = |line: &[u8]| Response::read_line(line).map(|response| response.reason);
        assert_eq!(reason(b"SIP/2.0 100 "), Ok(Vec::new()));
        assert_eq!(reason(b"SIP/2.0 100"), Ok(Vec::new()));
        assert_eq!(
            reason(b"SIP/2.0 200 = 2**3  \xff"),
            Ok(b"= 2**3  \xff".to_vec())
        );
    }

    #[test]
    fn codes_are_three_digits() {
        for bad in ["4294967301", "99", "0200", "2oo", "+20", "700", ""] {
            let line = format!("SIP/2.0 {bad} x");
            let error = Response::read_line(line.as_bytes()).expect_err(bad);
            assert_eq!(error, ParseError::StatusCode, "{bad}");
        }
    }
}
