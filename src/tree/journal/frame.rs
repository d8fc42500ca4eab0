//! One frame: a group of commits that one write and one sync made durable.
//!
//! ```text
//! magic "DMJ" and format 1 | body length 4 | sequence 8 | body CRC32C 4 | header CRC32C 4
//! body: entries | zeros to a multiple of 8
//! ```
//! Both checksums start from the file's salt: octets that a manager put into
//! a value never pass for a frame. A frame without entries is the mark of a
//! clean close: it proves that the frame before it was whole.

use super::codec::Cursor;
use super::record::{Entry, Group, Mark};

/// One frame found in a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) sequence: u64,
    /// Octets with header and padding.
    pub(super) size: usize,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The frame that begins at the first octet, if a whole one does.
    pub(super) fn read(octets: &'a [u8], salt: u32) -> Option<Self> {
        let (header, rest) = octets.split_at_checked(HEADER)?;
        let mut fields = Cursor::new(header);
        if fields.take(4)? != MAGIC {
            return None;
        }
        let length = fields.u32()? as usize;
        let sequence = fields.u64()?;
        let body_sum = fields.u32()?;
        if fields.u32()? != crc32c::crc32c_append(salt, &header[..HEADER - 4]) {
            return None;
        }
        let padded = rest.get(..length.checked_next_multiple_of(ALIGNMENT)?)?;
        (crc32c::crc32c_append(salt, padded) == body_sum).then_some(Self {
            sequence,
            size: HEADER + padded.len(),
            body: &padded[..length],
        })
    }

    /// The entries' claims; `None` where the body is not a list of entries.
    pub(super) fn marks(&self) -> Option<Vec<Mark>> {
        let mut body = Cursor::new(self.body);
        let mut marks = Vec::new();
        while !body.is_empty() {
            marks.push(Mark::decode(&mut body)?);
        }
        Some(marks)
    }

    /// The entries; `None` where the body is not a list of entries.
    pub(super) fn group(&self) -> Option<Group> {
        let mut body = Cursor::new(self.body);
        let mut entries = Vec::new();
        while !body.is_empty() {
            entries.push(Entry::decode(&mut body)?);
        }
        Some(Group {
            sequence: self.sequence,
            entries,
            octets: self.size as u64,
        })
    }
}

/// A frame in the making: room for its header, then entries.
pub(in crate::tree) struct Draft {
    octets: Vec<u8>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            octets: vec![0; HEADER],
        }
    }
}

impl Draft {
    /// Adds an entry, or answers false and stays as it was where a part or the whole is over its bound.
    pub(in crate::tree) fn add(&mut self, entry: &Entry) -> bool {
        let start = self.octets.len();
        let fits = entry.encode(&mut self.octets)
            && self.octets.len() - start <= MAX_ENTRY
            && self.octets.len() - HEADER <= MAX_BODY;
        if !fits {
            self.octets.truncate(start);
        }
        fits
    }

    /// Octets with header and padding.
    pub(super) fn size(&self) -> u64 {
        self.octets.len().next_multiple_of(ALIGNMENT) as u64
    }

    /// The octets to write, for the file with this salt.
    pub(super) fn seal(mut self, sequence: u64, salt: u32) -> Vec<u8> {
        let length = (self.octets.len() - HEADER) as u32;
        self.octets
            .resize(self.octets.len().next_multiple_of(ALIGNMENT), 0);
        let body_sum = crc32c::crc32c_append(salt, &self.octets[HEADER..]);
        self.octets[..4].copy_from_slice(&MAGIC);
        self.octets[4..8].copy_from_slice(&length.to_le_bytes());
        self.octets[8..16].copy_from_slice(&sequence.to_le_bytes());
        self.octets[16..20].copy_from_slice(&body_sum.to_le_bytes());
        let header_sum = crc32c::crc32c_append(salt, &self.octets[..HEADER - 4]);
        self.octets[HEADER - 4..HEADER].copy_from_slice(&header_sum.to_le_bytes());
        self.octets
    }
}

/// Frames begin at multiples of this.
pub(super) const ALIGNMENT: usize = 8;
/// The last octet is the format's version.
const MAGIC: [u8; 4] = *b"DMJ\x01";
const HEADER: usize = 24;
/// A factory profile of 100 000 wide rows fits into one commit.
const MAX_ENTRY: usize = 128 << 20;
/// The committer ends a group far below this.
const MAX_BODY: usize = 256 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flip_of_any_octet_makes_the_frame_unreadable() {
        let empty = Draft::default().seal(5, 77);
        assert_eq!(Frame::read(&empty, 77).map(|frame| frame.sequence), Some(5));
        for at in 0..empty.len() {
            let mut flipped = empty.clone();
            flipped[at] ^= 1;
            assert!(Frame::read(&flipped, 77).is_none(), "octet {at}");
        }
    }

    #[test]
    fn a_frame_of_another_file_is_not_one_of_ours() {
        let octets = Draft::default().seal(5, 77);
        assert!(Frame::read(&octets, 78).is_none());
    }
}
