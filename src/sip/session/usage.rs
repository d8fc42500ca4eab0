//! One dialog of a leg, and whose turn it is in its offers and answers.

use super::seam::{Body, Description, Fork};
use crate::sip::dialog::Dialog;
use crate::sip::message::{HeaderName, Headers, Method, Request, Response};
use crate::sip::transaction::key::ServerKey;

/// The media type of session descriptions.
pub(super) const SDP: &str = "application/sdp";

/// Whose answer is open (RFC 3264 §4: one offer at a time).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Exchange {
    /// Nobody's.
    Idle,
    /// Theirs to our offer, which nothing answered yet.
    Ours,
    /// Theirs, which an unreliable response told already: the same stands in
    /// the one that counts (RFC 3261 §13.2.1).
    Previewed,
    /// Ours, which goes there.
    Theirs(Owed),
}

/// Where an answer of ours goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Owed {
    /// Into a response to their INVITE.
    Invite,
    /// Into the 200 to their UPDATE or PRACK.
    Response(ServerKey, Box<Request>),
    /// Into our PRACK of this RSeq.
    Prack(u32),
    /// Into our ACK of the INVITE with this CSeq.
    Ack(u32),
}

/// What the peer says that it can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Peer {
    pub(super) update: bool,
    pub(super) reliable: bool,
    pub(super) timer: bool,
}

impl Peer {
    /// Takes over what a message says; what it leaves out stays.
    pub(super) fn learn(&mut self, headers: &Headers) {
        if headers.contains(&HeaderName::Allow) {
            let update = Method::Update;
            self.update = headers.allow().iter().any(|it| it == update.as_str());
        }
        if headers.contains(&HeaderName::Supported) || headers.contains(&HeaderName::Require) {
            self.reliable = knows(headers, "100rel");
            self.timer = knows(headers, "timer");
        }
    }
}

/// Whether a message supports or requires an extension.
pub(super) fn knows(headers: &Headers, tag: &str) -> bool {
    let told = headers.supported().into_iter().chain(headers.require());
    { told }.any(|it| it.eq_ignore_ascii_case(tag))
}

/// One dialog and what goes on in it.
#[derive(Debug)]
pub(super) struct Usage {
    pub(super) fork: Fork,
    pub(super) dialog: Dialog,
    pub(super) exchange: Exchange,
    /// Whether a first offer was answered for good.
    pub(super) settled: bool,
    pub(super) peer: Peer,
    /// The RSeq of the last reliable response in order.
    pub(super) rseq: Option<u32>,
    /// The ACK of the last 2xx, to be repeated, and its CSeq.
    pub(super) ack: Option<(u32, Request)>,
    /// What we said last of the session.
    pub(super) ours: Option<Body>,
}

impl Usage {
    pub(super) fn new(fork: Fork, dialog: Dialog, exchange: Exchange) -> Self {
        Self {
            fork,
            dialog,
            exchange,
            settled: false,
            peer: Peer::default(),
            rseq: None,
            ack: None,
            ours: None,
        }
    }

    /// What `body` of a response to our INVITE means, and its turn taken.
    pub(super) fn described(&mut self, body: Option<Body>, counts: Counts) -> Description {
        match (&self.exchange, body, counts) {
            (Exchange::Ours, Some(answer), Counts::NotYet) => {
                self.exchange = Exchange::Previewed;
                Description::Answer(answer)
            }
            (Exchange::Ours, Some(answer), Counts::ForGood) => {
                self.settle();
                Description::Answer(answer)
            }
            // §13.2.1: later descriptions repeat the answer.
            (Exchange::Previewed, Some(_), Counts::ForGood) => {
                self.settle();
                Description::Absent
            }
            // RFC 3262 §5: the first reliable response to an INVITE without an offer has one.
            (Exchange::Idle, Some(offer), Counts::ForGood) if !self.settled => {
                Description::Offer(offer)
            }
            _ => Description::Absent,
        }
    }

    /// The open offer was answered.
    pub(super) fn settle(&mut self) {
        self.exchange = Exchange::Idle;
        self.settled = true;
    }
}

/// Whether a response counts in the order of offers and answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// It is reliable or final.
    ForGood,
    /// It may get lost.
    NotYet,
}

/// The session description in a request.
pub(super) fn offered(request: &Request) -> Option<Body> {
    description(&request.headers, &request.body)
}

/// The session description in a response.
pub(super) fn answered(response: &Response) -> Option<Body> {
    description(&response.headers, &response.body)
}

fn description(headers: &Headers, octets: &[u8]) -> Option<Body> {
    (headers.content_type().as_deref() == Some(SDP))
        .then(|| body(headers, octets))
        .flatten()
}

/// The body of a message, if it has one.
pub(super) fn body(headers: &Headers, octets: &[u8]) -> Option<Body> {
    let content_type = headers.text(&HeaderName::ContentType)?;
    (!octets.is_empty()).then(|| Body {
        content_type,
        octets: octets.to_vec(),
    })
}
