//! What differs between two versions of the configuration.
//!
//! For `demarc diff`, which compares with the profile. Secrets differ as
//! such: that they do is told, what they are is not.

use crate::schema::{self, Column, ColumnId, Index, Name, Role, RowLife, TableId, Value};
use crate::tree::{Row, RowState, Snapshot};
use std::collections::BTreeSet;
use std::fmt;

/// One object that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which one.
    pub object: Name,
    /// Its value before, as a script writes it; none where its row was not there.
    pub was: Option<String>,
    /// Its value now; none where its row is gone.
    pub is: Option<String>,
}

/// Every object whose value differs, leaders before followers, else in order of OID.
///
/// Of a row that came or went, the cells that differ from their defaults are
/// told, and at least one.
pub fn diff(before: &Snapshot, now: &Snapshot) -> Vec<Difference> {
    let mut differences = Vec::new();
    for table in tables() {
        let keys = |snapshot: &Snapshot| -> Vec<Index> {
            let rows = snapshot.rows(table).iter();
            rows.map(|(index, _)| index.clone()).collect()
        };
        let all: BTreeSet<Index> = keys(before).into_iter().chain(keys(now)).collect();
        for index in all {
            let (was, is) = (before.row(table, &index), now.row(table, &index));
            if was != is {
                compare(table, &index, was, is, &mut differences);
            }
        }
    }
    differences
}

/// The tables that are stored: a leader before its followers, else in order of OID.
pub(super) fn tables() -> Vec<TableId> {
    let mut tables: Vec<TableId> = schema::tables()
        .filter(|(_, table)| !matches!(table.rows, RowLife::Live | RowLife::Kept))
        .map(|(id, _)| id)
        .collect();
    tables.sort_by_key(|table| (depth(*table), table.get().columns.first().copied()));
    tables
}

/// The columns of a table that are settings, with their slots: an advisory
/// lock of managers (RFC 2579 TestAndIncr) is stored and is none.
pub(super) fn stored(
    table: TableId,
) -> impl Iterator<Item = (ColumnId, &'static Column, u8)> + Clone {
    table.get().columns.iter().filter_map(|column| {
        let object = column.get();
        match object.role {
            Role::Stored(slot) if object.writable && object.syntax.format != "TestAndIncr" => {
                Some((*column, object, slot))
            }
            _ => None,
        }
    })
}

/// The column that shows a row's state, where the table has one.
pub(super) fn status(table: TableId) -> Option<ColumnId> {
    let mut columns = table.get().columns.iter().copied();
    columns.find(|column| column.get().role == Role::RowStatus)
}

fn depth(table: TableId) -> usize {
    let mut depth = 0;
    let mut here = table;
    while let RowLife::Follow(leader) = here.get().rows {
        here = leader;
        depth += 1;
    }
    depth
}

fn compare(
    table: TableId,
    index: &Index,
    was: Option<&Row>,
    is: Option<&Row>,
    differences: &mut Vec<Difference>,
) {
    let before = differences.len();
    let initial = Row::initial(table);
    let other = |row: Option<&Row>, slot| {
        let row = row.unwrap_or(&initial);
        row.cell(slot).cloned()
    };
    for (column, object, slot) in stored(table) {
        let (old, new) = (other(was, slot), other(is, slot));
        if old != new {
            differences.push(Difference {
                object: name(column, index),
                was: was.and(old.as_ref()).map(|value| shown(object, value)),
                is: is.and(new.as_ref()).map(|value| shown(object, value)),
            });
        }
    }
    if let Some(column) = status(table) {
        let state = |row: Option<&Row>| row.map(|row| row.state);
        if state(was) != state(is) {
            differences.push(Difference {
                object: name(column, index),
                was: state(was).map(|state| state_text(column, state)),
                is: state(is).map(|state| state_text(column, state)),
            });
        }
    }
    let free = table.get().rows == RowLife::Free;
    if free && was.is_some() != is.is_some() && differences.len() == before {
        let Some((column, object, slot)) = stored(table).next() else {
            return;
        };
        let text = |row: Option<&Row>| {
            let value = row?.cell(slot)?;
            Some(shown(object, value))
        };
        differences.push(Difference {
            object: name(column, index),
            was: text(was),
            is: text(is),
        });
    }
}

fn name(column: ColumnId, index: &Index) -> Name {
    Name {
        column,
        index: index.clone(),
    }
}

fn shown(object: &Column, value: &Value) -> String {
    match object.secret {
        true => SECRET.to_owned(),
        false => value.script(&object.syntax),
    }
}

fn state_text(column: ColumnId, state: RowState) -> String {
    Value::Integer(state.number()).script(&column.get().syntax)
}

const SECRET: &str = "(secret)";

impl fmt::Display for Difference {
    /// A line with `-` for what was and one with `+` for what is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = [("-", &self.was), ("+", &self.is)];
        let lines = lines.into_iter().filter_map(|(sign, value)| {
            let value = value.as_ref()?;
            Some(format!("{sign} {}={value}", self.object))
        });
        f.write_str(&lines.collect::<Vec<_>>().join("\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::script::{Act, Script};
    use crate::tree::{Actor, Transaction, Tree};

    fn changed(tree: &Tree, script: &str) {
        let mut txn = Transaction::new(Actor::device());
        for entry in Script::parse(script).expect("well-formed").entries {
            let Act::Assign(name, value) = entry.act else {
                panic!("only assignments here");
            };
            txn.assign(name, value);
        }
        tree.commit_and_wait(txn, 0).expect("granted");
    }

    fn lines(before: &Snapshot, now: &Snapshot) -> Vec<String> {
        let differences = diff(before, now);
        let text: Vec<String> = differences.iter().map(ToString::to_string).collect();
        text.join("\n").lines().map(str::to_owned).collect()
    }

    #[test]
    fn changes_additions_and_removals_are_told_by_name() {
        let tree = Tree::in_memory();
        changed(
            &tree,
            "Hoc.SystemName=old\nHoc.StaticHosts[Index=1].Name=gone\nHoc.StaticHosts[Index=2].Name=stays\n",
        );
        let before = tree.snapshot();
        changed(
            &tree,
            "Hoc.SystemName=new\nHoc.StaticHosts[Index=1].Delete=delete\nHoc.StaticHosts[Index=3].Name=\"\"\n",
        );
        assert_eq!(
            lines(&before, &tree.snapshot()),
            [
                "- Hoc.SystemName=\"old\"",
                "+ Hoc.SystemName=\"new\"",
                "- Hoc.StaticHosts[Index=1].Name=\"gone\"",
                "+ Hoc.StaticHosts[Index=3].Name=\"\"",
            ]
        );
    }

    #[test]
    fn a_secret_is_told_to_differ_and_not_shown() {
        let tree = Tree::in_memory();
        let before = tree.snapshot();
        changed(&tree, "Aaa.Users[UserName=admin].Password=xyzzy\n");
        let lines = lines(&before, &tree.snapshot());
        assert_eq!(lines, ["+ Aaa.Users[UserName=admin].Password=(secret)"]);
    }

    #[test]
    fn a_version_does_not_differ_from_itself() {
        let tree = Tree::in_memory();
        assert!(diff(&tree.snapshot(), &tree.snapshot()).is_empty());
    }
}
