//! What is on disk, without starting anything.
//!
//! Takes the folder's lock for as long as it looks. sled writes when it opens,
//! so a copy of it is opened; the original is not touched.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::super::journal::{DeviceId, Scan};
use super::super::snapshot_file;
use super::StoreError;
use super::event::Unsound;
use super::folders::Folders;
use super::image::Marks;
use super::ledger::Ledger;
use super::rows::Rows;

/// The disk of a store as it lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Groups in the journal, first and last; none in an empty one.
    pub journal: Option<(u64, u64)>,
    /// File and octet where the journal is damaged or was interrupted.
    pub bad_place: Option<(std::path::PathBuf, u64)>,
    /// Group of each snapshot file, newest first, and whether it is whole.
    pub snapshots: Vec<(u64, bool)>,
    /// What sled holds, or why it is not trusted.
    pub tree: Result<TreeInspection, Unsound>,
}

/// What sled holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TreeInspection {
    /// The last group that was applied.
    pub sequence: u64,
    /// The last version of each device.
    pub devices: Vec<(DeviceId, u64)>,
    /// Rows of each table and device.
    pub tables: BTreeMap<(Arc<str>, DeviceId), u64>,
}

/// Looks at the folder; [`StoreError::Locked`] while a device runs on it.
pub fn inspect(dir: &Path) -> Result<Inspection, StoreError> {
    let folders = Folders::below(dir);
    let _lock = folders.lock()?;
    let scan = Scan::of(&folders.journal).map_err(StoreError::at(&folders.journal))?;
    let files =
        snapshot_file::list(&folders.snapshots).map_err(StoreError::at(&folders.snapshots))?;
    let whole = |path: &Path| matches!(snapshot_file::read(path), Ok(Some(_)));
    let ends = scan.frames.first().zip(scan.frames.last());
    let bad = scan.damage.as_ref().or(scan.torn.as_ref());
    Ok(Inspection {
        journal: ends.map(|(first, last)| (first.sequence, last.sequence)),
        bad_place: bad.map(|fault| (fault.file.clone(), fault.offset)),
        snapshots: files
            .iter()
            .map(|(sequence, path)| (*sequence, whole(path)))
            .collect(),
        tree: inspect_copy(&folders)?,
    })
}

fn inspect_copy(folders: &Folders) -> Result<Result<TreeInspection, Unsound>, StoreError> {
    let copy = folders.dir.join("store.inspected");
    let copied = copy_folder(&folders.store, &copy);
    let looked = copied.map(|()| {
        let rows = Rows::open(&copy)?;
        let tree = inspect_tree(&rows);
        rows.release();
        tree
    });
    let removed = fs::remove_dir_all(&copy);
    let tree = looked.map_err(StoreError::at(&folders.store))?;
    removed.map_err(StoreError::at(&copy))?;
    Ok(tree)
}

fn inspect_tree(rows: &Rows) -> Result<TreeInspection, Unsound> {
    let (sequence, marks) = rows.standing()?;
    let ledger = Ledger::of(&marks, |note| {
        rows.each(|table, key, value| note(table, key, value))
    })?;
    ledger.ok_or(Unsound::HashDiffers)?;
    Ok(TreeInspection {
        sequence,
        devices: versions(&marks),
        tables: count(rows)?,
    })
}

fn versions(marks: &Marks) -> Vec<(DeviceId, u64)> {
    marks
        .values()
        .map(|mark| (mark.device, mark.version))
        .collect()
}

fn count(rows: &Rows) -> Result<BTreeMap<(Arc<str>, DeviceId), u64>, Unsound> {
    let mut tables = BTreeMap::new();
    rows.each(|table, key, _| {
        if let Some(device) = key.first_chunk() {
            let device = DeviceId(u32::from_be_bytes(*device));
            *tables.entry((Arc::clone(table), device)).or_default() += 1;
        }
    })?;
    Ok(tables)
}

/// Copies sled's files; it keeps folders one level deep.
fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    super::super::journal::make_folder(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &target)?,
            false => _ = fs::copy(entry.path(), target)?,
        }
    }
    Ok(())
}
