//! Commits to disk and rows back from it.
//!
//! The journal acknowledges, sled is the tree on disk, a snapshot file is the
//! second copy. One thread commits, one brings sled up to date behind it. Rows
//! are octets here: what they mean is the tree's business. It never answers
//! for what is not on disk, and never throws away what may be the only copy.
//!
//! Where to read on: `opening` decides what stands at start, `committer`
//! acknowledges, `applier` does everything that may take its time.

mod applier;
mod committer;
mod error;
mod event;
mod folders;
pub(in crate::tree) mod image;
mod inspection;
mod ledger;
mod opening;
mod rows;
#[cfg(test)]
pub(in crate::tree) mod scratch;
mod settling;
mod shared;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

pub use error::StoreError;
pub use event::{StoreEvent, Unsound};
pub use inspection::{Inspection, inspect};

pub use super::journal::{DeviceId, MAX_SUB_IDENTIFIERS, Record, RowChange, Who};

use super::journal::{self, Disk};
use applier::Applier;
pub use committer::Done;
use committer::{Committer, Queue};
use folders::{Folders, Lock};
use shared::Shared;

/// A folder of commits; a clone is another handle to it, which hears of events
/// what this one did not yet. The last handle closes it.
pub struct Store {
    inner: Arc<Inner>,
    /// The number of the next event that this handle did not hear of.
    heard: AtomicU64,
}

impl Clone for Store {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            heard: AtomicU64::new(self.heard.load(Ordering::Relaxed)),
        }
    }
}

/// How a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreOptions {
    /// Octets that a journal file is made with.
    pub journal_file: u64,
    /// Octets of journal after which a new snapshot file is written.
    pub snapshot_after: u64,
    /// What to do about a damaged journal.
    pub on_damage: OnDamage,
}

/// What to do where the journal is damaged and no other copy is whole and as new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDamage {
    /// Answer [`StoreError::Damaged`].
    Refuse,
    /// Go on from the newest good state; the damaged files are moved aside.
    Salvage,
}

/// The rows of one device as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its last version; 0 for a device that never committed.
    pub version: u64,
    /// By table name, then by index in OID order.
    pub rows: Vec<StoredRow>,
}

/// One row of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRow {
    /// Name of the table.
    pub table: Arc<str>,
    /// Index as sub-identifiers.
    pub key: Vec<u32>,
    /// The row's octets.
    pub value: Vec<u8>,
}

/// How often the disk was asked to sync, beside how many commits that acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreCounts {
    /// Commits that are on disk.
    pub commits: u64,
    /// Syncs that put them there.
    pub syncs: u64,
}

struct Inner {
    shared: Arc<Shared>,
    folders: Folders,
    queue: Arc<Queue>,
    threads: Mutex<Option<Threads>>,
}

struct Threads {
    committer: JoinHandle<()>,
    applier: JoinHandle<()>,
}

impl Store {
    /// Opens the folder or makes it, and takes it for this process alone.
    pub fn open(dir: &Path, options: StoreOptions) -> Result<Self, StoreError> {
        Self::open_on(dir, &options, Disk::real())
    }

    fn open_on(dir: &Path, options: &StoreOptions, disk: Disk) -> Result<Self, StoreError> {
        let folders = Folders::make(dir)?;
        // Let go when both threads have ended.
        let lock = Arc::new(folders.lock()?);
        let opened = opening::open(&folders, options, disk)?;
        let shared = Arc::new(Shared::new(&opened));
        let applier = Applier::new(&opened, &folders, options, Arc::clone(&shared));
        let committer = Committer::new(opened.journal, opened.ledger, Arc::clone(&shared));
        let queue = Arc::new(Queue::new(committer));
        let written = Arc::clone(&queue);
        let threads = Threads {
            committer: spawn("committer", &lock, move || written.run())?,
            applier: spawn("applier", &lock, move || applier.run())?,
        };
        let inner = Inner {
            shared,
            folders,
            queue,
            threads: Mutex::new(Some(threads)),
        };
        Ok(Self {
            inner: Arc::new(inner),
            heard: AtomicU64::new(0),
        })
    }

