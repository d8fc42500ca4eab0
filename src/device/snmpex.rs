//! Operations over SNMP: a SET of snmpExCommand runs a line of script, and
//! snmpExLastResult tells how it went.

use super::settled::Follower;
use super::system::TimeOfDay;
use crate::north::script::{Report, Run, Script, Step};
use crate::schema::{ColumnId, Value, snmp_ex};
use crate::tree::{Actor, Command, OperationError, Outcome, Refusal, Tree};
use tokio::sync::oneshot;

pub(super) fn claims() -> Vec<ColumnId> {
    vec![snmp_ex::COMMAND.id()]
}

pub(super) async fn run(tree: Tree, time: TimeOfDay) {
    let follower = Follower::new(&tree, &claims());
    tree.live()
        .publish(|live| live.scalar(snmp_ex::LAST_RESULT, ""));
    loop {
        for command in follower.next().await {
            let Command {
                argument: Value::Octets(text),
                actor,
                ..
            } = command
            else {
                continue;
            };
            let text = String::from_utf8_lossy(&text).into_owned();
            let at = time().map_or(0, |time| time.secs());
            let mut result = execute(&tree, actor, &text, at).await;
            result.truncate(result.floor_char_boundary(LONGEST));
            tree.live()
                .publish(|live| live.scalar(snmp_ex::LAST_RESULT, result));
        }
    }
}

/// What fits one answer of an SNMP agent beside its envelope.
const LONGEST: usize = 1024;

/// Runs a line of script; its answers or its complaints, a line each.
async fn execute(tree: &Tree, actor: Actor, text: &str, at: u64) -> String {
    let script = match Script::parse(text) {
        Ok(script) => script,
        Err(faults) => return lines(&faults),
    };
    let report = run_script(tree, actor, script, at).await;
    tree.notify(&report.notice("SnmpEx.Command"));
    if !report.complaints.is_empty() {
        return lines(&report.complaints);
    }
    let answers = report.answers.into_iter().map(|(_, answer)| answer);
    std::iter::once("done".to_owned())
        .chain(answers)
        .collect::<Vec<_>>()
        .join("\n")
}

/// Runs a script to its end.
pub(super) async fn run_script(tree: &Tree, actor: Actor, script: Script, at: u64) -> Report {
    let mut run = Run::new(script, actor);
    run.check(&tree.operations());
    while let Some(step) = run.step() {
        match step {
            Step::Commit(txn) => {
                let (done, outcome) = oneshot::channel::<Outcome>();
                tree.commit(txn, at, move |outcome| {
                    let _ = done.send(outcome);
                });
                let closed = |_| Err(vec![Refusal::unavailable("the store is closed")]);
                run.committed(outcome.await.unwrap_or_else(closed));
            }
            Step::Invoke(actor, call) => {
                let (done, outcome) = oneshot::channel();
                let answer = Box::new(move |outcome| {
                    let _ = done.send(outcome);
                });
                tree.invoke(actor, &call.operation, &call.arguments, None, answer);
                let closed = |_| Err(OperationError::Failed("it was dropped".to_owned()));
                run.answered(outcome.await.unwrap_or_else(closed));
            }
        }
    }
    run.report()
}

fn lines<T: std::fmt::Display>(items: &[T]) -> String {
    items
        .iter()
        .map(T::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}
