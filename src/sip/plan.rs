//! From settings to needs: what each gateway must have for the settings to be true.
//!
//! Pure and whole: the same settings give the same plan. The stack compares
//! the plan it lives by with the new one, gateway by gateway and need by
//! need, so what did not change in here is not touched by a change elsewhere.
//! The transport rule stands here: where TLS is enabled, requests use nothing else.

mod calls;
mod gateway;
mod registrations;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::sip::event::TcpKeepAlive;
use crate::sip::hostport::HostPort;
use crate::sip::register::Style;
use crate::sip::resolve::Wanted;
use crate::sip::settings::{
    Authentication, ContactMatching, FailoverConditions, OutboundType, Settings,
};
use crate::sip::transport::{Transport, Transports};
use gateway::Planner;

/// One gateway's needs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GatewayPlan {
    /// The interface it names.
    pub network_interface: String,
    /// The address of that interface, while it is up.
    pub ip: Option<IpAddr>,
    /// What its requests may use.
    pub requests: Transports,
    /// Where it listens; the UDP socket of requests among them.
    pub listeners: BTreeMap<Transport, SocketAddr>,
    /// What peers' TLS handshakes depend on; 0 where it does not listen for TLS.
    pub tls_generation: u64,
    /// From which port its requests leave over UDP.
    pub udp_source: UdpSource,
    /// The servers that it keeps in touch with.
    pub links: BTreeMap<HostPort, LinkPlan>,
    /// What it registers.
    pub registrations: BTreeMap<Line, RegistrationPlan>,
    /// What becomes of it and of its endpoints while they are not registered.
    pub unregistered: Unregistered,
    /// Its domain.
    pub domain: String,
    /// The server that keep-alive OPTIONS go to.
    pub keep_alive_server: Option<HostPort>,
    /// Whether Contacts outside REGISTER name the transport.
    pub contact_transport: bool,
    /// Where its calls go, and as whom.
    pub calls: CallPlan,
}

/// Where the calls of a gateway go, and as whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CallPlan {
    /// The server that they go to; none where it is the called one itself.
    pub server: Option<HostPort>,
    /// How the outbound proxy is written, where `server` is one.
    pub outbound: Option<OutboundType>,
    /// What stands behind `@` in the URIs of users: a host, with a port where one is set.
    pub domain: String,
    /// The credentials that any of them may use, in order.
    pub credentials: Vec<Authentication>,
}

/// From which port requests leave over UDP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UdpSource {
    /// From the one that is listened on.
    #[default]
    Listener,
    /// From any that the system gives.
    Ephemeral,
}

/// What a registration that does not stand means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unregistered {
    /// Endpoints can be used without theirs.
    pub endpoints_serve: bool,
    /// The gateway serves nobody without one of the unit's.
    pub gateway_waits: bool,
}

/// What a link is made of; a difference here opens a new one before the old one closes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPlan {
    /// What to resolve, and with which transports.
    pub wanted: Wanted,
    /// The local address.
    pub ip: IpAddr,
    /// What TLS handshakes depend on; 0 without TLS.
    pub tls_generation: u64,
    /// The local ports of streams; none without streams.
    pub ports: Option<PortRange>,
    /// Probes by the operating system.
    pub tcp_keep_alive: Option<TcpKeepAlive>,
}

/// The local ports that persistent links may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The first.
    pub base: u16,
    /// How many are cycled through; 0 takes the first free one each time.
    pub interval: u16,
}

/// Whose registration it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// An endpoint's.
    Endpoint(String),
    /// A row of `UnitRegistrations`.
    Unit(u32),
}

/// One registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationPlan {
    /// What makes it another binding when it differs.
    pub binding: Binding,
    /// The display name; empty for none.
    pub friendly_name: String,
    /// Seconds, as in [`Registration`](crate::sip::settings::Registration).
    pub times: Times,
    /// The credentials that may be used, in order.
    pub credentials: Vec<Authentication>,
    /// Which answers move it to the next server.
    pub failover: FailoverConditions,
    /// How our Contact is found in an answer.
    pub matching: ContactMatching,
    /// How its requests look: what was refused in one form is tried in another at once.
    pub style: Style,
}

/// Who is bound where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The registrar; none is a configuration error.
    pub registrar: Option<HostPort>,
    /// The server that the request goes to first.
    pub next_hop: Option<HostPort>,
    /// How the outbound proxy is written, where `next_hop` is one.
    pub outbound: Option<OutboundType>,
    /// The user, as configured.
    pub username: String,
    /// The host of the address of record.
    pub domain: String,
    /// The host of the Contact instead of the address; empty for the address.
    pub contact_domain: String,
    /// The Contacts: the transports and their q, the request's own transport first.
    pub contacts: Vec<(Transport, String)>,
    /// Whether Contacts name their transport.
    pub transport_parameter: bool,
}

/// Seconds of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Before expiry.
    pub refresh: u32,
    /// Where the registrar names none.
    pub expiration: u32,
    /// Proposed; 0 proposes none.
    pub proposed: u32,
    /// After a failure.
    pub retry: u32,
}

