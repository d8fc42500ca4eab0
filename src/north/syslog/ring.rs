//! The local log: the newest messages, each with a number that only grows.
//!
//! For the local log table and for `demarc log -f`, which asks for what came
//! after the last number it saw. The oldest falls out when the log is full;
//! nothing here is stored.

use std::collections::VecDeque;
use std::sync::Arc;

use super::status::Counters;
use crate::tree::notice::{Notice, Severity};
use crate::wire::time::UnixTime;

/// One message of the local log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number, from 1, never used twice while the device runs.
    pub number: u64,
    /// When it was said; `None` where the time was not known.
    pub at: Option<UnixTime>,
    /// What was said.
    pub notice: Notice,
}

#[derive(Debug)]
pub(super) struct Ring {
    entries: VecDeque<Arc<Entry>>,
    size: usize,
    newest: u64,
    errors: u32,
    criticals: u32,
}

impl Ring {
    pub(super) fn new(size: usize) -> Ring {
        Ring {
            entries: VecDeque::new(),
            size,
            newest: 0,
            errors: 0,
            criticals: 0,
        }
    }

    /// Keeps a message, as the newest.
    pub(super) fn push(&mut self, at: Option<UnixTime>, notice: Notice) -> Arc<Entry> {
        self.newest += 1;
        let entry = Arc::new(Entry {
            number: self.newest,
            at,
            notice,
        });
        if let Some(counter) = self.counter(&entry) {
            *counter += 1;
        }
        self.entries.push_back(Arc::clone(&entry));
        self.shrink();
        entry
    }

    /// Changes how many messages are kept; the oldest go first.
    pub(super) fn resize(&mut self, size: usize) {
        self.size = size;
        self.shrink();
    }

    /// The messages after a number, the oldest first; all of them after 0.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = &Arc<Entry>> {
        let start = self.entries.partition_point(|entry| entry.number <= number);
        self.entries.range(start..)
    }

    pub(super) fn counters(&self) -> Counters {
        Counters {
            max_entries: u32::try_from(self.size).unwrap_or(u32::MAX),
            error_entries: self.errors,
            critical_entries: self.criticals,
        }
    }

    fn shrink(&mut self) {
        while self.entries.len() > self.size {
            let Some(entry) = self.entries.pop_front() else {
                return;
            };
            if let Some(counter) = self.counter(&entry) {
                *counter -= 1;
            }
        }
    }

    fn counter(&mut self, entry: &Entry) -> Option<&mut u32> {
        match entry.notice.severity {
            Severity::Error => Some(&mut self.errors),
            Severity::Critical => Some(&mut self.criticals),
            Severity::Debug | Severity::Info | Severity::Warning => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::messages;

    fn numbers(ring: &Ring, since: u64) -> Vec<u64> {
        ring.since(since).map(|entry| entry.number).collect()
    }

    #[test]
    fn the_oldest_falls_out_and_numbers_go_on() {
        let mut ring = Ring::new(3);
        for _ in 0..5 {
            ring.push(None, messages::STORE_WRITES_AGAIN.with([]));
        }
        assert_eq!(numbers(&ring, 0), [3, 4, 5]);
        ring.resize(2);
        assert_eq!(numbers(&ring, 0), [4, 5]);
    }

    #[test]
    fn a_follower_gets_what_it_has_not_seen() {
        let mut ring = Ring::new(10);
        for _ in 0..4 {
            ring.push(None, messages::STORE_WRITES_AGAIN.with([]));
        }
        assert_eq!(numbers(&ring, 2), [3, 4]);
        assert!(numbers(&ring, 4).is_empty());
        assert!(numbers(&ring, 99).is_empty());
    }

    #[test]
    fn the_counters_count_what_the_log_holds() {
        let mut ring = Ring::new(2);
        ring.push(None, messages::STORE_FULL.with([]));
        ring.push(None, messages::CERTIFICATE_EXPIRED.with([&"a", &"b"]));
        let held = |ring: &Ring| {
            (
                ring.counters().error_entries,
                ring.counters().critical_entries,
            )
        };
        assert_eq!(held(&ring), (1, 1));
        ring.push(None, messages::STORE_WRITES_AGAIN.with([]));
        assert_eq!(held(&ring), (1, 0));
    }
}
