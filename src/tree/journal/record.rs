//! One commit as the journal writes it down.
//!
//! A record says who changed which rows of one device, when, and what stood
//! there before: enough to do it again after a crash and to undo it by hand.
//! Rows are octets here; what they mean is the schema's business.

use std::sync::Arc;

use super::codec::{Cursor, text8, text16, value};
use super::set_hash::SetHash;

/// One device among those that share a store; the first key octets of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceId(pub u32);

/// Who made a commit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// The tree's stable number for the face that it came through.
    pub face: u8,
    /// User name; empty where the face has none.
    pub user: String,
    /// Peer address as text; empty for a local face.
    pub address: String,
}

/// What one commit did to one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowChange {
    /// Name of the table, at most 255 octets and not empty.
    pub table: Arc<str>,
    /// Index as sub-identifiers, at most [`MAX_SUB_IDENTIFIERS`].
    pub key: Vec<u32>,
    /// The row's octets until now; absent where there was no row.
    pub before: Option<Vec<u8>>,
    /// The row's octets from now on; absent where the row goes.
    pub after: Option<Vec<u8>>,
}

/// One commit of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The device that it belongs to.
    pub device: DeviceId,
    /// The version that it makes: one more than the device's last.
    pub version: u64,
    /// Unix time in microseconds; 0 while the time is unknown.
    pub at: u64,
    /// Who asked for it.
    pub who: Who,
    /// Every row that it touched, each at most once.
    pub rows: Vec<RowChange>,
}

/// A record with the hash over all rows of its device once it is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tree) struct Entry {
    pub(in crate::tree) record: Record,
    pub(in crate::tree) hash: SetHash,
}

/// What an entry claims without its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tree) struct Mark {
    pub(in crate::tree) device: DeviceId,
    pub(in crate::tree) version: u64,
    pub(in crate::tree) hash: SetHash,
}

/// Several commits that one frame made durable together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tree) struct Group {
    pub(in crate::tree) sequence: u64,
    pub(in crate::tree) entries: Vec<Entry>,
    /// Octets of its frame.
    pub(in crate::tree) octets: u64,
}

impl Entry {
    pub(in crate::tree) fn mark(&self) -> Mark {
        Mark {
            device: self.record.device,
            version: self.record.version,
            hash: self.hash,
        }
    }

    /// Appends the entry, or leaves `out` as it was and answers false where a part is over its bound.
    ///
    /// ```text
    /// length 4 | device 4 | version 8 | set hash 16 | at 8 | face 1 | user 2+n | address 2+n
    /// | confirm clause 1, always 0 until there is one | rows 4 | rows
    /// row: table 1+n | sub-identifiers 1+4n | before 4+n | after 4+n; length ffffffff: no row
    /// ```
    pub(in crate::tree) fn encode(&self, out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(&[0; 4]);
        if self.encode_parts(out).is_none() {
            out.truncate(start);
            return false;
        }
        let Ok(length) = u32::try_from(out.len() - start - 4) else {
            out.truncate(start);
            return false;
        };
        out[start..start + 4].copy_from_slice(&length.to_le_bytes());
        true
    }

    fn encode_parts(&self, out: &mut Vec<u8>) -> Option<()> {
        let record = &self.record;
        out.extend_from_slice(&record.device.0.to_le_bytes());
        out.extend_from_slice(&record.version.to_le_bytes());
        out.extend_from_slice(&self.hash.to_octets());
        out.extend_from_slice(&record.at.to_le_bytes());
        out.push(record.who.face);
        text16(out, &record.who.user)?;
        text16(out, &record.who.address)?;
        out.push(NO_CONFIRM_CLAUSE);
        out.extend_from_slice(&u32::try_from(record.rows.len()).ok()?.to_le_bytes());
        record.rows.iter().try_for_each(|row| row.encode(out))
    }

