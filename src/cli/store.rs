//! What is on the disk of a stopped device.

use super::args::Shared;
use super::ask::say;
use super::failure::Failure;
use crate::tree::{Inspection, StoreError, inspect};
use serde_json::{Value, json};
use std::io::Write;

pub(super) fn ls(shared: &Shared, out: &mut dyn Write) -> Result<(), Failure> {
    let folder = &shared.data;
    if !folder.is_dir() {
        let why = format!("{}: there is no such data folder", folder.display());
        return Err(Failure::Usage(why));
    }
    let found = match inspect(folder) {
        Err(StoreError::Locked(_)) => {
            let why = "a device runs on it: stop it first, or look at it with `demarc walk`";
            let object = folder.display().to_string();
            return Err(Failure::one(&object, "resourceUnavailable", why));
        }
        found => found?,
    };
    match shared.json {
        true => say(out, as_json(&found)),
        false => as_text(&found).iter().try_for_each(|line| say(out, line)),
    }
}

fn as_text(found: &Inspection) -> Vec<String> {
    let mut lines = vec![match found.journal {
        Some((first, last)) => format!("journal: groups {first} to {last}"),
        None => "journal: empty".to_owned(),
    }];
    if let Some((file, offset)) = &found.bad_place {
        let file = file.display();
        lines.push(format!("journal: not whole at octet {offset} of {file}"));
    }
    lines.extend(found.snapshots.iter().map(|(group, whole)| {
        let state = if *whole { "whole" } else { "damaged" };
        format!("snapshot file: group {group}, {state}")
    }));
    match &found.tree {
        Err(unsound) => lines.push(format!("database: {unsound}, it is made anew at a start")),
        Ok(tree) => {
            lines.push(format!("database: group {}", tree.sequence));
            let devices = tree.devices.iter();
            lines.extend(
                devices.map(|(device, version)| format!("device {}: version {version}", device.0)),
            );
            let tables = tree.tables.iter();
            lines.extend(
                tables.map(|((table, device), rows)| {
                    format!("device {}: {rows:6} {table}", device.0)
                }),
            );
        }
    }
    lines
}

fn as_json(found: &Inspection) -> Value {
    let tree = found.tree.as_ref().map(|tree| {
        let devices = tree.devices.iter();
        let devices: Vec<Value> = devices
            .map(|(device, version)| json!({ "device": device.0, "version": version }))
            .collect();
        let tables = tree.tables.iter().map(|((table, device), rows)| {
            json!({ "device": device.0, "table": table.as_ref(), "rows": rows })
        });
        let tables: Vec<Value> = tables.collect();
        json!({ "group": tree.sequence, "devices": devices, "tables": tables })
    });
    let snapshots = found.snapshots.iter();
    let snapshots: Vec<Value> = snapshots
        .map(|(group, whole)| json!({ "group": group, "whole": whole }))
        .collect();
    let bad = found.bad_place.as_ref();
    json!({
        "journal": found.journal.map(|(first, last)| json!({ "first": first, "last": last })),
        "notWhole": bad.map(|(file, offset)| json!({ "file": file, "offset": offset })),
        "snapshots": snapshots,
        "database": tree.unwrap_or_else(|unsound| json!({ "unsound": unsound.to_string() })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_disk_is_described_in_both_forms() {
        let found = Inspection {
            journal: Some((3, 9)),
            bad_place: Some(("journal/1".into(), 40)),
            snapshots: vec![(8, true), (5, false)],
            tree: Err(crate::tree::store::Unsound::HashDiffers),
        };
        assert_eq!(
            as_text(&found),
            [
                "journal: groups 3 to 9",
                "journal: not whole at octet 40 of journal/1",
                "snapshot file: group 8, whole",
                "snapshot file: group 5, damaged",
                "database: does not match its hash, it is made anew at a start",
            ]
        );
        let json = as_json(&found);
        assert_eq!(json["journal"]["last"], 9);
        assert_eq!(json["database"]["unsound"], "does not match its hash");
    }
}
