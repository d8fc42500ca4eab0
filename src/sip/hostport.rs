//! A configured server: `host:port`.
//!
//! The spelling of every `...Host` object. The empty string, `0.0.0.0` and
//! `0.0.0.0:0` mean none; port 0 means that DNS decides (SRV, then 5060 or 5061).

use std::fmt;
use std::net::IpAddr;

use thiserror::Error;

/// A host name or address, and a port where 0 leaves it to DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// A name in lower case, or an address without brackets.
    pub host: String,
    /// 0 where the port is left to SRV.
    pub port: u16,
}

/// Why a text is no `host:port`.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum HostPortError {
    /// The part behind the colon is not a port.
    #[error("the port of {0} is not a number up to 65535")]
    Port(String),
    /// The host has a character that no host name or address has.
    #[error("the host of {0} is neither a name nor an address")]
    Host(String),
}

impl HostPort {
    /// Reads the value of a `...Host` object; none where it says that there is no server.
    pub fn parse(text: &str) -> Result<Option<Self>, HostPortError> {
        let text = text.trim();
        let (host, port) = split(text)?;
        if host.is_empty() || host == "0.0.0.0" || host == "::" {
            return Ok(None);
        }
        if host.parse::<IpAddr>().is_err() && !host.bytes().all(is_name_octet) {
            return Err(HostPortError::Host(text.to_owned()));
        }
        Ok(Some(Self {
            host: host.to_ascii_lowercase(),
            port,
        }))
    }

    /// The address, where the host is one.
    pub fn address(&self) -> Option<IpAddr> {
        self.host.parse().ok()
    }

    /// The host as a URI writes it: IPv6 in brackets (RFC 3261 §25.1).
    pub fn uri_host(&self) -> String {
        bracketed(&self.host)
    }

    /// The URI part behind `sip:`: the port only where one is set.
    pub fn uri_hostport(&self) -> String {
        match self.port {
            0 => self.uri_host(),
            port => format!("{}:{port}", self.uri_host()),
        }
    }
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.uri_host(), self.port)
    }
}

/// `host` in brackets where it is an IPv6 address.
pub fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') {
        format!("[{host}]")
    } else {
        host.to_owned()
    }
}

fn split(text: &str) -> Result<(&str, u16), HostPortError> {
    let no_port = |host| Ok((host, 0));
    if let Some(rest) = text.strip_prefix('[') {
        let Some((host, tail)) = rest.split_once(']') else {
            return Err(HostPortError::Host(text.to_owned()));
        };
        return match tail.strip_prefix(':') {
            Some(port) => Ok((host, number(text, port)?)),
            None if tail.is_empty() => no_port(host),
            None => Err(HostPortError::Host(text.to_owned())),
        };
    }
    match text.matches(':').count() {
        0 => no_port(text),
        1 => {
            let (host, port) = text.split_once(':').unwrap_or((text, ""));
            Ok((host, number(text, port)?))
        }
        // An IPv6 address without brackets has no room for a port.
        _ => no_port(text),
    }
}

fn number(text: &str, port: &str) -> Result<u16, HostPortError> {
    port.parse()
        .map_err(|_| HostPortError::Port(text.to_owned()))
}

fn is_name_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, u16)> {
        HostPort::parse(text)
            .expect("a host and port")
            .map(|it| (it.host, it.port))
    }

    #[test]
    fn names_and_addresses_are_read_with_and_without_a_port() {
        assert_eq!(
            parsed("Sip.Example:5070"),
            Some(("sip.example".into(), 5070))
        );
        assert_eq!(parsed("sip.example"), Some(("sip.example".into(), 0)));
        assert_eq!(
            parsed("[2001:db8::1]:5061"),
            Some(("2001:db8::1".into(), 5061))
        );
        assert_eq!(parsed("2001:db8::1"), Some(("2001:db8::1".into(), 0)));
    }

    #[test]
    fn an_empty_host_and_the_zero_address_mean_none() {
        for none in ["", "0.0.0.0", "0.0.0.0:0", ":0"] {
            assert_eq!(parsed(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_host_and_port_is_refused() {
        for bad in ["a:70000", "a:b", "[::1", "a b", "a/b:1"] {
            assert!(HostPort::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_ipv6_host_prints_in_brackets() {
        let host = HostPort {
            host: "2001:db8::1".into(),
            port: 0,
        };
        assert_eq!(host.to_string(), "[2001:db8::1]:0");
        assert_eq!(host.uri_hostport(), "[2001:db8::1]");
    }
}
