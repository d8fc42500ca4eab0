//! Paths: which object, instance or parameter a text means.
//!
//! Instances are said by number, by `[alias]` or, where several may be meant,
//! by `*` (TR-069 annex A.2.4 and TR-106 §3.6). What is said back has
//! numbers or aliases, as `Cwmp.InstanceMode` wants it.

use super::DataModel;
use super::map::{Leaf, Object, Rows, object};
use super::numbers::Instance;
use super::text::push_number;
use crate::north::cwmp::fault::Code;
use crate::schema::{Index, TableId, Value};
use std::sync::Arc;

/// An object, with the rows that the instances in its path are.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) object: &'static Object,
    /// Ends with a dot.
    pub(super) path: String,
    /// The innermost last.
    pub(super) rows: Vec<Around>,
}

/// The row that an instance in a path is.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub(super) table: TableId,
    pub(super) number: u32,
    pub(super) instance: Instance,
}

/// One parameter that exists.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub(super) place: Arc<Place>,
    pub(super) leaf: &'static Leaf,
}

/// What a path means.
#[derive(Clone, Debug)]
pub(super) enum Spot {
    /// An object, or one instance of a table.
    Object(Arc<Place>),
    /// A table, whose instances stand below.
    Table(Arc<Place>),
    Parameter(Parameter),
}

impl Parameter {
    /// Its full path.
    pub fn path(&self) -> String {
        format!("{}{}", self.place.path, self.leaf.name)
    }
}

impl Place {
    /// The row of the instance around it.
    pub(super) fn row(&self) -> Option<&Around> {
        self.rows.last()
    }

    /// The name of the instance around it, as other rows refer to it.
    pub(super) fn name(&self) -> Value {
        let name = self.row().map(|row| row.instance.index.name());
        Value::from(name.unwrap_or_default())
    }

    /// Goes down to a child.
    pub(super) fn enter(&mut self, child: &'static Object) {
        self.path.push_str(child.name);
        self.path.push('.');
        self.object = child;
    }
}

