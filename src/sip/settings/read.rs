//! The settings out of the tree: which columns they are, and what their labels mean.
//!
//! For whoever runs the stack: the tree says which columns count, and reads
//! all of them at once. What is not in the tree (addresses, the lock of an
//! endpoint, the unit's names) is given afterwards, by the `with_...` of the
//! settings. Nothing is decided here.

use std::collections::BTreeMap;

use super::{
    AckBranchMatching, Authentication, ContactMatching, CriteriaSelection, Dns,
    DnsFailureConcealment, DnsIpVersion, EscapeFormat, FailoverConditions, Gateway, GatewayType,
    Interop, KeepAlive, KeepAliveDestination, KeepAliveMethod, KeepAliveOptionFormat,
    OptionsSupport, OutboundType, PenaltyBox, Proxy, Registration, Settings, SupportedDnsQueries,
    Tls, Transport, TransportConfig, UnitRegistration, UserAgent,
};
use crate::certs::{ClientAuth, Level, TlsPolicy, TrustLevel};
use crate::schema::sip_ep::{self, authentication};
use crate::schema::{ColumnId, FromCell, Secret, TableId, Typed, Value, kind};
use crate::sip::hostport::HostPort;
use crate::tree::{Configured, RowView, Snapshot, View};
use crate::view;

/// Says which columns the fields of a struct of settings are.
macro_rules! columns {
    (
        $name:ident: $($table:ident)::+ {
            $( $field:ident = $column:ident, )+
            $( ..$rest:expr )?
        }
    ) => {
        impl View for $name {
            const TABLE: TableId = $($table)::+::TABLE;
            const COLUMNS: &'static [ColumnId] = {
                use $($table)::+ as table;
                &[$( table::$column.id(), )+]
            };

            fn read(row: RowView<'_>) -> Self {
                use $($table)::+ as table;
                Self {
                    $( $field: row.get(table::$column), )+
                    $( ..$rest )?
                }
            }
        }
    };
}

/// Says which labels of the MIB the variants of an enum are; they have the same names.
macro_rules! labels {
    ( $mib:ty => $name:ident { $($label:ident),+ } ) => {
        impl FromCell<$mib> for $name {
            fn from_cell(cell: Option<&Value>) -> Self {
                type Mib = $mib;
                match Mib::from_cell(cell) {
                    $( Mib::$label => Self::$label, )+
                }
            }
        }
    };
}

columns! { Gateway: sip_ep::gateway {
    kind = TYPE,
    network_interface = NETWORK_INTERFACE,
    port = PORT,
    secure_port = SECURE_PORT,
    domain = DOMAIN,
} }

columns! { TransportConfig: sip_ep::transport_config {
    registration_enable = REGISTRATION_ENABLE,
    contact_enable = CONTACT_ENABLE,
    udp_enable = UDP_ENABLE,
    udp_q_value = UDP_Q_VALUE,
    tcp_enable = TCP_ENABLE,
    tcp_q_value = TCP_Q_VALUE,
    tls_enable = TLS_ENABLE,
    tls_q_value = TLS_Q_VALUE,
} }

columns! { UserAgent: sip_ep::user_agent {
    username = USERNAME,
    friendly_name = FRIENDLY_NAME,
    register = REGISTER,
    gateway_name = GATEWAY_NAME,
    contact_domain = CONTACT_DOMAIN,
} }

columns! { UnitRegistration: sip_ep::unit_registrations {
    username = USERNAME,
    gateway_name = GATEWAY_NAME,
} }

columns! { Proxy: sip_ep {
    home_domain_host = DEFAULT_STATIC_PROXY_HOME_DOMAIN_HOST,
    outbound_host = DEFAULT_STATIC_PROXY_OUTBOUND_HOST,
    outbound_type = DEFAULT_PROXY_OUTBOUND_TYPE,
} }

columns! { Registration: sip_ep {
    server_host = DEFAULT_STATIC_REGISTRAR_SERVER_HOST,
    refresh_time = DEFAULT_REGISTRATION_REFRESH_TIME,
    expiration_value = DEFAULT_REGISTRATION_EXPIRATION_VALUE,
    proposed_expiration_value = DEFAULT_REGISTRATION_PROPOSED_EXPIRATION_VALUE,
    retry_time = DEFAULT_REGISTRATION_RETRY_TIME,
} }

columns! { Transport: sip_ep {
    persistent_base_port = TRANSPORT_PERSISTENT_BASE_PORT,
    persistent_port_interval = TRANSPORT_PERSISTENT_PORT_INTERVAL,
    failback_interval = TRANSPORT_FAILBACK_INTERVAL,
    outbound_enable = OUTBOUND_ENABLE,
    ..Self::default()
} }

columns! { Tls: sip_ep {
    policy = TLS_POLICY,
    cipher_suite = TRANSPORT_TLS_CIPHER_SUITE,
    version = TRANSPORT_TLS_VERSION,
    validation = INTEROP_TLS_CERTIFICATE_VALIDATION,
    trust = TRANSPORT_TLS_CERTIFICATE_TRUST_LEVEL,
    client_authentication = INTEROP_TLS_CLIENT_AUTHENTICATION_ENABLE,
} }

