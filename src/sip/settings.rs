//! What the SIP stack is told: typed rows of the tree, as plain data.
//!
//! Field names are those of the objects of the SipEp service without their
//! group's prefix, and every `Default` is that of the MIB. The
//! stack is always given the whole of it; `plan` finds out what changed.
use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::sip::hostport::HostPort;

#[macro_use]
mod columns;
mod authentication;
mod clear;
mod dns;
mod failover;
mod gateway;
mod interop;
mod keep_alive;
mod proxy;
mod read;
mod registration;
mod transport;
mod user;

pub use authentication::{Authentication, CriteriaSelection};
pub use clear::ClearBesideTls;
pub use dns::{Dns, DnsFailureConcealment, DnsIpVersion, SupportedDnsQueries};
pub use failover::{FailoverConditions, PenaltyBox};
pub use gateway::{Gateway, GatewayType, TransportConfig};
pub use interop::{
    AckBranchMatching, ContactMatching, EscapeFormat, Interop, KeepAliveOptionFormat,
    OptionsSupport, Unit,
};
pub use keep_alive::{KeepAlive, KeepAliveDestination, KeepAliveMethod};
pub use proxy::{OutboundType, Proxy};
pub use registration::{Registration, UnitUnregisteredBehavior};
pub use transport::{ReadyLed, Tls, Transport};
pub use user::{ALL_GATEWAYS, UnitRegistration, UserAgent};

/// Everything that the stack obeys, as it stands at one version of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Addresses of the network interfaces that are up, by name.
    pub interfaces: BTreeMap<String, IpAddr>,
    /// `Gateway`, by GatewayName.
    pub gateways: BTreeMap<String, Gateway>,
    /// `TransportConfig`, by GatewayName; an absent row has the defaults.
    pub transport_config: BTreeMap<String, TransportConfig>,
    /// `TransportClear`, by GatewayName; an absent row only listens.
    pub clear_beside_tls: BTreeMap<String, ClearBesideTls>,
    /// `UserAgent`, by EpId.
    pub user_agents: BTreeMap<String, UserAgent>,
    /// `UnitRegistrations`, by Index.
    pub unit_registrations: BTreeMap<u32, UnitRegistration>,
    /// `Authentication`, by Index, which is also the order of search.
    pub authentication: BTreeMap<u32, Authentication>,
    /// The `DefaultProxy...` and `DefaultStaticProxy...` scalars.
    pub proxy: Proxy,
    /// `GwSpecificProxy` rows whose EnableConfig is enable.
    pub gw_specific_proxy: BTreeMap<String, Proxy>,
    /// The `DefaultRegistration...` and `DefaultStaticRegistrar...` scalars.
    pub registration: Registration,
    /// `GwSpecificRegistration` rows whose EnableConfig is enable.
    pub gw_specific_registration: BTreeMap<String, Registration>,
    /// `DefaultUnitRegistrationUnregisteredBehavior`.
    pub unit_unregistered_behavior: UnitUnregisteredBehavior,
    /// The unit-wide transport scalars.
    pub transport: Transport,
    /// What follows the Ready LED; the stack itself does not use it.
    pub ready_led: ReadyLed,
    /// What TLS is made of; the stack itself goes by `Transport::tls_generation`.
    pub tls: Tls,
    /// `DefaultSipFailoverConditions`.
    pub sip_failover_conditions: FailoverConditions,
    /// `GwSpecificFailover` rows whose EnableConfig is enable.
    pub gw_specific_failover: BTreeMap<String, FailoverConditions>,
    /// The `PenaltyBox...` scalars.
    pub penalty_box: PenaltyBox,
    /// The `SipKeepAlive...` scalars.
    pub keep_alive: KeepAlive,
    /// `GwKeepAliveAlternateDestination`, by GatewayName.
    pub alternate_destination: BTreeMap<String, HostPort>,
    /// The DNS scalars.
    pub dns: Dns,
    /// The interoperability switches.
    pub interop: Interop,
    /// Who the unit is.
    pub unit: Unit,
}

impl Settings {
    /// With the addresses of the network interfaces that are up, by name.
    #[must_use]
    pub fn with_addresses(mut self, addresses: &BTreeMap<String, IpAddr>) -> Self {
        self.interfaces.clone_from(addresses);
        self
    }

    /// With the endpoints that are unlocked (true); any other registers nothing.
    #[must_use]
    pub fn with_endpoints(mut self, unlocked: &BTreeMap<String, bool>) -> Self {
        for (ep_id, agent) in &mut self.user_agents {
            agent.register &= unlocked.get(ep_id).copied().unwrap_or(false);
        }
        self
    }

    /// With who the unit is; its instance counts only where `OutboundEnable` wants flows.
    #[must_use]
    pub fn with_unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        if !self.transport.outbound_enable {
            self.unit.instance_id.clear();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_is_locked_or_unknown_does_not_register() {
        let mut settings = Settings::default();
        for ep_id in ["locked", "unknown", "unlocked"] {
            let agent = UserAgent {
                register: true,
                ..UserAgent::default()
            };
            settings.user_agents.insert(ep_id.to_owned(), agent);
        }
        let unlocked = [("locked", false), ("unlocked", true)];
        let unlocked = unlocked.map(|(ep_id, it)| (ep_id.to_owned(), it)).into();
        let settings = settings.with_endpoints(&unlocked);
        let registering = settings.user_agents.iter().filter(|(_, it)| it.register);
        let registering: Vec<&str> = registering.map(|(ep_id, _)| ep_id.as_str()).collect();
        assert_eq!(registering, ["unlocked"]);
    }

    #[test]
    fn the_instance_counts_only_where_flows_are_wanted() {
        let unit = Unit {
            instance_id: "urn:uuid:00000000-0000-1000-8000-00907f000001".to_owned(),
            ..Unit::default()
        };
        let mut settings = Settings::default().with_unit(unit.clone());
        assert_eq!(settings.unit, unit);
        settings.transport.outbound_enable = false;
        assert_eq!(settings.with_unit(unit).unit.instance_id, "");
    }
}
