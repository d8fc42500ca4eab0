//! The text `host:port` of settings that name a server.
//!
//! For every setting of the syntax MxIpHostNamePort. A host is a name, an IPv4
//! address or an IPv6 address, in brackets where a port follows it. The empty
//! text and an unspecified address mean that there is no server. No name is
//! looked up here.

use std::fmt;
use std::net::IpAddr;

/// A server as a setting names it: never empty, its port not yet defaulted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// Where it is: an address, or a name to be resolved.
    pub host: Host,
    /// 0 where the setting leaves the port to the protocol.
    pub port: u16,
}

/// An address, or a name to be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A literal IPv4 or IPv6 address.
    Address(IpAddr),
    /// A DNS name of at most 253 characters.
    Name(String),
}

/// Why a text is no `host:port`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HostPortError {
    /// What follows the last colon is not 0..65535.
    #[error("the port is not a number from 0 to 65535")]
    Port,
    /// The host holds a character that no name and no address has.
    #[error("the host is neither a name nor an address")]
    Host,
    /// A bracket without its partner, or text around the brackets.
    #[error("the brackets do not hold an IPv6 address")]
    Brackets,
}

impl HostPort {
    /// Reads the text; `None` where it names no server ("", `0.0.0.0:0`, `[::]:0`).
    pub fn parse(text: &str) -> Result<Option<HostPort>, HostPortError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let (host, port) = split(text)?;
        let host = Host::parse(host)?;
        if matches!(host, Host::Address(address) if address.is_unspecified()) {
            return Ok(None);
        }
        Ok(Some(HostPort { host, port }))
    }

    /// The port, or `default` where the setting leaves it to the protocol.
    pub fn port_or(&self, default: u16) -> u16 {
        if self.port == 0 { default } else { self.port }
    }
}

impl Host {
    fn parse(text: &str) -> Result<Host, HostPortError> {
        if let Ok(address) = text.parse() {
            return Ok(Host::Address(address));
        }
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        // Digits and dots alone are a broken address, not a name (RFC 1123 §2.1).
        let digits = text.chars().all(|c| c.is_ascii_digit() || c == '.');
        if text.is_empty() || text.len() > NAME_LIMIT || digits || !text.chars().all(fits) {
            return Err(HostPortError::Host);
        }
        Ok(Host::Name(text.to_owned()))
    }
}

/// The host and the port; a bare IPv6 address has no port.
fn split(text: &str) -> Result<(&str, u16), HostPortError> {
    if let Some(rest) = text.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(HostPortError::Brackets)?;
        if host.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(HostPortError::Brackets);
        }
        return match after.strip_prefix(':') {
            Some(digits) => Ok((host, port(digits)?)),
            None if after.is_empty() => Ok((host, 0)),
            None => Err(HostPortError::Brackets),
        };
    }
    match text.split_once(':') {
        Some((_, rest)) if rest.contains(':') => Ok((text, 0)),
        Some((host, digits)) => Ok((host, port(digits)?)),
        None => Ok((text, 0)),
    }
}

fn port(digits: &str) -> Result<u16, HostPortError> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(HostPortError::Port);
    }
    digits.parse().map_err(|_| HostPortError::Port)
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.host, self.port) {
            (Host::Address(IpAddr::V6(address)), port) if port != 0 => {
                write!(f, "[{address}]:{port}")
            }
            (host, 0) => write!(f, "{host}"),
            (host, port) => write!(f, "{host}:{port}"),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => write!(f, "{address}"),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// RFC 1035 §2.3.4, as text without the final dot.
const NAME_LIMIT: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> HostPort {
        HostPort::parse(text).expect("valid").expect("a server")
    }

    #[test]
    fn names_and_addresses_are_read_with_and_without_a_port() {
        let cases = [
            ("ntp.example.com", 0),
            ("ntp.example.com:123", 123),
            ("192.0.2.1", 0),
            ("192.0.2.1:5514", 5514),
            ("2001:db8::1", 0),
            ("[2001:db8::1]:514", 514),
        ];
        for (text, port) in cases {
            let server = read(text);
            assert_eq!(server.port, port, "{text}");
            assert_eq!(server.to_string(), text);
        }
        assert_eq!(read("[2001:db8::1]").to_string(), "2001:db8::1");
    }

    #[test]
    fn the_empty_text_and_unspecified_addresses_name_no_server() {
        for text in [
            "",
            "  ",
            "0.0.0.0",
            "0.0.0.0:0",
            "0.0.0.0:123",
            "::",
            "[::]:0",
        ] {
            assert_eq!(HostPort::parse(text), Ok(None), "{text}");
        }
    }

    #[test]
    fn port_zero_leaves_the_port_to_the_protocol() {
        assert_eq!(read("a.example:0").port_or(514), 514);
        assert_eq!(read("a.example:1514").port_or(514), 1514);
    }

    #[test]
    fn what_is_no_server_is_refused_with_the_part_at_fault() {
        let cases = [
            ("a.example:", HostPortError::Port),
            ("a.example:65536", HostPortError::Port),
            ("a.example:+5", HostPortError::Port),
            (":514", HostPortError::Host),
            ("a b:514", HostPortError::Host),
            ("300.1.1.1", HostPortError::Host),
            ("1:2:3", HostPortError::Host),
            ("[2001:db8::1", HostPortError::Brackets),
            ("[2001:db8::1]514", HostPortError::Brackets),
            ("[192.0.2.1]:514", HostPortError::Brackets),
        ];
        for (text, fault) in cases {
            assert_eq!(HostPort::parse(text), Err(fault), "{text}");
        }
        let long = format!("{}.example", "a".repeat(250));
        assert_eq!(HostPort::parse(&long), Err(HostPortError::Host));
    }
}
