//! A request and the tree in, answers or what to wait for out.
//!
//! Nothing here waits: a commit, a script or an operation is handed out as
//! [`Next`] and its outcome made into an answer afterwards.

use super::answer::{Answer, ArgumentHelp, OperationHelp, Refused, ScriptReport};
use super::log::Follow;
use super::reading::{Reading, missing};
use super::request::{Request, Wish};
use crate::north::script::{Complaint, Report, Run, Script, diff, export, operation_word};
use crate::schema::{Name, Selection};
use crate::tree::{Actor, Operation, OperationError, Outcome, Snapshot, Transaction, Tree};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::Arc;

/// What answers the requests of one device.
#[derive(Clone)]
pub struct Desk {
    tree: Tree,
    profile: Arc<Snapshot>,
}

/// What a request comes to.
pub enum Next {
    /// The answer.
    Answer(Answer),
    /// Several answers: [`Reading::batch`] until there is no more.
    Read(Reading),
    /// Commit this; [`committed`] makes the answer.
    Commit(Transaction),
    /// Run this, under the name that the log calls it; [`Answer::from`] its report.
    Script(Run, String),
    /// Invoke this; [`invoked`] makes the answer.
    Invoke {
        /// `Service.Operation`.
        operation: String,
        /// Its arguments.
        arguments: Vec<(String, String)>,
        /// A file for it.
        blob: Option<Vec<u8>>,
    },
    /// Answer entries of the log; where the flag says so, go on as more come.
    Log(Follow, bool),
}

/// Names in one `get`.
const NAMES_LIMIT: usize = 10_000;

impl Desk {
    /// A desk before a tree; `profile` is the state that FactoryReset returns to.
    pub fn new(tree: Tree, profile: Arc<Snapshot>) -> Self {
        Self { tree, profile }
    }

    /// The tree behind it.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What a request comes to.
    pub fn handle(&self, request: Request) -> Next {
        let refused = |refused| Next::Answer(Answer::Refused(refused));
        match request {
            Request::Get { names } => self.get(&names).unwrap_or_else(refused),
            Request::Walk { name } => self.walk(&name).unwrap_or_else(refused),
            Request::Set { values } => assign(&values).map_or_else(refused, Next::Commit),
            Request::Script { text, name } => {
                script(&text).map_or_else(refused, |run| Next::Script(run, name))
            }
            Request::Invoke {
                operation,
                args,
                blob,
            } => match blob.map(|blob| STANDARD.decode(blob)).transpose() {
                Ok(blob) => Next::Invoke {
                    operation,
                    arguments: args.into_iter().collect(),
                    blob,
                },
                Err(error) => refused(vec![Refused::new(
                    &operation,
                    "wrongArgument",
                    format!("the blob is not base64: {error}"),
                )]),
            },
            Request::Log { since, follow } => Next::Log(Follow::after(since), follow),
            Request::Export => Next::Answer(Answer::Text(self.export())),
            Request::Diff => Next::Answer(Answer::Text(self.diff())),
            Request::Operations => Next::Answer(self.operations()),
            Request::Version => Next::Answer(Answer::Version {
                software: env!("CARGO_PKG_VERSION").to_owned(),
                configuration: self.tree.snapshot().version(),
            }),
        }
    }

    fn get(&self, names: &[String]) -> Result<Next, Vec<Refused>> {
        if names.len() > NAMES_LIMIT {
            let message = format!("at most {NAMES_LIMIT} names are read at once");
            return Err(vec![Refused::new("request", "tooLong", message)]);
        }
        let tree = self.tree.instances();
        let mut refused = Vec::new();
        let mut selections = Vec::new();
        for name in names {
            match Selection::parse(name) {
                Ok(selection) if missing(&tree, &selection) => {
                    refused.push(Refused::new(name, "noSuchInstance", "it is not there"));
                }
                Ok(selection) => selections.push(selection),
                Err(error) => refused.push(Refused::name(name, &error)),
            }
        }
        match refused.is_empty() {
            true => Ok(Next::Read(Reading::new(tree, &selections))),
            false => Err(refused),
        }
    }

