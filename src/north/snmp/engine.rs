//! The SNMP engine: one datagram in, what to do about it out.
//!
//! Follows the message processing of RFC 3412 §7.2 and, for v1 and v2c,
//! RFC 3584 §5.2.1: open, count, ask the security model who it is, read the
//! PDU, answer. Everything that a request needs is an argument; the engine
//! keeps its id, its counters and its salts, and nothing of a request.

use std::net::SocketAddr;
use std::sync::Arc;

use async_snmp::v3::SaltCounter;

use super::access::{Actor, Mib, Reason, Refusal};
use super::agent;
use super::community;
use super::counters::{Counter, Counters};
use super::identity::{Clock, EngineId, LOCAL_ENGINE_ID};
use super::message::{CommunityMessage, Level, Message, ScopedPdu, V3Message, Version};
use super::pdu::{self, Pdu};
use super::reply::{Envelope, ReplyTo, Sender};
use super::response::Response;
use super::set::{self, PendingSet, Ticket};
use super::settings::Settings;
use super::status::{Failure, Status};
use super::usm::{self, Admitted, Fault};

/// One SNMP engine.
pub struct Engine {
    id: EngineId,
    counters: Arc<Counters>,
    salts: SaltCounter,
}

/// What stands around one datagram.
#[derive(Clone, Copy)]
pub struct Arrival<'a> {
    /// Where it came from.
    pub source: SocketAddr,
    /// The engine's boots and time of now.
    pub clock: Clock,
    /// What the agent is told.
    pub settings: &'a Settings,
}

/// What to do about a datagram.
#[derive(Debug)]
pub enum Outcome {
    /// Send this back.
    Answer(Vec<u8>),
    /// Send this Report back; the counter says what it is about.
    Report(Vec<u8>, Counter),
    /// Ask the tree, then [`Engine::finish`].
    Set(PendingSet),
    /// Send nothing; the counter says why, if it is an error.
    Silence(Option<Counter>),
}

/// A request whose sender may ask it.
struct Request<'a> {
    reply: ReplyTo,
    actor: Actor,
    pdu: Pdu<'a>,
}

impl Engine {
    /// The engine of `id`, counting into `counters`.
    pub fn new(id: EngineId, counters: Arc<Counters>, salts: SaltCounter) -> Self {
        Self {
            id,
            counters,
            salts,
        }
    }

    /// Answers a datagram, or says who has to.
    pub fn handle(&self, arrival: Arrival<'_>, datagram: &[u8], mib: &impl Mib) -> Outcome {
        self.counters.bump(Counter::InPkts);
        match Message::open(datagram) {
            Ok(Message::Community(message)) => self.community(arrival, &message, mib),
            Ok(Message::V3(message)) => self.v3(arrival, &message, mib),
            Err(error) => self.drop(error.counter()),
        }
    }

    /// How often something was counted since the start.
    pub fn count(&self, counter: Counter) -> u32 {
        self.counters.count(counter)
    }

    /// Counts a datagram that is not looked at, because of where it came from.
    pub fn pass_over(&self) {
        self.counters.bump(Counter::InPkts);
    }

    /// The answer to a SET, now that the tree has decided; `None` if not even
    /// an error would fit.
    pub fn finish(
        &self,
        clock: Clock,
        ticket: &Ticket,
        outcome: Result<(), Vec<Refusal>>,
    ) -> Option<Vec<u8>> {
        let by_community = ticket.reply.version() != Version::V3;
        if by_community && refuses_access(&outcome) {
            self.counters.bump(Counter::InBadCommunityUses);
        }
        self.write(&ticket.reply, ticket.response(&outcome), clock)
    }

    fn community(
        &self,
        arrival: Arrival<'_>,
        message: &CommunityMessage<'_>,
        mib: &impl Mib,
    ) -> Outcome {
        let settings = arrival.settings;
        let served = match message.version {
            Version::V1 => settings.v1,
            Version::V2c => settings.v2c,
            Version::V3 => settings.v3,
        };
        if !served {
            return self.drop(Counter::InBadVersions);
        }
        let Some((user, rights)) = community::admit(&settings.communities, message.community)
        else {
            return self.drop(Counter::InBadCommunityNames);
        };
        let Ok(pdu) = Pdu::read(message.pdu, message.version) else {
            return self.drop(Counter::InAsnParseErrs);
        };
        let request = Request {
            reply: ReplyTo {
                limit: settings.max_response,
                envelope: Envelope::Community {
                    version: message.version,
                    community: message.community.into(),
                },
            },
            actor: Actor {
                user,
                rights,
                source: arrival.source,
            },
            pdu,
        };
        self.serve(request, arrival.clock, mib)
    }

