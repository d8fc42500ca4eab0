//! The TR-069 client: when there is a session, and what it does to the device.
//!
//! Settings, time, what the ACS sent and how commits ended come in; posts,
//! transactions and status go out. No socket, no clock, no chance of its own.
//! One session at a time; whatever happens during one waits for the next.

mod announce;

pub use announce::Announcement;

use super::event::{Cause, Events};
use super::ladder::{asked, said, shown};
use super::model::{DataModel, Parameter};
use super::notify::Notifications;
use super::periodic::Beat;
use super::retry::Retry;
use super::rpc::{Change, Desk, Work};
use super::session::{Heard, Milestone, Session, Step};
use super::settings::Settings;
use super::status::{Record, SESSIONS, STEPS, Status};
use crate::schema::cwmp::{self, AcsStatus, AcsUrlConfigSource, scheduled_inform};
use crate::schema::{Index, Name, TableId};
use crate::tree::notice::Notice;
use crate::tree::{Actor, Instances, Outcome, Transaction, Value, messages};
use crate::wire::soap::message::{
    AcsRequest, DeviceIdStruct, Envelope, Event, FromCpe, Header, Inform, Namespace,
    ParameterValue, Party,
};
use crate::wire::time::UnixTime;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

/// When something comes in.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For spans.
    pub tick: Instant,
    /// For what the ACS is told; None while it is not known.
    pub wall: Option<UnixTime>,
    /// Sixty-four random bits.
    pub chance: u64,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// The settings as they stand; the first ones start the client.
    Settings(Box<Settings>),
    /// A deadline of [`Client::wake_at`] has come, or something that the tree
    /// shows has changed.
    Wake,
    /// Somebody who may has asked for a session.
    ConnectionRequest,
    /// An operator has.
    InformNow,
    /// What came back for the last post.
    Heard(Heard),
    /// Nothing came back for it.
    Failed(Trouble),
    /// How the last [`Output::Change`] ended.
    Changed(Outcome),
    /// The device does not start again after all.
    Stays,
}

/// What goes out.
#[derive(Debug)]
pub enum Output {
    /// Post to the ACS and bring back what comes.
    Post(Post),
    /// The session is over: the connection and its cookies go.
    Close,
    /// A change that an answer waits for.
    Change(Transaction),
    /// What the client remembers; nothing waits for it.
    Keep(Transaction),
    /// A session succeeded with the settings of this version.
    Proven(u64),
    /// What is shown has changed.
    Publish(Box<Status>),
    /// For the log.
    Say(Notice),
    /// Send a lightweight notification.
    Announce(Announcement),
    /// From now on, wake the client when something published in these tables has changed.
    Watch(BTreeSet<TableId>),
    /// The ACS wants the device to start again.
    Reboot,
    /// The ACS wants the device as its profile made it.
    FactoryReset,
}

/// One message to the ACS.
#[derive(Debug)]
pub struct Post {
    /// Where to; the same for a whole session.
    pub url: String,
    /// The first of a session: no connection and no cookie is older than it.
    pub first: bool,
    /// What.
    pub body: Body,
}

/// The body of a post.
#[derive(Debug)]
pub enum Body {
    /// Empty.
    Nothing,
    /// A message.
    Message(Box<Envelope<FromCpe>>),
    /// A GetParameterValuesResponse whose values are read as they are printed.
    Values {
        /// Of the request.
        namespace: Namespace,
        /// With the request's ID.
        header: Header,
        /// In the order of the answer.
        parameters: Vec<Parameter>,
    },
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// For `acsStatus`.
    pub kind: TroubleKind,
    /// In words, with the object to change.
    pub reason: String,
    /// What the server asked for (`Retry-After`).
    pub pause: Option<Duration>,
}

