//! Sockets and clock for the SNMP agent; with `io/`, the only part that waits.
//!
//! One loop for each listener. A request that reads is answered on the spot; a
//! SET goes to the tree, and its answer leaves when the tree has decided, while
//! the loop goes on. What is in flight belongs to its loop, so nothing is locked.

mod listen;

pub use listen::{Ports, run};

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::access::{Refusal, Tree};
use super::counters::Counter;
use super::engine::{Arrival, Engine, Outcome};
use super::identity::Clock;
use super::refused::Refused;
use super::reply::MAX_DATAGRAM;
use super::set::{PendingSet, Ticket};
use super::settings::Settings;
use crate::tree::notice::Notice;

/// The most SETs that one listener leaves to the tree at a time; what comes
/// beyond is dropped, for the manager to send again.
pub const MAX_SETS_IN_FLIGHT: usize = 256;

/// The agent as its listeners share it.
pub struct Agent<T> {
    engine: Engine,
    boots: u32,
    started: Instant,
    settings: ArcSwap<Settings>,
    tree: T,
}

impl<T: Tree> Agent<T> {
    /// An agent that starts now. `boots` is on disk already (RFC 3414 §2.2.2).
    pub fn new(engine: Engine, boots: u32, settings: Settings, tree: T) -> Self {
        Self {
            engine,
            boots,
            started: Instant::now(),
            settings: ArcSwap::from_pointee(settings),
            tree,
        }
    }

    /// The engine started earlier than this agent: its time goes on (RFC 3414 §2.2.2).
    #[must_use]
    pub fn started(mut self, at: Instant) -> Self {
        self.started = at;
        self
    }

    /// Holds for every datagram from now on.
    pub fn settle(&self, settings: Settings) {
        self.settings.store(settings.into());
    }

    /// Serves `socket` until it fails; dropping the future stops it.
    pub async fn serve(&self, socket: &UdpSocket) -> io::Error {
        let (decide, decisions) = unbounded_channel();
        let mut listener = Listener {
            agent: self,
            socket,
            in_flight: HashMap::new(),
            flights: 0,
            refused: Refused::default(),
            decide,
        };
        listener.run(decisions).await
    }

    fn clock(&self) -> Clock {
        Clock::after(self.boots, self.started.elapsed().as_secs())
    }
}

/// One SET in flight.
struct Flight {
    source: SocketAddr,
    user: Arc<str>,
    ticket: Ticket,
}

/// The number of a SET in flight, and what the tree decided about it.
type Decision = (u64, Result<(), Vec<Refusal>>);

struct Listener<'a, T> {
    agent: &'a Agent<T>,
    socket: &'a UdpSocket,
    in_flight: HashMap<u64, Flight>,
    flights: u64,
    refused: Refused,
    decide: UnboundedSender<Decision>,
}

