//! What the certificates have under way: commits, and fetches that end in one.
//!
//! For the engine, which begins and ends each. It is bounded; a row of the
//! transfer table has one piece of work at most.

use std::collections::BTreeMap;

use super::install::Place;
use crate::tree::{Actor, Answer};

/// Names a piece of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Job(u64);

/// Everything under way.
#[derive(Default)]
pub(super) struct Works {
    tasks: BTreeMap<Job, Task>,
    last: u64,
}

/// A piece of work, and who waits for its end.
pub(super) struct Task {
    pub(super) work: Work,
    pub(super) answer: Option<Answer>,
}

pub(super) enum Work {
    /// A commit; the sentence for its success.
    Commit(String),
    /// A fetch, then a commit.
    Transfer(Transfer),
}

pub(super) struct Transfer {
    /// The row that started it, if one did.
    pub(super) row: Option<u32>,
    /// In whose name it is installed.
    pub(super) actor: Actor,
    /// Fit to be logged.
    pub(super) url: String,
    pub(super) place: Place,
}

impl Works {
    pub(super) fn begin(&mut self, work: Work, answer: Option<Answer>) -> Job {
        self.last += 1;
        let job = Job(self.last);
        self.tasks.insert(job, Task { work, answer });
        job
    }

    pub(super) fn end(&mut self, job: Job) -> Option<Task> {
        self.tasks.remove(&job)
    }

    /// A transfer under way.
    pub(super) fn transfer(&self, job: Job) -> Option<&Transfer> {
        self.tasks.get(&job)?.transfer()
    }

    /// The work of a row.
    pub(super) fn of_row(&self, row: u32) -> Option<Job> {
        let mut tasks = self.tasks.iter();
        let found = tasks.find(|(_, task)| task.transfer().and_then(|one| one.row) == Some(row));
        found.map(|(job, _)| *job)
    }

    /// Whether no more may begin.
    pub(super) fn is_full(&self) -> bool {
        self.tasks.len() >= MAX_JOBS
    }
}

impl Task {
    fn transfer(&self) -> Option<&Transfer> {
        match &self.work {
            Work::Transfer(transfer) => Some(transfer),
            Work::Commit(_) => None,
        }
    }
}

/// Pieces of work under way at once.
pub const MAX_JOBS: usize = 64;
