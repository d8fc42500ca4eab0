//! One leg: what comes in finds its place here.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use super::asking::Asked;
use super::called::Unacknowledged;
use super::modify::Wish;
use super::refresh::Clock;
use super::reliable::Waiting;
use super::seam::{Body, Ending, Event, Fork, LegId, Order, Reason};
use super::transfer::Transfer;
use super::usage::Usage;
use super::{Context, Step, write};
use crate::sip::auth::Credentials;
use crate::sip::dialog::OutOfOrder;
use crate::sip::link::Flow;
use crate::sip::message::{HeaderName, Method, Request, StatusCode};
use crate::sip::settings::Authentication;
use crate::sip::timer::Timers;
use crate::sip::transaction::key::{CallMark, ServerKey};

/// Where a leg is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Our INVITE has no final answer yet.
    Calling(Heard),
    /// Their INVITE has none.
    Called,
    /// It was answered.
    Up,
    /// BYE was sent, or nothing is left to do but to wait.
    Leaving,
}

/// What was heard of our INVITE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing: it may not be cancelled yet (RFC 3261 §9.1).
    Nothing,
    /// A provisional response.
    Something,
    /// A provisional response, after which CANCEL was sent.
    Cancelled,
}

/// Their INVITE, while we owe its final response.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) key: ServerKey,
    pub(super) request: Request,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// The 2xx is sent again.
    Repeat,
    /// No ACK came.
    NoAck,
    /// The reliable response is sent again.
    RepeatReliable,
    /// No PRACK came.
    NoPrack,
    /// Nothing came after CANCEL.
    Cancelled,
    /// What waits may be offered again.
    Retry,
    /// The session is to be refreshed.
    Refresh,
    /// The session was not refreshed.
    Expiry,
}

/// One leg of a call.
#[derive(Debug)]
pub struct Session {
    /// Its name.
    pub leg: LegId,
    /// Its gateway.
    pub gateway: String,
    /// How requests go where nothing better is known: as the first one did.
    pub flow: Flow,
    pub(super) tag: String,
    pub(super) phase: Phase,
    /// The user does not hear of it any more.
    pub(super) left: bool,
    /// The dialogs; several where our INVITE forked.
    pub(super) usages: Vec<Usage>,
    /// The dialog that is the call.
    pub(super) chosen: Option<Fork>,
    /// What our INVITE offered.
    pub(super) offer: Option<Body>,
    pub(super) asked: BTreeMap<u32, Asked>,
    pub(super) last_ask: u32,
    pub(super) serving: Option<Serving>,
    pub(super) unacknowledged: Option<Unacknowledged>,
    pub(super) waiting: Option<Waiting>,
    pub(super) queue: VecDeque<(StatusCode, Option<Body>)>,
    pub(super) rseq: u32,
    /// The ACK of our first 2xx came.
    pub(super) confirmed: bool,
    /// The 200 is ordered and waits for a PRACK.
    pub(super) accepting: Option<Option<Body>>,
    /// The BYE is ordered and waits for an ACK.
    pub(super) hanging_up: Option<Option<Reason>>,
    /// What is to be offered.
    pub(super) wish: Option<Wish>,
    /// What is being offered, and what it says of the session.
    pub(super) sent: Option<Wish>,
    pub(super) proposed: Option<Body>,
    pub(super) clock: Clock,
    pub(super) transfer: Transfer,
    pub(super) credentials: Credentials,
    pub(super) rows: Vec<Authentication>,
    pub(super) user: String,
    pub(super) timers: Timers<Timer>,
}

impl Session {
    pub(super) fn new(leg: LegId, gateway: String, flow: Flow, tag: String, phase: Phase) -> Self {
        Self {
            leg,
            gateway,
            flow,
            tag,
            phase,
            left: false,
            usages: Vec::new(),
            chosen: None,
            offer: None,
            asked: BTreeMap::new(),
            last_ask: 0,
            serving: None,
            unacknowledged: None,
            waiting: None,
            queue: VecDeque::new(),
            rseq: 0,
            confirmed: false,
            accepting: None,
            hanging_up: None,
            wish: None,
            sent: None,
            proposed: None,
            clock: Clock::default(),
            transfer: Transfer::default(),
            credentials: Credentials::default(),
            rows: Vec::new(),
            user: String::new(),
            timers: Timers::default(),
        }
    }

    /// The user's order; [`Order::Invite`] made the session.
    pub fn order(&mut self, cx: &mut Context<'_>, order: Order) {
        match order {
            Order::Invite(..) => {}
            Order::Progress(_, status, body) => self.progress(cx, status, body),
            Order::Accept(_, body) => self.accept(cx, body),
            Order::Refuse(_, refusal) => self.refuse(cx, &refusal),
            Order::Offer(_, body) => self.wish_for(cx, Wish::offer(body)),
            Order::AskOffer(_) => self.wish_for(cx, Wish::ask()),
            Order::Answer(_, fork, body) => self.answer_offer(cx, fork, body),
            Order::RefuseOffer(_, fork, refusal) => self.refuse_offer(cx, fork, &refusal),
            Order::Refer(_, to, _) => self.refer(cx, &to),
            Order::ReferProgress(_, status) => self.refer_progress(cx, status),
            Order::RefuseRefer(_, status) => self.refuse_refer(cx, status),
            Order::Info(_, body) => self.info(cx, &body),
            Order::HangUp(_, reason) => self.hang_up(cx, reason),
        }
        self.pump(cx);
    }

