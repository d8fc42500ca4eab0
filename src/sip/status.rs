//! What the SIP stack shows of itself: the rows of its status tables.
//!
//! Each row that can say "not working" carries a reason: one sentence, with
//! the object to change where there is one; empty while all is well.

use std::net::IpAddr;

use crate::schema::sip_ep::{
    self, gateway_status, gateway_status_reason, registration_status, registration_status_reason,
    tls_persistent_connection_status, tls_persistent_connection_status_reason,
};
use crate::schema::{Index, TableId};
use crate::sip::event::Notice;
use crate::tree::{Publication, messages, notice};

/// The whole of it, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// `GatewayStatus`, by name.
    pub gateways: Vec<GatewayStatus>,
    /// `RegistrationStatus`.
    pub registrations: Vec<RegistrationStatus>,
    /// `TlsPersistentConnectionStatus`.
    pub links: Vec<LinkStatus>,
    /// Whether every wanted link is up and every wanted registration stands: the Ready LED.
    pub ready: bool,
}

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
            Self::InvalidConfiguration => "Invalid Configuration",
        }
    }
}

/// One row of `RegistrationStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationStatus {
    /// Its number, as long as it exists.
    pub index: u32,
    /// Its gateway.
    pub gateway: String,
    /// Its endpoint; empty for a unit registration.
    pub endpoint: String,
    /// The registrar as it is configured.
    pub registrar: String,
    /// The user that is registered.
    pub username: String,
    /// How it is.
    pub state: RegistrationState,
    /// What is wrong, or odd.
    pub reason: String,
}

/// `registrationStatusState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RegistrationState {
    /// Not registered, and not trying.
    Unregistered = 100,
    /// The first REGISTER is on its way.
    Registering = 200,
    /// The registrar has our Contact.
    Registered = 300,
    /// It has, and is being asked again.
    Refreshing = 400,
    /// The Contact is being removed.
    Unregistering = 500,
    /// No answer, or no link.
    Unreachable = 600,
    /// The credentials were refused.
    AuthFailed = 700,
    /// The registrar said no.
    Rejected = 800,
    /// The settings leave nothing to send.
    ConfigError = 900,
    /// The registrar's answer makes no sense.
    InvalidResponse = 1000,
}

/// One row of `TlsPersistentConnectionStatus`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkStatus {
    /// Its number, as long as it is wanted.
    pub index: u32,
    /// Its gateway.
    pub gateway: String,
    /// The local port; 0 where none is bound.
    pub local_port: u16,
    /// The server as it is configured.
    pub remote_host: String,
    /// The address that it resolved to, once it did.
    pub remote_addr: Option<IpAddr>,
    /// How it is.
    pub state: LinkState,
    /// Why it is not up.
    pub reason: String,
}

/// `tlsPersistentConnectionStatusState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkState {
    /// It carries messages.
    Up = 100,
    /// It failed and waits for the next attempt.
    Down = 200,
    /// It serves until its successor does.
    WaitingShutdown = 300,
    /// It is being opened.
    WaitingUp = 400,
}

impl Status {
    /// Shows it in SipEp's live tables; rows that are gone go.
    pub fn publish(&self, live: &mut Publication<'_>) {
        for table in TABLES {
            live.clear(*table);
        }
        for gateway in &self.gateways {
            gateway.publish(live);
        }
        for registration in &self.registrations {
            registration.publish(live);
        }
        for link in &self.links {
            link.publish(live);
        }
        let led = match self.ready {
            true => sip_ep::ReadyLed::On,
            false => sip_ep::ReadyLed::Off,
        };
        live.scalar(sip_ep::READY_LED, led);
    }
}

impl Status {
    /// What to log of the gateways whose state is another than it was `before`.
    pub fn changes(&self, before: &Self) -> Vec<notice::Notice> {
        let was = |name| before.gateways.iter().find(|it| it.name == name);
        let gateways = self.gateways.iter();
        gateways
            .filter(|it| was(it.name.as_str()).map(|old| old.state) != Some(it.state))
            .map(GatewayStatus::logged)
            .collect()
    }
}

/// What is published row by row.
const TABLES: &[TableId] = &[
    gateway_status::TABLE,
    gateway_status_reason::TABLE,
    registration_status::TABLE,
    registration_status_reason::TABLE,
    tls_persistent_connection_status::TABLE,
    tls_persistent_connection_status_reason::TABLE,
];

impl GatewayStatus {
    fn publish(&self, live: &mut Publication<'_>) {
        use gateway_status::{DOMAIN, NETWORK_INTERFACE, PORT, SECURE_PORT, STATE};
        let row = Index::text(&self.name);
        live.set(NETWORK_INTERFACE, &row, &self.network_interface);
        live.set(PORT, &row, self.port);
        live.set(SECURE_PORT, &row, self.secure_port);
        live.set(DOMAIN, &row, &self.domain);
        live.set(STATE, &row, self.state.text());
        live.set(gateway_status_reason::TEXT, &row, &self.reason);
    }
}

