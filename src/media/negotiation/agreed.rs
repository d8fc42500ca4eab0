//! What both ends agreed upon.

use std::net::SocketAddr;

use crate::media::keys::Material;
use crate::wire::sdp::{Direction, Fingerprint, Protocol, UdpCorrection};

/// The state of a call's media after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The one medium that is in use.
    pub media: Media,
    /// Whether the peer's other key management is why media are not protected.
    pub mismatch: bool,
}

/// Voice or fax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// RTP or SRTP.
    Audio(Box<Audio>),
    /// UDPTL.
    Fax(AgreedFax),
}

/// Voice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audio {
    /// Which medium of the description it is, from 0.
    pub line: usize,
    /// Its profile.
    pub protocol: Protocol,
    /// Our port.
    pub port: u16,
    /// Where to send RTP; none where the peer takes nothing (RFC 3264 §8.4, address 0.0.0.0).
    pub remote: Option<SocketAddr>,
    /// Where to send RTCP.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether RTCP shares RTP's port.
    pub rtcp_mux: bool,
    /// Codecs, the one to send first; comfort noise may be among them.
    pub codecs: Vec<Codec>,
    /// Of telephone-event.
    pub dtmf: Option<Payloads>,
    /// Ours.
    pub direction: Direction,
    /// Milliseconds of a packet that the peer asks for.
    pub ptime: Option<u32>,
    /// How it is protected.
    pub security: Secured,
}

/// Fax.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgreedFax {
    /// Which medium of the description it is, from 0.
    pub line: usize,
    /// Our port.
    pub port: u16,
    /// Where to send.
    pub remote: Option<SocketAddr>,
    /// Lower of both.
    pub version: u32,
    /// Lower of both, bits a second.
    pub max_bit_rate: u32,
    /// Largest datagram that the peer takes, octets.
    pub max_datagram: u32,
    /// How datagrams are mended.
    pub correction: UdpCorrection,
}

/// A codec that both have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codec {
    /// Its name, as ours.
    pub encoding: String,
    /// RTP clock, Hz.
    pub clock: u32,
    /// Under which types it goes.
    pub payloads: Payloads,
    /// The peer's `fmtp`.
    pub parameters: Option<String>,
}

/// Payload types, one each way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Payloads {
    /// What the peer wants.
    pub send: u8,
    /// What we said.
    pub receive: u8,
}

/// How media are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secured {
    /// Not at all.
    None,
    /// By SRTP with these keys.
    Srtp {
        /// Of what we send.
        send: Material,
        /// Of what we receive.
        receive: Material,
    },
    /// By SRTP with keys from DTLS (RFC 5764).
    Dtls {
        /// The peer's certificate has one of these.
        fingerprints: Vec<Fingerprint>,
        /// Who opens the association.
        role: Role,
    },
}

/// Our part in DTLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends the ClientHello.
    Client,
    /// Waits for it.
    Server,
}
