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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schema::Name;
    use crate::tree::Tree;
    use crate::wire::time::UnixTime;

    fn read(tree: &Tree, column: &str) -> String {
        let name = format!("SipEp.TlsPersistentConnectionStatusReason[Index=3].{column}");
        let name = Name::parse(&name).expect("a name");
        let value = tree.instances().read(&name).expect("published");
        value.display(&name.column.get().syntax)
    }

    #[test]
    fn every_column_of_a_link_is_filled() {
        let now = Instant::now() + Duration::from_secs(60);
        let link = LinkStatus {
            index: 3,
            gateway: "trunk".to_owned(),
            local_port: 16_000,
            remote_host: "sip.example:5061".to_owned(),
            remote_addr: None,
            state: LinkState::Up,
            reason: "a remark".to_owned(),
            session: Some(Session {
                version: "TLS 1.3".to_owned(),
                cipher_suite: "TLS_AES_128_GCM_SHA256".to_owned(),
                subject: "CN=sip.example".to_owned(),
                expiry: Some(UnixTime::from_secs(86_400)),
            }),
            since: Some(now - Duration::from_secs(60)),
            attempts: 2,
            next_attempt: Some(now + Duration::from_secs(1)),
        };
        let tree = Tree::in_memory();
        let calendar = Calendar::new(now, Some(UnixTime::from_secs(3600)));
        tree.live().publish(|live| link.publish(live, &calendar));
        for (column, value) in [
            ("Text", "a remark"),
            ("Version", "TLS 1.3"),
            ("CipherSuite", "TLS_AES_128_GCM_SHA256"),
            ("PeerSubject", "CN=sip.example"),
            ("PeerExpiry", "1970-01-02 00:00:00"),
            ("Since", "1970-01-01 00:59:00"),
            ("Attempts", "2"),
            ("NextAttempt", "1970-01-01 01:00:01"),
        ] {
            assert_eq!(read(&tree, column), value, "{column}");
        }
    }
}
