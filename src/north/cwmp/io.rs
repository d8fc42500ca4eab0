//! Runs the TR-069 client on its device: the tree, the clock, the line to the
//! ACS and the door for its connection requests. The only files of this face
//! that wait are this one and those below it.
//!
//! What the client remembers is on disk before it says anything more to the
//! ACS: outputs are carried out one after the other.

mod body;
mod connection;
mod door;
mod doors;
mod file;
mod herald;
mod line;
mod mail;
mod mover;
mod operations;
mod staging;

use super::binding;
use super::client::{Announcement, Client, Input, Moment, Output, Post};
use super::exchange::Account;
use super::settings::Settings;
use super::status::Status;
use super::transfers::Heard;
use crate::certs::io::Lookup;
use crate::certs::{Keyring, Level};
use crate::schema::cwmp::TransportCertificateValidation as Validation;
use crate::schema::{self, TableId, cert, cwmp};
use crate::tree::{
    Actor, Answer, Configured, Face, Invocation, OperationError, Outcome, Rights, Subscription,
    Transaction, Tree, messages,
};
use crate::wire::soap::message::DeviceIdStruct;
use doors::Doors;
use line::{Line, Order, Posting, Terms};
use mover::Mover;
pub use mover::{Files, RunScript, Running};
use openssl::rand::rand_bytes;
pub use staging::Firmware;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// What connects the client with its device.
pub struct Ports {
    /// The device's tree.
    pub tree: Tree,
    /// Who the device is.
    pub who: DeviceIdStruct,
    /// Certificates, anchors, and the time as far as it is known.
    pub keyring: Arc<Keyring>,
    /// Finds addresses.
    pub lookup: Lookup,
    /// The addresses of the interfaces that are up, by name.
    pub addresses: watch::Receiver<BTreeMap<String, IpAddr>>,
    /// What files are made of and put into use by.
    pub files: Arc<Files>,
    /// Turns true when the client is to stop.
    pub stop: watch::Receiver<bool>,
}

/// What a connection is made with.
#[derive(Clone)]
struct Around {
    keyring: Arc<Keyring>,
    lookup: Lookup,
}

/// The service by its name in the schema.
const SERVICE: &str = "Cwmp";
/// Things that may wait for the client.
const QUEUE: usize = 16;
/// How long it sleeps where nothing is due.
const NOTHING_DUE: Duration = Duration::from_secs(3600);

/// Runs the client until it is to stop.
pub async fn run(ports: Ports) {
    let mut parts = JoinSet::new();
    let (orders, taken) = mpsc::channel(QUEUE);
    let (send, answers) = mpsc::channel(QUEUE);
    let around = Around {
        keyring: ports.keyring.clone(),
        lookup: ports.lookup.clone(),
    };
    parts.spawn(Line::new(around.clone()).run(taken, send));
    let (send, moved) = mpsc::channel(QUEUE);
    let mover = Mover::new(
        ports.files.clone(),
        around.clone(),
        ports.tree.clone(),
        send,
    );
    let (doors, requests) = Doors::new(&ports, &around, &mut parts);
    let (announce, announcements) = mpsc::channel(QUEUE);
    let tree = ports.tree.clone();
    let carrying = herald::carry(announcements, ports.lookup.clone(), tree.clone());
    parts.spawn(carrying);
    Runner::new(ports, orders, doors, mover, announce)
        .run(answers, requests, moved)
        .await;
    parts.shutdown().await;
    tree.live().publish(|live| {
        Status::stopped().publish(live);
        binding::Status::off("").publish(live);
        live.scalar(cwmp::CONNECTION_REQUEST_URL, "");
    });
    tree.troubled(SERVICE, "");
}

/// The client and all around it.
struct Runner {
    ports: Ports,
    client: Client,
    settings: Option<Settings>,
    /// Of the tree as the client knows it.
    version: Option<u64>,
    subscription: Subscription,
    changed: Arc<Notify>,
    /// Something has changed that is published and that the ACS wants to hear of.
    published: Arc<Notify>,
    watch: Subscription,
    announce: mpsc::Sender<herald::Errand>,
    invocations: mpsc::Receiver<Invocation>,
    orders: mpsc::Sender<Order>,
    mover: Mover,
    doors: Doors,
    /// Who waits for the session of this number to end.
    waiting: Vec<(u32, Answer)>,
    /// The number of the last session that has begun.
    sessions: u32,
}

