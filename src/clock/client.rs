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
    use std::collections::HashMap;

    use super::*;
    use crate::clock::settings::ConfigSource;
    use crate::wire::host_port::HostPort;
    use crate::wire::sntp::{Packet, Timestamp};

    const BUILT: UnixTime = UnixTime::from_secs(1_780_000_000);
    const TRUE: UnixTime = UnixTime::from_secs(1_800_000_000);
    const ONE: &str = "192.0.2.1";
    const TWO: &str = "192.0.2.2";
    const WAY: Duration = Duration::from_millis(10);

    /// How a stub server answers; absent servers are silent.
    #[derive(Clone, Copy)]
    enum Stub {
        Right,
        Ahead(i64),
        Kiss([u8; 4]),
        Unsynchronized,
        Forged,
        Unreachable,
    }

    struct World {
        client: Client,
        start: Instant,
        now: Instant,
        /// What the system clock shows at the start.
        system: UnixTime,
        servers: HashMap<String, Stub>,
        names: HashMap<String, Vec<IpAddr>>,
        wire: Vec<(Instant, Input)>,
        sent: Vec<(String, Duration)>,
        kept: Vec<UnixTime>,
        events: Vec<Event>,
        time: Option<Time>,
        status: Option<Status>,
    }

    impl World {
        fn new(last_known: Option<UnixTime>) -> World {
            let mut state = 1_u64;
            let random = move || {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                state
            };
            let start = Start {
                build_date: BUILT,
                last_known,
            };
            let now = Instant::now();
            World {
                client: Client::new(start, Box::new(random)),
                start: now,
                now,
                system: UnixTime::EPOCH,
                servers: HashMap::new(),
                names: HashMap::new(),
                wire: Vec::new(),
                sent: Vec::new(),
                kept: Vec::new(),
                events: Vec::new(),
                time: None,
                status: None,
            }
        }

        fn stub(mut self, server: &str, stub: Stub) -> World {
            self.servers.insert(server.to_owned(), stub);
            self
        }

        fn reading(&self) -> Reading {
            Reading {
                monotonic: self.now,
                system: self.system.plus(self.now - self.start),
            }
        }

        fn give(&mut self, input: Input) {
            self.client.handle(self.reading(), input);
            while let Some(output) = self.client.poll() {
                self.carry(output);
            }
        }

        fn carry(&mut self, output: Output) {
            match output {
                Output::Resolve(host) => {
                    let addresses = self.names.get(&host).cloned().unwrap_or_default();
                    self.wire
                        .push((self.now + WAY, Input::Resolved { host, addresses }));
                }
                Output::Send { to, octets } => self.serve(to, &octets),
                Output::Time(time) => self.time = Some(time),
                Output::PersistLastKnown(time) => self.kept.push(time),
                Output::Publish(status) => self.status = Some(status),
                Output::Event(event) => self.events.push(event),
            }
        }

        fn serve(&mut self, to: SocketAddr, request: &[u8]) {
            self.sent.push((to.ip().to_string(), self.now - self.start));
            let Some(stub) = self.servers.get(&to.ip().to_string()) else {
                return;
            };
            if matches!(stub, Stub::Unreachable) {
                self.wire.push((self.now, Input::Unreachable(to)));
                return;
            }
            let mut answer = Packet::parse(request).expect("a request");
            let at = TRUE.plus(self.now + WAY - self.start);
            answer.originate = answer.transmit;
            (answer.mode, answer.stratum) = (4, 2);
            let at = match *stub {
                Stub::Ahead(micros) => at.shifted(micros),
                _ => at,
            };
            (answer.receive, answer.transmit) =
                (Timestamp::from_unix(at), Timestamp::from_unix(at));
            match *stub {
                Stub::Kiss(code) => (answer.stratum, answer.reference_id) = (0, code),
                Stub::Unsynchronized => answer.leap = 3,
                Stub::Forged => answer.originate = Timestamp(1),
                _ => {}
            }
            let octets = answer.print().to_vec();
            self.wire
                .push((self.now + WAY * 2, Input::Datagram { from: to, octets }));
        }

        /// Lets simulated time pass, with all that happens in it.
        fn pass(&mut self, span: Duration) {
            let end = self.now + span;
            loop {
                let arrival = self.wire.iter().map(|(at, _)| *at).min();
                let due = self.client.deadline().into_iter().chain(arrival).min();
                let Some(due) = due.filter(|due| *due <= end) else {
                    break;
                };
                self.now = due.max(self.now);
                match self.wire.iter().position(|(at, _)| *at <= self.now) {
                    Some(index) => {
                        let (_, input) = self.wire.remove(index);
                        self.give(input);
                    }
                    None => self.give(Input::Timeout),
                }
            }
            self.now = end;
        }

        fn time(&self) -> Option<UnixTime> {
            self.time.expect("told").at(self.reading())
        }

        /// Our time against the true one, in microseconds.
        fn error(&self) -> i64 {
            let truth = TRUE.plus(self.now - self.start);
            self.time().expect("known").micros_since(truth)
        }

        fn reason(&self) -> String {
            self.status.as_ref().expect("published").reason.to_string()
        }

        fn current_source(&self) -> &str {
            &self.status.as_ref().expect("published").current_source
        }
    }

    fn settings(clock_source: ClockSource, servers: &[&str]) -> Input {
        let mut settings = Settings {
            clock_source,
            config_source: ConfigSource::Static,
            ..Settings::default()
        };
        for (slot, text) in settings.static_servers.iter_mut().zip(servers) {
            *slot = HostPort::parse(text).expect("valid");
        }
        Input::Settings(settings)
    }

    const SECOND: Duration = Duration::from_secs(1);
    const MINUTE: Duration = Duration::from_secs(60);
    const HOUR: Duration = Duration::from_secs(3600);

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
    fn a_trusted_system_clock_counts_at_once_and_without_servers() {
        let mut world = World::new(None);
        world.system = TRUE;
        world.give(settings(ClockSource::SystemClock, &[]));
        assert_eq!(world.time(), Some(TRUE));
        assert_eq!(world.current_source(), "");
        assert!(world.sent.is_empty());
    }

    #[test]
    fn a_system_clock_not_later_than_the_floor_is_not_trusted_until_somebody_sets_it() {
        let mut world = World::new(Some(TRUE));
        world.system = TRUE.shifted(-5_000_000);
        world.give(settings(ClockSource::SystemClock, &[]));
        assert_eq!(world.time(), None);
        assert!(world.reason().contains("2027-01-15 08:00:00: set it"));
        world.system = TRUE.plus(HOUR);
        world.pass(SECOND * 10);
        assert!(world.time().is_some());
        assert!(matches!(world.events.last(), Some(Event::Known(None, _))));
    }

    #[test]
    fn a_source_of_sntp_never_takes_the_system_clock() {
        let mut world = World::new(None);
        world.system = TRUE;
        world.give(settings(ClockSource::Sntp, &[]));
        world.pass(HOUR * 24);
        assert_eq!(world.time(), None);
        assert!(
            world
                .reason()
                .contains("Hoc.StaticSntpServers[Priority=1].HostName")
        );
    }

    #[test]
    fn a_server_corrects_a_trusted_system_clock() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.system = TRUE.shifted(7_000_000);
        world.give(settings(ClockSource::SystemClock, &[ONE]));
        assert!(world.error() > 6_000_000);
        world.pass(SECOND);
        assert!(world.error().abs() < 1000);
        let offset = world.status.as_ref().and_then(|status| status.offset);
        assert!((offset.expect("measured") + 7_000_000).abs() < 1000);
    }

    #[test]
    fn the_second_server_is_asked_when_the_first_is_silent() {
        let mut world = World::new(None).stub(TWO, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE, TWO]));
        world.pass(SECOND * 6);
        assert_eq!(
            world.sent,
            [(ONE.into(), Duration::ZERO), (TWO.into(), SECOND * 5)]
        );
        assert_eq!(world.current_source(), TWO);
    }

    #[test]
    fn bad_answers_and_dead_networks_give_way_at_once() {
        for bad in [
            Stub::Unsynchronized,
            Stub::Unreachable,
            Stub::Kiss(*b"INIT"),
        ] {
            let mut world = World::new(None).stub(ONE, bad).stub(TWO, Stub::Right);
            world.give(settings(ClockSource::Sntp, &[ONE, TWO]));
            world.pass(SECOND);
            assert_eq!(world.current_source(), TWO);
        }
    }

    #[test]
    fn a_forged_answer_changes_nothing() {
        let mut world = World::new(None).stub(ONE, Stub::Forged);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(SECOND * 4);
        assert_eq!(world.time(), None);
        assert_eq!(world.reason(), "waiting for 192.0.2.1");
    }

    #[test]
    fn a_time_before_the_build_date_is_not_believed() {
        let mut world = World::new(None).stub(ONE, Stub::Ahead(-30_000_000_000_000));
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(SECOND);
        assert_eq!(world.time(), None);
        assert!(world.reason().contains("before this software was built"));
    }

    #[test]
    fn a_server_may_go_behind_the_last_known_time_and_lowers_the_floor() {
        let mut world = World::new(Some(TRUE.plus(HOUR * 24 * 365))).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(SECOND);
        assert!(world.error().abs() < 1000);
        assert!(world.time.expect("told").floor < TRUE.plus(SECOND));
        assert!(world.kept[0] < TRUE.plus(SECOND));
    }

    #[test]
    fn after_an_answer_it_rests_for_the_period_less_an_eighth_at_most() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(HOUR * 21 - SECOND);
        assert_eq!(world.sent.len(), 1);
        world.pass(HOUR * 3 + MINUTE);
        assert_eq!(world.sent.len(), 2);
    }

    #[test]
    fn at_the_start_pauses_grow_to_the_period_on_error_and_no_server_is_asked_within_15_s() {
        let mut world = World::new(None);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(HOUR * 12);
        let gaps: Vec<Duration> = world
            .sent
            .windows(2)
            .map(|pair| pair[1].1 - pair[0].1)
            .collect();
        assert!(gaps.iter().all(|gap| *gap >= SECOND * 15));
        assert!(gaps[0] < SECOND * 30);
        assert!(gaps[gaps.len() - 1] > MINUTE * 50 && gaps[gaps.len() - 1] <= MINUTE * 61);
        let failed = |event: &&Event| matches!(event, Event::NoneAnswered(_));
        assert_eq!(world.events.iter().filter(failed).count(), 1, "said once");
    }

    #[test]
    fn a_name_that_does_not_resolve_is_tried_again_within_seconds() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &["ntp.example.com"]));
        world.pass(SECOND);
        assert!(
            world
                .reason()
                .starts_with("ntp.example.com: its name has no address")
        );
        let address = ONE.parse().expect("an address");
        world.names.insert("ntp.example.com".into(), vec![address]);
        world.pass(SECOND * 3);
        assert_eq!(world.current_source(), "ntp.example.com");
    }

    #[test]
    fn each_address_of_a_name_is_tried() {
        let mut world = World::new(None).stub(TWO, Stub::Right);
        let addresses = [ONE, TWO].map(|text| text.parse().expect("an address"));
        world
            .names
            .insert("ntp.example.com".into(), addresses.to_vec());
        world.give(settings(ClockSource::Sntp, &["ntp.example.com:1123"]));
        world.pass(SECOND * 6);
        assert_eq!(world.current_source(), "ntp.example.com:1123");
    }

    #[test]
    fn a_server_that_denies_is_never_asked_again_until_servers_are_named_anew() {
        let mut world = World::new(None).stub(ONE, Stub::Kiss(*b"DENY"));
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(HOUR * 48);
        assert_eq!(world.sent.len(), 1);
        assert!(world.reason().contains("kiss-o'-death DENY"));
        world.give(settings(ClockSource::Sntp, &[TWO, ONE]));
        world.pass(SECOND * 6);
        assert_eq!(
            world.sent.last().map(|(server, _)| server.as_str()),
            Some(ONE)
        );
    }

    #[test]
    fn when_servers_fail_later_the_time_runs_on_and_is_asked_for_on_error() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(HOUR);
        world.servers.clear();
        world.pass(HOUR * 24);
        assert!(world.error().abs() < 1000);
        assert!(
            world
                .reason()
                .starts_with("runs on without a server; 192.0.2.1: no answer")
        );
        world.servers.insert(ONE.into(), Stub::Right);
        world.pass(HOUR + MINUTE);
        assert_eq!(world.reason(), "synchronized with 192.0.2.1");
    }

    #[test]
    fn an_unchanged_server_is_not_asked_for_a_changed_period() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(MINUTE);
        let Input::Settings(mut changed) = settings(ClockSource::Sntp, &[ONE]) else {
            unreachable!("settings are settings");
        };
        changed.period = 10;
        world.give(Input::Settings(changed));
        assert_eq!(world.sent.len(), 1);
        world.pass(MINUTE * 10);
        assert_eq!(world.sent.len(), 2);
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

    #[test]
    fn going_back_to_the_system_clock_forgets_the_server() {
        let mut world = World::new(None).stub(ONE, Stub::Ahead(50_000_000));
        world.system = TRUE;
        world.give(settings(ClockSource::SystemClock, &[ONE]));
        world.pass(SECOND);
        assert!(world.error() > 49_000_000);
        world.give(settings(ClockSource::SystemClock, &[]));
        assert_eq!(world.error(), 0);
        assert_eq!(world.current_source(), "");
    }
}
