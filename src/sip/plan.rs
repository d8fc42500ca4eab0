//! From settings to needs: what each gateway must have for the settings to be true.
//!
//! Pure and whole: the same settings give the same plan. The stack compares
//! the plan it lives by with the new one, gateway by gateway and need by
//! need, so what did not change in here is not touched by a change elsewhere.
//! The transport rule stands here: where TLS is enabled, requests use nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::sip::event::TcpKeepAlive;
use crate::sip::hostport::HostPort;
use crate::sip::resolve::{Families, NaptrInTls, Wanted};
use crate::sip::settings::{
    ALL_GATEWAYS, Authentication, CriteriaSelection, FailoverConditions, GatewayType,
    KeepAliveDestination, KeepAliveMethod, OutboundType, Proxy, Registration, Settings,
    TransportConfig,
};
use crate::sip::transport::{PORT, SECURE_PORT, Transport, Transports};

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
    /// The servers that it keeps in touch with.
    pub links: BTreeMap<HostPort, LinkPlan>,
    /// What it registers.
    pub registrations: BTreeMap<Line, RegistrationPlan>,
    /// Its domain.
    pub domain: String,
    /// The server that keep-alive OPTIONS go to.
    pub keep_alive_server: Option<HostPort>,
    /// Whether Contacts outside REGISTER name the transport.
    pub contact_transport: bool,
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
    /// Seconds, as in [`Registration`].
    pub times: Times,
    /// The credentials that may be used, in order.
    pub credentials: Vec<Authentication>,
    /// Which answers move it to the next server.
    pub failover: FailoverConditions,
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

/// The settings seen from one gateway.
struct Planner<'a> {
    settings: &'a Settings,
    name: &'a str,
    ip: Option<IpAddr>,
    transport: TransportConfig,
    proxy: &'a Proxy,
    registration: &'a Registration,
    failover: &'a FailoverConditions,
}

impl<'a> Planner<'a> {
    fn new(settings: &'a Settings, name: &'a str) -> Self {
        let gateway = &settings.gateways[name];
        Self {
            settings,
            name,
            ip: settings.interfaces.get(&gateway.network_interface).copied(),
            transport: settings
                .transport_config
                .get(name)
                .cloned()
                .unwrap_or_default(),
            proxy: settings
                .gw_specific_proxy
                .get(name)
                .unwrap_or(&settings.proxy),
            registration: settings
                .gw_specific_registration
                .get(name)
                .unwrap_or(&settings.registration),
            failover: settings
                .gw_specific_failover
                .get(name)
                .unwrap_or(&settings.sip_failover_conditions),
        }
    }

    fn plan(&self) -> GatewayPlan {
        let gateway = &self.settings.gateways[self.name];
        let registrations = self.registrations();
        GatewayPlan {
            network_interface: gateway.network_interface.clone(),
            ip: self.ip,
            requests: self.requests(),
            listeners: self.listeners(),
            links: self.links(&registrations),
            registrations,
            domain: gateway.domain.clone(),
            keep_alive_server: self.keep_alive_server(),
            contact_transport: self.transport.contact_enable,
        }
    }

    /// The transport rule: TLS alone where it is enabled, never falling back to clear.
    fn requests(&self) -> Transports {
        if self.transport.tls_enable {
            return Transports::of(&[Transport::Tls]);
        }
        self.enabled()
    }

    fn enabled(&self) -> Transports {
        let config = &self.transport;
        [
            (config.udp_enable, Transport::Udp),
            (config.tcp_enable, Transport::Tcp),
            (config.tls_enable, Transport::Tls),
        ]
        .into_iter()
        .filter(|(enabled, _)| *enabled)
        .fold(Transports::default(), |set, (_, transport)| {
            set.with(transport)
        })
    }

