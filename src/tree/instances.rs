//! The tree as a face reads it: stored and published values together, in
//! OID order, secrets as "".
//!
//! Rows are kept row first; SNMP's column-first order is computed: the next
//! key in this column, else the first key in the next column that has one.

use super::live::Probe;
use super::snapshot::Snapshot;
use super::source::Source;
use super::table::{Rows, RowsAfter};
use super::walk::Walk;
use crate::schema::{ColumnId, Index, Name, TableId, Value, column_at};
use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

/// One consistent reading of the tree; cheap to make, lives as long as needed.
#[derive(Clone)]
pub struct Instances {
    stored: Arc<Snapshot>,
    live: Arc<Snapshot>,
    probes: Arc<HashMap<ColumnId, Probe>>,
}

/// The answer to a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Got {
    /// The value.
    Value(Value),
    /// No object has this OID.
    NoSuchObject,
    /// The object has no such instance.
    NoSuchInstance,
}

impl Instances {
    pub(crate) fn new(
        stored: Arc<Snapshot>,
        live: Arc<Snapshot>,
        probes: Arc<HashMap<ColumnId, Probe>>,
    ) -> Self {
        Self {
            stored,
            live,
            probes,
        }
    }

    /// The configuration that is shown, secrets included: for engines.
    pub fn stored(&self) -> &Snapshot {
        &self.stored
    }

    /// The same reading, with what else would be asked for at each look asked
    /// for now: read twice, it says the same twice.
    pub fn held(&self) -> Self {
        let probes = self.probes.iter().map(|(column, probe)| {
            let value = probe();
            let held: Probe = Arc::new(move || value.clone());
            (*column, held)
        });
        Self {
            probes: Arc::new(probes.collect()),
            ..self.clone()
        }
    }

    /// The version of the stored part.
    pub fn version(&self) -> u64 {
        self.stored.version()
    }

    /// The rows of a table, stored or published, in OID order of their keys:
    /// their keys are the instances of its columns.
    pub fn rows(&self, table: TableId) -> &Rows {
        match table.get().is_live() {
            true => self.live.rows(table),
            false => self.stored.rows(table),
        }
    }

    /// What is published beside the stored rows of a table.
    pub(super) fn beside(&self, table: TableId) -> &Rows {
        self.live.rows(table)
    }

    pub(super) fn probe(&self, column: ColumnId) -> Option<&Probe> {
        self.probes.get(&column)
    }

    /// One instance by OID.
    pub fn get(&self, oid: &[u32]) -> Got {
        let Some((column, arcs)) = column_at(oid) else {
            return Got::NoSuchObject;
        };
        let value = self.value(column, arcs);
        value.map_or(Got::NoSuchInstance, |value| Got::Value(value.into_owned()))
    }

    /// One instance by name.
    pub fn read(&self, name: &Name) -> Option<Value> {
        self.at(name.column, &name.index)
    }

    /// One instance of a column.
    pub fn at(&self, column: ColumnId, index: &Index) -> Option<Value> {
        self.value(column, index.arcs()).map(Cow::into_owned)
    }

