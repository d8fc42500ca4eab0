//! Changing a session that stands: re-INVITE (RFC 3261 §14) and UPDATE (RFC 3311), both ways.

use std::time::{Duration, Instant};

use super::asking::Purpose;
use super::machine::{Phase, Serving, Session, Timer};
use super::seam::{Body, Description, Event, Fork, LegId, Refusal};
use super::usage::{Counts, Exchange, Owed, answered, offered};
use super::{Context, MAX_ROUNDS, Refresh, refresh, write};
use crate::sip::message::{Method, Request, Response, StatusCode};
use crate::sip::transaction::key::ServerKey;

/// What we want to say to the peer once we may.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) aim: Aim,
    /// Not before; after a 491.
    pub(super) at: Option<Instant>,
    /// How many 491 there were.
    pub(super) rounds: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Aim {
    /// The user's offer.
    Offer(Body),
    /// A re-INVITE without an offer.
    Ask,
    /// The session as it is.
    Refresh,
}

impl Wish {
    pub(super) fn offer(body: Body) -> Self {
        Self::of(Aim::Offer(body))
    }

    pub(super) fn ask() -> Self {
        Self::of(Aim::Ask)
    }

    pub(super) fn refresh() -> Self {
        Self::of(Aim::Refresh)
    }

    fn of(aim: Aim) -> Self {
        let (at, rounds) = (None, 0);
        Self { aim, at, rounds }
    }
}

impl Session {
    /// The user's wish waits until it may be sent.
    pub(super) fn wish_for(&mut self, cx: &mut Context<'_>, wish: Wish) {
        if self.phase == Phase::Leaving || self.left {
            return;
        }
        self.wish = Some(wish);
        self.pump(cx);
    }

    /// Sends what waits, where nothing stands in its way.
    pub(super) fn pump(&mut self, cx: &mut Context<'_>) {
        let Some(wish) = &self.wish else { return };
        if wish.at.is_some_and(|at| at > cx.now) || self.left {
            return;
        }
        let Some(usage) = self.call() else { return };
        let fork = usage.fork;
        let (updates, settled) = (usage.peer.update, usage.settled);
        let idle = usage.exchange == Exchange::Idle && !self.is_modifying();
        let early = self.phase != Phase::Up;
        let wish = wish.clone();
        let by_update = match (&wish.aim, early) {
            // RFC 3311 §5.1: before the call is answered, once a first exchange is done.
            (Aim::Offer(_), true) => updates && settled && self.waiting.is_none(),
            (_, true) => false,
            (Aim::Refresh, false) => updates && cx.manner.refresh == Refresh::Update,
            (_, false) => false,
        };
        let may = idle && (by_update || (!early && self.may_reinvite()));
        if !may || self.phase == Phase::Leaving {
            return;
        }
        match by_update {
            true => self.update(cx, fork, &wish.aim),
            false => self.reinvite(cx, fork, &wish.aim),
        }
        if let Some(wish) = &mut self.wish {
            wish.at = None;
        }
        self.sent = self.wish.take();
    }

    /// Whether an offer of ours, or a re-INVITE, is under way.
    fn is_modifying(&self) -> bool {
        let modifies = [Purpose::ReInvite, Purpose::Update];
        { self.asked.values() }.any(|it| modifies.contains(&it.purpose) && !it.answered)
    }

    /// RFC 3261 §14.1: not while another INVITE is under way in either direction.
    fn may_reinvite(&self) -> bool {
        self.serving.is_none() && self.unacknowledged.is_none()
    }

    fn reinvite(&mut self, cx: &mut Context<'_>, fork: Fork, aim: &Aim) {
        // Only the 2xx of the newest may come again.
        self.asked.retain(|_, it| it.purpose != Purpose::ReInvite);
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let body = match aim {
            Aim::Offer(body) => Some(body.clone()),
            Aim::Ask => None,
            Aim::Refresh => usage.ours.clone(),
        };
        let mut request = usage.dialog.request(Method::Invite);
        if body.is_some() {
            usage.exchange = Exchange::Ours;
            self.proposed.clone_from(&body);
        }
        self.clock.renew(cx.manner, &mut request.headers);
        self.ask(cx, fork, Purpose::ReInvite, request, body.as_ref());
    }

    fn update(&mut self, cx: &mut Context<'_>, fork: Fork, aim: &Aim) {
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let body = match aim {
            Aim::Offer(body) => Some(body.clone()),
            Aim::Ask | Aim::Refresh => None,
        };
        let mut request = usage.dialog.request(Method::Update);
        if body.is_some() {
            usage.exchange = Exchange::Ours;
            self.proposed.clone_from(&body);
        }
        if self.phase == Phase::Up {
            self.clock.renew(cx.manner, &mut request.headers);
        }
        self.ask(cx, fork, Purpose::Update, request, body.as_ref());
    }

    /// A 2xx to our re-INVITE; it may come again.
    pub(super) fn reinvite_accepted(
        &mut self,
        cx: &mut Context<'_>,
        ask: u32,
        response: &Response,
    ) {
        let Some(asked) = self.asked.get_mut(&ask) else {
            return;
        };
        let fork = asked.fork;
        asked.answered = true;
        if self.repeat_ack(cx, fork, ask) {
            return;
        }
        if self.phase == Phase::Leaving {
            return self.acknowledge(cx, fork, ask, None);
        }
        self.sent = None;
        let proposed = self.proposed.take();
        let Some(usage) = self.usage(fork) else {
            return;
        };
        usage.dialog.refresh(&response.headers);
        match (&usage.exchange, answered(response)) {
            (Exchange::Ours, Some(answer)) => {
                usage.settle();
                usage.ours = proposed.or(usage.ours.take());
                self.acknowledge(cx, fork, ask, None);
                self.tell(cx, Event::Answer(self.leg, fork, answer));
            }
            (Exchange::Idle, Some(offer)) => {
                self.owe_ack(fork, ask);
                self.tell(cx, Event::Offer(self.leg, fork, Some(offer)));
            }
            _ => {
                self.acknowledge(cx, fork, ask, None);
                return self.end(cx, super::Ending::NoAnswer);
            }
        }
        self.agreed(cx, response);
    }