    /// Trunk gateways listen on what is enabled; an endpoint gateway has only the UDP socket of its requests.
    fn listeners(&self) -> BTreeMap<Transport, SocketAddr> {
        let Some(ip) = self.ip else {
            return BTreeMap::new();
        };
        let gateway = &self.settings.gateways[self.name];
        let listening = match gateway.kind {
            GatewayType::TrunkGateway => self.enabled(),
            GatewayType::EndpointGateway if self.requests().contains(Transport::Udp) => {
                Transports::of(&[Transport::Udp])
            }
            GatewayType::EndpointGateway => Transports::default(),
        };
        listening
            .iter()
            .map(|transport| (transport, SocketAddr::new(ip, self.port(transport))))
            .collect()
    }

    fn port(&self, transport: Transport) -> u16 {
        let gateway = &self.settings.gateways[self.name];
        match (gateway.kind, transport) {
            // An endpoint gateway has no static port: any will do unless one is set.
            (GatewayType::EndpointGateway, _) => gateway.port,
            (_, Transport::Tls) if gateway.secure_port == 0 => SECURE_PORT,
            (_, Transport::Tls) => gateway.secure_port,
            _ if gateway.port == 0 => PORT,
            _ => gateway.port,
        }
    }

    /// The outbound proxy alone where there is one, since every request goes
    /// there; otherwise the home domain proxy, and the registrar where it is used.
    fn servers(&self, registrations: &BTreeMap<Line, RegistrationPlan>) -> BTreeSet<HostPort> {
        let mut servers = BTreeSet::new();
        match &self.proxy.outbound_host {
            Some(outbound) => {
                servers.insert(outbound.clone());
            }
            None => {
                servers.extend(self.proxy.home_domain_host.clone());
                servers.extend(
                    registrations
                        .values()
                        .filter_map(|it| it.binding.next_hop.clone()),
                );
            }
        }
        servers.extend(self.alternate_destination());
        servers
    }

    fn links(
        &self,
        registrations: &BTreeMap<Line, RegistrationPlan>,
    ) -> BTreeMap<HostPort, LinkPlan> {
        let Some(ip) = self.ip else {
            return BTreeMap::new();
        };
        self.servers(registrations)
            .into_iter()
            .map(|server| (server.clone(), self.link(server, ip)))
            .collect()
    }

    fn link(&self, server: HostPort, ip: IpAddr) -> LinkPlan {
        let settings = self.settings;
        let naptr_in_tls = match settings.interop.force_dns_naptr_in_tls {
            true => NaptrInTls::Forced,
            false => NaptrInTls::Skipped,
        };
        let requests = self.requests();
        let tls_generation = match requests.contains(Transport::Tls) {
            true => settings.transport.tls_generation,
            false => 0,
        };
        LinkPlan {
            wanted: Wanted {
                server,
                transports: requests,
                families: Families::usable(settings.dns.ip_version, ip),
                queries: settings.dns.supported_dns_queries,
                naptr_in_tls,
            },
            ip,
            tls_generation,
            ports: (requests != Transports::of(&[Transport::Udp])).then_some(PortRange {
                base: settings.transport.persistent_base_port,
                interval: settings.transport.persistent_port_interval,
            }),
            tcp_keep_alive: self.tcp_keep_alive(),
        }
    }

    fn tcp_keep_alive(&self) -> Option<TcpKeepAlive> {
        let keep_alive = &self.settings.keep_alive;
        (keep_alive.method == KeepAliveMethod::TcpKeepAlive).then(|| TcpKeepAlive {
            interval: std::time::Duration::from_secs(u64::from(keep_alive.interval)),
            retry: keep_alive.retry,
        })
    }

    fn keep_alive_server(&self) -> Option<HostPort> {
        if self.settings.keep_alive.method != KeepAliveMethod::SipOptions {
            return None;
        }
        self.alternate_destination().or_else(|| {
            let proxy = self.proxy;
            proxy
                .outbound_host
                .clone()
                .or_else(|| proxy.home_domain_host.clone())
        })
    }

    fn alternate_destination(&self) -> Option<HostPort> {
        let keep_alive = &self.settings.keep_alive;
        let alternate = keep_alive.method == KeepAliveMethod::SipOptions
            && keep_alive.destination == KeepAliveDestination::AlternateDestination;
        alternate
            .then(|| self.settings.alternate_destination.get(self.name).cloned())
            .flatten()
    }

