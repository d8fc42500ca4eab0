//! Where each transfer stands, over restarts too.
//!
//! Kept beside the tree: it is no setting, and a row may be fetched often. A
//! transfer that ran when the device stopped has failed; only a new start
//! fetches it again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::schema::Enumerated;
use crate::schema::cert::transfer::State;
use crate::wire::time::UnixTime;

/// Where a transfer stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// `transferState`.
    pub state: State,
    /// `transferReason`.
    pub reason: String,
    /// `transferFinished`; `None` where it is not, or the time was not known.
    pub finished: Option<UnixTime>,
}

/// The transfers of the rows that were ever started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger(BTreeMap<u32, Progress>);

/// A transfer as it is kept.
#[derive(Serialize, Deserialize)]
struct Line {
    row: u32,
    state: i32,
    reason: String,
    finished: Option<u64>,
}

impl Ledger {
    /// What was kept before a restart. What cannot be read is as if it had never been.
    pub(super) fn recall(kept: &[u8]) -> Self {
        let lines: Vec<Line> = serde_json::from_slice(kept).unwrap_or_default();
        let lines = lines.into_iter().filter_map(|line| {
            let progress = match State::from_number(line.state)? {
                State::Running => Progress {
                    state: State::Failed,
                    reason: INTERRUPTED.to_owned(),
                    finished: None,
                },
                state => Progress {
                    state,
                    reason: line.reason,
                    finished: line.finished.map(UnixTime::from_secs),
                },
            };
            Some((line.row, progress))
        });
        Self(lines.collect())
    }

    /// What is to be kept over a restart.
    pub(super) fn kept(&self) -> Vec<u8> {
        let lines = self.0.iter().map(|(row, progress)| Line {
            row: *row,
            state: progress.state.number(),
            reason: progress.reason.clone(),
            finished: progress.finished.map(|time| time.secs()),
        });
        serde_json::to_vec(&lines.collect::<Vec<_>>())
            .expect("numbers and texts can always be written")
    }

    /// Where the transfer of a row stands.
    pub(super) fn of(&self, row: u32) -> Progress {
        self.0.get(&row).cloned().unwrap_or(Progress {
            state: State::Idle,
            reason: String::new(),
            finished: None,
        })
    }

    pub(super) fn set(&mut self, row: u32, progress: Progress) {
        self.0.insert(row, progress);
    }

    /// Forgets the rows that are no more, and tells which.
    pub(super) fn retain(&mut self, is: impl Fn(u32) -> bool) -> Vec<u32> {
        let gone: Vec<u32> = self.0.keys().copied().filter(|row| !is(*row)).collect();
        self.0.retain(|row, _| is(*row));
        gone
    }
}

const INTERRUPTED: &str =
    "interrupted by a restart of the device: set Cert.Transfer.Start=start to fetch it again";

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(state: State, reason: &str) -> Progress {
        Progress {
            state,
            reason: reason.to_owned(),
            finished: Some(UnixTime::from_secs(7)),
        }
    }

    #[test]
    fn what_ended_is_recalled_as_it_was_and_what_ran_has_failed() {
        let mut ledger = Ledger::default();
        ledger.set(1, progress(State::Done, ""));
        ledger.set(2, progress(State::Failed, "no"));
        ledger.set(3, progress(State::Running, ""));
        let recalled = Ledger::recall(&ledger.kept());
        assert_eq!(recalled.of(1), ledger.of(1));
        assert_eq!(recalled.of(2), ledger.of(2));
        assert_eq!(recalled.of(3).state, State::Failed);
        assert!(
            recalled
                .of(3)
                .reason
                .starts_with("interrupted by a restart")
        );
        // A second restart changes nothing.
        assert_eq!(Ledger::recall(&recalled.kept()), recalled);
    }

    #[test]
    fn what_cannot_be_read_is_as_if_it_had_never_been() {
        for kept in [&b""[..], b"junk", br#"[{"row":1,"state":5,"reason":""}]"#] {
            assert_eq!(Ledger::recall(kept), Ledger::default());
        }
    }
}
