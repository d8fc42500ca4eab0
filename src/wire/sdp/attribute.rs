//! Attributes (RFC 8866 §6) that a voice gateway speaks of; all others as text.

use std::fmt;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::capability::{AttributeCapability, Configuration, number_of};
use super::crypto::Crypto;
use super::fax::Fax;
use super::line::Connection;
use super::media::Protocol;

/// One attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// `rtpmap` (RFC 8866 §6.6)
    Rtpmap(Rtpmap),
    /// `fmtp` (RFC 8866 §6.15): a format, and its parameters as written.
    Fmtp(String, String),
    /// `ptime` (RFC 8866 §6.4), milliseconds of a packet.
    Ptime(u32),
    /// `maxptime` (RFC 8866 §6.5), milliseconds.
    Maxptime(u32),
    /// `sendrecv`, `sendonly`, `recvonly`, `inactive` (RFC 8866 §6.7)
    Direction(Direction),
    /// `rtcp` (RFC 3605)
    Rtcp(Rtcp),
    /// `rtcp-mux` (RFC 5761)
    RtcpMux,
    /// `crypto` (RFC 4568)
    Crypto(Crypto),
    /// `key-mgmt` (RFC 4567)
    KeyManagement(KeyManagement),
    /// `fingerprint` (RFC 8122)
    Fingerprint(Fingerprint),
    /// `setup` (RFC 4145)
    Setup(Setup),
    /// `tcap` (RFC 5939 §3.4.2): the number of the first protocol, and the protocols.
    TransportCapability(u32, Vec<Protocol>),
    /// `acap` (RFC 5939 §3.4.1)
    AttributeCapability(AttributeCapability),
    /// `pcfg` (RFC 5939 §3.5.1)
    Possible(Configuration),
    /// `acfg` (RFC 5939 §3.5.2)
    Actual(Configuration),
    /// Those of T.38.
    Fax(Fax),
    /// Any other, or one whose value breaks its grammar; no value is not an empty one.
    Other(String, Option<String>),
}

/// What a payload type stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtpmap {
    /// 0 to 127.
    pub payload: u8,
    /// The encoding's name, compared without case.
    pub encoding: String,
    /// RTP clock, Hz.
    pub clock: u32,
    /// Encoding parameters: channels of audio, 1 where there are none.
    pub channels: u8,
}

/// Which way media flow, as seen by who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    SendRecv,
    /// Only from here.
    SendOnly,
    /// Only to here.
    RecvOnly,
    /// Neither way.
    Inactive,
}

/// Where RTCP goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rtcp {
    /// Its port.
    pub port: u16,
    /// Its address, where it is another than that of the medium.
    pub connection: Option<Connection>,
}

/// Another protocol's message; shown without it, since it may hold a key.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyManagement {
    /// `mikey`
    pub protocol: String,
    /// Its message.
    pub data: Vec<u8>,
}

/// Of a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    /// The hash's name, in lower case.
    pub hash: String,
    /// Its value.
    pub octets: Vec<u8>,
}

/// Who opens the association.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Setup {
    /// Who says so.
    Active,
    /// The other.
    Passive,
    /// Either.
    Actpass,
    /// Nobody for now.
    Holdconn,
}

impl Attribute {
    /// Reads what follows `a=`; any text is an attribute.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let known = match text.split_once(':') {
            Some((name, value)) => capability(name, value).or_else(|| valued(name, value)),
            None => flag(text),
        };
        known.unwrap_or_else(|| Self::other(text))
    }

    /// The same for an attribute within a capability, where no capability may stand.
    pub(super) fn plain(text: &str) -> Self {
        let known = match text.split_once(':') {
            Some((name, value)) => valued(name, value),
            None => flag(text),
        };
        known.unwrap_or_else(|| Self::other(text))
    }

    fn other(text: &str) -> Self {
        match text.split_once(':') {
            Some((name, value)) => Self::Other(name.to_owned(), Some(value.to_owned())),
            None => Self::Other(text.to_owned(), None),
        }
    }
}

