//! What one gateway needs of listeners, servers and links.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use super::{GatewayPlan, Line, LinkPlan, PortRange, RegistrationPlan, UdpSource, Unregistered};
use crate::sip::event::TcpKeepAlive;
use crate::sip::hostport::HostPort;
use crate::sip::resolve::{Families, NaptrInTls, Wanted};
use crate::sip::settings::{
    ClearBesideTls, FailoverConditions, GatewayType, KeepAliveDestination, KeepAliveMethod, Proxy,
    Registration, Settings, TransportConfig, UnitUnregisteredBehavior,
};
use crate::sip::transport::{PORT, SECURE_PORT, Transport, Transports};

/// The settings seen from one gateway.
pub(super) struct Planner<'a> {
    pub(super) settings: &'a Settings,
    pub(super) name: &'a str,
    pub(super) transport: TransportConfig,
    pub(super) proxy: &'a Proxy,
    pub(super) registration: &'a Registration,
    pub(super) failover: &'a FailoverConditions,
    ip: Option<IpAddr>,
    clear: ClearBesideTls,
}

impl<'a> Planner<'a> {
    pub(super) fn new(settings: &'a Settings, name: &'a str) -> Self {
        let gateway = &settings.gateways[name];
        let (transport, clear) = transports(settings, name);
        Self {
            settings,
            name,
            ip: settings.interfaces.get(&gateway.network_interface).copied(),
            transport,
            clear,
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

    pub(super) fn plan(&self) -> GatewayPlan {
        let gateway = &self.settings.gateways[self.name];
        let registrations = self.registrations();
        let listeners = self.listeners();
        let tls_generation = match listeners.contains_key(&Transport::Tls) {
            true => self.settings.transport.tls_generation,
            false => 0,
        };
        GatewayPlan {
            network_interface: gateway.network_interface.clone(),
            ip: self.ip,
            requests: self.requests(),
            listeners,
            tls_generation,
            udp_source: self.udp_source(),
            links: self.links(&registrations),
            registrations,
            unregistered: Unregistered {
                endpoints_serve: self.registration.unregistered_behavior,
                gateway_waits: self.settings.unit_unregistered_behavior
                    == UnitUnregisteredBehavior::DisableGateway,
            },
            domain: gateway.domain.clone(),
            keep_alive_server: self.keep_alive_server(),
            contact_transport: self.transport.contact_enable,
            calls: self.calls(),
        }
    }

    /// The transport rule: TLS alone where it is enabled, never falling back to
    /// clear, unless `transportClearBesideTls` says that requests may use all.
    pub(super) fn requests(&self) -> Transports {
        if self.transport.tls_enable && self.clear != ClearBesideTls::ReceiveAndSend {
            return Transports::of(&[Transport::Tls]);
        }
        self.enabled()
    }

    pub(super) fn enabled(&self) -> Transports {
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

    /// An endpoint gateway has no port to be symmetric with.
    fn udp_source(&self) -> UdpSource {
        let kind = self.settings.gateways[self.name].kind;
        let symmetric = self.settings.interop.symmetric_udp_source_port_enable;
        match (kind, symmetric) {
            (GatewayType::TrunkGateway, false) => UdpSource::Ephemeral,
            _ => UdpSource::Listener,
        }
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
}

/// The transports of a gateway, and what the clear ones may do beside TLS.
fn transports(settings: &Settings, name: &str) -> (TransportConfig, ClearBesideTls) {
    let config = settings.transport_config.get(name);
    let mut config = config.cloned().unwrap_or_default();
    let clear = settings.clear_beside_tls.get(name);
    let clear = clear.copied().unwrap_or_default();
    if config.tls_enable && clear == ClearBesideTls::Refuse {
        config.udp_enable = false;
        config.tcp_enable = false;
    }
    (config, clear)
}
