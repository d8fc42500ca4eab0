//! The hash of every row, so that the set hash never depends on a caller.
//!
//! A commit says what stood in a row before, for audit and undo; what counts
//! is what the store holds. A row costs about fifty octets here. An entry can
//! be taken back until its group is on disk.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use super::super::journal::{DeviceId, Mark, Record, SetHash, row_key};
use super::image::{Image, Marks, Sums};

/// Version and hash of every device, and the hash of every row by a fingerprint of its key.
#[derive(Default)]
pub(super) struct Ledger {
    marks: Marks,
    rows: HashMap<u128, SetHash>,
    /// Random for each process: nobody can choose keys whose fingerprints meet.
    seeds: [RandomState; 2],
}

/// Takes table, key and value of one row.
type Note<'a> = dyn FnMut(&str, &[u8], &[u8]) + 'a;

/// What takes one entry back.
pub(super) struct Undo {
    device: DeviceId,
    mark: Option<Mark>,
    rows: Vec<(u128, Option<SetHash>)>,
}

impl Ledger {
    /// Of all rows that `each` hands over, if they add up to the marks.
    pub(super) fn of<E>(
        marks: &Marks,
        each: impl FnOnce(&mut Note<'_>) -> Result<(), E>,
    ) -> Result<Option<Self>, E> {
        let mut ledger = Self::default();
        let mut sums = Sums::default();
        let mut all_keys = true;
        each(&mut |table, key, value| match sums.add(table, key, value) {
            Some(hash) => _ = ledger.rows.insert(ledger.fingerprint(table, key), hash),
            None => all_keys = false,
        })?;
        ledger.marks.clone_from(marks);
        Ok((all_keys && sums.agree_with(marks)).then_some(ledger))
    }

    /// Of an image, if its rows add up to its marks.
    pub(super) fn of_image(image: &Image) -> Option<Self> {
        let rows = |note: &mut Note<'_>| {
            image
                .rows()
                .for_each(|(table, key, value)| note(table, key, value));
            Ok::<(), std::convert::Infallible>(())
        };
        match Self::of(&image.marks, rows) {
            Ok(ledger) => ledger,
            Err(never) => match never {},
        }
    }

    /// The device's last version; 0 before its first.
    pub(super) fn version(&self, device: DeviceId) -> u64 {
        self.marks.get(&device).map_or(0, |mark| mark.version)
    }

    /// Enters a commit and answers what the device's mark is with it.
    pub(super) fn enter(&mut self, record: &Record) -> (Mark, Undo) {
        let device = record.device;
        let before = self.marks.get(&device).copied();
        let mut hash = before.map(|mark| mark.hash).unwrap_or_default();
        let mut rows = Vec::with_capacity(record.rows.len());
        for change in &record.rows {
            let key = row_key(device, &change.key);
            let fingerprint = self.fingerprint(&change.table, &key);
            let is = change
                .after
                .as_ref()
                .map(|value| SetHash::of_row(&change.table, &key, value));
            let was = match is {
                Some(is) => self.rows.insert(fingerprint, is),
                None => self.rows.remove(&fingerprint),
            };
            hash.take(was.unwrap_or_default());
            hash.add(is.unwrap_or_default());
            rows.push((fingerprint, was));
        }
        let version = record.version;
        let mark = Mark {
            device,
            version,
            hash,
        };
        self.marks.insert(device, mark);
        let undo = Undo {
            device,
            mark: before,
            rows,
        };
        (mark, undo)
    }

    /// Takes back the entry that was made last.
    pub(super) fn take_back(&mut self, undo: Undo) {
        for (fingerprint, was) in undo.rows.into_iter().rev() {
            match was {
                Some(was) => _ = self.rows.insert(fingerprint, was),
                None => _ = self.rows.remove(&fingerprint),
            }
        }
        match undo.mark {
            Some(mark) => _ = self.marks.insert(undo.device, mark),
            None => _ = self.marks.remove(&undo.device),
        }
    }

    fn fingerprint(&self, table: &str, key: &[u8]) -> u128 {
        let [high, low] = self
            .seeds
            .each_ref()
            .map(|seed| u128::from(seed.hash_one((table, key))));
        high << 64 | low
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::store::{RowChange, Who};

    fn record(version: u64, rows: &[(u32, Option<&str>)]) -> Record {
        let change = |&(index, after): &(u32, Option<&str>)| RowChange {
            table: "t".into(),
            key: vec![index],
            before: Some(b"what the caller believes".to_vec()),
            after: after.map(Into::into),
        };
        Record {
            device: DeviceId(1),
            version,
            at: 0,
            who: Who::default(),
            rows: rows.iter().map(change).collect(),
        }
    }

    #[test]
    fn the_hash_follows_the_rows_and_not_what_a_caller_believes() {
        let mut ledger = Ledger::default();
        ledger.enter(&record(1, &[(1, Some("a")), (2, Some("b"))]));
        ledger.enter(&record(2, &[(1, Some("c")), (1, Some("d"))]));
        let (mark, _) = ledger.enter(&record(3, &[(2, None), (3, None)]));
        let key = row_key(DeviceId(1), &[1]);
        assert_eq!(mark.hash, SetHash::of_row("t", &key, b"d"));
    }

    #[test]
    fn entries_that_are_taken_back_leave_no_trace() {
        let mut ledger = Ledger::default();
        let (one, _) = ledger.enter(&record(1, &[(1, Some("a"))]));
        let (_, second) = ledger.enter(&record(2, &[(1, Some("b")), (1, None), (2, Some("x"))]));
        let (_, third) = ledger.enter(&record(3, &[(2, None)]));
        ledger.take_back(third);
        ledger.take_back(second);
        assert_eq!(ledger.version(DeviceId(1)), 1);
        let (again, _) = ledger.enter(&record(2, &[(3, None)]));
        assert_eq!(again.hash, one.hash);
    }
}
