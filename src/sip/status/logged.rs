//! What happened, as registered messages.

use crate::sip::event::Notice;
use crate::tree::{messages, notice};

impl Notice {
    /// The notice as a registered message.
    pub fn logged(&self) -> notice::Notice {
        match self {
            Self::LinkEstablishing {
                gateway,
                server,
                port,
            } => messages::LINK_ESTABLISHING.with([gateway, server, port]),
            Self::LinkUp {
                gateway,
                server,
                port,
            } => messages::LINK_UP.with([gateway, server, port]),
            Self::LinkDown {
                gateway,
                server,
                reason,
            } => messages::LINK_DOWN.with([gateway, server, reason]),
            Self::FailedOver {
                gateway,
                server,
                next,
                reason,
            } => messages::SERVER_FAILOVER.with([gateway, server, next, reason]),
            Self::Unresolved {
                gateway,
                name,
                reason,
            } => messages::NAME_UNRESOLVED.with([gateway, name, reason]),
            Self::CredentialsRefused {
                gateway,
                server,
                user,
                realm,
            } => messages::CREDENTIALS_REFUSED.with([gateway, server, user, realm]),
            Self::TlsRefused {
                gateway,
                server,
                reason,
            } => messages::TLS_REFUSED.with([gateway, server, reason]),
            Self::TlsStep {
                gateway,
                server,
                step,
            } => messages::TLS_STEP.with([gateway, server, step]),
            Self::LinkFailback { gateway, server } => {
                messages::LINK_FAILBACK.with([gateway, server])
            }
            Self::Registration(status) => status.logged(),
            Self::KeepAliveLost { gateway, server } => {
                messages::KEEP_ALIVE_LOST.with([gateway, server])
            }
            Self::KeepAliveAnswered { gateway } => messages::KEEP_ALIVE_ANSWERED.with([gateway]),
            Self::Malformed { peer, reason } => messages::SIP_MALFORMED.with([peer, reason]),
        }
    }
}
