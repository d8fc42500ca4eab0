//! The thread that acknowledges.
//!
//! Takes every commit that waits, writes them as one group, syncs once and
//! answers each in order. It is the only one who writes to the journal. A
//! version that does not follow is refused here: after a refusal nothing that
//! was built on top of it gets to disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Receiver;

use super::super::journal::{Draft, Entry, Group, Journal, Record};
use super::ledger::{Ledger, Undo};
use super::shared::Shared;
use super::{StoreError, StoreEvent};

/// Told once how a commit ended, on the committer's thread: it must be quick.
pub type Done = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
pub(super) type Waiting = (Record, Done);

pub(super) struct Committer {
    journal: Journal,
    ledger: Ledger,
    shared: Arc<Shared>,
    mood: Mood,
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
        }
    }

    /// Commits until every sender is gone.
    pub(super) fn run(mut self, inbox: &Receiver<Waiting>) {
        let mut wrote = false;
        while let Ok(first) = inbox.recv() {
            self.commit(gather(first, inbox));
            wrote = true;
        }
        if wrote {
            // The mark of a clean close. Without it nothing is lost but a proof.
            _ = self.write(Pending::default());
        }
    }

    fn commit(&mut self, waiting: Vec<Waiting>) {
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

/// The first commit and those that came meanwhile.
fn gather(first: Waiting, inbox: &Receiver<Waiting>) -> Vec<Waiting> {
    let mut octets = weight(&first.0);
    let mut waiting = vec![first];
    while waiting.len() < MAX_GROUP && octets < MAX_GROUP_OCTETS {
        let Ok(next) = inbox.try_recv() else {
            break;
        };
        octets += weight(&next.0);
        waiting.push(next);
    }
    waiting
}

fn weight(record: &Record) -> usize {
    let value = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
    let rows = record.rows.iter();
    rows.map(|row| value(&row.before) + value(&row.after)).sum()
}

/// Commits of one frame.
const MAX_GROUP: usize = 256;
/// Row octets after which a frame takes no further commit.
const MAX_GROUP_OCTETS: usize = 1 << 20;