fn flag(text: &str) -> Option<Attribute> {
    Some(match text.trim_end() {
        "rtcp-mux" => Attribute::RtcpMux,
        word => Attribute::Direction(Direction::parse(word)?),
    })
}

fn valued(name: &str, value: &str) -> Option<Attribute> {
    Some(match name {
        "rtpmap" => Attribute::Rtpmap(Rtpmap::parse(value)?),
        "fmtp" => {
            let (format, parameters) = value.split_once(' ')?;
            Attribute::Fmtp(format.to_owned(), parameters.trim().to_owned())
        }
        "ptime" => Attribute::Ptime(value.trim().parse().ok()?),
        "maxptime" => Attribute::Maxptime(value.trim().parse().ok()?),
        "rtcp" => Attribute::Rtcp(Rtcp::parse(value)?),
        "crypto" => Attribute::Crypto(Crypto::parse(value).ok()?),
        "key-mgmt" => Attribute::KeyManagement(KeyManagement::parse(value)?),
        "fingerprint" => Attribute::Fingerprint(Fingerprint::parse(value)?),
        "setup" => Attribute::Setup(Setup::parse(value.trim())?),
        _ => Attribute::Fax(Fax::parse(name, value)?),
    })
}

fn capability(name: &str, value: &str) -> Option<Attribute> {
    Some(match name {
        "tcap" => {
            let mut words = value.split_ascii_whitespace();
            let first = number_of(words.next()?)?;
            let protocols: Vec<_> = words.map(Protocol::parse).collect();
            let some = !protocols.is_empty();
            some.then_some(Attribute::TransportCapability(first, protocols))?
        }
        "acap" => Attribute::AttributeCapability(AttributeCapability::parse(value)?),
        "pcfg" => Attribute::Possible(Configuration::parse(value)?),
        "acfg" => Attribute::Actual(Configuration::parse(value)?),
        _ => return None,
    })
}

impl Rtpmap {
    fn parse(value: &str) -> Option<Self> {
        let (payload, rest) = value.trim().split_once(' ')?;
        let payload = payload.parse().ok().filter(|payload| *payload < 128)?;
        let mut parts = rest.trim().split('/');
        let encoding = parts.next().filter(|name| !name.is_empty())?.to_owned();
        let clock = parts.next()?.parse().ok().filter(|clock| *clock > 0)?;
        let channels = parts.next().map_or(Some(1), |text| text.parse().ok())?;
        Some(Self {
            payload,
            encoding,
            clock,
            channels,
        })
    }

    /// The types that need no line of their own (RFC 3551 table 4), as far as voice goes.
    #[must_use]
    pub fn of_rfc_3551(payload: u8) -> Option<Self> {
        let encoding = match payload {
            0 => "PCMU",
            3 => "GSM",
            4 => "G723",
            8 => "PCMA",
            9 => "G722",
            13 => "CN",
            15 => "G728",
            18 => "G729",
            _ => return None,
        };
        Some(Self {
            payload,
            encoding: encoding.to_owned(),
            clock: 8_000,
            channels: 1,
        })
    }
}

impl Direction {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "sendrecv" => Self::SendRecv,
            "sendonly" => Self::SendOnly,
            "recvonly" => Self::RecvOnly,
            "inactive" => Self::Inactive,
            _ => return None,
        })
    }

    /// The direction that sends, that receives, both or neither.
    #[must_use]
    pub fn of(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    /// Whether who says so sends.
    #[must_use]
    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    /// Whether who says so receives.
    #[must_use]
    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same as seen from the other end.
    #[must_use]
    pub fn reversed(self) -> Self {
        Self::of(self.receives(), self.sends())
    }

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let sends = self.sends() && other.sends();
        Self::of(sends, self.receives() && other.receives())
    }
}

impl Rtcp {
    fn parse(value: &str) -> Option<Self> {
        let value = value.trim();
        let (port, connection) = match value.split_once(' ') {
            Some((port, rest)) => (port, Some(Connection::parse(rest)?)),
            None => (value, None),
        };
        let port = port.parse().ok()?;
        Some(Self { port, connection })
    }
}