    fn v3(&self, arrival: Arrival<'_>, message: &V3Message<'_>, mib: &impl Mib) -> Outcome {
        if !arrival.settings.v3 {
            return self.drop(Counter::InBadVersions);
        }
        let Ok(parameters) = usm::parameters(message) else {
            return self.drop(Counter::InAsnParseErrs);
        };
        let users = &arrival.settings.users;
        let verdict = usm::admit(message, &parameters, &self.id, arrival.clock, users);
        let security = match &verdict {
            Ok(admitted) => Some((admitted.user.clone(), message.level)),
            // RFC 3414 §3.2 (7): this Report is authenticated, the others are not.
            Err(Fault::NotInTimeWindow(user)) => Some((user.clone(), Level::AuthNoPriv)),
            Err(_) => None,
        };
        let reply = ReplyTo {
            limit: arrival.settings.max_response.min(message.max_size),
            envelope: Envelope::V3 {
                id: message.id,
                user_name: parameters.msg_user_name,
                security,
                context: None,
            },
        };
        match verdict {
            Ok(admitted) => self.admitted(arrival, message, reply, &admitted, mib),
            Err(fault) => {
                let head = head_in_the_clear(message);
                self.report(&reply, message, head, fault.counter(), arrival.clock)
            }
        }
    }

    fn admitted(
        &self,
        arrival: Arrival<'_>,
        message: &V3Message<'_>,
        mut reply: ReplyTo,
        admitted: &Admitted<'_>,
        mib: &impl Mib,
    ) -> Outcome {
        // A wrong privacy key shows here, and only here.
        let Ok(scoped) = ScopedPdu::open(&admitted.scoped) else {
            return self.drop(Counter::InAsnParseErrs);
        };
        let Ok(pdu) = Pdu::read(scoped.pdu, Version::V3) else {
            return self.drop(Counter::InAsnParseErrs);
        };
        if let Some(counter) = self.not_served(&scoped, pdu.kind) {
            let head = Some((pdu.kind, pdu.request_id));
            return self.report(&reply, message, head, counter, arrival.clock);
        }
        reply.answer_under(scoped.context_engine_id);
        let user = &admitted.user;
        if message.level < user.level() && pdu.kind.is_confirmed() {
            // RFC 3413 §3.2: no view at this level.
            let response = agent::fail(&pdu, Failure::whole(Status::AuthorizationError));
            return self.answer(&reply, response, arrival.clock);
        }
        let request = Request {
            actor: Actor {
                user: user.name.clone(),
                rights: user.rights,
                source: arrival.source,
            },
            reply,
            pdu,
        };
        self.serve(request, arrival.clock, mib)
    }

    /// Why a PDU that could be read has nobody here who serves it.
    fn not_served(&self, scoped: &ScopedPdu<'_>, kind: pdu::Kind) -> Option<Counter> {
        // RFC 3412 §4.2.2.1: nobody here serves another engine's contexts.
        // RFC 5343 §3.1: localEngineID is whichever engine hears it.
        let ours = [self.id.as_bytes(), &LOCAL_ENGINE_ID];
        if !ours.contains(&scoped.context_engine_id) || kind == pdu::Kind::Inform {
            return Some(Counter::UnknownPduHandlers);
        }
        // RFC 3413 §3.2: only the default context exists.
        (!scoped.context_name.is_empty()).then_some(Counter::UnknownContexts)
    }

    fn serve(&self, request: Request<'_>, clock: Clock, mib: &impl Mib) -> Outcome {
        let (reply, pdu) = (&request.reply, &request.pdu);
        let version = reply.version();
        let response = match pdu.kind {
            pdu::Kind::Get => {
                self.counters.bump(Counter::GetRequests);
                agent::get(mib, pdu, version)
            }
            pdu::Kind::GetNext => {
                self.counters.bump(Counter::GetNextRequests);
                agent::get_next(mib, pdu, version)
            }
            pdu::Kind::GetBulk => {
                self.counters.bump(Counter::GetNextRequests);
                agent::get_bulk(mib, pdu, reply.room())
            }
            pdu::Kind::Set => return self.set(request, clock),
            // Nothing here waits for these, and answering them makes loops.
            pdu::Kind::Inform | pdu::Kind::Trap => return self.drop(Counter::UnknownPduHandlers),
            pdu::Kind::Response | pdu::Kind::Report => return Outcome::Silence(None),
        };
        self.answer(reply, response, clock)
    }

