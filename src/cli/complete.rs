//! Completion: of verbs by clap, of names by the schema.
//!
//! The shell's function asks `demarc mib --names WORD`. Keys of rows come
//! from the device that runs on the data folder; without one there are none.

use super::args::{Cli, Shared};
use super::ask::{Ask, say};
use super::failure::Failure;
use crate::schema::{
    ColumnId, Name, RowLife, Selection, TableId, columns, row_name, services, tables,
};
use clap::CommandFactory;
use clap_complete::Shell;
use std::collections::BTreeSet;
use std::io::Write;

const BASH: &str = include_str!("complete/names.bash");
const ZSH: &str = include_str!("complete/names.zsh");
const FISH: &str = include_str!("complete/names.fish");

/// Writes a shell's completion script.
pub(super) fn script(shell: Shell, out: &mut dyn Write) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "demarc", &mut text);
    let text = String::from_utf8_lossy(&text);
    let whole = match shell {
        Shell::Bash => format!("{text}{BASH}"),
        Shell::Zsh => with_names(&text),
        Shell::Fish => format!("{text}{FISH}"),
        _ => text.into_owned(),
    };
    out.write_all(whole.as_bytes()).map_err(Failure::Output)
}

/// The function has to stand before the end of the script, which runs it.
fn with_names(text: &str) -> String {
    let takes_names = |line: &&str| {
        ["::names -- ", "::assignments -- ", "::name -- "]
            .iter()
            .any(|argument| line.contains(argument))
    };
    let lines = text.lines().map(|line| match takes_names(&line) {
        true => line.replace(":_default'", ":_demarc_names'"),
        false => line.to_owned(),
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    match text.rsplit_once("\nif [ \"$funcstack") {
        Some((before, end)) => format!("{before}{ZSH}\nif [ \"$funcstack{end}\n"),
        None => format!("{text}\n{ZSH}"),
    }
}

/// Prints what a word may become, one a line.
pub(super) fn names(word: &str, shared: &Shared, out: &mut dyn Write) -> Result<(), Failure> {
    for name in continued(word, |table| keys(table, shared)) {
        say(out, name)?;
    }
    Ok(())
}

/// `Service.Table[Index=key]` for each row of a running device's table.
fn keys(table: TableId, shared: &Shared) -> BTreeSet<String> {
    let whole = format!("{}.{}", table.get().service.get().name, table.get().short);
    let cells = Ask::connect(shared).and_then(|mut ask| ask.cells(&whole));
    let rows = cells.unwrap_or_default().into_iter();
    rows.map(|(name, _)| row_name(table, &name.index)).collect()
}

/// What a word may become; `rows` names the rows of a table.
fn continued(word: &str, rows: impl Fn(TableId) -> BTreeSet<String>) -> Vec<String> {
    if let Some((name, label)) = assigned(word) {
        return labels(name, label);
    }
    let begins = |name: &String| {
        let head = name.get(..word.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(word))
    };
    let all: BTreeSet<String> = match (word.split_once('['), word.rsplit_once("].")) {
        (Some(_), Some((row, _))) => columns_of(&format!("{row}]")),
        (Some((table, _)), None) => table_named(table).map(rows).unwrap_or_default(),
        (None, _) if word.contains('.') => objects(),
        (None, _) => services()
            .map(|(_, one)| format!("{}.", one.name))
            .collect(),
    };
    all.into_iter().filter(begins).collect()
}

/// The name and the beginning of a value behind a `=` outside brackets.
fn assigned(word: &str) -> Option<(&str, &str)> {
    let behind = word.rfind(']').unwrap_or_default();
    let at = behind + word[behind..].find('=')?;
    let open = word[..at].matches('[').count() > word[..at].matches(']').count();
    (!open).then(|| (&word[..at], &word[at + 1..]))
}

fn labels(name: &str, begun: &str) -> Vec<String> {
    let Ok(parsed) = Name::parse(name) else {
        return Vec::new();
    };
    let labels = parsed.column.get().syntax.labels.iter();
    labels
        .filter(|(label, _)| label.starts_with(begun))
        .map(|(label, _)| format!("{name}={label}"))
        .collect()
}

fn columns_of(row: &str) -> BTreeSet<String> {
    let Ok(Selection::Row(table, _)) = Selection::parse(row) else {
        return BTreeSet::new();
    };
    let columns = table.get().columns.iter();
    columns
        .map(|column| format!("{row}.{}", column.get().short))
        .collect()
}

fn table_named(text: &str) -> Option<TableId> {
    let (service, short) = text.split_once('.')?;
    let found = tables().find(|(_, table)| {
        table.short.eq_ignore_ascii_case(short)
            && table.service.get().name.eq_ignore_ascii_case(service)
    });
    found.map(|(id, _)| id)
}

/// Scalars whole, tables up to their first key.
fn objects() -> BTreeSet<String> {
    let named = |(_, column): (ColumnId, &crate::schema::Column)| {
        let table = column.table.get();
        let service = table.service.get().name;
        match (table.rows, table.indexes.first()) {
            (RowLife::Scalar, _) => Some(format!("{service}.{}", column.short)),
            (_, Some(index)) => Some(format!("{service}.{}[{}=", table.short, index.get().short)),
            (_, None) => None,
        }
    };
    columns().filter_map(named).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(word: &str) -> Vec<String> {
        continued(word, |table| {
            let row = row_name(table, &crate::schema::Index::text("default"));
            BTreeSet::from([row])
        })
    }

    #[test]
    fn a_word_grows_from_the_service_to_the_value() {
        assert!(found("").contains(&"SipEp.".to_owned()));
        assert_eq!(found("ho"), ["Hoc."]);
        assert_eq!(found("hoc.systemn"), ["Hoc.SystemName"]);
        assert_eq!(
            found("SipEp.TransportCo"),
            ["SipEp.TransportConfig[GatewayName="]
        );
        let row = "SipEp.TransportConfig[GatewayName=default]";
        assert_eq!(found("SipEp.TransportConfig[GatewayName="), [row]);
        assert_eq!(found(&format!("{row}.TlsE")), [format!("{row}.TlsEnable")]);
        assert_eq!(
            found(&format!("{row}.TlsEnable=e")),
            [format!("{row}.TlsEnable=enable")]
        );
    }

    #[test]
    fn nonsense_is_continued_by_nothing() {
        for word in [
            "Nope.",
            "Hoc.Nope[",
            "[",
            "]",
            "=",
            "Hoc.SystemName=",
            "a[b=c].d=e",
            "é[",
        ] {
            assert!(found(word).is_empty(), "{word}");
        }
    }

    #[test]
    fn each_shell_asks_for_names() {
        for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
            let mut text = Vec::new();
            script(shell, &mut text).expect("written");
            let text = String::from_utf8(text).expect("text");
            assert!(text.contains("mib --names"), "{shell}");
        }
        let mut zsh = Vec::new();
        script(Shell::Zsh, &mut zsh).expect("written");
        let zsh = String::from_utf8(zsh).expect("text");
        assert_eq!(zsh.matches(":_demarc_names'").count(), 4);
        assert!(zsh.find("_demarc_names() {") < zsh.rfind("compdef _demarc"));
    }
}
