//! The text of a value for an answer of many.
//!
//! Most of a long answer are plain columns of rows: a text that the tree holds
//! is not copied, a number is written into room that is used again. Everything
//! else is read as `read` says.

use super::DataModel;
use super::map::{At, Cell, Form, Leaf, Otherwise, Source};
use super::path::{Around, Place};
use super::text::push_number;
use crate::schema::{Base, Index, Role, Value};
use crate::tree::Row;

impl DataModel<'_> {
    /// The text of a value; `room` is for what nobody holds yet.
    pub(super) fn said<'s>(
        &'s self,
        place: &'s Place,
        leaf: &'static Leaf,
        row: Option<&'s Row>,
        room: &'s mut String,
    ) -> &'s str {
        let at_hand = match &leaf.source {
            Source::Constant(text) => Some(AtHand::Text(text)),
            Source::Cell(cell) => self.at_hand(place, cell, row),
            Source::Alias => place.row().map(AtHand::AliasOf),
            Source::Version | Source::Count(_) | Source::Transport => None,
        };
        room.clear();
        match at_hand {
            Some(AtHand::Text(text)) => return text,
            Some(AtHand::Number(number)) => push_number(number, room),
            Some(AtHand::AliasOf(row)) => row.instance.push_alias(row.number, room),
            None => *room = self.text(place, leaf),
        }
        room
    }

    /// What a cell shows where it needs no more than to be printed; `row` is
    /// that of the instance around it.
    fn at_hand<'s>(
        &'s self,
        place: &'s Place,
        cell: &Cell,
        row: Option<&'s Row>,
    ) -> Option<AtHand<'s>> {
        let column = cell.column.get();
        let row = match (&cell.at, place.row()) {
            (At::Row, Some(around)) if around.table == column.table => row,
            (At::Scalar, _) => self.view.rows(column.table).get(&Index::scalar()),
            _ => None,
        }?;
        let (Form::Plain | Form::Switch, Otherwise::Nothing) = (&cell.form, &cell.otherwise) else {
            return None;
        };
        let value: &Value = match column.role {
            Role::Stored(_) if column.secret => return Some(AtHand::Text("")),
            Role::Stored(slot) if !column.table.get().is_live() => row.cell(slot)?,
            Role::Index if column.syntax.base == Base::Unsigned => {
                return only(&place.row()?.instance.index).map(AtHand::Number);
            }
            // It reads as its noOp.
            Role::Command(_) => return column.syntax.label(0).map(AtHand::Text),
            _ => return None,
        };
        if let Form::Switch = cell.form {
            return Some(AtHand::Text(match value.number() {
                Some(1) => "true",
                _ => "false",
            }));
        }
        let text = value.as_displayed(&column.syntax).map(AtHand::Text);
        text.or_else(|| value.number().map(AtHand::Number))
    }
}

/// What a value is before it is text.
enum AtHand<'a> {
    Text(&'a str),
    Number(i64),
    AliasOf(&'a Around),
}

/// The one number that a key is.
fn only(index: &Index) -> Option<i64> {
    match index.arcs() {
        [number] => Some(i64::from(*number)),
        _ => None,
    }
}
