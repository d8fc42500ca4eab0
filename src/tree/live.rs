//! Status rows and counters: published by engines, never stored.
//!
//! A row of a live table is there as long as its engine says so; a live
//! column of a stored table stands beside the stored cells under the same
//! key. What only a question can tell (an uptime, a counter) is a probe.

use super::row::Row;
use super::snapshot::Snapshot;
use super::watch::{Subscribers, Subscription};
use crate::schema::{ColumnId, Enumerated, Index, Role, TableId, Typed, Value, kind};
use arc_swap::ArcSwap;
use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// What engines publish.
pub struct Live {
    rows: ArcSwap<Snapshot>,
    probes: ArcSwap<HashMap<ColumnId, Probe>>,
    writer: Mutex<()>,
    subscribers: Subscribers,
}

/// Answers a scalar at the moment it is asked for.
pub type Probe = Arc<dyn Fn() -> Value + Send + Sync>;

/// A batch of publications, seen by readers at once.
pub struct Publication<'a> {
    rows: &'a mut Snapshot,
    changed: BTreeSet<TableId>,
}

impl Live {
    pub(crate) fn new() -> Self {
        Self {
            rows: ArcSwap::from_pointee(Snapshot::empty()),
            probes: ArcSwap::default(),
            writer: Mutex::new(()),
            subscribers: Subscribers::default(),
        }
    }

    /// Everything published, as of now.
    pub fn rows(&self) -> Arc<Snapshot> {
        self.rows.load_full()
    }

    /// Publishes a batch.
    pub fn publish(&self, batch: impl FnOnce(&mut Publication<'_>)) {
        let one = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut rows = Snapshot::clone(&self.rows.load());
        let mut publication = Publication {
            rows: &mut rows,
            changed: BTreeSet::new(),
        };
        batch(&mut publication);
        let changed = publication.changed;
        self.rows.store(Arc::new(rows));
        drop(one);
        if !changed.is_empty() {
            self.subscribers.tell(&changed, &[]);
        }
    }

    /// Wakes when something that is published in these tables has changed.
    /// What a probe answers changes without anybody being told.
    pub fn watch(
        &self,
        tables: impl IntoIterator<Item = TableId>,
        wake: impl Fn() + Send + Sync + 'static,
    ) -> Subscription {
        self.subscribers.add(tables, Box::new(wake))
    }

    /// Answers a scalar by asking, for what changes all the time.
    pub fn probe<K>(&self, column: Typed<K>, probe: Probe) {
        self.probe_named(column.id(), probe);
    }

    /// As [`Live::probe`], for a column that was found by its name.
    pub fn probe_named(&self, column: ColumnId, probe: Probe) {
        let _one = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut probes = HashMap::clone(&self.probes.load());
        probes.insert(column, probe);
        self.probes.store(Arc::new(probes));
    }

    pub(crate) fn probes(&self) -> Arc<HashMap<ColumnId, Probe>> {
        self.probes.load_full()
    }
}

impl Publication<'_> {
    /// Publishes one cell; a row of a live table appears with its first cell.
    pub fn set<K>(&mut self, column: Typed<K>, index: &Index, value: impl IntoCell<K>) {
        self.raw(column.id(), index, value.into_cell());
    }

    /// As [`Publication::set`], for a column that was found by its name.
    pub fn raw(&mut self, column: ColumnId, index: &Index, value: Value) {
        let object = column.get();
        let Role::Live(slot) = object.role else {
            return;
        };
        self.row(object.table, index);
        let rows = self.rows.rows_mut(object.table);
        if rows.get(index).and_then(|row| row.cell(slot)) == Some(&value) {
            return;
        }
        self.changed.insert(object.table);
        rows.edit(index, |row| row.set(slot, value));
    }

    /// Publishes one scalar.
    pub fn scalar<K>(&mut self, column: Typed<K>, value: impl IntoCell<K>) {
        self.set(column, &Index::scalar(), value);
    }

    /// Makes a row of a live table that has only an index.
    pub fn row(&mut self, table: TableId, index: &Index) {
        let rows = self.rows.rows_mut(table);
        if rows.get(index).is_none() {
            self.changed.insert(table);
            rows.put(index.clone(), Row::hollow(table.get().live_cells()));
        }
    }

    /// Withdraws a row.
    pub fn remove(&mut self, table: TableId, index: &Index) {
        if self.rows.rows_mut(table).take(index).is_some() {
            self.changed.insert(table);
        }
    }

    /// Withdraws all rows of a table.
    pub fn clear(&mut self, table: TableId) {
        let rows = std::mem::take(self.rows.rows_mut(table));
        if !rows.is_empty() {
            self.changed.insert(table);
        }
    }
}

/// What may be published in a column of kind `K`.
pub trait IntoCell<K> {
    /// The value.
    fn into_cell(self) -> Value;
}

impl IntoCell<kind::Octets> for &str {
    fn into_cell(self) -> Value {
        Value::octets(self)
    }
}

impl IntoCell<kind::Octets> for &String {
    fn into_cell(self) -> Value {
        Value::octets(self)
    }
}

impl IntoCell<kind::Octets> for String {
    fn into_cell(self) -> Value {
        Value::octets(self)
    }
}

impl IntoCell<kind::Octets> for &[u8] {
    fn into_cell(self) -> Value {
        Value::octets(self)
    }
}

impl IntoCell<kind::Unsigned> for u32 {
    fn into_cell(self) -> Value {
        Value::Unsigned(self)
    }
}

impl IntoCell<kind::Unsigned> for u16 {
    fn into_cell(self) -> Value {
        Value::Unsigned(u32::from(self))
    }
}

impl IntoCell<kind::Counter32> for u32 {
    fn into_cell(self) -> Value {
        Value::Counter32(self)
    }
}

impl IntoCell<kind::Integer> for i32 {
    fn into_cell(self) -> Value {
        Value::Integer(self)
    }
}

impl IntoCell<kind::Switch> for bool {
    fn into_cell(self) -> Value {
        Value::from(self)
    }
}

impl<E: Enumerated> IntoCell<E> for E {
    fn into_cell(self) -> Value {
        Value::Integer(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::hoc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn a_watcher_is_woken_by_what_has_changed_in_its_tables_and_by_nothing_else() {
        let live = Live::new();
        let woken = Arc::new(AtomicUsize::new(0));
        let count = woken.clone();
        let table = hoc::CLOCK_REASON.id().get().table;
        let watch = live.watch([table], move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let say = |text: &str| live.publish(|live| live.scalar(hoc::CLOCK_REASON, text));
        say("one");
        say("one");
        say("two");
        live.publish(|live| live.scalar(crate::schema::cwmp::ACS_URL, "elsewhere"));
        assert_eq!(woken.load(Ordering::Relaxed), 2);
        drop(watch);
        say("three");
        assert_eq!(woken.load(Ordering::Relaxed), 2);
    }
}
