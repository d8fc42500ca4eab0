//! How a leg ends: BYE (RFC 3261 §15), CANCEL (§9), and what is given up with it.

use super::asking::Purpose;
use super::machine::{Heard, Phase, Session, Timer};
use super::seam::{Ending, Event, Fork, Reason, Refusal};
use super::{Context, Step, identity, write};
use crate::sip::message::{HeaderName, Method, Request, StatusCode};
use crate::sip::transaction::T1;
use crate::sip::transaction::key::ServerKey;

impl Session {
    /// The user is done with it.
    pub(super) fn hang_up(&mut self, cx: &mut Context<'_>, reason: Option<Reason>) {
        if self.left {
            return;
        }
        self.left = true;
        match self.phase {
            // §9.1: before anything was heard, the CANCEL waits.
            Phase::Calling(Heard::Nothing) => self.hanging_up = Some(reason),
            Phase::Calling(_) => self.cancel(cx, reason),
            Phase::Called => {
                let refusal = Refusal {
                    reason,
                    ..Refusal::of(StatusCode::TEMPORARILY_UNAVAILABLE)
                };
                self.refuse_invite(cx, &refusal);
                self.over(cx);
            }
            // §15: the callee sends no BYE before its 2xx was acknowledged.
            Phase::Up if self.unacknowledged.is_some() => self.hanging_up = Some(reason),
            Phase::Up => self.bye(cx, reason),
            Phase::Leaving => {}
        }
    }

    /// The leg ends for another reason than the user's order or the peer's word.
    pub fn end(&mut self, cx: &mut Context<'_>, ending: Ending) {
        let event = Event::Ended(self.leg, ending);
        self.tell(cx, event);
        self.left = true;
        match self.phase {
            Phase::Calling(Heard::Something) => self.cancel(cx, None),
            Phase::Calling(Heard::Nothing) => self.hanging_up = Some(None),
            Phase::Called => {
                self.refuse_invite(cx, &Refusal::of(StatusCode::SERVICE_UNAVAILABLE));
                self.over(cx);
            }
            Phase::Up => self.bye(cx, None),
            Phase::Calling(Heard::Cancelled) | Phase::Leaving => {}
        }
    }

    /// CANCEL, whatever comes of it.
    pub(super) fn cancel(&mut self, cx: &mut Context<'_>, reason: Option<Reason>) {
        let invite = self
            .asked
            .iter()
            .find(|(_, it)| it.purpose == Purpose::Invite);
        let Some((ask, _)) = invite else { return };
        cx.steps.push(Step::Cancel(*ask, reason));
        self.phase = Phase::Calling(Heard::Cancelled);
        // §9.1: an INVITE that no 487 follows counts as cancelled after 64*T1.
        self.timers.set(Timer::Cancelled, cx.now + 64 * T1);
    }

    /// BYE on the dialog that is the call; what else is under way has no meaning any more.
    pub(super) fn bye(&mut self, cx: &mut Context<'_>, reason: Option<Reason>) {
        self.phase = Phase::Leaving;
        self.timers.clear();
        self.unacknowledged = None;
        self.drop_serving(cx);
        self.forget_asked(cx);
        let Some(fork) = self.call().map(|it| it.fork) else {
            return self.over(cx);
        };
        self.bye_to(cx, fork, reason);
    }

    /// BYE on one dialog, of several.
    pub(super) fn bye_to(&mut self, cx: &mut Context<'_>, fork: Fork, reason: Option<Reason>) {
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let mut request = usage.dialog.request(Method::Bye);
        if let Some(reason) = reason {
            // RFC 3326 §2.
            request.headers.push(HeaderName::Reason, reason.0);
        }
        self.ask(cx, fork, Purpose::Bye, request, None);
    }

    /// Whatever the answer to BYE is, the dialog is over (§15.1.1).
    pub(super) fn bye_answered(&mut self, cx: &mut Context<'_>) {
        let more = self.asked.values().any(|it| it.purpose == Purpose::Bye);
        if self.phase == Phase::Leaving && !more {
            self.over(cx);
        }
    }

    /// §15.1.2.
    pub(super) fn bye_came(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        key: &ServerKey,
        request: &Request,
    ) {
        self.respond(cx, key, request, StatusCode::OK);
        let is_the_call = self.chosen.is_none_or(|it| it == fork);
        let goes_on = matches!(self.phase, Phase::Calling(_));
        if goes_on || !is_the_call {
            // One fork of several is gone; the INVITE itself has its answer yet to come.
            return self.usages.retain(|it| it.fork != fork);
        }
        self.drop_serving(cx);
        self.forget_asked(cx);
        let ending = Ending::Bye(identity::reason(&request.headers));
        self.tell(cx, Event::Ended(self.leg, ending));
        self.left = true;
        self.over(cx);
    }

    /// A CANCEL of their INVITE came; it was answered already (§9.2).
    pub fn cancelled(&mut self, cx: &mut Context<'_>, cancel: &Request) {
        // A re-INVITE is answered in any case: its offer is on its way to the user.
        if self.phase != Phase::Called {
            return;
        }
        self.refuse_invite(cx, &Refusal::of(StatusCode::REQUEST_TERMINATED));
        let ending = Ending::Cancelled(identity::reason(&cancel.headers));
        self.tell(cx, Event::Ended(self.leg, ending));
        self.left = true;
        self.over(cx);
    }

    /// The final answer to their INVITE, where it is no 2xx.
    pub(super) fn refuse_invite(&mut self, cx: &mut Context<'_>, refusal: &Refusal) {
        let Some(serving) = self.serving.take() else {
            return;
        };
        self.waiting = None;
        self.queue.clear();
        let response = write::refusal(cx, &serving.request, refusal, &self.tag);
        cx.answer(&serving.key, response);
    }

    /// §15.1.2: what was not answered yet is answered 487.
    fn drop_serving(&mut self, cx: &mut Context<'_>) {
        self.refuse_invite(cx, &Refusal::of(StatusCode::REQUEST_TERMINATED));
        for usage in &mut self.usages {
            if let super::usage::Exchange::Theirs(super::usage::Owed::Response(key, request)) =
                &usage.exchange
            {
                let status = StatusCode::REQUEST_TERMINATED;
                let response = write::response(cx, request, status, &self.tag, None);
                cx.answer(key, response);
            }
            usage.exchange = super::usage::Exchange::Idle;
        }
    }

    /// Nobody waits for answers within a dialog that ends; a BYE's is waited for.
    fn forget_asked(&mut self, cx: &mut Context<'_>) {
        let over = |purpose| !matches!(purpose, Purpose::Bye | Purpose::Invite | Purpose::ReInvite);
        let ended = { self.asked.iter() }.filter(|(_, it)| over(it.purpose));
        let ended: Vec<u32> = ended.map(|(ask, _)| *ask).collect();
        for ask in ended {
            self.asked.remove(&ask);
            cx.steps.push(Step::Forget(ask));
        }
    }
}
