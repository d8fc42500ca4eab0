//! The settings out of the tree: which columns they are, and what their labels mean.
//!
//! For whoever runs the stack: the tree says which columns count, and reads
//! all of them at once. What is not in the tree (addresses, the lock of an
//! endpoint, the unit's names) is given afterwards, by the `with_...` of the
//! settings. Nothing is decided here.
use std::collections::BTreeMap;

use super::authentication::AuthenticationRow;
use super::clear::ClearPolicy;
use super::failover::{Failover, GatewayFailover};
use super::keep_alive::GatewayDestination;
use super::proxy::{self, GatewayProxy};
use super::registration::{self, GatewayRegistration, UnitRegistering};
use super::{
    Authentication, Dns, Gateway, Interop, KeepAlive, PenaltyBox, Proxy, ReadyLed, Registration,
    Settings, Tls, Transport, TransportConfig, UnitRegistration, UserAgent,
};
use crate::schema::sip_ep::{self, authentication};
use crate::schema::{ColumnId, FromCell, Typed, Value, kind};
use crate::sip::hostport::HostPort;
use crate::tree::{Configured, Snapshot, View};

/// Deletions and changes of place, which the tree carries out itself.
const COMMANDS: &[ColumnId] = &[
    sip_ep::gateway::DELETE.id(),
    sip_ep::authentication::UP.id(),
    sip_ep::authentication::DOWN.id(),
    sip_ep::authentication::INSERT.id(),
    sip_ep::authentication::DELETE.id(),
    sip_ep::unit_registrations::DELETE.id(),
];

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        [
            Gateway::COLUMNS,
            TransportConfig::COLUMNS,
            ClearPolicy::COLUMNS,
            ReadyLed::COLUMNS,
            UserAgent::COLUMNS,
            UnitRegistration::COLUMNS,
            AuthenticationRow::COLUMNS,
            Proxy::COLUMNS,
            GatewayProxy::COLUMNS,
            Registration::COLUMNS,
            GatewayRegistration::COLUMNS,
            UnitRegistering::COLUMNS,
            Transport::COLUMNS,
            Tls::COLUMNS,
            Failover::COLUMNS,
            GatewayFailover::COLUMNS,
            PenaltyBox::COLUMNS,
            KeepAlive::COLUMNS,
            GatewayDestination::COLUMNS,
            Dns::COLUMNS,
            Interop::COLUMNS,
            COMMANDS,
        ]
        .concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        Self {
            gateways: rows(snapshot, sip_ep::gateway::NAME, Some),
            transport_config: rows(snapshot, sip_ep::transport_config::GATEWAY_NAME, Some),
            clear_beside_tls: rows(
                snapshot,
                sip_ep::transport_clear::GATEWAY_NAME,
                |row: ClearPolicy| Some(row.beside_tls),
            ),
            ready_led: snapshot.scalars(),
            user_agents: rows(snapshot, sip_ep::user_agent::EP_ID, Some),
            unit_registrations: rows(snapshot, sip_ep::unit_registrations::INDEX, Some),
            authentication: rows(snapshot, authentication::INDEX, |row| {
                Some(Authentication::of(row))
            }),
            proxy: snapshot.scalars(),
            gw_specific_proxy: rows(
                snapshot,
                sip_ep::gw_specific_proxy::GATEWAY_NAME,
                proxy::own,
            ),
            registration: snapshot.scalars(),
            gw_specific_registration: rows(
                snapshot,
                sip_ep::gw_specific_registration::GATEWAY_NAME,
                registration::own,
            ),
            unit_unregistered_behavior: snapshot.scalars::<UnitRegistering>().unregistered_behavior,
            transport: snapshot.scalars(),
            tls: snapshot.scalars(),
            sip_failover_conditions: snapshot.scalars::<Failover>().conditions,
            gw_specific_failover: rows(
                snapshot,
                sip_ep::gw_specific_failover::GATEWAY_NAME,
                |row: GatewayFailover| row.enable.then_some(row.conditions),
            ),
            penalty_box: snapshot.scalars(),
            keep_alive: snapshot.scalars(),
            alternate_destination: rows(
                snapshot,
                sip_ep::gw_keep_alive_alternate_destination::GATEWAY_NAME,
                |row: GatewayDestination| row.host,
            ),
            dns: snapshot.scalars(),
            interop: snapshot.scalars(),
            ..Self::default()
        }
    }
}

/// The rows that count, by their key.
fn rows<Kind, Key, V, Row>(
    snapshot: &Snapshot,
    key: Typed<Kind>,
    counts: impl Fn(V) -> Option<Row>,
) -> BTreeMap<Key, Row>
where
    Key: FromCell<Kind> + Ord,
    V: View,
{
    let table = key.id().get().table.get();
    let rows = snapshot.view::<V>().into_iter();
    rows.filter_map(|(index, row)| {
        let keys = index.values(table).ok()?;
        Some((Key::from_cell(keys.first()), counts(row)?))
    })
    .collect()
}

