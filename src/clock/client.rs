//! The SNTP client: asks its servers in turn, and says what time it is.
//!
//! A pure core for `io`: settings, datagrams and deadlines in; requests, the
//! time and a status out. [`Rounds`] asks, [`Keeper`] decides which clock is
//! believed; here the two meet, and each change is told once.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::keeper::{Keeper, Start};
use super::rounds::{Rounds, Told};
use super::settings::{ClockSource, Settings};
use super::status::{Cause, Event, Known, Reason, Status};
use super::time::{Reading, Source, Time};
use crate::wire::sntp;
use crate::wire::time::UnixTime;

/// What comes in; the first must be [`Input::Settings`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// The settings as they are now.
    Settings(Settings),
    /// The addresses of a host that was to be resolved; none where it has none.
    Resolved {
        /// The host.
        host: String,
        /// Its addresses, the best first.
        addresses: Vec<IpAddr>,
    },
    /// A datagram came.
    Datagram {
        /// From there.
        from: SocketAddr,
        /// Its octets.
        octets: Vec<u8>,
    },
    /// The network does not take what was sent there.
    Unreachable(SocketAddr),
    /// The deadline passed.
    Timeout,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// Look up a host.
    Resolve(String),
    /// Send a request, from a port of its own.
    Send {
        /// The server.
        to: SocketAddr,
        /// The request.
        octets: [u8; sntp::PACKET_OCTETS],
    },
    /// The time is told like this from now on.
    Time(Time),
    /// Keep this time over a restart.
    PersistLastKnown(UnixTime),
    /// The live leaves changed.
    Publish(Status),
    /// Something happened.
    Event(Event),
}

/// The client of one device.
pub struct Client {
    settings: Settings,
    rounds: Rounds,
    keeper: Keeper,
    /// What the last answer corrected, in microseconds.
    offset: Option<i64>,
    /// What was told last.
    time: Option<Time>,
    /// What was published last.
    status: Option<Status>,
    persist_at: Option<Instant>,
    look_at: Option<Instant>,
    outputs: VecDeque<Output>,
}

