//! Where the instances of a column come from.
//!
//! What a column is was written in the MIB; here it is turned once into how
//! its values are read, so that a walk over many rows does not ask again for
//! each. Secrets read as "" on every face.

use super::instances::Instances;
use super::live::Probe;
use super::row::{Row, initial_cell};
use crate::schema::{Column, ColumnId, Index, Octets, Role, TableId, Value};
use std::borrow::Cow;

/// How the values of one column are read.
#[derive(Clone, Copy)]
pub(super) enum Source<'a> {
    /// The same whatever the row.
    Always(&'static Value),
    /// The row's state.
    State,
    /// A stored cell.
    Stored(u8),
    /// A cell of a row that an engine publishes.
    Published(u8),
    /// A cell that an engine publishes beside a stored row.
    Beside(u8),
    /// A part of the key, by its position.
    Key(TableId, usize),
    /// Another object's cell under the same key.
    Alias(ColumnId),
    /// What an engine says when it is asked.
    Probe(&'a Probe),
    /// What a new row would hold.
    Initial(&'static Column),
}

impl<'a> Source<'a> {
    pub(super) fn of(tree: &'a Instances, column: ColumnId) -> Self {
        let object = column.get();
        if object.secret {
            return Self::Always(&NOTHING);
        }
        let table = object.table.get();
        match object.role {
            Role::Stored(slot) => Self::Stored(slot),
            Role::Command(_) => Self::Always(&NO_OPERATION),
            Role::RowStatus => Self::State,
            Role::Index => {
                let at = table.indexes.iter().position(|own| *own == column);
                Self::Key(object.table, at.unwrap_or(usize::MAX))
            }
            Role::Input => Self::Initial(object),
            Role::Alias(target) => Self::Alias(target),
            Role::Live(slot) => match (tree.probe(column), table.is_live()) {
                (Some(probe), _) => Self::Probe(probe),
                (None, true) => Self::Published(slot),
                (None, false) => Self::Beside(slot),
            },
        }
    }

    /// The value under a key: `row` is the row of that key, `beside` finds the
    /// one that is published beside it.
    pub(super) fn value(
        self,
        tree: &'a Instances,
        index: &Index,
        row: &'a Row,
        beside: impl FnOnce() -> Option<&'a Row>,
    ) -> Option<Cow<'a, Value>> {
        let borrowed = match self {
            Self::Always(value) => Some(value),
            Self::State => Some(row.state.value()),
            Self::Stored(slot) | Self::Published(slot) => row.cell(slot),
            Self::Beside(slot) => beside()?.cell(slot),
            Self::Alias(target) => tree.stored().cell(target, index),
            Self::Key(table, at) => return key(table, at, index).map(Cow::Owned),
            Self::Probe(probe) => return Some(Cow::Owned(probe())),
            Self::Initial(column) => return initial_cell(column).map(Cow::Owned),
        };
        borrowed.map(Cow::Borrowed)
    }
}

/// The value of an index column, out of the key.
fn key(table: TableId, at: usize, index: &Index) -> Option<Value> {
    index.values(table.get()).ok()?.into_iter().nth(at)
}

/// What a secret reads as.
static NOTHING: Value = Value::Octets(Octets::EMPTY);
/// What a command reads as: noOp(0).
static NO_OPERATION: Value = Value::Integer(0);
