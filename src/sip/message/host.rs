//! Hosts: names and addresses as URIs and Via write them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::octets;

/// A host (RFC 3261 §25.1); names compare without case.
#[derive(Clone, Debug)]
pub enum Host {
    /// A domain name, as received.
    Name(Box<str>),
    /// An IPv4 address.
    V4(Ipv4Addr),
    /// An IPv6 address; written in brackets (RFC 5118 §4.1).
    V6(Ipv6Addr),
}

impl Host {
    /// Reads a name, an IPv4 address, or an IPv6 address in brackets.
    pub fn parse(text: &str) -> Option<Host> {
        if let Some(rest) = text.strip_prefix('[') {
            return rest.strip_suffix(']')?.parse().ok().map(Host::V6);
        }
        if text.starts_with(|first: char| first.is_ascii_digit())
            && let Ok(address) = text.parse()
        {
            return Some(Host::V4(address));
        }
        is_name(text).then(|| Host::Name(text.into()))
    }

    /// The address, if this is one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Host::Name(_) => None,
            Host::V4(address) => Some((*address).into()),
            Host::V6(address) => Some((*address).into()),
        }
    }
}

/// Reads `host [":" port]`, with white space around the colon.
pub(super) fn host_port(text: &str) -> Option<(Host, Option<u16>)> {
    let bracket = match text.starts_with('[') {
        true => text.find(']')?,
        false => 0,
    };
    let after = &text.as_bytes()[bracket..];
    let colon = after.iter().position(|&octet| octet == b':');
    let colon = colon.map(|at| bracket + at);
    let Some(colon) = colon else {
        return Some((Host::parse(text)?, None));
    };
    let host = Host::parse(text[..colon].trim_ascii_end())?;
    Some((host, Some(port(text[colon + 1..].trim_ascii_start())?)))
}

/// A port: digits only, not 0.
pub(super) fn port(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let port = digits.then(|| text.parse().ok())??;
    (port != 0).then_some(port)
}

/// Labels of letters, digits, hyphens and underscores; a dot may end the name.
fn is_name(text: &str) -> bool {
    let mut before = b'.';
    let fine = text.bytes().all(|octet| match octet {
        b'.' => std::mem::replace(&mut before, octet) != b'.',
        _ => {
            before = octet;
            octets::is(octet, octets::NAME)
        }
    });
    fine && !text.is_empty() && text.len() <= MAX_NAME
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Host {
        match address {
            IpAddr::V4(address) => Host::V4(address),
            IpAddr::V6(address) => Host::V6(address),
        }
    }
}

impl PartialEq for Host {
    fn eq(&self, other: &Host) -> bool {
        match (self, other) {
            (Host::Name(a), Host::Name(b)) => a.eq_ignore_ascii_case(b),
            (Host::V4(a), Host::V4(b)) => a == b,
            (Host::V6(a), Host::V6(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Host {}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::V4(address) => write!(f, "{address}"),
            Host::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// RFC 1035 §2.3.4.
const MAX_NAME: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_needs_its_brackets() {
        assert_eq!(host_port("2001:db8::10"), None);
        assert_eq!(host_port("[2001:db8::10"), None);
        let (host, port) = host_port("[2001:db8::10]:5070").expect("a reference and a port");
        assert_eq!(host.to_string(), "[2001:db8::10]");
        assert_eq!(port, Some(5070));
    }

    #[test]
    fn what_looks_like_a_port_inside_brackets_is_address() {
        let (host, port) = host_port("[2001:db8::10:5070]").expect("an address");
        assert_eq!(host.address(), "2001:db8::10:5070".parse().ok());
        assert_eq!(port, None);
    }

    #[test]
    fn names_compare_without_case() {
        assert_eq!(Host::parse("Example.COM"), Host::parse("example.com"));
        assert_ne!(Host::parse("192.0.2.1"), Host::parse("192.0.2.2"));
    }

    #[test]
    fn ports_are_digits_from_1_to_65535() {
        assert_eq!(port("65535"), Some(65_535));
        for bad in ["", "0", "65536", "+5", "5a"] {
            assert_eq!(port(bad), None, "{bad}");
        }
    }
}
