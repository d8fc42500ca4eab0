//! Provisional responses that are acknowledged (RFC 3262), on both sides.

use std::time::Duration;

use super::asking::Purpose;
use super::machine::{Session, Timer};
use super::seam::{Body, Ending, Event, Fork, Refusal};
use super::usage::{Exchange, Owed, offered};
use super::{Context, Step};
use crate::sip::message::{HeaderName, Method, Request, Response, StatusCode};
use crate::sip::transaction::T1;
use crate::sip::transaction::key::ServerKey;

/// A reliable response that waits for its PRACK.
#[derive(Debug)]
pub(super) struct Waiting {
    key: ServerKey,
    response: Response,
    rseq: u32,
    interval: Duration,
    described: bool,
}

impl Session {
    /// Sends the next of the reliable responses, once the one before was acknowledged.
    pub(super) fn next_reliable(&mut self, cx: &mut Context<'_>) {
        if self.waiting.is_some() {
            return;
        }
        let Some((status, body)) = self.queue.pop_front() else {
            return;
        };
        let Some(usage) = self.usages.first_mut() else {
            return;
        };
        // §5: the first description counts, be it the answer or our offer.
        let body = match (&usage.exchange, body) {
            (Exchange::Theirs(Owed::Invite), Some(body)) => {
                usage.settle();
                Some(body)
            }
            (Exchange::Idle, Some(body)) if !usage.settled => {
                usage.exchange = Exchange::Ours;
                Some(body)
            }
            _ => None,
        };
        if body.is_some() {
            usage.ours.clone_from(&body);
        }
        self.rseq += 1;
        let rseq = self.rseq;
        let sent = self.answer_invite(cx, status, body.as_ref(), Some(rseq));
        let (Some(response), Some(key)) = (sent, self.serves().cloned()) else {
            return;
        };
        self.waiting = Some(Waiting {
            key,
            response,
            rseq,
            interval: T1,
            described: body.is_some(),
        });
        self.timers.set(Timer::RepeatReliable, cx.now + T1);
        self.timers.set(Timer::NoPrack, cx.now + 64 * T1);
    }

    /// Whether a description of ours waits for its PRACK.
    pub(super) fn is_waiting_with_description(&self) -> bool {
        self.waiting.as_ref().is_some_and(|it| it.described)
    }

    /// No reliable response is waited for any more.
    pub(super) fn stop_waiting(&mut self) {
        self.waiting = None;
        self.timers.stop(Timer::RepeatReliable);
        self.timers.stop(Timer::NoPrack);
    }

    /// §3: at pauses that double without an end.
    pub(super) fn repeat_reliable(&mut self, cx: &mut Context<'_>) {
        let Some(waiting) = &mut self.waiting else {
            return;
        };
        waiting.interval *= 2;
        let at = cx.now + waiting.interval;
        let step = Step::Answer(waiting.key.clone(), Box::new(waiting.response.clone()));
        cx.steps.push(step);
        self.timers.set(Timer::RepeatReliable, at);
    }

    /// §3: after 64*T1 the INVITE is refused with a 5xx.
    pub(super) fn no_prack(&mut self, cx: &mut Context<'_>) {
        self.stop_waiting();
        self.refuse_invite(cx, &Refusal::of(StatusCode::SERVER_TIMEOUT));
        self.tell(cx, Event::Ended(self.leg, Ending::NoPrack));
        self.left = true;
        self.over(cx);
    }

    /// A PRACK came.
    pub(super) fn pracked(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        key: &ServerKey,
        request: &Request,
    ) {
        let invite = self.serving.as_ref();
        let cseq = invite.and_then(|it| it.request.headers.cseq().ok());
        let named = rack(request);
        let ours = |it: &&Waiting| named == cseq.as_ref().map(|cseq| (it.rseq, cseq.number));
        if self.waiting.as_ref().filter(ours).is_none() {
            return self.respond(cx, key, request, StatusCode::DOES_NOT_EXIST);
        }
        self.stop_waiting();
        self.take_prack(cx, fork, key, request);
        match self.accepting.take() {
            Some(body) => self.accept(cx, body),
            None => self.next_reliable(cx),
        }
    }

    /// What the PRACK says of the session (§5).
    fn take_prack(&mut self, cx: &mut Context<'_>, fork: Fork, key: &ServerKey, request: &Request) {
        let leg = self.leg;
        let Some(usage) = self.usage(fork) else {
            return;
        };
        match (&usage.exchange, offered(request)) {
            (Exchange::Ours, Some(answer)) => {
                usage.settle();
                self.respond(cx, key, request, StatusCode::OK);
                self.tell(cx, Event::Answer(leg, fork, answer));
            }
            (Exchange::Idle, Some(offer)) => {
                usage.exchange =
                    Exchange::Theirs(Owed::Response(key.clone(), Box::new(request.clone())));
                self.tell(cx, Event::Offer(leg, fork, Some(offer)));
            }
            _ => self.respond(cx, key, request, StatusCode::OK),
        }
    }

    /// A response to our INVITE that wants a PRACK; none where it came before or out of order (§4).
    pub(super) fn in_order(&mut self, fork: Fork, response: &Response) -> Option<u32> {
        let rseq = rseq(response)?;
        let usage = self.usage(fork)?;
        match usage.rseq {
            Some(last) if last.checked_add(1) != Some(rseq) => None,
            _ => {
                usage.rseq = Some(rseq);
                Some(rseq)
            }
        }
    }

    /// Sends the PRACK, with the answer where the response had an offer.
    pub(super) fn prack(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        rseq: u32,
        body: Option<&Body>,
    ) {
        let Some(invite) = self.invite_number() else {
            return;
        };
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let mut request = usage.dialog.request(Method::Prack);
        let rack = format!("{rseq} {invite} INVITE");
        request.headers.push(HeaderName::RAck, rack);
        self.ask(cx, fork, Purpose::Prack, request, body);
    }
}

/// Whether a response is reliable, and its number.
pub(super) fn rseq(response: &Response) -> Option<u32> {
    let required = response.headers.require();
    let reliable = { required.iter() }.any(|it| it.eq_ignore_ascii_case("100rel"));
    let number = response.headers.text(&HeaderName::RSeq)?.trim().parse();
    number.ok().filter(|_| reliable)
}

/// `RAck: RSeq CSeq-number method` (§7.2).
fn rack(request: &Request) -> Option<(u32, u32)> {
    let text = request.headers.text(&HeaderName::RAck)?;
    let mut words = text.split_ascii_whitespace();
    let (rseq, cseq) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (words.next() == Some(Method::Invite.as_str())).then_some((rseq, cseq))
}
