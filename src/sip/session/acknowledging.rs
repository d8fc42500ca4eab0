//! The ACKs of 2xx to INVITEs of ours (RFC 3261 §13.2.2.4).

use super::asking::Purpose;
use super::machine::Session;
use super::seam::{Body, Fork};
use super::usage::{Exchange, Owed};
use super::{Context, Step, write};
use crate::sip::message::HeaderName;

impl Session {
    /// The answer to a 2xx with an offer goes into its ACK.
    pub(super) fn owe_ack(&mut self, fork: Fork, ask: u32) {
        let Some(cseq) = self.number_of(ask) else {
            return;
        };
        if let Some(usage) = self.usage(fork) {
            usage.exchange = Exchange::Theirs(Owed::Ack(cseq));
        }
    }

    /// Acknowledges the 2xx to an INVITE of ours.
    pub(super) fn acknowledge(
        &mut self,
        cx: &mut Context<'_>,
        fork: Fork,
        ask: u32,
        body: Option<&Body>,
    ) {
        let Some(asked) = self.asked.get(&ask) else {
            return;
        };
        let headers = asked.request.headers.clone();
        let Some(cseq) = self.number_of(ask) else {
            return;
        };
        let Some(usage) = self.usage(fork) else {
            return;
        };
        let mut ack = usage.dialog.acknowledgement(cseq);
        write::request(cx, &mut ack, body);
        // §22.1: the ACK carries the credentials of its INVITE.
        for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
            ack.headers.copy(&name, &headers);
        }
        usage.ack = Some((cseq, ack.clone()));
        cx.steps.push(Step::Send(Box::new(ack)));
    }

    /// Whether a 2xx was acknowledged before: then it is again, since the ACK got lost.
    pub(super) fn repeat_ack(&mut self, cx: &mut Context<'_>, fork: Fork, ask: u32) -> bool {
        let Some(cseq) = self.number_of(ask) else {
            return false;
        };
        let Some(usage) = self.usage(fork) else {
            return false;
        };
        if usage.exchange == Exchange::Theirs(Owed::Ack(cseq)) {
            return true;
        }
        match &usage.ack {
            Some((number, ack)) if *number == cseq => {
                cx.steps.push(Step::Send(Box::new(ack.clone())));
                true
            }
            _ => false,
        }
    }

    /// The request that a CSeq names.
    pub(super) fn ask_of(&self, cseq: u32) -> Option<u32> {
        let invites = [Purpose::Invite, Purpose::ReInvite];
        let mut asked = self.asked.iter();
        asked
            .find(|(ask, it)| invites.contains(&it.purpose) && self.number_of(**ask) == Some(cseq))
            .map(|(ask, _)| *ask)
    }

    fn number_of(&self, ask: u32) -> Option<u32> {
        let headers = &self.asked.get(&ask)?.request.headers;
        headers.cseq().ok().map(|it| it.number)
    }
}
