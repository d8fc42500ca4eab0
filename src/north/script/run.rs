//! A script on its way: what to do next, and how it went.
//!
//! Whoever runs it commits each transaction and invokes each operation that
//! [`Run::step`] gives, and says the outcome before asking for the next. This
//! file waits for nothing and decides everything.

use super::fault::{Complaint, Place};
use super::line::Call;
use super::text::{Act, Entry, Mode, Script};
use crate::tree::notice::Notice;
use crate::tree::{Actor, Face, Operation, OperationError, Outcome, Transaction, Tree, messages};
use std::collections::VecDeque;

/// A script under way.
pub struct Run {
    mode: Mode,
    actor: Actor,
    steps: VecDeque<Vec<Entry>>,
    /// The entries of the step that was handed out last.
    current: Vec<Entry>,
    report: Report,
}

/// What to do next.
pub enum Step {
    /// Commit this and tell [`Run::committed`].
    Commit(Transaction),
    /// Invoke this as the actor and tell [`Run::answered`].
    Invoke(Actor, Call),
}

/// How a script went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many assignments became true.
    pub assigned: usize,
    /// The version that the last commit made.
    pub version: Option<u64>,
    /// Each operation that was done, with its answer.
    pub answers: Vec<(String, String)>,
    /// Everything that was not done, and why.
    pub complaints: Vec<Complaint>,
}

impl Run {
    /// Starts a script on behalf of somebody.
    pub fn new(script: Script, actor: Actor) -> Self {
        let steps = match script.mode {
            Mode::Continue => script
                .entries
                .into_iter()
                .map(|entry| vec![entry])
                .collect(),
            Mode::AllOrNothing => all_or_nothing(script.entries),
        };
        Self {
            mode: script.mode,
            actor: Actor {
                face: Face::Script,
                ..actor
            },
            steps,
            current: Vec::new(),
            report: Report::default(),
        }
    }

    /// Complains about operations that nobody offers, before anything is changed.
    pub fn check(&mut self, offered: &[&Operation]) {
        let known = |call: &Call| {
            let mut names = offered.iter().map(|operation| operation.name);
            names.any(|name| name.eq_ignore_ascii_case(&call.operation))
        };
        let entries = self.steps.iter().flatten();
        let complaints: Vec<Complaint> = entries
            .filter_map(|entry| match &entry.act {
                Act::Invoke(call) if !known(call) => Some(unknown(entry.place, call, offered)),
                _ => None,
            })
            .collect();
        if self.mode == Mode::AllOrNothing && !complaints.is_empty() {
            self.report.complaints = complaints;
            self.steps.clear();
        }
    }

    /// The next step, or none when the script is done.
    pub fn step(&mut self) -> Option<Step> {
        self.current = self.steps.pop_front()?;
        if let [
            Entry {
                act: Act::Invoke(call),
                ..
            },
        ] = self.current.as_slice()
        {
            return Some(Step::Invoke(self.actor.clone(), call.clone()));
        }
        let mut txn = Transaction::new(self.actor.clone());
        for entry in &self.current {
            if let Act::Assign(name, value) = &entry.act {
                txn.assign(name.clone(), value.clone());
            }
        }
        Some(Step::Commit(txn))
    }

    /// How the commit of the last step ended.
    pub fn committed(&mut self, outcome: Outcome) {
        match outcome {
            Ok(committed) => {
                self.report.assigned += self.current.len();
                self.report.version = Some(committed.version);
            }
            Err(refusals) => {
                let complaints = refusals
                    .iter()
                    .map(|refusal| Complaint::refused(self.place(refusal.wish), refusal));
                let complaints: Vec<Complaint> = complaints.collect();
                self.fail(complaints);
            }
        }
    }

    /// How the operation of the last step ended.
    pub fn answered(&mut self, outcome: Result<String, OperationError>) {
        let [
            Entry {
                place,
                act: Act::Invoke(call),
            },
        ] = self.current.as_slice()
        else {
            return;
        };
        match outcome {
            Ok(answer) => {
                let operation = call.operation.clone();
                self.report.answers.push((operation, answer));
            }
            Err(error) => {
                let why = error.to_string();
                let word = operation_word(&error);
                let complaint = Complaint::new(*place, call.operation.clone(), word, &why);
                self.fail(vec![complaint]);
            }
        }
    }

