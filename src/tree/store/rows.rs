//! The tree on disk: sled, one sled tree for each table.
//!
//! Derived from journal and snapshot file, never believed without its hash.
//! Every call is fenced: an error or a panic of sled comes back as the reason
//! to move it aside. This is the only file that names sled.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sled::transaction::{TransactionError, Transactional};
use sled::{Batch, Db, Tree};

use super::super::journal::{Cursor, DeviceId, Group, Mark, SetHash, read_key, row_key};
use super::event::Unsound;
use super::image::{Image, Marks};
use super::{Stored, StoredRow};

/// An open sled database; a clone is another handle to it.
#[derive(Clone)]
pub(super) struct Rows {
    db: Db,
}

impl Rows {
    /// Opens or makes the database in a folder.
    pub(super) fn open(folder: &Path) -> Result<Self, Unsound> {
        let config = sled::Config::new()
            .path(folder)
            .cache_capacity(CACHE)
            .segment_size(SEGMENT)
            .flush_every_ms(Some(FLUSH_MILLISECONDS));
        for _ in 0..LOCK_ATTEMPTS {
            match catch_unwind(AssertUnwindSafe(|| config.open())) {
                Ok(Ok(db)) => return Ok(Self { db }),
                Ok(Err(error)) if is_still_locked(&error) => thread::sleep(LOCK_PAUSE),
                Ok(Err(_)) => return Err(Unsound::Unreadable),
                Err(_) => return Err(Unsound::Panicked),
            }
        }
        Err(Unsound::Unreadable)
    }

    /// The last group that was applied and what it left; an empty database is at group 0.
    pub(super) fn standing(&self) -> Result<(u64, Marks), Unsound> {
        fenced(|| {
            let mut sequence = 0;
            let mut marks = Marks::new();
            for pair in self.db.iter() {
                let (key, value) = pair?;
                let mut value = Cursor::new(&value);
                match (key.first_chunk(), value.u64()) {
                    (_, Some(number)) if &key[..] == SEQUENCE => sequence = number,
                    (Some(device), Some(version)) if key.len() == 4 => {
                        let device = DeviceId(u32::from_be_bytes(*device));
                        let hash = SetHash::from_octets(value.array().unwrap_or_default());
                        marks.insert(
                            device,
                            Mark {
                                device,
                                version,
                                hash,
                            },
                        );
                    }
                    _ => return Err(Unsound::HashDiffers),
                }
            }
            Ok((sequence, marks))
        })
    }

    /// Hands over every row, table by table, in the order of its keys.
    pub(super) fn each(&self, mut row: impl FnMut(&Arc<str>, &[u8], &[u8])) -> Result<(), Unsound> {
        fenced(|| {
            for (name, table) in self.tables()? {
                for pair in table.iter() {
                    let (key, value) = pair?;
                    row(&name, &key, &value);
                }
            }
            Ok(())
        })
    }

    /// The rows of one device.
    pub(super) fn load(&self, device: DeviceId) -> Result<Stored, Unsound> {
        fenced(|| {
            let prefix = device.0.to_be_bytes();
            let mut rows = Vec::new();
            for (name, table) in self.tables()? {
                for pair in table.scan_prefix(prefix) {
                    let (key, value) = pair?;
                    rows.push(StoredRow {
                        table: Arc::clone(&name),
                        key: read_key(&key).ok_or(Unsound::HashDiffers)?.1,
                        value: value.to_vec(),
                    });
                }
            }
            let mark = self.db.get(prefix)?;
            let version = mark.and_then(|mark| Cursor::new(&mark).u64()).unwrap_or(0);
            Ok(Stored { version, rows })
        })
    }

