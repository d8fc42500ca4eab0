//! Our answers to offers of the peer, wherever they were made (RFC 6337 §2).

use super::machine::{Phase, Session};
use super::seam::{Body, Fork, Refusal};
use super::usage::{Exchange, Owed};
use super::{Context, write};
use crate::sip::message::{Request, StatusCode};
use crate::sip::transaction::key::ServerKey;

impl Session {
    /// The answer is ordered; to a re-INVITE without an offer it is our offer.
    pub(super) fn answer_offer(&mut self, cx: &mut Context<'_>, fork: Fork, body: Body) {
        // Their first INVITE is answered by Progress and Accept.
        if self.phase == Phase::Called && self.owes_invite(fork) {
            return;
        }
        let asked = self.is_asked_for_offer(fork);
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let owed = match &usage.exchange {
            Exchange::Theirs(owed) => owed.clone(),
            _ => return,
        };
        usage.settle();
        if asked {
            usage.exchange = Exchange::Ours;
        }
        usage.ours = Some(body.clone());
        match owed {
            Owed::Invite => self.answer_call(cx, Some(&body)),
            Owed::Response(key, request) => self.answer_request(cx, &key, &request, &body),
            Owed::Prack(rseq) => self.prack(cx, fork, rseq, Some(&body)),
            Owed::Ack(cseq) => {
                if let Some(ask) = self.ask_of(cseq) {
                    self.acknowledge(cx, fork, ask, Some(&body));
                }
            }
        }
    }

    /// The refusal of an offer is ordered.
    pub(super) fn refuse_offer(&mut self, cx: &mut Context<'_>, fork: Fork, refusal: &Refusal) {
        if self.phase == Phase::Called && self.owes_invite(fork) {
            return;
        }
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let owed = match &usage.exchange {
            Exchange::Theirs(owed @ (Owed::Invite | Owed::Response(..))) => owed.clone(),
            _ => return,
        };
        usage.exchange = Exchange::Idle;
        match owed {
            Owed::Response(key, request) => {
                let response = write::refusal(cx, &request, refusal, &self.tag);
                cx.answer(&key, response);
            }
            _ => self.refuse_invite(cx, refusal),
        }
    }

    fn answer_request(
        &mut self,
        cx: &mut Context<'_>,
        key: &ServerKey,
        request: &Request,
        body: &Body,
    ) {
        let status = StatusCode::OK;
        let mut response = write::response(cx, request, status, &self.tag, Some(body));
        self.agree(cx, request, &mut response);
        cx.answer(key, response);
    }

    fn owes_invite(&self, fork: Fork) -> bool {
        let usage = self.usages.iter().find(|it| it.fork == fork);
        usage.is_some_and(|it| it.exchange == Exchange::Theirs(Owed::Invite))
    }

    /// Whether the open offer is a re-INVITE that has none.
    fn is_asked_for_offer(&self, fork: Fork) -> bool {
        let bare = |it: &super::machine::Serving| super::usage::offered(&it.request).is_none();
        self.owes_invite(fork) && self.serving.as_ref().is_some_and(bare)
    }
}
