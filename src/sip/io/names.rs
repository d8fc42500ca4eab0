//! Name servers: the stack's questions and what became of them.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::proto::op;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{Hosts, TokioResolver};

use crate::sip::resolve::{Answer, LookupFault, MAX_TTL, Naptr, Query, Records, Source, Srv};

/// Who says where names lead.
#[derive(Debug, Clone)]
pub struct Resolver {
    /// Asks name servers, unless the hosts below know the name.
    pub resolver: TokioResolver,
    /// The names of this device's own.
    pub hosts: Arc<Hosts>,
}

impl Resolver {
    /// Whether an address of this name is of the device's own hosts.
    fn has_host(&self, name: &str) -> bool {
        let Ok(name) = Name::from_utf8(name) else {
            return false;
        };
        let kinds = [RecordType::A, RecordType::AAAA].into_iter();
        let mut queries = kinds.map(|kind| op::Query::query(name.clone(), kind));
        queries.any(|query| self.hosts.lookup_static_host(&query).is_some())
    }
}

/// The answer to one question.
pub(super) async fn look_up(names: &Resolver, query: &Query) -> Result<Answer, LookupFault> {
    let resolver = &names.resolver;
    let (records, ttl) = match query {
        Query::A(name) => return addresses(names, name, IpAddr::is_ipv4).await,
        Query::Aaaa(name) => return addresses(names, name, IpAddr::is_ipv6).await,
        Query::Srv(name) => {
            let (data, ttl) = records(resolver, name, RecordType::SRV).await?;
            let records = data.into_iter().filter_map(srv).collect();
            (Records::Srv(records), ttl)
        }
        Query::Naptr(name) => {
            let (data, ttl) = records(resolver, name, RecordType::NAPTR).await?;
            let records = data.into_iter().filter_map(naptr).collect();
            (Records::Naptr(records), ttl)
        }
    };
    Ok(Answer {
        records,
        ttl,
        source: Source::NameServers,
    })
}

/// By `lookup_ip`, which knows the hosts file.
async fn addresses(
    names: &Resolver,
    name: &str,
    wanted: fn(&IpAddr) -> bool,
) -> Result<Answer, LookupFault> {
    let found = names
        .resolver
        .lookup_ip(rooted(name))
        .await
        .map_err(|it| lookup_fault(&it))?;
    let records = Records::Addresses(found.iter().filter(wanted).collect());
    let lifetime = || {
        found
            .valid_until()
            .saturating_duration_since(Instant::now())
    };
    let (ttl, source) = match names.has_host(name) {
        true => (MAX_TTL, Source::OwnHosts),
        false => (lifetime(), Source::NameServers),
    };
    Ok(Answer {
        records,
        ttl,
        source,
    })
}

async fn records(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordType,
) -> Result<(Vec<RData>, Duration), LookupFault> {
    let found = resolver
        .lookup(rooted(name), kind)
        .await
        .map_err(|it| lookup_fault(&it))?;
    let data = found.answers().iter().map(|it| it.data.clone()).collect();
    let ttl = found
        .valid_until()
        .saturating_duration_since(Instant::now());
    Ok((data, ttl))
}

/// With a dot at its end, so that no search domain is tried.
fn rooted(name: &str) -> String {
    match name.ends_with('.') || !name.contains('.') {
        true => name.to_owned(),
        false => format!("{name}."),
    }
}

fn srv(data: RData) -> Option<Srv> {
    let RData::SRV(srv) = data else { return None };
    Some(Srv {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        target: srv.target.to_ascii(),
    })
}

fn naptr(data: RData) -> Option<Naptr> {
    let RData::NAPTR(naptr) = data else {
        return None;
    };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Some(Naptr {
        order: naptr.order,
        preference: naptr.preference,
        flags: text(&naptr.flags),
        service: text(&naptr.services),
        replacement: naptr.replacement.to_ascii(),
    })
}

fn lookup_fault(error: &hickory_resolver::net::NetError) -> LookupFault {
    match error.is_no_records_found() {
        true => LookupFault::Nothing,
        false => LookupFault::NoAnswer,
    }
}
