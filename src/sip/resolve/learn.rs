//! What an answer of a name server adds: targets, or further questions.

use std::net::{IpAddr, SocketAddr};

use super::machine::Resolution;
use super::steps::Step;
use super::{MAX_RECORDS, MAX_TARGETS, Naptr, Records, Srv, Target, order};
use crate::sip::rng::Rng;
use crate::sip::transport::Transport;

impl Resolution {
    pub(super) fn learn(&mut self, step: Step, records: Records, rng: &mut Rng) {
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

    pub(super) fn missed(&mut self, step: &Step) {
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
        // RFC 2782: one target of "." says that the service is decidedly not here.
        if matches!(&records[..], [only] if only.target == ".") {
            self.denied.push(transport);
        }
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
