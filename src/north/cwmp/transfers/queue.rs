//! The transfers that wait, run, or have ended and are still to be told.
//!
//! One runs at a time, and none begins during a session: it is begun once the
//! session that asked for it is over. What a restart interrupts is begun
//! again. Every step is a row of the tree before the next one is taken.

use super::super::client::Moment;
use super::super::event::{Cause, Method as Event};
use super::super::fault::Code;
use super::autonomous::{Policy, Watch};
use super::failure::Failure;
use super::kind::Kind;
use super::record::Transfer;
use super::window::Window;
use crate::certs::{FileName, Place, Store, Url, pem_of_pkcs12};
use crate::schema::conf::pending_change;
use crate::schema::cwmp::transfer::{self as row, Method, State};
use crate::schema::{Index, Secret};
use crate::tree::{Actor, Instances, Snapshot, Transaction};
use crate::wire::soap::message::{
    AutonomousTransferComplete, CpeRequest, FaultStruct, QueuedTransfer, TransferComplete,
};
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
}

/// What a file is put into use by.
#[derive(Clone, Debug)]
pub(in super::super) struct Terms {
    /// In whose name.
    pub(in super::super) actor: Actor,
    /// What PKCS#12 is opened with; None: it is not taken.
    pub(in super::super) pkcs12: Option<Secret>,
    /// Seconds after which what may lock the ACS out is undone.
    pub(in super::super) within: Option<u32>,
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

#[derive(Debug)]
struct Held {
    transfer: Transfer,
    /// How long ago it was asked for, at `seen`.
    since: Duration,
    seen: Instant,
    /// Tries in each of its windows.
    spent: [u32; 2],
    /// After a failure in a window.
    not_before: Option<Instant>,
}

/// When a transfer is due.
enum Due {
    Now,
    At(Instant),
    /// Its windows are over.
    Never,
}

impl Transfers {
    /// What the last run left. An image that an installer had is installed: it
    /// may start the unit again, and says with its exit status where it fails.
    pub(in super::super) fn recall(
        now: Moment,
        snapshot: &Snapshot,
        keep: &mut Transaction,
    ) -> Self {
        let mut transfers = Self::default();
        for (number, mut transfer) in Transfer::all(snapshot) {
            match transfer.state {
                State::Running => transfer.state = State::Waiting,
                State::Installing => {
                    end(&mut transfer, now, FaultStruct::default());
                    transfer.keep(number, keep);
                }
                State::Waiting | State::Ended => {}
            }
            let known = now.wall.zip(transfer.asked);
            let since = known.map_or(0, |(now, asked)| now.micros_since(asked));
            let since = Duration::from_micros(u64::try_from(since).unwrap_or(0));
            transfers.hold(number, transfer, now, since);
        }
        transfers
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
        let held = Held {
            transfer,
            since,
            seen: now.tick,
            spent: [0; 2],
            not_before: None,
        };
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
        };
        self.at_work = None;
        held.settle(now, ended);
        held.transfer.keep(number, keep);
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
            let key = || transfer.command_key.clone();
            let (all, own) = match transfer.method {
                Method::Autonomous => (Cause::AutonomousTransferComplete, None),
                Method::Download => (Cause::TransferComplete, Some(Event::Download)),
                Method::Upload => (Cause::TransferComplete, Some(Event::Upload)),
                Method::ScheduleDownload => {
                    (Cause::TransferComplete, Some(Event::ScheduleDownload))
                }
            };
            let own = own.map(|event| Cause::Method(event, key()));
            for cause in std::iter::once(all).chain(own) {
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

    /// Those that have ended and are still to be told.
    pub(in super::super) fn ended(&self) -> impl Iterator<Item = (u32, &Transfer)> {
        let held = self.held.iter();
        held.filter(|(_, held)| held.transfer.state == State::Ended)
            .map(|(number, held)| (*number, &held.transfer))
    }

    /// The ACS has heard of it, or never will.
    pub(in super::super) fn told(&mut self, number: u32, forget: &mut Transaction) {
        if self.held.remove(&number).is_some() {
            forget.delete(row::TABLE, Index::number(number));
        }
    }

    /// A.4.1.7: what waits, runs, or is still to be told.
    pub(in super::super) fn queue(&self) -> Vec<QueuedTransfer> {
        let held = self.held.values().map(|held| &held.transfer);
        held.map(|transfer| QueuedTransfer {
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
        })
        .collect()
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

    /// Changes that were undone meanwhile have failed after all.
    pub(in super::super) fn judge(&mut self, now: &Snapshot, keep: &mut Transaction) {
        for (number, held) in &mut self.held {
            let transfer = &mut held.transfer;
            let pending = Index::number(transfer.version);
            if transfer.version == 0 || now.row(pending_change::TABLE, &pending).is_some() {
                continue;
            }
            transfer.version = 0;
            let why = "it was undone, since no session with the ACS followed";
            transfer.fault = Failure::new(Code::InternalError, why).fault();
            transfer.keep(*number, keep);
        }
    }

    /// A session that began with this version has gone well.
    pub(in super::super) fn proven(&mut self, version: u64, keep: &mut Transaction) {
        for (number, held) in &mut self.held {
            let transfer = &mut held.transfer;
            if transfer.version > 0 && u64::from(transfer.version) <= version {
                transfer.version = 0;
                transfer.keep(*number, keep);
            }
        }
    }
}

impl Heard {
    fn number(&self) -> u32 {
        match self {
            Self::Fetched(number, _)
            | Self::Sent(number, _)
            | Self::Applied(number, _)
            | Self::Installed(number, _) => *number,
        }
    }
}

impl Held {
    fn due(&self, now: Instant) -> Due {
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

    fn due_at(&self, now: Instant) -> Instant {
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

    fn spend(&mut self, now: Instant) {
        if let Some((at, _)) = self.window(now)
            && let Some(spent) = self.spent.get_mut(at)
        {
            *spent += 1;
        }
    }

    /// When the window is over that a try runs in.
    fn window_ends(&self, now: Instant) -> Option<Instant> {
        let began = self.transfer.windows.iter().rev();
        let elapsed = self.elapsed(now);
        let window = began.clone().find(|window| window.begin <= elapsed)?;
        Some(now + window.end.saturating_sub(elapsed))
    }

    /// A try has ended: the next one waits where there may be one.
    fn settle(&mut self, now: Moment, outcome: Result<(), Failure>) {
        let fault = match &outcome {
            Ok(()) => FaultStruct::default(),
            Err(failure) => failure.fault(),
        };
        if fault.code != 0 && self.transfer.method == Method::ScheduleDownload {
            self.transfer.fault = fault;
            self.transfer.state = State::Waiting;
            self.not_before = Some(now.tick + BETWEEN_TRIES);
            return;
        }
        end(&mut self.transfer, now, fault);
    }
}

impl Transfer {
    /// What a file that has come is put into use by.
    fn unpack(
        &self,
        file: Zeroizing<Vec<u8>>,
        terms: Terms,
        number: u32,
    ) -> Result<Wanted, Failure> {
        match self.kind() {
            Some(Kind::Firmware) => Ok(Wanted::Install(number)),
            Some(Kind::Script) => Ok(Wanted::RunScript(number, file, terms.within)),
            Some(Kind::HostCertificate) => {
                let opened = pem_of_pkcs12(&file, terms.pkcs12.as_ref().map(Secret::expose));
                let file = opened.map_err(unusable)?.unwrap_or(file);
                self.install(Store::Host, &file, terms, number)
            }
            Some(Kind::TrustAnchors) => self.install(Store::Others, &file, terms, number),
            Some(Kind::Log) | None => Err(Failure::new(
                Code::TransferFailed,
                "files of this type are not taken here",
            )),
        }
    }

    fn install(
        &self,
        store: Store,
        file: &[u8],
        terms: Terms,
        number: u32,
    ) -> Result<Wanted, Failure> {
        let name = match self.target.as_str() {
            "" => Url::parse(&self.url).ok().and_then(|url| url.last_part()),
            name => Some(name.to_owned()),
        };
        let place = Place {
            store,
            file: FileName::parse(&name.unwrap_or_default()).map_err(unusable)?,
            services: None,
        };
        let mut wishes = Transaction::new(terms.actor);
        place.install(&mut wishes, file).map_err(unusable)?;
        super::super::rpc::undo_after(terms.within, &mut wishes);
        Ok(Wanted::Apply(number, wishes))
    }

    fn news(&self) -> CpeRequest {
        let time = |time: Option<crate::wire::time::UnixTime>| time.map(|time| time.iso8601());
        let (start_time, complete_time) = (time(self.started), time(self.completed));
        if self.method != Method::Autonomous {
            return CpeRequest::TransferComplete(TransferComplete {
                command_key: self.command_key.clone(),
                fault: self.fault.clone(),
                start_time,
                complete_time,
            });
        }
        CpeRequest::AutonomousTransferComplete(AutonomousTransferComplete {
            announce_url: String::new(),
            transfer_url: self.url.clone(),
            is_download: self.is_download(),
            file_type: self.file_type.clone(),
            file_size: self.file_size,
            target_file_name: self.target.clone(),
            fault: self.fault.clone(),
            start_time,
            complete_time,
        })
    }
}

fn end(transfer: &mut Transfer, now: Moment, fault: FaultStruct) {
    transfer.state = State::Ended;
    transfer.completed = now.wall;
    transfer.fault = fault;
    // Nothing needs it any more.
    transfer.password = Secret::default();
}

fn unusable(why: impl ToString) -> Failure {
    Failure::new(Code::TransferCorrupted, why.to_string())
}

/// cwmp-1-2.xsd: what GetAllQueuedTransfers can list.
const MOST: usize = 16;
/// Between two tries in a window.
const BETWEEN_TRIES: Duration = Duration::from_secs(30);
