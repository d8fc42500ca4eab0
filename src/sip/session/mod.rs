//! Calls as SIP sees them: the INVITE usage of dialogs (RFC 3261 §13 to §15).
//!
//! A [`Session`] is one leg of a call: it takes in orders, requests, responses
//! and time, and says by [`Step`]s what is to be sent and told. It owns the
//! order of messages and of offers and answers; sockets, transactions and the
//! choice of a way are the stack's.

mod acknowledging;
mod asking;
mod called;
mod calling;
mod challenge;
mod close;
mod identity;
mod machine;
mod manner;
mod modify;
mod offers;
mod refresh;
mod reliable;
pub mod seam;
mod transfer;
mod usage;
mod write;

use std::time::{Duration, Instant};

use crate::sip::message::{Request, Response};
use crate::sip::register::Style;
use crate::sip::rng::Rng;
use crate::sip::transaction::key::ServerKey;

pub use called::Arrival;
pub use calling::Departure;
pub use machine::Session;
pub use manner::{Manner, Refresh, Reliability};
pub use seam::{
    Body, CARRIED, Caller, Carried, Description, Ending, Event, Fork, Incoming, Invite, LegId,
    Order, Reason, Refusal, Replaced, Target,
};
pub use transfer::with_replaces;

/// How many forks of one INVITE are followed; the others are let go.
pub const MAX_FORKS: usize = 8;
/// How many provisional responses wait for the PRACK of the one before.
pub const MAX_QUEUED: usize = 8;
/// How many times one request is sent again for a challenge, a 422 or a 491.
pub const MAX_ROUNDS: u32 = 5;
/// How many header fields of a kind are carried through.
pub const MAX_CARRIED: usize = 16;
/// The methods that are served with calls, as Allow writes them.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE, INFO, REFER, NOTIFY";

/// One thing that a session asks of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send a request, without Via yet, and say under this number what becomes of it.
    Ask(u32, Box<Request>),
    /// Send an ACK: nobody answers it.
    Send(Box<Request>),
    /// Send the CANCEL of a request.
    Cancel(u32, Option<Reason>),
    /// Wait for the answer to a request no longer.
    Forget(u32),
    /// Answer a request.
    Answer(ServerKey, Box<Response>),
    /// Tell the user.
    Tell(Event),
    /// It is over.
    Over,
}

/// What a session may use while it runs.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: Instant,
    /// Chance.
    pub rng: &'a mut Rng,
    /// How requests look.
    pub style: &'a Style,
    /// How calls behave.
    pub manner: &'a Manner,
    /// 64*T1, or less.
    pub give_up: Duration,
    /// The Contact of the gateway, in brackets.
    pub contact: String,
    /// What is to be done.
    pub steps: Vec<Step>,
}

impl Context<'_> {
    fn answer(&mut self, key: &ServerKey, response: Response) {
        let step = Step::Answer(key.clone(), Box::new(response));
        self.steps.push(step);
    }
}