    /// How it went.
    pub fn report(self) -> Report {
        self.report
    }

    fn place(&self, wish: usize) -> Place {
        self.current
            .get(wish)
            .map_or(Place::Whole, |entry| entry.place)
    }

    fn fail(&mut self, complaints: Vec<Complaint>) {
        self.report.complaints.extend(complaints);
        if self.mode == Mode::AllOrNothing {
            self.steps.clear();
        }
    }
}

impl Report {
    /// The log record of a script, by the name that whoever sent it gave it.
    pub fn notice(&self, name: &str) -> Notice {
        let name = if name.is_empty() {
            "without a name"
        } else {
            name
        };
        let Some(first) = self.complaints.first() else {
            return messages::SCRIPT_DONE.with([&name, &self.assigned]);
        };
        let why = match self.complaints.len() {
            1 => first.to_string(),
            count => format!("{first}, and {} more", count - 1),
        };
        messages::SCRIPT_FAILED.with([&name, &why])
    }
}

impl Script {
    /// Commits the assignments, waiting for the disk, and gives back what is
    /// left: the operations, for when there are engines. For the device's
    /// start; `at` is in seconds since 1970, 0 while unknown.
    pub fn start(self, tree: &Tree, actor: Actor, at: u64) -> (Report, Self) {
        let (assignments, calls) = self
            .entries
            .into_iter()
            .partition(|entry| matches!(entry.act, Act::Assign(..)));
        let rest = Self {
            mode: self.mode,
            entries: calls,
        };
        let first = Self {
            mode: self.mode,
            entries: assignments,
        };
        let mut run = Run::new(first, actor);
        while let Some(Step::Commit(txn)) = run.step() {
            run.committed(tree.commit_and_wait(txn, at));
        }
        (run.report(), rest)
    }
}

/// Why an operation was not done, in one word for programs.
pub fn operation_word(error: &OperationError) -> &'static str {
    match error {
        OperationError::Unknown(..) => "noSuchOperation",
        OperationError::NoAccess(_) => "noAccess",
        OperationError::UnknownArgument(..) | OperationError::MissingArgument(..) => {
            "wrongArgument"
        }
        OperationError::Failed(_) => "failed",
    }
}

/// One step of all assignments, then one for each operation.
fn all_or_nothing(entries: Vec<Entry>) -> VecDeque<Vec<Entry>> {
    let (assignments, calls): (Vec<Entry>, Vec<Entry>) = entries
        .into_iter()
        .partition(|entry| matches!(entry.act, Act::Assign(..)));
    let mut steps = VecDeque::new();
    if !assignments.is_empty() {
        steps.push_back(assignments);
    }
    steps.extend(calls.into_iter().map(|call| vec![call]));
    steps
}

