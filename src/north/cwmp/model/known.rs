//! The numbers that the last reading found, for the next one.
//!
//! An ACS asks again and again while little changes, and numbering a table
//! means to look at each of its rows. Rows with the same keys have the same
//! numbers as long as nothing that is kept of instances changes.

use super::numbers::Numbers;
use crate::schema::TableId;
use crate::schema::cwmp::instance;
use crate::tree::{Instances, Rows};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of each table; nothing depends on it but time.
#[derive(Clone, Default)]
pub struct Known(Arc<Mutex<BTreeMap<TableId, Entry>>>);

struct Entry {
    kept: Rows,
    rows: Rows,
    numbers: Arc<Numbers>,
}

impl Known {
    /// The numbers of a table's rows as they are.
    pub(super) fn numbers(&self, view: &Instances, leader: TableId) -> Arc<Numbers> {
        let (kept, rows) = (view.rows(instance::TABLE), view.rows(leader));
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let same = known.get_mut(&leader).filter(|entry| entry.kept.is(kept));
        if let Some(entry) = same
            && has_same_keys(&entry.rows, rows)
        {
            entry.rows = rows.clone();
            return entry.numbers.clone();
        }
        let entry = Entry {
            kept: kept.clone(),
            rows: rows.clone(),
            numbers: Arc::new(Numbers::of(view, leader)),
        };
        let numbers = entry.numbers.clone();
        known.insert(leader, entry);
        numbers
    }

    /// Gives the memory back, until somebody asks again.
    pub fn forget(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }
}

fn has_same_keys(one: &Rows, other: &Rows) -> bool {
    let pairs = || one.iter().zip(other.iter());
    one.is(other) || (one.len() == other.len() && pairs().all(|(one, other)| one.0 == other.0))
}

/// It is no setting: settings are the same whatever is known.
impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Known {}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}