impl KeyManagement {
    fn parse(value: &str) -> Option<Self> {
        let (protocol, data) = value.trim().split_once(' ')?;
        Some(Self {
            protocol: protocol.to_ascii_lowercase(),
            data: STANDARD.decode(data.trim()).ok()?,
        })
    }
}

impl Fingerprint {
    fn parse(value: &str) -> Option<Self> {
        let (hash, octets) = value.trim().split_once(' ')?;
        let octet = |pair: &str| {
            let whole = pair.len() == 2 && !pair.starts_with('+');
            whole.then(|| u8::from_str_radix(pair, 16).ok()).flatten()
        };
        let octets: Vec<u8> = octets.trim().split(':').map(octet).collect::<Option<_>>()?;
        (octets.len() <= MAX_FINGERPRINT).then(|| Self {
            hash: hash.to_ascii_lowercase(),
            octets,
        })
    }
}

impl Setup {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "active" => Self::Active,
            "passive" => Self::Passive,
            "actpass" => Self::Actpass,
            "holdconn" => Self::Holdconn,
            _ => return None,
        })
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtpmap(map) => write!(formatter, "rtpmap:{map}"),
            Self::Fmtp(format, parameters) => write!(formatter, "fmtp:{format} {parameters}"),
            Self::Ptime(value) => write!(formatter, "ptime:{value}"),
            Self::Maxptime(value) => write!(formatter, "maxptime:{value}"),
            Self::Direction(direction) => write!(formatter, "{direction}"),
            Self::Rtcp(rtcp) => write!(formatter, "rtcp:{rtcp}"),
            Self::RtcpMux => formatter.write_str("rtcp-mux"),
            Self::Crypto(crypto) => write!(formatter, "crypto:{crypto}"),
            Self::KeyManagement(own) => write!(formatter, "key-mgmt:{own}"),
            Self::Fingerprint(own) => write!(formatter, "fingerprint:{own}"),
            Self::Setup(setup) => write!(formatter, "setup:{setup}"),
            Self::TransportCapability(first, protocols) => {
                write!(formatter, "tcap:{first}")?;
                protocols
                    .iter()
                    .try_for_each(|protocol| write!(formatter, " {protocol}"))
            }
            Self::AttributeCapability(own) => write!(formatter, "acap:{own}"),
            Self::Possible(configuration) => write!(formatter, "pcfg:{configuration}"),
            Self::Actual(configuration) => write!(formatter, "acfg:{configuration}"),
            Self::Fax(fax) => write!(formatter, "{fax}"),
            Self::Other(name, Some(value)) => write!(formatter, "{name}:{value}"),
            Self::Other(name, None) => formatter.write_str(name),
        }
    }
}

impl fmt::Display for Rtpmap {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}/{}",
            self.payload, self.encoding, self.clock
        )?;
        match self.channels {
            1 => Ok(()),
            channels => write!(formatter, "/{channels}"),
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        })
    }
}

impl fmt::Display for Rtcp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.connection {
            Some(connection) => write!(formatter, "{} {connection}", self.port),
            None => write!(formatter, "{}", self.port),
        }
    }
}

impl fmt::Display for KeyManagement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} {}",
            self.protocol,
            STANDARD.encode(&self.data)
        )
    }
}

impl fmt::Debug for KeyManagement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "KeyManagement({}, {} octets)",
            self.protocol,
            self.data.len()
        )
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.hash)?;
        for (at, octet) in self.octets.iter().enumerate() {
            if at > 0 {
                formatter.write_char(':')?;
            }
            write!(formatter, "{octet:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Setup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Active => "active",
            Self::Passive => "passive",
            Self::Actpass => "actpass",
            Self::Holdconn => "holdconn",
        })
    }
}

/// Octets of the longest hash, SHA-512.
const MAX_FINGERPRINT: usize = 64;
