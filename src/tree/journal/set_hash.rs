//! One hash over all rows of a device, whatever their order.
//!
//! The sum of the rows' digests: a row that comes adds its own, a row that
//! goes takes it away, so a commit costs what it touches. Journal, snapshot
//! file and sled each hold it, and opening compares them.

use openssl::sha::Sha256;

use super::record::DeviceId;

/// Wrapping sum of the rows' SHA-256, each cut to 128 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::tree) struct SetHash(u128);

impl SetHash {
    /// The share of one row; `key` is [`row_key`] of its index.
    pub(in crate::tree) fn of_row(table: &str, key: &[u8], value: &[u8]) -> Self {
        let mut hash = Sha256::new();
        for part in [table.as_bytes(), key] {
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(value);
        let digest = hash.finish();
        let (half, _) = digest.split_first_chunk().expect("32 octets hold 16");
        Self(u128::from_be_bytes(*half))
    }

    pub(in crate::tree) fn add(&mut self, row: Self) {
        self.0 = self.0.wrapping_add(row.0);
    }

    pub(in crate::tree) fn take(&mut self, row: Self) {
        self.0 = self.0.wrapping_sub(row.0);
    }

    pub(in crate::tree) fn to_octets(self) -> [u8; 16] {
        self.0.to_le_bytes()
    }

    pub(in crate::tree) fn from_octets(octets: [u8; 16]) -> Self {
        Self(u128::from_le_bytes(octets))
    }
}

/// A row's key on disk: device, then the sub-identifiers, big-endian and full
/// width, so that octet order is OID order.
pub(in crate::tree) fn row_key(device: DeviceId, index: &[u32]) -> Vec<u8> {
    let mut key = Vec::with_capacity(4 + 4 * index.len());
    key.extend_from_slice(&device.0.to_be_bytes());
    for part in index {
        key.extend_from_slice(&part.to_be_bytes());
    }
    key
}

/// Device and index of a key on disk; `None` where it is not one.
pub(in crate::tree) fn read_key(key: &[u8]) -> Option<(DeviceId, Vec<u32>)> {
    let (parts, []) = key.as_chunks::<4>() else {
        return None;
    };
    let (device, index) = parts.split_first()?;
    let index = index.iter().copied().map(u32::from_be_bytes).collect();
    Some((DeviceId(u32::from_be_bytes(*device)), index))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_rows_does_not_matter() {
        let one = SetHash::of_row("t", &[0, 0, 0, 1], b"a");
        let two = SetHash::of_row("t", &[0, 0, 0, 2], b"b");
        let (mut there, mut back) = (one, two);
        there.add(two);
        back.add(one);
        assert_eq!(there, back);
        there.take(one);
        assert_eq!(there, two);
    }

    #[test]
    fn octets_that_move_from_the_key_to_the_value_change_the_hash() {
        let one = SetHash::of_row("t", &[0, 0, 0, 1], b"a");
        assert_ne!(one, SetHash::of_row("t", &[0, 0, 0], b"\x01a"));
        assert_ne!(one, SetHash::of_row("t\0", &[0, 0, 1], b"a"));
    }

    #[test]
    fn keys_sort_as_oids_do_and_read_back() {
        let mut keys: Vec<_> = [vec![2], vec![1, 300], vec![1], vec![1, 2]]
            .iter()
            .map(|index| row_key(DeviceId(9), index))
            .collect();
        keys.sort();
        let read: Vec<_> = keys.iter().filter_map(|key| read_key(key)).collect();
        let order = [vec![1], vec![1, 2], vec![1, 300], vec![2]];
        assert_eq!(read, order.map(|index| (DeviceId(9), index)));
    }
}
