//! Where a call goes: routes, mappings and hunts (the dictionary's CRout).
//!
//! [`Routing::plan`] takes the first route that fits a call, transforms the
//! call's properties, and follows routes and hunts to trunks and lines. Regular
//! expressions run in linear time, and what refers to itself is refused.

mod mapping;
mod pattern;
mod place;
mod plan;
mod properties;

use std::time::Duration;

use super::cause::Causes;

pub use mapping::{Mapping, Rule, Subject};
pub use pattern::{Pattern, PatternFault};
pub use place::{Place, PlaceFault};
pub use plan::{Dead, Hop, Plan, Step, Turns};
pub use properties::{Facet, Party, Properties, Property, Side};

/// All that decides where calls go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Routing {
    /// In order; the first that fits counts.
    pub routes: Vec<Route>,
    /// By name.
    pub mappings: Vec<Mapping>,
    /// By name.
    pub hunts: Vec<Hunt>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where calls come from; none for anywhere.
    pub sources: Vec<Place>,
    /// What they are like; none for any.
    pub criterion: Option<(Property, Pattern)>,
    /// Where they go.
    pub destination: Place,
    /// The names of the mappings that they go through, in order.
    pub mappings: Vec<String>,
}

/// Several destinations as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunt {
    /// Its name.
    pub name: String,
    /// What it tries.
    pub destinations: Vec<Place>,
    /// In which order.
    pub selection: Selection,
    /// How long each is tried; none for as long as it rings.
    pub timeout: Option<Duration>,
    /// After which refusals it goes on.
    pub causes: Causes,
}

/// In which order a hunt tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Selection {
    /// From the first, each time.
    Sequential,
    /// From the one after that of the last call.
    Cyclic,
    /// All at once.
    Simultaneous,
}

#[cfg(test)]
mod tests;