    /// The rows of one device as they stand after its last acknowledged commit.
    pub fn load(&self, device: DeviceId) -> Result<Stored, StoreError> {
        self.inner.shared.load(device)
    }

    /// Queues one commit and never blocks.
    ///
    /// `done` runs on the thread that writes it, in order, once the commit is
    /// on disk or cannot be. Where the store is closed or busy nothing was
    /// queued, and `done` comes back with the reason.
    pub fn append(&self, record: Record, done: Done) -> Result<(), (Done, StoreError)> {
        self.inner.queue.push(record, done)?;
        self.inner.queue.wake();
        Ok(())
    }

    /// Queues one commit as [`Store::append`] does, for a caller who is going to
    /// wait for it: nobody writes it before he calls [`Store::lead`].
    pub fn append_to_lead(&self, record: Record, done: Done) -> Result<(), (Done, StoreError)> {
        self.inner.queue.push(record, done)
    }

    /// Writes what waits on this thread, unless another one is at it, which
    /// then goes on. Blocks while the disk does.
    pub fn lead(&self) {
        self.inner.queue.lead();
    }

    /// What happened since the last call through this handle, oldest first; at most [`MAX_EVENTS`] are kept.
    pub fn events(&self) -> Vec<StoreEvent> {
        let (next, events) = self
            .inner
            .shared
            .events_from(self.heard.load(Ordering::Relaxed));
        self.heard.store(next, Ordering::Relaxed);
        events
    }

    /// The newest commits of a device that the journal still holds, newest first.
    pub fn history(&self, device: DeviceId, newest: usize) -> Result<Vec<Record>, StoreError> {
        let folder = &self.inner.folders.journal;
        journal::history(folder, device, newest, self.inner.shared.synced())
            .map_err(StoreError::at(folder))
    }

    /// Commits and syncs since it was opened.
    pub fn counts(&self) -> StoreCounts {
        self.inner.shared.counts()
    }

    /// Commits what waits, brings sled up to date and lets go of the folder.
    ///
    /// Other handles stay valid and are answered [`StoreError::Closed`].
    pub fn close(self) {
        self.inner.close();
    }
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            journal_file: 1 << 20,
            snapshot_after: 4 << 20,
            on_damage: OnDamage::Refuse,
        }
    }
}

impl Inner {
    fn close(&self) {
        self.queue.close();
        let Some(threads) = lock(&self.threads).take() else {
            return;
        };
        if threads.committer.thread().id() == thread::current().id() {
            // The last handle went in a commit's answer: that thread ends by itself.
            self.shared.close();
            return;
        }
        // Neither thread hands out a panic: what they run is fenced.
        _ = threads.committer.join();
        self.shared.close();
        _ = threads.applier.join();
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(
    name: &str,
    folder: &Arc<Lock>,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, StoreError> {
    let folder = Arc::clone(folder);
    thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            run();
            drop(folder);
        })
        .map_err(StoreError::at(Path::new(name)))
}

/// A thread that panicked leaves what it guarded in order: each change is one assignment.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Events that are kept for whoever asks; the oldest give way.
pub const MAX_EVENTS: usize = 256;

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::{self, ErrorKind};
    use std::os::unix::fs::FileExt;
    use std::sync::mpsc;

    use super::scratch::Scratch;
    use super::*;

