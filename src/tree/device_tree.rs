//! The tree of one device: where readers, writers and engines meet.
//!
//! Opening it, reading it, and who hears what: engines of changes and of
//! commands, notices, proofs. How a change becomes true is in `commit`.

use super::actor::{Actor, Face, Rights};
use super::audit::{Audit, KEPT};
use super::codec::{RowCodec, table_named};
use super::commit::Waiter;
use super::confirm::{Prober, ProofSink};
use super::guard::Guard;
use super::instances::Instances;
use super::live::Live;
use super::load::load;
use super::notice::Notice;
use super::operation::{Answer, Operation, Operations, Sink};
use super::refusal::Reason;
use super::seal::Sealer;
use super::snapshot::Snapshot;
use super::store::{DeviceId, Store, StoreError};
use super::watch::{Subscribers, Subscription};
use crate::schema::{ColumnId, Index, Name, TableId, Value, conf};
use arc_swap::ArcSwap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The tree of one device; clones are the same tree.
#[derive(Clone)]
pub struct Tree {
    pub(super) shared: Arc<Shared>,
}

/// What the clones of a tree share.
pub(super) struct Shared {
    pub(super) published: ArcSwap<Snapshot>,
    /// The newest checked version, on its way to disk; also what orders commits.
    pub(super) tip: Mutex<Arc<Snapshot>>,
    pub(super) live: Live,
    pub(super) subscribers: Subscribers,
    operations: Operations,
    pub(super) guards: Vec<Guard>,
    pub(super) derive: Vec<(ColumnId, Derive)>,
    pub(super) backing: Backing,
    pub(super) audit: Mutex<Audit>,
    /// Commits without a change of their own that wait for earlier ones.
    pub(super) waiting: Mutex<VecDeque<(u64, Waiter)>>,
    notices: RwLock<Vec<NoticeSink>>,
    pub(super) prober: RwLock<Option<Prober>>,
    proofs: RwLock<Vec<ProofSink>>,
}

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
}

impl Shared {
    pub(super) fn say(&self, notice: &Notice) {
        let sinks = self.notices.read().unwrap_or_else(PoisonError::into_inner);
        for sink in sinks.iter() {
            sink(notice);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Transaction;
    use crate::tree::store::StoreOptions;
    use std::path::PathBuf;

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
}
