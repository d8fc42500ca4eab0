//! How a gateway looks from outside: its status rows.

use std::collections::BTreeSet;
use std::time::Instant;

use super::core::Core;
use super::gateway::{Gateway, Listener};
use crate::sip::event::{ListenFault, TimeOfDay};
use crate::sip::link::{Link, LinkFault};
use crate::sip::plan::Line;
use crate::sip::serve::Readiness;
use crate::sip::settings::KeepAliveMethod;
use crate::sip::status::{GatewayState, GatewayStatus, LinkStatus, Status};
use crate::sip::transport::Transport;

/// The status of these gateways.
pub(super) fn show<'a>(core: &Core, gateways: impl Iterator<Item = &'a Gateway>) -> Status {
    let mut status = Status {
        ready: true,
        unregistered: core.waiting.clone(),
        ..Status::default()
    };
    let mut usable = BTreeSet::new();
    for gateway in gateways {
        status.ready &= gateway.readiness(core) == Readiness::Ready;
        status.gateways.push(gateway.status(core));
        let links = gateway.links.values().chain(&gateway.draining);
        status.links.extend(links.filter_map(Link::status));
        for (ep_id, serves) in gateway.endpoints() {
            match serves {
                true => usable.insert(ep_id.clone()),
                false => status.unregistered.insert(ep_id.clone()),
            };
        }
        let registrations = gateway.registrations.values().chain(&gateway.leaving);
        status
            .registrations
            .extend(registrations.map(|it| it.status()));
    }
    // One gateway that serves it is enough.
    status.unregistered = &status.unregistered - &usable;
    status
}

/// Since when each link is what it is: since it was first shown so.
pub(super) fn date(status: &mut Status, shown: Option<&Status>, now: Instant) {
    for link in &mut status.links {
        let same = |it: &&LinkStatus| it.index == link.index && it.state == link.state;
        let before = shown.and_then(|it| it.links.iter().find(same));
        link.since = before.and_then(|it| it.since).or(Some(now));
    }
}

impl Gateway {
    /// The endpoints that are to register here, and whether they can be used.
    fn endpoints(&self) -> impl Iterator<Item = (&String, bool)> {
        let lines = self.registrations.iter();
        lines.filter_map(|(line, registration)| match line {
            Line::Endpoint(ep_id) => {
                let serves = self.plan.unregistered.endpoints_serve;
                Some((ep_id, serves || registration.is_registered()))
            }
            Line::Unit(_) => None,
        })
    }

    /// Whether the unit registers here, and none of its registrations stands.
    fn is_unregistered(&self) -> bool {
        let lines = self.registrations.iter();
        let mut units = lines
            .filter(|(line, _)| matches!(line, Line::Unit(_)))
            .map(|(_, registration)| registration)
            .peekable();
        units.peek().is_some() && !units.any(|it| it.is_registered())
    }

    /// Whether it serves no calls before one of the unit's registrations stands.
    pub(super) fn serves_nobody(&self) -> bool {
        self.plan.unregistered.gateway_waits && self.is_unregistered()
    }

    /// Whether its links and registrations all stand.
    pub(super) fn readiness(&self, core: &Core) -> Readiness {
        let stands = self.state(core).0 == GatewayState::Ready
            && self.links.values().all(Link::is_up)
            && self.registrations.values().all(|it| it.is_registered());
        match stands {
            true => Readiness::Ready,
            false => Readiness::NotReady,
        }
    }

    fn status(&self, core: &Core) -> GatewayStatus {
        let (state, reason) = self.state(core);
        let bound = self.bound();
        let port = |transport| bound.get(&transport).map_or(0, |it| it.port());
        GatewayStatus {
            name: self.name.clone(),
            network_interface: self.plan.network_interface.clone(),
            port: match port(Transport::Udp) {
                0 => port(Transport::Tcp),
                port => port,
            },
            secure_port: port(Transport::Tls),
            domain: self.plan.domain.clone(),
            state,
            reason,
        }
    }

    fn state(&self, core: &Core) -> (GatewayState, String) {
        let name = &self.name;
        if self.plan.ip.is_none() {
            let reason = format!(
                "the network interface {} is down: see SipEp.Gateway[Name={name}].NetworkInterface",
                self.plan.network_interface
            );
            return (GatewayState::NetworkDown, reason);
        }
        if self.plan.requests.is_empty() {
            let reason = format!(
                "no transport is enabled: set SipEp.TransportConfig[GatewayName={name}].UdpEnable, TcpEnable or TlsEnable"
            );
            return (GatewayState::InvalidConfiguration, reason);
        }
        if let Some(faulty) = self.faulty_listener() {
            return faulty;
        }
        if core.time == TimeOfDay::Unknown && self.plan.requests.contains(Transport::Tls) {
            return (
                GatewayState::WaitingForTime,
                LinkFault::WaitingForTime.to_string(),
            );
        }
        if self
            .listeners
            .values()
            .any(|it| it.bound.is_none() && it.fault.is_none())
        {
            return (
                GatewayState::Restarting,
                "listeners are being opened".to_owned(),
            );
        }
        if let Some(fault) = self.lost_server(core) {
            return (GatewayState::ServerUnreachable, fault.to_string());
        }
        if self.serves_nobody() {
            let reason = "none of the unit's registrations stands: see SipEp.RegistrationStatus and SipEp.DefaultUnitRegistrationUnregisteredBehavior";
            return (GatewayState::Unregistered, reason.to_owned());
        }
        (GatewayState::Ready, self.remark())
    }

    /// Why a server that keep-alives ask for is not there.
    fn lost_server(&self, core: &Core) -> Option<LinkFault> {
        if self.silent {
            return Some(LinkFault::NoOptionsAnswer);
        }
        let asked = match core.manner.keep_alive {
            KeepAliveMethod::None => None,
            KeepAliveMethod::SipOptions => self.keep_alive_server(),
            KeepAliveMethod::Ping | KeepAliveMethod::TcpKeepAlive => {
                let lost = self.links.values().find(|it| !it.is_up());
                lost.map(|it| it.plan.wanted.server.clone())
            }
        };
        let link = self.links.get(&asked?)?;
        link.reason().filter(|_| !link.is_up()).cloned()
    }

    fn faulty_listener(&self) -> Option<(GatewayState, String)> {
        let name = &self.name;
        self.listeners.iter().find_map(|(transport, it)| {
            let fault = it.fault.as_ref()?;
            let object = match transport {
                Transport::Tls => "SecurePort",
                Transport::Udp | Transport::Tcp => "Port",
            };
            let state = match fault {
                ListenFault::PortInUse => GatewayState::PortInUse,
                ListenFault::NoCertificate(_) => return None,
                ListenFault::NotPermitted | ListenFault::NoSuchAddress | ListenFault::Other => {
                    GatewayState::InvalidConfiguration
                }
            };
            let reason = format!(
                "{transport} {}: {fault}: change SipEp.Gateway[Name={name}].{object}",
                it.wanted
            );
            Some((state, reason))
        })
    }

    /// What a gateway that is ready still lacks.
    fn remark(&self) -> String {
        let why = self.listeners.values().find_map(Listener::uncertified);
        why.map(|why| format!("no peer can connect by TLS: {why}"))
            .unwrap_or_default()
    }
}
