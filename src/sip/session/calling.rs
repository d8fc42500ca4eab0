//! Calling: from our INVITE to the answer of each of its forks (RFC 3261 §13.2).

use super::asking::Purpose;
use super::machine::{Heard, Phase, Session};
use super::reliable::rseq;
use super::seam::{Caller, Description, Ending, Event, Fork, Invite, LegId, Refusal};
use super::usage::{Counts, Exchange, Owed, Usage, answered};
use super::{Context, MAX_FORKS, Reliability, identity};
use crate::sip::dialog::Dialog;
use crate::sip::link::Flow;
use crate::sip::message::{
    CSeq, HeaderName, Headers, Method, NameAddr, Request, Response, StatusCode, Uri,
};
use crate::sip::settings::Authentication;

/// A call that is about to be made.
#[derive(Debug)]
pub struct Departure {
    /// The leg's name.
    pub leg: LegId,
    /// What is ordered.
    pub invite: Invite,
    /// The Request-URI and the To.
    pub target: Uri,
    /// The Route, where the gateway's server or registrar wants one.
    pub routes: Vec<String>,
    /// How it leaves.
    pub flow: Flow,
    /// Which credentials may be used.
    pub rows: Vec<Authentication>,
    /// The user who answers challenges where a row names nobody.
    pub user: String,
}

impl Session {
    /// Sends the INVITE of a new call.
    pub fn calling(cx: &mut Context<'_>, departure: Departure) -> Self {
        let Departure { leg, invite, .. } = departure;
        let tag = cx.rng.token();
        let phase = Phase::Calling(Heard::Nothing);
        let gateway = invite.gateway.clone();
        let mut session = Self::new(leg, gateway, departure.flow, tag, phase);
        session.rows = departure.rows;
        session.user = departure.user;
        let mut request = Request::new(Method::Invite, departure.target.clone());
        let headers = &mut request.headers;
        for route in departure.routes {
            headers.push(HeaderName::Route, route);
        }
        write_addresses(headers, &invite.caller, &session.tag, departure.target);
        headers.push(HeaderName::CallId, cx.rng.token() + &cx.rng.token());
        let (number, method) = (1, Method::Invite);
        headers.push(HeaderName::CSeq, CSeq { number, method });
        identity::write(headers, &invite.caller);
        identity::carry(headers, &invite.carried);
        if let Some(replaces) = &invite.replaces {
            headers.push(HeaderName::Replaces, replaces);
        }
        if cx.manner.uac_prack == Reliability::Required {
            headers.push(HeaderName::Require, "100rel");
        }
        session.clock.propose(cx.manner, headers);
        let offer = invite.offer.as_ref();
        session.offer = invite.offer.clone();
        session.ask(cx, Fork::default(), Purpose::Invite, request, offer);
        session
    }

    /// A response to the INVITE.
    pub(super) fn invite_answered(&mut self, cx: &mut Context<'_>, ask: u32, response: &Response) {
        match response.status {
            status if status.is_provisional() => self.provisional(cx, response),
            status if status.is_success() => self.accepted(cx, ask, response),
            // Only 2xx of other forks may follow a 2xx.
            _ if !matches!(self.phase, Phase::Calling(_)) => {}
            _ if !self.left && self.again(cx, ask, response) => self.usages.clear(),
            _ => {
                self.asked.remove(&ask);
                let refusal = refusal(response);
                self.refused(cx, refusal);
            }
        }
    }

    /// No answer to the INVITE came, or none can.
    pub(super) fn invite_failed(&mut self, cx: &mut Context<'_>, status: StatusCode) {
        if matches!(self.phase, Phase::Calling(_)) {
            self.refused(cx, Refusal::of(status));
        }
    }

    /// The CSeq of the INVITE.
    pub(super) fn invite_number(&self) -> Option<u32> {
        let mut asked = self.asked.values();
        let invite = asked.find(|it| it.purpose == Purpose::Invite)?;
        invite.request.headers.cseq().ok().map(|it| it.number)
    }

    fn refused(&mut self, cx: &mut Context<'_>, refusal: Refusal) {
        self.tell(cx, Event::Refused(self.leg, refusal));
        self.left = true;
        self.over(cx);
    }

    fn provisional(&mut self, cx: &mut Context<'_>, response: &Response) {
        match (self.phase, self.hanging_up.take()) {
            (Phase::Calling(Heard::Nothing), Some(reason)) => self.cancel(cx, reason),
            (Phase::Calling(Heard::Nothing), None) => {
                self.phase = Phase::Calling(Heard::Something);
            }
            _ => {}
        }
        let calling = matches!(self.phase, Phase::Calling(_));
        if response.status == StatusCode::TRYING || !calling {
            return;
        }
        let (leg, status) = (self.leg, response.status);
        let tagged = response.headers.to().is_ok_and(|it| it.tag().is_some());
        let Some(fork) = self.fork(response) else {
            if tagged {
                return;
            }
            // §12.1: without a tag there is no dialog yet.
            let (fork, description) = (Fork::default(), Description::Absent);
            return self.tell(
                cx,
                Event::Progress {
                    leg,
                    fork,
                    status,
                    description,
                },
            );
        };
        let reliable = match rseq(response) {
            None => None,
            Some(_) => match self.in_order(fork, response) {
                None => return,
                number => number,
            },
        };
        let counts = match reliable {
            Some(_) => Counts::ForGood,
            None => Counts::NotYet,
        };
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let description = usage.described(answered(response), counts);
        match (reliable, &description) {
            (Some(rseq), Description::Offer(_)) => {
                usage.exchange = Exchange::Theirs(Owed::Prack(rseq));
            }
            (Some(rseq), _) => self.prack(cx, fork, rseq, None),
            (None, _) => {}
        }
        self.tell(
            cx,
            Event::Progress {
                leg,
                fork,
                status,
                description,
            },
        );
    }

