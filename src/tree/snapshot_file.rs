//! The second copy: all rows of all devices in one file.
//!
//! Written beside its name, synced and renamed, and only where the rows add up
//! to the hashes that the journal knows: sled's word is not enough. A file is
//! whole or it is no snapshot; nothing in between is ever used.
//!
//! ```text
//! magic "DMS" and format 1 | sequence 8 | devices 4 | marks: device 4, version 8, set hash 16
//! rows: table 1+n (n > 0) | key 2+n | value 4+n
//! 0 | number of rows 8 | CRC32C of all before 4
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::journal::{Cursor, DeviceId, Mark, SetHash, sync_folder, text8, value};
use super::store::image::{Image, Marks, Sums};

/// The snapshot files of a folder, newest first, with the sequence in their names.
pub(in crate::tree) fn list(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        files.extend(sequence_of(&path).map(|sequence| (sequence, path)));
    }
    files.sort_by(|one, other| other.cmp(one));
    Ok(files)
}

/// Removes what an interrupted write left behind.
pub(in crate::tree) fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == UNFINISHED)
        {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// The file's rows, if it is whole.
pub(in crate::tree) fn read(path: &Path) -> io::Result<Option<Image>> {
    let octets = fs::read(path)?;
    let image = parse(&octets).filter(|image| sequence_of(path) == Some(image.sequence));
    Ok(image.filter(Image::is_whole))
}

fn parse(octets: &[u8]) -> Option<Image> {
    let (octets, sum) = octets.split_last_chunk()?;
    if crc32c::crc32c(octets) != u32::from_le_bytes(*sum) {
        return None;
    }
    let mut from = Cursor::new(octets);
    let mut image = parse_header(&mut from)?;
    let mut table: Arc<str> = Arc::from("");
    let mut rows = 0;
    loop {
        match from.text8()? {
            "" => break,
            name if *name == *table => {}
            name => table = Arc::from(name),
        }
        let length = from.u16()?;
        let key = from.take(length.into())?;
        image.put(&table, key, from.value()??);
        rows += 1;
    }
    (from.u64()? == rows && from.is_empty()).then_some(image)
}

fn parse_header(from: &mut Cursor<'_>) -> Option<Image> {
    if from.take(MAGIC.len())? != MAGIC {
        return None;
    }
    let sequence = from.u64()?;
    let mut marks = Marks::new();
    for _ in 0..from.u32()? {
        let mark = Mark {
            device: DeviceId(from.u32()?),
            version: from.u64()?,
            hash: SetHash::from_octets(from.array()?),
        };
        marks.insert(mark.device, mark);
    }
    Some(Image::empty_at(sequence, marks))
}

/// A snapshot file in the making.
pub(in crate::tree) struct SnapshotWriter<'a> {
    out: BufWriter<File>,
    folder: &'a Path,
    sequence: u64,
    marks: &'a Marks,
    crc: u32,
    sums: Sums,
    row: Vec<u8>,
    failed: Option<io::Error>,
}

/// Why no snapshot file came to be.
#[derive(Debug)]
pub(in crate::tree) enum SnapshotError {
    /// The rows do not add up to their hashes.
    NotWhole,
    Io(io::ErrorKind),
}

impl<'a> SnapshotWriter<'a> {
    pub(in crate::tree) fn begin(
        folder: &'a Path,
        sequence: u64,
        marks: &'a Marks,
    ) -> io::Result<Self> {
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(name(folder, sequence, UNFINISHED))?;
        let mut writer = Self {
            out: BufWriter::with_capacity(BUFFER, file),
            folder,
            sequence,
            marks,
            crc: 0,
            sums: Sums::default(),
            row: Vec::new(),
            failed: None,
        };
        writer.put(&header(sequence, marks));
        Ok(writer)
    }

    /// Adds one row; tables and keys in any order. A failure shows in `finish`.
    pub(in crate::tree) fn row(&mut self, table: &str, key: &[u8], octets: &[u8]) {
        let mut row = std::mem::take(&mut self.row);
        row.clear();
        let written = write_row(&mut row, table, key, octets);
        match written.is_some() && self.sums.add(table, key, octets).is_some() {
            true => self.put(&row),
            false => self.failed = Some(io::ErrorKind::InvalidData.into()),
        }
        self.row = row;
    }

    /// Makes the file durable under its name, if its rows add up.
    pub(in crate::tree) fn finish(mut self) -> Result<(), SnapshotError> {
        let unfinished = name(self.folder, self.sequence, UNFINISHED);
        let done = self.complete(&unfinished);
        if done.is_err() {
            // What stays is swept at the next start.
            _ = fs::remove_file(unfinished);
        }
        done
    }

