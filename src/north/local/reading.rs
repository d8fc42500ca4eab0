//! Values on their way out: columns read from one version of the tree.
//!
//! However much was asked for, it comes in batches of bounded size.

use super::answer::{Answer, Cell};
use crate::schema::{ColumnId, Index, Name, RowLife, Selection, Value};
use crate::tree::Instances;
use serde_json::{Map, json};
use std::collections::VecDeque;

/// Columns that are being read from one version of the tree.
pub struct Reading {
    tree: Instances,
    columns: VecDeque<(ColumnId, Option<Index>)>,
    /// The last row read of the first column.
    after: Option<Index>,
}

/// Instances in one line of answer.
const BATCH: usize = 500;

impl Reading {
    pub(super) fn new(tree: Instances, selections: &[Selection]) -> Self {
        Self {
            tree,
            columns: selections.iter().flat_map(plan).collect(),
            after: None,
        }
    }

    /// The next instances, and whether there may be more.
    pub fn batch(&mut self) -> (Answer, bool) {
        let mut values = Map::new();
        while values.len() < BATCH {
            let Some((column, row)) = self.columns.front() else {
                return (Answer::Values(values), false);
            };
            let column = *column;
            match row {
                Some(row) => {
                    let name = named(column, row);
                    let value = self.tree.read(&name);
                    values.extend(value.map(|value| entry(&name, &value)));
                    self.columns.pop_front();
                }
                None => match self.step(column) {
                    Some((name, value)) => {
                        values.extend([entry(&name, &value)]);
                        self.after = Some(name.index);
                    }
                    None => {
                        self.columns.pop_front();
                        self.after = None;
                    }
                },
            }
        }
        (Answer::Values(values), true)
    }

    fn step(&self, column: ColumnId) -> Option<(Name, Value)> {
        let after = self.after.as_ref().map(Index::arcs);
        let (index, value) = self.tree.next_in(column, after)?;
        Some((named(column, index), value.into_owned()))
    }
}

fn plan(selection: &Selection) -> impl Iterator<Item = (ColumnId, Option<Index>)> + use<> {
    let (columns, row) = selection.columns();
    let row = row.cloned();
    columns.into_iter().map(move |column| (column, row.clone()))
}

/// Whether a selection names one thing that is not there.
pub(super) fn missing(tree: &Instances, selection: &Selection) -> bool {
    let scalar = |column: ColumnId| column.get().table.get().rows == RowLife::Scalar;
    match selection {
        Selection::Instance(name) => tree.read(name).is_none(),
        Selection::Row(table, index) => {
            let mut columns = table.get().columns.iter();
            columns.all(|column| tree.read(&named(*column, index)).is_none())
        }
        Selection::Column(column) if scalar(*column) => {
            tree.read(&named(*column, &Index::scalar())).is_none()
        }
        Selection::All | Selection::Service(_) | Selection::Columns(_) | Selection::Column(_) => {
            false
        }
    }
}

fn named(column: ColumnId, index: &Index) -> Name {
    Name {
        column,
        index: index.clone(),
    }
}

fn entry(name: &Name, value: &Value) -> (String, serde_json::Value) {
    let cell = Cell::of(value, &name.column.get().syntax, name.dotted());
    (name.to_string(), json!(cell))
}
