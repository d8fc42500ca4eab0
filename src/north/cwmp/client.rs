//! The TR-069 client: when there is a session, and what it does to the device.
//!
//! Settings, time, what the ACS sent and how commits ended come in; posts,
//! transactions and status go out. No socket, no clock, no chance of its own.
//! One session at a time; whatever happens during one waits for the next.

mod agenda;
mod announce;
mod ending;
mod image;
mod message;
mod opening;
mod shown;
mod talk;
mod transfer;

pub use announce::Announcement;
pub use image::Image;
pub use message::{Body, Input, Moment, Output, Post, Trouble, TroubleKind};

use super::event::{Cause, Events, Promised};
use super::notify::{Draft, Notifications};
use super::periodic::Beat;
use super::retry::Retry;
use super::rpc::Change;
use super::session::Session;
use super::settings::Settings;
use super::status::Status;
use super::transfers::{Transfer, Transfers};
use crate::tree::{Actor, Instances, Transaction};
use crate::wire::soap::message::{DeviceIdStruct, ParameterValue};
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// What happens once a change is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// The ACS knows these as they are now.
    Set(Vec<String>),
    Schedule {
        row: u32,
        delay: u32,
    },
    /// It begins at the end of the session.
    Transfer(u32, Box<Transfer>),
    /// These rows are no more.
    Cancelled(Vec<u32>),
    /// The parameters have these attributes.
    Attributes(Draft),
    /// At the end of the session; the next one tells of it.
    Reboot(Promised),
    /// At the end of the session.
    FactoryReset,
}

/// How the device leaves; what goes further is done where both were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leaving {
    Reboot,
    FactoryReset,
}

/// The client of one device.
pub struct Client {
    who: DeviceIdStruct,
    settings: Option<Settings>,
    events: Events,
    notifications: Notifications,
    retry: Retry,
    /// When the next session is due, whatever for.
    due: Option<Instant>,
    period: Beat,
    heartbeat: Beat,
    /// Of passive lightweight notifications.
    light: Beat,
    /// When a lightweight notification may follow the last one.
    light_after: Option<Instant>,
    scheduled: BTreeMap<u32, (Instant, String)>,
    transfers: Transfers,
    /// Types of files that somebody at the unit would like.
    wishes: Vec<String>,
    /// When the last input came.
    seen: Option<Instant>,
    /// When the last session ended that went well.
    last_ended: Option<Instant>,
    running: Option<Running>,
    /// Changes of the ACS on their way to disk, which may outlast their session.
    changes: VecDeque<Box<Change>>,
    /// What is kept of rows once they have been put into use.
    settling: VecDeque<Transaction>,
    /// Rows that the ACS has added and that cannot be used, and why.
    unfit: BTreeMap<String, String>,
    status: Status,
    /// As it was last published.
    shown: Option<Status>,
    /// The device is about to start again: no session before that.
    leaving: bool,
    /// Sessions since the start.
    sessions: u32,
    outputs: VecDeque<Output>,
}

/// The session that runs.
struct Running {
    session: Session,
    url: String,
    /// The version of the tree as it began.
    version: u64,
    told_events: Vec<u32>,
    told_values: Vec<ParameterValue>,
    /// The rows of the transfers that it tells of, in that order.
    told_transfers: VecDeque<u32>,
    is_first_contact: bool,
    /// Once it has ended.
    leaving: Option<Leaving>,
}

