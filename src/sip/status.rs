//! What the SIP stack shows of itself: the rows of its status tables.
//!
//! Each row that can say "not working" carries a reason: one sentence, with
//! the object to change where there is one; empty while all is well.

mod calendar;
mod gateway;
mod link;
mod logged;
mod registration;

use std::collections::BTreeSet;

use crate::schema::TableId;
use crate::schema::sip_ep::{
    self, gateway_status, gateway_status_reason, registration_status, registration_status_reason,
    tls_persistent_connection_status, tls_persistent_connection_status_reason,
};
use crate::tree::{Publication, notice};

pub use calendar::Calendar;
pub use gateway::{GatewayState, GatewayStatus};
pub use link::{LinkState, LinkStatus};
pub use registration::{NextAction, RegistrationState, RegistrationStatus};

/// The whole of it, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    /// `GatewayStatus`, by name.
    pub gateways: Vec<GatewayStatus>,
    /// `RegistrationStatus`.
    pub registrations: Vec<RegistrationStatus>,
    /// `TlsPersistentConnectionStatus`.
    pub links: Vec<LinkStatus>,
    /// Endpoints that are to register and cannot be used, as none of their registrations stands.
    pub unregistered: BTreeSet<String>,
    /// Whether every wanted link is up and every wanted registration stands: the Ready LED.
    pub ready: bool,
}

impl Status {
    /// Shows it in SipEp's live tables, with the dates of `calendar`; rows that are gone go.
    pub fn publish(&self, live: &mut Publication<'_>, calendar: &Calendar) {
        for table in TABLES {
            live.clear(*table);
        }
        for gateway in &self.gateways {
            gateway.publish(live);
        }
        for registration in &self.registrations {
            registration.publish(live, calendar);
        }
        for link in &self.links {
            link.publish(live, calendar);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::schema::{Index, Value};
    use crate::sip::event::Notice;
    use crate::tree::Tree;
    use crate::wire::time::UnixTime;

    fn calendar() -> Calendar {
        Calendar::new(std::time::Instant::now(), None)
    }

    fn registration(state: RegistrationState, reason: &str) -> RegistrationStatus {
        RegistrationStatus {
            index: 7,
            gateway: "trunk".to_owned(),
            endpoint: "Port01".to_owned(),
            registrar: "sip.example:0".to_owned(),
            username: "100".to_owned(),
            state,
            contact: String::new(),
            granted: 0,
            expires: None,
            next: None,
            heard: None,
            service_route: String::new(),
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
        tree.live()
            .publish(|live| status.publish(live, &calendar()));
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
        tree.live()
            .publish(|live| status.publish(live, &calendar()));
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
    fn the_details_of_a_registration_are_shown_with_their_dates() {
        use crate::schema::Name;
        let now = std::time::Instant::now();
        let mut row = registration(RegistrationState::Registered, "");
        row.contact = "sip:100@192.0.2.1".to_owned();
        row.granted = 90;
        row.expires = Some(now + Duration::from_secs(90));
        row.next = Some((NextAction::Refresh, now + Duration::from_secs(30)));
        row.heard = Some((200, "Fine".to_owned()));
        row.service_route = "<sip:edge.example;lr>".to_owned();
        let status = Status {
            registrations: vec![row],
            ..Status::default()
        };
        let tree = Tree::in_memory();
        let calendar = Calendar::new(now, Some(UnixTime::from_secs(86_400)));
        tree.live().publish(|live| status.publish(live, &calendar));
        let shown = [
            ("Contact", Value::from("sip:100@192.0.2.1")),
            ("Granted", Value::Unsigned(90)),
            ("Expires", Value::from("1970-01-02 00:01:30")),
            ("NextAction", Value::Integer(300)),
            ("NextTime", Value::from("1970-01-02 00:00:30")),
            ("LastCode", Value::Unsigned(200)),
            ("LastPhrase", Value::from("Fine")),
            ("ServiceRoute", Value::from("<sip:edge.example;lr>")),
        ];
        for (column, value) in shown {
            let name = format!("SipEp.RegistrationStatusReason[Index=7].{column}");
            let name = Name::parse(&name).expect("a name");
            assert_eq!(tree.instances().read(&name), Some(value), "{column}");
        }
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
