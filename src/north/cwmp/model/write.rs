//! Values from the ACS as wishes for the tree.
//!
//! Everything that one parameter can be wrong by itself is found here and
//! listed (TR-069 A.3.2.1); what only the tree knows comes back from it.

use super::DataModel;
use super::draft::{Draft, Part};
use super::map::{At, Cell, Form, Otherwise, Source, Wanted, companions, object};
use super::numbers::leader;
use super::path::{Parameter, Place, Spot};
use super::text::{canonical, host_and_port, is_alias, joined, period_range, ranged};
use crate::north::cwmp::added::VALUE_CHANGE;
use crate::north::cwmp::fault::Code;
use crate::schema::cwmp::instance;
use crate::schema::sip_ep::transport_config;
use crate::schema::{ColumnId, Index, Name, Role, RowLife, Value};
use crate::tree::Transaction;
use crate::wire::soap::message::{ParameterFault, ParameterValue};
use crate::wire::time::UnixTime;

/// A fault of one parameter, and why.
type Wrong = (Code, String);

impl DataModel<'_> {
    /// Adds the wishes for these values; for each wish, the parameter that it came from.
    pub fn set(
        &self,
        values: &[ParameterValue],
        wishes: &mut Transaction,
    ) -> Result<Vec<usize>, Vec<ParameterFault>> {
        let mut draft = Draft::new(self.view);
        let mut faults = Vec::new();
        let mut fitting = Vec::new();
        for (at, value) in values.iter().enumerate() {
            if self.settings.auto_create
                && let Err(code) = self.make_missing(&value.name, at, &mut draft)
            {
                faults.push((at, fault(value, wrong(code, ""))));
                continue;
            }
            match self.fitting(value) {
                Ok((parameter, text)) => fitting.push((at, parameter, text)),
                Err(wrong) => faults.push((at, fault(value, wrong))),
            }
        }
        // A row's key first, so that the rest goes into the row of the new key.
        // A user last: its domain may come with it.
        fitting.sort_by_key(|(_, parameter, _)| match &parameter.leaf.source {
            Source::Cell(cell) if self.is_key(cell) => 0,
            Source::Cell(cell) if matches!(cell.form, Form::Uri | Form::User) => 2,
            _ => 1,
        });
        for (at, parameter, text) in fitting {
            if let Err(wrong) = self.put(&parameter, &text, at, &mut draft) {
                faults.push((at, fault(&values[at], wrong)));
            }
        }
        faults.sort_by_key(|(at, _)| *at);
        match faults.is_empty() {
            true => Ok(draft.finish(wishes)),
            false => Err(faults.into_iter().map(|(_, fault)| fault).collect()),
        }
    }

    /// The parameter, and the text as its type has it.
    fn fitting(&self, value: &ParameterValue) -> Result<(Parameter, String), Wrong> {
        let parameter = self.parameter(&value.name);
        let parameter = parameter.ok_or_else(|| wrong(Code::InvalidName, ""))?;
        if !self.is_writable(&parameter.place, parameter.leaf) {
            return Err(wrong(Code::NotWritable, ""));
        }
        let leaf = parameter.leaf;
        if self.settings.strict_types && value.kind != Some(leaf.kind) {
            return Err(wrong(Code::InvalidType, leaf.syntax));
        }
        let text = canonical(leaf, &value.value)
            .ok_or_else(|| wrong(Code::InvalidValue, &format!("it takes {}", leaf.syntax)))?;
        Ok((parameter, text))
    }

    fn put(
        &self,
        parameter: &Parameter,
        text: &str,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), Wrong> {
        let (place, leaf) = (&*parameter.place, parameter.leaf);
        match leaf.source {
            Source::Constant(only) if text == only => Ok(()),
            Source::Constant(only) => Err(wrong(Code::InvalidValue, &format!("it is {only}"))),
            Source::Version | Source::Count(_) => Err(wrong(Code::NotWritable, "")),
            Source::Alias => self.put_alias(place, text, origin, draft),
            Source::Transport => self.put_transport(place, text, origin, draft),
            Source::Cell(cell) if self.is_key(cell) => {
                self.rename(place, cell, text, origin, draft)
            }
            Source::Cell(cell) => self.put_cell(place, cell, text, origin, draft),
        }
    }

    fn put_alias(
        &self,
        place: &Place,
        alias: &str,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), Wrong> {
        let unknown = || wrong(Code::InvalidName, "");
        let row = place.row().ok_or_else(unknown)?;
        let (numbers, number) = (self.numbers(row.table), row.number);
        if numbers.by_alias(alias) == Some(number) {
            return Ok(());
        }
        if !is_alias(alias) || alias.starts_with("cpe-") {
            let why = "a letter, then letters, digits, - and _; cpe- is the device's own";
            return Err(wrong(Code::InvalidValue, why));
        }
        let column = instance::ALIAS.id();
        let name = Name {
            column,
            index: numbers.kept_at(number),
        };
        let taken = numbers.by_alias(alias).is_some();
        if taken || !draft.says(&name, Part::Whole, &alias.into()) {
            return Err(wrong(Code::InvalidValue, "another instance has it"));
        }
        draft.assign(name, alias.into(), origin);
        Ok(())
    }

    /// One transport for all requests, and no other one listens.
    fn put_transport(
        &self,
        place: &Place,
        text: &str,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), Wrong> {
        let switches = [
            ("UDP", transport_config::UDP_ENABLE.id()),
            ("TCP", transport_config::TCP_ENABLE.id()),
            ("TLS", transport_config::TLS_ENABLE.id()),
        ];
        if !switches.iter().any(|(name, _)| *name == text) {
            return Err(wrong(Code::InvalidValue, "it takes UDP, TCP or TLS"));
        }
        let row = place.row().ok_or_else(|| wrong(Code::InvalidName, ""))?;
        let index = draft.key(leader(row.table), row.instance.index.clone());
        for (name, column) in switches {
            let index = index.clone();
            let value = Value::from(name == text);
            assign(draft, Name { column, index }, Part::Whole, value, origin)?;
        }
        Ok(())
    }

    fn put_cell(
        &self,
        place: &Place,
        cell: &Cell,
        text: &str,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), Wrong> {
        let column = cell.column.get();
        // What a secret reads as is not what it is: writing that back keeps it.
        if column.secret && text.is_empty() {
            return Ok(());
        }
        let index = self.row_to_write(place, cell, origin, draft)?;
        let name = Name {
            column: cell.column,
            index: index.clone(),
        };
        if let Otherwise::Unless { switch, number, .. } = cell.otherwise {
            let index = match switch.get().table.get().rows {
                RowLife::Scalar => Index::scalar(),
                _ => index.clone(),
            };
            let switch = Name {
                column: switch,
                index,
            };
            self.turn(&switch, number, origin, draft)?;
        }
        for (column, number) in cell.also {
            let scalar = column.get().table.get().rows == RowLife::Scalar;
            let index = if scalar {
                Index::scalar()
            } else {
                index.clone()
            };
            let name = Name {
                column: *column,
                index,
            };
            assign(draft, name, Part::Whole, Value::Integer(*number), origin)?;
        }
        let (part, value) = self.value_of(cell, &name, text, draft)?;
        column
            .syntax
            .check(&value)
            .map_err(|_| wrong(Code::InvalidValue, &column.syntax.expectation()))?;
        assign(draft, name, part, value, origin)
    }

    /// A switch that makes a row's own settings count takes along what counted before.
    fn turn(
        &self,
        switch: &Name,
        number: i32,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), Wrong> {
        let on = Value::Integer(number);
        if draft.now(switch) == Some(on.clone()) {
            return Ok(());
        }
        assign(draft, switch.clone(), Part::Whole, on, origin)?;
        for one in companions(switch.column) {
            let own = Name {
                column: one.own,
                index: switch.index.clone(),
            };
            let other = Name {
                column: one.other,
                index: Index::scalar(),
            };
            let writable = one.own.get().writable && one.other.get().writable;
            if let Some(value) = draft.now(&other).filter(|_| writable && !draft.has(&own)) {
                draft.assign(own, value, origin);
            }
        }
        Ok(())
    }

    /// The row that is written, made where it is found by what is in it and is not there.
    fn row_to_write(
        &self,
        place: &Place,
        cell: &Cell,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<Index, Wrong> {
        if let (At::Row, Some(row)) = (&cell.at, place.row()) {
            return Ok(draft.key(leader(row.table), row.instance.index.clone()));
        }
        if let Some(index) = self.row_of(place, cell) {
            return Ok(index.into_owned());
        }
        let unknown = || wrong(Code::ResourcesExceeded, "there is no row for it");
        let (table, whose) = (cell.column.get().table, place.name());
        if let Some(index) = draft.made_for(table, &whose) {
            return Ok(index);
        }
        let At::Where(wanted) = cell.at else {
            return Err(unknown());
        };
        let index = draft.make_for(table, &whose, origin).ok_or_else(unknown)?;
        for (column, wanted) in wanted {
            let value = match wanted {
                Wanted::Here => Some(whose.clone()),
                Wanted::Number(number) => column.get().syntax.number(*number),
            };
            let name = Name {
                column: *column,
                index: index.clone(),
            };
            draft.assign(name, value.ok_or_else(unknown)?, origin);
        }
        Ok(index)
    }

    /// The value of the object, where the parameter's text is all or a part of it.
    fn value_of(
        &self,
        cell: &Cell,
        name: &Name,
        text: &str,
        draft: &Draft<'_>,
    ) -> Result<(Part, Value), Wrong> {
        let syntax = &cell.column.get().syntax;
        let misfit = || wrong(Code::InvalidValue, &syntax.expectation());
        let now = || {
            let now = draft.now(name).map(|value| value.display(syntax));
            now.unwrap_or_default()
        };
        let parts = || host_and_port(&now());
        let parse = |text: &str| Value::parse(text, syntax).map_err(|_| misfit());
        Ok(match &cell.form {
            Form::Plain if syntax.base == crate::schema::Base::Octets => {
                (Part::Whole, Value::from(text))
            }
            Form::Plain => (Part::Whole, parse(text)?),
            Form::Switch => (Part::Whole, Value::from(text == "true")),
            Form::Choice(choices) => {
                let mut known = choices.iter().filter(|(ours, _)| *ours != "*");
                let found = known.find(|(_, theirs)| *theirs == text);
                (Part::Whole, parse(found.ok_or_else(misfit)?.0)?)
            }
            Form::Host => (Part::Host, joined(text, parts().1)),
            Form::Port(zero) => {
                let port = text.parse().map_err(|_| misfit())?;
                let port = if port == *zero { 0 } else { port };
                (Part::Port, joined(&parts().0, port))
            }
            Form::Least => {
                let least = text.parse().map_err(|_| misfit())?;
                (Part::Least, ranged(least, period_range(&now()).1))
            }
            Form::Greatest => {
                // -1: there is none.
                let greatest = text.parse().ok();
                (Part::Greatest, ranged(period_range(&now()).0, greatest))
            }
            Form::Time if syntax.format == "DemarcTime" => {
                let time = UnixTime::parse(text).map(|time| time.to_string());
                (Part::Whole, Value::from(time.unwrap_or_default()))
            }
            Form::Time => (Part::Whole, Value::from(text)),
            Form::Uri | Form::User => (Part::Whole, self.user_in(text, &name.index, draft)?),
            Form::Tenths => return Err(wrong(Code::NotWritable, "")),
            Form::Path(id) => (Part::Whole, self.named_by(*id, text, cell.column)?),
            Form::Pattern => (Part::Whole, self.pattern(text)?),
            Form::Events => (Part::Whole, events(text)?),
        })
    }

    /// The name of the row that a path leads to; none is the column's default.
    fn named_by(&self, id: u16, path: &str, column: ColumnId) -> Result<Value, Wrong> {
        if path.is_empty() {
            let none = column.get().default_value();
            return Ok(none.unwrap_or_else(|| Value::from("")));
        }
        let path = format!("{}.", path.trim_end_matches('.'));
        let spots = self.resolve(&path).unwrap_or_default();
        match spots.as_slice() {
            [Spot::Object(place)]
                if std::ptr::eq(place.object, object(id)) && !place.rows.is_empty() =>
            {
                Ok(place.name())
            }
            _ => Err(wrong(Code::InvalidValue, "no such instance")),
        }
    }

    /// TR-181 InformParameter.ParameterName: only instances may be wildcards,
    /// and what Informs carry anyway is refused with 9007.
    fn pattern(&self, text: &str) -> Result<Value, Wrong> {
        let names_one = |text: &str| {
            let place = text.rsplit_once('.').map(|(place, _)| place);
            !text.ends_with('.')
                && place.is_some_and(|place| place.split('.').next() == Some(self.settings.root))
        };
        if !text.is_empty() && !names_one(text) {
            let why = "it takes the name of a parameter, with * for any instance";
            return Err(wrong(Code::InvalidValue, why));
        }
        if self.inform().iter().any(|forced| forced.path() == text) {
            return Err(wrong(Code::InvalidValue, "every Inform carries it"));
        }
        Ok(Value::from(text))
    }

    /// Whether a cell is part of the key of its row.
    pub(super) fn is_key(&self, cell: &Cell) -> bool {
        matches!(cell.at, At::Row) && cell.column.get().role == Role::Index
    }
}