    fn registrations(&self) -> BTreeMap<Line, RegistrationPlan> {
        let settings = self.settings;
        let endpoints = settings
            .user_agents
            .iter()
            .filter(|(_, agent)| agent.register && self.is_for_us(&agent.gateway_name))
            .map(|(ep_id, agent)| {
                let line = Line::Endpoint(ep_id.clone());
                let binding = self.binding(&agent.username, &agent.contact_domain);
                (line, binding, agent.friendly_name.clone())
            });
        let units = settings
            .unit_registrations
            .iter()
            .filter(|(_, unit)| self.is_for_us(&unit.gateway_name))
            .map(|(index, unit)| {
                let binding = self.binding(&unit.username, "");
                (Line::Unit(*index), binding, String::new())
            });
        endpoints
            .chain(units)
            .map(|(line, binding, name)| {
                let plan = self.registration(&line, binding, name);
                (line, plan)
            })
            .collect()
    }

    fn is_for_us(&self, gateway_name: &str) -> bool {
        gateway_name == ALL_GATEWAYS || gateway_name == self.name
    }

    fn registration(
        &self,
        line: &Line,
        binding: Binding,
        friendly_name: String,
    ) -> RegistrationPlan {
        let wish = self.registration;
        RegistrationPlan {
            credentials: self.credentials(line, &binding.username),
            binding,
            friendly_name,
            times: Times {
                refresh: wish.refresh_time,
                expiration: wish.expiration_value,
                proposed: wish.proposed_expiration_value,
                retry: wish.retry_time,
            },
            failover: self.failover.clone(),
        }
    }

    fn binding(&self, username: &str, contact_domain: &str) -> Binding {
        let registrar = self.registration.server_host.clone();
        let outbound = self.proxy.outbound_host.clone();
        Binding {
            domain: self.domain(registrar.as_ref()),
            outbound: outbound.as_ref().map(|_| self.proxy.outbound_type),
            next_hop: outbound.or_else(|| registrar.clone()),
            registrar,
            username: username.to_owned(),
            contact_domain: contact_domain.to_owned(),
            contacts: self.contacts(),
            transport_parameter: self.transport.registration_enable,
        }
    }

    /// The host of addresses of record: the first of these that is set.
    fn domain(&self, registrar: Option<&HostPort>) -> String {
        let gateway = &self.settings.gateways[self.name];
        let overridden = &self.settings.interop.register_home_domain_override;
        let home = self.proxy.home_domain_host.as_ref();
        [overridden.clone(), gateway.domain.clone()]
            .into_iter()
            .find(|name| !name.is_empty())
            .or_else(|| home.or(registrar).map(HostPort::uri_host))
            .unwrap_or_default()
    }

    /// One Contact for each enabled transport where `RegistrationEnable` says so, else one for the transport of requests.
    fn contacts(&self) -> Vec<(Transport, String)> {
        let config = &self.transport;
        let q = |transport| match transport {
            Transport::Udp => config.udp_q_value.clone(),
            Transport::Tcp => config.tcp_q_value.clone(),
            Transport::Tls => config.tls_q_value.clone(),
        };
        if !config.registration_enable {
            return Vec::new();
        }
        let requests = self.requests();
        let mut enabled: Vec<_> = self.enabled().iter().collect();
        enabled.sort_by_key(|transport| !requests.contains(*transport));
        enabled.into_iter().map(|it| (it, q(it))).collect()
    }

    /// The rows whose criteria fit, in the order of their index.
    fn credentials(&self, line: &Line, username: &str) -> Vec<Authentication> {
        self.settings
            .authentication
            .values()
            .filter(|row| match row.criteria_selection {
                CriteriaSelection::Unit => true,
                CriteriaSelection::Endpoint => *line == Line::Endpoint(row.ep_id.clone()),
                CriteriaSelection::Gateway => row.gateway_name == self.name,
                CriteriaSelection::Username => row.username_criteria == username,
            })
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::settings::{Gateway, UnitRegistration, UserAgent};

    fn host(text: &str) -> HostPort {
        HostPort::parse(text).expect("valid").expect("a server")
    }

    fn settings() -> Settings {
        let mut settings = Settings::default();
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
