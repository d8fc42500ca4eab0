//! Lines that are no media line: `o=`, `c=`, `a=`, and all others as text.

use std::fmt;
use std::net::IpAddr;

use super::attribute::Attribute;

/// A line of a session or of a medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// `c=`
    Connection(Connection),
    /// `a=`
    Attribute(Attribute),
    /// Any other, by its letter, its value as written.
    Other(char, String),
}

/// `o=` (RFC 8866 §5.2). Session and version are numbers of any length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The user, `-` for none.
    pub user: String,
    /// Names the session, in digits.
    pub session: String,
    /// Grows with each change, in digits.
    pub version: String,
    /// The host that made it.
    pub host: Connection,
}

/// `c=` (RFC 8866 §5.7), and the end of `o=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection {
    /// `IP4` or `IP6`.
    pub family: Family,
    /// An address, a name, or a multicast address with its scope, as written.
    pub host: String,
}

/// The kind of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `IP4`
    Ip4,
    /// `IP6`
    Ip6,
}

impl Connection {
    /// The line of an address.
    #[must_use]
    pub fn new(address: IpAddr) -> Self {
        let family = match address {
            IpAddr::V4(_) => Family::Ip4,
            IpAddr::V6(_) => Family::Ip6,
        };
        Self {
            family,
            host: address.to_string(),
        }
    }

    /// The address; none for a name, a multicast address or one of the other family.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let address: IpAddr = self.host.parse().ok()?;
        let fits = address.is_ipv4() == (self.family == Family::Ip4);
        (fits && !address.is_multicast()).then_some(address)
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (net, family, host) = (words.next()?, words.next()?, words.next()?);
        let family = match family.to_ascii_uppercase().as_str() {
            "IP4" => Family::Ip4,
            "IP6" => Family::Ip6,
            _ => return None,
        };
        let whole = net.eq_ignore_ascii_case("IN") && words.next().is_none();
        whole.then(|| Self {
            family,
            host: host.to_owned(),
        })
    }
}

impl Origin {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(4, ' ');
        let user = words.next()?.to_owned();
        let (session, version) = (words.next()?, words.next()?);
        let host = Connection::parse(words.next()?)?;
        let digits = |word: &str| {
            let length = 1..=MAX_NUMBER;
            length.contains(&word.len()) && word.bytes().all(|octet| octet.is_ascii_digit())
        };
        (!user.is_empty() && digits(session) && digits(version)).then(|| Self {
            user,
            session: session.to_owned(),
            version: version.to_owned(),
            host,
        })
    }
}

impl fmt::Display for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let family = match self.family {
            Family::Ip4 => "IP4",
            Family::Ip6 => "IP6",
        };
        write!(formatter, "IN {family} {}", self.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (user, session, version) = (&self.user, &self.session, &self.version);
        write!(formatter, "{user} {session} {version} {}", self.host)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(connection) => write!(formatter, "c={connection}"),
            Self::Attribute(attribute) => write!(formatter, "a={attribute}"),
            Self::Other(kind, value) => write!(formatter, "{kind}={value}"),
        }
    }
}

pub(super) fn print(lines: &[Line], formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    lines
        .iter()
        .try_for_each(|line| write!(formatter, "{line}\r\n"))
}

pub(super) fn attributes(lines: &[Line]) -> impl Iterator<Item = &Attribute> {
    lines.iter().filter_map(|line| match line {
        Line::Attribute(attribute) => Some(attribute),
        _ => None,
    })
}

pub(super) fn connection(lines: &[Line]) -> Option<&Connection> {
    lines.iter().find_map(|line| match line {
        Line::Connection(connection) => Some(connection),
        _ => None,
    })
}

/// Digits of a session or a version; 64 bits need 20.
const MAX_NUMBER: usize = 32;
