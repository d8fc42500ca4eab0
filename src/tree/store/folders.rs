//! Where a store's files lie.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::super::journal::make_folder;
use super::StoreError;

/// The folder is ours while this lives.
pub(super) struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing is not enough: a child between fork and exec has the file open too.
    fn drop(&mut self) {
        // It can only fail where the lock is gone already.
        _ = self.file.unlock();
    }
}

/// The folders below the data folder.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    pub(super) dir: PathBuf,
    /// sled.
    pub(super) store: PathBuf,
    pub(super) journal: PathBuf,
    pub(super) snapshots: PathBuf,
    /// What was moved aside.
    pub(super) damaged: PathBuf,
    /// Stands while sled is being filled.
    pub(super) unfinished: PathBuf,
}

impl Folders {
    pub(super) fn below(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            store: dir.join("store"),
            journal: dir.join("journal"),
            snapshots: dir.join("snapshots"),
            damaged: dir.join("damaged"),
            unfinished: dir.join("store.unfinished"),
        }
    }

    /// Makes those that are missing; sled makes its own.
    pub(super) fn make(dir: &Path) -> Result<Self, StoreError> {
        let folders = Self::below(dir);
        for folder in [dir, &folders.journal, &folders.snapshots, &folders.damaged] {
            make_folder(folder).map_err(StoreError::at(folder))?;
        }
        Ok(folders)
    }

    /// Takes the folder for this process.
    pub(super) fn lock(&self) -> Result<Lock, StoreError> {
        let path = self.dir.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::at(&path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { file }),
            Err(TryLockError::WouldBlock) => Err(StoreError::Locked(self.dir.clone())),
            Err(TryLockError::Error(error)) => Err(StoreError::at(&path)(error)),
        }
    }
}
