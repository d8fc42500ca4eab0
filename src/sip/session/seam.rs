//! What calls and SIP say to each other: orders go down, events come up.
//!
//! A leg is one call of one gateway, in either direction. SIP keeps the order
//! of messages and of offers and answers (RFC 3261 §13.2.1, RFC 3262 §5, RFC
//! 3311 §5, RFC 6337); what an offer says it never reads. An order that does
//! not fit the state of its leg changes nothing: the event that made it
//! impossible is already on its way.
//!
//! - **Called**: [`Event::Incoming`]; then any of [`Order::Progress`]; then
//!   [`Order::Accept`] or [`Order::Refuse`]; [`Event::Confirmed`] is the ACK.
//! - **Calling**: [`Order::Invite`]; then any of [`Event::Progress`]; then
//!   [`Event::Answered`] or [`Event::Refused`].
//! - **Offers**: who is told of an offer owes [`Order::Answer`] or
//!   [`Order::RefuseOffer`]. Who made one hears [`Event::Answer`] or
//!   [`Event::OfferRefused`], unless the answer stands in another event.
//! - **The end**: after [`Event::Ended`] or [`Event::Refused`], and after
//!   [`Order::Refuse`] or [`Order::HangUp`], the leg does not exist any more.

use std::fmt;

use thiserror::Error;

use crate::sip::message::{HeaderName, NameAddr, StatusCode, Uri};
use crate::sip::plan::Line;

/// Names one leg for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LegId {
    /// A peer called; SIP counts these.
    In(u64),
    /// We call; whoever orders the call counts these, and uses none twice.
    Out(u64),
}

/// Tells the answers of a forked INVITE apart; 0 is the only one of most calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fork(pub u32);

/// A message body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The value of Content-Type, parameters included.
    pub content_type: String,
    /// The octets.
    pub octets: Vec<u8>,
}

/// What a message says of the session (RFC 3264).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Description {
    /// Nothing.
    #[default]
    Absent,
    /// It holds an offer, which is to be answered.
    Offer(Body),
    /// It answers our last offer.
    Answer(Body),
}

/// Who calls, as told and as vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// From: what the called party may be shown.
    pub from: NameAddr,
    /// P-Asserted-Identity (RFC 3325 §9.1), at most one sip and one tel.
    pub asserted: Vec<NameAddr>,
    /// P-Preferred-Identity (RFC 3325 §9.2).
    pub preferred: Vec<NameAddr>,
    /// The values of Privacy, in lower case (RFC 3323 §4.2): `id`, `user`, `none`, ...
    ///
    /// Where an order asks for any but `none`, SIP itself makes From anonymous.
    pub privacy: Vec<String>,
}

/// A header field that is handed on as it is; only names of [`CARRIED`] are.
pub type Carried = (HeaderName, String);

/// The header fields that a call carries through.
pub const CARRIED: [&str; 9] = [
    "Diversion",
    "History-Info",
    "Alert-Info",
    "Call-Info",
    "Subject",
    "Priority",
    "Organization",
    "Referred-By",
    "User-to-User",
];

/// A call that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incoming {
    /// By which gateway.
    pub gateway: String,
    /// Whom the Request-URI names: the called number.
    pub called: Uri,
    /// To: whom the caller meant first.
    pub to: NameAddr,
    /// Who calls.
    pub caller: Caller,
    /// The offer; without one [`Order::Accept`] must bring ours.
    pub offer: Option<Body>,
    /// The leg of ours that this call replaces (RFC 3891); it is not ended by SIP.
    pub replaces: Option<LegId>,
    /// Header fields carried through.
    pub carried: Vec<Carried>,
}

/// A call to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    /// By which gateway.
    pub gateway: String,
    /// Whom to call.
    pub target: Target,
    /// Who calls.
    pub caller: Caller,
    /// Whose credentials answer a challenge.
    pub line: Option<Line>,
    /// The offer; without one the peer makes it.
    pub offer: Option<Body>,
    /// The value of Replaces, from [`Replaced::Theirs`] (RFC 3891).
    pub replaces: Option<String>,
    /// Header fields carried through.
    pub carried: Vec<Carried>,
}

/// Whom an order means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// A user or number, not escaped; the gateway's domain stands behind it, and
    /// behind the user of From too.
    User(String),
    /// This URI; a sip URI with a numeric host is called there where the gateway has no server.
    Uri(Uri),
}

/// Why somebody ended something (Reason, RFC 3326), as `Q.850;cause=16;text="..."`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(pub String);

/// A final response that is no 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// 300 to 699.
    pub status: StatusCode,
    /// Its phrase.
    pub phrase: String,
    /// Retry-After, in seconds.
    pub retry_after: Option<u32>,
    /// The Contacts of a 3xx, best first.
    pub contacts: Vec<NameAddr>,
    /// Reason, if there is one.
    pub reason: Option<Reason>,
}

impl Refusal {
    /// A refusal with nothing but a code and its usual phrase.
    pub fn of(status: StatusCode) -> Self {
        Self {
            status,
            phrase: status.phrase().to_owned(),
            retry_after: None,
            contacts: Vec::new(),
            reason: None,
        }
    }
}

/// Why a leg is over.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Ending {
    /// The peer hung up.
    #[error("the peer hung up")]
    Bye(Option<Reason>),
    /// The caller gave up before an answer.
    #[error("the caller gave up")]
    Cancelled(Option<Reason>),
    /// Our 2xx was never acknowledged (RFC 3261 §13.3.1.4).
    #[error("no ACK came for the answer")]
    NoAck,
    /// A reliable provisional response was never acknowledged (RFC 3262 §3).
    #[error("no PRACK came for a reliable response")]
    NoPrack,
    /// The session was not refreshed in time (RFC 4028 §10).
    #[error("the session was not refreshed in time")]
    Expired,
    /// The peer does not know the call any more, or answers nothing (RFC 3261 §12.2.1.2).
    #[error("the peer answered a request within the call with {0}")]
    Lost(StatusCode),
    /// A 2xx had no answer to our offer (RFC 3261 §13.2.1).
    #[error("the peer's answer has no session description")]
    NoAnswer,
    /// The gateway is gone, or the stack stops.
    #[error("the gateway stopped")]
    Stopped,
}