    /// A request within one of its dialogs, which is no ACK and no CANCEL.
    pub fn request(&mut self, cx: &mut Context<'_>, key: &ServerKey, request: &Request) {
        let Some(usage) = self.usages.iter_mut().find(|it| it.dialog.owns(request)) else {
            return self.respond(cx, key, request, StatusCode::DOES_NOT_EXIST);
        };
        if let Err(OutOfOrder) = usage.dialog.admit(request) {
            return self.respond(cx, key, request, StatusCode::SERVER_INTERNAL_ERROR);
        }
        usage.peer.learn(&request.headers);
        let fork = usage.fork;
        match &request.method {
            Method::Bye => self.bye_came(cx, fork, key, request),
            // The call is over, or is another of its forks.
            _ if self.phase == Phase::Leaving || self.chosen.is_some_and(|it| it != fork) => {
                self.respond(cx, key, request, StatusCode::DOES_NOT_EXIST);
            }
            Method::Invite => self.reinvited(cx, fork, key, request),
            Method::Update => self.updated(cx, fork, key, request),
            Method::Prack => self.pracked(cx, fork, key, request),
            Method::Info => self.informed(cx, key, request),
            Method::Refer => self.referred(cx, fork, key, request),
            Method::Notify => self.notified(cx, key, request),
            Method::Options => self.respond(cx, key, request, StatusCode::OK),
            _ => self.respond(cx, key, request, StatusCode::METHOD_NOT_ALLOWED),
        }
        self.pump(cx);
    }

    /// The time of the next deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Runs what is due.
    pub fn tick(&mut self, cx: &mut Context<'_>) {
        while let Some(timer) = self.timers.expired(cx.now) {
            match timer {
                Timer::Repeat => self.repeat_answer(cx),
                Timer::NoAck => self.no_ack(cx),
                Timer::RepeatReliable => self.repeat_reliable(cx),
                Timer::NoPrack => self.no_prack(cx),
                Timer::Cancelled => self.over(cx),
                Timer::Retry => {}
                Timer::Refresh => self.refresh(cx),
                Timer::Expiry => self.end(cx, Ending::Expired),
            }
        }
        self.pump(cx);
    }

    /// What an INVITE that is the same but for its branch has in common with the one being served.
    pub fn mark(&self) -> Option<CallMark> {
        CallMark::of(&self.serving.as_ref()?.request)
    }

    /// Our tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The key of the INVITE that is being answered.
    pub fn serves(&self) -> Option<&ServerKey> {
        self.serving.as_ref().map(|it| &it.key)
    }

    /// The value of Replaces that names the call (RFC 3891 §6.1).
    pub fn replaces(&self) -> Option<String> {
        let dialog = &self.call()?.dialog;
        let (to, from) = (dialog.remote_tag(), dialog.local_tag());
        Some(format!("{};to-tag={to};from-tag={from}", dialog.call_id()))
    }

    /// Whether these tags, ours first, name a dialog of it.
    pub fn is_named(&self, call_id: &str, local: &str, remote: &str) -> bool {
        let names = |it: &Usage| {
            (
                it.dialog.call_id(),
                it.dialog.local_tag(),
                it.dialog.remote_tag(),
            ) == (call_id, local, remote)
        };
        self.usages.iter().any(names)
    }

    /// The dialog that is the call; while there are several, the newest.
    pub(super) fn call(&self) -> Option<&Usage> {
        match self.chosen {
            Some(fork) => self.usages.iter().find(|it| it.fork == fork),
            None => self.usages.last(),
        }
    }

    pub(super) fn usage(&mut self, fork: Fork) -> Option<&mut Usage> {
        self.usages.iter_mut().find(|it| it.fork == fork)
    }

    pub(super) fn respond(
        &self,
        cx: &mut Context<'_>,
        key: &ServerKey,
        request: &Request,
        status: StatusCode,
    ) {
        let response = write::response(cx, request, status, &self.tag, None);
        cx.answer(key, response);
    }

    /// The answer to a request that must be put off (RFC 3261 §14.2).
    pub(super) fn put_off(&self, cx: &mut Context<'_>, key: &ServerKey, request: &Request) {
        let status = StatusCode::SERVER_INTERNAL_ERROR;
        let mut response = write::response(cx, request, status, &self.tag, None);
        let seconds = cx.rng.up_to(10);
        response.headers.push(HeaderName::RetryAfter, seconds);
        cx.answer(key, response);
    }

    pub(super) fn tell(&self, cx: &mut Context<'_>, event: Event) {
        if !self.left {
            cx.steps.push(Step::Tell(event));
        }
    }

    pub(super) fn over(&mut self, cx: &mut Context<'_>) {
        self.phase = Phase::Leaving;
        self.timers.clear();
        let open = self.asked.iter().filter(|(_, it)| !it.answered);
        cx.steps.extend(open.map(|(ask, _)| Step::Forget(*ask)));
        cx.steps.push(Step::Over);
    }
}
