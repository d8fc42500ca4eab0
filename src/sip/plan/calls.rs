//! Where the calls of one gateway go, and as whom.

use super::CallPlan;
use super::gateway::Planner;
use crate::sip::settings::{Authentication, CriteriaSelection};

impl Planner<'_> {
    pub(super) fn calls(&self) -> CallPlan {
        let proxy = self.proxy;
        let home = proxy.home_domain_host.as_ref();
        let home = home.or(self.registration.server_host.as_ref());
        let domain = &self.settings.gateways[self.name].domain;
        let domain = match (domain.is_empty(), home) {
            (true, Some(home)) => home.uri_hostport(),
            _ => domain.clone(),
        };
        CallPlan {
            server: proxy.outbound_host.as_ref().or(home).cloned(),
            outbound: { &proxy.outbound_host }
                .as_ref()
                .map(|_| proxy.outbound_type),
            domain,
            credentials: self.usable(),
        }
    }

    /// Without the rows of other gateways; whose the others are a call says.
    fn usable(&self) -> Vec<Authentication> {
        let rows = self.settings.authentication.values();
        rows.filter(|row| {
            row.criteria_selection != CriteriaSelection::Gateway || row.gateway_name == self.name
        })
        .cloned()
        .collect()
    }
}
