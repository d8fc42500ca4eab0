//! Writing elements, front to back, each with the shortest length that counts
//! its content (RFC 3417 §8).
//!
//! A length is written when its content is there: one octet is kept free for
//! it, and the few contents that need more are moved up. Nothing here can fail.

use super::{
    COUNTER64, INTEGER, IP_ADDRESS, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, first_arcs,
};

/// Elements one after the other.
#[derive(Debug, Default)]
pub struct Writer {
    octets: Vec<u8>,
}

impl Writer {
    /// A writer that holds so many octets before it grows.
    pub fn with_capacity(octets: usize) -> Self {
        Self {
            octets: Vec::with_capacity(octets),
        }
    }

    /// What is written.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// What was written, for keeps.
    pub fn finish(self) -> Vec<u8> {
        self.octets
    }

    /// Takes back what was written beyond the first `length` octets.
    pub fn truncate(&mut self, length: usize) {
        self.octets.truncate(length);
    }

    /// Octets as they are, elements themselves.
    pub fn raw(&mut self, octets: &[u8]) {
        self.octets.extend_from_slice(octets);
    }

    /// An element of known content.
    pub fn element(&mut self, tag: u8, content: &[u8]) {
        self.octets.push(tag);
        let (length, count) = length(content.len());
        self.octets.extend_from_slice(&length[..count]);
        self.octets.extend_from_slice(content);
    }

    /// An element whose content `write` writes.
    pub fn constructed(&mut self, tag: u8, write: impl FnOnce(&mut Self)) {
        self.octets.extend_from_slice(&[tag, 0]);
        let start = self.octets.len();
        write(self);
        let (length, count) = length(self.octets.len() - start);
        self.octets[start - 1] = length[0];
        if count > 1 {
            let rest = length[1..count].iter().copied();
            self.octets.splice(start..start, rest);
        }
    }

    /// A SEQUENCE whose content `write` writes.
    pub fn sequence(&mut self, write: impl FnOnce(&mut Self)) {
        self.constructed(SEQUENCE, write);
    }

    /// An OCTET STRING.
    pub fn octet_string(&mut self, octets: &[u8]) {
        self.element(OCTET_STRING, octets);
    }

    /// An INTEGER.
    pub fn integer(&mut self, number: i32) {
        self.element(INTEGER, shortest(&number.to_be_bytes()));
    }

    /// An unsigned number of 32 bits under `tag`.
    pub fn unsigned(&mut self, tag: u8, number: u32) {
        // A leading zero, so that the top bit is no sign.
        self.element(tag, shortest(&i64::from(number).to_be_bytes()));
    }

    /// A Counter64.
    pub fn counter64(&mut self, number: u64) {
        self.element(COUNTER64, shortest(&i128::from(number).to_be_bytes()));
    }

    /// An IpAddress.
    pub fn ip_address(&mut self, octets: [u8; 4]) {
        self.element(IP_ADDRESS, &octets);
    }

    /// An OBJECT IDENTIFIER.
    pub fn object_identifier(&mut self, arcs: &[u32]) {
        self.object_identifier_after(&[], arcs);
    }

    /// An OBJECT IDENTIFIER whose beginning is encoded already; where that is
    /// empty, `arcs` are all there is.
    pub fn object_identifier_after(&mut self, encoded: &[u8], arcs: &[u32]) {
        self.constructed(OBJECT_IDENTIFIER, |writer| {
            let mut arcs = arcs;
            if encoded.is_empty() {
                let (first, rest) = first_arcs(arcs);
                writer.arc(first);
                arcs = rest;
            }
            writer.raw(encoded);
            for &arc in arcs {
                writer.arc(u64::from(arc));
            }
        });
    }

    fn arc(&mut self, arc: u64) {
        if arc < 0x80 {
            return self.octets.push(arc as u8);
        }
        let septets = arc.ilog2() / 7;
        for septet in (0..=septets).rev() {
            let more = if septet > 0 { 0x80 } else { 0 };
            self.octets.push((arc >> (7 * septet)) as u8 & 0x7f | more);
        }
    }
}

/// A length in its shortest form: the octets, and how many of them count.
fn length(content: usize) -> ([u8; 1 + size_of::<usize>()], usize) {
    let mut octets = [0; 1 + size_of::<usize>()];
    if content < 0x80 {
        octets[0] = content as u8;
        return (octets, 1);
    }
    let count = content.ilog2() as usize / 8 + 1;
    octets[0] = 0x80 | count as u8;
    let bytes = content.to_be_bytes();
    octets[1..=count].copy_from_slice(&bytes[bytes.len() - count..]);
    (octets, 1 + count)
}