/// The needs of every gateway.
pub fn plan(settings: &Settings) -> BTreeMap<String, GatewayPlan> {
    settings
        .gateways
        .keys()
        .map(|name| (name.clone(), Planner::new(settings, name).plan()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::settings::{
        CriteriaSelection, Gateway, GatewayType, Registration, TransportConfig, UnitRegistration,
        UserAgent,
    };

    fn host(text: &str) -> HostPort {
        HostPort::parse(text).expect("valid").expect("a server")
    }

    fn settings() -> Settings {
        let mut settings = Settings::default();
        settings.registration.server_host = Some(host("192.168.10.10"));
        settings
            .interfaces
            .insert("Lan1".into(), IpAddr::from([192, 0, 2, 1]));
        for name in ["a", "b"] {
            settings.gateways.insert(name.into(), Gateway::default());
        }
        settings.unit_registrations.insert(
            1,
            UnitRegistration {
                username: "100".into(),
                ..UnitRegistration::default()
            },
        );
        settings
    }

    fn tls(settings: &mut Settings, gateway: &str) {
        let config = TransportConfig {
            tls_enable: true,
            ..TransportConfig::default()
        };
        settings.transport_config.insert(gateway.into(), config);
    }

    #[test]
    fn where_tls_is_enabled_requests_use_it_alone_and_udp_beside_it_only_listens() {
        let mut settings = settings();
        tls(&mut settings, "a");
        let plan = &plan(&settings)["a"];
        assert_eq!(plan.requests, Transports::of(&[Transport::Tls]));
        let listens: Vec<_> = plan
            .listeners
            .iter()
            .map(|(t, at)| (*t, at.port()))
            .collect();
        assert_eq!(listens, [(Transport::Udp, 5060), (Transport::Tls, 5061)]);
    }

    #[test]
    fn an_endpoint_gateway_has_no_listener_but_the_udp_socket_of_its_requests() {
        let mut settings = settings();
        let gateway = settings.gateways.get_mut("a").expect("there");
        gateway.kind = GatewayType::EndpointGateway;
        assert_eq!(plan(&settings)["a"].listeners[&Transport::Udp].port(), 0);
        tls(&mut settings, "a");
        assert!(plan(&settings)["a"].listeners.is_empty());
    }

    #[test]
    fn servers_with_the_same_host_and_port_share_a_link() {
        let settings = settings();
        assert_eq!(plan(&settings)["a"].links.len(), 1);
    }

    #[test]
    fn an_outbound_proxy_is_the_only_link() {
        let mut settings = settings();
        settings.proxy.outbound_host = Some(host("edge.example:0"));
        let plan = plan(&settings);
        let links: Vec<_> = plan["a"].links.keys().cloned().collect();
        assert_eq!(links, [host("edge.example:0")]);
    }

    #[test]
    fn the_registrar_of_one_gateway_is_nothing_to_another() {
        let mut settings = settings();
        let before = plan(&settings);
        let own = Registration {
            server_host: Some(host("other.example")),
            ..Registration::default()
        };
        settings.gw_specific_registration.insert("a".into(), own);
        let after = plan(&settings);
        assert_ne!(before["a"], after["a"]);
        assert_eq!(before["b"], after["b"]);
    }

    #[test]
    fn the_domain_of_an_address_of_record_is_the_first_one_set() {
        let mut settings = settings();
        let domain = |settings: &Settings| {
            plan(settings)["a"].registrations[&Line::Unit(1)]
                .binding
                .domain
                .clone()
        };
        assert_eq!(domain(&settings), "192.168.10.10");
        settings.gateways.get_mut("a").expect("there").domain = "gw.example".into();
        assert_eq!(domain(&settings), "gw.example");
        settings.interop.register_home_domain_override = "reg.example".into();
        assert_eq!(domain(&settings), "reg.example");
    }

    #[test]
    fn credentials_are_chosen_by_their_criteria() {
        let mut settings = settings();
        let agent = UserAgent {
            register: true,
            username: "200".into(),
            gateway_name: "a".into(),
            ..UserAgent::default()
        };
        settings.user_agents.insert("Port01".into(), agent);
        let row = |criteria_selection, name: &str| Authentication {
            criteria_selection,
            ep_id: name.into(),
            gateway_name: name.into(),
            username_criteria: name.into(),
            username: name.into(),
            ..Authentication::default()
        };
        let rows = [
            row(CriteriaSelection::Endpoint, "Port01"),
            row(CriteriaSelection::Gateway, "b"),
            row(CriteriaSelection::Username, "100"),
            row(CriteriaSelection::Unit, "any"),
        ];
        settings.authentication = (1..).zip(rows).collect();
        let names = |gateway: &str, line: Line| -> Vec<String> {
            plan(&settings)[gateway].registrations[&line]
                .credentials
                .iter()
                .map(|it| it.username.clone())
                .collect()
        };
        assert_eq!(
            names("a", Line::Endpoint("Port01".into())),
            ["Port01", "any"]
        );
        assert_eq!(names("a", Line::Unit(1)), ["100", "any"]);
        assert_eq!(names("b", Line::Unit(1)), ["b", "100", "any"]);
    }
}
