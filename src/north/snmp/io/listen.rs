//! Where the agent listens: as the tree says, now and after each change.
//!
//! The new port answers before the old one closes. What cannot be had is
//! tried again, and said once: a status that stays is no news.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{oneshot, watch};

use super::super::bound::Bound;
use super::super::engine::Engine;
use super::super::settings::Config;
use super::{Agent, Listener};
use crate::schema::snmp;
use crate::tree::{Tree, messages};

/// What connects the agent with its device.
pub struct Ports {
    /// The device's tree and its time of day.
    pub bound: Bound,
    /// The engine.
    pub engine: Engine,
    /// This boot's number, on disk already.
    pub boots: u32,
    /// When this boot began: a service that starts again goes on with its time.
    pub started: Instant,
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

/// A socket that is being served, until this is dropped.
struct Listening {
    address: SocketAddr,
    listener: Arc<Listener<Bound>>,
    /// Said by its thread as the last thing.
    ended: oneshot::Receiver<io::Result<()>>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.listener.stop();
    }
}

/// What is published: where the agent is to listen, and why it does not.
type Told = (Option<SocketAddr>, Result<(), String>);

/// Listens where the tree says, for as long as it is to.
pub async fn run(mut ports: Ports) {
    let tree = ports.bound.tree.clone();
    let settings = ports.config.borrow_and_update().settings();
    let agent = Agent::new(ports.engine, ports.boots, settings, ports.bound).started(ports.started);
    let agent = Arc::new(agent);
    let mut listening: Option<Listening> = None;
    let mut told: Option<Told> = None;
    loop {
        let version = tree.snapshot().version();
        let config = ports.config.borrow_and_update().clone();
        agent.settle(config.settings());
        let address = ports
            .addresses
            .borrow_and_update()
            .get(&config.interface)
            .copied();
        let wanted = address.map(|address| SocketAddr::new(address, config.port));
        if listening.as_ref().map(|one| one.address) != wanted || wanted.is_none() {
            let outcome = match wanted {
                Some(address) => listen(&agent, address),
                None => Err(without_address(&config.interface)),
            };
            let now = (wanted, outcome.as_ref().map(|_| ()).map_err(Clone::clone));
            let before = std::mem::replace(&mut listening, outcome.ok());
            if let Some(before) = before {
                linger(before);
            }
            if told.as_ref() != Some(&now) {
                publish(&tree, &now);
                told = Some(now);
            }
        }
        tree.follows(SERVICE, version);
        tokio::select! {
            changed = ports.config.changed() => if changed.is_err() { break },
            changed = ports.addresses.changed() => if changed.is_err() { break },
            () = told_to_stop(&mut ports.stop) => break,
            failed = ended(&mut listening) => if let Some(why) = failed {
                let now = (wanted, Err(format!("the socket failed: {why}")));
                publish(&tree, &now);
                told = Some(now);
                tokio::time::sleep(TRY_AGAIN).await;
            }
        }
    }
    if let Some(mut one) = listening {
        one.listener.stop();
        // Whatever it says: it has ended.
        let _ = (&mut one.ended).await;
    }
    show(&tree, "", "the service Snmp is stopped");
    tree.troubled(SERVICE, "");
}

const SERVICE: &str = "Snmp";

fn without_address(interface: &str) -> String {
    format!("the interface {interface} has no address; see Bni.NetworkInterfaces")
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // Whoever could say it being gone says it too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Why a socket is served no longer; where none is, only when to try again.
async fn ended(listening: &mut Option<Listening>) -> Option<String> {
    let Some(one) = listening else {
        tokio::time::sleep(TRY_AGAIN).await;
        return None;
    };
    let why = match (&mut one.ended).await {
        Ok(Err(error)) => error.to_string(),
        Ok(Ok(())) | Err(_) => "its thread has ended".to_owned(),
    };
    *listening = None;
    Some(why)
}

fn listen(agent: &Arc<Agent<Bound>>, address: SocketAddr) -> Result<Listening, String> {
    let port = address.port();
    let socket = UdpSocket::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            format!("port {port} needs rights of the operating system; set Snmp.Port above 1023")
        }
        io::ErrorKind::AddrInUse => format!("port {port} is in use; set Snmp.Port"),
        _ => error.to_string(),
    })?;
    let listener = Listener::new(agent.clone(), socket);
    let (say, ended) = oneshot::channel();
    let served = listener.clone();
    let thread = std::thread::Builder::new().name("snmp".to_owned());
    let started = thread.spawn(move || {
        let outcome = served.run();
        drop(served);
        // Nobody waits for a listener that lingered.
        let _ = say.send(outcome);
    });
    started.map_err(|error| format!("no thread for port {port}: {error}"))?;
    Ok(Listening {
        address,
        listener,
        ended,
    })
}

fn linger(one: Listening) {
    tokio::spawn(async move {
        tokio::time::sleep(LINGER).await;
        drop(one);
    });
}

fn publish(tree: &Tree, (wanted, outcome): &Told) {
    let address = wanted.map(|address| address.to_string());
    let address = address.unwrap_or_default();
    match outcome {
        Ok(()) => {
            show(tree, &address, "");
            tree.troubled(SERVICE, "");
            tree.notify(&messages::SNMP_LISTENING.with([&address]));
        }
        Err(why) => {
            show(tree, "", why);
            tree.troubled(SERVICE, why);
            if wanted.is_some() {
                tree.notify(&messages::SNMP_NOT_LISTENING.with([&address, why]));
            }
        }
    }
}

fn show(tree: &Tree, state: &str, why: &str) {
    tree.live().publish(|live| {
        live.scalar(snmp::LISTEN_STATE, state);
        live.scalar(snmp::LISTEN_REASON, why);
    });
}
