//! The transfers that wait, run, or have ended and are still to be told.
//!
//! One runs at a time, and none begins during a session: it is begun once the
//! session that asked for it is over. What a restart interrupts is begun
//! again. Every step is a row of the tree before the next one is taken.

use super::super::client::Moment;
use super::super::event::Cause;
use super::super::fault::Code;
use super::autonomous::{Policy, Watch};
use super::failure::Failure;
use super::held::{Due, Held, end};
use super::record::Transfer;
use super::unpack::Terms;
use crate::schema::Index;
use crate::schema::conf::pending_change;
use crate::schema::cwmp::transfer::{self as row, State};
use crate::tree::{Instances, Snapshot, Transaction};
use crate::wire::soap::message::{CpeRequest, QueuedTransfer};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// What becomes of what was wanted; the number is the row's.
#[derive(Debug)]
pub enum Heard {
    /// The file, or why there is none; an image is staged and empty here.
    Fetched(u32, Result<Zeroizing<Vec<u8>>, Failure>),
    /// The file was taken, or not.
    Sent(u32, Result<(), Failure>),
    /// The change is made; the version, where it may still be undone, else 0.
    Applied(u32, Result<u32, Failure>),
    /// The installer has ended.
    Installed(u32, Result<(), Failure>),
    /// What the installer had done when the unit stopped.
    Recalled(u32, Result<(), Failure>),
}

/// What is to be done for a transfer.
#[derive(Debug)]
pub enum Wanted {
    /// Fetch the file.
    Fetch(u32, Box<Transfer>),
    /// Send the file.
    Send(u32, Box<Transfer>),
    /// Nobody wants it any longer.
    Abort(u32),
    /// Commit this.
    Apply(u32, Transaction),
    /// Run this script; where it changes how the ACS is reached, undo it after so many seconds.
    RunScript(u32, Zeroizing<Vec<u8>>, Option<u32>),
    /// Give the staged image to the installer.
    Install(u32),
    /// Find out whether the installer was done when the unit stopped.
    Recall(u32),
}

/// See the head of the file.
#[derive(Debug, Default)]
pub struct Transfers {
    held: BTreeMap<u32, Held>,
    /// The one that runs, and whether its file is being put into use.
    at_work: Option<(u32, Stage)>,
    /// The highest number given so far.
    last: u32,
    watch: Watch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Moving,
    Applying,
}

impl Transfers {
    /// What the last run left, and what is to be done about an image that an
    /// installer had: it may have started the unit again, or the power was cut.
    pub(in super::super) fn recall(now: Moment, snapshot: &Snapshot) -> (Self, Option<Wanted>) {
        let mut transfers = Self::default();
        for (number, mut transfer) in Transfer::all(snapshot) {
            match transfer.state {
                State::Installing if transfers.at_work.is_none() => {
                    transfers.at_work = Some((number, Stage::Applying));
                }
                State::Running | State::Installing => transfer.state = State::Waiting,
                State::Waiting | State::Ended => {}
            }
            let known = now.wall.zip(transfer.asked);
            let since = known.map_or(0, |(now, asked)| now.micros_since(asked));
            let since = Duration::from_micros(u64::try_from(since).unwrap_or(0));
            transfers.hold(number, transfer, now, since);
        }
        let installing = transfers.at_work;
        (
            transfers,
            installing.map(|(number, _)| Wanted::Recall(number)),
        )
    }

    /// The number for one more.
    ///
    /// None: there is no room.
    pub(in super::super) fn room(&self) -> Option<u32> {
        (self.held.len() < MOST).then_some(self.last + 1)
    }

    /// One more, whose row is on disk.
    pub(in super::super) fn add(&mut self, number: u32, transfer: Transfer, now: Moment) {
        self.hold(number, transfer, now, Duration::ZERO);
    }

    fn hold(&mut self, number: u32, transfer: Transfer, now: Moment, since: Duration) {
        let held = Held::new(transfer, now, since);
        self.held.insert(number, held);
        self.last = self.last.max(number);
    }

