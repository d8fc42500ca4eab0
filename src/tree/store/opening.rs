//! What stands at start.
//!
//! Three witnesses are heard: sled, the snapshot files and the journal. The
//! first of them that reaches the newest group with evidence serves; where none
//! does, something acknowledged is lost, and that is refused unless the caller
//! asked to salvage. Nothing is moved before that is decided; `settling` does it.

use std::path::PathBuf;

use super::super::journal::{Disk, Group, Journal, Mark, Scan, replay};
use super::super::snapshot_file;
use super::event::{StoreEvent, Unsound};
use super::folders::Folders;
use super::image::{Image, Marks};
use super::ledger::Ledger;
use super::rows::Rows;
use super::{StoreError, StoreOptions};

/// A store that is ready to go on.
pub(super) struct Opened {
    /// sled, if it is sound.
    pub(super) rows: Option<Rows>,
    /// The last group in sled, and what it left.
    pub(super) applied: u64,
    pub(super) applied_marks: Marks,
    /// All rows, where sled cannot serve them.
    pub(super) image: Option<Image>,
    /// The last group that counts.
    pub(super) synced: u64,
    pub(super) ledger: Ledger,
    pub(super) journal: Journal,
    /// Octets of journal since the last snapshot file.
    pub(super) grown: u64,
    pub(super) events: Vec<StoreEvent>,
}

/// Looks at everything, decides, repairs.
pub(super) fn open(
    folders: &Folders,
    options: &StoreOptions,
    disk: Disk,
) -> Result<Opened, StoreError> {
    snapshot_file::sweep(&folders.snapshots).map_err(StoreError::at(&folders.snapshots))?;
    let mut opening = Opening::of(folders)?;
    let tree = opening.hear_tree();
    let base = match &tree {
        Ok(tree) if tree.reach >= opening.last() => None,
        _ => opening.hear_snapshots(tree.as_ref().map_or(0, |tree| tree.reach)),
    };
    opening.settle(tree, base, options, disk)
}

/// What the witnesses said.
pub(super) struct Opening<'a> {
    pub(super) folders: &'a Folders,
    pub(super) scan: Scan,
    /// Newest first.
    pub(super) snapshots: Vec<(u64, PathBuf)>,
    pub(super) bad_snapshots: Vec<PathBuf>,
    pub(super) events: Vec<StoreEvent>,
}

/// sled, sound.
pub(super) struct Tree {
    pub(super) rows: Rows,
    pub(super) sequence: u64,
    pub(super) marks: Marks,
    /// The last group that the journal adds to it without a gap.
    pub(super) reach: u64,
    /// As of `reach`.
    pub(super) ledger: Ledger,
}

impl<'a> Opening<'a> {
    fn of(folders: &'a Folders) -> Result<Self, StoreError> {
        Ok(Self {
            folders,
            scan: Scan::of(&folders.journal).map_err(StoreError::at(&folders.journal))?,
            snapshots: snapshot_file::list(&folders.snapshots)
                .map_err(StoreError::at(&folders.snapshots))?,
            bad_snapshots: Vec::new(),
            events: Vec::new(),
        })
    }

    fn hear_tree(&self) -> Result<Tree, Unsound> {
        if self.folders.unfinished.exists() {
            return Err(Unsound::Unfinished);
        }
        let rows = Rows::open(&self.folders.store)?;
        self.judge(&rows)
            .map(|(sequence, marks, reach, ledger)| Tree {
                rows: rows.clone(),
                sequence,
                marks,
                reach,
                ledger,
            })
            .inspect_err(|_| rows.release())
    }

