//! All rows in memory, for as long as sled cannot serve them.
//!
//! Made from a snapshot file and the journal. A clone shares the tables, so
//! that sled can be filled from one while commits go on into the other: the
//! first change of a table after that copies it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use super::super::journal::{DeviceId, Entry, Group, Mark, SetHash, read_key, row_key};
use super::{Stored, StoredRow};

/// Version and hash of every device.
pub(in crate::tree) type Marks = BTreeMap<DeviceId, Mark>;
type Table = BTreeMap<Arc<[u8]>, Arc<[u8]>>;

/// The rows of all devices after one group.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::tree) struct Image {
    pub(in crate::tree) sequence: u64,
    pub(in crate::tree) marks: Marks,
    tables: BTreeMap<Arc<str>, Arc<Table>>,
}

impl Image {
    pub(in crate::tree) fn empty_at(sequence: u64, marks: Marks) -> Self {
        Self {
            sequence,
            marks,
            tables: BTreeMap::new(),
        }
    }

    pub(in crate::tree) fn put(&mut self, table: &Arc<str>, key: &[u8], value: &[u8]) {
        let rows = self.tables.entry(Arc::clone(table)).or_default();
        Arc::make_mut(rows).insert(key.into(), value.into());
    }

    pub(in crate::tree) fn apply(&mut self, group: &Group) {
        group
            .entries
            .iter()
            .for_each(|entry| self.apply_entry(entry));
        self.sequence = group.sequence;
    }

    fn apply_entry(&mut self, entry: &Entry) {
        let record = &entry.record;
        for change in &record.rows {
            let key = row_key(record.device, &change.key);
            match (&change.after, self.tables.get_mut(&change.table)) {
                (Some(value), _) => self.put(&change.table, &key, value),
                (None, Some(rows)) => _ = Arc::make_mut(rows).remove(&key[..]),
                (None, None) => {}
            }
        }
        self.marks.insert(record.device, entry.mark());
    }

    /// Table, key and value of every row, in that order.
    pub(in crate::tree) fn rows(&self) -> impl Iterator<Item = (&Arc<str>, &[u8], &[u8])> {
        self.tables.iter().flat_map(|(table, rows)| {
            rows.iter()
                .map(move |(key, value)| (table, &key[..], &value[..]))
        })
    }

    /// The rows of one device.
    pub(in crate::tree) fn load(&self, device: DeviceId) -> Stored {
        let prefix = device.0.to_be_bytes();
        let mut rows = Vec::new();
        for (table, all) in &self.tables {
            let from = (Bound::Included(&prefix[..]), Bound::Unbounded);
            let ours = all
                .range::<[u8], _>(from)
                .take_while(|(key, _)| key.starts_with(&prefix));
            rows.extend(ours.filter_map(|(key, value)| {
                Some(StoredRow {
                    table: Arc::clone(table),
                    key: read_key(key)?.1,
                    value: value.to_vec(),
                })
            }));
        }
        Stored {
            version: self.marks.get(&device).map_or(0, |mark| mark.version),
            rows,
        }
    }

    /// Do the rows add up to what the marks claim?
    pub(in crate::tree) fn is_whole(&self) -> bool {
        let mut sums = Sums::default();
        let mut rows = self.rows();
        let all_keys = rows.all(|(table, key, value)| sums.add(table, key, value).is_some());
        all_keys && sums.agree_with(&self.marks)
    }
}

/// Hashes added up row by row, to compare with marks.
#[derive(Debug, Default)]
pub(in crate::tree) struct Sums {
    hashes: BTreeMap<DeviceId, SetHash>,
    pub(in crate::tree) rows: u64,
}

impl Sums {
    /// Adds one row and answers its hash; `None` where its key is none.
    pub(in crate::tree) fn add(
        &mut self,
        table: &str,
        key: &[u8],
        value: &[u8],
    ) -> Option<SetHash> {
        let (device, []) = key.as_chunks::<4>() else {
            return None;
        };
        let device = DeviceId(u32::from_be_bytes(*device.first()?));
        let row = SetHash::of_row(table, key, value);
        self.hashes.entry(device).or_default().add(row);
        self.rows += 1;
        Some(row)
    }

    /// Is every device's hash the marked one, and no device unmarked?
    pub(in crate::tree) fn agree_with(&self, marks: &Marks) -> bool {
        let marked = |device| marks.contains_key(device);
        let hash = |mark: &Mark| self.hashes.get(&mark.device).copied().unwrap_or_default();
        self.hashes.keys().all(marked) && marks.values().all(|mark| hash(mark) == mark.hash)
    }
}