    fn walk(&self, name: &str) -> Result<Next, Vec<Refused>> {
        let selection =
            Selection::parse(name).map_err(|error| vec![Refused::name(name, &error)])?;
        let tree = self.tree.instances();
        Ok(Next::Read(Reading::new(tree, &[selection])))
    }

    fn export(&self) -> String {
        export(&self.tree.snapshot(), &self.profile)
    }

    fn diff(&self) -> String {
        let differences = diff(&self.profile, &self.tree.snapshot());
        let lines: Vec<String> = differences.iter().map(ToString::to_string).collect();
        lines.join("\n")
    }

    fn operations(&self) -> Answer {
        let offered = self.tree.operations();
        Answer::Operations(offered.into_iter().map(help).collect())
    }
}

/// The answer to a commit.
pub fn committed(outcome: Outcome) -> Answer {
    match outcome {
        Ok(committed) => Answer::Committed(committed.version),
        Err(refusals) => Answer::Refused(refusals.iter().map(Refused::from).collect()),
    }
}

/// The answer to an invocation.
pub fn invoked(operation: &str, outcome: Result<String, OperationError>) -> Answer {
    match outcome {
        Ok(answer) => Answer::Text(answer),
        Err(error) => {
            let word = operation_word(&error);
            Answer::Refused(vec![Refused::new(operation, word, error.to_string())])
        }
    }
}

impl From<Report> for Answer {
    fn from(report: Report) -> Self {
        let answers = report.answers.into_iter();
        Self::Script(ScriptReport {
            assigned: report.assigned,
            answers: answers
                .map(|(operation, answer)| format!("{operation}: {answer}"))
                .collect(),
            refused: report.complaints.iter().map(Refused::from).collect(),
        })
    }
}

fn assign(values: &[Wish]) -> Result<Transaction, Vec<Refused>> {
    let mut txn = Transaction::new(Actor::local());
    let mut refused = Vec::new();
    for wish in values {
        let name = match Name::parse(&wish.name) {
            Ok(name) => name,
            Err(error) => {
                refused.push(Refused::name(&wish.name, &error));
                continue;
            }
        };
        match name.column.get().parse(&wish.value) {
            Ok(value) => txn.assign(name, value),
            Err(error) => refused.push(Refused::value(&name.to_string(), &error)),
        }
    }
    match refused.is_empty() {
        true => Ok(txn),
        false => Err(refused),
    }
}

fn script(text: &str) -> Result<Run, Vec<Refused>> {
    let script = Script::parse(text).map_err(|faults| -> Vec<Refused> {
        let complaints = faults.iter().map(Complaint::from);
        complaints
            .map(|complaint| Refused::from(&complaint))
            .collect()
    })?;
    Ok(Run::new(script, Actor::local()))
}

