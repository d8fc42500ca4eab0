//! Rows that come and go by AddObject and DeleteObject (TR-069 A.3.2.6, A.3.2.7).
//!
//! A new row is inert until the session ends, and its key may be chosen until
//! then: `cpe-` and its number unless the ACS sets it.

use super::draft::Draft;
use super::map::{Cell, Rows};
use super::numbers::{Numbers, added, leader};
use super::path::{Place, Spot};
use super::text::is_alias;
use super::write::wrong;
use super::{DataModel, is_extensible};
use crate::north::cwmp::fault::Code;
use crate::north::cwmp::lockout::is_trust;
use crate::schema::cwmp::instance::{self, State};
use crate::schema::{Base, Index, Name, Role, RowLife, TableId, Value, row_name, tables};
use crate::tree::{Actor, Creation, Row, RowState, Transaction};

/// A row that an ACS has added, on its way into use.
pub struct Settling {
    /// Its name.
    pub row: String,
    /// It says whom the unit trusts: its use is undone unless a session follows.
    pub provisional: bool,
    /// What puts it into use.
    pub put: Transaction,
    /// What stays also where its use is undone: it is no longer being made.
    pub settled: Transaction,
}

impl DataModel<'_> {
    /// Adds the wish for a new row; its number.
    pub fn add(&self, path: &str, wishes: &mut Transaction) -> Result<u32, Code> {
        let (path, alias) = split_alias(path);
        let spots = self.resolve(path)?;
        let [Spot::Table(place)] = spots.as_slice() else {
            return Err(Code::InvalidName);
        };
        let Rows::Of { table, .. } = place.object.rows else {
            return Err(Code::RequestDenied);
        };
        if !is_extensible(place.object) || !path.ends_with('.') {
            return Err(Code::RequestDenied);
        }
        let (number, index) = self.fresh(table, alias)?;
        let numbers = self.numbers(table);
        // What is numbered before it keeps its number.
        numbers.keep(wishes);
        wishes.create(table, index.clone(), Creation::Inert);
        numbers.write(number, &index, alias, State::Added, wishes);
        Ok(number)
    }

    /// `Cwmp.AutoCreateInstances`: an alias in a path that nobody has makes its row.
    pub(super) fn make_missing(
        &self,
        path: &str,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), Code> {
        for (at, _) in path.match_indices('[') {
            let (table, rest) = path.split_at(at);
            let alias = rest[1..].split(']').next().unwrap_or_default();
            let spots = self.resolve(table)?;
            let ([Spot::Table(place)], true) = (spots.as_slice(), table.ends_with('.')) else {
                return Err(Code::InvalidName);
            };
            let Rows::Of { table, .. } = place.object.rows else {
                continue;
            };
            if !is_extensible(place.object) || self.numbers(table).by_alias(alias).is_some() {
                continue;
            }
            let (number, index) = self.fresh(table, Some(alias))?;
            let numbers = self.numbers(table);
            draft.create(table, index.clone(), Creation::Inert, origin);
            let kept = numbers.kept_at(number);
            draft.create(instance::TABLE, kept.clone(), Creation::Active, origin);
            for (column, value) in numbers.cells(&index, Some(alias), State::Added) {
                let index = kept.clone();
                draft.assign(Name { column, index }, value, origin);
            }
            self.replace(table, numbers.with(number, &index, alias));
        }
        Ok(())
    }

    /// Number and key of a row to be made.
    fn fresh(&self, table: TableId, alias: Option<&str>) -> Result<(u32, Index), Code> {
        let numbers = self.numbers(table);
        if let Some(alias) = alias {
            // A.3.2.6: an alias that is there already cannot be added again.
            let free = numbers.by_alias(alias).is_none() && !alias.starts_with("cpe-");
            if !is_alias(alias) || !free {
                return Err(Code::InvalidArguments);
            }
        }
        let number = numbers.next().ok_or(Code::ResourcesExceeded)?;
        let index = self.new_key(table, number);
        Ok((number, index.ok_or(Code::ResourcesExceeded)?))
    }

    /// Adds the wish for a row to go.
    pub fn delete(&self, path: &str, wishes: &mut Transaction) -> Result<(), Code> {
        let spots = self.resolve(path)?;
        let [Spot::Object(place)] = spots.as_slice() else {
            return Err(Code::InvalidName);
        };
        if !path.ends_with('.') {
            return Err(Code::InvalidName);
        }
        let row = place.row().filter(|_| is_extensible(place.object));
        let row = row.ok_or(Code::RequestDenied)?;
        wishes.delete(row.table, row.instance.index.clone());
        self.numbers(row.table).forget(row.number, wishes);
        Ok(())
    }

    /// The rows that were added, and what puts them into use once the session
    /// has ended.
    pub fn settle(&self) -> Vec<Settling> {
        let settling = added(self.view).into_iter().map(|(table, index, number)| {
            let state = self.view.rows(table).get(&index).map(|row| row.state);
            let mut put = Transaction::new(Actor::device());
            if matches!(state, Some(RowState::NotInService | RowState::NotReady)) {
                put.activate(table, index.clone());
            }
            let mut settled = Transaction::new(Actor::device());
            let provisional = is_trust(table) && !put.is_empty();
            let numbers = self.numbers(table);
            let place = match provisional {
                true => &mut settled,
                false => &mut put,
            };
            numbers.write(number, &index, None, State::There, place);
            Settling {
                row: row_name(table, &index),
                provisional,
                put,
                settled,
            }
        });
        settling.collect()
    }

    /// Whether what the object says counts: its row is in use, or there is none yet.
    pub fn is_in_use(&self, name: &Name) -> bool {
        let row = self.view.rows(leader(name.column.get().table));
        let row = row.get(&name.index);
        row.is_none_or(|row| row.state == RowState::Active)
    }

    /// Whether the ACS has added the row in a session that has not ended.
    pub(super) fn is_being_made(&self, place: &Place) -> bool {
        place.row().is_some_and(|row| {
            let (table, index) = (leader(row.table), &row.instance.index);
            let row = self.view.rows(table).get(index);
            let inert = row.is_some_and(|row| row.state != RowState::Active);
            inert
                && added(self.view)
                    .iter()
                    .any(|one| (one.0, &one.1) == (table, index))
        })
    }

    /// A row that is being made gets another key, with all that is in it.
    pub(super) fn rename(
        &self,
        place: &Place,
        cell: &Cell,
        text: &str,
        origin: usize,
        draft: &mut Draft<'_>,
    ) -> Result<(), (Code, String)> {
        let unknown = || wrong(Code::InvalidName, "");
        let row = place.row().ok_or_else(unknown)?;
        let (table, old) = (leader(row.table), &row.instance.index);
        let current = draft.key(table, old.clone());
        let new = rekeyed(table, &current, cell, text)
            .ok_or_else(|| wrong(Code::InvalidValue, &cell.column.get().syntax.expectation()))?;
        if new == *old {
            return Ok(());
        }
        if current != *old || self.view.rows(table).get(&new).is_some() {
            return Err(wrong(Code::InvalidValue, "another row has this key"));
        }
        draft.create(table, new.clone(), Creation::Inert, origin);
        for follower in with_followers(table) {
            if let Some(row) = self.view.rows(follower).get(old) {
                copy(follower, row, &new, origin, draft)?;
            }
        }
        draft.delete(table, old.clone(), origin);
        rekey_kept(&self.numbers(table), row.number, &new, origin, draft);
        draft.renamed.push((table, old.clone(), new));
        Ok(())
    }

    /// A key that no row has: made of the number, or the next free number.
    fn new_key(&self, table: TableId, number: u32) -> Option<Index> {
        let rows = self.view.rows(table);
        let [only] = table.get().indexes else {
            return None;
        };
        let keys: Box<dyn Iterator<Item = Index>> = match only.get().syntax.base {
            Base::Octets => {
                Box::new((number..).map(|number| Index::text(&format!("cpe-{number}"))))
            }
            _ => Box::new((number..).chain(1..number).map(Index::number)),
        };
        let mut free = keys
            .take(rows.len() + 1)
            .filter(|index| rows.get(index).is_none());
        free.next()
            .filter(|index| Index::read(table.get(), index.arcs()).is_ok())
    }
}

