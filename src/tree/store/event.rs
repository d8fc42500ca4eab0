//! What the store has to tell beside its answers.

use std::path::PathBuf;

/// Something that an operator should hear of; the device turns it into an alarm or a log line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreEvent {
    /// The last journal frame was never finished, hence never acknowledged, and was cut.
    #[error("unfinished end of {} cut at octet {offset}", file.display())]
    TornTailCut {
        /// The journal file.
        file: PathBuf,
        /// Where the unfinished frame began.
        offset: u64,
    },
    /// The journal was damaged; the device goes on from the newest state that could be proven whole.
    #[error("{} is damaged at octet {offset}: moved aside, {lost} commit groups lost", file.display())]
    JournalRepaired {
        /// The journal file.
        file: PathBuf,
        /// Where the damage begins.
        offset: u64,
        /// Commit groups that no copy held; 0 where nothing was lost.
        lost: u64,
    },
    /// The journal ends before another copy that is whole; the device goes on from that copy.
    #[error("the journal ends at group {journal}, group {other} was found elsewhere and kept")]
    JournalShort {
        /// Last group of the journal.
        journal: u64,
        /// Group of the copy that is newer.
        other: u64,
    },
    /// A snapshot file was not whole and was moved aside; another one follows.
    #[error("a damaged snapshot file was moved to {}", moved.display())]
    SnapshotDamaged {
        /// Where it lies now.
        moved: PathBuf,
    },
    /// sled could not be trusted and was moved aside; it is rebuilt in the background.
    #[error("the tree on disk {why}: moved to {} and rebuilt", moved.display())]
    TreeMovedAside {
        /// What was wrong with it.
        why: Unsound,
        /// Where it lies now.
        moved: PathBuf,
    },
    /// sled stands again.
    #[error("the tree on disk was rebuilt with {rows} rows")]
    TreeRebuilt {
        /// Rows of all devices.
        rows: u64,
    },
    /// sled could not be rebuilt; the journal and the snapshot files go on without it, and it is tried again later.
    #[error("the tree on disk could not be rebuilt: {why}")]
    TreeNotRebuilt {
        /// What went wrong.
        why: Unsound,
    },
    /// A snapshot file could not be written; the journal keeps growing and it is tried again later.
    #[error("no snapshot file could be written")]
    SnapshotFailed,
    /// The disk is full: commits are refused until space returns.
    #[error("the disk is full, changes are refused")]
    Full,
    /// Commits are taken again after the disk was full.
    #[error("the disk has space again, changes are taken")]
    WritesAgain,
    /// A sync failed: the last commits may or may not be on disk, no more are taken until the store is opened again.
    #[error("a disk sync failed, changes are refused until the next start")]
    SyncFailed,
}

/// Why sled is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    /// A rebuild was interrupted.
    #[error("was not finished")]
    Unfinished,
    /// sled answered with an error.
    #[error("could not be read or written")]
    Unreadable,
    /// sled panicked.
    #[error("panicked")]
    Panicked,
    /// Its rows do not add up to their hash.
    #[error("does not match its hash")]
    HashDiffers,
    /// It is older than the snapshot file, although it was newer once.
    #[error("is older than the snapshot file")]
    Stale,
    /// It is on another branch than the journal.
    #[error("does not fit the journal")]
    Foreign,
}