    /// Applies groups that follow the last one as one sled transaction.
    pub(super) fn apply(&self, groups: &[Arc<Group>]) -> Result<(), Unsound> {
        let mut batches: BTreeMap<&str, Batch> = BTreeMap::new();
        let mut meta = Batch::default();
        for group in groups {
            for entry in &group.entries {
                let record = &entry.record;
                for change in &record.rows {
                    let batch = batches.entry(&change.table).or_default();
                    let key = row_key(record.device, &change.key);
                    match &change.after {
                        Some(value) => batch.insert(key, &value[..]),
                        None => batch.remove(key),
                    }
                }
                note_mark(&mut meta, &entry.mark());
            }
            meta.insert(SEQUENCE, &group.sequence.to_le_bytes());
        }
        fenced(|| {
            let mut trees: Vec<Tree> = vec![(*self.db).clone()];
            for name in batches.keys() {
                trees.push(self.db.open_tree(name)?);
            }
            let batches: Vec<&Batch> = [&meta].into_iter().chain(batches.values()).collect();
            let done = trees[..].transaction(|trees| {
                for (tree, batch) in trees.iter().zip(&batches) {
                    tree.apply_batch(batch)?;
                }
                Ok(())
            });
            done.map_err(|_: TransactionError<()>| Unsound::Unreadable)
        })
    }

    /// Puts a whole image into an empty database and answers its rows.
    pub(super) fn fill(&self, image: &Image) -> Result<u64, Unsound> {
        let mut tables: BTreeMap<Arc<str>, Tree> = BTreeMap::new();
        let mut rows = 0;
        fenced(|| {
            for (name, key, value) in image.rows() {
                let table = match tables.get(name) {
                    Some(table) => table,
                    None => tables
                        .entry(Arc::clone(name))
                        .or_insert(self.db.open_tree(&**name)?),
                };
                table.insert(key, value)?;
                rows += 1;
            }
            let mut meta = Batch::default();
            image
                .marks
                .values()
                .for_each(|mark| note_mark(&mut meta, mark));
            meta.insert(SEQUENCE, &image.sequence.to_le_bytes());
            self.db.apply_batch(meta)?;
            self.db.flush()?;
            Ok(rows)
        })
    }

    /// Hands what is buffered to the operating system.
    pub(super) fn flush(&self) -> Result<(), Unsound> {
        fenced(|| Ok(self.db.flush().map(drop)?))
    }

    /// Lets go of the database; sled may panic even then.
    pub(super) fn release(self) {
        // What it could not write is in the journal.
        _ = catch_unwind(AssertUnwindSafe(|| drop(self)));
    }

    fn tables(&self) -> Result<Vec<(Arc<str>, Tree)>, Unsound> {
        let mut tables = Vec::new();
        for name in self.db.tree_names() {
            if name == META {
                continue;
            }
            let table = self.db.open_tree(&name)?;
            let name = str::from_utf8(&name).map_err(|_| Unsound::HashDiffers)?;
            tables.push((Arc::from(name), table));
        }
        tables.sort_by(|(one, _), (other, _): &(Arc<str>, Tree)| one.cmp(other));
        Ok(tables)
    }
}

/// `device 4 | version 8 | set hash 16`, the device as key.
fn note_mark(meta: &mut Batch, mark: &Mark) {
    let value = [&mark.version.to_le_bytes()[..], &mark.hash.to_octets()].concat();
    meta.insert(&mark.device.0.to_be_bytes(), value);
}

fn fenced<T>(call: impl FnOnce() -> Result<T, Unsound>) -> Result<T, Unsound> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Unsound::Panicked))
}

impl From<sled::Error> for Unsound {
    fn from(_: sled::Error) -> Self {
        Self::Unreadable
    }
}

/// sled's threads may hold its lock for a moment after it was dropped.
fn is_still_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(error) if error.to_string().contains("could not acquire lock"))
}

/// sled's default tree holds the marks and the sequence.
const META: &[u8] = b"__sled__default";
const SEQUENCE: &[u8] = b"sequence";
/// The database writes whole segments, several of which it holds in memory.
const SEGMENT: usize = 64 * 1024;
/// Rows are read once, at start: a small page cache does.
const CACHE: u64 = 8 << 20;
const FLUSH_MILLISECONDS: u64 = 500;
const LOCK_ATTEMPTS: u32 = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);