    /// The next step where one is due: at most one transfer runs.
    pub(in super::super) fn next(&mut self, now: Moment, keep: &mut Transaction) -> Option<Wanted> {
        if let Some((number, stage)) = self.at_work {
            return self.past_its_window(number, stage, now, keep);
        }
        let mut waiting = self.held.iter_mut();
        let (number, held) = waiting.find(|(_, held)| {
            held.transfer.state == State::Waiting && !matches!(held.due(now.tick), Due::At(_))
        })?;
        if matches!(held.due(now.tick), Due::Never) {
            let missed = Failure::new(Code::TransferWindowMissed, "");
            let fault = match held.transfer.fault.code {
                0 => missed.fault(),
                // The last try had its own reason.
                _ => held.transfer.fault.clone(),
            };
            end(&mut held.transfer, now, fault);
            held.transfer.keep(*number, keep);
            return None;
        }
        held.spend(now.tick);
        held.transfer.tries = held.transfer.tries.saturating_add(1);
        held.transfer.state = State::Running;
        held.transfer.started = now.wall;
        held.transfer.keep(*number, keep);
        self.at_work = Some((*number, Stage::Moving));
        let transfer = Box::new(held.transfer.clone());
        Some(match transfer.is_download() {
            true => Wanted::Fetch(*number, transfer),
            false => Wanted::Send(*number, transfer),
        })
    }

    fn past_its_window(
        &mut self,
        number: u32,
        stage: Stage,
        now: Moment,
        keep: &mut Transaction,
    ) -> Option<Wanted> {
        let held = self.held.get_mut(&number)?;
        let ends = held.window_ends(now.tick)?;
        if stage != Stage::Moving || now.tick < ends {
            return None;
        }
        self.at_work = None;
        held.transfer.state = State::Waiting;
        held.transfer.keep(number, keep);
        Some(Wanted::Abort(number))
    }

    /// Takes what became of what was wanted; what is wanted next.
    pub(in super::super) fn hear(
        &mut self,
        now: Moment,
        heard: Heard,
        terms: Terms,
        keep: &mut Transaction,
    ) -> Option<Wanted> {
        let number = heard.number();
        let (at_work, _) = self.at_work?;
        let held = self.held.get_mut(&number).filter(|_| at_work == number)?;
        let ended = match heard {
            Heard::Fetched(_, Ok(file)) => match held.transfer.unpack(file, terms, number) {
                Ok(wanted) => {
                    self.at_work = Some((number, Stage::Applying));
                    if matches!(wanted, Wanted::Install(_)) {
                        held.transfer.state = State::Installing;
                        held.transfer.keep(number, keep);
                    }
                    return Some(wanted);
                }
                Err(failure) => Err(failure),
            },
            Heard::Applied(_, Ok(version)) => {
                held.transfer.version = version;
                Ok(())
            }
            Heard::Fetched(_, Err(failure)) | Heard::Applied(_, Err(failure)) => Err(failure),
            Heard::Sent(_, outcome) => outcome.map_err(Failure::of_upload),
            Heard::Installed(_, outcome) => outcome,
            Heard::Recalled(_, outcome) => {
                // No other try: it might stop the unit again.
                held.tries_no_more();
                outcome
            }
        };
        self.at_work = None;
        held.settle(now, ended);
        held.transfer.keep(number, keep);
        // What may still be undone is not the last script yet.
        if held.transfer.state == State::Ended && held.transfer.version == 0 {
            held.transfer.show_script(keep);
        }
        None
    }

    /// Takes note of those that ended and that no request asked for.
    pub(in super::super) fn look(
        &mut self,
        now: Moment,
        view: &Instances,
        policy: &Policy,
        keep: &mut Transaction,
    ) {
        for transfer in self.watch.look(now, view, policy) {
            // With no room left, the ACS has more to hear than this.
            if let Some(number) = self.room() {
                transfer.make(number, keep);
                self.add(number, transfer, now);
            }
        }
    }

    /// When something is due at the latest.
    pub(in super::super) fn wake_at(&self, now: Instant) -> Option<Instant> {
        match self.at_work {
            Some((number, Stage::Moving)) => self.held.get(&number)?.window_ends(now),
            Some((_, Stage::Applying)) => None,
            None => {
                let waiting = self.held.values();
                let waiting = waiting.filter(|held| held.transfer.state == State::Waiting);
                waiting.map(|held| held.due_at(now)).min()
            }
        }
    }

    /// The events that those that have ended are.
    pub(in super::super) fn causes(&self) -> Vec<Cause> {
        let mut causes: Vec<Cause> = Vec::new();
        for transfer in self.ended().map(|(_, transfer)| transfer) {
            for cause in transfer.causes() {
                if !causes.contains(&cause) {
                    causes.push(cause);
                }
            }
        }
        causes
    }

