//! The parameters that an ACS sees, over the objects of the tree.
//!
//! For the client of an ACS: paths, values and instance numbers on one side,
//! names, keys and wishes on the other. It reads one version of the tree and
//! writes into transactions; what may be written by whom is decided here,
//! since the transactions are the device's own.

pub mod device_type;
mod draft;
pub mod explain;
pub mod export;
mod known;
pub mod map;
mod numbers;
mod path;
mod read;
mod rows;
mod said;
mod selection;
mod text;
mod told;
mod user;
mod walk;
mod write;

pub use known::Known;
pub use path::Parameter;
pub use selection::Selection;
pub use told::tables;

use super::fault::Code;
use super::settings::Model;
use crate::schema::TableId;
use crate::tree::{Instances, Transaction};
use crate::wire::soap::message::{ParameterInfo, ParameterValue};
use map::{Access, Leaf, Object, Rows, Source};
use numbers::Numbers;
use path::{Place, Spot, below};
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

/// The data model over one version of the tree.
pub struct DataModel<'a> {
    view: &'a Instances,
    settings: &'a Model,
    /// Of the tables that were asked for.
    numbers: Mutex<BTreeMap<TableId, Arc<Numbers>>>,
}

impl<'a> DataModel<'a> {
    /// The model over what the tree says now.
    pub fn new(view: &'a Instances, settings: &'a Model) -> Self {
        Self {
            view,
            settings,
            numbers: Mutex::default(),
        }
    }

    /// The parameters of a full or partial path; "" is all of them.
    pub fn find(&self, path: &str) -> Result<Vec<Parameter>, Code> {
        let mut found = Vec::new();
        for spot in self.resolve(path)? {
            let Ok(()) = self.walk::<Infallible>(&spot, &mut |place, leaves| {
                let place = Arc::new(place.clone());
                found.extend(leaves.iter().map(|leaf| Parameter {
                    place: place.clone(),
                    leaf,
                }));
                Ok(())
            });
        }
        Ok(found)
    }

    /// The parameters of a full path, with wildcards or without; None: it
    /// names no parameters that there could be.
    pub fn single(&self, pattern: &str) -> Option<Vec<Parameter>> {
        let spots = self.resolve(pattern).ok()?.into_iter();
        let one = |spot| match spot {
            Spot::Parameter(one) => Some(one),
            Spot::Object(_) | Spot::Table(_) => None,
        };
        spots.map(one).collect()
    }

    /// A parameter's value as it stands; a secret's is "".
    pub fn value(&self, parameter: &Parameter) -> ParameterValue {
        ParameterValue {
            name: parameter.path(),
            value: self.text(&parameter.place, parameter.leaf),
            kind: Some(parameter.leaf.kind),
        }
    }

    /// What exists below a path (TR-069 A.3.2.3).
    pub fn names(&self, path: &str, next_level: bool) -> Result<Vec<ParameterInfo>, Code> {
        let mut names = Vec::new();
        if path.is_empty() && next_level {
            return Ok(vec![self.info(&Spot::Object(self.root()))]);
        }
        for spot in self.resolve(path)? {
            match (next_level, &spot) {
                (true, Spot::Parameter(_)) => return Err(Code::InvalidArguments),
                (true, _) => names.extend(self.below(&spot).iter().map(|one| self.info(one))),
                (false, Spot::Parameter(_)) => names.push(self.info(&spot)),
                (false, _) => {
                    let Ok(()) = self.walk::<Infallible>(&spot, &mut |place, leaves| {
                        names.push(object_info(place));
                        let leaves = leaves.iter();
                        names.extend(leaves.map(|leaf| self.leaf_info(place, leaf)));
                        Ok(())
                    });
                }
            }
        }
        Ok(names)
    }

    /// What every Inform carries.
    pub fn inform(&self) -> Vec<Parameter> {
        self.those(|leaf| leaf.inform)
    }

    /// Single parameters of a kind.
    fn those(&self, wanted: impl Fn(&Leaf) -> bool) -> Vec<Parameter> {
        let all = map::objects().iter();
        let all = all.flat_map(|object| object.leaves.iter().map(move |leaf| (object, leaf)));
        let forced = all.filter(|(_, leaf)| wanted(leaf));
        let paths = forced.map(|(object, leaf)| format!("{}{}", object.path, leaf.name));
        paths
            .filter_map(|path| self.parameter(&path.replacen("Device", self.settings.root, 1)))
            .collect()
    }

    /// Keeps the numbers of rows that have not been told yet: before an
    /// answer that may tell them leaves.
    pub fn number(&self, keep: &mut Transaction) {
        let mut seen = Vec::new();
        for object in map::objects() {
            let Rows::Of { table, .. } = object.rows else {
                continue;
            };
            let leader = numbers::leader(table);
            if !seen.contains(&leader) {
                seen.push(leader);
                self.numbers(leader).keep(keep);
            }
        }
    }

    /// The instances of a table.
    fn numbers(&self, table: TableId) -> Arc<Numbers> {
        let leader = numbers::leader(table);
        let mut known = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = known
            .entry(leader)
            .or_insert_with(|| self.settings.known.numbers(self.view, leader));
        numbers.clone()
    }

    /// For the rest of the request the table has these.
    fn replace(&self, table: TableId, with: Numbers) {
        let mut known = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(numbers::leader(table), Arc::new(with));
    }

    /// What stands directly below.
    fn below(&self, spot: &Spot) -> Vec<Spot> {
        match spot {
            Spot::Parameter(_) => Vec::new(),
            Spot::Table(place) => self.instances(place),
            Spot::Object(place) => {
                let leaves = place.object.leaves.iter().map(|leaf| {
                    let place = place.clone();
                    Spot::Parameter(Parameter { place, leaf })
                });
                let children = self.children(place.object);
                leaves
                    .chain(children.map(|child| below(place, child)))
                    .collect()
            }
        }
    }

    fn info(&self, spot: &Spot) -> ParameterInfo {
        match spot {
            Spot::Object(place) | Spot::Table(place) => object_info(place),
            Spot::Parameter(one) => self.leaf_info(&one.place, one.leaf),
        }
    }

    fn leaf_info(&self, place: &Place, leaf: &Leaf) -> ParameterInfo {
        ParameterInfo {
            name: [&place.path, leaf.name].concat(),
            writable: self.is_writable(place, leaf),
        }
    }

    /// Whether the ACS may write a parameter as it stands.
    fn is_writable(&self, place: &Place, leaf: &Leaf) -> bool {
        match (leaf.access, &leaf.source) {
            (Access::Read, _) => false,
            (_, Source::Alias) => self.may_be_named(place, leaf.access),
            (_, Source::Cell(cell)) if self.is_key(cell) => self.is_being_made(place),
            (Access::Write | Access::Once, _) => true,
        }
    }

    fn may_be_named(&self, place: &Place, access: Access) -> bool {
        let row = place.row();
        row.filter(|row| self.numbers(row.table).keeps_aliases())
            .is_some_and(|row| !row.instance.is_named() || access == Access::Write)
    }
}

fn object_info(place: &Place) -> ParameterInfo {
    ParameterInfo {
        name: place.path.clone(),
        writable: is_extensible(place.object),
    }
}

/// Whether AddObject works on the table and DeleteObject on its instances.
fn is_extensible(object: &Object) -> bool {
    object.adds
}

#[cfg(test)]
mod tests;
