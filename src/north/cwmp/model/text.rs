//! Values as text, as TR-106 writes them (§3.2), and what their parts are.

use super::map::Leaf;
use crate::schema::Value;
use crate::wire::soap::message::Kind;
use crate::wire::time::UnixTime;
use std::net::{IpAddr, Ipv6Addr};

/// What stands for a value that nobody has published.
pub(super) fn nothing(kind: Kind) -> &'static str {
    match kind {
        Kind::String | Kind::Base64 | Kind::Hex => "",
        Kind::Int | Kind::Long | Kind::UnsignedInt | Kind::UnsignedLong => "0",
        Kind::Boolean => "false",
        Kind::DateTime => UNKNOWN_TIME,
    }
}

/// The two parts of a host:port. An unspecified address is no host, but keeps
/// a port that came before its host.
pub(super) fn host_and_port(text: &str) -> (String, u16) {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, port),
        _ => (text, ""),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    let host = match address.is_ok_and(|address| address.is_unspecified()) {
        true => "",
        false => host,
    };
    (host.to_owned(), port.parse().unwrap_or(0))
}

/// A host:port; without a host an address that is none keeps the port.
pub(super) fn joined(host: &str, port: u16) -> Value {
    let is_v6 = host.parse::<Ipv6Addr>().is_ok();
    Value::from(match (host, port) {
        ("", 0) => String::new(),
        ("", port) => format!("0.0.0.0:{port}"),
        (host, 0) => host.to_owned(),
        (host, port) if is_v6 => format!("[{host}]:{port}"),
        (host, port) => format!("{host}:{port}"),
    })
}

/// The two numbers of a range of periods; no second one: no greatest.
pub(super) fn period_range(text: &str) -> (u32, Option<u32>) {
    let text = if text.is_empty() { "60-60" } else { text };
    let (least, greatest) = text.split_once('-').unwrap_or((text, text));
    (least.parse().unwrap_or(u32::MAX), greatest.parse().ok())
}

/// A range of periods.
pub(super) fn ranged(least: u32, greatest: Option<u32>) -> Value {
    let greatest = greatest.map_or_else(String::new, |greatest| greatest.to_string());
    Value::from(format!("{least}-{greatest}"))
}

/// The text as TR-106 writes it, where it is of the type and in its range.
pub(super) fn canonical(leaf: &Leaf, text: &str) -> Option<String> {
    let (low, high) = leaf.range;
    let number = |least: i64, most: i64| {
        let number: i64 = text.trim().parse().ok()?;
        let fits = (least.max(low)..=most.min(high)).contains(&number);
        fits.then(|| number.to_string())
    };
    let longest = usize::try_from(leaf.most).unwrap_or(usize::MAX);
    match leaf.kind {
        Kind::String | Kind::Base64 | Kind::Hex => {
            (leaf.most == 0 || text.len() <= longest).then(|| text.to_owned())
        }
        Kind::Int => number(i32::MIN.into(), i32::MAX.into()),
        Kind::Long => number(i64::MIN, i64::MAX),
        Kind::UnsignedInt => number(0, u32::MAX.into()),
        Kind::UnsignedLong => number(0, i64::MAX),
        // XML Schema 2 §3.2.2: four spellings.
        Kind::Boolean => match text.trim() {
            "1" | "true" => Some("true".to_owned()),
            "0" | "false" => Some("false".to_owned()),
            _ => None,
        },
        Kind::DateTime => match text.trim() {
            unknown if unknown.starts_with("0001-01-01T00:00:00") => Some(UNKNOWN_TIME.to_owned()),
            time => UnixTime::parse(time).map(UnixTime::iso8601),
        },
    }
}

/// Adds a number in decimal.
pub(super) fn push_number(number: i64, text: &mut String) {
    if number < 0 {
        text.push('-');
    }
    push_digits(number.unsigned_abs(), text);
}

fn push_digits(number: u64, text: &mut String) {
    if number > 9 {
        push_digits(number / 10, text);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// TR-106 §3.6.1.
pub(super) fn is_alias(text: &str) -> bool {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    text.len() <= 64
        && text.bytes().all(plain)
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
}

pub(super) fn time(text: &str) -> String {
    match UnixTime::parse(text) {
        Some(time) => time.iso8601(),
        None => UNKNOWN_TIME.to_owned(),
    }
}

/// TR-106 §3.2.3: a time that is not known.
const UNKNOWN_TIME: &str = "0001-01-01T00:00:00Z";
