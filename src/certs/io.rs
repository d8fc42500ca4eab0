//! Runs the certificates of a device: the tree, the clock and the sockets of
//! transfers. The only files here that wait are this one and those below it.
//!
//! [`Runner::prepare`] fills the keyring and offers the operations before
//! anything else starts; [`Runner::run`] goes on until it is dropped, and
//! whatever is being fetched ends with it.

mod connect;
mod fetch;
mod revocation;
mod stream;

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::sleep_until;

pub(crate) use connect::{Unconnected, connect_from};
pub use fetch::fetch;
pub(crate) use fetch::of_tls;
pub use revocation::revocation;
pub(crate) use stream::Stream;

use super::engine::{Engine, Input, Output};
use super::keyring::Keyring;
use super::operations;
use super::settings::Settings;
use super::time::{AskTime, Now};
use super::url::Unit;
use super::work::Job;
use crate::schema::{TableId, service};
use crate::tree::{Configured, Invocation, OperationError, Sink, Subscription, Transaction, Tree};

/// Finds the addresses of a name, the best first; none where it has none.
pub type Lookup = Arc<dyn Fn(String) -> Looking + Send + Sync>;

/// A look-up under way.
pub type Looking = Pin<Box<dyn Future<Output = Vec<IpAddr>> + Send>>;

/// What connects the certificates with their device.
pub struct Ports {
    /// The device's tree.
    pub tree: Tree,
    /// What all TLS links of the device share; it is kept from here.
    pub keyring: Arc<Keyring>,
    /// What the macros of URLs stand for.
    pub unit: Unit,
    /// The time, known or not.
    pub time: AskTime,
    /// Told when the time becomes known, or another.
    pub time_changed: Arc<Notify>,
    /// Finds addresses.
    pub lookup: Lookup,
    /// What is to know over a restart how transfers ended.
    pub memory: Memory,
}

/// Keeps a few octets over a restart.
pub struct Memory {
    /// What was kept last; "" where nothing was.
    pub kept: Vec<u8>,
    /// Keeps this instead, durably.
    pub keep: Keep,
}

/// Keeps octets over a restart.
pub type Keep = Box<dyn Fn(&[u8]) + Send + Sync>;

/// See the head of the file.
pub struct Runner {
    ports: Ports,
    engine: Engine,
    /// Of the tree as the engine knows it.
    version: Option<u64>,
    subscription: Subscription,
    changed: Arc<Notify>,
    send: mpsc::UnboundedSender<Input>,
    receive: mpsc::UnboundedReceiver<Input>,
    invocations: mpsc::Receiver<Invocation>,
    fetches: JoinSet<()>,
    fetching: HashMap<Job, AbortHandle>,
}

impl Runner {
    /// Fills the keyring, shows what is installed, and takes operations from now on.
    #[must_use]
    pub fn prepare(ports: Ports) -> Self {
        ports.keyring.clock().follow(ports.time.clone());
        let changed = Arc::new(Notify::new());
        let wake = changed.clone();
        let subscription = ports.tree.subscribe(tables(), move || wake.notify_one());
        let (invoke, invocations) = mpsc::channel(INVOCATIONS);
        offer(&ports.tree, &invoke);
        // What is in here answers a fetch or a commit, whose number is bounded.
        let (send, receive) = mpsc::unbounded_channel();
        let engine = Engine::new(
            ports.keyring.clone(),
            ports.unit.clone(),
            &ports.memory.kept,
        );
        let mut runner = Self {
            ports,
            engine,
            version: None,
            subscription,
            changed,
            send,
            receive,
            invocations,
            fetches: JoinSet::new(),
            fetching: HashMap::new(),
        };
        runner.read_tree();
        runner
    }

