//! The reference pages of `docs/`, written by the program that they describe.
//!
//! Nothing here is told twice: the messages come from the registry, the
//! objects from the MIB. `demarc log --list` and `demarc mib --list` print the
//! pages, and a test compares the files with them.

use super::ask::say;
use super::failure::Failure;
use super::mib;
use crate::schema::{self, Column, ColumnId, RowLife};
use crate::tree::messages::REGISTRY;
use crate::tree::notice::Kind;
use serde_json::json;
use std::io::Write;

/// Every message that a device can log.
pub(super) fn messages(json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    if json {
        let all: Vec<_> = REGISTRY.iter().map(message_as_json).collect();
        return say(out, json!(all));
    }
    say(
        out,
        "# Messages

What a device can log, printed by `demarc log --list`. A message is logged
where its severity is at least the `MinSeverity` of its service, by default
warning. The id is that of the local log and the MSGID of syslog (RFC 5424);
words in braces are filled in.

| id | service | severity | text |
|---|---|---|---|",
    )?;
    REGISTRY.iter().try_for_each(|kind| {
        let Kind {
            service,
            severity,
            template,
            ..
        } = kind;
        say(
            out,
            format!(
                "| {} | {service} | {severity} | {} |",
                id(kind),
                cell(template)
            ),
        )
    })
}

/// Every object of the MIB, a table for each service.
pub(super) fn objects(out: &mut dyn Write) -> Result<(), Failure> {
    say(
        out,
        "# Objects

What a device can be told and asked, printed by `demarc mib --list`;
`demarc mib NAME` says all about one object, `demarc mib --export DIR` writes
the modules. Where a name has brackets, a row's key goes into them, and behind
the OID; a scalar's OID is complete.",
    )?;
    for (service, about) in schema::services() {
        let all = schema::columns().filter(|(_, column)| column.table.get().service == service);
        let mut all = all.peekable();
        if all.peek().is_none() {
            continue;
        }
        say(
            out,
            format!("\n## {}\n\n{}\n", about.name, about.description),
        )?;
        say(
            out,
            "| object | type | access, default | OID | |\n|---|---|---|---|---|",
        )?;
        for (id, column) in all {
            say(out, object(id, column))?;
        }
    }
    Ok(())
}

fn object(id: ColumnId, column: &Column) -> String {
    let access = match mib::default(column) {
        Some(default) => format!("{}, `{default}`", mib::access(column)),
        None => mib::access(column).to_owned(),
    };
    format!(
        "| `{}` | {} | {} | {} | {} |",
        name(id),
        cell(&mib::syntax(column)),
        cell(&access),
        mib::oid(column),
        cell(first_sentence(column.description)),
    )
}

/// Short: the keys stand at the objects that are their indexes.
fn name(id: ColumnId) -> String {
    let column = id.get();
    let table = column.table.get();
    match table.rows == RowLife::Scalar {
        true => column.short.to_owned(),
        false => format!("{}[].{}", table.short, column.short),
    }
}

fn id(kind: &Kind) -> String {
    format!("{}.{}", kind.service.number(), kind.id)
}

fn message_as_json(kind: &Kind) -> serde_json::Value {
    json!({
        "id": id(kind),
        "service": kind.service.name(),
        "severity": kind.severity.to_string(),
        "text": kind.template,
    })
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Up to the first full stop that ends a sentence.
fn first_sentence(text: &str) -> &str {
    let mut stops = text.match_indices(". ").map(|(at, _)| at);
    let end = stops.find(|at| !text[..*at].ends_with("e.g"));
    end.map_or(text, |at| &text[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(print: impl Fn(&mut dyn Write) -> Result<(), Failure>) -> String {
        let mut out = Vec::new();
        print(&mut out).expect("written");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn docs_messages_is_what_demarc_log_list_prints() {
        assert!(
            page(|out| messages(false, out)) == include_str!("../../docs/messages.md"),
            "docs/messages.md is stale: cargo run -- log --list > docs/messages.md"
        );
    }

    #[test]
    fn docs_objects_is_what_demarc_mib_list_prints() {
        assert!(
            page(objects) == include_str!("../../docs/objects.md"),
            "docs/objects.md is stale: cargo run -- mib --list > docs/objects.md"
        );
    }

    #[test]
    fn every_message_and_every_object_has_its_line() {
        let lines = |page: String| page.lines().filter(|line| line.starts_with("| ")).count();
        assert_eq!(lines(page(|out| messages(false, out))), REGISTRY.len() + 1);
        let services = page(objects).matches("\n## ").count();
        let objects = lines(page(objects));
        assert_eq!(objects, schema::columns().count() + services);
    }

    #[test]
    fn a_program_gets_the_messages_as_json() {
        let text = page(|out| messages(true, out));
        let all: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        assert_eq!(all.len(), REGISTRY.len());
        assert!(all.iter().all(|one| one["text"].is_string()));
    }

    #[test]
    fn the_first_sentence_ends_at_a_full_stop() {
        assert_eq!(first_sentence("One. Two."), "One.");
        assert_eq!(first_sentence("Only one, e.g. this"), "Only one, e.g. this");
    }
}
