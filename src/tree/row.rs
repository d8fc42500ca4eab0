//! One row of a table.
//!
//! Its cells stand side by side in one piece, shared by every version that
//! has the row as it is: a copy of a row costs no allocation, and a change
//! copies the cells only while an older version still holds them.

use crate::schema::{Base, Column, ColumnId, Role, TableId, Value};
use std::sync::Arc;

/// One row: its state and its cells in the order of their slots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Whether engines see it.
    pub state: RowState,
    /// The cells; `None` was never set and has no default.
    pub cells: Arc<[Option<Value>]>,
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

    /// A row whose cells have no value yet.
    pub(super) fn hollow(cells: usize) -> Self {
        Self {
            state: RowState::Active,
            cells: vec![None; cells].into(),
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
            self.set(slot, value);
        }
    }

    pub(super) fn set(&mut self, slot: u8, value: Value) {
        Arc::make_mut(&mut self.cells)[usize::from(slot)] = Some(value);
    }

    /// Whether every cell has a value, so that it may be active.
    pub fn is_complete(&self) -> bool {
        self.cells.iter().all(Option::is_some)
    }
}

impl RowState {
    /// As [`RowState::number`], as a value.
    pub(super) fn value(self) -> &'static Value {
        match self {
            Self::Active => &Value::Integer(1),
            Self::NotInService => &Value::Integer(2),
            Self::NotReady => &Value::Integer(3),
        }
    }

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
