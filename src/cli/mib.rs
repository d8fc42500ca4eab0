//! What the MIB says: of an object, or all of it as files for a manager.

use super::args::{Mib, Shared};
use super::ask::say;
use super::complete;
use super::failure::Failure;
use super::pages;
use crate::north::local::Refused;
use crate::schema::{Column, ColumnId, MODULES, Role, RowLife, Selection, dotted};
use serde_json::{Map, Value, json};
use std::fs;
use std::io::Write;
use std::path::Path;

pub(super) fn mib(arguments: &Mib, shared: &Shared, out: &mut dyn Write) -> Result<(), Failure> {
    if arguments.list {
        return pages::objects(out);
    }
    match (&arguments.export, arguments.names_begin) {
        (Some(folder), _) => export(folder, out),
        (None, true) => {
            let word = arguments.names.first().map_or("", String::as_str);
            complete::names(word, shared, out)
        }
        (None, false) => explain(&arguments.names, shared.json, out),
    }
}

/// Writes each module as `<NAME>.mib`.
fn export(folder: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| Failure::File(folder.to_owned(), error))?;
    for (name, text) in MODULES {
        let path = folder.join(format!("{name}.mib"));
        fs::write(&path, text).map_err(|error| Failure::File(path.clone(), error))?;
    }
    let (count, folder) = (MODULES.len(), folder.display());
    say(out, format!("{count} modules written to {folder}"))
}

fn explain(names: &[String], json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let mut columns = Vec::new();
    let mut refused = Vec::new();
    for name in names {
        match Selection::parse(name) {
            Ok(selection) => columns.extend(selection.columns().0),
            Err(error) => refused.push(Refused::name(name, &error)),
        }
    }
    if !refused.is_empty() {
        return Err(Failure::Refused(refused));
    }
    if json {
        let all: Map<String, Value> = columns
            .iter()
            .map(|id| (pattern(*id), as_json(id.get())))
            .collect();
        return say(out, json!(all));
    }
    for (at, id) in columns.iter().enumerate() {
        if at > 0 {
            say(out, "")?;
        }
        as_text(*id).iter().try_for_each(|line| say(out, line))?;
    }
    Ok(())
}

fn as_text(id: ColumnId) -> Vec<String> {
    let column = id.get();
    let mut lines = vec![
        pattern(id),
        format!("    {}", syntax(column)),
        format!("    {}", access(column)),
    ];
    if let Some(default) = default(column) {
        lines.push(format!("    default {default}"));
    }
    lines.push(format!("    OID {}", oid(column)));
    lines.extend(wrapped(column.description, 72).map(|line| format!("    {line}")));
    lines
}

fn as_json(column: &Column) -> Value {
    let labels = column.syntax.labels.iter();
    let labels: Map<String, Value> = labels
        .map(|(label, number)| ((*label).to_owned(), json!(number)))
        .collect();
    json!({
        "object": column.name,
        "oid": oid(column),
        "syntax": syntax(column),
        "labels": labels,
        "writable": column.writable,
        "secret": column.secret,
        "default": default(column),
        "units": column.units,
        "description": column.description,
    })
}

/// The name with its indexes to be filled in.
fn pattern(id: ColumnId) -> String {
    let column = id.get();
    let table = column.table.get();
    let service = table.service.get().name;
    if table.rows == RowLife::Scalar {
        return format!("{service}.{}", column.short);
    }
    let indexes = table.indexes.iter();
    let keys: Vec<String> = indexes
        .map(|index| format!("{}=...", index.get().short))
        .collect();
    let keys = keys.join(",");
    format!("{service}.{}[{keys}].{}", table.short, column.short)
}

pub(super) fn oid(column: &Column) -> String {
    let scalar = column.table.get().rows == RowLife::Scalar;
    let instance = if scalar { ".0" } else { "" };
    format!("{}{instance}", dotted(column.oid))
}

pub(super) fn syntax(column: &Column) -> String {
    let mut text = column.syntax.expectation();
    if !column.units.is_empty() {
        text.push_str(&format!(", in {}", column.units));
    }
    text
}

pub(super) fn access(column: &Column) -> &'static str {
    match column.role {
        Role::Index => "read-only, part of the row's key",
        Role::Command(_) => "a command: reads noOp",
        Role::RowStatus => "read-write, the state of the row (RFC 2579)",
        Role::Input => "written only: reads as \"\"",
        _ if column.secret => "a secret: written only, reads as \"\"",
        _ if column.writable => "read-write",
        Role::Stored(_) | Role::Alias(_) | Role::Live(_) => "read-only",
    }
}

/// A command's noOp and a status have no default worth telling.
pub(super) fn default(column: &Column) -> Option<String> {
    let stored = matches!(column.role, Role::Stored(_)) && !column.secret;
    let value = column.default_value().filter(|_| stored)?;
    Some(value.script(&column.syntax))
}

/// Lines of at most `width` letters, broken at spaces.
pub(super) fn wrapped(text: &str, width: usize) -> impl Iterator<Item = String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + word.len() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema;

    fn explained(name: &str, json: bool) -> Result<String, Failure> {
        let mut out = Vec::new();
        explain(&[name.to_owned()], json, &mut out)?;
        Ok(String::from_utf8(out).expect("text"))
    }

    #[test]
    fn an_object_is_explained_with_syntax_access_default_and_oid() {
        let text = explained("sipep.transportConfig.tlsEnable", false).expect("it is there");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[..4],
            [
                "SipEp.TransportConfig[GatewayName=...].TlsEnable",
                "    one of disable(0), enable(1)",
                "    read-write",
                "    default disable",
            ]
        );
        assert!(lines[4].starts_with("    OID 1.3.6.1.4.1.4935."));
        assert!(lines.len() > 5 && lines.iter().all(|line| line.len() <= 80));
    }

    #[test]
    fn a_row_and_an_oid_name_their_objects_too() {
        let row = "SipEp.TransportConfig[GatewayName=x]";
        assert!(
            explained(row, false)
                .expect("columns")
                .contains(".UdpEnable\n")
        );
        let json = explained("1.3.6.1.4.1.4935", true).expect("many");
        let all: Map<String, Value> = serde_json::from_str(&json).expect("JSON");
        assert!(all.len() > 100 && all.len() <= schema::columns().count());
        assert_eq!(all["Hoc.SystemName"]["writable"], true);
    }

    #[test]
    fn what_is_not_there_is_refused_with_a_hint() {
        let refused = explained("Hoc.Contact", false).expect_err("no such object");
        assert_eq!(refused.status(), 1);
    }

    #[test]
    fn every_object_can_be_explained() {
        for (id, column) in schema::columns() {
            assert!(as_text(id).len() >= 4, "{}", column.name);
        }
    }
}
