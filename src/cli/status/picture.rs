//! The picture: what is there, how it is, and what is wrong now.

use super::beside;
use super::facts::{Facts, Row};
use super::sections::{IDENTITY, SCALARS, SECTIONS, Scalar, Section};
use crate::schema::{Index, services};
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
    /// What is good stands in one line of text.
    #[serde(skip)]
    pub(super) brief: bool,
    pub(super) lines: Vec<Line>,
}

/// One thing that works or does not.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    pub(super) mood: Mood,
    /// What is shown, by its heading.
    pub(super) cells: Map<String, Value>,
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
        picture.add("State", false, lines.collect());
        for section in SECTIONS {
            let rows = facts.rows(section.table);
            let lines = rows.map(|(index, row)| line(facts, section, index, row));
            picture.add(section.title, section.brief, lines.collect());
        }
        picture.wrong.extend(beside::problems(facts));
        picture
    }

    fn add(&mut self, title: &'static str, brief: bool, parts: Vec<(Line, Option<Problem>)>) {
        let (lines, problems): (Vec<Line>, Vec<Option<Problem>>) = parts.into_iter().unzip();
        self.wrong.extend(problems.into_iter().flatten());
        if !lines.is_empty() {
            self.sections.push(Part {
                title,
                brief,
                lines,
            });
        }
    }
}

/// A scalar that the device publishes.
fn scalar(facts: &Facts, scalar: &Scalar) -> Option<(Line, Option<Problem>)> {
    let state = facts.scalar(scalar.state);
    let reason = facts.scalar(scalar.reason);
    let nothing = state.is_empty() && reason.is_empty();
    if nothing || scalar.absent == Some(state) {
        return None;
    }
    let mood = match scalar.good {
        _ if scalar.waiting == Some(state) => Mood::Waiting,
        Some(good) if state == good => Mood::Good,
        None if !state.is_empty() => Mood::Good,
        _ => Mood::Bad,
    };
    let shown = if state.is_empty() { "not there" } else { state };
    let line = Line {
        mood,
        cells: cells([("part", scalar.title), ("state", shown)]),
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
    let shown = section.show.iter();
    let shown = shown.map(|(heading, short)| (*heading, row.cell(short)));
    let also = section.also.iter();
    let also = also.map(|(heading, short)| (*heading, why.map_or("", |row| row.cell(short))));
    let line = Line {
        mood: mood(facts, section, index, (state, reason)),
        cells: cells(shown.chain(also)),
        reason: reason.to_owned(),
    };
    let change = section
        .show
        .iter()
        .fold(section.change.to_owned(), |text, (_, short)| {
            text.replace(&format!("{{{short}}}"), row.cell(short))
        });
    let problem = problem(&line, &row.name, state, &change);
    let leaving = section.leaving.contains(&state);
    (line, problem.filter(|_| !leaving))
}

fn cells<'a>(cells: impl IntoIterator<Item = (&'a str, &'a str)>) -> Map<String, Value> {
    let cells = cells.into_iter();
    cells
        .map(|(heading, cell)| (heading.to_owned(), cell.into()))
        .collect()
}

/// A service that runs but could not do all that it was told is not well; an
/// interface that is switched off is not wanted.
fn mood(facts: &Facts, section: &Section, index: &Index, (state, reason): (&str, &str)) -> Mood {
    let configured = facts.row("Bni.NetworkInterfaces", index);
    let off = configured.is_some_and(|row| row.cell("Activation") == "disable");
    if section.title == "Network interfaces" && off {
        return Mood::Waiting;
    }
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
        (_, reason) if reason.starts_with(state) && names_an_object(reason) => reason.to_owned(),
        (Mood::Bad | Mood::Waiting, reason) if names_an_object(reason) => {
            format!("{state}: {reason}")
        }
        (Mood::Bad | Mood::Waiting, reason) => format!("{state}: {reason}: {change}"),
    };
    Some(Problem {
        object: object.to_owned(),
        reason,
    })
}

/// Whether a reason says itself what to change, or what to do.
fn names_an_object(reason: &str) -> bool {
    let mut services = services().map(|(_, service)| service.name);
    reason.contains("demarc ") || services.any(|name| reason.contains(&format!("{name}.")))
}

fn device(facts: &Facts, version: &str) -> Map<String, Value> {
    let known = IDENTITY.iter();
    let known = known.map(|(word, name)| (*word, facts.scalar(name)));
    let all = std::iter::once(("software", version)).chain(known);
    all.filter(|(_, value)| !value.is_empty())
        .map(|(word, value)| (word.to_owned(), value.into()))
        .collect()
}
