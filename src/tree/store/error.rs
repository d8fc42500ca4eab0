//! Why the store refuses.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::super::journal::AppendError;
use super::DeviceId;

/// Why opening, loading or appending failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the folder.
    #[error("{} is in use by another process", .0.display())]
    Locked(PathBuf),
    /// Damage that no other copy makes good; `StoreOptions::salvage` goes on without what is lost.
    #[error("{} is damaged at octet {offset} and no other copy is whole", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where the damage begins.
        offset: u64,
    },
    /// The disk is full: nothing changed, on disk or anywhere else.
    #[error("the disk is full")]
    Full,
    /// A sync failed, so whether the commit is on disk shows only at the next start.
    #[error("a disk sync failed, the outcome is unknown")]
    Unknown,
    /// More commits wait than the store takes; nothing changed.
    #[error("too many commits are waiting")]
    Busy,
    /// A part of the record is over its bound; nothing changed.
    #[error("the record is too large")]
    TooLarge,
    /// The version does not follow the device's last durable one; nothing changed.
    #[error("version {found} of device {} does not follow {last}", device.0)]
    OutOfOrder {
        /// The device.
        device: DeviceId,
        /// Its last durable version.
        last: u64,
        /// The version that the record asked for.
        found: u64,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
    /// sled failed while running and no other copy could take its place.
    #[error("the tree on disk is unsound and could not be replaced")]
    Unsound,
    /// The operating system refused.
    #[error("{}: {kind}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// What it said.
        kind: ErrorKind,
    },
}

impl StoreError {
    /// For `map_err`: names the file that the operating system refused.
    pub(in crate::tree) fn at(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |error| Self::Io {
            path: path.to_owned(),
            kind: error.kind(),
        }
    }
}

impl From<AppendError> for StoreError {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Full => Self::Full,
            AppendError::Unknown => Self::Unknown,
            AppendError::Io { path, kind } => Self::Io { path, kind },
        }
    }
}