impl GatewayStatus {
    fn logged(&self) -> notice::Notice {
        match self.state {
            GatewayState::WaitingForTime => messages::LINK_WAITS_FOR_TIME.with([&self.name]),
            GatewayState::Ready | GatewayState::Restarting => {
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

impl RegistrationStatus {
    fn publish(&self, live: &mut Publication<'_>) {
        use registration_status::{ENDPOINT, GATEWAY, REGISTRAR, STATE, USERNAME};
        let row = Index::number(self.index);
        live.set(GATEWAY, &row, &self.gateway);
        live.set(ENDPOINT, &row, &self.endpoint);
        live.set(STATE, &row, self.state.label());
        live.set(REGISTRAR, &row, &self.registrar);
        live.set(USERNAME, &row, &self.username);
        live.set(registration_status_reason::TEXT, &row, &self.reason);
    }
}

impl RegistrationState {
    fn label(self) -> registration_status::State {
        use registration_status::State;
        match self {
            Self::Unregistered => State::Unregistered,
            Self::Registering => State::Registering,
            Self::Registered => State::Registered,
            Self::Refreshing => State::Refreshing,
            Self::Unregistering => State::Unregistering,
            Self::Unreachable => State::Unreachable,
            Self::AuthFailed => State::AuthFailed,
            Self::Rejected => State::Rejected,
            Self::ConfigError => State::ConfigError,
            Self::InvalidResponse => State::InvalidResponse,
        }
    }
}

impl LinkStatus {
    fn publish(&self, live: &mut Publication<'_>) {
        use tls_persistent_connection_status::{
            GATEWAY, LOCAL_PORT, REMOTE_HOST, REMOTE_HOST_IP_ADDR, STATE,
        };
        let row = Index::number(self.index);
        let address = self.remote_addr.map(|it| it.to_string());
        live.set(GATEWAY, &row, &self.gateway);
        live.set(LOCAL_PORT, &row, self.local_port);
        live.set(REMOTE_HOST, &row, &self.remote_host);
        live.set(REMOTE_HOST_IP_ADDR, &row, address.unwrap_or_default());
        live.set(STATE, &row, self.state.label());
        live.set(
            tls_persistent_connection_status_reason::TEXT,
            &row,
            &self.reason,
        );
    }
}

impl LinkState {
    fn label(self) -> tls_persistent_connection_status::State {
        use tls_persistent_connection_status::State;
        match self {
            Self::Up => State::Up,
            Self::Down => State::Down,
            Self::WaitingShutdown => State::WaitingShutdown,
            Self::WaitingUp => State::WaitingUp,
        }
    }
}

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
            Self::Registration(status) => status.logged(),
            Self::KeepAliveLost { gateway, server } => {
                messages::KEEP_ALIVE_LOST.with([gateway, server])
            }
            Self::KeepAliveAnswered { gateway } => messages::KEEP_ALIVE_ANSWERED.with([gateway]),
            Self::Malformed { peer, reason } => messages::SIP_MALFORMED.with([peer, reason]),
        }
    }
}

impl RegistrationStatus {
    fn logged(&self) -> notice::Notice {
        let (gateway, user, server) = (&self.gateway, &self.username, &self.registrar);
        match self.state {
            RegistrationState::Registered | RegistrationState::Refreshing
                if self.reason.is_empty() =>
            {
                messages::REGISTERED.with([gateway, user, server])
            }
            RegistrationState::Registered | RegistrationState::Refreshing => {
                messages::REGISTERED_ODDLY.with([gateway, user, server, &self.reason])
            }
            RegistrationState::Unregistered if self.reason.is_empty() => {
                messages::UNREGISTERED.with([gateway, user, server])
            }
            _ => messages::REGISTRATION_FAILED.with([gateway, user, server, &self.reason]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Value;
    use crate::tree::Tree;

    fn registration(state: RegistrationState, reason: &str) -> RegistrationStatus {
        RegistrationStatus {
            index: 7,
            gateway: "trunk".to_owned(),
            endpoint: "Port01".to_owned(),
            registrar: "sip.example:0".to_owned(),
            username: "100".to_owned(),
            state,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn rows_that_are_gone_are_withdrawn_and_the_led_follows() {
        let tree = Tree::in_memory();
        let mut status = Status {
            registrations: vec![registration(RegistrationState::Rejected, "403")],
            ..Status::default()
        };
        tree.live().publish(|live| status.publish(live));
        let rows = tree.live().rows();
        assert!(
            rows.row(registration_status::TABLE, &Index::number(7))
                .is_some()
        );
        assert!(
            rows.row(registration_status_reason::TABLE, &Index::number(7))
                .is_some()
        );

        status.registrations.clear();
        status.ready = true;
        tree.live().publish(|live| status.publish(live));
        let rows = tree.live().rows();
        assert_eq!(rows.rows(registration_status::TABLE).iter().count(), 0);
        assert_eq!(
            rows.rows(registration_status_reason::TABLE).iter().count(),
            0
        );
        let led = rows
            .row(sip_ep::TABLE, &Index::scalar())
            .expect("published");
        assert!(led.cells.contains(&Some(Value::Integer(100))));
    }

    #[test]
    fn a_gateway_is_logged_only_when_its_state_changes() {
        let status = |state| Status {
            gateways: vec![GatewayStatus {
                name: "trunk".to_owned(),
                network_interface: "Lan1".to_owned(),
                port: 5060,
                secure_port: 0,
                domain: String::new(),
                state,
                reason: "a reason".to_owned(),
            }],
            ..Status::default()
        };
        let ready = status(GatewayState::Ready);
        let down = status(GatewayState::NetworkDown);
        assert_eq!(ready.changes(&ready), []);
        assert_eq!(ready.changes(&Status::default())[0].name(), "1400.10");
        assert_eq!(down.changes(&ready)[0].name(), "1400.20");
    }

    #[test]
    fn a_registration_is_logged_as_what_became_of_it() {
        let said = |state, reason| {
            let status = registration(state, reason);
            Notice::Registration(Box::new(status)).logged().name()
        };
        assert_eq!(said(RegistrationState::Registered, ""), "1400.200");
        assert_eq!(
            said(RegistrationState::Registered, "two bindings"),
            "1400.205"
        );
        assert_eq!(said(RegistrationState::Unregistered, ""), "1400.210");
        assert_eq!(said(RegistrationState::Rejected, "403"), "1400.220");
    }
}