    #[test]
    fn a_full_disk_refuses_and_writes_again_when_space_returns() {
        let dir = Scratch::folder();
        let space = Arc::new(AtomicU64::new(6000));
        let store = open_on(&dir, limited(&space));
        let taken = (1..=100)
            .take_while(|&version| append(&store, version).is_ok())
            .count() as u64;
        assert!((1..100).contains(&taken), "{taken} commits");
        assert_eq!(append(&store, taken + 1), Err(StoreError::Full));
        assert_eq!(store.load(DEVICE).map(|stored| stored.version), Ok(taken));
        assert_eq!(store.events(), [StoreEvent::Full]);
        space.store(1 << 20, Ordering::Relaxed);
        assert_eq!(append(&store, taken + 1), Ok(()));
        assert_eq!(store.events(), [StoreEvent::WritesAgain]);
        store.close();
        let store = open_on(&dir, Disk::real());
        assert_eq!(
            store.load(DEVICE).map(|stored| stored.version),
            Ok(taken + 1)
        );
        assert_eq!(store.events(), []);
    }

    #[test]
    fn a_refused_commit_does_not_come_back_after_a_crash() {
        for partly in [0, 8, 24, 100, u64::MAX] {
            let dir = Scratch::folder();
            let space = Arc::new(AtomicU64::new(u64::MAX));
            let store = open_on(&dir, limited(&space));
            assert_eq!(append(&store, 1), Ok(()));
            // All octets reach the file and it still says no.
            let disk_says_no = partly == u64::MAX;
            space.store(if disk_says_no { NO } else { partly }, Ordering::Relaxed);
            assert_eq!(append(&store, 2), Err(StoreError::Full));
            let crashed = Scratch::folder();
            copy(&dir, &crashed);
            let store = open_on(&crashed, Disk::real());
            assert_eq!(store.load(DEVICE).map(|stored| stored.version), Ok(1));
            assert_eq!(append(&store, 2), Ok(()));
        }
    }

    #[test]
    fn what_was_built_on_a_refused_commit_is_refused_too() {
        let dir = Scratch::folder();
        let space = Arc::new(AtomicU64::new(u64::MAX));
        let store = open_on(&dir, limited(&space));
        assert_eq!(append(&store, 1), Ok(()));
        space.store(0, Ordering::Relaxed);
        let (told, answers) = mpsc::channel();
        for version in 2..=9 {
            let told = told.clone();
            let queued = store.append(
                record(version),
                Box::new(move |answer| told.send(answer).expect("we listen")),
            );
            assert!(queued.is_ok());
        }
        for _ in 2..=9 {
            let refused = answers
                .recv()
                .expect("answered")
                .expect_err("there is no space");
            assert!(matches!(
                refused,
                StoreError::Full | StoreError::OutOfOrder { .. }
            ));
        }
        assert_eq!(store.load(DEVICE).map(|stored| stored.version), Ok(1));
    }

