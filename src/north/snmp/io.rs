//! Sockets and clock for the SNMP agent; with `io/`, the only part that waits.
//!
//! One thread for each listener, asleep in the socket: a reader costs no
//! hand-over. A request that reads is answered on the spot; a SET goes to the
//! tree, and its answer leaves from there when the tree has decided.

mod batch;
mod listen;

pub use listen::{Ports, run};

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use arc_swap::ArcSwap;
use nix::sys::socket::{MsgFlags, SockaddrStorage, sendto};
use socket2::SockRef;

use self::batch::{Arrived, Leaving};
use super::access::{Refusal, Tree};
use super::engine::{Arrival, Engine, Outcome};
use super::identity::Clock;
use super::refused::Refused;
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

    fn clock(&self) -> Clock {
        Clock::after(self.boots, self.started.elapsed().as_secs())
    }
}

/// A socket that the agent serves, and what is under way behind it.
pub struct Listener<T> {
    agent: Arc<Agent<T>>,
    socket: UdpSocket,
    stopped: AtomicBool,
    in_flight: Mutex<InFlight>,
}

/// The SETs that the tree has not decided yet, by number.
#[derive(Default)]
struct InFlight {
    next: u64,
    flights: HashMap<u64, Flight>,
}

/// One SET in flight.
struct Flight {
    source: SocketAddr,
    user: Arc<str>,
    ticket: Ticket,
}

impl Flight {
    /// Whether this is an earlier one of the same manager, sent again.
    fn repeats(&self, earlier: &Self) -> bool {
        (self.source, &self.user) == (earlier.source, &earlier.user)
            && self.ticket.repeats(&earlier.ticket)
    }
}

impl<T: Tree> Listener<T> {
    /// A listener at a socket that blocks.
    pub fn new(agent: Arc<Agent<T>>, socket: UdpSocket) -> Arc<Self> {
        Arc::new(Self {
            agent,
            socket,
            stopped: AtomicBool::new(false),
            in_flight: Mutex::default(),
        })
    }

    /// Serves the socket on this thread until it fails or is told to stop.
    pub fn run(self: &Arc<Self>) -> io::Result<()> {
        let mut refused = Refused::default();
        let (mut arrived, mut leaving) = (Arrived::new(), Leaving::new());
        loop {
            let received = arrived.receive(&self.socket);
            if self.stopped.load(Ordering::Acquire) {
                return Ok(());
            }
            match received {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                received => received?,
            }
            for (source, datagram) in arrived.each() {
                self.receive(&mut refused, &mut leaving, source, datagram);
            }
            leaving.send(&self.socket);
        }
    }

    /// Ends [`Self::run`], now; what is in flight is still answered.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        // It says that nobody is connected, and wakes whoever waits all the same.
        let _ = SockRef::from(&self.socket).shutdown(Shutdown::Read);
    }

    fn receive(
        self: &Arc<Self>,
        refused: &mut Refused,
        leaving: &mut Leaving,
        source: SocketAddr,
        datagram: &[u8],
    ) {
        let agent = &self.agent;
        let settings = agent.settings.load();
        if !settings.sources.admits(source) {
            agent.engine.pass_over();
            return self.say(refused.source(Instant::now(), source));
        }
        let arrival = Arrival {
            source,
            clock: agent.clock(),
            settings: &settings,
        };
        let counted = match agent.engine.handle(arrival, datagram, &agent.tree.view()) {
            Outcome::Answer(answer) => return leaving.push(source, answer),
            Outcome::Set(set) => return self.ask(source, set),
            Outcome::Report(report, counter) => {
                leaving.push(source, report);
                Some(counter)
            }
            Outcome::Silence(counter) => counter,
        };
        if let Some(counter) = counted {
            self.say(refused.counted(Instant::now(), source, counter));
        }
    }

    fn say(&self, notice: Option<Notice>) {
        if let Some(notice) = notice {
            self.agent.tree.notify(&notice);
        }
    }

    fn ask(self: &Arc<Self>, source: SocketAddr, set: PendingSet) {
        let PendingSet {
            actor,
            wishes,
            ticket,
        } = set;
        let flight = Flight {
            source,
            user: actor.user.clone(),
            ticket,
        };
        let Some(number) = self.depart(flight) else {
            return;
        };
        let listener = self.clone();
        let done = move |outcome| listener.decided(number, outcome);
        self.agent.tree.set(&actor, wishes, Box::new(done));
    }

    /// The number of a new flight; none for one that is under way already, or too many.
    fn depart(&self, flight: Flight) -> Option<u64> {
        let mut in_flight = self.in_flight();
        let mut flights = in_flight.flights.values_mut();
        if let Some(earlier) = flights.find(|earlier| flight.repeats(earlier)) {
            // Asked once, and answered under the msgID that the manager sent last.
            earlier.ticket = flight.ticket;
            return None;
        }
        if in_flight.flights.len() == MAX_SETS_IN_FLIGHT {
            return None;
        }
        let number = in_flight.next;
        in_flight.next += 1;
        in_flight.flights.insert(number, flight);
        Some(number)
    }

    fn decided(&self, number: u64, outcome: Result<(), Vec<Refusal>>) {
        let Some(flight) = self.in_flight().flights.remove(&number) else {
            return;
        };
        let clock = self.agent.clock();
        if let Some(answer) = self.agent.engine.finish(clock, &flight.ticket, outcome) {
            let to = SockaddrStorage::from(flight.source);
            // As in a batch: what the socket does not take at once is lost.
            let _ = sendto(
                self.socket.as_raw_fd(),
                &answer,
                &to,
                MsgFlags::MSG_DONTWAIT,
            );
        }
    }

    /// Flights are whole after each change, so a panic elsewhere spoils nothing.
    fn in_flight(&self) -> std::sync::MutexGuard<'_, InFlight> {
        self.in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::Duration;

    use tokio::net::UdpSocket;
    use tokio::time::timeout;

    use super::*;
    use crate::north::snmp::access::{Actor, Done, Wish};
    use crate::north::snmp::counters::Counter;
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
        listener: Arc<Listener<Arc<Undecided>>>,
        thread: Option<std::thread::JoinHandle<io::Result<()>>>,
    }

    impl Drop for Station {
        fn drop(&mut self) {
            self.listener.stop();
            let thread = self.thread.take().expect("one listener");
            let ended = thread.join().expect("no panic");
            assert!(ended.is_ok(), "{ended:?}");
        }
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
            let socket = std::net::UdpSocket::bind((host, 0)).expect("a port");
            let manager = UdpSocket::bind((host, 0)).await.expect("a port");
            let address = socket.local_addr().expect("bound");
            manager.connect(address).await.expect("connected");
            let listener = Listener::new(agent.clone(), socket);
            let served = listener.clone();
            let thread = std::thread::spawn(move || served.run());
            Self {
                agent,
                tree,
                manager,
                listener,
                thread: Some(thread),
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
