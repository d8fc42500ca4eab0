//! What this end of a call wants.

use std::net::IpAddr;

use crate::media::keys::mikey::Protection;
use crate::media::srtp::Suite;
use crate::wire::sdp::{Direction, Fingerprint, UdpCorrection};

/// All that offers and answers are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Where media are received.
    pub address: IpAddr,
    /// Names the session in `o=`.
    pub session: u64,
    /// Port of RTP, even.
    pub port: u16,
    /// Port of SRTP; may be the same.
    pub secure_port: u16,
    /// Whether RTCP may share RTP's port (RFC 5761).
    pub rtcp_mux: bool,
    /// Codecs, the most preferred first.
    pub formats: Vec<Format>,
    /// Payload type of telephone-event (RFC 4733); none where it is not wanted.
    pub dtmf: Option<u8>,
    /// Milliseconds of a packet that the peer is asked for.
    pub ptime: Option<u32>,
    /// T.38, where it is allowed.
    pub fax: Option<FaxEnd>,
    /// How media are protected.
    pub security: Security,
}

/// A codec as a description names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// Its name, compared without case.
    pub encoding: String,
    /// RTP clock, Hz.
    pub clock: u32,
    /// The payload type that we offer.
    pub payload: u8,
    /// Its `fmtp`.
    pub parameters: Option<String>,
}

/// This end of a fax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaxEnd {
    /// Port of UDPTL.
    pub port: u16,
    /// Highest version.
    pub version: u32,
    /// Bits a second.
    pub max_bit_rate: u32,
    /// Largest datagram that is received, octets.
    pub max_datagram: u32,
    /// How datagrams are mended.
    pub correction: UdpCorrection,
    /// Whether a call with SRTP may go over to it.
    pub beside_srtp: FaxBesideSrtp,
}

/// UDPTL is never encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaxBesideSrtp {
    /// A fax on a protected call is refused.
    Refuse,
    /// It is sent in the clear.
    Allow,
}

/// How media are protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// Whether they must be.
    pub mode: Mode,
    /// Where keys come from.
    pub management: Management,
    /// Allowed suites, the most preferred first.
    pub suites: Vec<Suite>,
    /// How an offer says that less would do.
    pub fallback: Fallback,
    /// Whether keys that anybody on the way can read may go over a hop without TLS.
    pub clear_hop: ClearHop,
    /// What another key management is answered with.
    pub mismatch: Mismatch,
}

/// Whether media must be protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// RTP only.
    Unsecure,
    /// SRTP only.
    Secure,
    /// SRTP, or RTP where the peer has none.
    SecureWithFallback,
}

/// Where keys come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Management {
    /// RFC 4568.
    Sdes,
    /// RFC 3830 and 4567.
    Mikey(MikeyEnd),
    /// RFC 5763, by our certificate's fingerprint.
    Dtls(Fingerprint),
}

/// This end of a MIKEY exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MikeyEnd {
    /// What protects its messages.
    pub protection: Protection,
    /// The source of what we send.
    pub ssrc: u32,
    /// Seconds that the peer's clock may be away; none where clocks are not compared.
    pub tolerance: Option<u32>,
}

/// How an offer says that RTP would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fallback {
    /// A protected medium, and a clear one behind it.
    TwoMedia,
    /// A clear medium with keys.
    KeysInAvp,
    /// A clear medium with a protected configuration (RFC 5939).
    Capabilities,
}

/// What becomes of keys on a hop without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClearHop {
    /// They are not sent and not accepted.
    Refuse,
    /// They are.
    Allow,
}

/// What another key management is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// 415, with Accept.
    UnsupportedMediaType,
    /// 488
    NotAcceptableHere,
}

/// How the signalling goes to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Hop {
    /// In TLS.
    Tls,
    /// For all to read.
    Clear,
}

/// What an offer is to be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Voice or fax.
    pub subject: Subject,
    /// Ours; a hold is `SendOnly` or `Inactive`.
    pub direction: Direction,
    /// What becomes of keys that are in use.
    pub keys: Keys,
}

/// Voice or fax.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// `m=audio`
    Audio,
    /// `m=image`
    Fax,
}

/// What becomes of our key when a session is refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Keys {
    /// It stays, so that the peer's SRTP goes on.
    Keep,
    /// Another takes its place.
    Renew,
}

impl Wish {
    /// Voice both ways, with the keys that there are.
    pub const VOICE: Self = Self {
        subject: Subject::Audio,
        direction: Direction::SendRecv,
        keys: Keys::Keep,
    };
}

impl Security {
    /// Whether our keys may go over this hop (RFC 4568 §8.1).
    #[must_use]
    pub fn may_travel(&self, hop: Hop) -> bool {
        let readable = match &self.management {
            Management::Sdes => true,
            Management::Mikey(end) => end.protection == Protection::Null,
            Management::Dtls(_) => false,
        };
        !readable || hop == Hop::Tls || self.clear_hop == ClearHop::Allow
    }
}
