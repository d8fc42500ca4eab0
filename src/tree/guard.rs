//! Pure rules over more than one object.
//!
//! A guard stands beside the engine that needs it and sees the tree before
//! and after; it has no other way to object, and no way to change anything.

use super::refusal::{Reason, Refusal, Subject};
use super::rows::Candidate;
use super::view::{Change, RowView, Tracker, View};
use crate::schema::{ColumnId, Index, Name, TableId};

/// A rule: every refusal that the candidate deserves.
pub type Guard = fn(&Candidate<'_>) -> Vec<Refusal>;

impl Candidate<'_> {
    /// The rows of a view as they would be.
    pub fn rows<V: View>(&self) -> Vec<(Index, V)> {
        let rows = self.after.rows(V::TABLE).iter();
        rows.filter_map(|(index, row)| Some((index.clone(), V::read(RowView::active(index, row)?))))
            .collect()
    }

    /// The rows of a view that would change.
    pub fn changes<V: View>(&self) -> Vec<Change<V>> {
        let mut tracker = Tracker::at(self.before);
        tracker.delta(&self.after)
    }

    /// A refusal that names one object.
    pub fn refuse(&self, column: ColumnId, index: &Index, why: impl Into<String>) -> Refusal {
        let name = Name {
            column,
            index: index.clone(),
        };
        Refusal::new(
            self.wish_of(column.get().table, index),
            Subject::Instance(name),
            Reason::Inconsistent(why.into()),
        )
    }

    /// A refusal that names a row.
    pub fn refuse_row(&self, table: TableId, index: &Index, why: impl Into<String>) -> Refusal {
        Refusal::new(
            self.wish_of(table, index),
            Subject::Row(table, index.clone()),
            Reason::Inconsistent(why.into()),
        )
    }
}
