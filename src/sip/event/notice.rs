//! What happened, for the log; `status` turns it into registered messages.

use std::net::SocketAddr;

use crate::sip::status::RegistrationStatus;

/// What happened, for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A link is being opened.
    LinkEstablishing {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target.
        server: String,
        /// From which local port.
        port: u16,
    },
    /// A link is up.
    LinkUp {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target.
        server: String,
        /// From which local port.
        port: u16,
    },
    /// A link could not be opened, or broke.
    LinkDown {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target.
        server: String,
        /// Why, with the object to change.
        reason: String,
    },
    /// A TLS handshake was refused, by us or by the peer.
    TlsRefused {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target.
        server: String,
        /// Why, with the object to change.
        reason: String,
    },
    /// What was done in a handshake before it was refused.
    TlsStep {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target.
        server: String,
        /// What was checked.
        step: String,
    },
    /// A link is back at the first of its targets.
    LinkFailback {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target.
        server: String,
    },
    /// Another target takes over from one that failed.
    FailedOver {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured, and the target that failed.
        server: String,
        /// The target that is tried next.
        next: String,
        /// What was wrong.
        reason: String,
    },
    /// The name of a server leads nowhere.
    Unresolved {
        /// For which gateway.
        gateway: String,
        /// The name as it is configured.
        name: String,
        /// Why.
        reason: String,
    },
    /// A registrar does not take the credentials of a user.
    CredentialsRefused {
        /// By which gateway.
        gateway: String,
        /// The registrar as it is configured.
        server: String,
        /// The user of the credentials.
        user: String,
        /// The realm of the challenge.
        realm: String,
    },
    /// A registration came to its end, good or bad.
    Registration(Box<RegistrationStatus>),
    /// Keep-alives get no answer any more.
    KeepAliveLost {
        /// For which gateway.
        gateway: String,
        /// The server as it is configured.
        server: String,
    },
    /// Keep-alives are answered again.
    KeepAliveAnswered {
        /// For which gateway.
        gateway: String,
    },
    /// What came was not SIP, and was dropped.
    Malformed {
        /// Who sent it.
        peer: SocketAddr,
        /// What is wrong with it.
        reason: String,
    },
}