columns! { PenaltyBox: sip_ep {
    enable = PENALTY_BOX_ENABLE,
    time = PENALTY_BOX_TIME,
} }

columns! { KeepAlive: sip_ep {
    method = SIP_KEEP_ALIVE_METHOD,
    interval = SIP_KEEP_ALIVE_INTERVAL,
    retry = SIP_KEEP_ALIVE_RETRY,
    destination = SIP_KEEP_ALIVE_DESTINATION,
} }

columns! { Dns: sip_ep {
    supported_dns_queries = SUPPORTED_DNS_QUERIES,
    failure_concealment = DNS_FAILURE_CONCEALMENT,
    ip_version = DNS_IP_VERSION,
} }

columns! { Interop: sip_ep {
    transmission_timeout = INTEROP_TRANSMISSION_TIMEOUT,
    tcp_connect_timeout = INTEROP_TCP_CONNECT_TIMEOUT,
    max_forwards_value = INTEROP_MAX_FORWARDS_VALUE,
    send_ua_header_enable = INTEROP_SEND_UA_HEADER_ENABLE,
    ua_header_format = INTEROP_UA_HEADER_FORMAT,
    register_home_domain_override = INTEROP_REGISTER_HOME_DOMAIN_OVERRIDE,
    sip_options_method_support = INTEROP_SIP_OPTIONS_METHOD_SUPPORT,
    escape_pound_in_sip_uri_username = INTEROP_ESCAPE_POUND_IN_SIP_URI_USERNAME,
    escape_format = INTEROP_ESCAPE_FORMAT,
    sip_uri_user_parameter_value = INTEROP_SIP_URI_USER_PARAMETER_VALUE,
    registration_contact_matching = INTEROP_REGISTRATION_CONTACT_MATCHING,
    force_dns_naptr_in_tls = INTEROP_FORCE_DNS_NAPTR_IN_TLS,
    ack_branch_matching = INTEROP_ACK_BRANCH_MATCHING,
    ignore_require_header_enable = INTEROP_IGNORE_REQUIRE_HEADER_ENABLE,
    registration_delay_value = INTEROP_REGISTRATION_DELAY_VALUE,
    sip_contact_display_name_presence = INTEROP_SIP_CONTACT_DISPLAY_NAME_PRESENCE,
    keep_alive_option_format = INTEROP_KEEP_ALIVE_OPTION_FORMAT,
} }

view! {
    /// A row of credentials; its password leaves the [`Secret`] here.
    struct AuthenticationRow: sip_ep::authentication {
        criteria_selection: CriteriaSelection = CRITERIA_SELECTION,
        ep_id: String = EP_ID,
        gateway_name: String = GATEWAY_NAME,
        username_criteria: String = USERNAME_CRITERIA,
        validate_realm: bool = VALIDATE_REALM,
        realm: String = REALM,
        username: String = USERNAME,
        password: Secret = PASSWORD,
    }
}

view! {
    /// The proxies of one gateway.
    struct GatewayProxy: sip_ep::gw_specific_proxy {
        enable: bool = ENABLE_CONFIG,
        home_domain_host: Option<HostPort> = HOME_DOMAIN_HOST,
        outbound_host: Option<HostPort> = OUTBOUND_HOST,
        outbound_type: OutboundType = OUTBOUND_TYPE,
    }
}

view! {
    /// How one gateway registers.
    struct GatewayRegistration: sip_ep::gw_specific_registration {
        enable: bool = ENABLE_CONFIG,
        server_host: Option<HostPort> = SERVER_HOST,
        refresh_time: u32 = REFRESH_TIME,
        expiration_value: u32 = EXPIRATION_VALUE,
        proposed_expiration_value: u32 = PROPOSED_EXPIRATION_VALUE,
        retry_time: u32 = RETRY_TIME,
    }
}

view! {
    /// What makes one gateway go to the next server.
    struct GatewayFailover: sip_ep::gw_specific_failover {
        enable: bool = ENABLE_CONFIG,
        conditions: FailoverConditions = SIP_FAILOVER_CONDITIONS,
    }
}

view! {
    /// Where one gateway sends its keep-alives instead.
    struct GatewayDestination: sip_ep::gw_keep_alive_alternate_destination {
        host: Option<HostPort> = ALTERNATE_DESTINATION,
    }
}

view! {
    /// What makes the other gateways go to the next server.
    struct Failover: sip_ep {
        conditions: FailoverConditions = DEFAULT_SIP_FAILOVER_CONDITIONS,
    }
}

