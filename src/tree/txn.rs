//! Changing the tree.
//!
//! A [`Transaction`] is a list of wishes laid over the tree. Checking runs
//! from the cheap to the wise: may they, does it fit, does the row allow it,
//! do the guards agree. Then all of it becomes true at once, on disk first,
//! and each watcher hears of it once. A refusal changes nothing.

use super::actor::{Actor, Face, Rights};
use super::guard::Guard;
use super::refusal::{Reason, Refusal, Subject};
use super::row::Row;
use super::rows::Candidate;
use super::snapshot::Snapshot;
use crate::schema::{ColumnId, Index, Name, NameError, Role, TableId, Value, column_at};
use std::collections::{BTreeMap, BTreeSet};

/// A list of wishes by one actor.
#[derive(Clone, Debug)]
pub struct Transaction {
    actor: Actor,
    base: Option<u64>,
    wishes: Vec<Wish>,
    /// Wishes whose value was checked as it was set, and then replaced by what is kept.
    derived: BTreeSet<usize>,
}

/// One wish.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    /// Assignment to a column, a command or a RowStatus.
    Assign(Name, Value),
    /// A new row with its defaults (AddObject, an operation, the device itself).
    Create(TableId, Index, Creation),
    /// A row that was inert goes into use.
    Activate(TableId, Index),
    /// A row goes.
    Delete(TableId, Index),
    /// A row as it is to be, values that are no longer set among them: the device's own way back.
    Put(TableId, Index, Row),
    /// An OID that names no instance; refused when its turn comes.
    Unknown(Vec<u32>, Reason),
    /// A value that no object can have; refused unless access is already.
    Unfit(Name),
}

/// How a new row begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Creation {
    /// In use at once.
    Active,
    /// Inert until activated: engines do not see it.
    Inert,
}

impl Transaction {
    /// No wishes yet.
    pub fn new(actor: Actor) -> Self {
        Self {
            actor,
            base: None,
            wishes: Vec::new(),
            derived: BTreeSet::new(),
        }
    }

    /// Refuse everything unless the tree still has this version.
    #[must_use]
    pub fn based_on(mut self, version: u64) -> Self {
        self.base = Some(version);
        self
    }

    /// Who wishes.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// How many wishes there are.
    pub fn len(&self) -> usize {
        self.wishes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.wishes.is_empty()
    }

    /// The objects that values are assigned to.
    pub fn assigned(&self) -> impl Iterator<Item = &Name> {
        self.wishes.iter().filter_map(|wish| match wish {
            Wish::Assign(name, _) => Some(name),
            _ => None,
        })
    }

    /// The tables that rows are deleted from.
    pub fn deleted(&self) -> impl Iterator<Item = TableId> {
        self.wishes.iter().filter_map(|wish| match wish {
            Wish::Delete(table, _) => Some(*table),
            _ => None,
        })
    }

    /// Assigns a value; on a command column the verb's number.
    pub fn assign(&mut self, name: Name, value: Value) {
        self.wishes.push(Wish::Assign(name.resolved(), value));
    }

    /// Assigns by OID; an OID that names nothing is refused in its turn.
    pub fn assign_oid(&mut self, oid: &[u32], value: Value) {
        let wish = match Name::from_oid(oid) {
            Ok(name) => Wish::Assign(name.resolved(), value),
            Err(error) => Wish::Unknown(oid.to_vec(), unknown(oid, &error)),
        };
        self.wishes.push(wish);
    }

    /// Wishes by OID for something that no object can hold.
    pub fn assign_unfit(&mut self, oid: &[u32]) {
        let wish = match Name::from_oid(oid) {
            Ok(name) => Wish::Unfit(name.resolved()),
            Err(error) => Wish::Unknown(oid.to_vec(), unknown(oid, &error)),
        };
        self.wishes.push(wish);
    }

    /// A new row with its defaults.
    pub fn create(&mut self, table: TableId, index: Index, creation: Creation) {
        self.wishes.push(Wish::Create(table, index, creation));
    }

    /// Puts an inert row into use.
    pub fn activate(&mut self, table: TableId, index: Index) {
        self.wishes.push(Wish::Activate(table, index));
    }

    /// Deletes a row; no error when it is not there.
    pub fn delete(&mut self, table: TableId, index: Index) {
        self.wishes.push(Wish::Delete(table, index));
    }

    /// A row as it was, whatever has become of it.
    pub(super) fn put(&mut self, table: TableId, index: Index, row: Row) {
        self.wishes.push(Wish::Put(table, index, row));
    }