    /// A 2xx to our UPDATE.
    pub(super) fn update_accepted(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        response: &Response,
    ) {
        self.sent = None;
        let proposed = self.proposed.take();
        let Some(usage) = self.usage(fork) else {
            return;
        };
        usage.dialog.refresh(&response.headers);
        let description = usage.described(answered(response), Counts::ForGood);
        if let Description::Answer(answer) = description {
            usage.ours = proposed.or(usage.ours.take());
            self.tell(cx, Event::Answer(self.leg, fork, answer));
        }
        if self.phase == Phase::Up {
            self.agreed(cx, response);
        }
    }

    /// Our re-INVITE or UPDATE was refused: the session is as it was.
    pub(super) fn modification_refused(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        refusal: Refusal,
    ) {
        self.proposed = None;
        if let Some(usage) = self.usage(fork)
            && usage.exchange == Exchange::Ours
        {
            usage.exchange = Exchange::Idle;
        }
        let Some(mut wish) = self.sent.take() else {
            return;
        };
        if refusal.status == StatusCode::REQUEST_PENDING && wish.rounds < MAX_ROUNDS {
            wish.rounds += 1;
            let at = cx.now + self.glare(cx);
            wish.at = Some(at);
            // A newer wish takes its place.
            if self.wish.is_none() {
                self.wish = Some(wish);
            }
            return self.timers.set(Timer::Retry, at);
        }
        match wish.aim {
            Aim::Refresh => self.refresh_failed(cx),
            Aim::Offer(_) | Aim::Ask => {
                let event = Event::OfferRefused(self.leg, fork, refusal);
                self.tell(cx, event);
            }
        }
    }

    /// RFC 3261 §14.1: who made the Call-ID waits 2.1 to 4 s, the other less, so that they do not meet again.
    fn glare(&self, cx: &mut Context<'_>) -> Duration {
        let tens = match self.leg {
            LegId::Out(_) => 210 + cx.rng.up_to(190),
            LegId::In(_) => cx.rng.up_to(200),
        };
        Duration::from_millis(tens * 10)
    }

    /// Their re-INVITE (§14.2).
    pub(super) fn reinvited(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        key: &ServerKey,
        request: &Request,
    ) {
        if self.serving.is_some() {
            return self.put_off(cx, key, request);
        }
        if self.phase != Phase::Up || self.is_modifying() {
            return self.respond(cx, key, request, StatusCode::REQUEST_PENDING);
        }
        let Some(usage) = self.usage(fork) else {
            return;
        };
        match &usage.exchange {
            Exchange::Idle => {}
            Exchange::Theirs(_) => return self.put_off(cx, key, request),
            Exchange::Ours | Exchange::Previewed => {
                return self.respond(cx, key, request, StatusCode::REQUEST_PENDING);
            }
        }
        if self.refuse_interval(cx, key, request) {
            return;
        }
        let Some(usage) = self.usage(fork) else {
            return;
        };
        usage.dialog.refresh(&request.headers);
        usage.exchange = Exchange::Theirs(Owed::Invite);
        self.serving = Some(Serving {
            key: key.clone(),
            request: request.clone(),
        });
        self.respond(cx, key, request, StatusCode::TRYING);
        self.tell(cx, Event::Offer(self.leg, fork, offered(request)));
    }

    /// Their UPDATE (RFC 3311 §5.2).
    pub(super) fn updated(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        key: &ServerKey,
        request: &Request,
    ) {
        let offer = offered(request);
        let modifying = self.is_modifying();
        let Some(usage) = self.usage(fork) else {
            return;
        };
        match (&usage.exchange, &offer) {
            (_, None) => {}
            // Our re-INVITE without an offer brings one of theirs.
            (Exchange::Idle, Some(_)) if modifying => {
                return self.respond(cx, key, request, StatusCode::REQUEST_PENDING);
            }
            (Exchange::Idle, Some(_)) => {}
            (Exchange::Theirs(_), Some(_)) => return self.put_off(cx, key, request),
            (Exchange::Ours | Exchange::Previewed, Some(_)) => {
                return self.respond(cx, key, request, StatusCode::REQUEST_PENDING);
            }
        }
        if self.refuse_interval(cx, key, request) {
            return;
        }
        let Some(usage) = self.usage(fork) else {
            return;
        };
        usage.dialog.refresh(&request.headers);
        let Some(offer) = offer else {
            let status = StatusCode::OK;
            let mut response = write::response(cx, request, status, &self.tag, None);
            self.agree(cx, request, &mut response);
            return cx.answer(key, response);
        };
        usage.exchange = Exchange::Theirs(Owed::Response(key.clone(), Box::new(request.clone())));
        self.tell(cx, Event::Offer(self.leg, fork, Some(offer)));
    }

    fn refuse_interval(&self, cx: &mut Context<'_>, key: &ServerKey, request: &Request) -> bool {
        let Some(minimum) = refresh::too_small(cx.manner, &request.headers) else {
            return false;
        };
        let response = refresh::refusal(cx, request, minimum, &self.tag);
        cx.answer(key, response);
        true
    }
}