fn help(operation: &Operation) -> OperationHelp {
    let arguments = operation.arguments.iter();
    OperationHelp {
        name: operation.name.to_owned(),
        help: operation.help.to_owned(),
        arguments: arguments
            .map(|argument| ArgumentHelp {
                name: argument.name.to_owned(),
                required: argument.required,
                help: argument.help.to_owned(),
            })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn desk() -> Desk {
        let tree = Tree::in_memory();
        let profile = tree.snapshot();
        Desk::new(tree, profile)
    }

    fn set(desk: &Desk, values: &[(&str, &str)]) -> Answer {
        let values = values.iter().map(|(name, value)| Wish {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        });
        let values = values.collect();
        match desk.handle(Request::Set { values }) {
            Next::Commit(txn) => committed(desk.tree.commit_and_wait(txn, 0)),
            Next::Answer(answer) => answer,
            _ => panic!("a set commits or is refused"),
        }
    }

    fn read(desk: &Desk, request: Request) -> Vec<String> {
        let mut names = Vec::new();
        match desk.handle(request) {
            Next::Read(mut reading) => loop {
                let (answer, more) = reading.batch();
                let Answer::Values(values) = answer else {
                    panic!("a reading answers values");
                };
                names.extend(values.keys().cloned());
                if !more {
                    return names;
                }
            },
            Next::Answer(Answer::Refused(refused)) => {
                refused.iter().map(ToString::to_string).collect()
            }
            _ => panic!("a reading reads or is refused"),
        }
    }

    fn get(desk: &Desk, names: &[&str]) -> Vec<String> {
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        read(desk, Request::Get { names })
    }

    #[test]
    fn a_set_is_one_transaction_and_every_offender_is_named() {
        let desk = desk();
        let answer = set(
            &desk,
            &[
                ("hoc.systemName", "a"),
                ("Hoc.Nope", "1"),
                ("Hoc.SntpSynchronizationPeriod", "x"),
            ],
        );
        let Answer::Refused(refused) = answer else {
            panic!("two are wrong");
        };
        let words: Vec<&str> = refused.iter().map(|one| one.reason.as_str()).collect();
        assert_eq!(words, ["noSuchObject", "wrongValue"]);
        assert_eq!(set(&desk, &[("hoc.systemName", "a")]), Answer::Committed(1));
    }

    #[test]
    fn a_get_answers_instances_rows_and_columns_and_names_what_is_missing() {
        let desk = desk();
        set(&desk, &[("Hoc.StaticHosts[Index=2].Name", "b")]);
        assert_eq!(get(&desk, &["hoc.systemname"]), ["Hoc.SystemName"]);
        assert_eq!(
            get(&desk, &["Hoc.StaticHosts.Name"]),
            ["Hoc.StaticHosts[Index=2].Name"]
        );
        assert_eq!(get(&desk, &["Hoc.StaticHosts[Index=2]"]).len(), 4);
        assert_eq!(
            get(
                &desk,
                &[
                    "Hoc.SystemName",
                    "Hoc.StaticHosts[Index=3].Name",
                    "Hoc.Contact"
                ]
            ),
            [
                "Hoc.StaticHosts[Index=3].Name: it is not there",
                "Hoc.Contact: Hoc has no object \"Contact\"; did you mean Hoc.SystemContact?",
            ]
        );
    }

    #[test]
    fn a_long_walk_comes_in_batches_and_meets_each_instance_once() {
        let desk = desk();
        let names: Vec<String> = (0..600)
            .map(|index| format!("Hoc.StaticHosts[Index={index}].Name"))
            .collect();
        let values: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        assert_eq!(set(&desk, &values), Answer::Committed(1));
        let name = "Hoc.StaticHosts.Name".to_owned();
        assert_eq!(read(&desk, Request::Walk { name }), names);
        let all = read(
            &desk,
            Request::Walk {
                name: String::new(),
            },
        );
        assert!(all.len() > 4 * 600);
    }

    #[test]
    fn a_blob_must_be_base64() {
        let request = Request::Invoke {
            operation: "Cert.Install".to_owned(),
            args: [].into(),
            blob: Some("*".to_owned()),
        };
        let Next::Answer(Answer::Refused(refused)) = desk().handle(request) else {
            panic!("refused");
        };
        assert!(
            refused[0]
                .to_string()
                .starts_with("Cert.Install: the blob is not base64")
        );
    }

    #[test]
    fn export_and_diff_compare_with_the_profile() {
        let desk = desk();
        set(&desk, &[("Hoc.SystemName", "gw")]);
        let text = |request| match desk.handle(request) {
            Next::Answer(Answer::Text(text)) => text,
            _ => panic!("a text"),
        };
        assert!(text(Request::Export).contains("\nHoc.SystemName=\"gw\"\n"));
        assert_eq!(
            text(Request::Diff),
            "- Hoc.SystemName=\"\"\n+ Hoc.SystemName=\"gw\""
        );
    }
}
