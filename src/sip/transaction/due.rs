//! Which transaction is due next.
//!
//! Each deadline that a transaction sets is noted, and none is taken back:
//! who comes to one asks the transaction whether it still stands.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::key::{ClientKey, ServerKey};

/// Names a transaction of either kind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Client(ClientKey),
    Server(ServerKey),
}

/// The deadlines of all transactions.
#[derive(Debug, Default)]
pub(super) struct Due(BinaryHeap<Reverse<(Instant, Key)>>);

impl Due {
    /// Notes a deadline.
    pub(super) fn note(&mut self, at: Option<Instant>, key: impl FnOnce() -> Key) {
        if let Some(at) = at {
            self.0.push(Reverse((at, key())));
        }
    }

    /// The earliest.
    pub(super) fn next(&self) -> Option<Instant> {
        self.0.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes the earliest that has come.
    pub(super) fn take(&mut self, now: Instant) -> Option<Key> {
        self.next().filter(|at| *at <= now)?;
        self.0.pop().map(|Reverse((_, key))| key)
    }
}