    fn judge(&self, rows: &Rows) -> Result<(u64, Marks, u64, Ledger), Unsound> {
        let (sequence, marks) = rows.standing()?;
        if self
            .snapshots
            .first()
            .is_some_and(|(newest, _)| sequence < *newest)
        {
            return Err(Unsound::Stale);
        }
        self.compare(sequence, &marks)?;
        let ledger = Ledger::of(&marks, |note| {
            rows.each(|table, key, value| note(table, key, value))
        })?;
        let mut ledger = ledger.ok_or(Unsound::HashDiffers)?;
        let reach = self.reach(sequence);
        let mut fits = true;
        let last = replay(&self.folders.journal, sequence + 1, reach, |group| {
            fits &= enter(&mut ledger, &group);
        });
        match fits && last.is_ok_and(|last| last == reach) {
            true => Ok((sequence, marks, reach, ledger)),
            false => Err(Unsound::Foreign),
        }
    }

    /// Does sled claim what the journal claimed for the same versions?
    fn compare(&self, sequence: u64, marks: &Marks) -> Result<(), Unsound> {
        let frames = self.scan.frames.iter();
        let told = frames.filter(|frame| frame.sequence <= sequence);
        let latest: Marks = told
            .flat_map(|frame| &frame.marks)
            .map(|mark| (mark.device, *mark))
            .collect();
        let fits = |told: &Mark| {
            let held = marks.get(&told.device);
            held.is_some_and(|held| held == told || held.version > told.version)
        };
        match latest.values().all(fits) {
            true => Ok(()),
            false => Err(Unsound::Foreign),
        }
    }

    /// The last group that follows `base` without a gap.
    fn reach(&self, base: u64) -> u64 {
        let frames = self.scan.frames.iter();
        frames.fold(base, |reach, frame| match frame.sequence == reach + 1 {
            true => frame.sequence,
            false => reach,
        })
    }

    /// The best image that snapshot files and journal yield, if it reaches beyond `floor`
    /// or there is nothing else.
    fn hear_snapshots(&mut self, floor: u64) -> Option<Image> {
        let mut best: Option<Image> = None;
        for (sequence, path) in self.snapshots.clone() {
            let reach = self.reach(sequence);
            if best.as_ref().is_some_and(|best| best.sequence >= reach) || reach < floor {
                continue;
            }
            match snapshot_file::read(&path) {
                Ok(Some(image)) => best = self.bring_up(image, reach).or(best),
                _ => self.bad_snapshots.push(path),
            }
        }
        let from_nothing = self.reach(0);
        let enough = best
            .as_ref()
            .is_some_and(|best| best.sequence >= from_nothing);
        if enough || (from_nothing == 0 && self.last() > 0) {
            return best;
        }
        self.bring_up(Image::default(), from_nothing).or(best)
    }

    /// The newest group that anything tells of.
    pub(super) fn last(&self) -> u64 {
        let snapshot = self.snapshots.first().map_or(0, |(sequence, _)| *sequence);
        self.scan.last().max(snapshot)
    }

    pub(super) fn bring_up(&self, mut image: Image, to: u64) -> Option<Image> {
        let from = image.sequence + 1;
        let last = replay(&self.folders.journal, from, to, |group| image.apply(&group));
        (last.is_ok_and(|last| last == to) && image.is_whole()).then_some(image)
    }
}

/// Enters a group and tells whether it claims what comes out.
fn enter(ledger: &mut Ledger, group: &Group) -> bool {
    let mut entries = group.entries.iter();
    entries.all(|entry| ledger.enter(&entry.record).0 == entry.mark())
}

/// All rows after group `to`, from snapshot files and journal alone.
pub(super) fn image_up_to(folders: &Folders, to: u64) -> Option<Image> {
    let snapshots = snapshot_file::list(&folders.snapshots).ok()?;
    let read = |(_, path): &(u64, PathBuf)| snapshot_file::read(path).ok().flatten();
    let bases = snapshots.iter().filter_map(read).chain([Image::default()]);
    let mut brought_up = bases.filter_map(|mut image| {
        let from = image.sequence + 1;
        let last = replay(&folders.journal, from, to, |group| image.apply(&group));
        (last.is_ok_and(|last| last == to) && image.is_whole()).then_some(image)
    });
    brought_up.next()
}