    /// Runs until it is dropped.
    pub async fn run(mut self) {
        let time_changed = self.ports.time_changed.clone();
        loop {
            let wait = self.wait();
            tokio::select! {
                () = self.changed.notified() => self.read_tree(),
                // Before a commit is answered, what it changed is in effect.
                Some(input) = self.receive.recv() => {
                    self.read_tree();
                    self.give(input);
                }
                Some(invocation) = self.invocations.recv() => {
                    self.read_tree();
                    self.give(Input::Invocation(invocation));
                }
                () = time_changed.notified() => self.give(Input::Timeout),
                Some(_) = self.fetches.join_next() => {}
                () = sleep_until(wait.into()) => self.give(Input::Timeout),
            }
        }
    }

    /// The settings as they stand, then the commands, which may rely on them.
    fn read_tree(&mut self) {
        let commands = self.subscription.commands();
        let snapshot = self.ports.tree.snapshot();
        if self.version != Some(snapshot.version()) {
            self.version = Some(snapshot.version());
            self.give(Input::Settings(Settings::read(&snapshot)));
            if let Some(cert) = service(SERVICE) {
                self.ports.tree.applied(cert, snapshot.version(), "");
            }
        }
        for command in commands {
            self.give(Input::Command(command));
        }
    }

    fn give(&mut self, input: Input) {
        let now = self.now();
        self.engine.handle(now, input);
        while let Some(output) = self.engine.poll() {
            self.carry(now, output);
        }
    }

    fn carry(&mut self, now: Now, output: Output) {
        let tree = &self.ports.tree;
        match output {
            Output::Publish(status) => tree.live().publish(|live| status.publish(live)),
            Output::Keep(kept) => (self.ports.memory.keep)(&kept),
            Output::Notice(notice) => tree.notify(&notice),
            Output::Answer(answer, outcome) => answer(outcome),
            Output::Commit(job, txn) => self.commit(now, job, txn),
            Output::Fetch(job, order) => {
                let (keyring, lookup) = (self.ports.keyring.clone(), self.ports.lookup.clone());
                let send = self.send.clone();
                let handle = self.fetches.spawn(async move {
                    let fetched = fetch(order, &keyring, &lookup).await;
                    // Nobody listens any longer: the device stops.
                    let _ = send.send(Input::Fetched(job, fetched));
                });
                self.fetching.retain(|_, handle| !handle.is_finished());
                self.fetching.insert(job, handle);
            }
            Output::Abort(job) => {
                if let Some(handle) = self.fetching.remove(&job) {
                    handle.abort();
                }
            }
        }
    }

    fn commit(&self, now: Now, job: Job, txn: Transaction) {
        let at = now.time.known().map_or(0, |time| time.secs());
        let send = self.send.clone();
        self.ports.tree.commit(txn, at, move |outcome| {
            // Nobody listens any longer: the device stops.
            let _ = send.send(Input::Committed(job, outcome));
        });
    }

    fn now(&self) -> Now {
        Now {
            monotonic: Instant::now(),
            time: (self.ports.time)(),
        }
    }

    /// Until the engine's deadline; not for long, since the system's clock may be set.
    fn wait(&self) -> Instant {
        let look = Instant::now() + LOOK;
        self.engine.deadline().map_or(look, |at| at.min(look))
    }
}

fn tables() -> Vec<TableId> {
    let claims = Settings::claims().into_iter();
    claims.map(|column| column.get().table).collect()
}

fn offer(tree: &Tree, invoke: &mpsc::Sender<Invocation>) {
    for operation in operations::ALL {
        let invoke = invoke.clone();
        let sink: Sink = Arc::new(move |invocation| {
            if let Err(error) = invoke.try_send(invocation) {
                let busy = "the certificates take no more operations now: try again";
                (error.into_inner().answer)(Err(OperationError::Failed(busy.to_owned())));
            }
        });
        tree.offer(operation, sink);
    }
}

/// The service by its name in the schema.
const SERVICE: &str = "Cert";
/// Operations that wait to be taken.
const INVOCATIONS: usize = 64;
/// From one look at the clock to the next.
const LOOK: Duration = Duration::from_secs(30);