    /// Reads one entry; `None` where the octets are not one.
    pub(in crate::tree) fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let length = from.u32()?;
        let mut from = Cursor::new(from.take(length as usize)?);
        let mark = Mark::decode_parts(&mut from)?;
        let at = from.u64()?;
        let who = Who {
            face: from.u8()?,
            user: from.text16()?.to_owned(),
            address: from.text16()?.to_owned(),
        };
        if from.u8()? != NO_CONFIRM_CLAUSE {
            return None;
        }
        let count = from.u32()?;
        let rows = (0..count)
            .map(|_| RowChange::decode(&mut from))
            .collect::<Option<Vec<_>>>()?;
        let record = Record {
            device: mark.device,
            version: mark.version,
            at,
            who,
            rows,
        };
        from.is_empty().then_some(Self {
            record,
            hash: mark.hash,
        })
    }
}

impl Mark {
    /// Reads what an entry claims and steps over its rows.
    pub(in crate::tree) fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let length = from.u32()?;
        Self::decode_parts(&mut Cursor::new(from.take(length as usize)?))
    }

    fn decode_parts(from: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            device: DeviceId(from.u32()?),
            version: from.u64()?,
            hash: SetHash::from_octets(from.array()?),
        })
    }
}

impl RowChange {
    fn encode(&self, out: &mut Vec<u8>) -> Option<()> {
        if self.table.is_empty() || self.key.len() > MAX_SUB_IDENTIFIERS {
            return None;
        }
        text8(out, &self.table)?;
        out.push(u8::try_from(self.key.len()).ok()?);
        for part in &self.key {
            out.extend_from_slice(&part.to_le_bytes());
        }
        value(out, self.before.as_deref())?;
        value(out, self.after.as_deref())
    }

    fn decode(from: &mut Cursor<'_>) -> Option<Self> {
        let table = Arc::from(from.text8()?);
        let parts = from.u8()?;
        let key = (0..parts).map(|_| from.u32()).collect::<Option<Vec<_>>>()?;
        Some(Self {
            table,
            key,
            before: from.value()?.map(<[u8]>::to_vec),
            after: from.value()?.map(<[u8]>::to_vec),
        })
    }
}

/// RFC 2578 §3.5: an OBJECT IDENTIFIER has at most 128 sub-identifiers.
pub const MAX_SUB_IDENTIFIERS: usize = 128;
const NO_CONFIRM_CLAUSE: u8 = 0;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            record: Record {
                device: DeviceId(7),
                version: 12,
                at: 1_700_000_000_000_000,
                who: Who {
                    face: 3,
                    user: "admin".into(),
                    address: "127.0.0.1".into(),
                },
                rows: vec![
                    RowChange {
                        table: "sipEp.gateway".into(),
                        key: vec![1, 97],
                        before: None,
                        after: Some(vec![1, 2, 3]),
                    },
                    RowChange {
                        table: "sipEp.gateway".into(),
                        key: vec![],
                        before: Some(vec![]),
                        after: None,
                    },
                ],
            },
            hash: SetHash::of_row("sipEp.gateway", &[0], &[9]),
        }
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let mut octets = Vec::new();
        assert!(entry().encode(&mut octets));
        let mut cursor = Cursor::new(&octets);
        assert_eq!(Entry::decode(&mut cursor), Some(entry()));
        assert!(cursor.is_empty());
        assert_eq!(
            Mark::decode(&mut Cursor::new(&octets)),
            Some(entry().mark())
        );
    }

    #[test]
    fn a_shortened_entry_is_refused_at_every_length() {
        let mut octets = Vec::new();
        assert!(entry().encode(&mut octets));
        for length in 0..octets.len() {
            assert_eq!(Entry::decode(&mut Cursor::new(&octets[..length])), None);
        }
    }

    #[test]
    fn an_over_long_part_is_refused_and_leaves_no_octet_behind() {
        let mut long_key = entry();
        long_key.record.rows[0].key = vec![1; MAX_SUB_IDENTIFIERS + 1];
        let mut long_user = entry();
        long_user.record.who.user = "x".repeat(65_536);
        let mut nameless = entry();
        nameless.record.rows[0].table = "".into();
        for refused in [long_key, long_user, nameless] {
            let mut octets = vec![1];
            assert!(!refused.encode(&mut octets));
            assert_eq!(octets, [1]);
        }
    }
}
