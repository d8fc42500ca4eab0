//! Octets in and out for the journal and the snapshot file.
//!
//! Little-endian, every length before what it measures. Reading never panics
//! and never allocates more than it was given.

/// What is left to read.
#[derive(Debug, Clone)]
pub(in crate::tree) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(in crate::tree) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub(in crate::tree) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(in crate::tree) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    pub(in crate::tree) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*taken)
    }

    pub(in crate::tree) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub(in crate::tree) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(in crate::tree) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(in crate::tree) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(in crate::tree) fn text8(&mut self) -> Option<&'a str> {
        let length = self.u8()?;
        str::from_utf8(self.take(length.into())?).ok()
    }

    pub(in crate::tree) fn text16(&mut self) -> Option<&'a str> {
        let length = self.u16()?;
        str::from_utf8(self.take(length.into())?).ok()
    }

    /// A value that may be absent: the outer `None` says that the octets ran out.
    pub(in crate::tree) fn value(&mut self) -> Option<Option<&'a [u8]>> {
        match self.u32()? {
            ABSENT => Some(None),
            length => self.take(length as usize).map(Some),
        }
    }
}

pub(in crate::tree) fn text8(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.push(u8::try_from(text.len()).ok()?);
    out.extend_from_slice(text.as_bytes());
    Some(())
}

pub(in crate::tree) fn text16(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    Some(())
}

pub(in crate::tree) fn value(out: &mut Vec<u8>, value: Option<&[u8]>) -> Option<()> {
    let Some(octets) = value else {
        out.extend_from_slice(&ABSENT.to_le_bytes());
        return Some(());
    };
    let length = u32::try_from(octets.len()).ok().filter(|&l| l != ABSENT)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(octets);
    Some(())
}

const ABSENT: u32 = u32::MAX;
