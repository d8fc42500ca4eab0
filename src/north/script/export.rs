//! The script that makes the same device again.
//!
//! It may be run on a device fresh from its profile and on one that has only
//! the defaults of the MIB: what either has different is assigned, rows that
//! only the profile has are deleted. Secrets are left out and named.

use super::diff::{status, stored, tables};
use crate::schema::{self, ColumnId, Index, Name, Role, RowLife, TableId, Value};
use crate::tree::{Row, RowState, Snapshot};
use std::collections::BTreeSet;

/// Writes the script for a configuration; `profile` is the state that
/// FactoryReset returns to.
pub fn export(now: &Snapshot, profile: &Snapshot) -> String {
    let mut out = vec![
        format!(
            "# The configuration of a device at version {}.",
            now.version()
        ),
        "# Secrets are not in it; each is named where it belongs.".to_owned(),
    ];
    let mut service = None;
    let mut absent = BTreeSet::new();
    for table in tables() {
        let mut lines = Vec::new();
        for (index, row) in now.rows(table).iter() {
            let at = lines.len();
            let made = row_lines(table, index, row, profile, &mut lines);
            let leader = match table.get().rows {
                RowLife::Follow(leader) => absent.contains(&(leader, index.clone())),
                _ => false,
            };
            if leader {
                set_aside(&mut lines[at..]);
            }
            if leader || !made {
                absent.insert((table, index.clone()));
            }
        }
        let owner = table.get().service;
        if !lines.is_empty() && service.replace(owner) != Some(owner) {
            out.push(String::new());
            out.push(format!("# {}", owner.get().name));
        }
        out.append(&mut lines);
    }
    out.extend(deletions(now, profile));
    out.push(String::new());
    out.join("\n")
}

/// A row that hangs on one which no script can make must not spoil the rest.
fn set_aside(lines: &mut [String]) {
    for line in lines.iter_mut().filter(|line| !line.starts_with('#')) {
        line.insert_str(0, "# ");
    }
}

/// Whether the row is there when the lines have run.
fn row_lines(
    table: TableId,
    index: &Index,
    row: &Row,
    profile: &Snapshot,
    out: &mut Vec<String>,
) -> bool {
    let initial = Row::initial(table);
    let other = profile.row(table, index);
    let mut secrets = Vec::new();
    let at = out.len();
    for (column, object, slot) in stored(table) {
        let cell = row.cell(slot);
        let as_found =
            cell == initial.cell(slot) && other.is_none_or(|other| other.cell(slot) == cell);
        match cell.filter(|_| !as_found) {
            Some(_) if object.secret => secrets.push(column),
            Some(value) => out.push(line(column, index, value)),
            None => {}
        }
    }
    let free = table.get().rows == RowLife::Free;
    let assigned = out.len() > at || free && keep(table, index, row, out);
    out.extend(secrets.into_iter().map(|column| {
        let name = name(column, index);
        format!("# {name} is a secret: set it by hand")
    }));
    if row.state != RowState::Active {
        out.push(inert(table, index, assigned));
    }
    assigned || !free
}

/// A row all of whose cells are as the target has them exists by assigning one of them.
fn keep(table: TableId, index: &Index, row: &Row, out: &mut Vec<String>) -> bool {
    let open = stored(table).find_map(|(column, object, slot)| {
        let value = row.cell(slot).filter(|_| !object.secret)?;
        Some(line(column, index, value))
    });
    let there = open.is_some();
    out.push(open.unwrap_or_else(|| {
        let row = schema::row_name(table, index);
        format!("# {row} has nothing that may be written here: make it by hand")
    }));
    there
}

fn inert(table: TableId, index: &Index, assigned: bool) -> String {
    match status(table) {
        Some(column) if assigned => {
            let waiting = Value::Integer(RowState::NotInService.number());
            line(column, index, &waiting)
        }
        _ => {
            let row = schema::row_name(table, index);
            format!("# {row} is not in use: put it out of use by hand")
        }
    }
}

/// Rows that the profile has and this device does not, last first.
fn deletions(now: &Snapshot, profile: &Snapshot) -> Vec<String> {
    let mut out = Vec::new();
    for table in tables().into_iter().rev() {
        if table.get().rows != RowLife::Free {
            continue;
        }
        for (index, _) in profile.rows(table).iter() {
            if now.row(table, index).is_none() {
                out.push(deletion(table, index));
            }
        }
    }
    if !out.is_empty() {
        let caption = "# Rows of the profile that this device does not have";
        out.splice(0..0, [String::new(), caption.to_owned()]);
    }
    out
}

