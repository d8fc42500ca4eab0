//! Values, scripts and operations: asked for, and printed as scripts write them.

use super::args::{self, Invoke};
use super::ask::{Ask, say};
use super::failure::Failure;
use crate::north::local::{Answer, ArgumentHelp, Cell, OperationHelp, Request, Wish};
use crate::north::script::assignment;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

pub(super) fn get(
    ask: &mut Ask,
    names: Vec<String>,
    oid: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    print(ask, &Request::Get { names }, oid, out)
}

pub(super) fn walk(
    ask: &mut Ask,
    name: String,
    oid: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    print(ask, &Request::Walk { name }, oid, out)
}

pub(super) fn set(
    ask: &mut Ask,
    assignments: &[String],
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let wishes = assignments.iter().map(|text| match assignment(text) {
        Some((name, value)) => Ok(Wish {
            name: name.to_owned(),
            value: value.to_owned(),
        }),
        None => Err(Failure::Usage(format!("{text}: write NAME=VALUE"))),
    });
    let values = wishes.collect::<Result<_, _>>()?;
    let json = ask.json;
    ask.each(&Request::Set { values }, |answer| match json {
        true => say(out, json!(answer)),
        false => Ok(()),
    })
}

pub(super) fn script(ask: &mut Ask, file: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    let text = args::text(file)?;
    let name = file.file_name().unwrap_or_default();
    let name = name.to_string_lossy().into_owned();
    let json = ask.json;
    ask.each(&Request::Script { text, name }, |answer| {
        let Answer::Script(report) = answer else {
            return Ok(());
        };
        match json {
            true if report.refused.is_empty() => say(out, json!(report))?,
            true => {}
            false => report.answers.iter().try_for_each(|line| say(out, line))?,
        }
        match report.refused.is_empty() {
            true => Ok(()),
            false => Err(Failure::Refused(report.refused)),
        }
    })
}

pub(super) fn export(ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    let script = ask.text(&Request::Export)?;
    match ask.json {
        true => say(out, json!({ "script": script })),
        false => write!(out, "{script}").map_err(Failure::Output),
    }
}

pub(super) fn diff(ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    let text = ask.text(&Request::Diff)?;
    if !ask.json {
        return text.lines().try_for_each(|line| say(out, line));
    }
    let signed = |sign| -> Vec<&str> {
        text.lines()
            .filter_map(|line| line.strip_prefix(sign))
            .collect()
    };
    let differences = json!({ "removed": signed("- "), "added": signed("+ ") });
    say(out, differences)
}

pub(super) fn invoke(ask: &mut Ask, invoke: Invoke, out: &mut dyn Write) -> Result<(), Failure> {
    let args: Result<BTreeMap<String, String>, Failure> = invoke
        .arguments
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(Failure::Usage(format!("{text}: write NAME=VALUE"))),
        })
        .collect();
    let file = invoke.file.as_deref().map(args::octets).transpose()?;
    let request = Request::Invoke {
        operation: invoke.operation,
        args: args?,
        blob: file.map(|octets| STANDARD.encode(octets)),
    };
    answer(ask, &request, out)
}

/// Prints the answer of an operation.
pub(super) fn answer(ask: &mut Ask, request: &Request, out: &mut dyn Write) -> Result<(), Failure> {
    let text = ask.text(request)?;
    match ask.json {
        true => say(out, json!({ "answer": text })),
        false if text.is_empty() => Ok(()),
        false => say(out, text),
    }
}

pub(super) fn operations(ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    let json = ask.json;
    ask.each(&Request::Operations, |answer| match answer {
        answer if json => say(out, json!(answer)),
        Answer::Operations(offered) => offered.iter().try_for_each(|one| explain(one, out)),
        _ => Ok(()),
    })
}

fn explain(operation: &OperationHelp, out: &mut dyn Write) -> Result<(), Failure> {
    let given = |argument: &ArgumentHelp| match argument.required {
        true => format!(" {}=...", argument.name),
        false => format!(" [{}=...]", argument.name),
    };
    let arguments: String = operation.arguments.iter().map(given).collect();
    say(out, format!("{}{arguments}", operation.name))?;
    say(out, format!("    {}", operation.help))?;
    operation.arguments.iter().try_for_each(|argument| {
        let line = format!("    {}: {}", argument.name, argument.help);
        say(out, line)
    })
}

fn print(ask: &mut Ask, request: &Request, oid: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if ask.json {
        let values = ask.values(request)?;
        return say(out, json!(values));
    }
    ask.each(request, |answer| {
        let Answer::Values(values) = answer else {
            return Ok(());
        };
        for (name, cell) in values {
            let Ok(cell) = serde_json::from_value::<Cell>(cell) else {
                continue;
            };
            let name = if oid { &cell.oid } else { &name };
            say(out, format!("{name}={}", cell.script()))?;
        }
        Ok(())
    })
}
