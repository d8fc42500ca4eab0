//! The immutable tree of one version.
//!
//! Each table is an ordered persistent map from index to row; copies share
//! structure, so that a reader keeps its version as long as it likes and a
//! commit costs only what it changes.

use super::row::Row;
use super::table::Rows;
use crate::schema::{self, ColumnId, Index, Role, RowLife, TableId, Value};
use std::sync::Arc;

/// All stored rows of a device at one version.
#[derive(Clone)]
pub struct Snapshot {
    version: u64,
    tables: Box<[Arc<Rows>]>,
}

impl Snapshot {
    /// Version 0: every scalar at its default and no other row.
    pub fn factory() -> Self {
        let mut tree = Self::empty();
        for (id, table) in schema::tables() {
            if table.rows == RowLife::Scalar {
                tree.rows_mut(id).put(Index::scalar(), Row::initial(id));
            }
        }
        tree
    }

    /// No row at all, for what engines publish.
    pub(crate) fn empty() -> Self {
        let none = Arc::<Rows>::default();
        Self {
            version: 0,
            tables: schema::tables().map(|_| none.clone()).collect(),
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
    pub fn row(&self, table: TableId, index: &Index) -> Option<&Row> {
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
        Arc::make_mut(&mut self.tables[table.at()])
    }

    pub(crate) fn set_version(&mut self, version: u64) {
        self.version = version;
    }
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
        let row = Row::initial(hosts());
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
}
