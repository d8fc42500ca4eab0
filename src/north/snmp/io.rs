//! Sockets and clock for the SNMP agent. The only file here that waits.
//!
//! One loop for each listener. A request that reads is answered on the spot; a
//! SET goes to the tree, and its answer leaves when the tree has decided, while
//! the loop goes on. What is in flight belongs to its loop, so nothing is locked.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::net::UdpSocket;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use super::access::{Refusal, Tree};
use super::bound::Bound;
use super::engine::{Arrival, Engine, Outcome};
use super::identity::Clock;
use super::message::Version;
use super::reply::MAX_DATAGRAM;
use super::set::{PendingSet, Ticket};
use super::settings::{Config, Settings};
use crate::schema::snmp;
use crate::tree::messages;

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
            decide,
        };
        listener.run(decisions).await
    }

    fn clock(&self) -> Clock {
        Clock::after(self.boots, self.started.elapsed().as_secs())
    }
}

/// What connects the agent with its device.
pub struct Ports {
    /// The device's tree and its time of day.
    pub bound: Bound,
    /// The engine.
    pub engine: Engine,
    /// This boot's number, on disk already.
    pub boots: u32,
    /// What the tree says.
    pub config: watch::Receiver<Config>,
    /// The addresses of the interfaces that are up, by name.
    pub addresses: watch::Receiver<BTreeMap<String, IpAddr>>,
    /// Turns true when the agent is to stop.
    pub stop: watch::Receiver<bool>,
}

/// How long a listener goes on after its successor listens: a SET that moves
/// the agent is answered from where it was asked.
const LINGER: Duration = Duration::from_secs(2);
/// How long until a port that could not be had is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);

/// Listens where the tree says, for as long as it is to.
pub async fn run(mut ports: Ports) {
    let tree = ports.bound.tree.clone();
    let settings = ports.config.borrow_and_update().settings();
    let agent = Arc::new(Agent::new(ports.engine, ports.boots, settings, ports.bound));
    let mut listening: Option<(SocketAddr, AbortHandle)> = None;
    let mut reason = None;
    loop {
        let config = ports.config.borrow_and_update().clone();
        agent.settle(config.settings());
        let wanted = ports
            .addresses
            .borrow_and_update()
            .get(&config.interface)
            .copied();
        let wanted = wanted.map(|address| SocketAddr::new(address, config.port));
        if listening.as_ref().map(|(address, _)| *address) != wanted || wanted.is_none() {
            let outcome = match wanted {
                Some(address) => listen(&agent, address).await,
                None => Err(format!(
                    "the interface {} has no address; see Bni.NetworkInterfaces",
                    config.interface
                )),
            };
            let told = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
            if let Some((_, old)) = listening.take() {
                linger(old);
            }
            listening = outcome
                .ok()
                .zip(wanted)
                .map(|(task, address)| (address, task));
            if reason.as_ref() != Some(&told) || wanted.is_some() {
                publish(&tree, wanted, &told);
            }
            reason = Some(told);
        }
        tree.applied_named(
            "Snmp",
            &reason.clone().and_then(Result::err).unwrap_or_default(),
        );
        let again = async {
            match listening {
                Some(_) => std::future::pending().await,
                None => tokio::time::sleep(TRY_AGAIN).await,
            }
        };
        tokio::select! {
            changed = ports.config.changed() => if changed.is_err() { break },
            changed = ports.addresses.changed() => if changed.is_err() { break },
            _ = ports.stop.wait_for(|stop| *stop) => break,
            () = again => {}
        }
    }
    if let Some((_, task)) = listening {
        task.abort();
    }
    publish(&tree, None, &Err("the service Snmp is stopped".to_owned()));
}

async fn listen<T: Tree>(
    agent: &Arc<Agent<T>>,
    address: SocketAddr,
) -> Result<AbortHandle, String> {
    let socket = UdpSocket::bind(address)
        .await
        .map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => {
                format!(
                    "port {} needs rights of the operating system; set Snmp.Port above 1023",
                    address.port()
                )
            }
            io::ErrorKind::AddrInUse => format!("port {} is in use; set Snmp.Port", address.port()),
            _ => error.to_string(),
        })?;
    let agent = agent.clone();
    let task = tokio::spawn(async move { agent.serve(&socket).await });
    Ok(task.abort_handle())
}

