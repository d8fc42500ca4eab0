//! The entries of an answer, one after the other.
//!
//! Most of a long answer are plain columns of rows, several of a row in
//! succession: a row is looked up once for all of them, and a text that the
//! tree holds is not copied. Everything else is read as `read` says.

use super::DataModel;
use super::map::{At, Cell, Form, Otherwise, Source};
use super::path::{Parameter, Place};
use crate::schema::{Role, Value};
use crate::tree::Row;
use crate::wire::soap::Entry;
use std::borrow::Cow;
use std::sync::Arc;

impl DataModel<'_> {
    /// Parameters as they stand in an answer.
    pub fn entries<'p>(&'p self, parameters: &'p [Parameter]) -> impl Iterator<Item = Entry<'p>> {
        let mut last: Option<(&'p Arc<Place>, Option<&'p Row>)> = None;
        parameters.iter().map(move |parameter| {
            let place = &parameter.place;
            let row = match last {
                Some((known, row)) if Arc::ptr_eq(known, place) => row,
                _ => self.stored_row(place),
            };
            last = Some((place, row));
            Entry {
                object: &place.path,
                name: parameter.leaf.name,
                kind: parameter.leaf.kind,
                value: self.said(parameter, row),
            }
        })
    }

    /// The row of the instance around an object, where the tree keeps it.
    fn stored_row<'p>(&'p self, place: &'p Place) -> Option<&'p Row> {
        let (table, index) = place.row()?;
        self.view.rows(*table).get(index)
    }

    fn said<'p>(&'p self, parameter: &'p Parameter, row: Option<&'p Row>) -> Cow<'p, str> {
        let own = |cell: &Cell| plain(&parameter.place, cell, row);
        match parameter.leaf.source {
            Source::Constant(text) => Cow::Borrowed(text),
            Source::Cell(cell) => match own(cell) {
                Some(text) => Cow::Borrowed(text),
                None => Cow::Owned(self.text(&parameter.place, parameter.leaf)),
            },
            Source::Version | Source::Count(_) | Source::Alias | Source::Transport => {
                Cow::Owned(self.text(&parameter.place, parameter.leaf))
            }
        }
    }
}

/// What a column of this row holds as text, where nothing else counts for the cell.
fn plain<'p>(place: &Place, cell: &Cell, row: Option<&'p Row>) -> Option<&'p str> {
    let column = cell.column.get();
    let here = matches!(cell.at, At::Row) && place.row()?.0 == column.table;
    let (Form::Plain | Form::Switch, Otherwise::Nothing, true) =
        (&cell.form, &cell.otherwise, here)
    else {
        return None;
    };
    let value: &Value = match column.role {
        Role::Stored(_) if column.secret => return Some(""),
        Role::Stored(slot) if !column.table.get().is_live() => row?.cell(slot)?,
        // It reads as its noOp.
        Role::Command(_) => return row.and(column.syntax.label(0)),
        _ => return None,
    };
    match cell.form {
        Form::Switch => Some(match value.number() {
            Some(1) => "true",
            _ => "false",
        }),
        _ => value.as_displayed(&column.syntax),
    }
}