    /// What the ACS is to be told of those that have ended, by row.
    pub(in super::super) fn news(&self) -> Vec<(u32, CpeRequest)> {
        let news = self.ended();
        news.map(|(number, transfer)| (number, transfer.news()))
            .collect()
    }

    /// Those that have ended and are still to be told. What may yet be undone
    /// has not ended.
    pub(in super::super) fn ended(&self) -> impl Iterator<Item = (u32, &Transfer)> {
        let held = self
            .held
            .iter()
            .map(|(number, held)| (*number, &held.transfer));
        held.filter(|(_, transfer)| transfer.state == State::Ended && transfer.version == 0)
    }

    /// The ACS has heard of it, or never will.
    pub(in super::super) fn told(&mut self, number: u32, forget: &mut Transaction) {
        if self.held.remove(&number).is_some() {
            forget.delete(row::TABLE, Index::number(number));
        }
    }

    /// Those that wait, run, or are still to be told, in order of number.
    pub(in super::super) fn all(&self) -> impl DoubleEndedIterator<Item = &Transfer> {
        self.held.values().map(|held| &held.transfer)
    }

    /// A.4.1.7: what waits, runs, or is still to be told.
    pub(in super::super) fn queue(&self) -> Vec<QueuedTransfer> {
        let queued = self.all().map(|transfer| QueuedTransfer {
            command_key: transfer.command_key.clone(),
            state: match transfer.state {
                State::Waiting => 1,
                State::Running | State::Installing => 2,
                State::Ended => 3,
            },
            is_download: transfer.is_download(),
            file_type: transfer.file_type.clone(),
            file_size: transfer.file_size,
            target_file_name: transfer.target.clone(),
        });
        queued.collect()
    }

    /// The rows of a key that can still be forgotten (A.4.1.9).
    ///
    /// # Errors
    /// One of them is too far.
    pub(in super::super) fn cancellable(&self, key: &str) -> Result<Vec<u32>, Code> {
        let named = self.held.iter();
        let named = named.filter(|(_, held)| held.transfer.command_key == key);
        named
            .map(|(number, held)| {
                let moving = self.at_work == Some((*number, Stage::Moving));
                match held.transfer.state {
                    State::Waiting => Ok(*number),
                    State::Running if moving => Ok(*number),
                    _ => Err(Code::CancelRefused),
                }
            })
            .collect()
    }

    /// These are no more; what is to be done about one that runs.
    pub(in super::super) fn forget(&mut self, numbers: &[u32]) -> Option<Wanted> {
        self.held.retain(|number, _| !numbers.contains(number));
        let (at_work, _) = self
            .at_work
            .filter(|(at_work, _)| numbers.contains(at_work))?;
        self.at_work = None;
        Some(Wanted::Abort(at_work))
    }

    /// Another ACS: it has asked for none of them.
    pub(in super::super) fn start_over(&mut self, forget: &mut Transaction) -> Option<Wanted> {
        let all: Vec<u32> = self.held.keys().copied().collect();
        for number in &all {
            forget.delete(row::TABLE, Index::number(*number));
        }
        self.forget(&all)
    }

    /// Changes that waited have been confirmed, or undone: then they have failed after all.
    pub(in super::super) fn judge(&mut self, now: &Snapshot, keep: &mut Transaction) {
        for (number, held) in &mut self.held {
            let transfer = &mut held.transfer;
            let pending = Index::number(transfer.version);
            if transfer.version == 0 || now.row(pending_change::TABLE, &pending).is_some() {
                continue;
            }
            if now.was_undone(transfer.version) {
                let why = "it was undone, since it was not confirmed";
                transfer.fault = Failure::new(Code::InternalError, why).fault();
            }
            transfer.version = 0;
            transfer.keep(*number, keep);
            transfer.show_script(keep);
        }
    }
}

impl Heard {
    fn number(&self) -> u32 {
        match self {
            Self::Fetched(number, _)
            | Self::Sent(number, _)
            | Self::Applied(number, _)
            | Self::Installed(number, _)
            | Self::Recalled(number, _) => *number,
        }
    }
}

/// cwmp-1-2.xsd: what GetAllQueuedTransfers can list.
const MOST: usize = 16;
