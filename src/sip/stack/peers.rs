//! The streams that peers opened: how many there may be, and for how long they may be silent.
//!
//! A peer must say something whole soon after it connected, and finish what
//! it began; after that its stream stays as long as it is used now and then.

use std::time::{Duration, Instant};

use super::Stack;
use super::arrive::Stream;
use crate::sip::event::{Output, SocketId};

/// How many streams of peers stand at once.
pub(super) const MAX_STREAMS: usize = 512;
/// For the first message of a stream, and for the rest of one that began.
const PATIENCE: Duration = Duration::from_secs(32);
/// RFC 3261 §18 asks for no less than 32 s after the last message.
const SILENCE: Duration = Duration::from_secs(3600);

/// How talkative a peer is.
#[derive(Debug)]
pub(super) struct Voice {
    /// When it connected, said something whole, or began to.
    since: Instant,
    /// Whether it owes us something whole.
    owes: bool,
}

impl Voice {
    /// It connected.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            since: now,
            owes: true,
        }
    }

    /// It said something whole.
    pub(super) fn spoke(&mut self, now: Instant) {
        self.since = now;
        self.owes = false;
    }

    /// It began to say something.
    pub(super) fn began(&mut self, now: Instant) {
        if !self.owes {
            self.since = now;
            self.owes = true;
        }
    }

    fn deadline(&self) -> Instant {
        match self.owes {
            true => self.since + PATIENCE,
            false => self.since + SILENCE,
        }
    }
}

impl Stack {
    /// The streams of peers, and until when each may go on as it does.
    fn peers(&self) -> impl Iterator<Item = (SocketId, Instant)> {
        let peers = self.streams.iter().filter(|(_, it)| it.is_of_peer());
        peers.map(|(id, stream)| (*id, stream.voice.deadline()))
    }

    /// When the next peer has been silent for too long.
    pub(super) fn next_silence(&self) -> Option<Instant> {
        self.peers().map(|(_, at)| at).min()
    }

    /// Where there are too many, the one that would go first goes now.
    pub(super) fn make_room(&mut self) {
        if self.peers().count() < MAX_STREAMS {
            return;
        }
        if let Some((id, _)) = self.peers().min_by_key(|(_, at)| *at) {
            self.core.out.push_back(Output::Close { id });
        }
    }

    /// Closes what was silent for too long, and what came to a gateway that is no more.
    pub(super) fn close_silent(&mut self, now: Instant) {
        let abandoned = |stream: &Stream| !self.gateways.contains_key(&stream.gateway);
        let ended: Vec<SocketId> = self
            .streams
            .iter()
            .filter(|(_, it)| it.is_of_peer())
            .filter(|(_, it)| it.voice.deadline() <= now || abandoned(it))
            .map(|(id, _)| *id)
            .collect();
        for id in ended {
            self.core.out.push_back(Output::Close { id });
        }
    }
}
