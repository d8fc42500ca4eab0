//! One resolution, question by question (RFC 3263 §4).

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::steps::{Step, query_of};
use super::{
    Answer, Found, LookupFault, MAX_QUERIES, MAX_TARGETS, MAX_TTL, MIN_TTL, Query, ResolveError,
    Source, Target, Wanted,
};
use crate::sip::rng::Rng;
use crate::sip::transport::Transport;

/// One search for the targets of a server.
#[derive(Debug, Clone)]
pub struct Resolution {
    pub(super) wanted: Wanted,
    pub(super) steps: VecDeque<Step>,
    pub(super) asked: usize,
    pub(super) targets: Vec<Target>,
    pub(super) ttl: Duration,
    pub(super) source: Source,
    pub(super) silence: bool,
    pub(super) fell_back: bool,
    /// Transports that the domain says it does not offer.
    pub(super) denied: Vec<Transport>,
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
            source: Source::NameServers,
            silence: false,
            fell_back: false,
            denied: Vec::new(),
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
                if answer.source == Source::OwnHosts {
                    self.source = Source::OwnHosts;
                }
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
            source: Source::NameServers,
        })
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
                source: self.source,
            });
        }
        let mut offered = self.wanted.transports.iter();
        match offered.find(|it| !self.denied.contains(it)) {
            Some(preferred) if !self.fell_back => {
                self.fall_back(preferred);
                self.proceed()
            }
            None => Progress::Failed(ResolveError::NotOffered),
            _ if self.silence => Progress::Failed(ResolveError::NoAnswer),
            _ => Progress::Failed(ResolveError::NoAddress),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Families, Naptr, NaptrInTls, Records, Srv};
    use super::*;
    use crate::sip::hostport::HostPort;
    use crate::sip::settings::SupportedDnsQueries;
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
            source: Source::NameServers,
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
    fn a_service_that_the_domain_denies_is_not_looked_for_at_its_address() {
        let zone = |query: &Query| match query {
            Query::Srv(name) if name.starts_with("_sip._udp") => {
                answer(Records::Srv(vec![srv(0, 0, ".")]))
            }
            Query::A(_) => addresses("192.0.2.9"),
            _ => Err(LookupFault::Nothing),
        };
        let (_, end) = search(wanted("example", &[Transport::Udp]), zone);
        assert_eq!(end, Progress::Failed(ResolveError::NotOffered));
        let both = [Transport::Udp, Transport::Tcp];
        let (_, end) = search(wanted("example", &both), zone);
        assert_eq!(places(end), ["TCP 192.0.2.9:5060"]);
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