    fn set(&self, request: Request<'_>, clock: Clock) -> Outcome {
        self.counters.bump(Counter::SetRequests);
        let Request { reply, actor, pdu } = request;
        // Whether the answer fits is asked before anything is changed.
        let fits = pdu.list.len() <= reply.room() || {
            let response = agent::fail(&pdu, Failure::whole(Status::NoError));
            reply.write(&response, self.sender(clock)).is_some()
        };
        let wishes = pdu.wishes();
        let failure = match set::contradiction(&wishes) {
            _ if !fits => Some(Failure::whole(Status::TooBig)),
            Some(position) => Some(Failure::at(position, Status::InconsistentValue)),
            None => None,
        };
        if let Some(failure) = failure {
            return self.answer(&reply, agent::fail(&pdu, failure), clock);
        }
        Outcome::Set(PendingSet {
            actor,
            wishes,
            ticket: Ticket {
                reply,
                request_id: pdu.request_id,
                list: pdu.list.into(),
            },
        })
    }

    fn answer(&self, reply: &ReplyTo, response: Response<'_>, clock: Clock) -> Outcome {
        match self.write(reply, response, clock) {
            Some(datagram) => Outcome::Answer(datagram),
            None => Outcome::Silence(Some(Counter::SilentDrops)),
        }
    }

    /// Writes a response; if it does not fit, tooBig; if that does not fit
    /// either, nothing (RFC 3416 §4.2.1).
    fn write(&self, reply: &ReplyTo, response: Response<'_>, clock: Clock) -> Option<Vec<u8>> {
        let version = reply.version();
        let failure = response.failure.told_in(version);
        let response = Response {
            failure,
            ..response
        };
        let sender = self.sender(clock);
        let datagram = reply
            .write(&response, sender)
            .or_else(|| reply.write(&response.too_big(version), sender));
        if datagram.is_none() {
            self.counters.bump(Counter::SilentDrops);
        }
        datagram
    }

    /// Counts a fault and, where the sender waits for it, reports it.
    fn report(
        &self,
        reply: &ReplyTo,
        message: &V3Message<'_>,
        head: Option<(pdu::Kind, i32)>,
        counter: Counter,
        clock: Clock,
    ) -> Outcome {
        let count = self.counters.bump(counter);
        // RFC 3412 §7.1 (3): never about a Report, a Response or a trap; if it
        // cannot be read what it is, the flag alone decides.
        let confirmed = head.is_none_or(|(kind, _)| kind.is_confirmed());
        if !message.reportable || !confirmed {
            return Outcome::Silence(Some(counter));
        }
        let response = Response::report(head.map_or(0, |(_, id)| id), counter, count);
        match reply.write(&response, self.sender(clock)) {
            Some(datagram) => Outcome::Report(datagram, counter),
            None => Outcome::Silence(Some(counter)),
        }
    }

    fn drop(&self, counter: Counter) -> Outcome {
        self.counters.bump(counter);
        Outcome::Silence(Some(counter))
    }

    fn sender(&self, clock: Clock) -> Sender<'_> {
        Sender {
            engine_id: &self.id,
            clock,
            salts: &self.salts,
        }
    }
}

/// What a message that was not admitted asks, if it is not encrypted.
fn head_in_the_clear(message: &V3Message<'_>) -> Option<(pdu::Kind, i32)> {
    if message.level == Level::AuthPriv {
        return None;
    }
    let scoped = ScopedPdu::open(message.data).ok()?;
    Pdu::head(scoped.pdu, Version::V3)
}

