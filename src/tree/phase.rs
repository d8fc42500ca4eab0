//! When a wish is granted: rows are made first, then filled, then put into use,
//! then told what to do.
//!
//! Wishes of one transaction count wherever they stand in it, so this is the
//! only order there is.

use super::txn::Wish;
use crate::schema::{Name, Role, Value};

/// The actions of RowStatus (RFC 2579).
pub(super) const ACTIVE: i32 = 1;
pub(super) const NOT_IN_SERVICE: i32 = 2;
pub(super) const CREATE_AND_GO: i32 = 4;
pub(super) const CREATE_AND_WAIT: i32 = 5;
pub(super) const DESTROY: i32 = 6;

/// When a wish is granted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Rows appear, and room for them.
    Make,
    /// Cells get their values; rows that are deleted go.
    Fill,
    /// Rows are put into use, or change places.
    Settle,
    /// Engines are told, which see only rows in use.
    Tell,
}

/// The phase of a wish.
pub(super) fn phase_of(wish: &Wish) -> Phase {
    match wish {
        Wish::Create(..) | Wish::Put(..) => Phase::Make,
        Wish::Assign(name, value) if name.column.get().role == Role::RowStatus => match value {
            Value::Integer(CREATE_AND_GO | CREATE_AND_WAIT) => Phase::Make,
            _ => Phase::Settle,
        },
        Wish::Assign(name, Value::Integer(1..)) if is_command(name, "Insert") => Phase::Make,
        Wish::Assign(name, _) if is_command(name, "Up") || is_command(name, "Down") => {
            Phase::Settle
        }
        Wish::Assign(name, _) if is_verb(name) => Phase::Tell,
        Wish::Activate(..) => Phase::Settle,
        Wish::Assign(..) | Wish::Delete(..) | Wish::Unknown(..) | Wish::Unfit(_) => Phase::Fill,
    }
}

/// A command that an engine carries out, not the tree.
fn is_verb(name: &Name) -> bool {
    let column = name.column.get();
    matches!(column.role, Role::Command(_)) && !["Insert", "Delete"].contains(&column.short)
}

fn is_command(name: &Name, short: &str) -> bool {
    let column = name.column.get();
    matches!(column.role, Role::Command(_)) && column.short == short
}