impl Runner {
    fn new(
        ports: Ports,
        orders: mpsc::Sender<Order>,
        doors: Doors,
        mover: Mover,
        announce: mpsc::Sender<herald::Errand>,
    ) -> Self {
        let changed = Arc::new(Notify::new());
        let wake = changed.clone();
        let tables = schema::tables().map(|(table, _)| table);
        let tables = tables.filter(|table| !table.get().is_live());
        let tables: Vec<TableId> = tables.collect();
        let subscription = ports.tree.subscribe(tables, move || wake.notify_one());
        let (invoke, invocations) = mpsc::channel(QUEUE);
        operations::offer(&ports.tree, invoke);
        let published = Arc::new(Notify::new());
        let watch = watch_published(&ports.tree, &published, BTreeSet::new());
        Self {
            client: Client::new(ports.who.clone(), &ports.tree.instances()),
            ports,
            settings: None,
            version: None,
            subscription,
            changed,
            published,
            watch,
            announce,
            invocations,
            orders,
            mover,
            doors,
            waiting: Vec::new(),
            sessions: 0,
        }
    }

    async fn run(
        mut self,
        mut answers: mpsc::Receiver<Input>,
        mut requests: mpsc::Receiver<()>,
        mut moved: mpsc::Receiver<Heard>,
    ) {
        let mut stop = self.ports.stop.clone();
        self.follow().await;
        loop {
            let wait = self.wait();
            tokio::select! {
                () = told_to_stop(&mut stop) => return,
                () = self.changed.notified() => self.follow().await,
                () = self.published.notified() => self.give(Input::Wake).await,
                changed = self.ports.addresses.changed() => match changed {
                    Ok(()) => {
                        self.doors.place(&self.ports, self.settings.as_ref()).await;
                        self.give(Input::Wake).await;
                    }
                    Err(_) => return,
                },
                Some(input) = answers.recv() => self.give(input).await,
                Some(heard) = moved.recv() => self.give(Input::Transfer(heard)).await,
                Some(()) = requests.recv() => self.give(Input::ConnectionRequest).await,
                Some(invocation) = self.invocations.recv() => self.asked(invocation).await,
                () = tokio::time::sleep_until(wait.into()) => self.give(Input::Wake).await,
            }
        }
    }

    /// The tree as it is now: settings where they changed, else a look.
    async fn follow(&mut self) {
        // Commands are for others; they are not to pile up here.
        drop(self.subscription.commands());
        let version = self.ports.tree.snapshot().version();
        if self.version != Some(version) {
            self.give(Input::Wake).await;
        }
        self.ports.tree.follows(SERVICE, version);
    }

    /// Gives the client an input, after the settings where they have changed,
    /// and does what it wants.
    async fn give(&mut self, input: Input) {
        self.settle().await;
        self.handle(input).await;
    }

    async fn settle(&mut self) {
        let snapshot = self.ports.tree.snapshot();
        if self.version == Some(snapshot.version()) {
            return;
        }
        self.version = Some(snapshot.version());
        let settings = Settings::read(&snapshot);
        if self.settings.as_ref() == Some(&settings) {
            return;
        }
        self.warn(&settings);
        self.settings = Some(settings.clone());
        self.doors.place(&self.ports, Some(&settings)).await;
        Box::pin(self.handle(Input::Settings(Box::new(settings)))).await;
    }

    /// What is stored but acts as something safer.
    fn warn(&self, settings: &Settings) {
        let told = self.settings.as_ref().map(Settings::raised);
        let told = told.unwrap_or_default();
        let raised = settings.raised().into_iter();
        for [object, value, safe] in raised.filter(|one| !told.contains(one)) {
            let notice = messages::SETTING_RAISED.with([&object, &value, &safe]);
            self.ports.tree.notify(&notice);
        }
    }

    async fn handle(&mut self, input: Input) {
        let view = self.ports.tree.instances();
        self.client.handle(self.now(), &view, input);
        while let Some(output) = self.client.poll() {
            if let Some(input) = self.carry(output).await {
                // Before a change is answered, what it changed is in effect.
                Box::pin(self.give(input)).await;
            }
        }
    }

    /// Does what the client wants; what comes of it at once.
    async fn carry(&mut self, output: Output) -> Option<Input> {
        match output {
            Output::Post(post) => self.post(post).await,
            Output::Close => self.order(Order::Close).await,
            Output::Change(wishes) => return Some(Input::Changed(self.commit(wishes).await)),
            Output::PutIntoUse { row, wishes } => {
                let outcome = self.commit(wishes).await;
                return Some(Input::Put { row, outcome });
            }
            Output::Keep(wishes) => {
                // What cannot be kept is told again after a restart, and the tree has said why.
                let _ = self.commit(wishes).await;
            }
            Output::Proven(version) => self.ports.tree.prove(PROBE, version),
            Output::Publish(status) => self.publish(&status),
            Output::Say(notice) => self.ports.tree.notify(&notice),
            Output::Transfer(wanted) => {
                let at = self.now().wall.map_or(0, |wall| wall.secs());
                self.mover.carry(wanted, at);
            }
            Output::Announce(announcement) => self.announce(announcement),
            Output::Watch(tables) => {
                self.watch = watch_published(&self.ports.tree, &self.published, tables);
            }
            Output::Reboot => return self.leave("Scm.Reboot").await,
            Output::FactoryReset => return self.leave("Conf.FactoryReset").await,
        }
        None
    }

