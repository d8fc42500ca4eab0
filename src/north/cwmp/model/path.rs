//! Paths: which object, instance or parameter a text means.
//!
//! Instances are said by number, by `[alias]` or, where several may be meant,
//! by `*` (TR-069 annex A.2.4 and TR-106 §3.6). What is said back has
//! numbers or aliases, as `Cwmp.InstanceMode` wants it.

use super::DataModel;
use super::map::{Leaf, Object, Rows, object};
use super::numbers::Instance;
use crate::north::cwmp::fault::Code;
use crate::schema::{Index, TableId, Value};
use std::sync::Arc;

/// An object, with the rows that the instances in its path are.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) object: &'static Object,
    /// Ends with a dot.
    pub(super) path: String,
    /// The innermost last.
    pub(super) rows: Vec<(TableId, Index)>,
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
    /// The key of the instance around it.
    pub(super) fn row(&self) -> Option<&(TableId, Index)> {
        self.rows.last()
    }

    /// The name of the instance around it, as other rows refer to it.
    pub(super) fn name(&self) -> Value {
        let name = self.row().map(|(_, index)| index.name());
        Value::from(name.unwrap_or_default())
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

    fn instance(&self, place: &Arc<Place>, number: u32) -> Option<Arc<Place>> {
        match &place.object.rows {
            Rows::Single => None,
            Rows::One => (number == 1).then(|| {
                let segment = match self.settings.aliases {
                    true => "[cpe-1]",
                    false => "1",
                };
                Arc::new(Place {
                    object: place.object,
                    path: format!("{}{segment}.", place.path),
                    rows: place.rows.clone(),
                })
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
            // Thousands of them may stand in memory at a time: none is larger than it has to be.
            let mut rows = Vec::with_capacity(place.rows.len() + 1);
            rows.extend_from_slice(&place.rows);
            rows.push((table, one.index.clone()));
            let path = match self.settings.aliases {
                true => [&place.path, "[", &one.alias(number), "]."].concat(),
                false => [&place.path, number.to_string().as_str(), "."].concat(),
            };
            let object = place.object;
            Arc::new(Place { object, path, rows })
        })
    }

    /// Whether a row is an instance of the table at this place.
    fn belongs(&self, place: &Place, index: &Index) -> bool {
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
    let place = Arc::new(Place {
        object: child,
        path: [&place.path, child.name, "."].concat(),
        rows: place.rows.clone(),
    });
    match child.rows {
        Rows::Single => Spot::Object(place),
        Rows::One | Rows::Of { .. } => Spot::Table(place),
    }
}

/// A number as it is printed: one spelling each.
fn is_number(segment: &str) -> bool {
    !segment.starts_with('0') && segment.bytes().all(|octet| octet.is_ascii_digit())
}

/// cwmp-1-2.xsd: names have at most 256 characters.
const LONGEST: usize = 256;