impl FromCell<kind::Octets> for Option<HostPort> {
    /// What is no host means none.
    fn from_cell(cell: Option<&Value>) -> Self {
        HostPort::parse(&String::from_cell(cell)).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::certs::TlsPolicy;
    use crate::schema::{Index, Name, Role, columns};
    use crate::tree::{Actor, Creation, Transaction, Tree};

    fn host(text: &str) -> Option<HostPort> {
        HostPort::parse(text).expect("a host and port")
    }

    #[test]
    fn every_object_that_can_be_written_is_claimed() {
        let claims: BTreeSet<ColumnId> = Settings::claims().into_iter().collect();
        for (id, column) in columns() {
            let service = column.table.get().service.get().name;
            let writable = column.writable && column.role != Role::Index;
            if service == "SipEp" && writable && column.name != "minSeverity" {
                assert!(claims.contains(&id), "nothing reads {}", column.name);
            }
        }
    }

    #[test]
    fn a_fresh_tree_reads_as_the_defaults_without_a_server() {
        let read = Settings::read(&Tree::in_memory().snapshot());
        assert_eq!(read, Settings::default());
        assert_eq!(read.registration.server_host, None);
        assert_eq!(read.registration.retry_time, 120);
    }

    #[test]
    fn a_gateway_with_its_users_and_credentials_is_read_into_settings() {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::device());
        let endpoints = crate::schema::ep_adm::endpoint::TABLE;
        txn.create(endpoints, Index::text("Port01"), Creation::Active);
        for (name, value) in [
            (
                "SipEp.Gateway[Name=trunk].SecurePort",
                Value::Unsigned(5071),
            ),
            (
                "SipEp.TransportConfig[GatewayName=trunk].TlsEnable",
                Value::from(true),
            ),
            (
                "SipEp.GwSpecificRegistration[GatewayName=trunk].EnableConfig",
                Value::from(true),
            ),
            (
                "SipEp.GwSpecificRegistration[GatewayName=trunk].ServerHost",
                Value::from("sip.example:5061"),
            ),
            (
                "SipEp.GwSpecificProxy[GatewayName=trunk].OutboundHost",
                Value::from("unused.example"),
            ),
            ("SipEp.UserAgent[EpId=Port01].Username", Value::from("100")),
            ("SipEp.UserAgent[EpId=Port01].Register", Value::from(true)),
            (
                "SipEp.Authentication[Index=2].Username",
                Value::from("alice"),
            ),
            (
                "SipEp.Authentication[Index=2].Password",
                Value::from("secret"),
            ),
            ("SipEp.TlsPolicy", Value::Integer(100)),
        ] {
            txn.assign(Name::parse(name).expect("a name"), value);
        }
        tree.commit_and_wait(txn, 0).expect("granted");

        let read = Settings::read(&tree.snapshot());
        let gateway = Gateway {
            secure_port: 5071,
            ..Gateway::default()
        };
        assert_eq!(
            read.gateways,
            BTreeMap::from([("trunk".to_owned(), gateway)])
        );
        assert!(read.transport_config["trunk"].tls_enable);
        assert_eq!(
            read.gw_specific_registration["trunk"],
            Registration {
                server_host: host("sip.example:5061"),
                ..Registration::default()
            }
        );
        assert!(read.gw_specific_proxy.is_empty(), "its row is not enabled");
        let agent = UserAgent {
            username: "100".to_owned(),
            register: true,
            ..UserAgent::default()
        };
        assert_eq!(read.user_agents["Port01"], agent);
        let credentials = Authentication {
            username: "alice".to_owned(),
            password: "secret".to_owned(),
            ..Authentication::default()
        };
        assert_eq!(read.authentication, BTreeMap::from([(2, credentials)]));
        assert_eq!(read.tls.policy, TlsPolicy::Modern);
    }

    #[test]
    fn credentials_that_go_up_are_the_first_ones() {
        let tree = Tree::in_memory();
        let commit = |wishes: &[(&str, Value)]| {
            let mut txn = Transaction::new(Actor::device());
            for (name, value) in wishes {
                let name = format!("SipEp.Authentication[Index={name}");
                txn.assign(Name::parse(&name).expect("a name"), value.clone());
            }
            tree.commit_and_wait(txn, 0).expect("granted");
        };
        commit(&[
            ("1].Username", Value::from("alice")),
            ("1].Password", Value::from("hers")),
            ("2].Username", Value::from("bob")),
            ("2].Password", Value::from("his")),
        ]);
        commit(&[("2].Up", Value::Integer(10))]);
        let read = Settings::read(&tree.snapshot());
        let first = read.authentication.values().next().expect("a row");
        assert_eq!((&*first.username, &*first.password), ("bob", "his"));
    }
}
