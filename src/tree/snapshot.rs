//! The immutable tree of one version.
//!
//! Each table is an ordered persistent map from index to row; copies share
//! structure, so that a reader keeps its version as long as it likes and a
//! commit costs only what it changes.

use crate::schema::{self, Base, Column, ColumnId, Index, Role, RowLife, TableId, Value};
use imbl::OrdMap;
use std::ops::Bound;
use std::sync::Arc;

/// All stored rows of a device at one version.
#[derive(Clone)]
pub struct Snapshot {
    version: u64,
    tables: Box<[Rows]>,
}

/// The rows of one table.
#[derive(Clone, Default)]
pub struct Rows {
    map: OrdMap<Index, Arc<Row>>,
    /// How many rows hold a value, for each cell: a column that no row has costs no scan.
    filled: Vec<u32>,
}

/// Rows in OID order of their keys, from somewhere on.
pub type RowsAfter<'a> =
    imbl::ordmap::RangedIter<'a, Index, Arc<Row>, imbl::shared_ptr::DefaultSharedPtr>;

/// One row: its state and its cells in the order of their slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whether engines see it.
    pub state: RowState,
    /// The cells; `None` was never set and has no default.
    pub cells: Box<[Option<Value>]>,
}

/// RFC 2579 RowStatus without its actions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowState {
    /// In use.
    Active,
    /// Complete, but inert.
    NotInService,
    /// Incomplete.
    NotReady,
}

impl Snapshot {
    /// Version 0: every scalar at its default and no other row.
    pub fn factory() -> Self {
        let mut tables: Box<[Rows]> = schema::tables().map(|_| Rows::default()).collect();
        for (id, table) in schema::tables() {
            if table.rows == RowLife::Scalar {
                tables[id.at()].put(Index::scalar(), Arc::new(Row::initial(id)));
            }
        }
        Self { version: 0, tables }
    }

    /// No row at all, for what engines publish.
    pub(crate) fn empty() -> Self {
        Self {
            version: 0,
            tables: schema::tables().map(|_| Rows::default()).collect(),
        }
    }

    /// The version that made it; grows by one with each commit.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The rows of a table.
    pub fn rows(&self, table: TableId) -> &Rows {
        &self.tables[table.at()]
    }

    /// A stored row.
    pub fn row(&self, table: TableId, index: &Index) -> Option<&Arc<Row>> {
        self.rows(table).get(index)
    }

    /// A stored cell as it is, secrets included: for engines, never for faces.
    pub fn cell(&self, column: ColumnId, index: &Index) -> Option<&Value> {
        let object = column.get();
        match object.role {
            Role::Stored(slot) => self.row(object.table, index)?.cell(slot),
            _ => None,
        }
    }

    pub(crate) fn rows_mut(&mut self, table: TableId) -> &mut Rows {
        &mut self.tables[table.at()]
    }

    pub(crate) fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

impl Rows {
    /// Whether they are the very same, as long as nobody has changed them.
    pub fn is(&self, other: &Self) -> bool {
        self.map.ptr_eq(&other.map)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The row of a key.
    pub fn get(&self, index: &Index) -> Option<&Arc<Row>> {
        self.map.get(index)
    }

    /// All rows in OID order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Index, &Arc<Row>)> {
        self.map.iter()
    }

    /// Rows from the first key greater than `arcs`, or from the first of all.
    pub fn after<'a>(&'a self, arcs: Option<&[u32]>) -> RowsAfter<'a> {
        let from = arcs.map_or(Bound::Unbounded, Bound::Excluded);
        self.map.range::<_, [u32]>((from, Bound::Unbounded))
    }

    /// Whether any row holds a value in this cell.
    pub fn has_any(&self, slot: u8) -> bool {
        self.filled
            .get(usize::from(slot))
            .is_some_and(|count| *count > 0)
    }

    pub(crate) fn map(&self) -> &OrdMap<Index, Arc<Row>> {
        &self.map
    }

    pub(crate) fn put(&mut self, index: Index, row: Arc<Row>) {
        if self.filled.len() < row.cells.len() {
            self.filled.resize(row.cells.len(), 0);
        }
        for (count, cell) in self.filled.iter_mut().zip(&row.cells) {
            *count += u32::from(cell.is_some());
        }
        if let Some(old) = self.map.insert(index, row) {
            self.forget(&old);
        }
    }

    pub(crate) fn take(&mut self, index: &Index) -> Option<Arc<Row>> {
        let old = self.map.remove(index)?;
        self.forget(&old);
        Some(old)
    }

    fn forget(&mut self, row: &Row) {
        for (count, cell) in self.filled.iter_mut().zip(&row.cells) {
            *count -= u32::from(cell.is_some());
        }
    }
}

