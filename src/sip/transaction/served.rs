//! A request that is being answered, and the way its answer goes.

use std::collections::VecDeque;
use std::time::Instant;

use super::invite_server::InviteServer;
use super::key::CallMark;
use super::server::Server;
use super::table::Hop;
use crate::sip::event::Output;

#[derive(Debug)]
pub(super) enum Serving {
    Plain(Server),
    Invite(InviteServer),
}

impl Serving {
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        match self {
            Self::Plain(server) => server.next_deadline(),
            Self::Invite(server) => server.next_deadline(),
        }
    }
}

#[derive(Debug)]
pub(super) struct Served {
    pub(super) machine: Serving,
    pub(super) mark: Option<CallMark>,
    pub(super) answer: Vec<u8>,
    pub(super) hop: Hop,
    /// Whether the connection of `hop` is gone.
    pub(super) lost: bool,
}

/// A response whose connection is gone (RFC 3261 §18.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    /// Where the request came from.
    pub hop: Hop,
    /// The response.
    pub bytes: Vec<u8>,
}

impl Served {
    /// Sends the answer, or says that its connection is gone.
    pub(super) fn send(&self, stranded: &mut Vec<Stranded>, out: &mut VecDeque<Output>) {
        let (hop, bytes) = (self.hop, self.answer.clone());
        match self.lost {
            true => stranded.push(Stranded { hop, bytes }),
            false => out.push_back(hop.send(bytes)),
        }
    }
}
