//! A walk over the instances of one version.
//!
//! Rows are kept row first, a walk goes column by column: each step meets a
//! row that lies elsewhere in memory. So the walk reads ahead, which lets the
//! processor wait for many cells together instead of for one after the other;
//! whoever takes only one step waits for no other.

use super::instances::Instances;
use super::row::Row;
use super::source::Source;
use super::table::{Rows, RowsAfter};
use crate::schema::{
    ColumnId, Index, TableId, Value, column_before, column_count, first_column_after,
};
use std::borrow::Cow;

/// A walk over the instances of one version, from [`Instances::walk`].
pub struct Walk<'a> {
    tree: &'a Instances,
    column: ColumnId,
    /// What is left of the column.
    left: Option<Left<'a>>,
    /// The column after it.
    next: u16,
    /// How many rows to touch ahead the next time.
    reach: usize,
}

/// What is left of a column.
struct Left<'a> {
    source: Source<'a>,
    rows: RowsAfter<'a>,
    beside: Beside<'a>,
    /// How many of the next rows were touched.
    touched: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn after(tree: &'a Instances, oid: &[u32]) -> Self {
        let next = first_column_after(oid);
        let (left, column) = match column_before(next, oid) {
            Some((column, arcs)) => (Left::of(tree, column, Some(arcs)), column),
            None => (None, ColumnId(next)),
        };
        Self {
            tree,
            column,
            left,
            next,
            reach: 1,
        }
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = (ColumnId, &'a Index, Cow<'a, Value>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let left = self.left.as_mut();
            if let Some((index, value)) =
                left.and_then(|left| left.next(self.tree, &mut self.reach))
            {
                return Some((self.column, index, value));
            }
            if self.next >= column_count() {
                return None;
            }
            self.column = ColumnId(self.next);
            self.next += 1;
            self.left = Left::of(self.tree, self.column, None);
        }
    }
}

impl<'a> Left<'a> {
    fn of(tree: &'a Instances, column: ColumnId, after: Option<&[u32]>) -> Option<Self> {
        let source = Source::of(tree, column);
        Some(Self {
            source,
            rows: tree.instances_of(column, &source, after)?,
            beside: Beside::of(tree, column.get().table),
            touched: 0,
        })
    }

    fn next(
        &mut self,
        tree: &'a Instances,
        reach: &mut usize,
    ) -> Option<(&'a Index, Cow<'a, Value>)> {
        loop {
            if self.touched == 0 {
                self.touch(reach);
            }
            let (index, row) = self.rows.next()?;
            self.touched = self.touched.saturating_sub(1);
            let beside = || self.beside.row(index);
            if let Some(value) = self.source.value(tree, index, row, beside) {
                return Some((index, value));
            }
        }
    }

    /// Touches as many rows as `reach` says, and more the next time.
    fn touch(&mut self, reach: &mut usize) {
        if *reach > 1 {
            self.touched = match self.source {
                Source::Stored(slot) | Source::Published(slot) => self.rows.touch(*reach, slot),
                Source::Beside(slot) => self.beside.touch(*reach, slot),
                _ => *reach,
            };
        }
        *reach = (*reach * 4).min(FURTHEST);
    }
}

/// The rows that are published beside stored ones, found in step with them.
struct Beside<'a> {
    all: &'a Rows,
    /// From the row that was found last on; none before the first.
    rows: Option<RowsAfter<'a>>,
    /// The first row that was not passed yet.
    first: Option<(&'a Index, &'a Row)>,
}

impl<'a> Beside<'a> {
    fn of(tree: &'a Instances, table: TableId) -> Self {
        Self {
            all: tree.beside(table),
            rows: None,
            first: None,
        }
    }

    /// The row of a key; keys come in order.
    fn row(&mut self, index: &Index) -> Option<&'a Row> {
        if self.is_before(index) {
            self.first = self.rows.as_mut().and_then(Iterator::next);
        }
        if self.is_before(index) {
            let mut rows = self.all.from(index);
            self.first = rows.next();
            self.rows = Some(rows);
        }
        let found = self.first.filter(|(first, _)| *first == index);
        found.map(|(_, row)| row)
    }

    fn is_before(&self, index: &Index) -> bool {
        match (&self.rows, self.first) {
            (None, _) => true,
            (Some(_), Some((first, _))) => first < index,
            (Some(_), None) => false,
        }
    }

    fn touch(&self, many: usize, slot: u8) -> usize {
        self.rows
            .as_ref()
            .map_or(many, |rows| rows.touch(many, slot))
    }
}

/// Rows that are touched at once.
const FURTHEST: usize = 64;