/// The deletions, which the tree carries out itself.
const COMMANDS: &[ColumnId] = &[
    sip_ep::gateway::DELETE.id(),
    sip_ep::authentication::DELETE.id(),
    sip_ep::unit_registrations::DELETE.id(),
];

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        [
            Gateway::COLUMNS,
            TransportConfig::COLUMNS,
            UserAgent::COLUMNS,
            UnitRegistration::COLUMNS,
            AuthenticationRow::COLUMNS,
            Proxy::COLUMNS,
            GatewayProxy::COLUMNS,
            Registration::COLUMNS,
            GatewayRegistration::COLUMNS,
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
            user_agents: rows(snapshot, sip_ep::user_agent::EP_ID, Some),
            unit_registrations: rows(snapshot, sip_ep::unit_registrations::INDEX, Some),
            authentication: rows(snapshot, authentication::INDEX, credentials),
            proxy: snapshot.scalars(),
            gw_specific_proxy: rows(snapshot, sip_ep::gw_specific_proxy::GATEWAY_NAME, proxy),
            registration: snapshot.scalars(),
            gw_specific_registration: rows(
                snapshot,
                sip_ep::gw_specific_registration::GATEWAY_NAME,
                registration,
            ),
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

fn credentials(row: AuthenticationRow) -> Option<Authentication> {
    Some(Authentication {
        criteria_selection: row.criteria_selection,
        ep_id: row.ep_id,
        gateway_name: row.gateway_name,
        username_criteria: row.username_criteria,
        validate_realm: row.validate_realm,
        realm: row.realm,
        username: row.username,
        password: String::from_utf8_lossy(row.password.expose()).into_owned(),
    })
}

fn proxy(row: GatewayProxy) -> Option<Proxy> {
    row.enable.then_some(Proxy {
        home_domain_host: row.home_domain_host,
        outbound_host: row.outbound_host,
        outbound_type: row.outbound_type,
    })
}

fn registration(row: GatewayRegistration) -> Option<Registration> {
    row.enable.then_some(Registration {
        server_host: row.server_host,
        refresh_time: row.refresh_time,
        expiration_value: row.expiration_value,
        proposed_expiration_value: row.proposed_expiration_value,
        retry_time: row.retry_time,
    })
}

impl FromCell<kind::Octets> for Option<HostPort> {
    /// What is no host means none.
    fn from_cell(cell: Option<&Value>) -> Self {
        HostPort::parse(&String::from_cell(cell)).ok().flatten()
    }
}

impl FromCell<kind::Octets> for FailoverConditions {
    fn from_cell(cell: Option<&Value>) -> Self {
        Self::parse(&String::from_cell(cell))
    }
}

impl FromCell<kind::Switch> for ClientAuth {
    fn from_cell(cell: Option<&Value>) -> Self {
        match bool::from_cell(cell) {
            true => Self::Required,
            false => Self::NotAsked,
        }
    }
}

labels! { sip_ep::gateway::Type => GatewayType { TrunkGateway, EndpointGateway } }
labels! { authentication::CriteriaSelection => CriteriaSelection { Unit, Endpoint, Gateway, Username } }
labels! { sip_ep::DefaultProxyOutboundType => OutboundType { LooseRouter, StrictRouter, NoRouteHeader } }
labels! { sip_ep::gw_specific_proxy::OutboundType => OutboundType { LooseRouter, StrictRouter, NoRouteHeader } }
labels! { sip_ep::TlsPolicy => TlsPolicy { Modern, Compatible } }
labels! { sip_ep::InteropTlsCertificateValidation => Level { NoValidation, TrustedCertificate, DnsSrvResponse, HostName } }
labels! { sip_ep::TransportTlsCertificateTrustLevel => TrustLevel { LocallyTrusted, OcspOptional, OcspMandatory } }
labels! { sip_ep::SipKeepAliveMethod => KeepAliveMethod { None, SipOptions, Ping, TcpKeepAlive } }
labels! { sip_ep::SipKeepAliveDestination => KeepAliveDestination { FirstSipDestination, AlternateDestination } }
labels! { sip_ep::SupportedDnsQueries => SupportedDnsQueries { Address, Srv, Naptr } }
labels! { sip_ep::DnsFailureConcealment => DnsFailureConcealment { None, OnNoResolution } }
labels! { sip_ep::DnsIpVersion => DnsIpVersion { IpV4Only, IpV4Preferred } }
labels! { sip_ep::InteropSipOptionsMethodSupport => OptionsSupport { None, AlwaysOk } }
labels! { sip_ep::InteropEscapeFormat => EscapeFormat { LowercaseHex, UppercaseHex } }
labels! { sip_ep::InteropRegistrationContactMatching => ContactMatching { Strict, IgnoreUriParams, IgnoreUriAndPortParams } }
labels! { sip_ep::InteropAckBranchMatching => AckBranchMatching { Rfc3261, Rfc3261WithoutAck } }
labels! { sip_ep::InteropKeepAliveOptionFormat => KeepAliveOptionFormat { ShortFrom, FullFrom } }

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
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
        let mut fresh = Settings::default();
        fresh.proxy.home_domain_host = None;
        fresh.registration.server_host = None;
        assert_eq!(read, fresh);
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
}
