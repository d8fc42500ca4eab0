//! How calls behave; a change counts from the next message on.

/// Whether provisional responses are acknowledged (RFC 3262).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reliability {
    /// Never.
    Unsupported,
    /// Where the peer can.
    Supported,
    /// A peer that cannot is not called.
    Required,
}

/// How a session is refreshed (RFC 4028 §7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refresh {
    /// By re-INVITE with the session as it is.
    ReInvite,
    /// By UPDATE without a body, where the peer allows UPDATE.
    Update,
}

/// How calls behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Of the responses to our INVITE.
    pub uac_prack: Reliability,
    /// Of our responses to an INVITE; `Required` counts as `Supported`.
    pub uas_prack: Reliability,
    /// Whether sessions have timers (RFC 4028).
    pub timers: bool,
    /// Min-SE, in seconds.
    pub min_se: u32,
    /// The Session-Expires that we propose, in seconds.
    pub session_expires: u32,
    /// How we refresh.
    pub refresh: Refresh,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            uac_prack: Reliability::Unsupported,
            uas_prack: Reliability::Unsupported,
            timers: true,
            min_se: 1800,
            session_expires: 3600,
            refresh: Refresh::ReInvite,
        }
    }
}