    fn value(&self, column: ColumnId, arcs: &[u32]) -> Option<Cow<'_, Value>> {
        let table = column.get().table;
        let (index, row) = self.rows(table).entry(arcs)?;
        let beside = || self.live.rows(table).get(index);
        Source::of(self, column).value(self, index, row, beside)
    }

    /// The first instance after `oid` in the whole tree.
    pub fn next(&self, oid: &[u32]) -> Option<(ColumnId, &Index, Cow<'_, Value>)> {
        self.walk(oid).next()
    }

    /// The first instance of a column after a key, or the first of all.
    pub fn next_in(
        &self,
        column: ColumnId,
        after: Option<&[u32]>,
    ) -> Option<(&Index, Cow<'_, Value>)> {
        let source = Source::of(self, column);
        let table = column.get().table;
        self.instances_of(column, &source, after)?
            .find_map(|(index, row)| {
                let beside = || self.live.rows(table).get(index);
                Some((index, source.value(self, index, row, beside)?))
            })
    }

    /// Every instance after `oid`, in order: each costs a step to the next row,
    /// not a search of its own.
    pub fn walk(&self, oid: &[u32]) -> Walk<'_> {
        Walk::after(self, oid)
    }

    /// The rows that may hold an instance of a column; none where it is sure
    /// that no row does.
    pub(super) fn instances_of(
        &self,
        column: ColumnId,
        source: &Source<'_>,
        after: Option<&[u32]>,
    ) -> Option<RowsAfter<'_>> {
        let table = column.get().table;
        let empty = match source {
            Source::Published(slot) | Source::Beside(slot) => !self.live.rows(table).has_any(*slot),
            _ => false,
        };
        (!empty).then(|| self.rows(table).after(after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{columns, hoc};
    use crate::tree::{Actor, Creation, Transaction, Tree};

    fn populated() -> Tree {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::device());
        for index in [9, 1, 300] {
            txn.create(
                hoc::static_hosts::TABLE,
                Index::number(index),
                Creation::Active,
            );
        }
        tree.commit_and_wait(txn, 0).expect("made");
        tree.live().publish(|live| {
            live.scalar(hoc::SNTP_CURRENT_SOURCE, "192.0.2.9:123");
            for priority in [2, 4] {
                let index = Index::number(priority);
                live.set(hoc::sntp_servers_info::HOST_NAME, &index, "ntp");
            }
        });
        tree
    }

    #[test]
    fn a_held_reading_says_the_same_twice_of_what_changes_all_the_time() {
        let tree = Tree::in_memory();
        let looks = std::sync::atomic::AtomicU32::new(0);
        let look = move || looks.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let probe = move || Value::from(look().to_string());
        tree.live().probe(hoc::SYSTEM_UPTIME, Arc::new(probe));
        let name = Name::parse("Hoc.SystemUptime").expect("a name");
        let (view, held) = (tree.instances(), tree.instances().held());
        assert_ne!(view.read(&name), view.read(&name));
        assert_eq!(held.read(&name), held.read(&name));
    }

    /// Every instance, found by asking each column for each key.
    fn all(tree: &Instances) -> Vec<Vec<u32>> {
        let mut oids = Vec::new();
        for (_, object) in columns() {
            for (index, _) in tree.rows(object.table).iter() {
                let oid = [object.oid, index.arcs()].concat();
                if matches!(tree.get(&oid), Got::Value(_)) {
                    oids.push(oid);
                }
            }
        }
        oids.sort();
        oids
    }

    #[test]
    fn a_walk_meets_every_instance_once_in_oid_order() {
        let tree = populated().instances();
        let mut walked = Vec::new();
        let mut oid = Vec::new();
        while let Some((column, index, value)) = tree.next(&oid) {
            oid = [column.get().oid, index.arcs()].concat();
            assert_eq!(tree.get(&oid), Got::Value(value.into_owned()));
            walked.push(oid.clone());
        }
        assert!(walked.len() > 30);
        assert_eq!(walked, all(&tree));
    }

    #[test]
    fn next_starts_anywhere_between_instances() {
        let tree = populated().instances();
        let name = hoc::static_hosts::NAME.id().get().oid;
        let first = |arcs: &[u32]| {
            let next = tree.next(&[name, arcs].concat());
            next.map(|(column, index, _)| (column, index.arcs().to_vec()))
        };
        let here = hoc::static_hosts::NAME.id();
        assert_eq!(first(&[]), Some((here, vec![1])));
        assert_eq!(first(&[1, 5]), Some((here, vec![9])));
        assert_eq!(first(&[8, 4_294_967_295]), Some((here, vec![9])));
        let after = hoc::static_hosts::IP_ADDRESSES.id();
        assert_eq!(first(&[300]), Some((after, vec![1])));
    }

    #[test]
    fn what_is_missing_is_told_apart() {
        let tree = populated().instances();
        let name = hoc::static_hosts::NAME.id().get().oid;
        assert_eq!(tree.get(&[1, 3, 6]), Got::NoSuchObject);
        assert_eq!(tree.get(&[name, &[2]].concat()), Got::NoSuchInstance);
        assert_eq!(tree.get(name), Got::NoSuchInstance);
        assert_eq!(
            tree.get(&[name, &[1]].concat()),
            Got::Value(Value::from(""))
        );
    }
}