impl DataModel<'_> {
    /// Everything that a path means.
    pub(super) fn resolve(&self, path: &str) -> Result<Vec<Spot>, Code> {
        let root = self.root();
        if path.is_empty() {
            return Ok(vec![Spot::Object(root)]);
        }
        let (first, rest) = path.split_once('.').ok_or(Code::InvalidName)?;
        if first != self.settings.root || path.len() > LONGEST {
            return Err(Code::InvalidName);
        }
        let mut spots = vec![Spot::Object(root)];
        let mut segments = rest.split('.').peekable();
        while let Some(segment) = segments.next() {
            if segment.is_empty() && segments.peek().is_none() {
                return Ok(spots);
            }
            let last = segments.peek().is_none();
            let found: Result<Vec<Vec<Spot>>, Code> = spots
                .iter()
                .map(|spot| self.step(spot, segment, last))
                .collect();
            spots = found?.into_iter().flatten().collect();
        }
        Ok(spots)
    }

    /// The one parameter that a path without wildcards means.
    pub(super) fn parameter(&self, path: &str) -> Option<Parameter> {
        match self.resolve(path).ok()?.as_slice() {
            [Spot::Parameter(one)] if !path.contains('*') => Some(one.clone()),
            _ => None,
        }
    }

    /// The object that all paths begin with.
    pub(super) fn root(&self) -> Arc<Place> {
        Arc::new(Place {
            object: object(0),
            path: format!("{}.", self.settings.root),
            rows: Vec::new(),
        })
    }

    fn step(&self, spot: &Spot, segment: &str, last: bool) -> Result<Vec<Spot>, Code> {
        match spot {
            Spot::Parameter(_) => Err(Code::InvalidName),
            Spot::Table(place) => self.pick(place, segment),
            Spot::Object(place) if last => {
                let mut leaves = place.object.leaves.iter();
                let leaf = leaves.find(|leaf| leaf.name == segment);
                let place = place.clone();
                leaf.map(|leaf| vec![Spot::Parameter(Parameter { place, leaf })])
                    .ok_or(Code::InvalidName)
            }
            Spot::Object(place) => {
                let mut children = self.children(place.object);
                let child = children.find(|child| child.name == segment);
                child
                    .map(|child| vec![below(place, child)])
                    .ok_or(Code::InvalidName)
            }
        }
    }

    fn pick(&self, table: &Arc<Place>, segment: &str) -> Result<Vec<Spot>, Code> {
        if segment == "*" {
            return Ok(self.instances(table));
        }
        let alias = segment
            .strip_prefix('[')
            .and_then(|name| name.strip_suffix(']'));
        let wanted = match alias {
            Some(alias) => self.of_alias(table, alias),
            None => segment.parse().ok().filter(|_| is_number(segment)),
        };
        let wanted: u32 = wanted.ok_or(Code::InvalidName)?;
        match self.instance(table, wanted) {
            Some(place) => Ok(vec![Spot::Object(place)]),
            None => Err(Code::InvalidName),
        }
    }

    fn of_alias(&self, table: &Place, alias: &str) -> Option<u32> {
        match &table.object.rows {
            Rows::Single => None,
            Rows::One => (alias == "cpe-1").then_some(1),
            Rows::Of { table, .. } => self.numbers(*table).by_alias(alias),
        }
    }

    /// The instances of a table, in order of number.
    pub(super) fn instances(&self, place: &Arc<Place>) -> Vec<Spot> {
        match &place.object.rows {
            Rows::Single => Vec::new(),
            Rows::One => self
                .instance(place, 1)
                .map(Spot::Object)
                .into_iter()
                .collect(),
            Rows::Of { table, .. } => {
                let numbers = self.numbers(*table);
                let all = numbers.iter();
                all.filter_map(|(number, one)| self.row(place, *table, number, one))
                    .map(Spot::Object)
                    .collect()
            }
        }
    }

    /// How many instances there are.
    pub(super) fn count_instances(&self, place: &Place) -> usize {
        match &place.object.rows {
            Rows::Single => 0,
            Rows::One => 1,
            Rows::Of { table, .. } => {
                let numbers = self.numbers(*table);
                let all = numbers.iter();
                all.filter(|(_, one)| self.belongs(place, &one.index))
                    .count()
            }
        }
    }

    fn instance(&self, place: &Arc<Place>, number: u32) -> Option<Arc<Place>> {
        match &place.object.rows {
            Rows::Single => None,
            Rows::One => (number == 1).then(|| {
                let mut one = Place::clone(place);
                self.enter_only(&mut one);
                Arc::new(one)
            }),
            Rows::Of { table, .. } => {
                let numbers = self.numbers(*table);
                self.row(place, *table, number, numbers.get(number)?)
            }
        }
    }

    fn row(
        &self,
        place: &Place,
        table: TableId,
        number: u32,
        one: &Instance,
    ) -> Option<Arc<Place>> {
        self.belongs(place, &one.index).then(|| {
            let mut place = place.clone();
            self.enter_row(&mut place, table, number, one);
            Arc::new(place)
        })
    }

    /// Goes down to the one instance of a table that has one.
    pub(super) fn enter_only(&self, table: &mut Place) {
        table.path.push_str(match self.settings.aliases {
            true => "[cpe-1].",
            false => "1.",
        });
    }

    /// Goes down to the instance that a row is.
    pub(super) fn enter_row(&self, place: &mut Place, table: TableId, number: u32, one: &Instance) {
        match self.settings.aliases {
            true => {
                place.path.push('[');
                one.push_alias(number, &mut place.path);
                place.path.push_str("].");
            }
            false => {
                push_number(number.into(), &mut place.path);
                place.path.push('.');
            }
        }
        place.rows.push(Around {
            table,
            number,
            instance: one.clone(),
        });
    }

    /// Whether a row is an instance of the table at this place.
    pub(super) fn belongs(&self, place: &Place, index: &Index) -> bool {
        let Rows::Of {
            only: Some((column, text)),
            ..
        } = place.object.rows
        else {
            return true;
        };
        let value = self.view.at(column, index);
        value == Some(Value::from(text)) || value == Some(place.name())
    }

    /// The objects directly below that are shown.
    pub(super) fn children(&self, object: &Object) -> impl Iterator<Item = &'static Object> {
        let voice = self.settings.tr104;
        let all = object.children.iter().map(|id| super::map::object(*id));
        all.filter(move |child| voice || child.path != "Device.Services.")
    }
}

/// A child as it stands below a place.
pub(super) fn below(place: &Place, child: &'static Object) -> Spot {
    let mut place = place.clone();
    place.enter(child);
    match child.rows {
        Rows::Single => Spot::Object(Arc::new(place)),
        Rows::One | Rows::Of { .. } => Spot::Table(Arc::new(place)),
    }
}

/// A number as it is printed: one spelling each.
fn is_number(segment: &str) -> bool {
    !segment.starts_with('0') && segment.bytes().all(|octet| octet.is_ascii_digit())
}

/// cwmp-1-2.xsd: names have at most 256 characters.
const LONGEST: usize = 256;
