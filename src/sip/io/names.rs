//! Name servers: the stack's questions and what became of them.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};

use crate::sip::resolve::{Answer, LookupFault, Naptr, Query, Records, Srv};

/// The answer to one question.
pub(super) async fn look_up(
    resolver: &TokioResolver,
    query: &Query,
) -> Result<Answer, LookupFault> {
    let answer = match query {
        Query::A(name) => addresses(resolver, name, IpAddr::is_ipv4).await?,
        Query::Aaaa(name) => addresses(resolver, name, IpAddr::is_ipv6).await?,
        Query::Srv(name) => {
            let (data, ttl) = records(resolver, name, RecordType::SRV).await?;
            let records = Records::Srv(data.into_iter().filter_map(srv).collect());
            Answer { records, ttl }
        }
        Query::Naptr(name) => {
            let (data, ttl) = records(resolver, name, RecordType::NAPTR).await?;
            let records = Records::Naptr(data.into_iter().filter_map(naptr).collect());
            Answer { records, ttl }
        }
    };
    Ok(answer)
}

/// By `lookup_ip`, which knows the hosts file.
async fn addresses(
    resolver: &TokioResolver,
    name: &str,
    wanted: fn(&IpAddr) -> bool,
) -> Result<Answer, LookupFault> {
    let found = resolver
        .lookup_ip(rooted(name))
        .await
        .map_err(|it| lookup_fault(&it))?;
    let addresses = found.iter().filter(wanted).collect();
    Ok(Answer {
        records: Records::Addresses(addresses),
        ttl: found
            .valid_until()
            .saturating_duration_since(Instant::now()),
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
