//! Requests of ours, and what becomes of each.

use super::calling::refusal;
use super::machine::{Phase, Session};
use super::seam::{Body, Ending, Fork, Refusal};
use super::{Context, Step, write};
use crate::sip::message::{Request, Response, StatusCode};

/// What a request of ours is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The INVITE that makes the call.
    Invite,
    /// A re-INVITE.
    ReInvite,
    /// An UPDATE.
    Update,
    Prack,
    Bye,
    Info,
    Refer,
    Notify,
}

/// A request of ours that may still be answered.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) fork: Fork,
    pub(super) purpose: Purpose,
    pub(super) request: Request,
    /// How often it was sent again for a challenge or a 422.
    pub(super) rounds: u32,
    /// Whether its final answer came; an INVITE's may come again.
    pub(super) answered: bool,
}

impl Session {
    /// The answer to a request of ours.
    pub fn response(&mut self, cx: &mut Context<'_>, ask: u32, response: &Response) {
        let Some(asked) = self.asked.get(&ask) else {
            return;
        };
        let (fork, purpose) = (asked.fork, asked.purpose);
        if purpose == Purpose::Invite {
            self.invite_answered(cx, ask, response);
            return self.pump(cx);
        }
        if response.status.is_provisional() || (asked.answered && !response.status.is_success()) {
            return;
        }
        if !response.status.is_success() && self.again(cx, ask, response) {
            return;
        }
        match purpose {
            Purpose::ReInvite if response.status.is_success() => {
                self.reinvite_accepted(cx, ask, response);
            }
            _ => {
                self.asked.remove(&ask);
                self.answered(cx, fork, purpose, Ok(response));
            }
        }
        self.pump(cx);
    }

    /// No answer to a request of ours came, or none can: 408 or 503.
    pub fn unanswered(&mut self, cx: &mut Context<'_>, ask: u32, status: StatusCode) {
        // Whatever becomes of the transaction of an INVITE that was answered: its ACK may be owed yet.
        if self.asked.get(&ask).is_none_or(|it| it.answered) {
            return;
        }
        let Some(asked) = self.asked.remove(&ask) else {
            return;
        };
        match asked.purpose {
            Purpose::Invite => self.invite_failed(cx, status),
            purpose => self.answered(cx, asked.fork, purpose, Err(status)),
        }
        self.pump(cx);
    }

    /// Sends a request within a dialog.
    pub(super) fn ask(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        purpose: Purpose,
        mut request: Request,
        body: Option<&Body>,
    ) {
        write::request(cx, &mut request, body);
        self.dispatch(cx, fork, purpose, request, 0);
    }

    /// Sends a request that is written, with the credentials that are known.
    pub(super) fn dispatch(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        purpose: Purpose,
        mut request: Request,
        rounds: u32,
    ) {
        if rounds == 0 {
            self.credentials.begin();
        }
        // A hash that fails leaves the request without credentials: it is challenged again.
        let _ = self.credentials.authorize(&mut request, cx.rng);
        self.last_ask += 1;
        cx.steps
            .push(Step::Ask(self.last_ask, Box::new(request.clone())));
        let asked = Asked {
            fork,
            purpose,
            request,
            rounds,
            answered: false,
        };
        self.asked.insert(self.last_ask, asked);
    }

    /// A request of ours other than an INVITE, or a re-INVITE, failed or was answered.
    fn answered(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        purpose: Purpose,
        outcome: Result<&Response, StatusCode>,
    ) {
        let status = outcome.map_or_else(|status| status, |it| it.status);
        if purpose == Purpose::Bye {
            return self.bye_answered(cx);
        }
        if self.phase == Phase::Leaving {
            return;
        }
        // RFC 3261 §12.2.1.2, RFC 5057 §5.1: the dialog is gone. A connection
        // that breaks ends one request, and no call.
        let gone = [StatusCode::DOES_NOT_EXIST, StatusCode::REQUEST_TIMEOUT];
        let lost = gone.contains(&status);
        if purpose == Purpose::Notify {
            return self.notify_answered(cx, status);
        }
        if lost && self.is_the_call(fork) {
            return self.end(cx, Ending::Lost(status));
        }
        match (purpose, outcome) {
            (Purpose::Update, Ok(response)) if status.is_success() => {
                self.update_accepted(cx, fork, response);
            }
            (Purpose::Update | Purpose::ReInvite, outcome) => {
                let refusal = outcome.map_or_else(Refusal::of, refusal);
                self.modification_refused(cx, fork, refusal);
            }
            (Purpose::Refer, _) => self.refer_answered(cx, status),
            _ => {}
        }
    }

    fn is_the_call(&self, fork: Fork) -> bool {
        self.phase == Phase::Up && self.chosen == Some(fork)
    }
}
