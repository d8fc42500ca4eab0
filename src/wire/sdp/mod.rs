//! Session descriptions (RFC 8866): read, and printed as they were.
//!
//! For the negotiation of calls. What a voice gateway speaks of has a type;
//! all else is kept as text in its place. A known attribute whose value breaks
//! its grammar is kept as text too, and so counts as one that is not there.
//! Nothing here decides what an offer means.

mod attribute;
mod capability;
mod crypto;
mod fax;
mod line;
mod media;
mod read;

pub use attribute::{Attribute, Direction, Fingerprint, KeyManagement, Rtcp, Rtpmap, Setup};
pub use capability::{AttributeCapability, AttributeSet, Configuration, Delete};
pub use crypto::{Crypto, CryptoFault, InlineKey, SessionParameter};
pub use fax::{Fax, RateManagement, UdpCorrection};
pub use line::{Connection, Family, Line, Origin};
pub use media::{Media, Protocol};
pub use read::Fault;

use std::fmt;

/// A whole description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// `o=`
    pub origin: Origin,
    /// All lines between `o=` and the first `m=`, in their order.
    pub lines: Vec<Line>,
    /// The media in their order, which numbers them.
    pub media: Vec<Media>,
}

impl Session {
    /// A description without media: its address, no name, and no end.
    #[must_use]
    pub fn new(origin: Origin, connection: Connection) -> Self {
        let text = |kind, value: &str| Line::Other(kind, value.to_owned());
        Self {
            origin,
            lines: vec![
                // RFC 8866 §5.3: a session without a meaningful name.
                text('s', "-"),
                Line::Connection(connection),
                text('t', "0 0"),
            ],
            media: Vec::new(),
        }
    }

    /// Reads a description.
    ///
    /// # Errors
    /// The first line that cannot stand, or a bound that is passed.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        read::session(octets)
    }

    /// The attributes of the session itself.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        line::attributes(&self.lines)
    }

    /// Where a medium is sent to: its own `c=`, else the session's.
    #[must_use]
    pub fn connection<'a>(&'a self, media: &'a Media) -> Option<&'a Connection> {
        line::connection(&media.lines).or_else(|| line::connection(&self.lines))
    }

    /// A medium's direction: its own, else the session's, else both ways (RFC 8866 §6.7).
    #[must_use]
    pub fn direction(&self, media: &Media) -> Direction {
        let of = |lines| {
            line::attributes(lines).find_map(|attribute| match attribute {
                Attribute::Direction(direction) => Some(*direction),
                _ => None,
            })
        };
        of(&media.lines)
            .or_else(|| of(&self.lines))
            .unwrap_or(Direction::SendRecv)
    }
}

impl fmt::Display for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "v=0\r\no={}\r\n", self.origin)?;
        line::print(&self.lines, formatter)?;
        for media in &self.media {
            write!(formatter, "{media}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
