//! The append-only record of commits; what acknowledges.
//!
//! A group of commits is one frame, one write and one sync into space that was
//! zeroed beforehand. The next frame is written only after the last is synced,
//! so only the very last frame can be torn. It never changes a frame that was
//! acknowledged, and one that was refused is wiped before the next is written.

mod codec;
mod disk;
mod frame;
mod record;
mod scan;
mod set_hash;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

pub(in crate::tree) use codec::{Cursor, text8, value};
pub(in crate::tree) use disk::{Disk, make_folder, move_aside, sync_folder};
pub(in crate::tree) use frame::Draft;
pub use record::{DeviceId, MAX_SUB_IDENTIFIERS, Record, RowChange, Who};
pub(in crate::tree) use record::{Entry, Group, Mark};
pub(in crate::tree) use scan::{Fault, JournalFile, Scan, Tail, files, history, replay};
pub(in crate::tree) use set_hash::{SetHash, read_key, row_key};

/// The end of the journal, where frames are added.
pub(in crate::tree) struct Journal {
    folder: PathBuf,
    disk: Disk,
    /// Octets that a new file is made with.
    file_size: u64,
    next: u64,
    current: Option<Current>,
    broken: bool,
}

struct Current {
    file: File,
    name: JournalFile,
    offset: u64,
    size: u64,
}

/// Why a group was not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tree) enum AppendError {
    /// No space; the journal is as it was.
    Full,
    /// It may or may not be on disk; nothing is taken any more.
    Unknown,
    /// A file could not be made; the journal is as it was.
    Io { path: PathBuf, kind: ErrorKind },
}

impl Journal {
    /// Goes on after `tail`, or in a new file, with group `next`.
    pub(in crate::tree) fn resume(
        folder: &Path,
        disk: Disk,
        file_size: u64,
        tail: Option<Tail>,
        next: u64,
    ) -> io::Result<Self> {
        let current = tail.map(Current::reopen).transpose()?;
        Ok(Self {
            folder: folder.to_owned(),
            disk,
            file_size,
            next,
            current,
            broken: false,
        })
    }

    /// Makes one group durable and answers its sequence and its octets.
    pub(in crate::tree) fn append(&mut self, draft: Draft) -> Result<(u64, u64), AppendError> {
        if self.broken {
            return Err(AppendError::Unknown);
        }
        let size = draft.size();
        let mut current = match self.current.take() {
            Some(current) if current.size.saturating_sub(current.offset) >= size => current,
            full => self.begin_file(size).inspect_err(|_| self.current = full)?,
        };
        let octets = draft.seal(self.next, current.name.salt);
        let written = self.write(&current, &octets);
        if written.is_ok() {
            current.offset += size;
            self.next += 1;
        }
        self.current = Some(current);
        written.map(|()| (self.next - 1, size))
    }

    fn write(&mut self, current: &Current, octets: &[u8]) -> Result<(), AppendError> {
        match (self.disk.write)(&current.file, octets, current.offset) {
            Ok(()) => {}
            Err(error) if is_full(&error) && self.wipe(current, octets.len()).is_ok() => {
                return Err(AppendError::Full);
            }
            Err(_) => return Err(self.give_up()),
        }
        (self.disk.sync)(&current.file).map_err(|_| self.give_up())
    }

    /// Takes back a frame that was refused, so that no later start finds it.
    fn wipe(&mut self, current: &Current, length: usize) -> io::Result<()> {
        (self.disk.write)(&current.file, &vec![0; length], current.offset)?;
        (self.disk.sync)(&current.file)
    }

    /// After a failed sync the kernel may have dropped the octets and call the
    /// next sync a success: it must not be asked again.
    fn give_up(&mut self) -> AppendError {
        self.broken = true;
        AppendError::Unknown
    }

    fn begin_file(&mut self, need: u64) -> Result<Current, AppendError> {
        let mut salt = [0; 4];
        openssl::rand::rand_bytes(&mut salt).map_err(|_| AppendError::Io {
            path: self.folder.clone(),
            kind: ErrorKind::Other,
        })?;
        let name = JournalFile::new(&self.folder, self.next, u32::from_le_bytes(salt));
        let size = self.file_size.max(need);
        self.fill_file(&name.path, size)
            .map(|file| Current {
                file,
                name: name.clone(),
                offset: 0,
                size,
            })
            .map_err(|error| {
                // What could not be removed is all zeros and is skipped at the next start.
                _ = fs::remove_file(&name.path);
                match is_full(&error) {
                    true => AppendError::Full,
                    false => AppendError::Io {
                        path: name.path,
                        kind: error.kind(),
                    },
                }
            })
    }

    /// A new file of zeros, durable with its name.
    fn fill_file(&mut self, path: &Path, size: u64) -> io::Result<File> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        let zeros = vec![0; ZEROS];
        let mut offset = 0;
        while offset < size {
            let length = (size - offset).min(ZEROS as u64);
            (self.disk.write)(&file, &zeros[..length as usize], offset)?;
            offset += length;
        }
        file.sync_all()?;
        sync_folder(&self.folder)?;
        Ok(file)
    }
}

