//! What each setting of the clock changes in what is asked and believed.

use std::time::{Duration, Instant};

use demarc::clock::settings::Settings;
use demarc::clock::{Client, Input, Output, Reading, Start, Time};
use demarc::schema::{Name, Value};
use demarc::tree::{Actor, Configured, Transaction, Tree};
use demarc::wire::sntp::{Packet, Timestamp};
use demarc::wire::time::UnixTime;

const SERVER: (&str, &str) = ("Hoc.StaticSntpServers[Priority=1].HostName", "192.0.2.1");
const STATIC: (&str, &str) = ("Hoc.SntpConfigSource", "static");
const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_secs(3600);

/// Whether the time server answers.
#[derive(Clone, Copy, PartialEq)]
enum Stub {
    Right,
    Silent,
}

/// A client that is told what a tree says, and what it did.
struct World {
    client: Client,
    stub: Stub,
    start: Instant,
    now: Instant,
    asked: Vec<(String, Duration)>,
    time: Option<Time>,
}

impl World {
    fn new(stub: Stub, wishes: &[(&str, &str)]) -> Self {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::device());
        for (name, value) in wishes {
            let name = Name::parse(name).expect("a name");
            let value = Value::parse(value, &name.column.get().syntax).expect("a value");
            txn.assign(name, value);
        }
        tree.commit_and_wait(txn, 0).expect("granted");
        let start = Start {
            build_date: UnixTime::from_secs(1_780_000_000),
            last_known: None,
        };
        let now = Instant::now();
        let mut world = Self {
            client: Client::new(start, Box::new(|| 7)),
            stub,
            start: now,
            now,
            asked: Vec::new(),
            time: None,
        };
        world.give(Input::Settings(Settings::read(&tree.snapshot())));
        world
    }

    fn reading(&self) -> Reading {
        Reading {
            monotonic: self.now,
            system: NOW.plus(self.now - self.start),
        }
    }

    fn give(&mut self, input: Input) {
        self.client.handle(self.reading(), input);
        while let Some(output) = self.client.poll() {
            match output {
                Output::Send { to, octets } => {
                    self.asked.push((to.to_string(), self.now - self.start));
                    if self.stub == Stub::Right {
                        let octets = self.answer(&octets);
                        self.give(Input::Datagram { from: to, octets });
                    }
                }
                Output::Time(time) => self.time = Some(time),
                _ => {}
            }
        }
    }

    fn answer(&self, request: &[u8]) -> Vec<u8> {
        let mut answer = Packet::parse(request).expect("a request");
        let at = Timestamp::from_unix(NOW.plus(self.now - self.start));
        answer.originate = answer.transmit;
        (answer.mode, answer.stratum) = (4, 2);
        (answer.receive, answer.transmit) = (at, at);
        answer.print().to_vec()
    }

    fn pass(mut self, span: Duration) -> Self {
        let end = self.now + span;
        while let Some(due) = self.client.deadline().filter(|due| *due <= end) {
            self.now = due;
            self.give(Input::Timeout);
        }
        self.now = end;
        self
    }
}

#[test]
pub(crate) fn the_time_servers_that_are_set_are_asked_where_they_are_the_source() {
    let asked = |wishes: &[(&str, &str)]| -> Vec<String> {
        let world = World::new(Stub::Right, wishes);
        world.asked.into_iter().map(|it| it.0).collect()
    };
    assert!(asked(&[SERVER]).is_empty(), "automatic names none");
    assert_eq!(asked(&[SERVER, STATIC]), ["192.0.2.1:123"]);
    let other = (SERVER.0, "192.0.2.9:1123");
    assert_eq!(asked(&[other, STATIC]), ["192.0.2.9:1123"]);
}

#[test]
pub(crate) fn a_time_server_is_asked_again_after_its_period() {
    let asked = |stub, wishes: &[(&str, &str)]| {
        let all = [&[SERVER, STATIC], wishes].concat();
        World::new(stub, &all).pass(HOUR * 12).asked.len()
    };
    assert_eq!(asked(Stub::Right, &[]), 1, "once a day");
    let often = ("Hoc.SntpSynchronizationPeriod", "120");
    assert!((6..=7).contains(&asked(Stub::Right, &[often])));
    let on_error = ("Hoc.SntpSynchronizationPeriodOnError", "10");
    let (seldom, often) = (asked(Stub::Silent, &[]), asked(Stub::Silent, &[on_error]));
    assert!(often > 2 * seldom, "{seldom} and {often}");
}

#[test]
pub(crate) fn the_system_clock_makes_the_time_known_only_where_it_is_the_source() {
    for (source, is_known) in [("systemClock", true), ("sntp", false)] {
        let wishes = [SERVER, STATIC, ("Hoc.ClockSource", source)];
        let world = World::new(Stub::Silent, &wishes).pass(HOUR);
        assert_eq!(world.time.expect("told").is_known(), is_known, "{source}");
    }
}
