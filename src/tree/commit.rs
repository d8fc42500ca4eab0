//! The tree of one device: where readers, writers and engines meet.
//!
//! Validation runs on a private tip under a lock; the journal makes the
//! commit durable on its own thread; then the snapshot is published, the
//! watchers are told, and the writer is answered, in this order.

use super::actor::{Actor, Face, Rights};
use super::audit::{Audit, KEPT};
use super::codec::{RowCodec, table_named};
use super::confirm::{self, Prober, Promise, ProofSink};
use super::guard::Guard;
use super::instances::Instances;
use super::live::Live;
use super::load::load;
use super::notice::Notice;
use super::operation::{Answer, Operation, Operations, Sink};
use super::refusal::{Reason, Refusal};
use super::said::committed;
use super::seal::Sealer;
use super::snapshot::Snapshot;
use super::step::Step;
use super::store::{DeviceId, Store, StoreError};
use super::txn::Transaction;
use super::watch::{Command, Subscribers, Subscription, changed_tables};
use crate::schema::{ColumnId, Index, Name, TableId, Value, conf};
use arc_swap::ArcSwap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, mpsc};

/// The tree of one device; clones are the same tree.
#[derive(Clone)]
pub struct Tree {
    shared: Arc<Shared>,
}

struct Shared {
    published: ArcSwap<Snapshot>,
    /// The newest checked version, on its way to disk; also what orders commits.
    tip: Mutex<Arc<Snapshot>>,
    live: Live,
    subscribers: Subscribers,
    operations: Operations,
    guards: Vec<Guard>,
    derive: Vec<(ColumnId, Derive)>,
    backing: Backing,
    audit: Mutex<Audit>,
    /// Commits without a change of their own that wait for earlier ones.
    waiting: Mutex<VecDeque<(u64, Waiter)>>,
    notices: RwLock<Vec<NoticeSink>>,
    prober: RwLock<Option<Prober>>,
    proofs: RwLock<Vec<ProofSink>>,
}

/// Who writes a commit to the disk.
#[derive(Clone, Copy)]
enum Writer {
    /// The store's thread: the caller goes on.
    Thread,
    /// The caller, who waits for it anyway.
    Caller,
}

type Waiter = Box<dyn FnOnce(Result<(), Refusal>) + Send>;
type NoticeSink = Arc<dyn Fn(&Notice) + Send + Sync>;

/// Where commits become durable.
pub enum Backing {
    /// Nowhere: for tests of what stands above the tree.
    Memory,
    /// In a store that several devices may share.
    Store {
        /// The store.
        store: Store,
        /// Which of its devices this is.
        device: DeviceId,
        /// Seals this device's secrets.
        sealer: Arc<Sealer>,
    },
}

/// Turns what was set (a password) into what is kept (its hash and keys).
pub type Derive = Arc<dyn Fn(&Snapshot, &Name, &[u8]) -> Result<Vec<u8>, Reason> + Send + Sync>;

/// How a commit ended.
pub type Outcome = Result<Committed, Vec<Refusal>>;

/// A commit that is on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The version in which it is true.
    pub version: u64,
}

/// Why a tree could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The store could not give the rows.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A row on disk cannot be read.
    #[error(transparent)]
    Row(#[from] super::codec::RowError),
}

impl Tree {
    /// Reads the device's rows and stands ready.
    ///
    /// Guards and derivations are given once: they belong to the engines that
    /// this device has. Rows of tables that this firmware does not know, and
    /// cells whose value it does not allow, are left out and named in the
    /// second part of the answer.
    pub fn open(
        backing: Backing,
        guards: Vec<Guard>,
        derive: Vec<(ColumnId, Derive)>,
    ) -> Result<(Self, Vec<String>), OpenError> {
        let (snapshot, dropped) = match &backing {
            Backing::Memory => (Snapshot::factory(), Vec::new()),
            Backing::Store {
                store,
                device,
                sealer,
            } => load(store, *device, &RowCodec::new(sealer.clone(), device.0))?,
        };
        let snapshot = Arc::new(snapshot);
        let tree = Self {
            shared: Arc::new(Shared {
                published: ArcSwap::new(snapshot.clone()),
                tip: Mutex::new(snapshot),
                live: Live::new(),
                subscribers: Subscribers::default(),
                operations: Operations::default(),
                guards,
                derive,
                backing,
                audit: Mutex::default(),
                waiting: Mutex::default(),
                notices: RwLock::default(),
                prober: RwLock::default(),
                proofs: RwLock::default(),
            }),
        };
        let shared = Arc::downgrade(&tree.shared);
        let version = move || {
            let version = shared
                .upgrade()
                .map_or(0, |shared| shared.published.load().version());
            Value::from(version.to_string())
        };
        tree.shared
            .live
            .probe(conf::CONFIG_VERSION, Arc::new(version));
        tree.recall();
        Ok((tree, dropped))
    }