fn refuses_access(outcome: &Result<(), Vec<Refusal>>) -> bool {
    let denies = |refusal: &Refusal| refusal.reason == Reason::NoAccess;
    outcome
        .as_ref()
        .is_err_and(|refusals| refusals.iter().any(denies))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::snmp::access::{Refusal, Rights, Value};
    use crate::north::snmp::testing::{
        Answer, Asking, Bench, NULL, SYS_DESCR, V2C_GET, community_datagram, pdu,
    };
    use crate::north::snmp::user::AuthAlgorithm;

    const V1: u8 = 0;
    const V2C: u8 = 1;
    const SET: u8 = 0xa3;
    const ONE: &[u8] = &[2, 1, 1];
    const TWO: &[u8] = &[2, 1, 2];

    fn silence(bench: &Bench, datagram: &[u8]) -> Option<Counter> {
        match bench.handle(datagram) {
            Outcome::Silence(counter) => counter,
            other => panic!("{other:?}"),
        }
    }

    fn pending(bench: &Bench, datagram: &[u8]) -> PendingSet {
        match bench.handle(datagram) {
            Outcome::Set(set) => set,
            other => panic!("{other:?}"),
        }
    }

    fn set(version: u8, bindings: &[(&[u32], &[u8])]) -> Vec<u8> {
        community_datagram(version, "private", &pdu(SET, -9, 0, 0, bindings))
    }

    fn refuse(bench: &Bench, set: &PendingSet, position: usize, reason: Reason) -> Answer {
        let refusals = vec![Refusal { position, reason }];
        let answer = bench.engine.finish(bench.clock, &set.ticket, Err(refusals));
        Answer::of_community(&answer.expect("it fits"))
    }

    #[test]
    fn every_datagram_is_counted_once() {
        let bench = Bench::new();
        silence(&bench, &[]);
        bench.handle(V2C_GET);
        assert_eq!(bench.count(Counter::InPkts), 2);
        assert_eq!(bench.count(Counter::InAsnParseErrs), 1);
        assert_eq!(bench.count(Counter::GetRequests), 1);
    }

    #[test]
    fn a_version_that_is_switched_off_is_a_bad_version() {
        let mut bench = Bench::new();
        bench.settings.v1 = false;
        bench.settings.v2c = false;
        bench.settings.v3 = false;
        let get = pdu(0xa0, 1, 0, 0, &[(SYS_DESCR, NULL)]);
        for datagram in [
            community_datagram(V1, "public", &get),
            community_datagram(V2C, "public", &get),
            Asking::get("auth", 1).datagram(),
        ] {
            assert_eq!(silence(&bench, &datagram), Some(Counter::InBadVersions));
        }
    }

    #[test]
    fn an_unknown_community_is_not_answered() {
        let bench = Bench::new();
        let get = pdu(0xa0, 1, 0, 0, &[(SYS_DESCR, NULL)]);
        for community in ["", "publi", "publicc", "PUBLIC", "admin"] {
            let dropped = silence(&bench, &community_datagram(V2C, community, &get));
            assert_eq!(dropped, Some(Counter::InBadCommunityNames));
        }
    }

    #[test]
    fn no_truncation_and_no_changed_octet_breaks_the_engine() {
        let bench = Bench::new();
        for length in 0..V2C_GET.len() {
            assert_eq!(
                silence(&bench, &V2C_GET[..length]),
                Some(Counter::InAsnParseErrs)
            );
        }
        for index in 0..V2C_GET.len() {
            for octet in 0..=u8::MAX {
                let mut changed = V2C_GET.to_vec();
                changed[index] = octet;
                bench.handle(&changed);
            }
        }
    }

    #[test]
    fn what_is_no_request_is_not_answered() {
        let bench = Bench::new();
        for tag in [0xa2, 0xa6, 0xa7, 0xa8] {
            let body = pdu(tag, 1, 0, 0, &[(SYS_DESCR, NULL)]);
            silence(&bench, &community_datagram(V2C, "private", &body));
        }
        let trap = [0xa4, 2, 5, 0];
        let dropped = silence(&bench, &community_datagram(V1, "private", &trap));
        assert_eq!(dropped, Some(Counter::UnknownPduHandlers));
    }

    #[test]
    fn version_1_has_no_get_bulk() {
        let body = pdu(0xa5, 1, 0, 9, &[(SYS_DESCR, NULL)]);
        let dropped = silence(&Bench::new(), &community_datagram(V1, "private", &body));
        assert_eq!(dropped, Some(Counter::InAsnParseErrs));
    }

    #[test]
    fn a_set_reaches_the_tree_whole_and_its_answer_repeats_it() {
        let bench = Bench::new();
        let other = &[1, 3, 6, 1, 2, 1, 1, 6, 0];
        let set = pending(&bench, &set(V2C, &[(SYS_DESCR, ONE), (other, NULL)]));
        assert_eq!(set.actor.rights, Rights::Admin);
        assert_eq!(set.ticket.request_id, -9);
        assert_eq!(set.wishes[0].name[..], *SYS_DESCR);
        assert_eq!(set.wishes[0].value, Ok(Value::Integer(1)));
        assert_eq!(set.wishes[1].value, Err(Reason::WrongType));
        let answer = bench.engine.finish(bench.clock, &set.ticket, Ok(()));
        let answer = Answer::of_community(&answer.expect("it fits"));
        assert_eq!((answer.tag, answer.id), (0xa2, -9));
        assert_eq!((answer.status, answer.index), (0, 0));
        assert_eq!(answer.bindings[0], (SYS_DESCR.to_vec(), ONE.to_vec()));
    }

    #[test]
    fn a_refusal_names_its_binding_in_each_versions_words() {
        let bench = Bench::new();
        let v2c = pending(&bench, &set(V2C, &[(SYS_DESCR, ONE)]));
        let answer = refuse(&bench, &v2c, 0, Reason::NotWritable);
        assert_eq!((answer.status, answer.index), (17, 1));
        let v1 = pending(&bench, &set(V1, &[(SYS_DESCR, ONE)]));
        let answer = refuse(&bench, &v1, 0, Reason::NotWritable);
        assert_eq!((answer.status, answer.index), (2, 1));
        assert_eq!(answer.bindings[0], (SYS_DESCR.to_vec(), ONE.to_vec()));
        assert_eq!(bench.count(Counter::InBadCommunityUses), 0);
        let answer = refuse(&bench, &v2c, 0, Reason::NoAccess);
        assert_eq!((answer.status, answer.index), (6, 1));
        assert_eq!(bench.count(Counter::InBadCommunityUses), 1);
    }

    #[test]
    fn two_values_for_one_name_are_refused_before_the_tree_is_asked() {
        let bench = Bench::new();
        let twice = pdu(SET, 5, 0, 0, &[(SYS_DESCR, ONE), (SYS_DESCR, TWO)]);
        let answer = bench.ask(V2C, &twice);
        assert_eq!((answer.status, answer.index), (12, 2));
        let answer = bench.ask(V1, &twice);
        assert_eq!((answer.status, answer.index), (3, 2));
        pending(&bench, &set(V2C, &[(SYS_DESCR, ONE), (SYS_DESCR, ONE)]));
    }

    #[test]
    fn a_set_whose_answer_would_not_fit_is_not_tried() {
        let bench = Bench::new();
        let long = [&[4, 0x82, 0x05, 0xc0][..], &[b'x'; 1472]].concat();
        let answer = bench.ask(V2C, &pdu(SET, 5, 0, 0, &[(SYS_DESCR, &long)]));
        assert_eq!((answer.status, answer.index), (1, 0));
        assert!(answer.bindings.is_empty());
        // SNMPv1 would get its bindings back, and they do not fit either.
        let request = community_datagram(V1, "private", &pdu(SET, 5, 0, 0, &[(SYS_DESCR, &long)]));
        assert_eq!(silence(&bench, &request), Some(Counter::SilentDrops));
        assert_eq!(bench.count(Counter::SilentDrops), 1);
    }

    #[test]
    fn a_set_that_fits_to_the_octet_is_tried() {
        let bench = Bench::new();
        let fits = |length: usize| {
            let content = vec![b'x'; length];
            let length = u16::try_from(length).expect("short").to_be_bytes();
            let value = [&[4, 0x82, length[0], length[1]][..], &content].concat();
            let request = set(V2C, &[(SYS_DESCR, &value)]);
            match bench.handle(&request) {
                Outcome::Set(set) => {
                    let answer = bench.engine.finish(bench.clock, &set.ticket, Ok(()));
                    Some(answer.expect("it fits").len())
                }
                _ => None,
            }
        };
        let longest = (1300..1472).filter_map(fits).max();
        assert_eq!(longest, Some(1472));
    }

    #[test]
    fn a_v3_set_is_answered_encrypted_under_its_message_id() {
        let bench = Bench::new();
        let body = pdu(SET, 8, 0, 0, &[(SYS_DESCR, ONE)]);
        let set = pending(&bench, &Asking::new("priv", 3, body).datagram());
        assert_eq!(&*set.actor.user, "priv");
        let refusals = vec![Refusal {
            position: 0,
            reason: Reason::ResourceUnavailable,
        }];
        let answer = bench.engine.finish(bench.clock, &set.ticket, Err(refusals));
        let answer = Answer::of_v3(&answer.expect("it fits"), AuthAlgorithm::Sha1);
        assert_eq!((answer.flags, answer.message_id), (3, 77));
        assert_eq!((answer.status, answer.index), (13, 1));
    }
}
