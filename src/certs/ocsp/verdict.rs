//! What an authority says of a certificate that it issued.

use std::fmt;

/// What an authority says of a certificate that it issued (RFC 6960 §2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was not revoked.
    Good,
    /// It was revoked.
    Revoked {
        /// When, in seconds since 1970.
        since: i64,
        /// Why, where that is told.
        cause: Option<Cause>,
    },
    /// The responder does not know it.
    Unknown,
}

/// Why a certificate was revoked: a CRLReason (RFC 5280 §5.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cause(pub(super) u8);

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "its key was compromised",
            2 => "the authority was compromised",
            3 => "its owner changed",
            4 => "it was superseded",
            5 => "it is out of use",
            6 => "it is on hold",
            9 => "its owner lost a privilege",
            10 => "an attribute authority was compromised",
            _ => "no reason is told",
        })
    }
}

/// A verdict, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) verdict: Verdict,
    /// Last second until which it may be kept, since 1970; `None` where it
    /// may not be (RFC 6960 §4.2.2.1).
    pub(super) until: Option<i64>,
}
