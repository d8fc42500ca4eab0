//! The thread that brings the other copies up to date.
//!
//! Applies acknowledged groups to sled, writes snapshot files, cuts the journal
//! behind them and rebuilds sled when it failed. Nothing waits for it but the
//! end of the store. What it makes is derived: it may be thrown away at any time.

use std::fs::{self, File};
use std::io;
use std::sync::Arc;

use super::super::journal::{self, Group, move_aside, replay, sync_folder};
use super::super::snapshot_file::{self, SnapshotError, SnapshotWriter};
use super::StoreOptions;
use super::event::{StoreEvent, Unsound};
use super::folders::Folders;
use super::image::{Image, Marks};
use super::opening::{Opened, image_up_to};
use super::rows::Rows;
use super::shared::{Shared, Work};

pub(super) struct Applier {
    shared: Arc<Shared>,
    folders: Folders,
    snapshot_after: u64,
    /// sled, while it is trusted.
    rows: Option<Rows>,
    /// The last group in sled, and what it left.
    applied: u64,
    marks: Marks,
    /// Octets of journal since the last snapshot file.
    grown: u64,
    failing: Failing,
}

/// What was told already, so that a lasting fault is told once.
#[derive(Default)]
struct Failing {
    tree: bool,
    rebuild: bool,
    snapshot: bool,
}