impl Current {
    fn reopen(tail: Tail) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).open(&tail.file.path)?;
        Ok(Self {
            file,
            name: tail.file,
            offset: tail.offset,
            size: tail.size,
        })
    }
}

/// Cuts an unfinished frame off the end of its file.
pub(in crate::tree) fn cut(torn: &Fault) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(&torn.file)?;
    file.set_len(torn.offset)?;
    file.sync_all()
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Octets of one write while a new file is filled.
const ZEROS: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;
    use std::sync::Arc;

    use super::*;
    use crate::tree::store::scratch::Scratch;

    #[test]
    fn a_frame_that_was_torn_at_any_octet_is_told_from_damage() {
        let folder = Scratch::folder();
        let (file, whole, ends) = three_frames(&folder);
        let used = whole
            .iter()
            .rposition(|&octet| octet != 0)
            .expect("not empty");
        for at in ends[1] + 1..=used {
            for filler in [None, Some(0), Some(0xa5)] {
                let mut torn = whole.clone();
                match filler {
                    None => torn.truncate(at),
                    Some(octet) => torn[at..ends[2]].fill(octet),
                }
                fs::write(&file, &torn).expect("ours");
                let scan = Scan::of(&folder).expect("readable");
                assert_eq!(scan.damage, None, "{filler:?} from {at}");
                assert_eq!(scan.torn.map(|torn| torn.offset), Some(ends[1] as u64));
                assert_eq!(scan.frames.len(), 2);
            }
        }
    }

    #[test]
    fn a_flip_in_any_octet_of_an_earlier_frame_is_damage() {
        let folder = Scratch::folder();
        let (file, whole, ends) = three_frames(&folder);
        for at in 0..ends[1] {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            fs::write(&file, &flipped).expect("ours");
            let scan = Scan::of(&folder).expect("readable");
            let begin = if at < ends[0] { 0 } else { ends[0] };
            assert_eq!(scan.damage.map(|fault| fault.offset), Some(begin as u64));
            assert_eq!(scan.frames.last().map(|frame| frame.sequence), Some(3));
        }
    }

    #[test]
    fn a_torn_end_that_another_file_follows_is_damage() {
        let folder = Scratch::folder();
        let (file, whole, ends) = three_frames(&folder);
        fs::write(&file, &whole[..ends[2] - 9]).expect("ours");
        let mut next = Journal::resume(&folder, Disk::real(), 512, None, 4).expect("opens");
        next.append(draft(4)).expect("there is space");
        let scan = Scan::of(&folder).expect("readable");
        assert_eq!(scan.damage.map(|fault| fault.offset), Some(ends[1] as u64));
        assert_eq!(scan.torn, None);
    }

    #[test]
    fn a_missing_file_is_damage() {
        let folder = Scratch::folder();
        let mut journal = Journal::resume(&folder, Disk::real(), 8, None, 1).expect("opens");
        for version in 1..=3 {
            journal.append(draft(version)).expect("there is space");
        }
        let files = files(&folder).expect("readable");
        assert_eq!(files.len(), 3, "each frame got a file of its own");
        fs::remove_file(&files[1].path).expect("ours");
        let scan = Scan::of(&folder).expect("readable");
        assert_eq!(
            scan.damage.map(|fault| fault.file),
            Some(files[2].path.clone())
        );
    }

    #[test]
    fn a_value_that_looks_like_a_frame_does_not_turn_a_torn_end_into_damage() {
        let folder = Scratch::folder();
        let mut journal = Journal::resume(&folder, Disk::real(), 4096, None, 1).expect("opens");
        let forged = Draft::default().seal(2, 0);
        let mut draft = Draft::default();
        assert!(draft.add(&entry(1, forged.repeat(20))));
        journal.append(draft).expect("there is space");
        let file = files(&folder).expect("readable").remove(0).path;
        let handle = OpenOptions::new().write(true).open(&file).expect("ours");
        handle.write_all_at(&[0xff], 30).expect("ours");
        let scan = Scan::of(&folder).expect("readable");
        assert_eq!(scan.damage, None);
        assert_eq!(scan.torn.map(|torn| torn.offset), Some(0));
    }

    /// File, its octets, and where each frame ends.
    fn three_frames(folder: &Path) -> (PathBuf, Vec<u8>, Vec<usize>) {
        let mut journal = Journal::resume(folder, Disk::real(), 2048, None, 1).expect("opens");
        let mut end = 0;
        let append = |version| {
            let (_, octets) = journal.append(draft(version)).expect("there is space");
            end += octets as usize;
            end
        };
        let ends = (1..=3).map(append).collect();
        let file = files(folder).expect("readable").remove(0).path;
        let whole = fs::read(&file).expect("readable");
        (file, whole, ends)
    }

    fn draft(version: u64) -> Draft {
        let mut draft = Draft::default();
        assert!(draft.add(&entry(version, vec![7; 100])));
        draft
    }

    fn entry(version: u64, value: Vec<u8>) -> Entry {
        let row = RowChange {
            table: Arc::from("t"),
            key: vec![1],
            before: None,
            after: Some(value),
        };
        let record = Record {
            device: DeviceId(1),
            version,
            at: 0,
            who: Who::default(),
            rows: vec![row],
        };
        let hash = SetHash::default();
        Entry { record, hash }
    }
}