impl Client {
    /// A client that has just been started; what it remembers is in the tree.
    pub fn new(who: DeviceIdStruct, view: &Instances) -> Self {
        let snapshot = view.stored();
        let mut events = Events::recall(snapshot);
        // 1 BOOT is not kept: every start is one.
        events.add(Cause::Boot, &mut Transaction::new(Actor::device()));
        Self {
            who,
            settings: None,
            events,
            notifications: Notifications::recall(snapshot),
            retry: Retry::default(),
            due: None,
            period: Beat::default(),
            heartbeat: Beat::default(),
            light: Beat::default(),
            light_after: None,
            scheduled: BTreeMap::new(),
            transfers: Transfers::default(),
            wishes: Vec::new(),
            seen: None,
            last_ended: None,
            running: None,
            changes: VecDeque::new(),
            settling: VecDeque::new(),
            unfit: BTreeMap::new(),
            status: Status::starting(),
            shown: None,
            leaving: false,
            sessions: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input; `view` is the tree as it stands.
    pub fn handle(&mut self, now: Moment, view: &Instances, input: Input) {
        self.seen = Some(now.tick);
        match input {
            Input::Settings(settings) => self.settle(now, view, *settings),
            Input::Wake => {}
            Input::ConnectionRequest => {
                self.happened(Cause::ConnectionRequest);
                self.due = Some(now.tick);
            }
            Input::InformNow => {
                self.happened(Cause::Periodic);
                self.due = Some(now.tick);
            }
            Input::Heard(heard) => self.hear(now, view, heard),
            Input::Failed(trouble) => self.fail(now, view, trouble),
            Input::Changed(outcome) => self.changed(now, view, outcome),
            Input::Put { row, outcome } => self.put(now, row, outcome),
            Input::Stays => self.stay(),
            Input::Transfer(heard) => self.hear_of_transfer(now, heard),
            Input::RequestDownload(file_type) => self.wish_for(now, file_type),
        }
        self.look_at_transfers(now, view);
        self.look_around(now, view);
        self.begin_if_due(now, view);
        self.transfer_if_due(now);
        self.outputs
            .extend(self.notifications.moved().map(Output::Watch));
        self.show(now);
        if let (None, Some(settings)) = (&self.running, &self.settings) {
            settings.model.known.forget();
        }
    }

    /// What is to be done, one at a time, until there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to wake it at the latest.
    pub fn wake_at(&self) -> Option<Instant> {
        let may_begin = self.may_begin();
        let waiting = may_begin.then_some(self.due).flatten();
        let beats = [self.period.at(), self.heartbeat.at(), self.light.at()];
        let scheduled = self.scheduled.values().map(|(at, _)| *at).min();
        let transfer = self
            .seen
            .filter(|_| may_begin)
            .and_then(|seen| self.transfers.wake_at(seen));
        let once = [waiting, scheduled, transfer, self.light_after];
        once.into_iter().chain(beats).flatten().min()
    }

    /// One session at a time, and none before all of the last is on disk.
    fn may_begin(&self) -> bool {
        self.running.is_none() && !self.leaving && self.changes.is_empty()
    }

    fn settle(&mut self, now: Moment, view: &Instances, settings: Settings) {
        let before = self.settings.replace(settings);
        let Some(settings) = &self.settings else {
            return;
        };
        let was = before.as_ref();
        if was.map(|before| before.period) != Some(settings.period) {
            self.period.follow(settings.period, now.tick, now.wall);
        }
        if was.map(|before| before.heartbeat) != Some(settings.heartbeat) {
            self.heartbeat
                .follow(settings.heartbeat, now.tick, now.wall);
            self.heartbeat.scatter(now.chance, now.tick, now.wall);
        }
        let light = |settings: &Settings| settings.lightweight.as_ref().and_then(|it| it.period);
        if was.map(light) != Some(light(settings)) {
            self.light.follow(light(settings), now.tick, now.wall);
        }
        let new_acs = before
            .as_ref()
            .is_some_and(|before| before.url != settings.url);
        if before.is_none() {
            self.recall_schedule(now, view);
            self.recall_transfers(now, view);
            self.due = Some(now.tick);
        } else if new_acs {
            // What the last one was to hear stays until another has answered:
            // the change may yet be undone.
            self.retry.succeeded();
            self.due = Some(now.tick);
        } else if before.is_some_and(|before| reached_by(&before) != reached_by(settings)) {
            // What the ACS is reached by has changed: find out now whether it works.
            self.due = Some(now.tick);
        }
    }

    /// Whether the next session says 0 BOOTSTRAP.
    fn is_new_to_acs(&self) -> bool {
        let settings = self.settings.as_ref();
        settings.is_some_and(|settings| {
            settings
                .url
                .as_ref()
                .is_some_and(|url| *url != settings.known_url)
        })
    }

    fn happened(&mut self, cause: Cause) {
        let mut keep = Transaction::new(Actor::device());
        self.events.add(cause, &mut keep);
        self.keep(keep);
    }

    fn keep(&mut self, wishes: Transaction) {
        if !wishes.is_empty() {
            self.outputs.push_back(Output::Keep(wishes));
        }
    }

    fn timeout(&self) -> Duration {
        let settings = self.settings.as_ref();
        settings.map_or(Duration::from_secs(60), |settings| settings.timeout)
    }
}

/// What decides whether the ACS is reached, beside its URL.
fn reached_by(settings: &Settings) -> impl PartialEq {
    (
        settings.username.clone(),
        settings.password.clone(),
        settings.validation,
        settings.interface.clone(),
    )
}
