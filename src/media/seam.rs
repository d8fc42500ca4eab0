//! What calls and media say to each other.
//!
//! A call orders, with whole facts and never by question; media answer with
//! events, and with [`Figures`] that anybody may read while packets flow. A
//! stream is one leg's media: its ports, its peer, its keys. Two streams are
//! joined to be relayed, or a stream has the ends of a line.

use super::codec::Codec;
use super::figures::Figures;
use super::jitter::Limits;
use super::keys::Material;
use super::negotiation::Payloads;
use super::srtp::Sequence;
use super::tone::Tone;
use super::wav::Wave;
use crate::wire::sdp::Direction;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// A stream, by a number that its call chose and no other stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What a call wants of media.
#[derive(Clone, Debug, PartialEq)]
pub enum Order {
    /// Takes ports. Answered by [`Event::Opened`] or [`Event::Failed`].
    Open(StreamId, Ports),
    /// What holds from the next packet on; a stream drops everything before its first.
    Set(StreamId, Box<Terms>),
    /// What one hears is sent to the other, until either is parted or closed.
    Join(StreamId, StreamId),
    /// Ends a relay or a line; the stream stays.
    Part(StreamId),
    /// The stream is a line's: it plays and hears.
    Line(StreamId, Ends),
    /// Sends a key as telephone events, after those that are being sent.
    /// Where the terms have no events nothing is sent.
    SendDigit(StreamId, Digit),
    /// Sends a datagram of DTLS from the RTP port.
    SendDtls(StreamId, Vec<u8>),
    /// Says goodbye by RTCP and gives the ports back.
    Close(StreamId),
}

/// Where a stream listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// An address of this host.
    pub address: IpAddr,
    /// The first port that may be taken.
    pub first: u16,
    /// The last.
    pub last: u16,
    /// What is opened.
    pub kind: Kind,
}

/// Which ports a stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An even one, and the odd one above it for RTCP (RFC 3550 §11). Where
    /// RTCP was agreed to share the first, the second is not used.
    Pair,
    /// One for both (RFC 5761), or for UDPTL.
    Single,
}

/// What was agreed about a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Terms {
    /// Where to send; `None` sends nothing.
    pub remote: Option<SocketAddr>,
    /// Where RTCP goes; that of `remote` where both share a port.
    pub remote_rtcp: Option<SocketAddr>,
    /// Whether the peer may turn out to be elsewhere.
    pub latching: Latching,
    /// Differentiated services code point of what is sent, 0..63.
    pub dscp: u8,
    /// Without an authentic packet for so long there is [`Event::Silent`].
    pub silence: Option<Duration>,
    /// What flows.
    pub medium: Medium,
}

/// Symmetric RTP (RFC 4961): where packets of a stream are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Latching {
    /// To where authentic ones come from; while nothing is authenticated, to
    /// where the first comes from, for as long as it goes on.
    On,
    /// To where it was said. Others than that address are not heard.
    Off,
}

/// What flows.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "terms are boxed as a whole")]
pub enum Medium {
    /// RTP or SRTP.
    Voice(Voice),
    /// UDPTL, relayed as it is.
    Fax,
}

/// Voice.
#[derive(Clone, Debug, PartialEq)]
pub struct Voice {
    /// The codecs, the one to send first, with the payload types of each way.
    pub codecs: Vec<(Codec, Payloads)>,
    /// Of comfort noise (RFC 3389).
    pub noise: Option<Payloads>,
    /// Of telephone events.
    pub dtmf: Option<Payloads>,
    /// Ours.
    pub direction: Direction,
    /// Of a packet that a line sends, 10 to 60 ms in steps of ten.
    pub packet: Duration,
    /// How long a line's packets wait.
    pub jitter: Limits,
    /// How packets are protected.
    pub security: Security,
}

/// How packets are protected.
#[derive(Clone, Debug, PartialEq)]
pub enum Security {
    /// Not at all.
    Clear,
    /// They will be; until the keys are there nothing is sent or heard.
    Awaited,
    /// By SRTP and SRTCP. The keys in use, said again, change nothing.
    Srtp {
        /// Of what is sent.
        send: Material,
        /// Of what is received.
        receive: Material,
        /// What becomes of ROC and windows where these replace other keys.
        sequence: Sequence,
        /// How long the receive key before is believed beside its successor.
        overlap: Duration,
    },
}

/// What a line plays and hears.
#[derive(Clone, Debug, PartialEq)]
pub struct Ends {
    /// What the peer hears.
    pub source: Source,
    /// What becomes of what the peer says.
    pub sink: Sink,
}

/// What the peer of a line hears.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// Packets of silence.
    Silence,
    /// A tone.
    Tone(Tone),
    /// A file, then silence and [`Event::Played`].
    Wave(Arc<Wave>),
    /// Itself.
    Echo,
}

/// What becomes of what a line's peer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
    /// It is decoded, and forgotten.
    Discard,
    /// It is kept up to this long, for [`Event::Recorded`] when the line's end changes.
    Record(Duration),
}

/// A key and how long it is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digit {
    /// `0`..`9`, `*`, `#`, `A`..`D`, `!`
    pub key: char,
    /// How long.
    pub held: Duration,
}

/// What media tell a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The ports are there.
    Opened(StreamId, Opened),
    /// The stream does not exist: no port was free, or there are too many streams.
    Failed(StreamId, Failure),
    /// A key was heard that no joined stream was sent as an event: for INFO, or for a line.
    Digit(StreamId, Digit),
    /// Nothing authentic came for as long as the terms allow; said once, until packets come again.
    Silent(StreamId),
    /// The peer is where its packets come from.
    Latched(StreamId, SocketAddr),
    /// A key of the stream comes to the end of its life; time for another.
    KeyWears(StreamId),
    /// The keys of the terms are none.
    KeyRefused(StreamId, super::srtp::KeyError),
    /// A line's file was played to its end.
    Played(StreamId),
    /// What a line's peer said.
    Recorded(StreamId, Wave),
    /// A datagram of DTLS came, from there.
    Dtls(StreamId, SocketAddr, Vec<u8>),
}

/// What a stream has.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Of RTP or UDPTL.
    pub port: u16,
    /// Of RTCP where it has its own.
    pub rtcp: Option<u16>,
    /// Its counters, which stay readable after the stream has gone.
    pub figures: Arc<Figures>,
}

impl PartialEq for Opened {
    fn eq(&self, other: &Self) -> bool {
        (self.port, self.rtcp) == (other.port, other.rtcp)
    }
}

/// Why a stream does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Every port of the range is in use.
    #[error("no port is free from {first} to {last} on {address}")]
    NoPort {
        /// Where.
        address: IpAddr,
        /// Of the range.
        first: u16,
        /// Of the range.
        last: u16,
    },
    /// The host does not have the address, or refuses the port.
    #[error("{address} cannot be listened at: error {code} of the system")]
    System {
        /// Where.
        address: IpAddr,
        /// The number that the system gave.
        code: i32,
    },
    /// There are as many streams as there may be.
    #[error("{0} streams are open already")]
    Full(usize),
    /// The number is in use.
    #[error("the stream is open already")]
    Known,
}
