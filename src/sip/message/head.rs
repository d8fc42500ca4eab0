//! Where the head of a message ends, and what its two parts are.

use super::Message;
use super::error::ParseError;
use super::headers::Headers;
use super::limits::{MAX_LINE, MAX_MESSAGE};
use super::request::Request;
use super::response::Response;

/// A message without its body, and where the body starts.
pub(super) fn read(octets: &[u8]) -> Result<(Message, &[u8]), ParseError> {
    if octets.len() > MAX_MESSAGE {
        return Err(ParseError::TooLarge(octets.len()));
    }
    // RFC 3261 §7.5: empty lines before the start line are ignored.
    let octets = skip_empty_lines(octets);
    let feed = octets.iter().position(|&octet| octet == b'\n');
    let line = &octets[..feed.ok_or(ParseError::StartLine)?];
    let after = &octets[line.len() + 1..];
    let mut message = start_line(line.strip_suffix(b"\r").ok_or(ParseError::StartLine)?)?;
    let (headers, length) = Headers::read(after)?;
    *message.headers_mut() = headers;
    // A datagram that ends after a whole line lacks nothing but the empty line.
    Ok((message, after.get(length + 2..).unwrap_or_default()))
}

fn start_line(line: &[u8]) -> Result<Message, ParseError> {
    if line.len() > MAX_LINE {
        return Err(ParseError::LineTooLong(1));
    }
    let version = line.get(..4).unwrap_or_default();
    match version.eq_ignore_ascii_case(b"SIP/") {
        true => Response::read_line(line).map(Message::Response),
        false => Request::read_line(line).map(Message::Request),
    }
}

/// Without the CRLFs at its start.
pub(super) fn skip_empty_lines(mut octets: &[u8]) -> &[u8] {
    while let Some(rest) = octets.strip_prefix(b"\r\n") {
        octets = rest;
    }
    octets
}
