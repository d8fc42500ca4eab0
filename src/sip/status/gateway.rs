//! How the gateways are: their status rows.

use crate::schema::Index;
use crate::schema::sip_ep::{gateway_status, gateway_status_reason};
use crate::tree::{Publication, messages, notice};

/// One row of `GatewayStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayStatus {
    /// Its name.
    pub name: String,
    /// The interface that it uses.
    pub network_interface: String,
    /// The UDP and TCP port in use; 0 where none is.
    pub port: u16,
    /// The TLS port in use; 0 where none is.
    pub secure_port: u16,
    /// Its domain.
    pub domain: String,
    /// How it is.
    pub state: GatewayState,
    /// Why it is not ready.
    pub reason: String,
}

/// `gatewayStatusState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayState {
    /// At work.
    Ready,
    /// A listener found its port taken.
    PortInUse,
    /// Its interface has no address.
    NetworkDown,
    /// Listeners are being opened.
    Restarting,
    /// TLS is enabled and the time is not known.
    WaitingForTime,
    /// The keep-alive gets no answer.
    ServerUnreachable,
    /// None of the unit's registrations stands, and the settings make that matter.
    Unregistered,
    /// What it is told cannot work.
    InvalidConfiguration,
}

impl GatewayState {
    /// The text of the object.
    pub fn text(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::PortInUse => "Cannot start, port already in use",
            Self::NetworkDown => "Network down",
            Self::Restarting => "Restarting",
            Self::WaitingForTime => "Waiting for time synchronization",
            Self::ServerUnreachable => "Server unreachable",
            Self::Unregistered => "Unregistered",
            Self::InvalidConfiguration => "Invalid Configuration",
        }
    }
}

impl GatewayStatus {
    pub(super) fn publish(&self, live: &mut Publication<'_>) {
        use gateway_status::{DOMAIN, NETWORK_INTERFACE, PORT, SECURE_PORT, STATE};
        let row = Index::text(&self.name);
        live.set(NETWORK_INTERFACE, &row, &self.network_interface);
        live.set(PORT, &row, self.port);
        live.set(SECURE_PORT, &row, self.secure_port);
        live.set(DOMAIN, &row, &self.domain);
        live.set(STATE, &row, self.state.text());
        live.set(gateway_status_reason::TEXT, &row, &self.reason);
    }

    pub(super) fn logged(&self) -> notice::Notice {
        match self.state {
            GatewayState::WaitingForTime => messages::LINK_WAITS_FOR_TIME.with([&self.name]),
            GatewayState::Ready | GatewayState::Restarting | GatewayState::Unregistered => {
                let text = self.state.text();
                messages::GATEWAY_STATE.with([&self.name, &text, &self.reason])
            }
            GatewayState::PortInUse
            | GatewayState::NetworkDown
            | GatewayState::ServerUnreachable
            | GatewayState::InvalidConfiguration => {
                messages::GATEWAY_FAILED.with([&self.name, &self.reason])
            }
        }
    }
}
