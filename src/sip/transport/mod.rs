//! What requests and responses travel on.
//!
//! The transports and the sets of them, the Via that names them, and where a
//! response goes. Which transport a gateway uses is decided in `plan`.

pub mod via;

use std::fmt;

use crate::sip::transaction::Carrier;

/// The largest request sent as a datagram when a stream is possible (RFC 3261 §18.1.1).
pub const DATAGRAM_LIMIT: usize = 1300;
/// The port of SIP over UDP and TCP.
pub const PORT: u16 = 5060;
/// The port of SIP over TLS.
pub const SECURE_PORT: u16 = 5061;

/// One transport protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams.
    Udp,
    /// A stream in clear.
    Tcp,
    /// A stream under TLS.
    Tls,
}

impl Transport {
    /// Every transport, in the order of preference among equals.
    pub const ALL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Tls];

    /// The token of a Via (RFC 3261 §20.42).
    pub fn token(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// The value of a URI's transport parameter (RFC 3261 §19.1.1).
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
        }
    }

    /// The port meant where none is written.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Udp | Self::Tcp => PORT,
            Self::Tls => SECURE_PORT,
        }
    }

    /// Whether messages may get lost on it.
    pub fn carrier(self) -> Carrier {
        match self {
            Self::Udp => Carrier::Datagram,
            Self::Tcp | Self::Tls => Carrier::Stream,
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.token())
    }
}

/// A set of transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Transports(u8);

impl Transports {
    /// The set of these.
    pub fn of(members: &[Transport]) -> Self {
        members.iter().fold(Self::default(), |set, t| set.with(*t))
    }

    /// This set and `transport`.
    #[must_use]
    pub fn with(self, transport: Transport) -> Self {
        Self(self.0 | 1 << transport as u8)
    }

    /// Whether `transport` is a member.
    pub fn contains(self, transport: Transport) -> bool {
        self.0 & (1 << transport as u8) != 0
    }

    /// The members, in the order of [`Transport::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Transport> {
        Transport::ALL
            .into_iter()
            .filter(move |t| self.contains(*t))
    }

    /// Whether nothing is enabled.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Transport, Transports};

    #[test]
    fn a_set_lists_its_members_in_order_of_preference() {
        let set = Transports::of(&[Transport::Tls, Transport::Udp]);
        assert_eq!(
            set.iter().collect::<Vec<_>>(),
            [Transport::Udp, Transport::Tls]
        );
        assert!(!set.contains(Transport::Tcp));
        assert!(Transports::default().is_empty());
    }
}