/// The kinds that `acsStatus` tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The host has no address.
    CannotResolve,
    /// No connection, or no answer in time.
    NotResponding,
    /// The ACS does not take the credentials.
    AuthFailure,
    /// Anything else.
    Other,
}

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
    /// At the end of the session.
    Reboot,
    /// At the end of the session.
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
    /// When the last session ended that went well.
    last_ended: Option<Instant>,
    running: Option<Running>,
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
    is_first_contact: bool,
    change: Option<Box<Change>>,
    after: Vec<After>,
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
            last_ended: None,
            running: None,
            status: Status::starting(),
            shown: None,
            leaving: false,
            sessions: 0,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input; `view` is the tree as it stands.
    pub fn handle(&mut self, now: Moment, view: &Instances, input: Input) {
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
            Input::Stays => self.leaving = false,
        }
        self.look_around(now, view);
        self.begin_if_due(now, view);
        self.outputs
            .extend(self.notifications.moved().map(Output::Watch));
        self.show(now);
    }

    /// What is to be done, one at a time, until there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to wake it at the latest.
    pub fn wake_at(&self) -> Option<Instant> {
        let may_begin = self.running.is_none() && !self.leaving;
        let waiting = may_begin.then_some(self.due).flatten();
        let beats = [self.period.at(), self.heartbeat.at(), self.light.at()];
        let scheduled = self.scheduled.values().map(|(at, _)| *at).min();
        let once = [waiting, scheduled, self.light_after];
        once.into_iter().chain(beats).flatten().min()
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
            self.due = Some(now.tick);
        } else if new_acs {
            // Another server: what the last one was to hear is not its business.
            let mut forget = Transaction::new(Actor::device());
            self.events.start_over(&mut forget);
            self.keep(forget);
            self.retry.succeeded();
            self.due = Some(now.tick);
        } else if before.is_some_and(|before| reached_by(&before) != reached_by(settings)) {
            // What the ACS is reached by has changed: find out now whether it works.
            self.due = Some(now.tick);
        }
    }

    /// The Informs that were asked for in an earlier run.
    fn recall_schedule(&mut self, now: Moment, view: &Instances) {
        for (index, row) in view.stored().rows(scheduled_inform::TABLE).iter() {
            let text = |column| match row.column(column) {
                Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                _ => String::new(),
            };
            let due = UnixTime::parse(&text(scheduled_inform::DUE.id()));
            // Where either time is unknown: at once, rather than never.
            let left = due
                .zip(now.wall)
                .map_or(0, |(due, wall)| due.micros_since(wall));
            let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
            if let Some(row) = index.arcs().first() {
                let key = text(scheduled_inform::COMMAND_KEY.id());
                self.scheduled.insert(*row, (now.tick + left, key));
            }
        }
    }

    /// What time and the tree bring.
    fn look_around(&mut self, now: Moment, view: &Instances) {
        if self.period.has_come(now.tick, now.wall) {
            self.happened(Cause::Periodic);
            self.due = Some(now.tick);
        }
        if self.heartbeat.has_come(now.tick, now.wall) {
            self.happened(Cause::Heartbeat);
            self.due = Some(now.tick);
        }
        let ripe = self.scheduled.iter().filter(|(_, (at, _))| *at <= now.tick);
        let ripe: Vec<u32> = ripe.map(|(row, _)| *row).collect();
        for row in ripe {
            if let Some((_, key)) = self.scheduled.remove(&row) {
                self.scheduled_inform_is_due(row, key);
                self.due = Some(now.tick);
            }
        }
        self.announce(now, view);
        if self.running.is_some() || self.is_new_to_acs() {
            return;
        }
        let Some(settings) = &self.settings else {
            return;
        };
        let model = DataModel::new(view, &settings.model);
        if self.notifications.is_urgent(&model) {
            // TR-181 ManagementServer.DefaultActiveNotificationThrottle.
            let earliest = self
                .last_ended
                .map_or(now.tick, |ended| ended + settings.throttle);
            let at = earliest.max(now.tick);
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
        }
    }

    fn scheduled_inform_is_due(&mut self, row: u32, key: String) {
        let mut keep = Transaction::new(Actor::device());
        keep.delete(scheduled_inform::TABLE, Index::number(row));
        self.events.add(Cause::Scheduled, &mut keep);
        let method = super::event::Method::ScheduleInform;
        self.events.add(Cause::Method(method, key), &mut keep);
        self.keep(keep);
    }

    fn begin_if_due(&mut self, now: Moment, view: &Instances) {
        let busy = self.running.is_some() || self.leaving;
        if busy || self.due.is_none_or(|due| due > now.tick) {
            return;
        }
        let Some(settings) = &self.settings else {
            return;
        };
        let Some(url) = settings.url.clone() else {
            self.due = None;
            return;
        };
        self.due = None;
        let model = DataModel::new(view, &settings.model);
        self.notifications.watch_forced(&model);
        let is_first_contact = url != settings.known_url;
        let news = match is_first_contact {
            true => Vec::new(),
            false => self.notifications.changes(&model),
        };
        let forced = model
            .inform()
            .iter()
            .map(|parameter| model.value(parameter))
            .collect();
        let parameters = with_news(forced, &news);
        if !news.is_empty() {
            self.happened(Cause::ValueChange);
        }
        let (mut events, told_events) = self.events.told();
        if is_first_contact {
            let code = Cause::Bootstrap.code().to_owned();
            let command_key = String::new();
            events.insert(0, Event { code, command_key });
        }
        if events.is_empty() {
            // Only to see whether the ACS is still reached.
            let code = Cause::Periodic.code().to_owned();
            let command_key = String::new();
            events.push(Event { code, command_key });
        }
        let codes: Vec<String> = events.iter().map(shown).collect();
        let inform = Inform {
            device: self.who.clone(),
            events,
            current_time: now.wall.map(UnixTime::iso8601),
            retry_count: self.retry.count(),
            parameters: parameters.clone(),
        };
        let timeout = u32::try_from(self.timeout().as_secs()).unwrap_or(u32::MAX);
        let mut session = Session::new(inform, Vec::new(), timeout);
        let first = session.begin();
        self.record(now, &codes);
        self.running = Some(Running {
            session,
            url,
            version: view.version(),
            told_events,
            told_values: parameters,
            is_first_contact,
            change: None,
            after: Vec::new(),
        });
        self.step(now, view, first, true);
    }

    fn hear(&mut self, now: Moment, view: &Instances, heard: Heard) {
        let Some(running) = &mut self.running else {
            return;
        };
        let mut told = Vec::new();
        let step = running.session.hear(heard, &mut told);
        for milestone in told {
            self.reached(now, view, milestone);
        }
        self.step(now, view, step, false);
    }

    fn step(&mut self, now: Moment, view: &Instances, step: Step, first: bool) {
        match step {
            Step::Send(envelope) => {
                self.note(&format!("-> {}", said(&envelope.body)));
                self.post(Body::Message(Box::new(envelope)), first);
            }
            Step::SendNothing => {
                self.note("-> (empty)");
                self.post(Body::Nothing, first);
            }
            Step::Do(request) => self.work(now, view, request),
            Step::Done => self.done(now, view),
            Step::Failed(why) => self.fail(
                now,
                view,
                Trouble {
                    kind: TroubleKind::Other,
                    reason: why.to_string(),
                    pause: None,
                },
            ),
        }
    }

    fn work(&mut self, now: Moment, view: &Instances, request: AcsRequest) {
        self.note(&format!("<- {}", asked(&request)));
        let (Some(settings), Some(running)) = (&self.settings, &self.running) else {
            return;
        };
        // Numbers are kept before anything is said that tells them.
        let mut numbered = Transaction::new(Actor::device());
        DataModel::new(view, &settings.model).number(&mut numbered);
        let wall = now.wall;
        let due = move |delay: u32| match wall {
            Some(wall) => wall.plus(Duration::from_secs(delay.into())).to_string(),
            None => String::new(),
        };
        let mut desk = Desk {
            model: DataModel::new(view, &settings.model),
            events: &mut self.events,
            notifications: &mut self.notifications,
            change_deadline: settings.change_deadline,
            due: &due,
            acs: &host(&running.url),
            schedule: self.scheduled.keys().next_back().map_or(1, |last| last + 1),
        };
        let work = desk.work(request);
        self.keep(numbered);
        match work {
            Work::Say(body) => self.answer(now, view, body),
            Work::Values(parameters) => {
                let answer = self
                    .running
                    .as_mut()
                    .and_then(|running| running.session.answer());
                if let Some((namespace, header)) = answer {
                    let count = parameters.len();
                    self.note(&format!("-> GetParameterValuesResponse ({count})"));
                    let body = Body::Values {
                        namespace,
                        header,
                        parameters,
                    };
                    self.post(body, false);
                }
            }
            Work::Change(change) => {
                let wishes = change.wishes.clone();
                if let Some(running) = &mut self.running {
                    running.change = Some(change);
                }
                self.outputs.push_back(Output::Change(wishes));
            }
        }
    }

    fn changed(&mut self, now: Moment, view: &Instances, outcome: Outcome) {
        let Some(change) = self
            .running
            .as_mut()
            .and_then(|running| running.change.take())
        else {
            return;
        };
        match outcome {
            Ok(_) => {
                self.made(now, view, change.after.clone());
                self.answer(now, view, FromCpe::Response(change.answer));
            }
            Err(refusals) => {
                self.answer(now, view, FromCpe::Fault(change.refused(&refusals)));
            }
        }
    }

    /// A change of the ACS is on disk.
    fn made(&mut self, now: Moment, view: &Instances, after: After) {
        match after {
            After::Nothing => {}
            After::Set(paths) => {
                let Some(settings) = &self.settings else {
                    return;
                };
                // The ACS's own change is no news to it.
                let model = DataModel::new(view, &settings.model);
                let found = paths.iter().filter_map(|path| model.find(path).ok());
                let values: Vec<ParameterValue> = found
                    .flatten()
                    .map(|parameter| model.value(&parameter))
                    .collect();
                let mut keep = Transaction::new(Actor::device());
                self.notifications.acknowledged(&values, &mut keep);
                self.notifications.announced(&values, &mut keep);
                self.keep(keep);
            }
            After::Schedule { row, delay } => {
                let at = now.tick + Duration::from_secs(delay.into());
                let key = view
                    .stored()
                    .row(scheduled_inform::TABLE, &Index::number(row));
                let key = match key.and_then(|row| row.column(scheduled_inform::COMMAND_KEY.id())) {
                    Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                    _ => String::new(),
                };
                self.scheduled.insert(row, (at, key));
            }
            after @ (After::Reboot | After::FactoryReset) => {
                if let Some(running) = &mut self.running {
                    running.after.push(after);
                }
            }
        }
    }

    fn answer(&mut self, now: Moment, view: &Instances, body: FromCpe) {
        let Some(running) = &mut self.running else {
            return;
        };
        let mut told = Vec::new();
        let step = running.session.answer_with(body, &mut told);
        for milestone in told {
            self.reached(now, view, milestone);
        }
        if let Some(step) = step {
            self.step(now, view, step, false);
        }
    }

    /// Something that stays true however the session ends.
    fn reached(&mut self, now: Moment, view: &Instances, milestone: Milestone) {
        match milestone {
            Milestone::Informed => self.informed(view),
            Milestone::Told(_) => {}
            Milestone::Fault(fault, party) => {
                let who = match party {
                    Party::Server => "the ACS",
                    Party::Client => "this device",
                };
                let when = now
                    .wall
                    .map_or_else(String::new, |wall| format!(", {wall}"));
                self.status.last_fault = format!("{} {} ({who}{when})", fault.code, fault.text);
                if party == Party::Server {
                    self.note(&format!("<- Fault {}", fault.code));
                }
            }
        }
    }

    fn informed(&mut self, view: &Instances) {
        self.note("<- InformResponse");
        // It is reached, whatever else comes of this session.
        self.status.state = AcsStatus::Connected;
        let Some(running) = &mut self.running else {
            return;
        };
        let mut keep = Transaction::new(Actor::device());
        self.events.delivered(&running.told_events, &mut keep);
        self.notifications
            .acknowledged(&running.told_values, &mut keep);
        if running.is_first_contact {
            let name = Name {
                column: cwmp::KNOWN_ACS_URL.id(),
                index: Index::scalar(),
            };
            keep.assign(name, running.url.as_str().into());
            // It counts from now on, whatever the tree has come to by then.
            if let Some(settings) = &mut self.settings {
                settings.known_url.clone_from(&running.url);
            }
        }
        if let Some(settings) = &self.settings {
            let model = DataModel::new(view, &settings.model);
            self.notifications.all_acknowledged(&model, &mut keep);
        }
        self.keep(keep);
    }

    fn done(&mut self, now: Moment, view: &Instances) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.last_ended = Some(now.tick);
        self.put_into_use(view);
        self.outputs.push_back(Output::Close);
        self.outputs.push_back(Output::Proven(running.version));
        self.retry.succeeded();
        self.status.state = AcsStatus::Connected;
        self.status.reason.clear();
        self.close_record("done");
        if let Some(record) = self.status.sessions.back() {
            let notice = messages::ACS_SESSION.with([&running.url, &record.events]);
            self.outputs.push_back(Output::Say(notice));
        }
        self.leave(&running.after);
        // What came meanwhile has its own session.
        if !self.events.is_empty() || self.is_new_to_acs() {
            self.due = Some(now.tick);
        }
    }

    /// Rows that the ACS has added wait for the end of its session.
    fn put_into_use(&mut self, view: &Instances) {
        if let Some(settings) = &self.settings {
            let all = DataModel::new(view, &settings.model).settle();
            self.outputs.extend(all.into_iter().map(Output::Keep));
        }
    }

    fn fail(&mut self, now: Moment, view: &Instances, trouble: Trouble) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.put_into_use(view);
        self.outputs.push_back(Output::Close);
        self.events.failed();
        self.status.state = match trouble.kind {
            TroubleKind::CannotResolve => AcsStatus::ErrorCannotResolve,
            TroubleKind::NotResponding => AcsStatus::ErrorNotResponding,
            TroubleKind::AuthFailure => AcsStatus::ErrorAuthFailure,
            TroubleKind::Other => AcsStatus::ErrorOther,
        };
        self.status.reason.clone_from(&trouble.reason);
        self.close_record(&trouble.reason);
        let pace = self.settings.as_ref().map(|settings| settings.pace);
        if let Some(pace) = pace {
            let wait = self.retry.failed(pace, now.chance, trouble.pause);
            self.due = Some(now.tick + wait);
            let seconds = wait.as_secs();
            let notice = messages::ACS_NOT_REACHED.with([&running.url, &trouble.reason, &seconds]);
            self.outputs.push_back(Output::Say(notice));
        }
        // A restart that the ACS has been promised happens also now.
        self.leave(&running.after);
    }

    /// The device starts again, if that was asked for in the session.
    fn leave(&mut self, after: &[After]) {
        let output = match after {
            after if after.contains(&After::FactoryReset) => Output::FactoryReset,
            after if after.contains(&After::Reboot) => Output::Reboot,
            _ => return,
        };
        self.outputs.push_back(output);
        self.leaving = true;
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

    fn post(&mut self, body: Body, first: bool) {
        if let Some(running) = &self.running {
            let url = running.url.clone();
            self.outputs
                .push_back(Output::Post(Post { url, first, body }));
        }
    }

    fn timeout(&self) -> Duration {
        let settings = self.settings.as_ref();
        settings.map_or(Duration::from_secs(60), |settings| settings.timeout)
    }

    fn record(&mut self, now: Moment, codes: &[String]) {
        self.sessions += 1;
        self.status.last_session = now.wall;
        self.status.sessions.push_back(Record {
            number: self.sessions,
            began: now.wall,
            events: codes.join(", "),
            ..Record::default()
        });
        if self.status.sessions.len() > SESSIONS {
            self.status.sessions.pop_front();
        }
    }

    fn note(&mut self, step: &str) {
        if let Some(record) = self.status.sessions.back_mut()
            && record.steps.len() < STEPS
        {
            record.steps.push(step.to_owned());
        }
    }

    fn close_record(&mut self, result: &str) {
        if let Some(record) = self.status.sessions.back_mut() {
            result.clone_into(&mut record.result);
        }
    }

    /// Publishes where anything of it changed.
    fn show(&mut self, now: Moment) {
        if let Some(settings) = &self.settings {
            self.status.url = settings.url.clone().unwrap_or_default();
            if settings.url.is_none() {
                self.status.state = AcsStatus::NoUrl;
                no_url(settings.source).clone_into(&mut self.status.reason);
            }
        }
        self.status.retries = self.retry.count();
        self.status.next_inform = self.next_inform(now);
        if self.shown.as_ref() != Some(&self.status) {
            self.shown = Some(self.status.clone());
            let status = Box::new(self.status.clone());
            self.outputs.push_back(Output::Publish(status));
        }
    }

    fn next_inform(&self, now: Moment) -> Option<UnixTime> {
        let at = self.wake_at()?;
        let wait = at.saturating_duration_since(now.tick);
        // Whole seconds, or it would seem to move with each look at it.
        let then = now.wall?.plus(wait).secs();
        Some(UnixTime::from_secs(then))
    }
}

fn no_url(source: AcsUrlConfigSource) -> &'static str {
    match source {
        AcsUrlConfigSource::Dhcp => {
            "the DHCP server has named no ACS: set Cwmp.AcsStaticUrl and Cwmp.AcsUrlConfigSource=static, or have the host's DHCP client set Cwmp.DhcpAcsUrl"
        }
        AcsUrlConfigSource::Static => "there is no URL of an ACS: set Cwmp.AcsStaticUrl",
        AcsUrlConfigSource::DhcpWithFailover => {
            "the DHCP server has named no ACS and Cwmp.AcsStaticUrl is empty: set it"
        }
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

/// The forced parameters, and after them what is news and not among them.
fn with_news(
    mut parameters: Vec<ParameterValue>,
    news: &[super::notify::Changed],
) -> Vec<ParameterValue> {
    for changed in news {
        if parameters
            .iter()
            .all(|known| known.name != changed.value.name)
        {
            parameters.push(changed.value.clone());
        }
    }
    parameters
}

fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().to_owned()
}
