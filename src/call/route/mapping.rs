//! Transformations of numbers, names and URIs.

use super::pattern::Pattern;
use super::properties::{Facet, Properties, Property, Side};

/// How deep mappings may stand in mappings.
const MAX_DEPTH: u32 = 8;

/// A named list of rules, of which the first that fits is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its name.
    pub name: String,
    /// What the rules look at.
    pub criterion: Subject,
    /// What they change.
    pub transformed: Subject,
    /// In order.
    pub rules: Vec<Rule>,
}

/// What a mapping looks at or changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// That of one party.
    One(Property),
    /// That of each party by itself.
    Each(Facet),
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What it fits.
    pub pattern: Pattern,
    /// What is written, with `\1` for what the first group found.
    pub replacement: String,
    /// The names of the mappings that follow.
    pub then: Vec<String>,
}

/// Puts properties through these mappings; a name that nothing has changes nothing.
pub(super) fn apply(all: &[Mapping], names: &[String], properties: &mut Properties) {
    descend(all, names, properties, 0);
}

fn descend(all: &[Mapping], names: &[String], properties: &mut Properties, depth: u32) {
    if depth >= MAX_DEPTH {
        return;
    }
    for mapping in names
        .iter()
        .filter_map(|name| all.iter().find(|it| it.name == *name))
    {
        for (criterion, transformed) in pairs(mapping) {
            let value = properties.read(criterion);
            let found = mapping.rules.iter().find_map(|rule| {
                let value = rule.pattern.replace(value, &rule.replacement)?;
                Some((rule, value))
            });
            if let Some((rule, value)) = found {
                properties.write(transformed, value);
                descend(all, &rule.then, properties, depth + 1);
            }
        }
    }
}

/// What is looked at, and what is changed by it.
fn pairs(mapping: &Mapping) -> Vec<(Property, Property)> {
    let both = |facet| [Side::Called, Side::Calling].map(|side| Property { side, facet });
    match (mapping.criterion, mapping.transformed) {
        (Subject::One(from), Subject::One(to)) => vec![(from, to)],
        (Subject::One(from), Subject::Each(facet)) => both(facet).map(|to| (from, to)).into(),
        (Subject::Each(facet), Subject::One(to)) => {
            let side = to.side;
            vec![(Property { side, facet }, to)]
        }
        (Subject::Each(from), Subject::Each(to)) => {
            let [one, other] = both(to);
            let [first, second] = both(from);
            vec![(first, one), (second, other)]
        }
    }
}