fn linger(task: AbortHandle) {
    tokio::spawn(async move {
        tokio::time::sleep(LINGER).await;
        task.abort();
    });
}

fn publish(tree: &crate::tree::Tree, wanted: Option<SocketAddr>, told: &Result<(), String>) {
    let address = wanted
        .map(|address| address.to_string())
        .unwrap_or_default();
    let (state, why) = match told {
        Ok(()) => (address.as_str(), ""),
        Err(why) => ("", why.as_str()),
    };
    tree.live().publish(|live| {
        live.scalar(snmp::LISTEN_STATE, state);
        live.scalar(snmp::LISTEN_REASON, why);
    });
    match told {
        Ok(()) => tree.notify(&messages::SNMP_LISTENING.with([&address])),
        Err(why) if wanted.is_some() => {
            tree.notify(&messages::SNMP_NOT_LISTENING.with([&address, why]));
        }
        Err(_) => {}
    }
}

/// One SET in flight: who sent it, and which of theirs.
type Key = (SocketAddr, Version, i32);

type Decision = (Key, Result<(), Vec<Refusal>>);

struct Listener<'a, T> {
    agent: &'a Agent<T>,
    socket: &'a UdpSocket,
    in_flight: HashMap<Key, Ticket>,
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
                Some((key, outcome)) = decisions.recv() => self.decided(key, outcome),
            }
        }
    }

    fn receive(&mut self, source: SocketAddr, datagram: &[u8]) {
        let settings = self.agent.settings.load();
        if !settings.sources.admits(source) {
            return;
        }
        let arrival = Arrival {
            source,
            clock: self.agent.clock(),
            settings: &settings,
        };
        let view = self.agent.tree.view();
        match self.agent.engine.handle(arrival, datagram, &view) {
            Outcome::Answer(answer) | Outcome::Report(answer, _) => self.send(source, &answer),
            Outcome::Set(set) => self.ask(source, set),
            Outcome::Silence(_) => {}
        }
    }

    fn ask(&mut self, source: SocketAddr, set: PendingSet) {
        let key = (source, set.key.0, set.key.1);
        if self.in_flight.len() == MAX_SETS_IN_FLIGHT {
            return;
        }
        // A second SET like this is the first one sent again.
        let Entry::Vacant(vacant) = self.in_flight.entry(key) else {
            return;
        };
        vacant.insert(set.ticket);
        let decide = self.decide.clone();
        let done = move |outcome| {
            // A listener that stopped meanwhile has nobody left to answer.
            decide.send((key, outcome)).ok();
        };
        self.agent.tree.set(&set.actor, set.wishes, Box::new(done));
    }

    fn decided(&mut self, key: Key, outcome: Result<(), Vec<Refusal>>) {
        let Some(ticket) = self.in_flight.remove(&key) else {
            return;
        };
        let clock = self.agent.clock();
        if let Some(answer) = self.agent.engine.finish(clock, &ticket, outcome) {
            self.send(key.0, &answer);
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

    use tokio::time::timeout;

    use super::*;
    use crate::north::snmp::access::{Actor, Done, Wish};
    use crate::north::snmp::settings::SourceFilter;
    use crate::north::snmp::testing::{
        Answer, Bench, Fake, SYS_DESCR, V2C_GET, community_datagram, pdu,
    };

    /// A tree that leaves every SET undecided.
    struct Undecided {
        view: Arc<Fake>,
        asked: Mutex<Vec<Done>>,
    }

    impl Tree for Arc<Undecided> {
        type View = Arc<Fake>;

        fn view(&self) -> Self::View {
            self.view.clone()
        }

        fn set(&self, _: &Actor, _: Vec<Wish>, done: Done) {
            self.asked.lock().expect("unpoisoned").push(done);
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
}
