//! What the device published, by name.

use crate::north::local::Cell;
use crate::schema::{Index, Name, RowLife, row_name};
use std::collections::BTreeMap;

/// Scalars and rows, as a person reads their values.
#[derive(Debug, Default)]
pub(super) struct Facts {
    scalars: BTreeMap<String, String>,
    tables: BTreeMap<String, BTreeMap<Index, Row>>,
}

/// One row.
#[derive(Debug, Default)]
pub(super) struct Row {
    /// `Service.Table[Index=key]`.
    pub(super) name: String,
    cells: BTreeMap<&'static str, String>,
}

impl Facts {
    /// Adds what was read.
    pub(super) fn take(&mut self, cells: Vec<(Name, Cell)>) {
        for (name, cell) in cells {
            let column = name.column.get();
            let table = column.table.get();
            if table.rows == RowLife::Scalar {
                self.scalars.insert(name.to_string(), cell.display());
                continue;
            }
            let key = format!("{}.{}", table.service.get().name, table.short);
            let rows = self.tables.entry(key).or_default();
            let row = rows.entry(name.index.clone()).or_insert_with(|| Row {
                name: row_name(column.table, &name.index),
                cells: BTreeMap::new(),
            });
            row.cells.insert(column.short, cell.display());
        }
    }

    /// A scalar, or "" where the device has none.
    pub(super) fn scalar(&self, name: &str) -> &str {
        self.scalars.get(name).map_or("", String::as_str)
    }

    /// The rows of a table in order of their keys.
    pub(super) fn rows(&self, table: &str) -> impl Iterator<Item = (&Index, &Row)> {
        self.tables.get(table).into_iter().flatten()
    }

    /// The row of a table with a key.
    pub(super) fn row(&self, table: &str, index: &Index) -> Option<&Row> {
        self.tables.get(table)?.get(index)
    }
}

impl Row {
    /// A cell, or "".
    pub(super) fn cell(&self, short: &str) -> &str {
        self.cells.get(short).map_or("", String::as_str)
    }
}