    fn accepted(&mut self, cx: &mut Context<'_>, ask: u32, response: &Response) {
        let Some(fork) = self.fork(response) else {
            return;
        };
        if self.repeat_ack(cx, fork, ask) {
            return;
        }
        let confirmed = matches!(self.phase, Phase::Up | Phase::Leaving);
        if confirmed || self.left {
            return self.let_go(cx, fork, ask, response);
        }
        let Some(usage) = self.usage(fork) else {
            return;
        };
        // §13.2.2.4: the route set of the 2xx counts.
        usage.dialog.confirm(response);
        let description = usage.described(answered(response), Counts::ForGood);
        let open = matches!(usage.exchange, Exchange::Ours | Exchange::Previewed);
        if let Some(asked) = self.asked.get_mut(&ask) {
            asked.answered = true;
        }
        self.phase = Phase::Up;
        self.chosen = Some(fork);
        self.timers.stop(super::machine::Timer::Cancelled);
        match description {
            Description::Offer(_) => self.owe_ack(fork, ask),
            _ => self.acknowledge(cx, fork, ask, None),
        }
        if open && !self.previewed_without_body(fork, response) {
            return self.end(cx, Ending::NoAnswer);
        }
        self.agreed(cx, response);
        let connected = identity::addresses(&response.headers, &HeaderName::PAssertedIdentity);
        let leg = self.leg;
        self.tell(
            cx,
            Event::Answered {
                leg,
                fork,
                description,
                connected,
            },
        );
    }

    /// Some leave the description out of the 2xx where an unreliable response
    /// had it: what was told counts then.
    fn previewed_without_body(&mut self, fork: Fork, response: &Response) -> bool {
        let bare = answered(response).is_none();
        let usage = { self.usage(fork) }.filter(|it| bare && it.exchange == Exchange::Previewed);
        usage.map(|it| it.settle()).is_some()
    }

    /// §13.2.2.4: each 2xx is acknowledged; a second call, or one that nobody wants any more, is ended.
    fn let_go(&mut self, cx: &mut Context<'_>, fork: Fork, ask: u32, response: &Response) {
        if let Some(usage) = self.usage(fork) {
            usage.dialog.confirm(response);
        }
        if let Some(asked) = self.asked.get_mut(&ask) {
            asked.answered = true;
        }
        self.acknowledge(cx, fork, ask, None);
        if self.chosen.is_none() {
            self.chosen = Some(fork);
            return self.bye(cx, None);
        }
        self.bye_to(cx, fork, None);
    }

    /// The dialog of a response: one that is known, or a new one.
    fn fork(&mut self, response: &Response) -> Option<Fork> {
        let to = response.headers.to().ok()?;
        let tag = to.tag()?;
        let known = self
            .usages
            .iter_mut()
            .find(|it| it.dialog.remote_tag() == tag);
        if let Some(usage) = known {
            usage.peer.learn(&response.headers);
            return Some(usage.fork);
        }
        if self.usages.len() >= MAX_FORKS {
            return None;
        }
        let mut asked = self.asked.values();
        let invite = asked.find(|it| it.purpose == Purpose::Invite)?;
        let dialog = Dialog::calling(&invite.request, response).ok()?;
        let fork = Fork(u32::try_from(self.usages.len()).unwrap_or(u32::MAX));
        let exchange = match self.offer {
            Some(_) => Exchange::Ours,
            None => Exchange::Idle,
        };
        let mut usage = Usage::new(fork, dialog, exchange);
        usage.ours.clone_from(&self.offer);
        usage.peer.learn(&response.headers);
        self.usages.push(usage);
        Some(fork)
    }
}

/// A failure as the user hears it.
pub(super) fn refusal(response: &Response) -> Refusal {
    let headers = &response.headers;
    let contacts = headers.contacts().unwrap_or_default();
    let mut contacts: Vec<_> = contacts
        .into_iter()
        .filter(|_| response.status.is_redirection())
        .filter_map(|it| Some((it.q().unwrap_or(1000), it.address()?.clone())))
        .collect();
    // RFC 3261 §8.1.3.4: the highest q first.
    contacts.sort_by_key(|(q, _)| std::cmp::Reverse(*q));
    Refusal {
        status: response.status,
        phrase: response.reason_text().into_owned(),
        retry_after: headers.retry_after(),
        contacts: contacts.into_iter().map(|(_, it)| it).collect(),
        reason: identity::reason(headers),
    }
}

fn write_addresses(headers: &mut Headers, caller: &Caller, tag: &str, target: Uri) {
    headers.push(HeaderName::From, identity::from(caller, tag));
    headers.push(HeaderName::To, NameAddr::new(target));
}