impl Client {
    /// A client without settings; `random` must not be predictable from the network.
    pub fn new(start: Start, random: Box<dyn FnMut() -> u64 + Send>) -> Client {
        Client {
            settings: Settings::default(),
            rounds: Rounds::new(random),
            keeper: Keeper::new(start),
            offset: None,
            time: None,
            status: None,
            persist_at: None,
            look_at: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Reading, input: Input) {
        match input {
            Input::Settings(settings) => self.configure(now, settings),
            Input::Resolved { host, addresses } => {
                self.rounds.resolved(now.monotonic, &host, addresses);
            }
            Input::Datagram { from, octets } => {
                if let Some(told) = self.rounds.datagram(now.monotonic, from, &octets) {
                    self.judge(now, told);
                }
            }
            Input::Unreachable(to) => self.rounds.unreachable(now.monotonic, to),
            Input::Timeout => {}
        }
        self.rounds.expire(now.monotonic, &self.settings);
        self.settle(now);
    }

    /// The next thing to be done.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Input::Timeout`] is due.
    pub fn deadline(&self) -> Option<Instant> {
        let rounds = self.rounds.deadline(&self.settings);
        [rounds, self.persist_at, self.look_at]
            .into_iter()
            .flatten()
            .min()
    }

    fn configure(&mut self, now: Reading, settings: Settings) {
        self.rounds.name(now.monotonic, settings.servers());
        self.settings = settings;
        let system = self.settings.clock_source == ClockSource::SystemClock;
        if system && self.rounds.servers().is_empty() {
            self.keeper.forget();
            self.offset = None;
        }
    }

    fn judge(&mut self, now: Reading, told: Told) {
        let was = self.keeper.time(self.settings.clock_source, now).at(now);
        if !self.keeper.believe(&told) {
            return self.rounds.reject(now.monotonic, Cause::TooEarly);
        }
        self.rounds.accept(now.monotonic);
        let correction = told.unix.micros_since(was.unwrap_or(now.system));
        self.offset = Some(correction);
        self.say(Event::Synchronized(told.server, correction));
    }

    /// Tells what changed by the last input, each once.
    fn settle(&mut self, now: Reading) {
        while let Some(output) = self.rounds.poll() {
            self.outputs.push_back(output);
        }
        let time = self.keeper.time(self.settings.clock_source, now);
        if self.time != Some(time) {
            self.tell(now, time);
        }
        self.persist(now, time);
        // Somebody else sets the system clock: only looking tells.
        let look = self.settings.clock_source == ClockSource::SystemClock && !time.is_known();
        self.look_at = look.then(|| now.monotonic + LOOK_INTERVAL);
        let status = self.status_of(time);
        if self.status.as_ref() != Some(&status) {
            self.status = Some(status.clone());
            self.outputs.push_back(Output::Publish(status));
        }
    }

    fn tell(&mut self, now: Reading, time: Time) {
        let was = self.time.replace(time);
        self.outputs.push_back(Output::Time(time));
        if was.is_none_or(|was| was.floor != time.floor || was.kind() != time.kind()) {
            self.persist_at = None;
        }
        match (was.map(|was| was.is_known()), time.at(now)) {
            (Some(true), Some(_)) | (Some(false), None) => {}
            (_, Some(unix)) => self.say(Event::Known(self.keeper.server().cloned(), unix)),
            (_, None) => self.say(Event::Unknown(self.reason(time))),
        }
    }

    /// At once when the time comes from elsewhere, then each hour.
    fn persist(&mut self, now: Reading, time: Time) {
        let Some(unix) = time.at(now) else {
            self.persist_at = None;
            return;
        };
        if self.persist_at.is_none_or(|at| now.monotonic >= at) {
            self.persist_at = Some(now.monotonic + PERSIST_INTERVAL);
            self.outputs.push_back(Output::PersistLastKnown(unix));
        }
    }

    fn status_of(&self, time: Time) -> Status {
        let known = if time.is_known() {
            Known::Known
        } else {
            Known::Unknown
        };
        Status {
            known,
            current_source: self
                .keeper
                .server()
                .map(ToString::to_string)
                .unwrap_or_default(),
            servers: self
                .rounds
                .servers()
                .iter()
                .map(ToString::to_string)
                .collect(),
            offset: self.offset,
            reason: self.reason(time),
        }
    }

    fn reason(&self, time: Time) -> Reason {
        let failure = self.rounds.failure().cloned();
        match (self.rounds.servers().first(), failure, time.source) {
            (None, _, Source::System) => Reason::SystemTrusted,
            (None, _, _) if self.settings.clock_source == ClockSource::SystemClock => {
                Reason::SystemTooEarly(self.keeper.floor())
            }
            (None, _, _) => Reason::NoServer,
            (_, Some(failure), Source::Server { .. }) => Reason::RunsFree(failure),
            (_, Some(failure), _) => Reason::NoAnswer(failure),
            (Some(first), None, _) => match self.keeper.server() {
                Some(server) => Reason::Synchronized(server.clone()),
                None => Reason::Waiting(first.clone()),
            },
        }
    }

    fn say(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

/// How often an untrusted system clock is looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// How often the last known time is kept.
const PERSIST_INTERVAL: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::super::testing::{HOUR, MINUTE, ONE, SECOND, Stub, World, settings};
    use super::*;

    #[test]
    fn the_first_answer_makes_the_time_known() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        assert_eq!(world.time(), None);
        assert_eq!(world.reason(), "waiting for 192.0.2.1");
        world.pass(SECOND);
        assert!(world.error().abs() < 1000);
        assert_eq!(world.current_source(), ONE);
        assert_eq!(world.reason(), "synchronized with 192.0.2.1");
        assert_eq!(world.kept.len(), 1);
    }

    #[test]
    fn the_last_known_time_is_kept_hourly_however_often_servers_are_asked() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        let Input::Settings(mut often) = settings(ClockSource::Sntp, &[ONE]) else {
            unreachable!("settings are settings");
        };
        often.period = 1;
        world.give(Input::Settings(often));
        world.pass(HOUR * 5 + MINUTE);
        assert_eq!(world.kept.len(), 6);
    }
}
