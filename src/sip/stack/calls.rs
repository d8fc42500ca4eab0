//! The legs of a stack: each is found by what names it, run, and done what it asks for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::Stack;
use super::core::Core;
use crate::sip::event::Output;
use crate::sip::message::{Request, Response, StatusCode};
use crate::sip::serve::Scope;
use crate::sip::session::{
    Context, Ending, Event, LegId, Manner, Order, Reliability, Replaced, Session, Step,
    with_replaces,
};
use crate::sip::transaction::key::{CallMark, ServerKey};
use crate::sip::transaction::table::User;

/// How many legs there are at once; more are refused.
pub(super) const MAX_LEGS: usize = 4096;

/// One leg, and what it is found by.
#[derive(Debug)]
struct Leg {
    session: Session,
    /// The INVITE that made it, where a peer did.
    invite: Option<ServerKey>,
    mark: Option<CallMark>,
    due: Option<Instant>,
}

/// A request that waits for a stream.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) leg: LegId,
    pub(super) ask: u32,
    pub(super) request: Request,
    pub(super) until: Instant,
}

/// The legs of a stack.
#[derive(Debug)]
pub(super) struct Calls {
    pub(super) manner: Manner,
    legs: BTreeMap<LegId, Leg>,
    /// When each is due.
    due: BTreeSet<(Instant, LegId)>,
    /// Our tags.
    tags: BTreeMap<String, LegId>,
    /// INVITEs that made a leg, for CANCEL.
    invites: BTreeMap<ServerKey, LegId>,
    /// What these have in common with others that came by another way.
    marks: BTreeMap<CallMark, LegId>,
    /// Requests that wait for a stream.
    pub(super) held: Vec<Held>,
    count: u64,
}

impl Calls {
    pub(super) fn new(manner: Manner) -> Self {
        Self {
            manner,
            legs: BTreeMap::new(),
            due: BTreeSet::new(),
            tags: BTreeMap::new(),
            invites: BTreeMap::new(),
            marks: BTreeMap::new(),
            held: Vec::new(),
            count: 0,
        }
    }