fn deletion(table: TableId, index: &Index) -> String {
    let mut columns = table.get().columns.iter().copied();
    let delete = columns.find_map(|column| match column.get().role {
        Role::Command(verb) if column.get().short == "Delete" => Some((column, verb)),
        _ => None,
    });
    match (delete, status(table)) {
        (Some((column, verb)), _) => line(column, index, &Value::Integer(verb)),
        (None, Some(column)) => line(column, index, &Value::Integer(DESTROY)),
        (None, None) => {
            let row = schema::row_name(table, index);
            format!("# {row} is in the profile: delete it by hand")
        }
    }
}

fn line(column: ColumnId, index: &Index, value: &Value) -> String {
    let text = value.script(&column.get().syntax);
    format!("{}={text}", name(column, index))
}

fn name(column: ColumnId, index: &Index) -> Name {
    Name {
        column,
        index: index.clone(),
    }
}

/// RFC 2579 RowStatus.
const DESTROY: i32 = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::script::{Script, diff};
    use crate::schema::{cert, hoc, tables};
    use crate::tree::{Actor, Creation, Transaction, Tree};

    fn run(tree: &Tree, text: &str) {
        let script = Script::parse(text).expect("well-formed");
        let (report, _) = script.start(tree, Actor::local(), 0);
        assert_eq!(report.complaints, []);
    }

    /// A tree with the rows that come with every device.
    fn factory() -> Tree {
        let tree = Tree::in_memory();
        let mut txn = Transaction::new(Actor::device());
        for priority in 1..=4 {
            let index = Index::number(priority);
            txn.create(hoc::static_sntp_servers::TABLE, index, Creation::Active);
        }
        tree.commit_and_wait(txn, 0).expect("the device may");
        tree
    }

    const CHANGES: &str = r#"
        Hoc.SystemName="a \"b\" # c\\"
        Hoc.StaticSntpServers[Priority=2].HostName=ntp.example.com
        Hoc.StaticHosts[Index=7].Name=pbx
        Hoc.StaticHosts[Index=9].Name=""
        SipEp.Gateway[Name="trunk, one"].NetworkInterface=Uplink
        Aaa.Users[UserName=admin].Password=xyzzy-secret
    "#;

    #[test]
    fn an_export_makes_the_same_device_from_the_bare_state() {
        let tree = factory();
        run(&tree, CHANGES);
        let text = export(&tree.snapshot(), &factory().snapshot());
        let again = factory();
        run(&again, &text);
        let differences = diff(&tree.snapshot(), &again.snapshot());
        let named: Vec<String> = differences.iter().map(ToString::to_string).collect();
        assert_eq!(
            named,
            [
                "- Aaa.Users[UserName=admin].Password=(secret)\n+ Aaa.Users[UserName=admin].Password=(secret)"
            ]
        );
        assert!(!text.contains("xyzzy"));
        assert!(text.contains("# Aaa.Users[UserName=admin].Password is a secret"));
    }

    #[test]
    fn an_export_makes_the_same_device_from_its_profile() {
        let profile = factory();
        run(&profile, CHANGES);
        let device = factory();
        run(&device, CHANGES);
        run(
            &device,
            "Hoc.SystemName=\"\"\nHoc.StaticHosts[Index=7].Delete=delete\nHoc.StaticHosts[Index=1].Name=x\n",
        );
        let text = export(&device.snapshot(), &profile.snapshot());
        assert!(text.contains("Hoc.SystemName=\"\"\n"), "{text}");
        assert!(text.contains("Hoc.StaticHosts[Index=7].Delete=delete\n"));
        run(&profile, &text);
        assert!(diff(&profile.snapshot(), &device.snapshot()).is_empty());
    }

    #[test]
    fn the_factory_state_needs_no_line() {
        let tree = factory();
        let text = export(&tree.snapshot(), &tree.snapshot());
        assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    }

    #[test]
    fn what_hangs_on_a_row_that_no_script_can_make_is_set_aside() {
        let tree = factory();
        let mut txn = Transaction::new(Actor::device());
        let (table, name) = (
            cert::host_certificate_material::TABLE,
            Index::text("gw.example.com"),
        );
        txn.create(table, name, Creation::Active);
        tree.commit_and_wait(txn, 0).expect("made");
        run(
            &tree,
            "Cert.HostCertificateAssociation[FileName=gw.example.com].Sip=disable\n",
        );
        let text = export(&tree.snapshot(), &factory().snapshot());
        assert!(
            text.contains(
                "\n# Cert.HostCertificateAssociation[FileName=gw.example.com].Sip=disable\n"
            ),
            "{text}"
        );
        run(&factory(), &text);
    }

    #[test]
    fn leaders_stand_before_their_followers() {
        let order = super::tables();
        for (id, table) in tables().filter(|(_, table)| !table.is_live()) {
            let at = |wanted| order.iter().position(|table| *table == wanted);
            if let RowLife::Follow(leader) = table.rows {
                assert!(at(leader) < at(id), "{}", table.name);
            }
        }
    }
}