fn unknown(place: Place, call: &Call, offered: &[&Operation]) -> Complaint {
    let names: Vec<&str> = offered.iter().map(|operation| operation.name).collect();
    let error = OperationError::Unknown(call.operation.clone(), names.join(", "));
    let word = operation_word(&error);
    Complaint::new(place, call.operation.clone(), word, &error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Index, Value, hoc};
    use crate::tree::Rights;

    static GREET: Operation = Operation {
        name: "Scm.Greet",
        arguments: &[],
        rights: Rights::User,
        help: "Greets.",
    };

    /// Runs a script; operations answer their name, except those called Scm.Greet Fail=1.
    fn run(tree: &Tree, text: &str) -> Report {
        let script = Script::parse(text).expect("well-formed");
        let mut run = Run::new(script, Actor::local());
        run.check(&[&GREET]);
        while let Some(step) = run.step() {
            match step {
                Step::Commit(txn) => run.committed(tree.commit_and_wait(txn, 0)),
                Step::Invoke(_, call) if call.arguments.is_empty() => {
                    run.answered(Ok(format!("did {}", call.operation)));
                }
                Step::Invoke(..) => {
                    run.answered(Err(OperationError::Failed("no".to_owned())));
                }
            }
        }
        run.report()
    }

    fn name(tree: &Tree) -> Option<Value> {
        let snapshot = tree.snapshot();
        snapshot
            .cell(hoc::SYSTEM_NAME.id(), &Index::scalar())
            .cloned()
    }

    fn complaints(report: &Report) -> Vec<String> {
        report.complaints.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn all_assignments_are_one_transaction_and_operations_come_after_it() {
        let tree = Tree::in_memory();
        let report = run(&tree, "Hoc.SystemName=a\nScm.Greet\nHoc.SystemContact=b\n");
        assert_eq!((report.assigned, report.version), (2, Some(1)));
        let answer = ("Scm.Greet".to_owned(), "did Scm.Greet".to_owned());
        assert_eq!(report.answers, [answer]);
    }

    #[test]
    fn how_a_script_went_is_a_log_record() {
        let tree = Tree::in_memory();
        let done = run(&tree, "Hoc.SystemName=a\nScm.Greet\n").notice("site.script");
        assert_eq!(done.text, "script site.script done, assignments: 1");
        let script = "Conf.ScriptMode=continue\nHoc.SntpSynchronizationPeriod=0\nScm.Nope\nScm.Greet Fail=1\n";
        assert_eq!(
            run(&tree, script).notice("").text,
            "script without a name failed: Hoc.SntpSynchronizationPeriod: wrong value, it takes a number 1..1440 (line 2), and 1 more"
        );
    }

    #[test]
    fn a_refusal_leaves_the_tree_as_it_was_and_names_the_line() {
        let tree = Tree::in_memory();
        let report = run(
            &tree,
            "Hoc.SystemName=a\n\nHoc.SntpSynchronizationPeriod=0\nScm.Greet\n",
        );
        assert_eq!(
            complaints(&report),
            ["Hoc.SntpSynchronizationPeriod: wrong value, it takes a number 1..1440 (line 3)"]
        );
        assert_eq!(report.assigned, 0);
        assert!(report.answers.is_empty());
        assert_eq!(name(&tree), Some(Value::from("")));
    }

    #[test]
    fn in_continue_mode_each_line_stands_for_itself() {
        let tree = Tree::in_memory();
        let report = run(
            &tree,
            "Conf.ScriptMode=continue\nHoc.SntpSynchronizationPeriod=0\nHoc.SystemName=a\nScm.Greet Fail=1\nScm.Nope\nScm.Greet\n",
        );
        assert_eq!((report.assigned, report.answers.len()), (1, 2));
        assert_eq!(
            complaints(&report),
            [
                "Hoc.SntpSynchronizationPeriod: wrong value, it takes a number 1..1440 (line 2)",
                "Scm.Greet: no (line 4)",
            ]
        );
        assert_eq!(name(&tree), Some(Value::from("a")));
    }

    #[test]
    fn an_unknown_operation_is_refused_before_anything_is_changed() {
        let tree = Tree::in_memory();
        let report = run(&tree, "Hoc.SystemName=a\nScm.Nope\n");
        assert_eq!(
            complaints(&report),
            ["Scm.Nope: there is no operation \"Scm.Nope\"; there are Scm.Greet (line 2)"]
        );
        assert_eq!(tree.snapshot().version(), 0);
    }

    #[test]
    fn a_start_commits_and_leaves_the_operations_for_later() {
        let tree = Tree::in_memory();
        let mut script = Script::parse("Hoc.SystemName=a\nScm.Greet\n").expect("well-formed");
        let settings = Script::of_settings(&["Hoc.SystemName=b".to_owned()]);
        script.append(settings.expect("well-formed"));
        let (report, rest) = script.start(&tree, Actor::device(), 0);
        assert_eq!((report.assigned, report.version), (2, Some(1)));
        assert_eq!(name(&tree), Some(Value::from("b")));
        assert_eq!(rest.calls().count(), 1);
        assert_eq!(rest.entries.len(), 1);
    }
}