    /// What is served.
    pub(super) fn scope(&self) -> Scope<'static> {
        Scope::Calls(match self.manner.uas_prack {
            Reliability::Unsupported => &["timer", "replaces"],
            Reliability::Supported | Reliability::Required => &["timer", "replaces", "100rel"],
        })
    }

    /// A name for a leg that a peer opens.
    pub(super) fn next_leg(&mut self) -> LegId {
        self.count += 1;
        LegId::In(self.count)
    }

    /// Whether there is room for another.
    pub(super) fn has_room(&self) -> bool {
        self.legs.len() < MAX_LEGS
    }

    /// Whether there is a leg of this name.
    pub(super) fn has(&self, leg: LegId) -> bool {
        self.legs.contains_key(&leg)
    }

    /// The leg that a request within a dialog is for.
    pub(super) fn of_request(&self, request: &Request) -> Option<LegId> {
        let to = request.headers.to().ok()?;
        self.tags.get(to.tag()?).copied()
    }

    /// The leg that an INVITE made.
    pub(super) fn of_invite(&self, key: &ServerKey) -> Option<LegId> {
        self.invites.get(key).copied()
    }

    /// The leg that the value of a Replaces names (RFC 3891 §3).
    pub(super) fn replaced(&self, value: &str) -> Option<LegId> {
        let mut parts = value.split(';').map(str::trim);
        let call_id = parts.next()?;
        let (mut to, mut from) = ("", "");
        for part in parts {
            match part.split_once('=') {
                Some(("to-tag", tag)) => to = tag,
                Some(("from-tag", tag)) => from = tag,
                _ => {}
            }
        }
        let leg = *self.tags.get(to)?;
        let named = self.legs.get(&leg)?.session.is_named(call_id, to, from);
        named.then_some(leg)
    }

    /// Whether another INVITE of this caller and number is being served (RFC 3261 §8.2.2.2).
    pub(super) fn is_merged(&self, request: &Request) -> bool {
        CallMark::of(request).is_some_and(|it| self.marks.contains_key(&it))
    }

    /// The legs of a gateway, or all of them.
    pub(super) fn of_gateway(&self, gateway: Option<&str>) -> Vec<LegId> {
        let legs = self.legs.iter();
        legs.filter(|(_, it)| gateway.is_none_or(|name| name == it.session.gateway))
            .map(|(leg, _)| *leg)
            .collect()
    }

    pub(super) fn session(&self, leg: LegId) -> Option<&Session> {
        self.legs.get(&leg).map(|it| &it.session)
    }

    pub(super) fn session_mut(&mut self, leg: LegId) -> Option<&mut Session> {
        self.legs.get_mut(&leg).map(|it| &mut it.session)
    }

    /// Keeps a new leg.
    pub(super) fn insert(&mut self, session: Session) {
        let leg = session.leg;
        self.tags.insert(session.tag().to_owned(), leg);
        if let Some(key) = session.serves() {
            self.invites.insert(key.clone(), leg);
        }
        let mark = session.mark();
        self.marks.extend(mark.clone().map(|it| (it, leg)));
        let entry = Leg {
            invite: session.serves().cloned(),
            mark,
            session,
            due: None,
        };
        self.legs.insert(leg, entry);
        self.schedule(leg);
    }

    fn schedule(&mut self, leg: LegId) {
        let Some(entry) = self.legs.get_mut(&leg) else {
            return;
        };
        let next = entry.session.next_deadline();
        if entry.due == next {
            return;
        }
        if let Some(old) = entry.due {
            self.due.remove(&(old, leg));
        }
        entry.due = next;
        self.due.extend(next.map(|at| (at, leg)));
    }

    fn remove(&mut self, leg: LegId) {
        let Some(entry) = self.legs.remove(&leg) else {
            return;
        };
        if let Some(at) = entry.due {
            self.due.remove(&(at, leg));
        }
        self.tags.remove(entry.session.tag());
        self.held.retain(|it| it.leg != leg);
        if let Some(key) = entry.invite {
            self.invites.remove(&key);
        }
        if let Some(mark) = entry.mark {
            self.marks.remove(&mark);
        }
    }

    fn next_due(&self, now: Instant) -> Option<LegId> {
        let (at, leg) = self.due.first()?;
        (*at <= now).then_some(*leg)
    }
}

