//! MIKEY (RFC 3830) with a pre-shared key, as calls carry it (RFC 4567).
//!
//! For the negotiation of calls: [`Bundle`] makes the initiator's message and
//! reads the answer to it; [`respond`] reads a peer's and answers. A message is
//! either protected by a pre-shared key, or by nothing (§4.2.3, §4.2.4): that
//! the signalling is encrypted then, somebody else must see to. Public keys
//! and Diffie-Hellman are not spoken.

mod exchange;
mod message;
mod policy;
mod prf;

pub use exchange::{Bundle, Freshness, Protection, Response, respond};
pub use message::{CryptoSession, Encryption, KeyData, Kind, Message, Payload};

use thiserror::Error;

/// Why a message gives no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum MikeyFault {
    /// It ends too early, goes on too long, or a length does not fit.
    #[error("the MIKEY message is malformed")]
    Malformed,
    /// Version, data type, PRF, map type or payload that is not spoken here.
    #[error("the MIKEY message is of a kind that is not supported")]
    Unsupported,
    /// A payload that there must be is missing.
    #[error("the MIKEY message lacks a payload that it must have")]
    Missing,
    /// It was not made with our pre-shared key.
    #[error("the MIKEY message does not verify: the pre-shared keys differ")]
    Mac,
    /// It is encrypted, and there is no pre-shared key here.
    #[error("the MIKEY message is protected by a pre-shared key, and none is set")]
    Protected,
    /// Its time is not now (§5.4).
    #[error("the MIKEY message is {0} s away from our time")]
    Time(u64),
    /// Its time is before that of an earlier one (§5.4).
    #[error("the MIKEY message is a replay")]
    Replay,
    /// Its policy is no suite that is allowed here.
    #[error("the security policy of the MIKEY message is not allowed here")]
    Policy,
    /// Its key is not as long as the suite needs.
    #[error("the key of the MIKEY message is of the wrong length")]
    KeyLength,
    /// It answers another message than ours.
    #[error("the MIKEY message answers another one")]
    Other,
    /// The peer says why it refuses (§6.12).
    #[error("the peer refuses the MIKEY message with error {0}")]
    Peer(u8),
    /// The library refuses the key.
    #[error("the key cannot be used")]
    Key,
}

#[cfg(test)]
mod tests;
