//! What a SetParameterValues comes to, while it is read.
//!
//! Several parameters may be parts of one object, and their order must not
//! matter: the object's value grows here, and becomes a wish at the end.

use crate::schema::{ColumnId, Index, Name, TableId, Value};
use crate::tree::{Creation, Instances, Transaction};
use std::collections::BTreeMap;

/// The wishes of one request.
pub(super) struct Draft<'a> {
    view: &'a Instances,
    wishes: Vec<(Wish, usize)>,
    places: BTreeMap<(ColumnId, Index), usize>,
    /// What was said of each object, part by part.
    said: BTreeMap<(ColumnId, Index, Part), Value>,
    /// Rows that are made because something is written into them.
    made: Vec<(TableId, Value, Index)>,
    /// Rows that get another key: the leader's table, the old one, the new one.
    pub(super) renamed: Vec<(TableId, Index, Index)>,
}

enum Wish {
    Assign(Name, Value),
    Create(TableId, Index, Creation),
    Delete(TableId, Index),
}

/// Which part of an object's value a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// The host of a host:port.
    Host,
    /// The port of a host:port.
    Port,
    /// The first number of a range.
    Least,
    /// The second number of a range.
    Greatest,
}

impl<'a> Draft<'a> {
    pub(super) fn new(view: &'a Instances) -> Self {
        Self {
            view,
            wishes: Vec::new(),
            places: BTreeMap::new(),
            said: BTreeMap::new(),
            made: Vec::new(),
            renamed: Vec::new(),
        }
    }

    /// Notes what a part was said to be; false where it was said to be something else.
    pub(super) fn says(&mut self, name: &Name, part: Part, value: &Value) -> bool {
        let key = (name.column, name.index.clone(), part);
        *self.said.entry(key).or_insert_with(|| value.clone()) == *value
    }

    /// The value as it will be.
    pub(super) fn now(&self, name: &Name) -> Option<Value> {
        let key = (name.column, name.index.clone());
        match self.places.get(&key).map(|at| &self.wishes[*at].0) {
            Some(Wish::Assign(_, value)) => Some(value.clone()),
            _ => self.view.read(name),
        }
    }

    /// Whether the request has said anything of an object.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.places.contains_key(&(name.column, name.index.clone()))
    }

    /// The object gets a value, for the parameter at `origin`.
    pub(super) fn assign(&mut self, name: Name, value: Value, origin: usize) {
        let key = (name.column, name.index.clone());
        let wish = (Wish::Assign(name, value), origin);
        match self.places.get(&key) {
            Some(at) => self.wishes[*at] = wish,
            None => {
                self.places.insert(key, self.wishes.len());
                self.wishes.push(wish);
            }
        }
    }

    /// A row is made with its defaults.
    pub(super) fn create(
        &mut self,
        table: TableId,
        index: Index,
        creation: Creation,
        origin: usize,
    ) {
        self.wishes
            .push((Wish::Create(table, index, creation), origin));
    }

    /// A row goes.
    pub(super) fn delete(&mut self, table: TableId, index: Index, origin: usize) {
        self.wishes.push((Wish::Delete(table, index), origin));
    }

    /// The row that this request has made for a name.
    pub(super) fn made_for(&self, table: TableId, name: &Value) -> Option<Index> {
        let mut made = self.made.iter();
        made.find(|(of, whose, _)| *of == table && whose == name)
            .map(|(_, _, index)| index.clone())
    }

    /// A free number for a new row of a table of numbers; it is made for a name.
    pub(super) fn make_for(
        &mut self,
        table: TableId,
        name: &Value,
        origin: usize,
    ) -> Option<Index> {
        let rows = self.view.rows(table).iter().map(|(index, _)| index);
        let made = self.made.iter().filter(|(of, ..)| *of == table);
        let highest = rows
            .chain(made.map(|(_, _, index)| index))
            .filter_map(|index| index.arcs().first())
            .max();
        let index = Index::number(highest.copied().unwrap_or(0).checked_add(1)?);
        self.create(table, index.clone(), Creation::Active, origin);
        self.made.push((table, name.clone(), index.clone()));
        Some(index)
    }

    /// The key of a row, as it will be.
    pub(super) fn key(&self, leader: TableId, index: Index) -> Index {
        let mut renamed = self.renamed.iter();
        let found = renamed.find(|(table, old, _)| *table == leader && *old == index);
        found.map_or(index, |(_, _, new)| new.clone())
    }

    /// Everything as wishes; for each, the parameter that it came from.
    pub(super) fn finish(self, wishes: &mut Transaction) -> Vec<usize> {
        let mut origins = Vec::new();
        for (wish, origin) in self.wishes {
            match wish {
                Wish::Assign(name, value) => wishes.assign(name, value),
                Wish::Create(table, index, creation) => wishes.create(table, index, creation),
                Wish::Delete(table, index) => wishes.delete(table, index),
            }
            origins.push(origin);
        }
        origins
    }
}
