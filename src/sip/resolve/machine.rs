//! One resolution, question by question (RFC 3263 §4).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::{
    Answer, Found, LookupFault, MAX_QUERIES, MAX_RECORDS, MAX_TARGETS, MAX_TTL, MIN_TTL, Naptr,
    NaptrInTls, Query, Records, ResolveError, Srv, Target, Wanted, order,
};
use crate::sip::rng::Rng;
use crate::sip::settings::SupportedDnsQueries;
use crate::sip::transport::Transport;

/// A lookup still to be made, and what its answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
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

/// One search for the targets of a server.
#[derive(Debug, Clone)]
pub struct Resolution {
    wanted: Wanted,
    steps: VecDeque<Step>,
    asked: usize,
    targets: Vec<Target>,
    ttl: Duration,
    silence: bool,
    fell_back: bool,
}

/// How far a resolution is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Ask this.
    Ask(Query),
    /// The list stands.
    Found(Found),
    /// There is nothing to try.
    Failed(ResolveError),
}

impl Resolution {
    /// Starts a search and says the first thing to do.
    pub fn start(wanted: Wanted) -> (Self, Progress) {
        let mut search = Self {
            wanted,
            steps: VecDeque::new(),
            asked: 0,
            targets: Vec::new(),
            ttl: MAX_TTL,
            silence: false,
            fell_back: false,
        };
        let progress = search.begin();
        (search, progress)
    }

    /// The answer to the question that was asked last.
    pub fn answer(&mut self, answer: Result<Answer, LookupFault>, rng: &mut Rng) -> Progress {
        let Some(step) = self.steps.pop_front() else {
            return self.proceed();
        };
        match answer {
            Ok(answer) => {
                self.ttl = self.ttl.min(answer.ttl.max(MIN_TTL));
                self.learn(step, answer.records, rng);
            }
            Err(LookupFault::NoAnswer) => {
                self.silence = true;
                self.missed(&step);
            }
            Err(LookupFault::Nothing) => self.missed(&step),
        }
        self.proceed()
    }

    fn begin(&mut self) -> Progress {
        let Some(preferred) = self.wanted.transports.iter().next() else {
            return Progress::Failed(ResolveError::NoTransport);
        };
        if let Some(ip) = self.wanted.server.address() {
            return self.numeric(preferred, ip);
        }
        self.plan(preferred);
        self.proceed()
    }

    /// §4.1 and §4.2: a numeric host needs no DNS.
    fn numeric(&self, transport: Transport, ip: IpAddr) -> Progress {
        let families = self.wanted.families;
        if (ip.is_ipv4() && !families.v4) || (ip.is_ipv6() && !families.v6) {
            return Progress::Failed(ResolveError::Family);
        }
        let port = match self.wanted.server.port {
            0 => transport.default_port(),
            port => port,
        };
        let target = Target {
            transport,
            addr: SocketAddr::new(ip, port),
            name: self.wanted.server.host.clone(),
        };
        Progress::Found(Found {
            targets: vec![target],
            ttl: None,
        })
    }