/// What the call's user wants of SIP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Call somebody.
    Invite(LegId, Box<Invite>),
    /// Tell the caller how it goes: 180, 183 or another 101 to 199.
    ///
    /// The body answers the caller's offer (the same answer stands in a later
    /// [`Order::Accept`], whatever that says). Where the INVITE had no offer the
    /// body is ours, and is only sent where the caller acknowledges it (RFC 3262 §5).
    Progress(LegId, StatusCode, Option<Body>),
    /// Answer the call with 200. The body is the answer, or our offer where there
    /// was none; none where the answer already was in an [`Order::Progress`].
    Accept(LegId, Option<Body>),
    /// Refuse the call.
    Refuse(LegId, Refusal),
    /// Offer another session: re-INVITE once the call is answered, UPDATE before (RFC 3311).
    ///
    /// It waits until it may be sent; an offer that waits is replaced by the next.
    Offer(LegId, Body),
    /// Ask the peer for its offer by a re-INVITE without one.
    AskOffer(LegId),
    /// Answer the offer that is open, wherever it was made but in a new call:
    /// that one is answered by [`Order::Progress`] and [`Order::Accept`]. After an
    /// [`Event::Offer`] without a body this is our offer.
    Answer(LegId, Fork, Body),
    /// Refuse the offer that is open: 488 and the like. One that stood in a
    /// 2xx to our INVITE cannot be refused: hang up instead.
    RefuseOffer(LegId, Fork, Refusal),
    /// Ask the peer to call somebody else (RFC 3515), or the peer of another leg of ours (RFC 3891).
    Refer(LegId, Uri, Option<LegId>),
    /// Accept what [`Event::Referred`] asks (202 and a first NOTIFY), or tell how
    /// it goes on; a final status ends it.
    ReferProgress(LegId, StatusCode),
    /// Refuse what [`Event::Referred`] asks.
    RefuseRefer(LegId, StatusCode),
    /// Send INFO.
    Info(LegId, Body),
    /// End the leg: BYE, CANCEL or a refusal, as its state wants it.
    HangUp(LegId, Option<Reason>),
}

impl Order {
    /// The leg that it is for.
    pub fn leg(&self) -> LegId {
        match self {
            Self::Invite(leg, _)
            | Self::Progress(leg, ..)
            | Self::Accept(leg, _)
            | Self::Refuse(leg, _)
            | Self::Offer(leg, _)
            | Self::AskOffer(leg)
            | Self::Answer(leg, ..)
            | Self::RefuseOffer(leg, ..)
            | Self::Refer(leg, ..)
            | Self::ReferProgress(leg, _)
            | Self::RefuseRefer(leg, _)
            | Self::Info(leg, _)
            | Self::HangUp(leg, _) => *leg,
        }
    }
}

/// What SIP tells the call's user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody calls.
    Incoming(LegId, Box<Incoming>),
    /// A 101 to 199 came. An offer in it is answered by [`Order::Answer`]; a
    /// fork's first answer counts, whether its response is reliable or not.
    Progress {
        /// Our call.
        leg: LegId,
        /// Which of its forks.
        fork: Fork,
        /// 101 to 199.
        status: StatusCode,
        /// What it says of the session.
        description: Description,
    },
    /// A 2xx came. Other forks are over; an offer in it is answered by [`Order::Answer`].
    Answered {
        /// Our call.
        leg: LegId,
        /// The fork that is the call from now on.
        fork: Fork,
        /// What it says of the session.
        description: Description,
        /// Who answered, where a server vouches for it (P-Asserted-Identity).
        connected: Vec<NameAddr>,
    },
    /// The ACK of our 200 came, with the answer where the 200 had our offer.
    Confirmed(LegId, Option<Body>),
    /// Our call was refused, and is over.
    Refused(LegId, Refusal),
    /// The peer offers another session, by re-INVITE, UPDATE or PRACK; without a
    /// body it asks for our offer.
    Offer(LegId, Fork, Option<Body>),
    /// The peer answers our offer: the one ordered last, or the same sent again to refresh the session.
    Answer(LegId, Fork, Body),
    /// The peer refuses our offer; the session is as it was (RFC 3261 §14.1).
    OfferRefused(LegId, Fork, Refusal),
    /// The peer asks us to call somebody.
    Referred {
        /// The leg that asks.
        leg: LegId,
        /// Whom to call, without what stands behind `?`.
        to: Uri,
        /// What the headers of that URI say of Replaces.
        replaces: Replaced,
        /// Referred-By.
        by: Option<NameAddr>,
    },
    /// How far our [`Order::Refer`] got; a final status is the last word.
    ReferProgress(LegId, StatusCode),
    /// INFO came, and was answered.
    Info(LegId, Body),
    /// The leg is over.
    Ended(LegId, Ending),
}

/// What a Refer-To says of replacing a call (RFC 3891).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Replaced {
    /// Nothing.
    #[default]
    Nobody,
    /// The other leg of ours that it names: join the two.
    Leg(LegId),
    /// A call of others: the value goes into Replaces of the INVITE.
    Theirs(String),
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::In(number) => write!(f, "in-{number}"),
            Self::Out(number) => write!(f, "out-{number}"),
        }
    }
}
