//! The tree as a face reads it: stored and published values together, in
//! OID order, secrets as "".
//!
//! Rows are kept row first; SNMP's column-first order is computed: the next
//! key in this column, else the first key in the next column that has one.

use super::live::Probe;
use super::snapshot::{Row, Rows, RowsAfter, Snapshot, initial_cell};
use crate::schema::{
    ColumnId, Index, Name, Role, RowLife, TableId, Value, column_at, column_before, column_count,
    first_column_after,
};
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

    /// The rows of a table, stored or published, in OID order of their keys.
    pub fn rows(&self, table: TableId) -> &Rows {
        match table.get().is_live() {
            true => self.live.rows(table),
            false => self.stored.rows(table),
        }
    }

    /// One instance by OID.
    pub fn get(&self, oid: &[u32]) -> Got {
        let Some((column, arcs)) = column_at(oid) else {
            return Got::NoSuchObject;
        };
        let table = column.get().table;
        let Some((index, stored)) = self.find(column, arcs) else {
            return Got::NoSuchInstance;
        };
        let live = || self.live.rows(table).get(index);
        let value = self.value(column, index, stored, live);
        value.map_or(Got::NoSuchInstance, Got::Value)
    }

    /// One instance by name.
    pub fn read(&self, name: &Name) -> Option<Value> {
        self.at(name.column, &name.index)
    }

    /// One instance of a column.
    pub fn at(&self, column: ColumnId, index: &Index) -> Option<Value> {
        let (index, stored) = self.find(column, index.arcs())?;
        let live = || self.live.rows(column.get().table).get(index);
        self.value(column, index, stored, live)
    }

    /// The first instance after `oid` in the whole tree.
    pub fn next(&self, oid: &[u32]) -> Option<(ColumnId, &Index, Value)> {
        self.walk(oid).next()
    }

    /// The first instance of a column after a key, or the first of all.
    pub fn next_in(&self, column: ColumnId, after: Option<&[u32]>) -> Option<(&Index, Value)> {
        let mut rows = self.instances_of(column, after)?;
        rows.find_map(|(index, row)| Some((index, self.value_in(column, index, row)?)))
    }

    /// Every instance after `oid`, in order: each costs a step to the next row,
    /// not a search of its own.
    pub fn walk(&self, oid: &[u32]) -> Walk<'_> {
        let next = first_column_after(oid);
        let (rows, column) = match column_before(next, oid) {
            Some((column, arcs)) => (self.instances_of(column, Some(arcs)), column),
            None => (None, ColumnId(next)),
        };
        Walk {
            tree: self,
            column,
            rows,
            next,
        }
    }

    /// The rows that may hold an instance of a column; none where it is sure
    /// that no row does.
    fn instances_of(&self, column: ColumnId, after: Option<&[u32]>) -> Option<RowsAfter<'_>> {
        let object = column.get();
        let empty = match object.role {
            Role::Live(slot) => {
                !self.live.rows(object.table).has_any(slot) && !self.probes.contains_key(&column)
            }
            _ => false,
        };
        (!empty).then(|| self.keys(column).after(after))
    }

    fn value_in(&self, column: ColumnId, index: &Index, row: &Arc<Row>) -> Option<Value> {
        let table = column.get().table;
        match table.get().is_live() {
            true => self.value(column, index, None, || Some(row)),
            false => self.value(column, index, Some(row), || {
                self.live.rows(table).get(index)
            }),
        }
    }

    /// The rows whose keys are the instances of a column.
    fn keys(&self, column: ColumnId) -> &Rows {
        let table = column.get().table;
        match table.get().rows {
            RowLife::Live => self.live.rows(table),
            RowLife::Scalar
            | RowLife::Free
            | RowLife::Fixed
            | RowLife::Kept
            | RowLife::Follow(_) => self.stored.rows(table),
        }
    }

    fn find(&self, column: ColumnId, arcs: &[u32]) -> Option<(&Index, Option<&Arc<Row>>)> {
        let (index, row) = self.keys(column).map().get_key_value(arcs)?;
        let stored = !column.get().table.get().is_live();
        Some((index, stored.then_some(row)))
    }

    fn value<'a>(
        &self,
        column: ColumnId,
        index: &Index,
        stored: Option<&Arc<Row>>,
        live: impl FnOnce() -> Option<&'a Arc<Row>>,
    ) -> Option<Value> {
        let object = column.get();
        if object.secret {
            return Some(Value::octets([]));
        }
        match object.role {
            Role::Stored(slot) => stored?.cell(slot).cloned(),
            Role::Command(_) => Some(Value::Integer(0)),
            Role::RowStatus => Some(Value::Integer(stored?.state.number())),
            Role::Index => key(column, index),
            Role::Input => initial_cell(object),
            Role::Alias(target) => self.stored.cell(target, index).cloned(),
            Role::Live(slot) => {
                if let Some(probe) = self.probes.get(&column) {
                    return Some(probe());
                }
                live()?.cell(slot).cloned()
            }
        }
    }
}

/// A walk over the instances of one version, from [`Instances::walk`].
pub struct Walk<'a> {
    tree: &'a Instances,
    column: ColumnId,
    /// What is left of the column.
    rows: Option<RowsAfter<'a>>,
    /// The column after it.
    next: u16,
}

impl<'a> Iterator for Walk<'a> {
    type Item = (ColumnId, &'a Index, Value);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (tree, column) = (self.tree, self.column);
            let mut found = self.rows.iter_mut().flatten();
            let found =
                found.find_map(|(index, row)| Some((index, tree.value_in(column, index, row)?)));
            if let Some((index, value)) = found {
                return Some((column, index, value));
            }
            if self.next >= column_count() {
                return None;
            }
            self.column = ColumnId(self.next);
            self.next += 1;
            self.rows = tree.instances_of(self.column, None);
        }
    }
}

/// The value of an index column, out of the key.
fn key(column: ColumnId, index: &Index) -> Option<Value> {
    let table = column.get().table.get();
    let at = table.indexes.iter().position(|own| *own == column)?;
    index.values(table).ok()?.into_iter().nth(at)
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
        for (column, object) in columns() {
            for (index, _) in tree.keys(column).iter() {
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
            assert_eq!(tree.get(&oid), Got::Value(value));
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