    fn plan(&mut self, preferred: Transport) {
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
    fn plan_srv(&mut self) {
        let host = &self.wanted.server.host;
        for transport in self.wanted.transports.iter() {
            self.steps.push_back(Step::Srv {
                transport,
                name: format!("{}.{host}", srv_labels(transport)),
            });
        }
    }

    /// §4.2, last paragraph: no SRV, so the addresses of the host itself.
    fn fall_back(&mut self, transport: Transport) {
        self.fell_back = true;
        let port = match self.wanted.server.port {
            0 => transport.default_port(),
            port => port,
        };
        let name = self.wanted.server.host.clone();
        self.plan_addresses(transport, port, &name);
    }

    fn plan_addresses(&mut self, transport: Transport, port: u16, name: &str) {
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

    fn learn(&mut self, step: Step, records: Records, rng: &mut Rng) {
        match (step, records) {
            (Step::Naptr, Records::Naptr(records)) => self.follow_naptr(records),
            (Step::Srv { transport, .. }, Records::Srv(records)) => {
                self.follow_srv(transport, records, rng);
            }
            (
                Step::Address {
                    transport,
                    port,
                    name,
                    ..
                },
                Records::Addresses(addresses),
            ) => self.keep(transport, port, &name, &addresses),
            (step, _) => self.missed(&step),
        }
    }

    fn missed(&mut self, step: &Step) {
        if *step == Step::Naptr {
            self.plan_srv();
        }
    }

    /// §4.1: the records whose service we support, by order and preference.
    fn follow_naptr(&mut self, mut records: Vec<Naptr>) {
        records.truncate(MAX_RECORDS);
        records.sort_by_key(|it| (it.order, it.preference));
        let usable: Vec<Step> = records
            .into_iter()
            .filter(|it| it.flags.eq_ignore_ascii_case("s"))
            .filter_map(|it| {
                let transport = naptr_transport(&it.service)?;
                self.wanted
                    .transports
                    .contains(transport)
                    .then(|| Step::Srv {
                        transport,
                        name: it.replacement.trim_end_matches('.').to_owned(),
                    })
            })
            .collect();
        if usable.is_empty() {
            self.plan_srv();
        } else {
            self.steps.extend(usable);
        }
    }

    /// The addresses of these hosts come before those of later SRV sets.
    fn follow_srv(&mut self, transport: Transport, mut records: Vec<Srv>, rng: &mut Rng) {
        records.truncate(MAX_RECORDS);
        // RFC 2782: a target of "." says that the service is not here.
        records.retain(|it| it.target != "." && !it.target.is_empty() && it.port != 0);
        let later = std::mem::take(&mut self.steps);
        for srv in order::arrange(records, rng) {
            self.plan_addresses(transport, srv.port, srv.target.trim_end_matches('.'));
        }
        self.steps.extend(later);
    }

    fn keep(&mut self, transport: Transport, port: u16, name: &str, addresses: &[IpAddr]) {
        for ip in addresses.iter().take(MAX_RECORDS) {
            let target = Target {
                transport,
                addr: SocketAddr::new(*ip, port),
                name: name.to_owned(),
            };
            if self.targets.len() < MAX_TARGETS && !self.targets.contains(&target) {
                self.targets.push(target);
            }
        }
    }

    fn proceed(&mut self) -> Progress {
        if self.asked < MAX_QUERIES
            && self.targets.len() < MAX_TARGETS
            && let Some(step) = self.steps.front()
        {
            self.asked += 1;
            return Progress::Ask(query_of(step, &self.wanted.server.host));
        }
        if !self.targets.is_empty() {
            return Progress::Found(Found {
                targets: std::mem::take(&mut self.targets),
                ttl: Some(self.ttl),
            });
        }
        match self.wanted.transports.iter().next() {
            Some(preferred) if !self.fell_back => {
                self.fall_back(preferred);
                self.proceed()
            }
            _ if self.silence => Progress::Failed(ResolveError::NoAnswer),
            _ => Progress::Failed(ResolveError::NoAddress),
        }
    }
}

fn query_of(step: &Step, host: &str) -> Query {
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

/// RFC 3263 §4.1: the services registered for SIP.
fn naptr_transport(service: &str) -> Option<Transport> {
    match service.to_ascii_uppercase().as_str() {
        "SIP+D2U" => Some(Transport::Udp),
        "SIP+D2T" => Some(Transport::Tcp),
        "SIPS+D2T" => Some(Transport::Tls),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Families;
    use super::*;
    use crate::sip::hostport::HostPort;
    use crate::sip::transport::Transports;

    fn wanted(server: &str, transports: &[Transport]) -> Wanted {
        Wanted {
            server: HostPort::parse(server).expect("valid").expect("a server"),
            transports: Transports::of(transports),
            families: Families {
                v4: true,
                v6: false,
            },
            queries: SupportedDnsQueries::Naptr,
            naptr_in_tls: NaptrInTls::Skipped,
        }
    }

    fn answer(records: Records) -> Result<Answer, LookupFault> {
        Ok(Answer {
            records,
            ttl: Duration::from_secs(60),
        })
    }

    fn addresses(text: &str) -> Result<Answer, LookupFault> {
        let ip = text.parse().expect("an address");
        answer(Records::Addresses(vec![ip]))
    }

    fn srv(priority: u16, port: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight: 0,
            port,
            target: target.to_owned(),
        }
    }

    /// Runs a search against a zone: a function from query to answer.
    fn search(
        wanted: Wanted,
        zone: impl Fn(&Query) -> Result<Answer, LookupFault>,
    ) -> (Vec<Query>, Progress) {
        let mut rng = Rng::new([0; 32]);
        let mut asked = Vec::new();
        let (mut search, mut progress) = Resolution::start(wanted);
        while let Progress::Ask(query) = progress {
            progress = search.answer(zone(&query), &mut rng);
            asked.push(query);
        }
        (asked, progress)
    }

    fn places(progress: Progress) -> Vec<String> {
        match progress {
            Progress::Found(found) => found
                .targets
                .iter()
                .map(|it| format!("{} {}", it.transport, it.addr))
                .collect(),
            other => vec![format!("{other:?}")],
        }
    }

    fn nothing(_: &Query) -> Result<Answer, LookupFault> {
        Err(LookupFault::Nothing)
    }

    #[test]
    fn a_numeric_host_is_asked_nothing_and_gets_the_port_of_its_transport() {
        let (asked, end) = search(wanted("192.0.2.1", &[Transport::Tls]), nothing);
        assert!(asked.is_empty());
        assert_eq!(places(end), ["TLS 192.0.2.1:5061"]);
        let (_, end) = search(wanted("192.0.2.1:15061", &[Transport::Tls]), nothing);
        assert_eq!(places(end), ["TLS 192.0.2.1:15061"]);
    }

    #[test]
    fn a_numeric_host_of_the_wrong_family_fails_with_that_reason() {
        let (_, end) = search(wanted("2001:db8::1", &[Transport::Udp]), nothing);
        assert_eq!(end, Progress::Failed(ResolveError::Family));
    }

    #[test]
    fn an_explicit_port_asks_for_addresses_only() {
        let (asked, end) = search(wanted("sip.example:5070", &[Transport::Udp]), |_| {
            addresses("192.0.2.7")
        });
        assert_eq!(asked, [Query::A("sip.example".into())]);
        assert_eq!(places(end), ["UDP 192.0.2.7:5070"]);
    }

    #[test]
    fn naptr_leads_to_srv_and_on_to_addresses_in_priority_order() {
        let zone = |query: &Query| match query {
            Query::Naptr(_) => answer(Records::Naptr(vec![
                naptr(20, "SIP+D2U", "_sip._udp.example."),
                naptr(10, "SIP+D2T", "_sip._tcp.example."),
                naptr(5, "SIPS+D2T", "_sips._tcp.example."),
            ])),
            Query::Srv(name) if name == "_sip._tcp.example" => answer(Records::Srv(vec![
                srv(2, 5072, "b.example."),
                srv(1, 5071, "a.example."),
            ])),
            Query::Srv(_) => answer(Records::Srv(vec![srv(1, 5073, "c.example.")])),
            Query::A(name) => addresses(match name.as_str() {
                "a.example" => "192.0.2.1",
                "b.example" => "192.0.2.2",
                _ => "192.0.2.3",
            }),
            Query::Aaaa(_) => Err(LookupFault::Nothing),
        };
        let both = [Transport::Udp, Transport::Tcp];
        let (_, end) = search(wanted("example", &both), zone);
        assert_eq!(
            places(end),
            [
                "TCP 192.0.2.1:5071",
                "TCP 192.0.2.2:5072",
                "UDP 192.0.2.3:5073"
            ]
        );
    }

    fn naptr(order: u16, service: &str, replacement: &str) -> Naptr {
        Naptr {
            order,
            preference: 0,
            flags: "S".into(),
            service: service.into(),
            replacement: replacement.into(),
        }
    }

    #[test]
    fn tls_alone_starts_at_srv_unless_naptr_is_forced() {
        let (asked, _) = search(wanted("example", &[Transport::Tls]), nothing);
        assert_eq!(
            asked,
            [
                Query::Srv("_sips._tcp.example".into()),
                Query::A("example".into())
            ]
        );
        let mut forced = wanted("example", &[Transport::Tls]);
        forced.naptr_in_tls = NaptrInTls::Forced;
        let (asked, _) = search(forced, nothing);
        assert_eq!(asked[0], Query::Naptr("example".into()));
    }

    #[test]
    fn without_srv_the_hosts_own_address_and_the_default_port_serve() {
        let (_, end) = search(wanted("example", &[Transport::Tls]), |query| match query {
            Query::A(_) => addresses("192.0.2.9"),
            _ => Err(LookupFault::Nothing),
        });
        assert_eq!(places(end), ["TLS 192.0.2.9:5061"]);
    }

    #[test]
    fn silence_is_told_from_absence() {
        let (_, end) = search(wanted("example", &[Transport::Udp]), |_| {
            Err(LookupFault::NoAnswer)
        });
        assert_eq!(end, Progress::Failed(ResolveError::NoAnswer));
        let (_, end) = search(wanted("example", &[Transport::Udp]), nothing);
        assert_eq!(end, Progress::Failed(ResolveError::NoAddress));
    }

    #[test]
    fn a_flood_of_records_stays_within_the_bounds() {
        let zone = |query: &Query| match query {
            Query::Naptr(_) => answer(Records::Naptr(vec![naptr(1, "SIP+D2U", "x"); 5000])),
            Query::Srv(_) => answer(Records::Srv(vec![srv(1, 1, "y"); 5000])),
            _ => answer(Records::Addresses(
                (0..200).map(|n| IpAddr::from([192, 0, 2, n])).collect(),
            )),
        };
        let (asked, end) = search(wanted("example", &[Transport::Udp]), zone);
        assert!(asked.len() <= MAX_QUERIES);
        assert_eq!(places(end).len(), MAX_TARGETS);
    }
}
