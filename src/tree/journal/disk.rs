//! The two disk calls that can fail for want of space or of a disk.
//!
//! A test puts failing ones in their place; everything else is `std::fs`.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::Path;

type Write = Box<dyn FnMut(&File, &[u8], u64) -> io::Result<()> + Send>;
type Sync = Box<dyn FnMut(&File) -> io::Result<()> + Send>;

/// How the journal writes and syncs.
pub(in crate::tree) struct Disk {
    /// Writes all octets at an offset.
    pub(in crate::tree) write: Write,
    /// Makes the file's octets durable.
    pub(in crate::tree) sync: Sync,
}

impl Disk {
    /// The real one.
    pub(in crate::tree) fn real() -> Self {
        Self {
            write: Box::new(|file, octets, offset| file.write_all_at(octets, offset)),
            sync: Box::new(File::sync_data),
        }
    }
}

/// Makes names that were created, renamed or removed in a folder durable.
pub(in crate::tree) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder that only its owner enters, unless it is there.
pub(in crate::tree) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Moves a file or a folder below `damaged` under a name of its own and says where it lies now.
pub(in crate::tree) fn move_aside(from: &Path, damaged: &Path) -> io::Result<std::path::PathBuf> {
    let name = from.file_name().unwrap_or_default().to_string_lossy();
    let mut number = fs::read_dir(damaged)?.count();
    let to = loop {
        let to = damaged.join(format!("{number:04}-{name}"));
        if !to.try_exists()? {
            break to;
        }
        number += 1;
    };
    fs::rename(from, &to)?;
    sync_folder(damaged)?;
    if let Some(folder) = from.parent() {
        sync_folder(folder)?;
    }
    Ok(to)
}