    async fn post(&mut self, post: Post) {
        let Some(settings) = &self.settings else {
            return;
        };
        let terms = Terms {
            account: account(settings, &self.ports.who),
            level: match settings.validation {
                Validation::NoValidation => Level::NoValidation,
                Validation::HostName => Level::HostName,
            },
            from: self.from(settings),
            patience: settings.timeout,
        };
        let posting = Posting {
            post,
            terms,
            model: settings.model.clone(),
        };
        self.order(Order::Post(Box::new(posting))).await;
    }

    /// The address that the ACS is called from, where an interface is named for it.
    fn from(&self, settings: &Settings) -> Option<IpAddr> {
        let named = Some(&settings.interface).filter(|name| !name.is_empty())?;
        self.ports.addresses.borrow().get(named).copied()
    }

    fn announce(&self, announcement: Announcement) {
        let from = self.settings.as_ref().and_then(|it| self.from(it));
        // What has to queue longer than that is lost, as datagrams may be.
        let _ = self
            .announce
            .try_send(herald::Errand { announcement, from });
    }

    async fn order(&mut self, order: Order) {
        // The line ends only with this.
        let _ = self.orders.send(order).await;
    }

    async fn commit(&mut self, wishes: Transaction) -> Outcome {
        let at = self.now().wall.map_or(0, |wall| wall.secs());
        let (send, receive) = oneshot::channel();
        self.ports.tree.commit(wishes, at, move |outcome| {
            // Whoever waits below is there until it has come.
            let _ = send.send(outcome);
        });
        receive.await.unwrap_or_else(|_| Err(Vec::new()))
    }

    /// The unit starts again, as the ACS wants it; where it does not, the client goes on.
    async fn leave(&mut self, operation: &str) -> Option<Input> {
        let actor = Actor {
            face: Face::Cwmp,
            user: "acs".to_owned(),
            address: String::new(),
            rights: Rights::Device,
        };
        let (send, receive) = oneshot::channel();
        let answer = move |outcome| {
            // Whoever waits below is there until it has come.
            let _ = send.send(outcome);
        };
        let tree = &self.ports.tree;
        tree.invoke(actor, operation, &[], None, Box::new(answer));
        let why = match receive.await {
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "nobody answered".to_owned(),
        };
        let notice = messages::ACS_WISH_FAILED.with([&operation, &why]);
        self.ports.tree.notify(&notice);
        Some(Input::Stays)
    }

    async fn asked(&mut self, invocation: Invocation) {
        self.settle().await;
        let without = self.settings.as_ref().is_none_or(|it| it.url.is_none());
        if without {
            let why = "there is no URL of an ACS: set Cwmp.AcsStaticUrl and Cwmp.AcsUrlConfigSource=static";
            return (invocation.answer)(Err(OperationError::Failed(why.to_owned())));
        }
        let input = operations::input(&invocation);
        self.waiting.push((self.sessions + 1, invocation.answer));
        self.handle(input).await;
    }

    fn publish(&mut self, status: &Status) {
        let live = self.ports.tree.live();
        live.publish(|live| status.publish(live));
        let Some(last) = status.sessions.back() else {
            return;
        };
        self.sessions = last.number;
        for (number, answer) in std::mem::take(&mut self.waiting) {
            let ended = status
                .sessions
                .iter()
                .find(|session| session.number == number);
            match ended.map(|session| (session.result.as_str(), &session.events)) {
                Some(("done", events)) => answer(Ok(format!("session {number}: {events}"))),
                Some((why, _)) if !why.is_empty() => {
                    answer(Err(OperationError::Failed(why.to_owned())));
                }
                _ => self.waiting.push((number, answer)),
            }
        }
    }

    fn now(&self) -> Moment {
        let mut chance = [0; 8];
        // Without randomness many units would come back at the same time; nothing worse.
        let _ = rand_bytes(&mut chance);
        Moment {
            tick: Instant::now(),
            wall: self.ports.keyring.clock().time().known(),
            chance: u64::from_ne_bytes(chance),
        }
    }

    /// Until the client's deadline.
    fn wait(&self) -> Instant {
        let later = Instant::now() + NOTHING_DUE;
        self.client.wake_at().map_or(later, |at| at.min(later))
    }
}

/// Wakes when something published there has changed, or a transfer that the
/// ACS may have to be told of.
fn watch_published(tree: &Tree, wake: &Arc<Notify>, tables: BTreeSet<TableId>) -> Subscription {
    let wake = wake.clone();
    let tables = tables.into_iter().chain([cert::transfer::TABLE]);
    tree.live().watch(tables, move || wake.notify_one())
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // Whoever could say it being gone says it too.
    let _ = stop.wait_for(|stop| *stop).await;
}

fn account(settings: &Settings, who: &DeviceIdStruct) -> Account {
    Account {
        username: settings.username_of(who),
        password: settings.password.clone(),
    }
}

/// What a session proves of a change that waits for its confirmation.
pub const PROBE: &str = "acs";
