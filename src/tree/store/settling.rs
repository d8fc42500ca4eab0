//! Making what stands at start true on disk.
//!
//! Where the journal is sound it goes on, its torn end cut off. Where it is
//! not, everything that counts goes into a snapshot file before the journal is
//! moved aside. Each step leaves a folder that opens to the same rows.

use std::fs;

use super::super::journal::{self, Disk, Fault, Journal, Scan, Tail, move_aside};
use super::applier::{NoSnapshot, write_image};
use super::event::{StoreEvent, Unsound};
use super::image::{Image, Marks};
use super::ledger::Ledger;
use super::opening::{Opened, Opening, Tree};
use super::{OnDamage, StoreError, StoreOptions};

/// Where the rows end, and the newest group that anything tells of.
struct Ends {
    reach: u64,
    last: u64,
}

impl Opening<'_> {
    /// Takes sled or the image, whichever reaches further, or refuses.
    pub(super) fn settle(
        mut self,
        tree: Result<Tree, Unsound>,
        base: Option<Image>,
        options: &StoreOptions,
        disk: Disk,
    ) -> Result<Opened, StoreError> {
        let last = self.last();
        let (tree, why) = match (tree, &base) {
            (Ok(tree), None) => (Some(tree), None),
            (Ok(tree), Some(base)) if tree.reach >= base.sequence => (Some(tree), None),
            (Ok(tree), Some(_)) => {
                tree.rows.release();
                (None, Some(Unsound::Stale))
            }
            (Err(why), _) => (None, Some(why)),
        };
        let base = base.filter(|_| tree.is_none());
        let reach = match (&tree, &base) {
            (Some(tree), _) => tree.reach,
            (None, Some(image)) => image.sequence,
            (None, None) => return Err(self.damaged()),
        };
        if reach < last && options.on_damage == OnDamage::Refuse {
            return Err(self.damaged());
        }
        self.move_snapshots()?;
        if let Some(why) = why {
            self.move_tree(why)?;
        }
        let ends_there = self.scan.frames.is_empty() || self.scan.last() == reach;
        match self.scan.damage.is_none() && reach == last && ends_there {
            true => self.go_on(tree, base, reach, options, disk),
            false => self.begin_anew(tree, base, Ends { reach, last }, options, disk),
        }
    }

    /// The journal is sound and ends where the rows do.
    fn go_on(
        mut self,
        tree: Option<Tree>,
        base: Option<Image>,
        synced: u64,
        options: &StoreOptions,
        disk: Disk,
    ) -> Result<Opened, StoreError> {
        let mut tail = self.scan.tail.take();
        if let Some(torn) = self.scan.torn.take() {
            self.cut(torn, &mut tail)?;
        }
        for path in &self.scan.frameless {
            fs::remove_file(path).map_err(StoreError::at(path))?;
        }
        let journal = self.resume(options, disk, tail, synced + 1)?;
        self.opened(tree, base, synced, journal)
    }

    fn cut(&mut self, torn: Fault, tail: &mut Option<Tail>) -> Result<(), StoreError> {
        journal::cut(&torn).map_err(StoreError::at(&torn.file))?;
        if let Some(tail) = tail.as_mut().filter(|tail| tail.file.path == torn.file) {
            tail.size = tail.offset;
        }
        self.events.push(StoreEvent::TornTailCut {
            file: torn.file,
            offset: torn.offset,
        });
        Ok(())
    }

    /// The journal cannot be continued: what counts goes into a snapshot file,
    /// then the journal files are moved aside and a new one begins.
    fn begin_anew(
        mut self,
        tree: Option<Tree>,
        base: Option<Image>,
        Ends { reach, last }: Ends,
        options: &StoreOptions,
        disk: Disk,
    ) -> Result<Opened, StoreError> {
        let synced = reach.max(last);
        let mut image = match (&tree, base) {
            (_, Some(image)) => image,
            (Some(tree), None) => self.image_of(tree)?,
            (None, None) => return Err(self.damaged()),
        };
        image.sequence = synced;
        write_image(self.folders, &image).map_err(|why| self.no_snapshot(why))?;
        self.move_journal()?;
        self.tell_of_new_journal(&Ends { reach, last });
        let tree = match tree {
            Some(tree) if tree.sequence != synced => {
                tree.rows.release();
                self.move_tree(Unsound::Stale)?;
                None
            }
            kept => kept,
        };
        let base = Some(image).filter(|_| tree.is_none());
        let journal = self.resume(options, disk, None, synced + 1)?;
        self.scan = Scan::default();
        self.opened(tree, base, synced, journal)
    }

    fn move_journal(&self) -> Result<(), StoreError> {
        let folder = &self.folders.journal;
        for file in journal::files(folder).map_err(StoreError::at(folder))? {
            move_aside(&file.path, &self.folders.damaged).map_err(StoreError::at(&file.path))?;
        }
        Ok(())
    }

    fn tell_of_new_journal(&mut self, ends: &Ends) {
        let event = match self.scan.damage.take() {
            None if ends.reach >= ends.last => StoreEvent::JournalShort {
                journal: self.scan.last(),
                other: ends.reach,
            },
            fault => {
                let Fault { file, offset } = fault.unwrap_or_else(|| self.unnamed_fault());
                let lost = ends.last.saturating_sub(ends.reach);
                StoreEvent::JournalRepaired { file, offset, lost }
            }
        };
        self.events.push(event);
    }

    fn image_of(&self, tree: &Tree) -> Result<Image, StoreError> {
        let mut image = Image::empty_at(tree.sequence, tree.marks.clone());
        let read = tree
            .rows
            .each(|table, key, value| image.put(table, key, value));
        read.map_err(|_| self.damaged())?;
        self.bring_up(image, tree.reach)
            .ok_or_else(|| self.damaged())
    }

    fn opened(
        self,
        tree: Option<Tree>,
        image: Option<Image>,
        synced: u64,
        journal: Journal,
    ) -> Result<Opened, StoreError> {
        let newest = self.snapshots.first().map_or(0, |(sequence, _)| *sequence);
        let frames = self.scan.frames.iter();
        let since = frames.filter(|frame| frame.sequence > newest);
        let grown = since.map(|frame| frame.octets).sum();
        let (rows, applied, applied_marks, ledger) = match (tree, &image) {
            (Some(tree), _) => (
                Some(tree.rows),
                tree.sequence,
                tree.marks,
                Some(tree.ledger),
            ),
            (None, Some(image)) => (
                None,
                image.sequence,
                image.marks.clone(),
                Ledger::of_image(image),
            ),
            (None, None) => (None, 0, Marks::new(), None),
        };
        let Some(ledger) = ledger else {
            return Err(self.damaged());
        };
        Ok(Opened {
            rows,
            applied,
            applied_marks,
            image,
            synced,
            ledger,
            journal,
            grown,
            events: self.events,
        })
    }

    fn resume(
        &self,
        options: &StoreOptions,
        disk: Disk,
        tail: Option<Tail>,
        next: u64,
    ) -> Result<Journal, StoreError> {
        let folder = &self.folders.journal;
        Journal::resume(folder, disk, options.journal_file, tail, next)
            .map_err(StoreError::at(folder))
    }

    fn move_snapshots(&mut self) -> Result<(), StoreError> {
        for path in std::mem::take(&mut self.bad_snapshots) {
            let moved = move_aside(&path, &self.folders.damaged).map_err(StoreError::at(&path))?;
            self.snapshots.retain(|(_, other)| *other != path);
            self.events.push(StoreEvent::SnapshotDamaged { moved });
        }
        Ok(())
    }

    fn move_tree(&mut self, why: Unsound) -> Result<(), StoreError> {
        let store = &self.folders.store;
        if why != Unsound::Unfinished && store.exists() {
            let moved = move_aside(store, &self.folders.damaged).map_err(StoreError::at(store))?;
            self.events.push(StoreEvent::TreeMovedAside { why, moved });
        }
        Ok(())
    }

    fn no_snapshot(&self, why: NoSnapshot) -> StoreError {
        match why {
            NoSnapshot::Unsound(_) => self.damaged(),
            NoSnapshot::Disk(kind) => StoreError::Io {
                path: self.folders.snapshots.clone(),
                kind,
            },
        }
    }

    fn damaged(&self) -> StoreError {
        let fault = self.scan.damage.clone();
        let Fault { file, offset } = fault.unwrap_or_else(|| self.unnamed_fault());
        StoreError::Damaged { file, offset }
    }

    /// Files are whole but what lies before them is gone.
    fn unnamed_fault(&self) -> Fault {
        let bad = self.bad_snapshots.first().cloned();
        Fault {
            file: bad.unwrap_or_else(|| self.folders.journal.clone()),
            offset: 0,
        }
    }
}
