//! A request: what is asked of whom.

use super::error::ParseError;
use super::headers::Headers;
use super::method::Method;
use super::name::HeaderName;
use super::uri::Uri;

/// A SIP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub method: Method,
    /// Of whom.
    pub uri: RequestUri,
    /// The version that the sender speaks.
    pub version: Version,
    /// All header fields.
    pub headers: Headers,
    /// The body, as long as Content-Length says or the octets reach.
    pub body: Vec<u8>,
}

/// What stands between method and version. A malformed one is kept, so that the
/// request can be answered 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestUri {
    /// A URI.
    Uri(Uri),
    /// Octets that are none.
    Malformed(Box<[u8]>),
}

/// The version at the end of a request line or the start of a status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Version {
    /// `SIP/2.0`.
    Two,
    /// Anything else that starts with `SIP/`, in any case, as received.
    Other(Box<str>),
}

impl Request {
    /// A request without header fields.
    pub fn new(method: Method, uri: Uri) -> Request {
        Request {
            method,
            uri: RequestUri::Uri(uri),
            version: Version::Two,
            headers: Headers::new(),
            body: Vec::new(),
        }
    }

    /// The Request-URI, if it is well formed.
    pub fn target(&self) -> Option<&Uri> {
        match &self.uri {
            RequestUri::Uri(uri) => Some(uri),
            RequestUri::Malformed(_) => None,
        }
    }

    /// Gives the request its body and says its length.
    pub fn set_body(&mut self, body: Vec<u8>) {
        self.headers.set(HeaderName::ContentLength, body.len());
        self.body = body;
    }

    /// The octets to send.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(START + self.headers.printed_len() + self.body.len());
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.uri.as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.version.as_str().as_bytes());
        out.extend_from_slice(b"\r\n");
        self.headers.print(&mut out);
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        out
    }

    /// Reads `Method SP Request-URI SP SIP-Version`. Only the version's place
    /// tells a request line; the rest may be wrong and still be answered.
    pub(super) fn read_line(line: &[u8]) -> Result<Request, ParseError> {
        let space = line.iter().position(|&octet| octet == b' ');
        let version = line
            .windows(SIP.len())
            .rposition(|window| window.eq_ignore_ascii_case(SIP));
        let (Some(space), Some(version)) = (space, version) else {
            return Err(ParseError::StartLine);
        };
        if space == 0 || version <= space {
            return Err(ParseError::StartLine);
        }
        let method = std::str::from_utf8(&line[..space]);
        let version_text = std::str::from_utf8(&line[version + 1..]);
        let (Ok(method), Ok(version_text)) = (method, version_text) else {
            return Err(ParseError::StartLine);
        };
        Ok(Request {
            method: Method::new(method),
            uri: RequestUri::read(&line[space + 1..version]),
            version: Version::read(version_text),
            headers: Headers::new(),
            body: Vec::new(),
        })
    }
}

impl RequestUri {
    fn read(octets: &[u8]) -> RequestUri {
        let uri = std::str::from_utf8(octets).ok().and_then(Uri::parse);
        uri.map_or_else(|| RequestUri::Malformed(octets.into()), RequestUri::Uri)
    }

    /// The octets as they stand in the request line.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            RequestUri::Uri(uri) => uri.as_str().as_bytes(),
            RequestUri::Malformed(octets) => octets,
        }
    }
}

impl Version {
    pub(super) fn read(text: &str) -> Version {
        match text {
            "SIP/2.0" => Version::Two,
            _ => Version::Other(text.into()),
        }
    }

    /// The version as written.
    pub fn as_str(&self) -> &str {
        match self {
            Version::Two => "SIP/2.0",
            Version::Other(text) => text,
        }
    }

    /// Whether this is version 2.0, in any case (RFC 3261 §7.1).
    pub fn is_two(&self) -> bool {
        self.as_str().eq_ignore_ascii_case("SIP/2.0")
    }
}

/// How a version starts, with the space before it.
const SIP: &[u8] = b" SIP/";
/// Room for a typical start line and the empty line.
const START: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Result<Request, ParseError> {
        Request::read_line(text.as_bytes())
    }

    #[test]
    fn a_wrong_uri_is_kept_to_be_answered() {
        for uri in ["<sip:a@b>", "sip:a@b; lr", " sip:a@b ", ""] {
            let request = line(&format!("INVITE {uri} SIP/2.0")).expect(uri);
            assert_eq!(request.uri, RequestUri::Malformed(uri.as_bytes().into()));
        }
    }

    #[test]
    fn another_version_is_kept_to_be_answered() {
        let request = line("OPTIONS sip:a@b SIP/7.0").expect("a request line");
        assert!(!request.version.is_two());
        assert!(
            line("OPTIONS sip:a@b sip/2.0")
                .expect("a request line")
                .version
                .is_two()
        );
    }

    #[test]
    fn what_names_no_version_is_none_of_sip() {
        for bad in [
            "",
            "INVITE",
            "INVITE sip:a@b",
            "GET / HTTP/1.1",
            " SIP/2.0",
            "INVITE SIP/2.0",
        ] {
            assert_eq!(line(bad), Err(ParseError::StartLine), "{bad}");
        }
    }

    #[test]
    fn a_made_request_prints_in_order() {
        let uri = Uri::parse("sip:example.net").expect("a URI");
        let mut request = Request::new(Method::Register, uri);
        request.headers.push(HeaderName::CSeq, "1 REGISTER");
        request.set_body(b"x".to_vec());
        assert_eq!(
            request.to_bytes(),
            b"REGISTER sip:example.net SIP/2.0\r\nCSeq: 1 REGISTER\r\nContent-Length: 1\r\n\r\nx"
        );
    }
}