    /// Replaces the value of each assignment to one of these columns.
    pub(crate) fn rewrite(
        &mut self,
        columns: impl Fn(ColumnId) -> bool,
        mut rewrite: impl FnMut(&Name, &Value) -> Result<Value, Reason>,
    ) -> Result<(), Vec<Refusal>> {
        let mut refusals = Vec::new();
        for (at, wish) in self.wishes.iter_mut().enumerate() {
            let Wish::Assign(name, value) = wish else {
                continue;
            };
            if !columns(name.column) || name.column.get().syntax.check(value).is_err() {
                continue;
            }
            match rewrite(name, value) {
                Ok(changed) => {
                    *value = changed;
                    self.derived.insert(at);
                }
                Err(reason) => {
                    refusals.push(Refusal::new(at, Subject::Instance(name.clone()), reason));
                }
            }
        }
        if refusals.is_empty() {
            Ok(())
        } else {
            Err(refusals)
        }
    }

    /// The tree as it would be, or every reason why not.
    pub(crate) fn check<'a>(
        &'a self,
        tip: &'a Snapshot,
        guards: &[Guard],
    ) -> Result<Candidate<'a>, Vec<Refusal>> {
        if self.base.is_some_and(|base| base != tip.version()) {
            return Err(vec![Refusal::unavailable(
                "the configuration was changed meanwhile, read it again",
            )]);
        }
        let refusals = self.misfits();
        if !refusals.is_empty() {
            return Err(refusals);
        }
        let candidate = Candidate::build(&self.actor, tip, &self.wishes)?;
        let refusals: Vec<Refusal> = guards.iter().flat_map(|guard| guard(&candidate)).collect();
        if refusals.is_empty() {
            Ok(candidate)
        } else {
            Err(refusals)
        }
    }

    /// Access and syntax, wish by wish (RFC 3416 §4.2.5 steps 1 to 6).
    fn misfits(&self) -> Vec<Refusal> {
        let mut assigned = BTreeMap::new();
        let mut refusals = Vec::new();
        for (at, wish) in self.wishes.iter().enumerate() {
            let (subject, result) = match wish {
                Wish::Assign(name, value) => (
                    Subject::Instance(name.clone()),
                    self.fits(at, name, value)
                        .and_then(|()| self.once(&mut assigned, name, value)),
                ),
                Wish::Create(table, index, _)
                | Wish::Activate(table, index)
                | Wish::Delete(table, index)
                | Wish::Put(table, index, _) => {
                    (Subject::Row(*table, index.clone()), self.may(*table))
                }
                Wish::Unknown(oid, reason) => (Subject::Oid(oid.clone()), Err(reason.clone())),
                Wish::Unfit(name) => {
                    let expectation = name.column.get().syntax.expectation();
                    let unfit = Err(Reason::WrongType(expectation));
                    (
                        Subject::Instance(name.clone()),
                        self.writable(name).and(unfit),
                    )
                }
            };
            if let Err(reason) = result {
                refusals.push(Refusal::new(at, subject, reason));
            }
        }
        refusals
    }

    fn may(&self, table: TableId) -> Result<(), Reason> {
        let service = table.get().service.get();
        if self.actor.rights.may_write(service.name) {
            Ok(())
        } else {
            Err(Reason::NoAccess)
        }
    }

    fn writable(&self, name: &Name) -> Result<(), Reason> {
        let column = name.column.get();
        self.may(column.table)?;
        // What the device keeps for itself is its own to write.
        let own = self.actor.rights == Rights::Device && matches!(column.role, Role::Stored(_));
        if !(column.writable || own) || matches!(column.role, Role::Index | Role::Live(_)) {
            return Err(Reason::NotWritable);
        }
        Ok(())
    }

    fn fits(&self, at: usize, name: &Name, value: &Value) -> Result<(), Reason> {
        self.writable(name)?;
        if self.derived.contains(&at) {
            return Ok(());
        }
        let syntax = &name.column.get().syntax;
        let misfit = |misfit| Reason::misfit(misfit, syntax.expectation());
        syntax.check(value).map_err(misfit)
    }

    /// Where all wishes hold at once, two values for one object contradict each other.
    fn once<'a>(
        &self,
        assigned: &mut BTreeMap<(ColumnId, &'a Index), &'a Value>,
        name: &'a Name,
        value: &'a Value,
    ) -> Result<(), Reason> {
        if self.actor.face == Face::Script {
            return Ok(());
        }
        match assigned.insert((name.column, &name.index), value) {
            Some(other) if other != value => Err(Reason::Inconsistent(
                "two different values in one request".to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

/// RFC 3416 §4.2.5: nothing there can ever be created, or this index cannot.
fn unknown(oid: &[u32], error: &NameError) -> Reason {
    match (column_at(oid), error) {
        (Some((column, _)), _) if !column.get().writable => Reason::NotWritable,
        (Some(_), NameError::BadIndex(..)) => Reason::NoCreation,
        _ => Reason::NotWritable,
    }
}