impl Stack {
    /// Runs one leg, and does what it asks for.
    pub(super) fn run_leg(
        &mut self,
        now: Instant,
        leg: LegId,
        what: impl FnOnce(&mut Session, &mut Context<'_>),
    ) {
        let Some(contact) = self.contact_of(leg) else {
            return;
        };
        let Some(calls) = &mut self.calls else { return };
        let Some(entry) = calls.legs.get_mut(&leg) else {
            return;
        };
        let mut cx = context(&mut self.core, &calls.manner, now, contact);
        what(&mut entry.session, &mut cx);
        let steps = cx.steps;
        calls.schedule(leg);
        self.do_steps(now, leg, steps);
    }

    /// Does what a leg asks for.
    pub(super) fn do_steps(&mut self, now: Instant, leg: LegId, steps: Vec<Step>) {
        let mut unsent = Vec::new();
        for step in steps {
            match step {
                Step::Ask(ask, request) => {
                    if !self.ask(now, leg, ask, *request) {
                        unsent.push(ask);
                    }
                }
                Step::Send(request) => self.send_ack(leg, *request),
                Step::Cancel(ask, reason) => {
                    let give_up = self.core.interop.give_up();
                    let Core { table, out, .. } = &mut self.core;
                    table.cancel(now, User::Call(leg, ask), give_up, reason.as_ref(), out);
                }
                Step::Forget(ask) => self.core.table.forget(User::Call(leg, ask)),
                Step::Answer(key, response) => {
                    let Core { table, out, .. } = &mut self.core;
                    table.answer(now, &key, &response, out);
                }
                Step::Tell(event) => self.tell_call(event),
                Step::Over => {
                    if let Some(calls) = &mut self.calls {
                        calls.remove(leg);
                    }
                }
            }
        }
        for ask in unsent {
            self.call_unanswered(now, leg, ask, StatusCode::SERVICE_UNAVAILABLE);
        }
    }

    /// Whose a call is that a transfer names, only the stack knows.
    fn tell_call(&mut self, mut event: Event) {
        if let Event::Referred { replaces, .. } = &mut event
            && let Replaced::Theirs(value) = replaces
            && let Some(own) = self.calls.as_ref().and_then(|it| it.replaced(value))
        {
            *replaces = Replaced::Leg(own);
        }
        self.core.out.push_back(Output::Call(event));
    }

    /// An order of the user.
    pub(super) fn order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Invite(leg, invite) => self.depart(now, leg, *invite),
            Order::Refer(leg, to, Some(other)) => {
                let calls = self.calls.as_ref();
                let value = calls.and_then(|it| it.session(other)?.replaces());
                if let Some(to) = value.and_then(|it| with_replaces(&to, &it)) {
                    let order = Order::Refer(leg, to, None);
                    self.run_leg(now, leg, |session, cx| session.order(cx, order));
                }
            }
            order => {
                let leg = order.leg();
                self.run_leg(now, leg, |session, cx| session.order(cx, order));
            }
        }
    }

    /// A response to a request of a leg.
    pub(super) fn call_answered(
        &mut self,
        now: Instant,
        leg: LegId,
        ask: u32,
        response: &Response,
    ) {
        self.run_leg(now, leg, |session, cx| session.response(cx, ask, response));
    }

    /// No response to a request of a leg.
    pub(super) fn call_unanswered(
        &mut self,
        now: Instant,
        leg: LegId,
        ask: u32,
        status: StatusCode,
    ) {
        self.run_leg(now, leg, |session, cx| session.unanswered(cx, ask, status));
    }

    /// Runs what is due, and tells who lost a request with its connection.
    pub(super) fn settle_calls(&mut self, now: Instant) {
        for user in self.core.table.lost() {
            if let User::Call(leg, ask) = user {
                // RFC 3261 §8.1.3.1: as a 503.
                self.call_unanswered(now, leg, ask, StatusCode::SERVICE_UNAVAILABLE);
            }
        }
        self.send_held(now);
        while let Some(leg) = { self.calls.as_ref() }.and_then(|it| it.next_due(now)) {
            self.run_leg(now, leg, Session::tick);
        }
    }

    /// When the next leg is due.
    pub(super) fn next_of_calls(&self) -> Option<Instant> {
        let calls = self.calls.as_ref()?;
        let held = calls.held.iter().map(|it| it.until);
        let due = calls.due.first().map(|(at, _)| *at);
        held.chain(due).min()
    }

    /// Ends every leg.
    pub(super) fn end_calls(&mut self, now: Instant) {
        self.end_legs(now, None);
    }

    /// Ends the legs of a gateway.
    pub(super) fn end_legs(&mut self, now: Instant, gateway: Option<&str>) {
        let legs = { self.calls.as_ref() }.map(|it| it.of_gateway(gateway));
        for leg in legs.unwrap_or_default() {
            self.run_leg(now, leg, |session, cx| session.end(cx, Ending::Stopped));
        }
    }

    /// Whether no leg is left.
    pub(super) fn is_without_calls(&self) -> bool {
        self.calls.as_ref().is_none_or(|it| it.legs.is_empty())
    }
}

/// What a leg may use.
pub(super) fn context<'a>(
    core: &'a mut Core,
    manner: &'a Manner,
    now: Instant,
    contact: String,
) -> Context<'a> {
    Context {
        now,
        give_up: core.interop.give_up(),
        rng: &mut core.rng,
        style: &core.style,
        manner,
        contact,
        steps: Vec::new(),
    }
}