impl Row {
    /// A new row of a table: every stored cell at its default.
    pub fn initial(table: TableId) -> Self {
        let stored = |column: &&ColumnId| matches!(column.get().role, Role::Stored(_));
        let columns = table.get().columns.iter().filter(stored);
        Self {
            state: RowState::Active,
            cells: columns.map(|column| initial_cell(column.get())).collect(),
        }
    }

    /// A cell by its slot.
    pub fn cell(&self, slot: u8) -> Option<&Value> {
        self.cells.get(usize::from(slot))?.as_ref()
    }

    /// A cell of a stored column.
    pub fn column(&self, column: ColumnId) -> Option<&Value> {
        match column.get().role {
            Role::Stored(slot) => self.cell(slot),
            _ => None,
        }
    }

    /// A cell of a column that engines publish, in a row of theirs.
    pub fn live(&self, column: ColumnId) -> Option<&Value> {
        match column.get().role {
            Role::Live(slot) => self.cell(slot),
            _ => None,
        }
    }

    pub(super) fn put(&mut self, column: ColumnId, value: Value) {
        if let Role::Stored(slot) = column.get().role {
            self.cells[usize::from(slot)] = Some(value);
        }
    }

    /// Whether every cell has a value, so that it may be active.
    pub fn is_complete(&self) -> bool {
        self.cells.iter().all(Option::is_some)
    }
}

impl RowState {
    /// RFC 2579: active(1), notInService(2), notReady(3).
    pub fn number(self) -> i32 {
        match self {
            Self::Active => 1,
            Self::NotInService => 2,
            Self::NotReady => 3,
        }
    }
}

/// DEFVAL; or "" or 0 where that fits; or nothing, and the cell must be set.
pub(crate) fn initial_cell(column: &Column) -> Option<Value> {
    let nothing = match column.syntax.base {
        Base::Octets => Some(Value::octets([])),
        _ => column.syntax.number(0),
    };
    let fits = |value: &Value| column.syntax.check(value).is_ok();
    column.default_value().or_else(|| nothing.filter(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts() -> TableId {
        schema::hoc::static_hosts::TABLE
    }

    #[test]
    fn the_factory_tree_holds_each_scalar_at_its_default() {
        let tree = Snapshot::factory();
        let period = schema::hoc::SNTP_SYNCHRONIZATION_PERIOD.id();
        let cell = tree.cell(period, &Index::scalar());
        assert_eq!(cell, Some(&Value::Unsigned(1440)));
        assert!(tree.rows(hosts()).is_empty());
    }

    #[test]
    fn a_copy_keeps_what_it_saw() {
        let mut tree = Snapshot::factory();
        let row = Arc::new(Row::initial(hosts()));
        tree.rows_mut(hosts()).put(Index::number(2), row.clone());
        let before = tree.clone();
        tree.rows_mut(hosts()).put(Index::number(1), row);
        tree.rows_mut(hosts()).take(&Index::number(2));
        let keys = |tree: &Snapshot| {
            let rows = tree.rows(hosts()).iter();
            rows.map(|(index, _)| index.clone()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&before), [Index::number(2)]);
        assert_eq!(keys(&tree), [Index::number(1)]);
    }

    #[test]
    fn the_count_of_filled_cells_follows_every_change() {
        let mut rows = Rows::default();
        let full = Arc::new(Row::initial(hosts()));
        let mut hollow = Row::clone(&full);
        hollow.cells[0] = None;
        rows.put(Index::number(1), full);
        assert!(rows.has_any(0));
        rows.put(Index::number(1), Arc::new(hollow));
        assert!(!rows.has_any(0) && rows.has_any(1));
        rows.take(&Index::number(1));
        assert!(!rows.has_any(1));
    }
}
