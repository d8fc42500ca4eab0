//! What the tests of this folder share: a client, a simulated network, and stub
//! servers on it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::client::{Client, Input, Output};
use super::keeper::Start;
use super::settings::{ClockSource, ConfigSource, Settings};
use super::status::{Event, Status};
use super::time::{Reading, Time};
use crate::wire::host_port::HostPort;
use crate::wire::sntp::{Packet, Timestamp};
use crate::wire::time::UnixTime;

const BUILT: UnixTime = UnixTime::from_secs(1_780_000_000);
pub(super) const TRUE: UnixTime = UnixTime::from_secs(1_800_000_000);
pub(super) const ONE: &str = "192.0.2.1";
pub(super) const TWO: &str = "192.0.2.2";
const WAY: Duration = Duration::from_millis(10);

/// How a stub server answers; absent servers are silent.
#[derive(Clone, Copy)]
pub(super) enum Stub {
    Right,
    Ahead(i64),
    Kiss([u8; 4]),
    Unsynchronized,
    Forged,
    Unreachable,
}

/// The client, and all that it talks to.
pub(super) struct World {
    client: Client,
    start: Instant,
    now: Instant,
    /// What the system clock shows at the start.
    pub(super) system: UnixTime,
    pub(super) servers: HashMap<String, Stub>,
    pub(super) names: HashMap<String, Vec<IpAddr>>,
    wire: Vec<(Instant, Input)>,
    pub(super) sent: Vec<(String, Duration)>,
    pub(super) kept: Vec<UnixTime>,
    pub(super) events: Vec<Event>,
    pub(super) time: Option<Time>,
    pub(super) status: Option<Status>,
}

impl World {
    pub(super) fn new(last_known: Option<UnixTime>) -> World {
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

    pub(super) fn stub(mut self, server: &str, stub: Stub) -> World {
        self.servers.insert(server.to_owned(), stub);
        self
    }

    fn reading(&self) -> Reading {
        Reading {
            monotonic: self.now,
            system: self.system.plus(self.now - self.start),
        }
    }

    pub(super) fn give(&mut self, input: Input) {
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
        (answer.receive, answer.transmit) = (Timestamp::from_unix(at), Timestamp::from_unix(at));
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
    pub(super) fn pass(&mut self, span: Duration) {
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

    pub(super) fn time(&self) -> Option<UnixTime> {
        self.time.expect("told").at(self.reading())
    }

    /// Our time against the true one, in microseconds.
    pub(super) fn error(&self) -> i64 {
        let truth = TRUE.plus(self.now - self.start);
        self.time().expect("known").micros_since(truth)
    }

    pub(super) fn reason(&self) -> String {
        self.status.as_ref().expect("published").reason.to_string()
    }

    pub(super) fn current_source(&self) -> &str {
        &self.status.as_ref().expect("published").current_source
    }
}

/// Settings of these servers.
pub(super) fn settings(clock_source: ClockSource, servers: &[&str]) -> Input {
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

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