/// X.690 §8.3.2: no leading octet that only repeats the sign.
fn shortest(number: &[u8]) -> &[u8] {
    let mut rest = number;
    while let [first @ (0 | 0xff), after @ ..] = rest
        && let [second, ..] = after
        && first & 0x80 == second & 0x80
    {
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::ber::{COUNTER32, Reader, TIME_TICKS, UNSIGNED32, arcs};

    fn written(write: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::default();
        write(&mut writer);
        writer.finish()
    }

    #[test]
    fn numbers_take_the_fewest_octets() {
        let integer = |number| written(|writer| writer.integer(number));
        assert_eq!(integer(0), [2, 1, 0]);
        assert_eq!(integer(127), [2, 1, 127]);
        assert_eq!(integer(128), [2, 2, 0, 128]);
        assert_eq!(integer(-1), [2, 1, 0xff]);
        assert_eq!(integer(-128), [2, 1, 128]);
        assert_eq!(integer(-129), [2, 2, 0xff, 0x7f]);
        assert_eq!(integer(i32::MIN), [2, 4, 0x80, 0, 0, 0]);
        assert_eq!(integer(i32::MAX), [2, 4, 0x7f, 0xff, 0xff, 0xff]);
        let unsigned = |tag, number| written(|writer| writer.unsigned(tag, number));
        assert_eq!(unsigned(UNSIGNED32, 128), [0x42, 2, 0, 128]);
        assert_eq!(
            unsigned(COUNTER32, u32::MAX),
            [0x41, 5, 0, 0xff, 0xff, 0xff, 0xff]
        );
        assert_eq!(unsigned(TIME_TICKS, 0x0100), [0x43, 2, 1, 0]);
        let counter = |number| written(|writer| writer.counter64(number));
        assert_eq!(counter(0), [0x46, 1, 0]);
        assert_eq!(counter(1 << 63)[..4], [0x46, 9, 0, 0x80]);
        assert_eq!(counter(u64::MAX)[1], 9);
    }

    #[test]
    fn every_integer_is_read_back() {
        for bit in 0..32 {
            for number in [1i32.rotate_left(bit), 1i32.rotate_left(bit).wrapping_neg()] {
                let octets = written(|writer| writer.integer(number));
                assert_eq!(Reader::new(&octets).integer(), Ok(number));
            }
        }
    }

    #[test]
    fn object_identifiers_take_the_fewest_octets() {
        let oid = |arcs: &[u32]| written(|writer| writer.object_identifier(arcs));
        assert_eq!(oid(&[1, 3, 127, 128]), [6, 4, 0x2b, 0x7f, 0x81, 0]);
        assert_eq!(
            oid(&[2, 999, u32::MAX]),
            [6, 7, 0x88, 0x37, 0x8f, 0xff, 0xff, 0xff, 0x7f]
        );
        // zeroDotZero, however it is put.
        assert_eq!(oid(&[2, u32::MAX]), [6, 5, 0x90, 0x80, 0x80, 0x80, 0x4f]);
        assert_eq!(oid(&[0, 0]), [6, 1, 0]);
        assert_eq!(oid(&[0]), [6, 1, 0]);
        assert_eq!(oid(&[]), [6, 1, 0]);
        for bit in 0..32 {
            let name = [1, 3, (1 << bit) - 1, 1 << bit];
            let octets = oid(&name);
            let mut read = Vec::new();
            arcs(&octets[2..], &mut read).expect("well-formed");
            assert_eq!(read, name);
        }
    }

    #[test]
    fn an_identifier_may_begin_encoded() {
        let whole = written(|writer| writer.object_identifier(&[1, 3, 6, 1, 300, 7]));
        let parts = written(|writer| writer.object_identifier_after(&[0x2b, 6, 1], &[300, 7]));
        assert_eq!(whole, parts);
    }

    #[test]
    fn a_long_content_gets_a_long_length() {
        for size in [0, 1, 127, 128, 255, 256, 65_535, 65_536, 70_000] {
            let content = vec![7; size];
            let whole = written(|writer| writer.octet_string(&content));
            let nested = written(|writer| writer.constructed(OCTET_STRING, |w| w.raw(&content)));
            assert_eq!(whole, nested);
            assert_eq!(Reader::new(&whole).any().expect("whole").content, content);
        }
        assert_eq!(written(|w| w.octet_string(&[7; 256]))[..4], [4, 0x82, 1, 0]);
    }
}
