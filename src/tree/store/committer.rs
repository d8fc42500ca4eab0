//! What acknowledges.
//!
//! Takes every commit that waits, writes them as one group, syncs once and
//! answers each in order. A thread does so for whoever does not wait; a caller
//! who waits anyway does it himself, which saves two hand-overs. Only one does
//! at a time, and only he writes to the journal. A version that does not follow
//! is refused here: after a refusal nothing that was built on top of it gets
//! to disk.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::super::journal::{Draft, Entry, Group, Journal, Record};
use super::ledger::{Ledger, Undo};
use super::shared::Shared;
use super::{StoreError, StoreEvent};

/// Told once how a commit ended, on the thread that wrote it: it must be quick.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
type Waiting = (Record, Done);

/// Commits that wait, and who writes them.
pub(super) struct Queue {
    waiting: Mutex<Inbox>,
    /// There is something to do for the thread.
    due: Condvar,
    /// Held by whoever writes; None when the store is closed.
    committer: Mutex<Option<Committer>>,
}

#[derive(Default)]
struct Inbox {
    waiting: VecDeque<Waiting>,
    closed: bool,
}

impl Queue {
    pub(super) fn new(committer: Committer) -> Self {
        Self {
            waiting: Mutex::default(),
            due: Condvar::new(),
            committer: Mutex::new(Some(committer)),
        }
    }

    /// Queues a commit, which nobody writes before [`Queue::wake`] or [`Queue::lead`].
    pub(super) fn push(&self, record: Record, done: Done) -> Result<(), (Done, StoreError)> {
        let mut inbox = super::lock(&self.waiting);
        if inbox.closed {
            return Err((done, StoreError::Closed));
        }
        if inbox.waiting.len() >= MAX_WAITING {
            return Err((done, StoreError::Busy));
        }
        inbox.waiting.push_back((record, done));
        Ok(())
    }

    /// The thread writes what waits.
    pub(super) fn wake(&self) {
        self.due.notify_one();
    }

    /// Writes what waits on this thread, unless somebody else is writing: then
    /// the thread sees to it.
    pub(super) fn lead(&self) {
        match self.committer.try_lock() {
            Ok(mut committer) => self.write_one(committer.as_mut()),
            Err(_) => self.wake(),
        }
    }

    /// What waits from now on is refused; the thread writes the rest and ends.
    pub(super) fn close(&self) {
        super::lock(&self.waiting).closed = true;
        self.due.notify_all();
    }

    /// Writes until the queue is closed and empty.
    pub(super) fn run(&self) {
        while self.wait() {
            self.write_one(super::lock(&self.committer).as_mut());
        }
        if let Some(committer) = super::lock(&self.committer).take() {
            committer.end();
        }
    }

    /// Waits for a commit; false when none can come any more.
    fn wait(&self) -> bool {
        let inbox = super::lock(&self.waiting);
        let idle = |inbox: &mut Inbox| inbox.waiting.is_empty() && !inbox.closed;
        let inbox = self.due.wait_while(inbox, idle);
        let inbox = inbox.unwrap_or_else(PoisonError::into_inner);
        !inbox.waiting.is_empty()
    }

    /// Writes one group, if there is anything to write.
    fn write_one(&self, committer: Option<&mut Committer>) {
        let Some(committer) = committer else {
            return;
        };
        let group = gather(&mut super::lock(&self.waiting).waiting);
        if !group.is_empty() {
            committer.commit(group);
        }
    }
}

pub(super) struct Committer {
    journal: Journal,
    ledger: Ledger,
    shared: Arc<Shared>,
    mood: Mood,
    wrote: bool,
}

/// A group that is not written yet.
#[derive(Default)]
struct Pending {
    draft: Draft,
    entries: Vec<Entry>,
    undo: Vec<Undo>,
}

/// What the last write told of the disk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mood {
    Writing,
    Full,
    Broken,
}

impl Committer {
    pub(super) fn new(journal: Journal, ledger: Ledger, shared: Arc<Shared>) -> Self {
        Self {
            journal,
            ledger,
            shared,
            mood: Mood::Writing,
            wrote: false,
        }
    }

    /// The mark of a clean close. Without it nothing is lost but a proof.
    fn end(mut self) {
        if self.wrote {
            _ = self.write(Pending::default());
        }
    }

    fn commit(&mut self, waiting: Vec<Waiting>) {
        self.wrote = true;
        let mut group = Pending::default();
        let mut answers = Vec::with_capacity(waiting.len());
        for (record, done) in waiting {
            let refused = self.admit(record, &mut group).err();
            answers.push((done, refused));
        }
        let written = match group.entries.is_empty() {
            true => Ok(()),
            false => self.write(group),
        };
        for (done, refused) in answers {
            let answer = refused.map_or_else(|| written.clone(), Err);
            // One device's bug must not stop the others on this store.
            _ = catch_unwind(AssertUnwindSafe(|| done(answer)));
        }
    }

    /// Lets a record into the group if it follows what is there.
    fn admit(&mut self, record: Record, group: &mut Pending) -> Result<(), StoreError> {
        let device = record.device;
        let (last, found) = (self.ledger.version(device), record.version);
        if last.checked_add(1) != Some(found) {
            return Err(StoreError::OutOfOrder {
                device,
                last,
                found,
            });
        }
        let (mark, undo) = self.ledger.enter(&record);
        let hash = mark.hash;
        let entry = Entry { record, hash };
        if !group.draft.add(&entry) {
            self.ledger.take_back(undo);
            return Err(StoreError::TooLarge);
        }
        group.entries.push(entry);
        group.undo.push(undo);
        Ok(())
    }

    fn write(&mut self, group: Pending) -> Result<(), StoreError> {
        let written = self.journal.append(group.draft).map_err(StoreError::from);
        self.note(written.as_ref().err());
        let (sequence, octets) = written.inspect_err(|_| {
            for undo in group.undo.into_iter().rev() {
                self.ledger.take_back(undo);
            }
        })?;
        self.shared.commit(Group {
            sequence,
            entries: group.entries,
            octets,
        });
        Ok(())
    }

    /// Tells once when the disk's mood changes.
    fn note(&mut self, error: Option<&StoreError>) {
        let mood = match error {
            None => Mood::Writing,
            Some(StoreError::Full) => Mood::Full,
            Some(StoreError::Unknown) => Mood::Broken,
            Some(_) => return,
        };
        match (self.mood, mood) {
            (Mood::Full, Mood::Writing) => self.shared.tell(StoreEvent::WritesAgain),
            (Mood::Writing, Mood::Full) => self.shared.tell(StoreEvent::Full),
            (Mood::Writing | Mood::Full, Mood::Broken) => self.shared.tell(StoreEvent::SyncFailed),
            _ => {}
        }
        self.mood = mood;
    }
}

/// The first that wait, as many as one frame takes.
fn gather(inbox: &mut VecDeque<Waiting>) -> Vec<Waiting> {
    let mut octets = 0;
    let mut group = Vec::new();
    while group.len() < MAX_GROUP
        && octets < MAX_GROUP_OCTETS
        && let Some(next) = inbox.pop_front()
    {
        octets += weight(&next.0);
        group.push(next);
    }
    group
}

fn weight(record: &Record) -> usize {
    let value = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
    let rows = record.rows.iter();
    rows.map(|row| value(&row.before) + value(&row.after)).sum()
}

/// Commits that wait to be written.
const MAX_WAITING: usize = 4096;
/// Commits of one frame.
const MAX_GROUP: usize = 256;
/// Row octets after which a frame takes no further commit.
const MAX_GROUP_OCTETS: usize = 1 << 20;