impl<T: Tree> Listener<'_, T> {
    async fn run(&mut self, mut decisions: UnboundedReceiver<Decision>) -> io::Error {
        let mut buffer = vec![0; MAX_DATAGRAM];
        loop {
            tokio::select! {
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, source)) => self.receive(source, &buffer[..length]),
                    Err(error) => return error,
                },
                Some((number, outcome)) = decisions.recv() => self.decided(number, outcome),
            }
        }
    }

    fn receive(&mut self, source: SocketAddr, datagram: &[u8]) {
        let settings = self.agent.settings.load();
        if !settings.sources.admits(source) {
            self.agent.engine.pass_over();
            let notice = self.refused.source(Instant::now(), source);
            return self.say(notice);
        }
        let arrival = Arrival {
            source,
            clock: self.agent.clock(),
            settings: &settings,
        };
        let view = self.agent.tree.view();
        match self.agent.engine.handle(arrival, datagram, &view) {
            Outcome::Answer(answer) => self.send(source, &answer),
            Outcome::Set(set) => self.ask(source, set),
            Outcome::Report(report, counter) => {
                self.send(source, &report);
                self.say_counted(source, counter);
            }
            Outcome::Silence(Some(counter)) => self.say_counted(source, counter),
            Outcome::Silence(None) => {}
        }
    }

    fn say_counted(&mut self, source: SocketAddr, counter: Counter) {
        let notice = self.refused.counted(Instant::now(), source, counter);
        self.say(notice);
    }

    fn say(&self, notice: Option<Notice>) {
        if let Some(notice) = notice {
            self.agent.tree.notify(&notice);
        }
    }

    fn ask(&mut self, source: SocketAddr, set: PendingSet) {
        let mut flights = self.in_flight.values_mut();
        let earlier = flights
            .find(|flight| flight.source == source && set.repeats(&flight.user, &flight.ticket));
        if let Some(flight) = earlier {
            // Asked once, and answered under the msgID that the manager sent last.
            flight.ticket = set.ticket;
            return;
        }
        if self.in_flight.len() == MAX_SETS_IN_FLIGHT {
            return;
        }
        let number = self.flights;
        self.flights += 1;
        let flight = Flight {
            source,
            user: set.actor.user.clone(),
            ticket: set.ticket,
        };
        self.in_flight.insert(number, flight);
        let decide = self.decide.clone();
        let done = move |outcome| {
            // A listener that stopped meanwhile has nobody left to answer.
            decide.send((number, outcome)).ok();
        };
        self.agent.tree.set(&set.actor, set.wishes, Box::new(done));
    }

    fn decided(&mut self, number: u64, outcome: Result<(), Vec<Refusal>>) {
        let Some(flight) = self.in_flight.remove(&number) else {
            return;
        };
        let clock = self.agent.clock();
        if let Some(answer) = self.agent.engine.finish(clock, &flight.ticket, outcome) {
            self.send(flight.source, &answer);
        }
    }

    /// A datagram that the socket does not take at once is lost, as it may be
    /// anywhere on its way.
    fn send(&self, peer: SocketAddr, datagram: &[u8]) {
        self.socket.try_send_to(datagram, peer).ok();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;
    use crate::north::snmp::access::{Actor, Done, Wish};
    use crate::north::snmp::settings::SourceFilter;
    use crate::north::snmp::testing::{
        Answer, Asking, Bench, Fake, NULL, SYS_DESCR, V2C_GET, community_datagram, pdu,
    };

    /// A tree that leaves every SET undecided.
    struct Undecided {
        view: Arc<Fake>,
        asked: Mutex<Vec<Done>>,
        said: Mutex<Vec<String>>,
    }

    impl Tree for Arc<Undecided> {
        type View = Arc<Fake>;

        fn view(&self) -> Self::View {
            self.view.clone()
        }

        fn set(&self, _: &Actor, _: Vec<Wish>, done: Done) {
            self.asked.lock().expect("unpoisoned").push(done);
        }

        fn notify(&self, notice: &Notice) {
            let text = notice.text.clone();
            self.said.lock().expect("unpoisoned").push(text);
        }
    }

    struct Station {
        agent: Arc<Agent<Arc<Undecided>>>,
        tree: Arc<Undecided>,
        manager: UdpSocket,
    }

    impl Station {
        /// An agent on a free port of `host`, and a manager beside it.
        async fn new(host: &str) -> Self {
            let bench = Bench::new();
            let tree = Arc::new(Undecided {
                view: bench.mib.into(),
                asked: Mutex::default(),
                said: Mutex::default(),
            });
            let agent = Agent::new(bench.engine, 1, bench.settings, tree.clone());
            let agent = Arc::new(agent);
            let socket = UdpSocket::bind((host, 0)).await.expect("a port");
            let manager = UdpSocket::bind((host, 0)).await.expect("a port");
            let address = socket.local_addr().expect("bound");
            manager.connect(address).await.expect("connected");
            let served = agent.clone();
            tokio::spawn(async move { served.serve(&socket).await });
            Self {
                agent,
                tree,
                manager,
            }
        }

        async fn send(&self, datagram: &[u8]) {
            self.manager.send(datagram).await.expect("sent");
        }

        async fn answer(&self) -> Option<Answer> {
            let mut buffer = [0; 2000];
            let received = self.manager.recv(&mut buffer);
            let length = timeout(Duration::from_millis(500), received).await.ok()?;
            let length = length.expect("received");
            Some(Answer::of_community(&buffer[..length]))
        }

        /// How many SETs have reached the tree.
        fn asked(&self) -> usize {
            self.tree.asked.lock().expect("unpoisoned").len()
        }

        fn decide(&self, outcome: Result<(), Vec<Refusal>>) {
            let done = self.tree.asked.lock().expect("unpoisoned").remove(0);
            std::thread::spawn(move || done(outcome));
        }
    }

    fn set(id: i32) -> Vec<u8> {
        let body = pdu(0xa3, id, 0, 0, &[(SYS_DESCR, &[4, 1, b'x'])]);
        community_datagram(1, "private", &body)
    }

    #[tokio::test]
    async fn a_get_is_answered_over_ipv4_and_ipv6() {
        for host in ["127.0.0.1", "::1"] {
            let station = Station::new(host).await;
            station.send(V2C_GET).await;
            let answer = station.answer().await.expect("an answer");
            assert_eq!(answer.names(), [SYS_DESCR]);
        }
    }

    #[tokio::test]
    async fn a_source_outside_the_filter_hears_nothing() {
        let station = Station::new("127.0.0.1").await;
        let Bench { mut settings, .. } = Bench::new();
        settings.sources = SourceFilter::parse("192.0.2.0/24").expect("readable");
        station.agent.settle(settings);
        station.send(V2C_GET).await;
        assert_eq!(station.answer().await, None);
        station.agent.settle(Bench::new().settings);
        station.send(V2C_GET).await;
        assert!(station.answer().await.is_some());
    }

    #[tokio::test]
    async fn a_set_is_answered_when_the_tree_has_decided_and_holds_up_nobody() {
        let station = Station::new("127.0.0.1").await;
        station.send(&set(5)).await;
        station.send(V2C_GET).await;
        let first = station.answer().await.expect("an answer");
        assert_eq!(first.id, 1);
        assert_eq!(station.asked(), 1);
        station.decide(Ok(()));
        let second = station.answer().await.expect("an answer");
        assert_eq!((second.id, second.status), (5, 0));
    }

    #[tokio::test]
    async fn a_set_that_is_sent_again_is_asked_once_and_answered_once() {
        let station = Station::new("127.0.0.1").await;
        station.send(&set(5)).await;
        station.send(&set(5)).await;
        station.send(&set(6)).await;
        station.send(V2C_GET).await;
        assert!(station.answer().await.is_some());
        assert_eq!(station.asked(), 2);
        station.decide(Ok(()));
        assert_eq!(station.answer().await.map(|answer| answer.id), Some(5));
        assert_eq!(station.answer().await, None);
        // Once answered, the same id is a new SET.
        station.send(&set(5)).await;
        assert_eq!(station.answer().await, None);
        assert_eq!(station.asked(), 2);
    }

    #[tokio::test]
    async fn a_v3_set_that_is_sent_again_under_another_message_id_is_answered_under_that() {
        // RFC 3412 §6.2: a manager that sends again takes a new msgID.
        let station = Station::new("127.0.0.1").await;
        let body = || pdu(0xa3, 8, 0, 0, &[(SYS_DESCR, &[4, 1, b'x'])]);
        let mut asking = Asking::new("auth", 1, body());
        (asking.boots, asking.time) = (1, 0);
        for id in [77, 78] {
            asking.id = id;
            station.send(&asking.datagram()).await;
        }
        station.send(V2C_GET).await;
        assert!(station.answer().await.is_some());
        assert_eq!(station.asked(), 1);
        station.decide(Ok(()));
        let mut buffer = [0; 2000];
        let received = timeout(Duration::from_secs(5), station.manager.recv(&mut buffer));
        let length = received.await.expect("in time").expect("received");
        let answer = Answer::of_v3(&buffer[..length], asking.algorithm);
        assert_eq!((answer.message_id, answer.id, answer.status), (78, 8, 0));
    }

    #[tokio::test]
    async fn another_set_with_the_same_request_id_is_another_set() {
        let station = Station::new("127.0.0.1").await;
        let other = pdu(0xa3, 5, 0, 0, &[(SYS_DESCR, &[4, 1, b'y'])]);
        station.send(&set(5)).await;
        station
            .send(&community_datagram(1, "private", &other))
            .await;
        station.send(V2C_GET).await;
        assert!(station.answer().await.is_some());
        assert_eq!(station.asked(), 2);
    }

    #[tokio::test]
    async fn what_is_not_served_is_said_once_a_while_and_every_datagram_is_counted() {
        let station = Station::new("127.0.0.1").await;
        let get = pdu(0xa0, 1, 0, 0, &[(SYS_DESCR, NULL)]);
        for _ in 0..20 {
            station.send(&community_datagram(1, "guess", &get)).await;
            station.send(b"no SNMP at all").await;
        }
        let Bench { mut settings, .. } = Bench::new();
        settings.sources = SourceFilter::parse("192.0.2.0/24").expect("readable");
        station.send(V2C_GET).await;
        assert!(station.answer().await.is_some());
        station.agent.settle(settings);
        station.send(V2C_GET).await;
        assert_eq!(station.answer().await, None);
        let said = station.tree.said.lock().expect("unpoisoned").clone();
        let parts = [
            "the community is not",
            "it is no SNMP",
            "not in Snmp.AllowedSources",
        ];
        assert_eq!(said.len(), parts.len(), "{said:?}");
        for part in parts {
            assert!(said.iter().any(|line| line.contains(part)), "{said:?}");
        }
        assert_eq!(station.agent.engine.count(Counter::InPkts), 42);
    }

    #[tokio::test]
    async fn an_agent_that_starts_again_goes_on_with_the_time_of_its_engine() {
        let bench = Bench::new();
        let tree = Arc::new(Undecided {
            view: bench.mib.into(),
            asked: Mutex::default(),
            said: Mutex::default(),
        });
        let earlier = Instant::now() - Duration::from_secs(1000);
        let agent = Agent::new(bench.engine, 7, bench.settings, tree).started(earlier);
        let clock = agent.clock();
        assert_eq!((clock.boots, clock.time), (7, 1000));
    }
}