/// TR-181 InformParameter.EventList.
fn events(text: &str) -> Result<Value, Wrong> {
    let mut list = text.split(',').map(str::trim);
    match list.any(|event| event == VALUE_CHANGE) {
        true => Err(wrong(
            Code::InvalidValue,
            "it takes any event but 4 VALUE CHANGE",
        )),
        false => Ok(Value::from(text)),
    }
}

/// Assigns, unless the request says something else of the same thing.
fn assign(
    draft: &mut Draft<'_>,
    name: Name,
    part: Part,
    value: Value,
    origin: usize,
) -> Result<(), Wrong> {
    let said = match (part, value.as_octets()) {
        (Part::Host | Part::Port, Some(octets)) => {
            let (host, port) = host_and_port(&String::from_utf8_lossy(octets));
            let host = if part == Part::Host {
                host
            } else {
                port.to_string()
            };
            Value::from(host)
        }
        (Part::Least | Part::Greatest, Some(octets)) => {
            let (least, greatest) = period_range(&String::from_utf8_lossy(octets));
            match part == Part::Least {
                true => ranged(least, None),
                false => ranged(0, greatest),
            }
        }
        _ => value.clone(),
    };
    if !draft.says(&name, part, &said) {
        let why = format!("the request says something else of {name} too");
        return Err(wrong(Code::InvalidValue, &why));
    }
    draft.assign(name, value, origin);
    Ok(())
}

pub(super) fn wrong(code: Code, why: &str) -> Wrong {
    (code, why.to_owned())
}

fn fault(value: &ParameterValue, (code, why): Wrong) -> ParameterFault {
    ParameterFault {
        name: value.name.clone(),
        fault: code.because(&why),
    }
}
