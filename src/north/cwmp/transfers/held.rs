//! A transfer as it waits: when it is due, by its delay or its windows.

use super::super::client::Moment;
use super::failure::Failure;
use super::record::Transfer;
use super::window::Window;
use crate::schema::Secret;
use crate::schema::cwmp::transfer::{Method, State};
use crate::wire::soap::message::FaultStruct;
use std::time::{Duration, Instant};

/// A transfer, and what time means to it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) transfer: Transfer,
    /// How long ago it was asked for, at `seen`.
    since: Duration,
    seen: Instant,
    /// Tries in each of its windows.
    spent: [u32; 2],
    /// After a failure in a window.
    not_before: Option<Instant>,
    /// The next failure is the last.
    last_try: bool,
}

/// When a transfer is due.
pub(super) enum Due {
    Now,
    At(Instant),
    /// Its windows are over.
    Never,
}

impl Held {
    /// One that was asked for so long ago.
    pub(super) fn new(transfer: Transfer, now: Moment, since: Duration) -> Self {
        Self {
            transfer,
            since,
            seen: now.tick,
            spent: [0; 2],
            not_before: None,
            last_try: false,
        }
    }

    pub(super) fn tries_no_more(&mut self) {
        self.last_try = true;
    }

    pub(super) fn due(&self, now: Instant) -> Due {
        if self.transfer.method != Method::ScheduleDownload {
            return self.at(self.transfer.delay, now);
        }
        let Some((_, window)) = self.window(now) else {
            return Due::Never;
        };
        match (self.at(window.begin, now), self.not_before) {
            (Due::Now, Some(later)) if later > now => Due::At(later),
            (due, _) => due,
        }
    }

    pub(super) fn due_at(&self, now: Instant) -> Instant {
        match self.due(now) {
            Due::At(at) => at,
            Due::Now | Due::Never => now,
        }
    }

    /// So long after the request.
    fn at(&self, after: Duration, now: Instant) -> Due {
        match after.checked_sub(self.elapsed(now)) {
            None | Some(Duration::ZERO) => Due::Now,
            Some(left) => Due::At(now + left),
        }
    }

    fn elapsed(&self, now: Instant) -> Duration {
        self.since + now.saturating_duration_since(self.seen)
    }

    /// The window that it is in, or that comes next.
    fn window(&self, now: Instant) -> Option<(usize, Window)> {
        let elapsed = self.elapsed(now);
        let windows = self.transfer.windows.iter().copied().enumerate();
        let mut left = windows.filter(|(at, window)| {
            let spent = self.spent.get(*at).copied().unwrap_or(u32::MAX);
            window.end > elapsed && spent <= window.retries
        });
        left.next()
    }

    pub(super) fn spend(&mut self, now: Instant) {
        if let Some((at, _)) = self.window(now)
            && let Some(spent) = self.spent.get_mut(at)
        {
            *spent += 1;
        }
    }

    /// When the window is over that a try runs in.
    pub(super) fn window_ends(&self, now: Instant) -> Option<Instant> {
        let began = self.transfer.windows.iter().rev();
        let elapsed = self.elapsed(now);
        let window = began.clone().find(|window| window.begin <= elapsed)?;
        Some(now + window.end.saturating_sub(elapsed))
    }

    /// A try has ended: the next one waits where there may be one.
    pub(super) fn settle(&mut self, now: Moment, outcome: Result<(), Failure>) {
        let fault = match &outcome {
            Ok(()) => FaultStruct::default(),
            Err(failure) => failure.fault(),
        };
        let again = self.transfer.method == Method::ScheduleDownload && !self.last_try;
        if fault.code != 0 && again {
            self.transfer.fault = fault;
            self.transfer.state = State::Waiting;
            self.not_before = Some(now.tick + BETWEEN_TRIES);
            return;
        }
        end(&mut self.transfer, now, fault);
    }
}

/// It is over, well or not.
pub(super) fn end(transfer: &mut Transfer, now: Moment, fault: FaultStruct) {
    transfer.state = State::Ended;
    transfer.completed = now.wall;
    transfer.fault = fault;
    // Nothing needs it any more.
    transfer.password = Secret::default();
}

/// Between two tries in a window.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);
