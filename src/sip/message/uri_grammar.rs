//! The grammar of URIs: where the parts stand, or that the text is none.

use super::escape;
use super::host::{self, Host};
use super::limits::{MAX_LINE, MAX_PARAMS};
use super::octets;
use super::scan;
use super::uri::Scheme;

/// What a text turned out to be.
pub(super) struct Outline {
    pub(super) scheme: Scheme,
    pub(super) host: Option<Host>,
    pub(super) port: Option<u16>,
    pub(super) parts: Parts,
}

/// Where the parts stand in the text, as octet offsets. An absent part is empty.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Parts {
    /// After the scheme's colon.
    pub(super) body: usize,
    /// End of the user part; `body` if there is none.
    pub(super) user: usize,
    /// End of user and password: where `@` stands, if it does.
    pub(super) userinfo: usize,
    /// Where parameters start, with their `;`.
    pub(super) params: usize,
    /// Where headers start, with their `?`.
    pub(super) headers: usize,
}

/// Reads a whole URI.
pub(super) fn read(text: &str) -> Option<Outline> {
    let colon = end_at(text, 0, b":");
    let (name, body) = (&text[..colon], colon + 1);
    if text.len() > MAX_LINE || !is_scheme(name) || body >= text.len() {
        return None;
    }
    match scheme(name) {
        scheme @ (Scheme::Sip | Scheme::Sips) => sip(scheme, text, body),
        Scheme::Tel => tel(text, body),
        Scheme::Other => other(text, body),
    }
}

/// `[ userinfo "@" ] hostport params [ headers ]` (RFC 3261 §25.1).
fn sip(scheme: Scheme, text: &str, body: usize) -> Option<Outline> {
    // Neither hosts nor parameters nor headers may hold a bare `@`.
    let at = Some(end_at(text, body, b"@")).filter(|&at| at < text.len());
    let userinfo = at.unwrap_or(body);
    let user = end_at(&text[..userinfo], body, b":");
    let after = at.map_or(body, |at| at + 1);
    let params = end_at(text, after, b";?");
    let headers = end_at(text, params, b"?");
    let host_port = &text[after..params];
    let fine = (at.is_none() || is_user(&text[body..user]))
        && is_password(&text[user..userinfo])
        && !host_port.bytes().any(scan::is_space)
        && are_params(&text[params..headers])
        && are_headers(&text[headers..]);
    let (host, port) = host::host_port(host_port).filter(|_| fine)?;
    Some(Outline {
        scheme,
        host: Some(host),
        port,
        parts: Parts {
            body,
            user,
            userinfo,
            params,
            headers,
        },
    })
}

/// A number and parameters (RFC 3966 §3).
fn tel(text: &str, body: usize) -> Option<Outline> {
    let params = end_at(text, body, b";");
    let number = &text[body..params];
    let fine =
        !number.is_empty() && number.bytes().all(is_number_octet) && are_params(&text[params..]);
    fine.then_some(Outline {
        scheme: Scheme::Tel,
        host: None,
        port: None,
        parts: Parts {
            body,
            user: params,
            userinfo: params,
            params,
            headers: text.len(),
        },
    })
}

fn other(text: &str, body: usize) -> Option<Outline> {
    text.bytes().all(is_uri_octet).then_some(Outline {
        scheme: Scheme::Other,
        host: None,
        port: None,
        parts: Parts {
            body,
            user: body,
            userinfo: body,
            params: text.len(),
            headers: text.len(),
        },
    })
}

fn scheme(name: &str) -> Scheme {
    match name {
        _ if name.eq_ignore_ascii_case("sip") => Scheme::Sip,
        _ if name.eq_ignore_ascii_case("sips") => Scheme::Sips,
        _ if name.eq_ignore_ascii_case("tel") => Scheme::Tel,
        _ => Scheme::Other,
    }
}

fn is_scheme(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_alphanumeric() || b"+-.".contains(&octet))
}

/// `#` is against the grammar and common in what people dial.
fn is_user(user: &str) -> bool {
    !user.is_empty() && escape::is_escaped_text(user, octets::USER, b"#")
}

/// With its colon, or nothing.
fn is_password(password: &str) -> bool {
    let password = password.strip_prefix(':').unwrap_or(password);
    escape::is_escaped_text(password, octets::PASSWORD, b"")
}

fn is_number_octet(octet: u8) -> bool {
    octet.is_ascii_hexdigit() || b"+-.()*#".contains(&octet)
}

/// No white space, no control, none of the marks that end a URI.
fn is_uri_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b"<>\"".contains(&octet)
}

/// With their first `;`, or nothing.
fn are_params(text: &str) -> bool {
    let Some(list) = text.strip_prefix(';') else {
        return text.is_empty();
    };
    are_few(list, ';') && list.split(';').all(is_param)
}

/// `=` in a value is against the grammar and met where values are base64.
fn is_param(param: &str) -> bool {
    let (name, value) = param.split_once('=').unwrap_or((param, "0"));
    !name.is_empty()
        && escape::is_escaped_text(name, octets::PARAM, b"")
        && !value.is_empty()
        && escape::is_escaped_text(value, octets::PARAM, b"=")
}

/// With their `?`, or nothing.
fn are_headers(text: &str) -> bool {
    let Some(list) = text.strip_prefix('?') else {
        return text.is_empty();
    };
    are_few(list, '&') && list.split('&').all(is_header)
}

fn is_header(header: &str) -> bool {
    header.split_once('=').is_some_and(|(name, value)| {
        !name.is_empty()
            && escape::is_escaped_text(name, octets::HEADER, b"")
            && escape::is_escaped_text(value, octets::HEADER, b"")
    })
}

fn are_few(list: &str, separator: char) -> bool {
    list.split(separator).nth(MAX_PARAMS).is_none()
}

/// Where the first of `ends` stands from `start` on, or the end of the text.
fn end_at(text: &str, start: usize, ends: &[u8]) -> usize {
    text.as_bytes()[start..]
        .iter()
        .position(|octet| ends.contains(octet))
        .map_or(text.len(), |at| start + at)
}
