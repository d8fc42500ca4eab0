//! From a call to the trunks and lines that it is tried by.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::mapping;
use super::place::Place;
use super::properties::Properties;
use super::{Hunt, Route, Routing, Selection};
use crate::call::cause::Causes;

/// How many routes and hunts may stand behind one another.
const MAX_DEPTH: u32 = 8;
/// How many trunks and lines one call is tried by.
const MAX_HOPS: usize = 32;

/// What a call is tried by, in order.
pub type Plan = Vec<Step>;

/// Tries that begin at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Trunks and lines; the first that answers has the call.
    pub hops: Vec<Hop>,
    /// How long they are tried; none for as long as they ring.
    pub timeout: Option<Duration>,
    /// After which refusals the next step is tried.
    pub causes: Causes,
}

/// A trunk or a line, and how the call is told to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// A gateway or a line.
    pub place: Place,
    /// As transformed on the way there.
    pub properties: Properties,
}

/// Where each cyclic hunt begins next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Turns(BTreeMap<String, usize>);

/// Why a call goes nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Dead {
    /// No route fits it.
    #[error("no route fits a call from {0}")]
    NoRoute(Place),
    /// A route or hunt names a hunt that there is none of, or an empty one.
    #[error("hunt-{0} has no destination")]
    NoHunt(String),
    /// Routes and hunts lead to each other.
    #[error("more than {MAX_DEPTH} routes and hunts stand behind one another at {0}")]
    Loop(Place),
}

impl Routing {
    /// How a call from there is tried.
    ///
    /// # Errors
    /// Why it goes nowhere.
    pub fn plan(
        &self,
        source: &Place,
        properties: &Properties,
        turns: &mut Turns,
    ) -> Result<Plan, Dead> {
        let mut plan = self.from(source, properties.clone(), turns, 0)?;
        let mut left = MAX_HOPS;
        for step in &mut plan {
            step.hops.truncate(left);
            left -= step.hops.len();
        }
        plan.retain(|step| !step.hops.is_empty());
        Ok(plan)
    }

    fn from(
        &self,
        source: &Place,
        mut properties: Properties,
        turns: &mut Turns,
        depth: u32,
    ) -> Result<Plan, Dead> {
        let fits = |route: &&Route| route.fits(source, &properties);
        let route = self.routes.iter().find(fits);
        let route = route.ok_or_else(|| Dead::NoRoute(source.clone()))?;
        mapping::apply(&self.mappings, &route.mappings, &mut properties);
        self.to(&route.destination, properties, turns, depth)
    }

    fn to(
        &self,
        place: &Place,
        properties: Properties,
        turns: &mut Turns,
        depth: u32,
    ) -> Result<Plan, Dead> {
        if depth >= MAX_DEPTH {
            return Err(Dead::Loop(place.clone()));
        }
        match place {
            Place::Route(_) => self.from(place, properties, turns, depth + 1),
            Place::Hunt(name) => self.hunt(name, &properties, turns, depth + 1),
            Place::Gateway(_) | Place::Line(_) => Ok(vec![Step {
                hops: vec![Hop {
                    place: place.clone(),
                    properties,
                }],
                timeout: None,
                causes: Causes::default(),
            }]),
        }
    }

    fn hunt(
        &self,
        name: &str,
        properties: &Properties,
        turns: &mut Turns,
        depth: u32,
    ) -> Result<Plan, Dead> {
        let hunt = self.hunts.iter().find(|it| it.name == name);
        let hunt = hunt.filter(|it| !it.destinations.is_empty());
        let hunt = hunt.ok_or_else(|| Dead::NoHunt(name.to_owned()))?;
        let mut plan = Plan::new();
        let mut dead = None;
        for place in turns.order(hunt) {
            match self.to(place, properties.clone(), turns, depth) {
                Ok(steps) => plan.extend(steps),
                // Nothing is behind a loop, and trying on would take for ever.
                Err(fault @ Dead::Loop(_)) => return Err(fault),
                Err(fault) => dead = Some(fault),
            }
            if plan.len() >= MAX_HOPS {
                break;
            }
        }
        match dead.filter(|_| plan.is_empty()) {
            Some(fault) => Err(fault),
            None => Ok(hunt.arrange(plan)),
        }
    }
}

impl Route {
    fn fits(&self, source: &Place, properties: &Properties) -> bool {
        // A route without a source is for calls from outside, not for those of `route-` places.
        let from = match self.sources.is_empty() {
            true => !matches!(source, Place::Route(_)),
            false => self.sources.contains(source),
        };
        from && { self.criterion.as_ref() }
            .is_none_or(|(property, pattern)| pattern.fits(properties.read(*property)))
    }
}

impl Hunt {
    /// The hunt's own time and causes hold for each of its steps.
    fn arrange(&self, mut plan: Plan) -> Plan {
        if self.selection == Selection::Simultaneous {
            let hops = plan.into_iter().flat_map(|step| step.hops).collect();
            plan = vec![Step {
                hops,
                timeout: self.timeout,
                causes: self.causes.clone(),
            }];
        }
        for step in &mut plan {
            step.timeout = step.timeout.or(self.timeout);
            step.causes.clone_from(&self.causes);
        }
        plan
    }
}

impl Turns {
    fn order<'a>(&mut self, hunt: &'a Hunt) -> Vec<&'a Place> {
        let mut places: Vec<&Place> = hunt.destinations.iter().collect();
        if hunt.selection == Selection::Cyclic {
            let turn = self.0.entry(hunt.name.clone()).or_default();
            let count = places.len();
            places.rotate_left(*turn % count);
            *turn = (*turn + 1) % count;
        }
        places
    }
}