    /// A tree without a disk, a guard or a derivation.
    pub fn in_memory() -> Self {
        match Self::open(Backing::Memory, Vec::new(), Vec::new()) {
            Ok((tree, _)) => tree,
            Err(_) => unreachable!("memory has no store that could fail"),
        }
    }

    /// The configuration as it stands.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.published.load_full()
    }

    /// The tree as faces read it.
    pub fn instances(&self) -> Instances {
        let live = &self.shared.live;
        Instances::new(self.snapshot(), live.rows(), live.probes())
    }

    /// Where engines publish.
    pub fn live(&self) -> &Live {
        &self.shared.live
    }

    /// Subscribes to tables and their commands; `wake` is called after each
    /// commit that concerns them, from the committing thread, and must only
    /// wake.
    pub fn subscribe(
        &self,
        tables: impl IntoIterator<Item = TableId>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Subscription {
        self.shared.subscribers.add(tables, Box::new(wake))
    }

    /// Offers an operation; `sink` takes each invocation as one more input.
    pub fn offer(&self, operation: &'static Operation, sink: Sink) {
        self.shared.operations.offer(operation, sink);
    }

    /// All operations on offer.
    pub fn operations(&self) -> Vec<&'static Operation> {
        self.shared.operations.list()
    }

    /// Invokes an operation by name.
    pub fn invoke(
        &self,
        actor: Actor,
        name: &str,
        arguments: &[(String, String)],
        blob: Option<Vec<u8>>,
        answer: Answer,
    ) {
        let operations = &self.shared.operations;
        operations.invoke(actor, name, arguments, blob, answer);
    }

    /// Says what happened to whoever carries notices out.
    pub fn notify(&self, notice: &Notice) {
        self.shared.say(notice);
    }

    /// Carries out every notice from now on.
    pub fn on_notice(&self, sink: impl Fn(&Notice) + Send + Sync + 'static) {
        let mut sinks = self
            .shared
            .notices
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        sinks.push(Arc::new(sink));
    }

    /// Checks a transaction and, if it may be, makes it true.
    ///
    /// `at` is the time in seconds since 1970, 0 while unknown. `done` hears
    /// the outcome once: at once on a refusal, else when it is on disk, then
    /// on the committing thread. It must not block.
    pub fn commit(&self, txn: Transaction, at: u64, done: impl FnOnce(Outcome) + Send + 'static) {
        self.commit_by(Writer::Thread, txn, at, done);
    }

    fn commit_by(
        &self,
        writer: Writer,
        mut txn: Transaction,
        at: u64,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let done = self.saying_refusals(txn.actor().clone(), at, done);
        if let Err(refusals) = self.derive(&mut txn) {
            return done(Err(refusals));
        }
        let tip = self.lock_tip();
        let candidate = match txn.check(&tip, &self.shared.guards) {
            Ok(candidate) => candidate,
            Err(refusals) => {
                drop(tip);
                return done(Err(refusals));
            }
        };
        let rows: Vec<(TableId, Index)> = candidate
            .changed_rows()
            .map(|(table, index)| (table, index.clone()))
            .collect();
        let commands = candidate.commands;
        let mut next = candidate.after;
        if rows.is_empty() {
            let version = tip.version();
            drop(tip);
            return self.settle_unchanged(version, commands, done);
        }
        next.set_version(tip.version() + 1);
        let at_once = self.promise(&tip, &mut next, rows, &commands, txn.actor(), at);
        let rows = match at_once {
            Ok(rows) => rows,
            Err(refusal) => {
                drop(tip);
                return done(Err(vec![refusal]));
            }
        };
        let step = Step {
            next: Arc::new(next),
            rows,
            commands,
            actor: txn.actor().clone(),
            at,
        };
        self.persist(writer, tip, step, done);
    }

    /// As [`Tree::commit`], and waits: for scripts, start-up and tests. Whoever
    /// waits anyway writes to the disk himself where nobody else does.
    pub fn commit_and_wait(&self, txn: Transaction, at: u64) -> Outcome {
        let (send, receive) = mpsc::channel();
        self.commit_by(Writer::Caller, txn, at, move |outcome| {
            // The receiver waits below; a send cannot be lost.
            let _ = send.send(outcome);
        });
        let closed = || Err(vec![Refusal::unavailable("the store is closed")]);
        receive.recv().unwrap_or_else(|_| closed())
    }

    /// Shows the commits of earlier runs that the journal still holds.
    fn recall(&self) {
        let Backing::Store { store, device, .. } = &self.shared.backing else {
            return;
        };
        // An unreadable history costs the table its past, nothing else.
        let mut records = store.history(*device, KEPT).unwrap_or_default();
        records.reverse();
        let mut audit = self
            .shared
            .audit
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        self.shared.live.publish(|live| {
            for record in &records {
                let rows = record.rows.iter();
                let rows: Vec<(TableId, Index)> = rows
                    .filter_map(|row| Some((table_named(&row.table)?, Index::from_arcs(&row.key))))
                    .collect();
                let actor = Actor {
                    face: Face::from_number(record.who.face),
                    user: record.who.user.clone(),
                    address: record.who.address.clone(),
                    rights: Rights::Observer,
                };
                audit.add(live, &actor, record.version, record.at / 1_000_000, &rows);
            }
        });
    }

    fn lock_tip(&self) -> MutexGuard<'_, Arc<Snapshot>> {
        self.shared
            .tip
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn derive(&self, txn: &mut Transaction) -> Result<(), Vec<Refusal>> {
        let rules = &self.shared.derive;
        let snapshot = self.snapshot();
        let derived = |column| rules.iter().any(|(known, _)| *known == column);
        txn.rewrite(derived, |name, value| {
            let rule = rules.iter().find(|(known, _)| *known == name.column);
            match (rule, value.as_octets()) {
                (Some((_, rule)), Some(octets)) => rule(&snapshot, name, octets).map(Value::octets),
                _ => Ok(value.clone()),
            }
        })
    }

    /// The rows of a commit, with the one that undoes it where that was asked for.
    fn promise(
        &self,
        before: &Snapshot,
        next: &mut Snapshot,
        mut rows: Vec<(TableId, Index)>,
        commands: &[Command],
        actor: &Actor,
        at: u64,
    ) -> Result<Vec<(TableId, Index)>, Refusal> {
        let Some(within) = confirm::asked(commands) else {
            return Ok(rows);
        };
        let prober = self
            .shared
            .prober
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let tables: Vec<TableId> = changed_tables(&rows).into_iter().collect();
        let promise = Promise {
            before,
            rows: &rows,
            actor,
            at,
            within,
            probes: &prober.map_or_else(Vec::new, |prober| prober(&tables)),
        };
        let pending = promise.keep(next)?;
        rows.push(pending);
        Ok(rows)
    }

    /// Says what has to be seen to work after a change, for every change from now on.
    pub fn probe_changes_by(&self, prober: Prober) {
        let mut known = self
            .shared
            .prober
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *known = Some(prober);
    }

    /// An engine has seen that something works as of a version: whoever waits hears it.
    pub fn prove(&self, probe: &str, version: u64) {
        let sinks = self
            .shared
            .proofs
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        for sink in sinks.iter() {
            sink(probe, version);
        }
    }

    /// Hears every proof from now on.
    pub fn on_proof(&self, sink: ProofSink) {
        let mut sinks = self
            .shared
            .proofs
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        sinks.push(sink);
    }

    /// Nothing to write; true once everything before it is on disk.
    fn settle_unchanged(
        &self,
        version: u64,
        commands: Vec<Command>,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let shared = self.shared.clone();
        let waiter: Waiter = Box::new(move |result| {
            if result.is_ok() {
                shared.subscribers.tell(&[].into(), &commands);
            }
            done(
                result
                    .map(|()| Committed { version })
                    .map_err(|refusal| vec![refusal]),
            );
        });
        let mut waiting = self
            .shared
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if self.shared.published.load().version() >= version {
            drop(waiting);
            return waiter(Ok(()));
        }
        waiting.push_back((version, waiter));
    }

    fn persist(
        &self,
        writer: Writer,
        mut tip: MutexGuard<'_, Arc<Snapshot>>,
        step: Step,
        done: impl FnOnce(Outcome) + Send + 'static,
    ) {
        let version = step.next.version();
        let Backing::Store {
            store,
            device,
            sealer,
        } = &self.shared.backing
        else {
            *tip = step.next.clone();
            self.shared.publish(step);
            drop(tip);
            return done(Ok(Committed { version }));
        };
        let codec = RowCodec::new(sealer.clone(), device.0);
        let record = match step.record(*device, &tip, &codec) {
            Ok(record) => record,
            Err(refusal) => {
                drop(tip);
                return done(Err(vec![refusal]));
            }
        };
        let before = std::mem::replace(&mut *tip, step.next.clone());
        let shared = self.shared.clone();
        let written = move |written: Result<(), StoreError>| {
            let outcome = match written {
                Ok(()) => {
                    shared.publish(step);
                    Ok(Committed { version })
                }
                Err(error) => {
                    let refusal = Refusal::unavailable(format!("nothing was changed: {error}"));
                    if !matches!(error, StoreError::Busy | StoreError::Closed) {
                        shared.fall_back(&refusal);
                    }
                    Err(vec![refusal])
                }
            };
            // Whoever hears the outcome may close the store: this must not be its last handle.
            drop(shared);
            done(outcome);
        };
        // Appended under the lock: the journal's order is the order of versions.
        let queued = match writer {
            Writer::Thread => store.append(record, Box::new(written)),
            Writer::Caller => store.append_to_lead(record, Box::new(written)),
        };
        if let Err((written, error)) = queued {
            *tip = before;
            drop(tip);
            return written(Err(error));
        }
        drop(tip);
        if let Writer::Caller = writer {
            store.lead();
        }
    }
}

