//! Which questions a resolution asks: NAPTR, SRV, addresses (RFC 3263 §4).

use super::machine::Resolution;
use super::{NaptrInTls, Query};
use crate::sip::settings::SupportedDnsQueries;
use crate::sip::transport::Transport;

/// A lookup still to be made, and what its answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Naptr,
    Srv {
        transport: Transport,
        name: String,
    },
    Address {
        transport: Transport,
        port: u16,
        query: Query,
        name: String,
    },
}

impl Resolution {
    pub(super) fn plan(&mut self, preferred: Transport) {
        // §4.2: an explicit port rules out SRV.
        if self.wanted.server.port != 0 || self.wanted.queries == SupportedDnsQueries::Address {
            self.fall_back(preferred);
            return;
        }
        let only_tls = preferred == Transport::Tls;
        let naptr = self.wanted.queries == SupportedDnsQueries::Naptr
            && (!only_tls || self.wanted.naptr_in_tls == NaptrInTls::Forced);
        if naptr {
            self.steps.push_back(Step::Naptr);
        } else {
            self.plan_srv();
        }
    }

    /// §4.1: without NAPTR, SRV for each transport that we have.
    pub(super) fn plan_srv(&mut self) {
        let host = &self.wanted.server.host;
        for transport in self.wanted.transports.iter() {
            self.steps.push_back(Step::Srv {
                transport,
                name: format!("{}.{host}", srv_labels(transport)),
            });
        }
    }

    /// §4.2, last paragraph: no SRV, so the addresses of the host itself.
    pub(super) fn fall_back(&mut self, transport: Transport) {
        self.fell_back = true;
        let port = match self.wanted.server.port {
            0 => transport.default_port(),
            port => port,
        };
        let name = self.wanted.server.host.clone();
        self.plan_addresses(transport, port, &name);
    }

    pub(super) fn plan_addresses(&mut self, transport: Transport, port: u16, name: &str) {
        let families = self.wanted.families;
        let queries = [
            families.v4.then(|| Query::A(name.to_owned())),
            families.v6.then(|| Query::Aaaa(name.to_owned())),
        ];
        for query in queries.into_iter().flatten() {
            self.steps.push_back(Step::Address {
                transport,
                port,
                query,
                name: name.to_owned(),
            });
        }
    }
}

pub(super) fn query_of(step: &Step, host: &str) -> Query {
    match step {
        Step::Naptr => Query::Naptr(host.to_owned()),
        Step::Srv { name, .. } => Query::Srv(name.clone()),
        Step::Address { query, .. } => query.clone(),
    }
}

fn srv_labels(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "_sip._udp",
        Transport::Tcp => "_sip._tcp",
        Transport::Tls => "_sips._tcp",
    }
}
