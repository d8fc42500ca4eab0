//! What one gateway is to register: for whom, where, as whom, with which credentials.

use std::collections::BTreeMap;

use super::gateway::Planner;
use super::{Binding, Line, RegistrationPlan, Times};
use crate::sip::hostport::HostPort;
use crate::sip::register::Style;
use crate::sip::settings::{ALL_GATEWAYS, Authentication, CriteriaSelection};
use crate::sip::transport::Transport;

impl Planner<'_> {
    pub(super) fn registrations(&self) -> BTreeMap<Line, RegistrationPlan> {
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
            matching: self.settings.interop.registration_contact_matching,
            style: Style::of(self.settings),
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