impl Shared {
    /// The commit is on disk: everyone may see it.
    fn publish(&self, step: Step) {
        let version = step.next.version();
        self.published.store(step.next.clone());
        let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        self.live
            .publish(|live| audit.add(live, &step.actor, version, step.at, &step.rows));
        drop(audit);
        self.subscribers
            .tell(&changed_tables(&step.rows), &step.commands);
        self.say(&committed(&step.actor, version, &step.rows));
        self.release(version, &Ok(()));
    }

    fn say(&self, notice: &Notice) {
        let sinks = self.notices.read().unwrap_or_else(PoisonError::into_inner);
        for sink in sinks.iter() {
            sink(notice);
        }
    }

    /// The commit is not on disk: the tip goes back to what is.
    fn fall_back(&self, why: &Refusal) {
        let mut tip = self.tip.lock().unwrap_or_else(PoisonError::into_inner);
        *tip = self.published.load_full();
        drop(tip);
        self.release(u64::MAX, &Err(why.clone()));
    }

    fn release(&self, version: u64, result: &Result<(), Refusal>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (due, later) = waiting
            .drain(..)
            .partition(|(wanted, _)| *wanted <= version);
        *waiting = later;
        let due: VecDeque<(u64, Waiter)> = due;
        drop(waiting);
        for (_, waiter) in due {
            waiter(result.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::hoc;
    use crate::tree::store::StoreOptions;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("demarc-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a temporary folder");
            Self(path)
        }

        fn open(&self, sealer: &Arc<Sealer>) -> Tree {
            let store = Store::open(&self.0, StoreOptions::default()).expect("a store");
            let backing = Backing::Store {
                store,
                device: DeviceId(7),
                sealer: sealer.clone(),
            };
            Tree::open(backing, Vec::new(), Vec::new())
                .expect("a tree")
                .0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn wish(name: &str, value: &str) -> Transaction {
        let mut txn = Transaction::new(Actor::local());
        txn.assign(Name::parse(name).expect("a name"), Value::from(value));
        txn
    }

    fn text(tree: &Tree, name: &str) -> Option<Value> {
        let name = Name::parse(name).expect("a name");
        tree.snapshot().cell(name.column, &name.index).cloned()
    }

    #[test]
    fn what_was_committed_is_there_after_opening_again() {
        let folder = Folder::new("reopen");
        let sealer = Arc::new(Sealer::random().expect("random"));
        let tree = folder.open(&sealer);
        for (name, value) in [
            ("Hoc.SystemName", "gw"),
            ("Hoc.StaticHosts[Index=4].Name", "pbx"),
            ("Snmp.Community", "a-secret-community"),
        ] {
            tree.commit_and_wait(wish(name, value), 1_800_000_000)
                .expect("granted");
        }
        drop(tree);
        let tree = folder.open(&sealer);
        assert_eq!(tree.snapshot().version(), 3);
        assert_eq!(text(&tree, "Hoc.SystemName"), Some(Value::from("gw")));
        assert_eq!(
            text(&tree, "Hoc.StaticHosts[Index=4].Name"),
            Some(Value::from("pbx"))
        );
        assert_eq!(
            text(&tree, "Snmp.Community"),
            Some(Value::from("a-secret-community"))
        );
        let audit = Name::parse("Conf.Audit[Index=3].Objects").expect("a name");
        assert_eq!(tree.instances().read(&audit), Some(Value::from("Snmp")));
    }

    #[test]
    fn a_secret_is_nowhere_on_disk_in_the_clear_and_reads_as_nothing() {
        let folder = Folder::new("sealed");
        let sealer = Arc::new(Sealer::random().expect("random"));
        let tree = folder.open(&sealer);
        let secret = "a-secret-community-7f3a";
        tree.commit_and_wait(wish("Snmp.Community", secret), 0)
            .expect("granted");
        let name = Name::parse("Snmp.Community").expect("a name");
        assert_eq!(tree.instances().read(&name), Some(Value::from("")));
        drop(tree);
        let mut files = vec![folder.0.clone()];
        let mut read = 0;
        while let Some(path) = files.pop() {
            if path.is_dir() {
                let entries = std::fs::read_dir(&path).expect("a folder");
                files.extend(entries.map(|entry| entry.expect("an entry").path()));
                continue;
            }
            let octets = std::fs::read(&path).expect("a file");
            let found = octets
                .windows(secret.len())
                .any(|part| part == secret.as_bytes());
            assert!(!found, "{} holds the secret", path.display());
            read += 1;
        }
        assert!(read >= 2, "{read} files");
    }

    #[test]
    fn another_device_key_opens_no_secret_and_says_which() {
        let folder = Folder::new("foreign-key");
        let sealer = Arc::new(Sealer::random().expect("random"));
        let tree = folder.open(&sealer);
        tree.commit_and_wait(wish("Snmp.Community", "something"), 0)
            .expect("granted");
        drop(tree);
        let store = Store::open(&folder.0, StoreOptions::default()).expect("a store");
        let backing = Backing::Store {
            store,
            device: DeviceId(7),
            sealer: Arc::new(Sealer::random().expect("random")),
        };
        let refused = Tree::open(backing, Vec::new(), Vec::new()).map(|_| ());
        let sentence = "the secret community was sealed with another device key";
        assert_eq!(
            refused.map_err(|error| error.to_string()),
            Err(sentence.to_owned())
        );
    }

    #[test]
    fn a_watcher_is_told_once_a_commit_and_not_of_what_does_not_concern_it() {
        let tree = Tree::in_memory();
        let told = Arc::new(AtomicU32::new(0));
        let count = told.clone();
        let _subscription = tree.subscribe([hoc::static_hosts::TABLE], move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0)
            .expect("granted");
        assert_eq!(told.load(Ordering::Relaxed), 0);
        tree.commit_and_wait(wish("Hoc.StaticHosts[Index=1].Name", "y"), 0)
            .expect("granted");
        assert_eq!(told.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn each_commit_says_who_changed_what_and_never_to_which_value() {
        let tree = Tree::in_memory();
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = said.clone();
        tree.on_notice(move |notice| heard.lock().expect("unpoisoned").push(notice.text.clone()));
        tree.commit_and_wait(wish("Hoc.StaticHosts[Index=1].Name", "the-value"), 0)
            .expect("granted");
        let sentence = "admin by local from here made version 1: Hoc.StaticHosts[Index=1]";
        assert_eq!(*said.lock().expect("unpoisoned"), [sentence]);
    }

    #[test]
    fn a_guard_sees_before_and_after_and_names_what_it_refuses() {
        fn no_pbx(candidate: &crate::tree::Candidate<'_>) -> Vec<Refusal> {
            let index = Index::scalar();
            let column = hoc::SYSTEM_NAME.id();
            match candidate.after.cell(column, &index) {
                Some(name) if *name == Value::from("pbx") => {
                    vec![candidate.refuse(column, &index, "that is the other box")]
                }
                _ => Vec::new(),
            }
        }
        let (tree, _) = Tree::open(Backing::Memory, vec![no_pbx], Vec::new()).expect("a tree");
        let refused = tree
            .commit_and_wait(wish("Hoc.SystemName", "pbx"), 0)
            .expect_err("guarded");
        assert_eq!(
            refused[0].to_string(),
            "Hoc.SystemName: that is the other box"
        );
        assert_eq!(tree.snapshot().version(), 0);
    }

    #[test]
    fn an_equal_value_is_answered_without_a_new_version() {
        let tree = Tree::in_memory();
        tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0)
            .expect("granted");
        let again = tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0);
        assert_eq!(again, Ok(Committed { version: 1 }));
    }

    #[test]
    fn a_transaction_on_an_older_version_is_refused() {
        let tree = Tree::in_memory();
        tree.commit_and_wait(wish("Hoc.SystemName", "x"), 0)
            .expect("granted");
        let stale = wish("Hoc.SystemName", "y").based_on(0);
        let refused = tree.commit_and_wait(stale, 0).expect_err("stale");
        assert!(matches!(refused[0].reason, Reason::Unavailable(_)));
    }
}
