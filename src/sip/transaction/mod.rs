//! The four SIP transactions (RFC 3261 §17, RFC 6026), and the table that owns them.
//!
//! A machine knows states and timers, not messages: it is told what arrived
//! as a small event and answers with [`Action`]s. The [`table`] keeps the
//! octets to repeat and finds the transaction that a message belongs to.

mod asked;
pub mod client;
mod derived;
mod due;
pub mod invite_client;
pub mod invite_server;
pub mod key;
pub mod served;
pub mod server;
pub mod table;
mod user;

use std::time::Duration;

/// Estimate of the round-trip time (RFC 3261 §17.1.1.1).
pub const T1: Duration = Duration::from_millis(500);
/// Longest pause between retransmissions of a non-INVITE request or INVITE response.
pub const T2: Duration = Duration::from_secs(4);
/// How long a message may stay in the network.
pub const T4: Duration = Duration::from_secs(5);

/// What a message travels on; decides whether it is retransmitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// May lose, so the transaction repeats.
    Datagram,
    /// Loses nothing while it stands.
    Stream,
}

impl Carrier {
    /// `wait` over datagrams, nothing over streams (timers D, I, J, K).
    fn linger(self, wait: Duration) -> Duration {
        match self {
            Self::Datagram => wait,
            Self::Stream => Duration::ZERO,
        }
    }
}

/// The pace of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// What it travels on.
    pub carrier: Carrier,
    /// Timers B, F and H: 64*T1 unless `interopTransmissionTimeout` says less.
    pub give_up: Duration,
}

/// What a machine asks of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send the kept message once more: the request of a client, the last response of a server.
    Repeat,
    /// Acknowledge the final response (RFC 3261 §17.1.1.3).
    Acknowledge,
    /// Hand what arrived to the transaction's user.
    Deliver,
    /// Tell the user that no answer (or no ACK) came.
    TimedOut,
    /// Forget the transaction.
    End,
}

/// The timers of RFC 3261, table 4, and L and M of RFC 6026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// INVITE retransmission.
    A,
    /// INVITE gives up.
    B,
    /// Absorbs repeated responses to an INVITE.
    D,
    /// Request retransmission.
    E,
    /// Request gives up.
    F,
    /// Response retransmission of an INVITE.
    G,
    /// Waiting for the ACK gives up.
    H,
    /// Absorbs repeated ACKs.
    I,
    /// Absorbs repeated requests.
    J,
    /// Absorbs repeated responses.
    K,
    /// Absorbs repeated INVITEs after a 2xx.
    L,
    /// Absorbs repeated 2xx responses.
    M,
}