    fn complete(&mut self, unfinished: &Path) -> Result<(), SnapshotError> {
        if !self.sums.agree_with(self.marks) {
            return Err(SnapshotError::NotWhole);
        }
        self.seal(unfinished)
            .map_err(|error| SnapshotError::Io(error.kind()))
    }

    fn seal(&mut self, unfinished: &Path) -> io::Result<()> {
        self.put(&[0]);
        self.put(&self.sums.rows.to_le_bytes());
        self.put(&self.crc.to_le_bytes());
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.out.flush()?;
        self.out.get_ref().sync_all()?;
        fs::rename(unfinished, name(self.folder, self.sequence, FINISHED))?;
        sync_folder(self.folder)
    }

    fn put(&mut self, octets: &[u8]) {
        self.crc = crc32c::crc32c_append(self.crc, octets);
        if self.failed.is_none() {
            self.failed = self.out.write_all(octets).err();
        }
    }
}

fn header(sequence: u64, marks: &Marks) -> Vec<u8> {
    let mut header = MAGIC.to_vec();
    header.extend_from_slice(&sequence.to_le_bytes());
    header.extend_from_slice(&(marks.len() as u32).to_le_bytes());
    for mark in marks.values() {
        header.extend_from_slice(&mark.device.0.to_le_bytes());
        header.extend_from_slice(&mark.version.to_le_bytes());
        header.extend_from_slice(&mark.hash.to_octets());
    }
    header
}

fn write_row(row: &mut Vec<u8>, table: &str, key: &[u8], octets: &[u8]) -> Option<()> {
    text8(row, table)?;
    row.extend_from_slice(&u16::try_from(key.len()).ok()?.to_le_bytes());
    row.extend_from_slice(key);
    value(row, Some(octets))
}

fn name(folder: &Path, sequence: u64, extension: &str) -> PathBuf {
    folder.join(format!("{sequence:016x}.{extension}"))
}

fn sequence_of(path: &Path) -> Option<u64> {
    let stem = path.file_name()?.to_str()?.strip_suffix(FINISHED)?;
    u64::from_str_radix(stem.strip_suffix('.')?, 16).ok()
}

/// The last octet is the format's version.
const MAGIC: [u8; 4] = *b"DMS\x01";
const FINISHED: &str = "snapshot";
const UNFINISHED: &str = "unfinished";
const BUFFER: usize = 256 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::store::scratch::Scratch;

    fn image() -> Image {
        let mut image = Image::empty_at(42, Marks::new());
        let device = DeviceId(3);
        let mut hash = SetHash::default();
        for number in 0..20_u32 {
            let key = crate::tree::journal::row_key(device, &[number, 7]);
            let table = Arc::from(format!("table{}", number % 3));
            image.put(&table, &key, &number.to_le_bytes());
            hash.add(SetHash::of_row(&table, &key, &number.to_le_bytes()));
        }
        let version = 9;
        image.marks.insert(
            device,
            Mark {
                device,
                version,
                hash,
            },
        );
        image
    }

    fn write(folder: &Path, image: &Image) -> Result<(), SnapshotError> {
        let mut writer = SnapshotWriter::begin(folder, image.sequence, &image.marks)
            .expect("the folder is there");
        image
            .rows()
            .for_each(|(table, key, value)| writer.row(table, key, value));
        writer.finish()
    }

    #[test]
    fn a_snapshot_reads_back_as_it_was_written() {
        let folder = Scratch::folder();
        write(&folder, &image()).expect("it is whole");
        let (sequence, path) = list(&folder).expect("readable").remove(0);
        assert_eq!(sequence, 42);
        assert_eq!(read(&path).expect("readable"), Some(image()));
    }

    #[test]
    fn a_flip_of_any_octet_or_a_cut_at_any_length_is_found() {
        let folder = Scratch::folder();
        write(&folder, &image()).expect("it is whole");
        let (_, path) = list(&folder).expect("readable").remove(0);
        let whole = fs::read(&path).expect("readable");
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            assert_eq!(parse(&flipped), None, "flip at {at}");
            assert_eq!(parse(&whole[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn rows_that_do_not_add_up_make_no_snapshot() {
        let folder = Scratch::folder();
        let mut wrong = image();
        let key = crate::tree::journal::row_key(DeviceId(3), &[0, 7]);
        wrong.put(&Arc::from("table0"), &key, b"another");
        let refused = write(&folder, &wrong);
        assert!(matches!(refused, Err(SnapshotError::NotWhole)));
        assert_eq!(list(&folder).expect("readable"), []);
        assert_eq!(fs::read_dir(&*folder).expect("readable").count(), 0);
    }

    #[test]
    fn an_interrupted_write_is_swept() {
        let folder = Scratch::folder();
        let image = image();
        drop(SnapshotWriter::begin(&folder, 1, &image.marks));
        sweep(&folder).expect("writable");
        assert_eq!(fs::read_dir(&*folder).expect("readable").count(), 0);
    }
}
