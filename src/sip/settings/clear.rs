//! What UDP and TCP may do beside TLS.

use crate::schema::sip_ep;
use crate::view;

/// `transportClearBesideTls`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClearBesideTls {
    /// They listen; requests go by TLS alone.
    #[default]
    ListenOnly,
    /// Requests may use them as well.
    ReceiveAndSend,
    /// They are closed.
    Refuse,
}

view! {
    /// The policy of one gateway.
    pub(super) struct ClearPolicy: sip_ep::transport_clear {
        beside_tls: ClearBesideTls = BESIDE_TLS,
    }
}

labels! { sip_ep::transport_clear::BesideTls => ClearBesideTls { ListenOnly, ReceiveAndSend, Refuse } }
