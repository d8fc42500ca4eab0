//! Reading the journal back.
//!
//! Opening reads every file once and notes where whole frames stand and where
//! octets stand that are none. Whether that is a torn tail or damage is judged
//! here; what to do about it is the store's decision. Nothing here writes.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::frame::{ALIGNMENT, Frame};
use super::record::{DeviceId, Group, Mark, Record};

/// A journal file by its name: `<first sequence>-<salt>.journal`, both in hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::tree) struct JournalFile {
    /// Sequence of its first frame.
    pub(in crate::tree) first: u64,
    pub(super) salt: u32,
    pub(in crate::tree) path: PathBuf,
}

impl JournalFile {
    pub(super) fn new(folder: &Path, first: u64, salt: u32) -> Self {
        let path = folder.join(format!("{first:016x}-{salt:08x}.journal"));
        Self { first, salt, path }
    }

    fn from_path(path: PathBuf) -> Option<Self> {
        let stem = path.file_name()?.to_str()?.strip_suffix(".journal")?;
        let (first, salt) = stem.split_once('-')?;
        let first = u64::from_str_radix(first, 16).ok()?;
        let salt = u32::from_str_radix(salt, 16).ok()?;
        Some(Self { first, salt, path })
    }
}

/// The journal files of a folder in the order of their frames.
pub(in crate::tree) fn files(folder: &Path) -> io::Result<Vec<JournalFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        files.extend(JournalFile::from_path(entry?.path()));
    }
    files.sort();
    Ok(files)
}

/// A whole frame and where it stands.
#[derive(Debug, Clone)]
pub(in crate::tree) struct FrameAt {
    pub(in crate::tree) sequence: u64,
    /// Octets with header and padding.
    pub(in crate::tree) octets: u64,
    pub(in crate::tree) marks: Vec<Mark>,
}

/// Octets that are neither a frame nor the zeros of free space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tree) struct Fault {
    pub(in crate::tree) file: PathBuf,
    pub(in crate::tree) offset: u64,
}

/// Where the next frame may be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tree) struct Tail {
    pub(in crate::tree) file: JournalFile,
    pub(in crate::tree) offset: u64,
    pub(in crate::tree) size: u64,
}

/// What the whole journal looks like.
#[derive(Debug, Default)]
pub(in crate::tree) struct Scan {
    /// Every whole frame, also those after damage, in file order.
    pub(in crate::tree) frames: Vec<FrameAt>,
    /// Files that hold no whole frame.
    pub(in crate::tree) frameless: Vec<PathBuf>,
    /// The end of the last frame.
    pub(in crate::tree) tail: Option<Tail>,
    /// First damage: a bad place that a whole frame or another file follows, or a gap in the sequence.
    pub(in crate::tree) damage: Option<Fault>,
    /// A bad place at the very end, where a write was interrupted.
    pub(in crate::tree) torn: Option<Fault>,
}

impl Scan {
    /// Reads the folder.
    pub(in crate::tree) fn of(folder: &Path) -> io::Result<Self> {
        let mut scan = Self::default();
        for file in files(folder)? {
            let octets = fs::read(&file.path)?;
            scan.read_file(file, &octets);
        }
        Ok(scan)
    }

    /// Sequence of the newest group that the journal has evidence of.
    pub(in crate::tree) fn last(&self) -> u64 {
        self.frames.last().map_or(0, |frame| frame.sequence)
    }

    fn read_file(&mut self, file: JournalFile, octets: &[u8]) {
        if let Some(earlier) = self.torn.take() {
            self.damage.get_or_insert(earlier);
        }
        let fault = |offset: usize| Fault {
            file: file.path.clone(),
            offset: offset as u64,
        };
        let mut frames = Frames::of(octets, file.salt);
        let mut end = 0;
        while let Some((offset, frame)) = frames.next() {
            if let Some(bad) = frames.bad.take() {
                self.damage.get_or_insert(fault(bad));
            }
            self.note(&file, offset, &frame);
            end = offset + frame.size;
        }
        self.torn = frames.bad.map(fault);
        match end {
            0 => self.frameless.push(file.path),
            _ => {
                self.tail = Some(Tail {
                    file,
                    offset: end as u64,
                    size: octets.len() as u64,
                });
            }
        }
    }

