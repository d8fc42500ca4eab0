//! The row of a persistent link: how it is, why, and what it is made of.

use std::net::IpAddr;
use std::time::Instant;

use super::Calendar;
use crate::schema::Index;
use crate::schema::sip_ep::{
    tls_persistent_connection_status, tls_persistent_connection_status_reason,
};
use crate::sip::event::Session;
use crate::tree::Publication;

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
    /// What TLS agreed on, while it is up.
    pub session: Option<Session>,
    /// Since when it is so.
    pub since: Option<Instant>,
    /// How often it was tried since it was last up; where it is up, how many attempts that took.
    pub attempts: u32,
    /// When it is tried again.
    pub next_attempt: Option<Instant>,
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

impl LinkStatus {
    pub(super) fn publish(&self, live: &mut Publication<'_>, calendar: &Calendar) {
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
        self.publish_reason(live, &row, calendar);
    }

    fn publish_reason(&self, live: &mut Publication<'_>, row: &Index, calendar: &Calendar) {
        use tls_persistent_connection_status_reason::{
            ATTEMPTS, CIPHER_SUITE, NEXT_ATTEMPT, PEER_EXPIRY, PEER_SUBJECT, SINCE, TEXT, VERSION,
        };
        let session = self.session.clone().unwrap_or_default();
        let expiry = session.expiry.map(|it| it.to_string());
        live.set(TEXT, row, &self.reason);
        live.set(VERSION, row, session.version);
        live.set(CIPHER_SUITE, row, session.cipher_suite);
        live.set(PEER_SUBJECT, row, session.subject);
        live.set(PEER_EXPIRY, row, expiry.unwrap_or_default());
        live.set(SINCE, row, calendar.date(self.since));
        live.set(ATTEMPTS, row, self.attempts);
        live.set(NEXT_ATTEMPT, row, calendar.date(self.next_attempt));
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
