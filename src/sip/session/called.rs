//! Being called: from their INVITE to its ACK (RFC 3261 §13.3).

use std::time::Duration;

use super::machine::{Phase, Serving, Session, Timer};
use super::refresh;
use super::seam::{Body, Event, Fork, Incoming, LegId, Refusal};
use super::usage::{Exchange, Owed, Usage, offered};
use super::{Context, MAX_QUEUED, Reliability, Step, identity, write};
use crate::sip::dialog::Dialog;
use crate::sip::link::Flow;
use crate::sip::message::{HeaderName, Headers, Request, Response, StatusCode, Uri};
use crate::sip::transaction::key::ServerKey;
use crate::sip::transaction::{T1, T2};

/// A 2xx that waits for its ACK (§13.3.1.4).
#[derive(Debug)]
pub(super) struct Unacknowledged {
    key: ServerKey,
    response: Response,
    interval: Duration,
    /// The CSeq of its INVITE.
    cseq: u32,
    /// Whether it is the first of the call.
    first: bool,
}

/// An INVITE that makes a new leg.
#[derive(Debug)]
pub struct Arrival<'a> {
    /// The leg's name.
    pub leg: LegId,
    /// The gateway that it came to.
    pub gateway: &'a str,
    /// How it came.
    pub flow: Flow,
    /// Its transaction.
    pub key: &'a ServerKey,
    /// The INVITE.
    pub request: &'a Request,
    /// The leg that it replaces.
    pub replaces: Option<LegId>,
}

