//! The judge of requests and responses that could be read.
//!
//! [`validate`] asks what every element asks (RFC 3261 §8.2 before any method is
//! looked at, RFC 4475 §3); [`Abilities::admit`](super::Abilities::admit) asks what this element can do
//! (§8.2.1 to §8.2.3). Each refusal knows the status code that answers it.

use super::error::FieldError;
use super::headers::Headers;
use super::limits::MAX_URI;
use super::method::Method;
use super::name::HeaderName;
use super::refuse::{Discard, Refuse};
use super::request::{Request, RequestUri};
use super::response::Response;
use super::scan;
use super::uri::{Scheme, Uri};

/// Judges a request by what every element must refuse.
pub fn validate(request: &Request) -> Result<(), Refuse> {
    start_line(request)?;
    let headers = &request.headers;
    lines(headers).map_err(Refuse::Line)?;
    single_fields(headers)?;
    let cseq = needed_fields(headers)?;
    if cseq != request.method {
        return Err(match &request.method {
            // RFC 4475 §3.1.2.18: 501 is the better of the two answers.
            method @ Method::Extension(_) => Refuse::UnknownMethod(method.clone()),
            _ => Refuse::MethodMismatch,
        });
    }
    if headers.via()?.branch() == Some(MAGIC_COOKIE) {
        return Err(Refuse::EmptyBranch);
    }
    match body_is_whole(headers, &request.body)? {
        true => Ok(()),
        false => Err(Refuse::BodyTooShort),
    }
}

/// Judges a response by what a client must throw away.
pub fn validate_response(response: &Response) -> Result<(), Discard> {
    let headers = &response.headers;
    lines(headers).map_err(Discard::Line)?;
    single_fields(headers)?;
    needed_fields(headers)?;
    if headers.values(&HeaderName::Via).count() > 1 {
        return Err(Discard::NotForUs);
    }
    match body_is_whole(headers, &response.body)? {
        true => Ok(()),
        false => Err(Discard::BodyTooShort),
    }
}

fn start_line(request: &Request) -> Result<(), Refuse> {
    if !request.version.is_two() {
        return Err(match is_version(request.version.as_str()) {
            true => Refuse::Version,
            false => Refuse::RequestLine,
        });
    }
    if !scan::is_token(request.method.as_str().as_bytes()) {
        return Err(Refuse::RequestLine);
    }
    let length = request.uri.as_bytes().len();
    match &request.uri {
        _ if length > MAX_URI => Err(Refuse::UriTooLong(length)),
        RequestUri::Malformed(_) => Err(Refuse::RequestLine),
        RequestUri::Uri(uri) => request_uri(uri),
    }
}

fn request_uri(uri: &Uri) -> Result<(), Refuse> {
    match uri.scheme() {
        Scheme::Other => Err(Refuse::Scheme),
        // RFC 3261 §19.1.1, table 1.
        _ if uri.has_headers() => Err(Refuse::UriHeaders),
        _ => Ok(()),
    }
}

/// `"SIP" "/" 1*DIGIT "." 1*DIGIT`.
fn is_version(text: &str) -> bool {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_digit());
    text.get(4..)
        .and_then(|numbers| numbers.split_once('.'))
        .is_some_and(|(major, minor)| digits(major) && digits(minor))
}

/// The number of the first line that is no header field; the start line is 1.
fn lines(headers: &Headers) -> Result<(), usize> {
    let wrong = headers
        .as_written()
        .position(|(name, rest)| !scan::is_token(name) || !is_rest_of_line(rest));
    wrong.map_or(Ok(()), |at| Err(at + 2))
}

/// A colon and a value, where each line end is part of a fold.
fn is_rest_of_line(rest: &[u8]) -> bool {
    let mut rest = scan::trim(rest);
    if !rest.starts_with(b":") {
        return false;
    }
    while let Some(at) = rest.iter().position(|octet| b"\r\n".contains(octet)) {
        match &rest[at..] {
            [b'\r', b'\n', b' ' | b'\t', tail @ ..] => rest = tail,
            _ => return false,
        }
    }
    true
}

/// RFC 3261 §7.3.1: only lists may stand on several lines.
fn single_fields(headers: &Headers) -> Result<(), FieldError> {
    for name in &SINGLE {
        if headers.all(name).nth(1).is_some() {
            return Err(FieldError::Repeated(name.clone()));
        }
    }
    Ok(())
}

/// Reads all that routing and matching need (RFC 3261 §8.1.1); gives the CSeq's
/// method. Max-Forwards may be absent and From may lack its tag: RFC 2543 had
/// neither (RFC 4475 §3.4.1).
fn needed_fields(headers: &Headers) -> Result<Method, FieldError> {
    headers.call_id()?;
    headers.from()?;
    headers.to()?;
    let cseq = headers.cseq()?;
    if cseq.number >= CSEQ_END {
        return Err(FieldError::Malformed(HeaderName::CSeq));
    }
    if headers.vias()?.is_empty() {
        return Err(FieldError::Missing(HeaderName::Via));
    }
    headers.contacts()?;
    headers.routes()?;
    headers.record_routes()?;
    Ok(cseq.method)
}

fn body_is_whole(headers: &Headers, body: &[u8]) -> Result<bool, FieldError> {
    let said = headers.content_length()?;
    Ok(said.is_none_or(|length| length <= body.len()))
}

/// RFC 3261 §8.1.1.7.
const MAGIC_COOKIE: &str = "z9hG4bK";
/// RFC 3261 §8.1.1.5.
const CSEQ_END: u32 = 1 << 31;
/// Fields of which there is one value.
const SINGLE: [HeaderName; 16] = [
    HeaderName::CallId,
    HeaderName::From,
    HeaderName::To,
    HeaderName::CSeq,
    HeaderName::MaxForwards,
    HeaderName::ContentLength,
    HeaderName::ContentType,
    HeaderName::ContentDisposition,
    HeaderName::Expires,
    HeaderName::MinExpires,
    HeaderName::RetryAfter,
    HeaderName::Date,
    HeaderName::Event,
    HeaderName::ReferTo,
    HeaderName::SessionExpires,
    HeaderName::MinSe,
];