    #[test]
    fn after_a_failed_sync_nothing_is_taken_until_the_next_start() {
        let dir = Scratch::folder();
        let syncs = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&syncs);
        let disk = Disk {
            sync: Box::new(move |_| match counted.fetch_add(1, Ordering::Relaxed) {
                2 => Err(ErrorKind::Other.into()),
                _ => Ok(()),
            }),
            ..Disk::real()
        };
        let store = open_on(&dir, disk);
        assert_eq!(append(&store, 1), Ok(()));
        assert_eq!(append(&store, 2), Ok(()));
        assert_eq!(append(&store, 3), Err(StoreError::Unknown));
        assert_eq!(append(&store, 3), Err(StoreError::Unknown));
        assert_eq!(
            syncs.load(Ordering::Relaxed),
            3,
            "the sync is not asked again"
        );
        assert_eq!(store.events(), [StoreEvent::SyncFailed]);
        store.close();
        let store = open_on(&dir, Disk::real());
        let version = store.load(DEVICE).expect("readable").version;
        assert!((2..=3).contains(&version));
        assert_eq!(append(&store, version + 1), Ok(()));
    }

    #[test]
    fn who_waits_writes_himself_unless_another_is_at_it() {
        let dir = Scratch::folder();
        let store = open_on(&dir, Disk::real());
        let (told, answers) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let queue = |version, held: Option<mpsc::Receiver<()>>| {
            let told = told.clone();
            let done = move |outcome| {
                told.send((thread::current().id(), outcome))
                    .expect("we listen");
                held.map(|held| held.recv());
            };
            assert!(
                store
                    .append_to_lead(record(version), Box::new(done))
                    .is_ok()
            );
        };
        queue(1, None);
        store.lead();
        assert_eq!(answers.recv(), Ok((thread::current().id(), Ok(()))));
        // The thread is kept busy in the answer to the second.
        queue(2, Some(released));
        store.inner.queue.wake();
        let (other, outcome) = answers.recv().expect("an answer");
        assert_eq!(outcome, Ok(()));
        assert_ne!(other, thread::current().id());
        queue(3, None);
        store.lead();
        assert!(answers.try_recv().is_err(), "it was left to the thread");
        release.send(()).expect("it waits");
        assert_eq!(answers.recv(), Ok((other, Ok(()))));
    }

    #[test]
    fn the_last_handle_may_go_in_the_answer_to_a_commit() {
        let dir = Scratch::folder();
        let store = open_on(&dir, Disk::real());
        let (told, answer) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let last = store.clone();
        let done = move |outcome: Result<(), StoreError>| {
            released.recv().expect("told to go on");
            drop(last);
            told.send(outcome).expect("we listen");
        };
        assert!(store.append(record(1), Box::new(done)).is_ok());
        drop(store);
        release.send(()).expect("it waits");
        assert_eq!(answer.recv(), Ok(Ok(())));
        let opened = (0..500).find_map(|_| {
            thread::sleep(std::time::Duration::from_millis(10));
            Store::open(&dir, StoreOptions::default()).ok()
        });
        let store = opened.expect("its threads end by themselves");
        assert_eq!(store.load(DEVICE).map(|stored| stored.version), Ok(1));
    }

    const DEVICE: DeviceId = DeviceId(4);
    const NO: u64 = u64::MAX - 1;

    fn open_on(dir: &Path, disk: Disk) -> Store {
        let options = StoreOptions {
            journal_file: 1024,
            ..StoreOptions::default()
        };
        Store::open_on(dir, &options, disk).expect("opens")
    }

    /// Takes so many octets; zeros over what is there are free, as on a real disk.
    fn limited(space: &Arc<AtomicU64>) -> Disk {
        let space = Arc::clone(space);
        let write = move |file: &File, octets: &[u8], offset: u64| -> io::Result<()> {
            let left = space.load(Ordering::Relaxed);
            let wiping = octets.iter().all(|&octet| octet == 0) && offset < file.metadata()?.len();
            let fits = left.min(octets.len() as u64) as usize;
            let taken = if wiping { octets.len() } else { fits };
            file.write_all_at(&octets[..taken], offset)?;
            if left == NO && !wiping || taken < octets.len() {
                return Err(ErrorKind::StorageFull.into());
            }
            if left < NO && !wiping {
                space.fetch_sub(taken as u64, Ordering::Relaxed);
            }
            Ok(())
        };
        Disk {
            write: Box::new(write),
            ..Disk::real()
        }
    }

    fn record(version: u64) -> Record {
        let row = RowChange {
            table: "t".into(),
            key: vec![1],
            before: None,
            after: Some(vec![0; 100]),
        };
        Record {
            device: DEVICE,
            version,
            at: 0,
            who: Who::default(),
            rows: vec![row],
        }
    }

    fn append(store: &Store, version: u64) -> Result<(), StoreError> {
        let (told, answer) = mpsc::channel();
        let queued = store.append(
            record(version),
            Box::new(move |outcome| told.send(outcome).expect("we wait")),
        );
        if let Err((_, why)) = queued {
            return Err(why);
        }
        answer.recv().expect("every commit is answered")
    }

    /// The journal as a crash leaves it.
    fn copy(from: &Path, to: &Path) {
        journal::make_folder(&to.join("journal")).expect("writable");
        for entry in fs::read_dir(from.join("journal")).expect("readable") {
            let entry = entry.expect("readable");
            fs::copy(entry.path(), to.join("journal").join(entry.file_name())).expect("writable");
        }
    }
}
