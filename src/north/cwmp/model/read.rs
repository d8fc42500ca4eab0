//! Values as the ACS sees them.

use super::DataModel;
use super::map::{At, Cell, Form, Leaf, Otherwise, Source, Wanted, object};
use super::path::{Place, Spot, below};
use super::text::{host_and_port, nothing, period_range, time};
use crate::schema::sip_ep::transport_config;
use crate::schema::{ColumnId, Index, RowLife, Value};
use crate::wire::soap::message::Kind;
use std::borrow::Cow;

impl DataModel<'_> {
    /// The text of a value.
    pub(super) fn text(&self, place: &Place, leaf: &Leaf) -> String {
        match leaf.source {
            Source::Constant(text) => text.to_owned(),
            Source::Version => env!("CARGO_PKG_VERSION").to_owned(),
            Source::Count(id) => self.count(place, id).to_string(),
            Source::Alias => place
                .row()
                .map(|row| row.instance.alias(row.number))
                .unwrap_or_default(),
            Source::Transport => self.transport(place).to_owned(),
            Source::Cell(cell) => self.shown(place, cell, leaf.kind),
        }
    }

    fn count(&self, place: &Place, id: u16) -> usize {
        match below(place, object(id)) {
            Spot::Table(table) => self.count_instances(&table),
            Spot::Object(_) | Spot::Parameter(_) => 1,
        }
    }

    /// interfaces.md: where TLS is enabled, all requests go by it.
    fn transport(&self, place: &Place) -> &'static str {
        let is_on = |column: ColumnId| {
            let row = place.row();
            let value = row.and_then(|row| self.view.at(column, &row.instance.index));
            value == Some(Value::Integer(1))
        };
        if is_on(transport_config::TLS_ENABLE.id()) {
            "TLS"
        } else if is_on(transport_config::TCP_ENABLE.id())
            && !is_on(transport_config::UDP_ENABLE.id())
        {
            "TCP"
        } else {
            "UDP"
        }
    }

    /// The value of a cell, whatever stands in for it, in the ACS's form.
    fn shown(&self, place: &Place, cell: &Cell, kind: Kind) -> String {
        let (column, value) = self.effective(place, cell);
        let syntax = &column.get().syntax;
        let text = || {
            let value = value.as_ref().map(|value| value.display(syntax));
            value.unwrap_or_default()
        };
        match &cell.form {
            Form::Plain if value.is_none() => nothing(kind).to_owned(),
            Form::Plain | Form::User | Form::Pattern | Form::Events => text(),
            Form::Uri => self.uri_of(&text(), self.row_of(place, cell).as_deref()),
            Form::Switch => (value == Some(Value::Integer(1))).to_string(),
            Form::Choice(choices) => {
                let text = text();
                let found = choices.iter().find(|(ours, _)| *ours == text);
                let other = || choices.iter().find(|(ours, _)| *ours == "*");
                match found.or_else(other) {
                    Some((_, theirs)) => (*theirs).to_owned(),
                    None if value.is_none() => nothing(kind).to_owned(),
                    None => text,
                }
            }
            Form::Host => host_and_port(&text()).0,
            Form::Port(zero) => match host_and_port(&text()).1 {
                0 => zero.to_string(),
                port => port.to_string(),
            },
            Form::Least => period_range(&text()).0.to_string(),
            Form::Greatest => match period_range(&text()).1 {
                Some(greatest) => greatest.to_string(),
                None => "-1".to_owned(),
            },
            Form::Time => time(&text()),
            Form::Tenths => {
                let hundredths = value.as_ref().and_then(Value::number);
                (hundredths.unwrap_or(0) / 100).to_string()
            }
            Form::Path(id) => self.path_of(*id, &text()),
        }
    }

    /// The column that counts, and its value.
    pub(super) fn effective(&self, place: &Place, cell: &Cell) -> (ColumnId, Option<Value>) {
        let index = self.row_of(place, cell);
        let at = |column: ColumnId| match column.get().table.get().rows {
            RowLife::Scalar => self.view.at(column, &Index::scalar()),
            _ => self.view.at(column, index.as_deref()?),
        };
        let own = at(cell.column);
        match cell.otherwise {
            Otherwise::Empty(other) if own.as_ref().is_none_or(is_empty) => (other, at(other)),
            Otherwise::Unless {
                switch,
                number,
                column,
            } if at(switch) != Some(Value::Integer(number)) => (column, at(column)),
            Otherwise::Nothing | Otherwise::Empty(_) | Otherwise::Unless { .. } => {
                (cell.column, own)
            }
        }
    }

    /// The key of the row that a cell is read from.
    pub(super) fn row_of<'p>(&'p self, place: &'p Place, cell: &Cell) -> Option<Cow<'p, Index>> {
        match &cell.at {
            At::Scalar => Some(Cow::Owned(Index::scalar())),
            At::Row => place.row().map(|row| Cow::Borrowed(&row.instance.index)),
            At::Key(arcs) => Some(Cow::Owned(Index::from_arcs(arcs))),
            At::Where(wanted) => {
                let table = cell.column.get().table;
                let fits = |index: &Index, column: ColumnId, wanted: Wanted| {
                    let value = self.view.at(column, index);
                    match wanted {
                        Wanted::Number(number) => {
                            value.and_then(|value| value.number()) == Some(number)
                        }
                        Wanted::Here => value == Some(place.name()),
                    }
                };
                let mut rows = self.view.rows(table).iter().map(|(index, _)| index);
                rows.find(|index| {
                    wanted
                        .iter()
                        .all(|(column, wanted)| fits(index, *column, *wanted))
                })
                .map(Cow::Borrowed)
            }
        }
    }

    /// The path of the instance of a row that others name; "" where there is none.
    fn path_of(&self, id: u16, name: &str) -> String {
        let table = object(id);
        let super::map::Rows::Of { table: rows, .. } = table.rows else {
            return String::new();
        };
        let numbers = self.numbers(rows);
        let Some(number) = numbers.number(&Index::text(name)) else {
            return String::new();
        };
        let stem = table.path.trim_end_matches("{i}.");
        let stem = stem
            .replace("{i}", "1")
            .replacen("Device", self.settings.root, 1);
        format!("{stem}{number}")
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_octets().is_some_and(<[u8]>::is_empty)
}
