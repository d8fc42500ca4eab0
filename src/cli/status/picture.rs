//! The picture: what is there, how it is, and what is wrong now.

use super::facts::{Facts, Row};
use super::sections::{IDENTITY, SCALARS, SECTIONS, Scalar, Section};
use crate::schema::Index;
use serde::Serialize;
use serde_json::{Map, Value};

/// The gateway at a glance.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Picture {
    /// Who the device is: words and values.
    pub(super) device: Map<String, Value>,
    /// What it does.
    pub(super) sections: Vec<Part>,
    /// What is not as it should be.
    pub(super) wrong: Vec<Problem>,
}

/// One section.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Part {
    pub(super) title: &'static str,
    pub(super) lines: Vec<Line>,
}

/// One thing that works or does not.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) mood: Mood,
    pub(super) cells: Vec<String>,
    /// Why, or "".
    pub(super) reason: String,
}

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mood {
    /// As it should be.
    Good,
    /// Not yet, or not wanted.
    Waiting,
    /// Not as it should be.
    Bad,
}

/// Something that is wrong.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Problem {
    /// Where it shows.
    pub(super) object: String,
    /// Why, with the object to change.
    pub(super) reason: String,
}

impl Picture {
    /// Draws what the facts say.
    pub(super) fn of(facts: &Facts, version: &str) -> Self {
        let mut picture = Self {
            device: device(facts, version),
            sections: Vec::new(),
            wrong: Vec::new(),
        };
        let scalars = SCALARS.iter();
        let lines = scalars.filter_map(|one| scalar(facts, one));
        picture.add("Faces and state", lines.collect());
        for section in SECTIONS {
            let rows = facts.rows(section.table);
            let lines = rows.map(|(index, row)| line(facts, section, index, row));
            picture.add(section.title, lines.collect());
        }
        picture
    }

    fn add(&mut self, title: &'static str, parts: Vec<(Line, Option<Problem>)>) {
        let (lines, problems): (Vec<Line>, Vec<Option<Problem>>) = parts.into_iter().unzip();
        self.wrong.extend(problems.into_iter().flatten());
        if !lines.is_empty() {
            self.sections.push(Part { title, lines });
        }
    }
}

/// A scalar that the device publishes.
fn scalar(facts: &Facts, scalar: &Scalar) -> Option<(Line, Option<Problem>)> {
    let state = facts.scalar(scalar.state);
    let reason = facts.scalar(scalar.reason);
    if state.is_empty() && reason.is_empty() {
        return None;
    }
    let good = match scalar.good {
        Some(good) => state == good,
        None => !state.is_empty(),
    };
    let shown = if state.is_empty() { "not there" } else { state };
    let line = Line {
        mood: if good { Mood::Good } else { Mood::Bad },
        cells: vec![scalar.title.to_owned(), shown.to_owned()],
        reason: reason.to_owned(),
    };
    let problem = problem(&line, scalar.state, shown, scalar.change);
    Some((line, problem))
}

fn line(facts: &Facts, section: &Section, index: &Index, row: &Row) -> (Line, Option<Problem>) {
    let state = row.cell(section.state);
    let (why_table, why_column) = section.reason;
    let why = facts.row(why_table, index);
    let reason = why.map_or("", |row| row.cell(why_column));
    let also = section.also.iter();
    let also = also.filter_map(|short| why.map(|row| row.cell(short)));
    let shown = section.show.iter().map(|short| row.cell(short));
    let line = Line {
        mood: mood(section, state, reason),
        cells: shown.chain(also).map(str::to_owned).collect(),
        reason: reason.to_owned(),
    };
    let problem = problem(&line, &row.name, state, section.change);
    let leaving = section.leaving.contains(&state);
    (line, problem.filter(|_| !leaving))
}

/// A service that runs but could not do all that it was told is not well.
fn mood(section: &Section, state: &str, reason: &str) -> Mood {
    if section.good.contains(&state) {
        let troubled = section.title == "Services" && !reason.is_empty();
        return if troubled { Mood::Bad } else { Mood::Good };
    }
    let passing = section.waiting.iter().chain(section.leaving);
    match passing.into_iter().any(|one| *one == state) {
        true => Mood::Waiting,
        false => Mood::Bad,
    }
}

/// What is bad is wrong; what waits is wrong where there is a reason for it.
fn problem(line: &Line, object: &str, state: &str, change: &str) -> Option<Problem> {
    let reason = match (line.mood, line.reason.as_str()) {
        (Mood::Good, _) | (Mood::Waiting, "") => return None,
        (Mood::Bad, "") => format!("{state}: {change}"),
        (_, reason) if reason.starts_with(state) => reason.to_owned(),
        (Mood::Bad | Mood::Waiting, reason) => format!("{state}: {reason}"),
    };
    Some(Problem {
        object: object.to_owned(),
        reason,
    })
}

fn device(facts: &Facts, version: &str) -> Map<String, Value> {
    let known = IDENTITY.iter();
    let known = known.map(|(word, name)| (*word, facts.scalar(name)));
    let all = std::iter::once(("software", version)).chain(known);
    all.filter(|(_, value)| !value.is_empty())
        .map(|(word, value)| (word.to_owned(), value.into()))
        .collect()
}