impl Applier {
    pub(super) fn new(
        opened: &Opened,
        folders: &Folders,
        options: &StoreOptions,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            shared,
            folders: folders.clone(),
            snapshot_after: options.snapshot_after,
            rows: opened.rows.clone(),
            applied: opened.applied,
            marks: opened.applied_marks.clone(),
            grown: opened.grown,
            failing: Failing::default(),
        }
    }

    /// Works until the store closes.
    pub(super) fn run(mut self) {
        if self.rows.is_none() {
            self.rebuild();
        }
        self.inspect_snapshots();
        loop {
            if self.grown >= self.snapshot_after {
                self.snapshot();
            }
            match self.shared.next() {
                Work::Apply(groups) => self.apply(&groups),
                Work::CatchUp(to) => self.catch_up(to),
                Work::FallBack(why) => self.fall_back(why),
                Work::Rebuild => self.rebuild(),
                Work::Close => break,
            }
        }
        self.shared.withdraw_rows();
        if let Some(rows) = self.rows.take() {
            // Whatever it says, the next start looks for itself.
            _ = rows.flush();
            rows.release();
        }
    }

    fn apply(&mut self, groups: &[Arc<Group>]) {
        match self.put(groups) {
            Ok(()) => self.shared.applied(groups.len()),
            Err(why) => self.fall_back(why),
        }
    }

    /// Without sled the groups only count towards the next snapshot file.
    fn put(&mut self, groups: &[Arc<Group>]) -> Result<(), Unsound> {
        if let Some(rows) = &self.rows {
            rows.apply(groups)?;
        }
        for group in groups {
            self.grown += group.octets;
            self.applied = group.sequence;
            let marks = group.entries.iter().map(journal::Entry::mark);
            self.marks.extend(marks.map(|mark| (mark.device, mark)));
        }
        Ok(())
    }

    fn catch_up(&mut self, to: u64) {
        let journal = self.folders.journal.clone();
        let mut outcome = Ok(());
        let last = replay(&journal, self.applied + 1, to, |group| {
            if outcome.is_ok() {
                outcome = self.put(&[Arc::new(group)]);
            }
        });
        match (outcome, last) {
            (Ok(()), Ok(last)) if last == to => self.shared.caught_up(to),
            (Ok(()), _) => self.fall_back(Unsound::Foreign),
            (Err(why), _) => self.fall_back(why),
        }
    }

    /// sled failed: serve from the other copies and make it anew.
    fn fall_back(&mut self, why: Unsound) {
        self.shared.withdraw_rows();
        if let Some(rows) = self.rows.take() {
            rows.release();
        }
        let image = image_up_to(&self.folders, self.shared.synced());
        let served =
            image.is_some_and(|image| self.shared.serve_image(image, &self.folders.journal));
        if !served {
            self.shared.lose();
        }
        // A second fall in one run is no new evidence: it is removed when the time comes to try again.
        if std::mem::replace(&mut self.failing.tree, true) {
            return;
        }
        if let Ok(moved) = move_aside(&self.folders.store, &self.folders.damaged) {
            self.shared.tell(StoreEvent::TreeMovedAside { why, moved });
        }
        self.rebuild();
    }

    fn rebuild(&mut self) {
        let Some(image) = self.shared.image_to_fill_from() else {
            return;
        };
        match self.fill(&image) {
            Ok((rows, count)) => {
                self.failing.rebuild = false;
                self.shared.serve_rows(rows.clone());
                self.rows = Some(rows);
                self.shared.tell(StoreEvent::TreeRebuilt { rows: count });
            }
            Err(why) if !self.failing.rebuild => {
                self.failing.rebuild = true;
                self.shared.tell(StoreEvent::TreeNotRebuilt { why });
            }
            Err(_) => {}
        }
        self.applied = image.sequence;
        self.marks = image.marks;
    }

    /// Fills a new database; until it is whole, the mark beside it says so.
    fn fill(&self, image: &Image) -> Result<(Rows, u64), Unsound> {
        let begin = || {
            File::create(&self.folders.unfinished)?;
            sync_folder(&self.folders.dir)?;
            remove_folder(&self.folders.store)
        };
        begin().map_err(|_| Unsound::Unreadable)?;
        let rows = Rows::open(&self.folders.store)?;
        let filled = rows.fill(image).and_then(|count| {
            fs::remove_file(&self.folders.unfinished).map_err(|_| Unsound::Unreadable)?;
            Ok(count)
        });
        match filled {
            Ok(count) => Ok((rows, count)),
            Err(why) => {
                rows.release();
                Err(why)
            }
        }
    }

    /// Writes a snapshot file, then cuts the journal behind the one before it.
    fn snapshot(&mut self) {
        match self.write_snapshot() {
            Ok(()) => {
                self.grown = 0;
                self.failing.snapshot = false;
                // What could not be removed is removed after the next one.
                _ = self.cut_journal();
            }
            Err(NoSnapshot::Unsound(why)) => {
                self.grown = self.snapshot_after / 2;
                self.fall_back(why);
            }
            Err(NoSnapshot::Disk(_)) => {
                self.grown = self.snapshot_after / 2;
                if !std::mem::replace(&mut self.failing.snapshot, true) {
                    self.shared.tell(StoreEvent::SnapshotFailed);
                }
            }
        }
    }

    fn write_snapshot(&self) -> Result<(), NoSnapshot> {
        let Some(rows) = &self.rows else {
            let image = self.shared.clone_image().ok_or(Unsound::Unfinished)?;
            return write_image(&self.folders, &image);
        };
        let folder = &self.folders.snapshots;
        let mut writer = SnapshotWriter::begin(folder, self.applied, &self.marks)?;
        rows.each(|table, key, value| writer.row(table, key, value))?;
        Ok(writer.finish()?)
    }

    /// Two snapshot files stay. Until there are confirm clauses every commit is
    /// confirmed as it is made, so the newest is also the last confirmed.
    fn cut_journal(&self) -> io::Result<()> {
        let snapshots = snapshot_file::list(&self.folders.snapshots)?;
        for (_, path) in snapshots.iter().skip(KEPT_SNAPSHOTS) {
            fs::remove_file(path)?;
        }
        let Some((oldest, _)) = snapshots.get(KEPT_SNAPSHOTS - 1) else {
            return Ok(());
        };
        let files = journal::files(&self.folders.journal)?;
        for pair in files.windows(2) {
            if pair[1].first <= oldest + 1 {
                fs::remove_file(&pair[0].path)?;
            }
        }
        sync_folder(&self.folders.journal)
    }

    /// A damaged snapshot file is found now, not when it is needed.
    fn inspect_snapshots(&mut self) {
        let snapshots = snapshot_file::list(&self.folders.snapshots).unwrap_or_default();
        for (_, path) in snapshots {
            if matches!(snapshot_file::read(&path), Ok(Some(_))) {
                continue;
            }
            if let Ok(moved) = move_aside(&path, &self.folders.damaged) {
                self.shared.tell(StoreEvent::SnapshotDamaged { moved });
                self.grown = self.snapshot_after;
            }
        }
    }
}

/// Why no snapshot file was written.
#[derive(Debug, Clone, Copy)]
pub(super) enum NoSnapshot {
    Unsound(Unsound),
    Disk(io::ErrorKind),
}

/// Writes all rows of an image as a snapshot file.
pub(super) fn write_image(folders: &Folders, image: &Image) -> Result<(), NoSnapshot> {
    let mut writer = SnapshotWriter::begin(&folders.snapshots, image.sequence, &image.marks)?;
    for (table, key, value) in image.rows() {
        writer.row(table, key, value);
    }
    Ok(writer.finish()?)
}

impl From<io::Error> for NoSnapshot {
    fn from(error: io::Error) -> Self {
        Self::Disk(error.kind())
    }
}

impl From<Unsound> for NoSnapshot {
    fn from(why: Unsound) -> Self {
        Self::Unsound(why)
    }
}

impl From<SnapshotError> for NoSnapshot {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::NotWhole => Self::Unsound(Unsound::HashDiffers),
            SnapshotError::Io(kind) => Self::Disk(kind),
        }
    }
}

fn remove_folder(folder: &std::path::Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

const KEPT_SNAPSHOTS: usize = 2;