impl Session {
    /// Takes in a new INVITE; none where it is refused at once.
    pub fn called(cx: &mut Context<'_>, arrival: Arrival<'_>) -> Option<Self> {
        let Arrival { key, request, .. } = arrival;
        let tag = cx.rng.token();
        let refuse = |cx: &mut Context<'_>, response| {
            cx.answer(key, response);
            None
        };
        let (Ok(dialog), Some(called)) = (Dialog::called(request, &tag), request.target()) else {
            let status = StatusCode::BAD_REQUEST;
            let response = write::response(cx, request, status, &tag, None);
            return refuse(cx, response);
        };
        if let Some(minimum) = refresh::too_small(cx.manner, &request.headers) {
            let response = refresh::refusal(cx, request, minimum, &tag);
            return refuse(cx, response);
        }
        let offer = offered(request);
        let event = incoming(&arrival, called.clone(), &dialog, offer.clone());
        let gateway = arrival.gateway.to_owned();
        let mut session = Self::new(arrival.leg, gateway, arrival.flow, tag, Phase::Called);
        let exchange = match offer {
            Some(_) => Exchange::Theirs(Owed::Invite),
            None => Exchange::Idle,
        };
        let mut usage = Usage::new(Fork::default(), dialog, exchange);
        usage.peer.learn(&request.headers);
        session.usages.push(usage);
        session.chosen = Some(Fork::default());
        session.serving = Some(Serving {
            key: key.clone(),
            request: request.clone(),
        });
        // RFC 3262 §3: the first RSeq is of the lower half of its range.
        session.rseq = u32::try_from(cx.rng.up_to(0x7fff_fffe)).unwrap_or(0);
        session.respond(cx, key, request, StatusCode::TRYING);
        session.tell(cx, Event::Incoming(arrival.leg, Box::new(event)));
        Some(session)
    }

    /// A provisional response is ordered.
    pub(super) fn progress(
        &mut self,
        cx: &mut Context<'_>,
        status: StatusCode,
        body: Option<Body>,
    ) {
        let fits = status.is_provisional() && status != StatusCode::TRYING;
        if self.phase != Phase::Called || !fits || self.accepting.is_some() {
            return;
        }
        if self.is_reliable(cx) {
            if self.queue.len() < MAX_QUEUED {
                self.queue.push_back((status, body));
            }
            return self.next_reliable(cx);
        }
        let Some(usage) = self.usages.first_mut() else {
            return;
        };
        // §13.2.1: an answer may stand in unreliable responses before the one
        // that counts; an offer may not.
        let body = match usage.exchange {
            Exchange::Theirs(Owed::Invite) => {
                if let Some(body) = body {
                    usage.ours.get_or_insert(body);
                }
                usage.ours.clone()
            }
            _ => None,
        };
        self.answer_invite(cx, status, body.as_ref(), None);
    }

    /// 200 is ordered.
    pub(super) fn accept(&mut self, cx: &mut Context<'_>, body: Option<Body>) {
        if self.phase != Phase::Called {
            return;
        }
        // RFC 3262 §3: not while a description of ours waits for its PRACK.
        if self.is_waiting_with_description() {
            self.accepting = Some(body);
            return;
        }
        let Some(usage) = self.usages.first_mut() else {
            return;
        };
        let body = match (&usage.exchange, usage.settled) {
            (Exchange::Theirs(Owed::Invite), _) => usage.ours.clone().or(body),
            (Exchange::Idle, false) => body,
            (Exchange::Idle, true) => None,
            _ => return,
        };
        match (&usage.exchange, &body) {
            (Exchange::Theirs(_), Some(_)) => usage.settle(),
            (Exchange::Idle, Some(_)) => usage.exchange = Exchange::Ours,
            (_, None) if usage.settled => {}
            // §13.3.1.4: a 2xx without what must stand in it is no answer.
            _ => return,
        }
        if body.is_some() {
            usage.ours.clone_from(&body);
        }
        self.phase = Phase::Up;
        self.answer_call(cx, body.as_ref());
    }

    /// A refusal is ordered.
    pub(super) fn refuse(&mut self, cx: &mut Context<'_>, refusal: &Refusal) {
        if self.phase != Phase::Called || refusal.status.code() < 300 {
            return;
        }
        self.left = true;
        self.refuse_invite(cx, refusal);
        self.over(cx);
    }

    /// Sends the 2xx of the INVITE that is being served, until its ACK comes.
    pub(super) fn answer_call(&mut self, cx: &mut Context<'_>, body: Option<&Body>) {
        let Some(serving) = self.serving.take() else {
            return;
        };
        self.stop_waiting();
        self.queue.clear();
        let Serving { key, request } = serving;
        let mut response = write::response(cx, &request, StatusCode::OK, &self.tag, body);
        self.agree(cx, &request, &mut response);
        cx.answer(&key, response.clone());
        self.unacknowledged = Some(Unacknowledged {
            key,
            response,
            interval: T1,
            cseq: request.headers.cseq().map_or(0, |it| it.number),
            first: !self.confirmed && matches!(self.leg, LegId::In(_)),
        });
        // §13.3.1.4: also over a stream, since a hop beyond it may lose.
        self.timers.set(Timer::Repeat, cx.now + T1);
        self.timers.set(Timer::NoAck, cx.now + 64 * T1);
    }

    /// The 2xx once more, at pauses that double up to T2.
    pub(super) fn repeat_answer(&mut self, cx: &mut Context<'_>) {
        let Some(answer) = &mut self.unacknowledged else {
            return;
        };
        answer.interval = (answer.interval * 2).min(T2);
        let at = cx.now + answer.interval;
        let step = Step::Answer(answer.key.clone(), Box::new(answer.response.clone()));
        cx.steps.push(step);
        self.timers.set(Timer::Repeat, at);
    }

    /// §13.3.1.4: after 64*T1 the dialog is confirmed and the session is ended.
    pub(super) fn no_ack(&mut self, cx: &mut Context<'_>) {
        self.unacknowledged = None;
        self.timers.stop(Timer::Repeat);
        match self.hanging_up.take() {
            Some(reason) => self.bye(cx, reason),
            None => self.end(cx, super::Ending::NoAck),
        }
    }

    /// An ACK within one of its dialogs.
    pub fn acknowledged(&mut self, cx: &mut Context<'_>, ack: &Request) {
        let cseq = ack.headers.cseq().map_or(0, |it| it.number);
        if !self.usages.iter().any(|it| it.dialog.owns(ack)) {
            return;
        }
        let Some(answer) = { &mut self.unacknowledged }.take_if(|it| it.cseq == cseq) else {
            return;
        };
        self.timers.stop(Timer::Repeat);
        self.timers.stop(Timer::NoAck);
        self.confirmed = true;
        let found = self.usages.iter_mut().find(|it| it.dialog.owns(ack));
        let mut told = None;
        if let Some(usage) = found
            && usage.exchange == Exchange::Ours
        {
            // The 2xx had our offer: the ACK has the answer (§13.2.2.4).
            told = offered(ack);
            usage.settle();
        }
        match (answer.first, told) {
            (true, told) => self.tell(cx, Event::Confirmed(self.leg, told)),
            (false, Some(body)) => {
                self.tell(cx, Event::Answer(self.leg, Fork::default(), body));
            }
            (false, None) => {}
        }
        if let Some(reason) = self.hanging_up.take() {
            self.bye(cx, reason);
        }
        self.pump(cx);
    }

    /// A provisional response to the INVITE that is being served.
    pub(super) fn answer_invite(
        &mut self,
        cx: &mut Context<'_>,
        status: StatusCode,
        body: Option<&Body>,
        rseq: Option<u32>,
    ) -> Option<Response> {
        let serving = self.serving.as_ref()?;
        let mut response = write::response(cx, &serving.request, status, &self.tag, body);
        if let Some(rseq) = rseq {
            require_prack(&mut response.headers, rseq);
        }
        cx.answer(&serving.key.clone(), response.clone());
        Some(response)
    }

    /// RFC 3262 §3: where both can.
    fn is_reliable(&self, cx: &Context<'_>) -> bool {
        cx.manner.uas_prack != Reliability::Unsupported
            && self.usages.first().is_some_and(|it| it.peer.reliable)
    }
}

fn require_prack(headers: &mut Headers, rseq: u32) {
    headers.push(HeaderName::Require, "100rel");
    headers.push(HeaderName::RSeq, rseq);
}

fn incoming(arrival: &Arrival<'_>, called: Uri, dialog: &Dialog, offer: Option<Body>) -> Incoming {
    let headers = &arrival.request.headers;
    let mut to = dialog.local().clone();
    to.params.remove("tag");
    Incoming {
        gateway: arrival.gateway.to_owned(),
        called,
        to,
        caller: identity::read(headers, dialog.remote().clone()),
        offer,
        replaces: arrival.replaces,
        carried: identity::carried(headers),
    }
}
