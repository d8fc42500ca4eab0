//! Why a packet or a key was refused.

use thiserror::Error;

/// Why a packet was not protected or not believed; it changed nothing.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Error {
    /// It ends before its header does.
    #[error("the packet is too short")]
    TooShort,
    /// It is longer than UDP carries.
    #[error("the packet is too long")]
    TooLong,
    /// Its version is not that of RTP.
    #[error("version {0} is not RTP's")]
    Version(u8),
    /// The buffer ends before the tag would.
    #[error("the buffer has no room for the tag")]
    NoRoom,
    /// Its SSRC is new, and there are [`MAX_STREAMS`](super::MAX_STREAMS) already.
    #[error("too many streams in one session")]
    TooManyStreams,
    /// This index was used before (RFC 3711 §3.3.2).
    #[error("a replay")]
    Replayed,
    /// It is behind the replay window, so nobody knows whether it is a replay.
    #[error("older than the replay window")]
    TooOld,
    /// Its tag is not the one that our key gives.
    #[error("not authentic")]
    NotAuthentic,
    /// No key that we hold has the MKI that it names.
    #[error("no key has this MKI")]
    UnknownMki,
    /// The master key has protected as many packets as it may (RFC 3711 §9.2).
    #[error("the master key has reached the end of its life")]
    KeyExhausted,
    /// The packet index would begin anew under the same key (RFC 3711 §3.3.1).
    #[error("the packet index has reached its end")]
    IndexExhausted,
}

/// Why keying material was refused.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The key is not as long as the suite's.
    #[error("a key of {found} octets where the suite has {expected}")]
    KeyLength {
        /// Octets that the suite asks for.
        expected: usize,
        /// Octets that came.
        found: usize,
    },
    /// The salt is not as long as the suite's.
    #[error("a salt of {found} octets where the suite has {expected}")]
    SaltLength {
        /// Octets that the suite asks for.
        expected: usize,
        /// Octets that came.
        found: usize,
    },
    /// An MKI has 1 to 128 octets (RFC 4568 §6.1).
    #[error("an MKI of {0} octets")]
    MkiLength(usize),
    /// A lifetime is 1 to 2^48 packets of SRTP, 1 to 2^31 of SRTCP (RFC 3711 §9.2).
    #[error("a lifetime outside its range")]
    Lifetime,
    /// A key derivation rate is 1, 2, 4, ... 2^24 (RFC 3711 §4.3.1).
    #[error("a key derivation rate of 2^{0}")]
    Rate(u8),
    /// The key in use came again: its key stream would be used twice.
    #[error("the same key again")]
    SameKey,
    /// The receiver holds as many keys as it may.
    #[error("too many keys in one session")]
    TooManyKeys,
}