    fn note(&mut self, file: &JournalFile, at: usize, frame: &Frame<'_>) {
        let expected = self
            .frames
            .last()
            .map_or(file.first, |last| last.sequence + 1);
        let marks = frame.marks();
        if frame.sequence != expected || marks.is_none() {
            self.damage.get_or_insert(Fault {
                file: file.path.clone(),
                offset: at as u64,
            });
        }
        self.frames.push(FrameAt {
            sequence: frame.sequence,
            octets: frame.size as u64,
            marks: marks.unwrap_or_default(),
        });
    }
}

/// Hands over the whole groups `from..=to` in order, as far as the files hold
/// them without a gap, and answers the last one that was handed over (or `from - 1`).
pub(in crate::tree) fn replay(
    folder: &Path,
    from: u64,
    to: u64,
    mut each: impl FnMut(Group),
) -> io::Result<u64> {
    let files = files(folder)?;
    let firsts = files.iter().map(|file| file.first);
    let begin = firsts.filter(|&first| first <= from).max().unwrap_or(0);
    let mut next = from;
    for file in files.iter().skip_while(|file| file.first < begin) {
        let octets = fs::read(&file.path)?;
        for (_, frame) in Frames::of(&octets, file.salt) {
            if frame.sequence > to {
                return Ok(next - 1);
            }
            if frame.sequence != next {
                continue;
            }
            let Some(group) = frame.group() else {
                return Ok(next - 1);
            };
            each(group);
            next += 1;
        }
    }
    Ok(next - 1)
}

/// The newest records of one device up to group `to` that the journal still holds, newest first.
pub(in crate::tree) fn history(
    folder: &Path,
    device: DeviceId,
    newest: usize,
    to: u64,
) -> io::Result<Vec<Record>> {
    let mut records = Vec::new();
    for file in files(folder)?.iter().rev() {
        let octets = match fs::read(&file.path) {
            Ok(octets) => octets,
            Err(error) if error.kind() == ErrorKind::NotFound => break,
            Err(error) => return Err(error),
        };
        records.extend(records_of(&octets, file.salt, device, to).into_iter().rev());
        if records.len() >= newest {
            break;
        }
    }
    records.truncate(newest);
    Ok(records)
}

fn records_of(octets: &[u8], salt: u32, device: DeviceId, to: u64) -> Vec<Record> {
    let mut records = Vec::new();
    let whole = Frames::of(octets, salt).take_while(|(_, frame)| frame.sequence <= to);
    for (_, frame) in whole {
        let entries = frame.group().map(|group| group.entries).unwrap_or_default();
        let ours = entries.into_iter().map(|entry| entry.record);
        records.extend(ours.filter(|record| record.device == device));
    }
    records
}

/// The whole frames of a file, with what is bad between them stepped over.
struct Frames<'a> {
    octets: &'a [u8],
    salt: u32,
    offset: usize,
    /// Where the octets stood that the last step took for no frame.
    bad: Option<usize>,
}

impl<'a> Frames<'a> {
    fn of(octets: &'a [u8], salt: u32) -> Self {
        Self {
            octets,
            salt,
            offset: 0,
            bad: None,
        }
    }

    fn read(&self, offset: usize) -> Option<Frame<'a>> {
        Frame::read(self.octets.get(offset..)?, self.salt)
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = (usize, Frame<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.octets.get(self.offset..)?;
        let mut at = self.offset;
        if self.read(at).is_none() {
            if rest.iter().all(|&octet| octet == 0) {
                return None;
            }
            self.bad = Some(at);
            at = (at + ALIGNMENT..self.octets.len())
                .step_by(ALIGNMENT)
                .find(|&later| self.read(later).is_some())?;
        }
        let frame = self.read(at)?;
        self.offset = at + frame.size;
        Some((at, frame))
    }
}