/// `T.[name].` as `T.` and the name.
fn split_alias(path: &str) -> (&str, Option<&str>) {
    let inner = path.strip_suffix("].");
    match inner.and_then(|inner| inner.rsplit_once('[')) {
        Some((table, alias)) if table.ends_with('.') => (table, Some(alias)),
        _ => (path, None),
    }
}

fn rekey_kept(numbers: &Numbers, number: u32, new: &Index, origin: usize, draft: &mut Draft<'_>) {
    let (column, value) = numbers.row_cell(new);
    let index = numbers.kept_at(number);
    draft.assign(Name { column, index }, value, origin);
}

/// The key with another value for one of its columns.
fn rekeyed(table: TableId, old: &Index, cell: &Cell, text: &str) -> Option<Index> {
    let table = table.get();
    let at = table
        .indexes
        .iter()
        .position(|own| own.get().short == cell.column.get().short)?;
    let mut values = old.values(table).ok()?;
    let syntax = &cell.column.get().syntax;
    values[at] = match syntax.base {
        Base::Octets => Value::from(text),
        _ => Value::parse(text, syntax).ok()?,
    };
    Index::of(table, &values).ok()
}

fn with_followers(leader_of: TableId) -> impl Iterator<Item = TableId> {
    let all = tables().filter(|(_, table)| !matches!(table.rows, RowLife::Live));
    all.map(|(id, _)| id)
        .filter(move |id| leader(*id) == leader_of)
}

/// The cells that are not as a new row has them.
fn copy(
    table: TableId,
    row: &Row,
    new: &Index,
    origin: usize,
    draft: &mut Draft<'_>,
) -> Result<(), (Code, String)> {
    let fresh = Row::initial(table);
    for column in table.get().columns.iter().copied() {
        let Role::Stored(slot) = column.get().role else {
            continue;
        };
        let Some(value) = row
            .cell(slot)
            .filter(|_| row.cell(slot) != fresh.cell(slot))
        else {
            continue;
        };
        if column.get().secret {
            let why = "set the key of a row before its secrets, or with them";
            return Err(wrong(Code::InvalidValue, why));
        }
        let name = Name {
            column,
            index: new.clone(),
        };
        draft.assign(name, value.clone(), origin);
    }
    Ok(())
}
