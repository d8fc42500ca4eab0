//! A medium: its `m=` line (RFC 8866 §5.14) and what stands below it.

use std::fmt;

use super::attribute::{Attribute, Rtpmap};
use super::line::{self, Line};

/// A medium.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `image`, ...
    pub kind: String,
    /// 0 for one that is refused or ended (RFC 3264 §6).
    pub port: u16,
    /// How many ports, where it says so.
    pub ports: Option<u16>,
    /// By what it is carried.
    pub protocol: Protocol,
    /// Payload types of RTP; `t38` of a fax.
    pub formats: Vec<String>,
    /// All lines below it, in their order.
    pub lines: Vec<Line>,
}

/// The transport and profile of a medium.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// `RTP/AVP` (RFC 3551)
    Avp,
    /// `RTP/AVPF` (RFC 4585)
    Avpf,
    /// `RTP/SAVP` (RFC 3711)
    Savp,
    /// `RTP/SAVPF` (RFC 5124)
    Savpf,
    /// `UDP/TLS/RTP/SAVP` (RFC 5764)
    DtlsSavp,
    /// `UDP/TLS/RTP/SAVPF` (RFC 5764)
    DtlsSavpf,
    /// `udptl` (ITU-T T.38)
    Udptl,
    /// Any other.
    Other(String),
}

const PROTOCOLS: [(Protocol, &str); 7] = [
    (Protocol::Avp, "RTP/AVP"),
    (Protocol::Avpf, "RTP/AVPF"),
    (Protocol::Savp, "RTP/SAVP"),
    (Protocol::Savpf, "RTP/SAVPF"),
    (Protocol::DtlsSavp, "UDP/TLS/RTP/SAVP"),
    (Protocol::DtlsSavpf, "UDP/TLS/RTP/SAVPF"),
    (Protocol::Udptl, "udptl"),
];

impl Protocol {
    /// Reads the third word of a media line; any is one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        PROTOCOLS
            .iter()
            .find(|(_, name)| name.eq_ignore_ascii_case(text))
            .map_or_else(
                || Self::Other(text.to_owned()),
                |(protocol, _)| protocol.clone(),
            )
    }

    /// Whether RTP goes over it unprotected.
    #[must_use]
    pub fn is_clear(&self) -> bool {
        matches!(self, Self::Avp | Self::Avpf)
    }

    /// Whether SRTP goes over it, its keys from the description.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        matches!(self, Self::Savp | Self::Savpf)
    }

    /// Whether SRTP goes over it, its keys from DTLS.
    #[must_use]
    pub fn is_dtls(&self) -> bool {
        matches!(self, Self::DtlsSavp | Self::DtlsSavpf)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = PROTOCOLS.iter().find(|(protocol, _)| protocol == self);
        match (known, self) {
            (None, Self::Other(text)) => formatter.write_str(text),
            (known, _) => formatter.write_str(known.map_or("", |(_, name)| name)),
        }
    }
}

impl Media {
    /// A medium without attributes.
    #[must_use]
    pub fn new(kind: &str, port: u16, protocol: Protocol, formats: Vec<String>) -> Self {
        Self {
            kind: kind.to_owned(),
            port,
            ports: None,
            protocol,
            formats,
            lines: Vec::new(),
        }
    }

    /// Appends an attribute.
    pub fn push(&mut self, attribute: Attribute) {
        self.lines.push(Line::Attribute(attribute));
    }

    /// Its attributes.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        line::attributes(&self.lines)
    }

    /// What a payload type stands for, by its own line or by RFC 3551 §6.
    #[must_use]
    pub fn rtpmap(&self, payload: u8) -> Option<Rtpmap> {
        let own = self.attributes().find_map(|attribute| match attribute {
            Attribute::Rtpmap(map) if map.payload == payload => Some(map.clone()),
            _ => None,
        });
        own.or_else(|| Rtpmap::of_rfc_3551(payload))
    }

    /// The parameters of a format.
    #[must_use]
    pub fn fmtp(&self, format: &str) -> Option<&str> {
        self.attributes().find_map(|attribute| match attribute {
            Attribute::Fmtp(own, parameters) if own == format => Some(parameters.as_str()),
            _ => None,
        })
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let kind = words.next()?.to_owned();
        let (port, ports) = match words.next()?.split_once('/') {
            Some((port, ports)) => (port, Some(ports.parse().ok()?)),
            None => (text.split_ascii_whitespace().nth(1)?, None),
        };
        let port = port.parse().ok()?;
        let protocol = Protocol::parse(words.next()?);
        let formats: Vec<String> = words.map(str::to_owned).collect();
        (1..=MAX_FORMATS).contains(&formats.len()).then_some(Self {
            kind,
            port,
            ports,
            protocol,
            formats,
            lines: Vec::new(),
        })
    }
}

impl fmt::Display for Media {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "m={} {}", self.kind, self.port)?;
        if let Some(ports) = self.ports {
            write!(formatter, "/{ports}")?;
        }
        write!(formatter, " {}", self.protocol)?;
        for format in &self.formats {
            write!(formatter, " {format}")?;
        }
        formatter.write_str("\r\n")?;
        line::print(&self.lines, formatter)
    }
}

/// There are 128 payload types.
const MAX_FORMATS: usize = 128;
