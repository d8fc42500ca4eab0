//! SNMP's subset of BER (RFC 3417 §8): one-octet tags and definite lengths.
//!
//! The SNMP decoder keeps the framing here and leaves the meaning of single
//! fields to a library that is more forgiving than a manager's port should be.
//! Every length is held against its container. Reading never allocates, never goes
//! past the slice that it was given, never follows nesting by itself.

mod write;

pub use write::Writer;

use thiserror::Error;

/// INTEGER.
pub const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// NULL.
pub const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// IpAddress (RFC 2578 §7.1.5).
pub const IP_ADDRESS: u8 = 0x40;
/// Counter32 (RFC 2578 §7.1.6).
pub const COUNTER32: u8 = 0x41;
/// Gauge32 and Unsigned32 (RFC 2578 §7.1.7, §7.1.11).
pub const UNSIGNED32: u8 = 0x42;
/// TimeTicks (RFC 2578 §7.1.8).
pub const TIME_TICKS: u8 = 0x43;
/// Counter64 (RFC 2578 §7.1.10).
pub const COUNTER64: u8 = 0x46;

/// The most sub-identifiers that an OBJECT IDENTIFIER may have (RFC 2578 §3.5).
pub const MAX_ARCS: usize = 128;

/// The most octets after the first octet of a length.
const MAX_LENGTH_OCTETS: usize = 4;

/// What is wrong with an encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BerError {
    /// The octets end before the element does.
    #[error("the element is longer than what holds it")]
    Truncated,
    /// A tag of more than one octet.
    #[error("tag of more than one octet")]
    LongTag,
    /// RFC 3417 §8 (1): only the definite form is used.
    #[error("indefinite length")]
    IndefiniteLength,
    /// The length itself takes more octets than any message needs.
    #[error("length of more than four octets")]
    LongLength,
    /// Another element was due here.
    #[error("tag {found:#04x} where {expected:#04x} is due")]
    Tag {
        /// The tag that the grammar asks for.
        expected: u8,
        /// The tag that stands there.
        found: u8,
    },
    /// An INTEGER without octets, or with more than its field can hold.
    #[error("integer of no octets or of too many")]
    Integer,
    /// An OBJECT IDENTIFIER that is empty, unterminated, padded, or has a
    /// sub-identifier above 2^32-1.
    #[error("malformed object identifier")]
    ObjectIdentifier,
    /// More sub-identifiers than [`MAX_ARCS`].
    #[error("object identifier of more than 128 sub-identifiers")]
    TooManyArcs,
    /// Octets are left over at the end.
    #[error("octets after the last element")]
    Trailing,
}

/// One element: `tag | length | content`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Class, form and number in one octet.
    pub tag: u8,
    /// What the length counts.
    pub content: &'a [u8],
    /// Tag, length and content.
    pub whole: &'a [u8],
}

/// Reads elements one after the other out of a slice.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the first octet of `octets`.
    pub fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    /// Whether every octet was read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub fn any(&mut self) -> Result<Tlv<'a>, BerError> {
        let start = self.rest;
        let (&tag, after_tag) = start.split_first().ok_or(BerError::Truncated)?;
        if tag & 0x1f == 0x1f {
            return Err(BerError::LongTag);
        }
        let (length, after_length) = length(after_tag)?;
        let (content, rest) = after_length
            .split_at_checked(length)
            .ok_or(BerError::Truncated)?;
        self.rest = rest;
        Ok(Tlv {
            tag,
            content,
            whole: &start[..start.len() - rest.len()],
        })
    }

    /// The next element, which has to carry `tag`.
    pub fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, BerError> {
        let tlv = self.any()?;
        if tlv.tag == tag {
            Ok(tlv)
        } else {
            Err(BerError::Tag {
                expected: tag,
                found: tlv.tag,
            })
        }
    }

    /// A reader over the content of the next element, a SEQUENCE.
    pub fn sequence(&mut self) -> Result<Reader<'a>, BerError> {
        Ok(Reader::new(self.expect(SEQUENCE)?.content))
    }

    /// The next element as a signed 32-bit INTEGER.
    pub fn integer(&mut self) -> Result<i32, BerError> {
        let octets = self.expect(INTEGER)?.content;
        let (&first, rest) = octets.split_first().ok_or(BerError::Integer)?;
        if octets.len() > size_of::<i32>() {
            return Err(BerError::Integer);
        }
        let sign_extended = i32::from(first.cast_signed());
        Ok(rest
            .iter()
            .fold(sign_extended, |n, &octet| (n << 8) | i32::from(octet)))
    }

    /// Holds that nothing is left.
    pub fn finish(self) -> Result<(), BerError> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(BerError::Trailing)
        }
    }
}

/// Holds that `content` is exactly one element of each of `tags`, in order,
/// and that each INTEGER among them fits 32 bits.
pub fn shape(content: &[u8], tags: &[u8]) -> Result<(), BerError> {
    let mut reader = Reader::new(content);
    for &tag in tags {
        let octets = reader.expect(tag)?.content;
        if tag == INTEGER && !(1..=size_of::<i32>()).contains(&octets.len()) {
            return Err(BerError::Integer);
        }
    }
    reader.finish()
}

/// Appends the sub-identifiers of an OBJECT IDENTIFIER's content to `into`.
pub fn arcs(content: &[u8], into: &mut impl Extend<u32>) -> Result<(), BerError> {
    let mut rest = content;
    let first = arc(&mut rest, u64::from(u32::MAX) + 80)?;
    // X.690 §8.19.4: the first two arcs share one sub-identifier.
    let top = (first / 40).min(2);
    into.extend([narrow(top)?, narrow(first - 40 * top)?]);
    let mut count = 2;
    while !rest.is_empty() {
        count += 1;
        if count > MAX_ARCS {
            return Err(BerError::TooManyArcs);
        }
        into.extend([narrow(arc(&mut rest, u64::from(u32::MAX))?)?]);
    }
    Ok(())
}

/// X.690 §8.19.4: the first two arcs share one sub-identifier. It, and the rest.
fn first_arcs(arcs: &[u32]) -> (u64, &[u32]) {
    match arcs {
        [top, second, rest @ ..] => (u64::from(*top) * 40 + u64::from(*second), rest),
        [top] => (u64::from(*top) * 40, &[]),
        [] => (0, &[]),
    }
}

fn narrow(arc: u64) -> Result<u32, BerError> {
    u32::try_from(arc).map_err(|_| BerError::ObjectIdentifier)
}

fn arc(rest: &mut &[u8], most: u64) -> Result<u64, BerError> {
    // X.690 §8.19.2: the fewest octets possible, so never a leading 0x80.
    if rest.first() == Some(&0x80) {
        return Err(BerError::ObjectIdentifier);
    }
    let mut value = 0u64;
    while let Some((&octet, after)) = rest.split_first() {
        *rest = after;
        value = (value << 7) | u64::from(octet & 0x7f);
        if value > most {
            return Err(BerError::ObjectIdentifier);
        }
        if octet & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(BerError::ObjectIdentifier)
}

fn length(octets: &[u8]) -> Result<(usize, &[u8]), BerError> {
    let (&first, rest) = octets.split_first().ok_or(BerError::Truncated)?;
    if first < 0x80 {
        return Ok((usize::from(first), rest));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 {
        return Err(BerError::IndefiniteLength);
    }
    if count > MAX_LENGTH_OCTETS {
        return Err(BerError::LongLength);
    }
    // RFC 3417 §8 (2) lets a sender use more octets than the length needs.
    let (octets, rest) = rest.split_at_checked(count).ok_or(BerError::Truncated)?;
    let length = octets
        .iter()
        .fold(0, |n, &octet| (n << 8) | usize::from(octet));
    Ok((length, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn oid(content: &[u8]) -> Result<Vec<u32>, BerError> {
        let mut found = Vec::new();
        arcs(content, &mut found).map(|()| found)
    }

    fn integer(octets: &[u8]) -> Result<i32, BerError> {
        Reader::new(octets).integer()
    }

    #[test]
    fn an_element_knows_its_content_and_its_whole() {
        let mut reader = Reader::new(&[0x04, 0x02, 0xaa, 0xbb, 0x05, 0x00]);
        let tlv = reader.any().expect("first");
        assert_eq!((tlv.tag, tlv.content), (OCTET_STRING, &[0xaa, 0xbb][..]));
        assert_eq!(tlv.whole, [0x04, 0x02, 0xaa, 0xbb]);
        assert!(reader.expect(NULL).is_ok());
        assert!(reader.is_empty());
    }

    #[test]
    fn a_length_may_take_more_octets_than_it_needs() {
        let mut reader = Reader::new(&[0x04, 0x84, 0, 0, 0, 1, 0xaa]);
        assert_eq!(reader.any().expect("padded").content, [0xaa]);
    }

    #[test]
    fn indefinite_and_monstrous_lengths_are_refused() {
        let any = |octets: &[u8]| Reader::new(octets).any().map(|tlv| tlv.tag);
        assert_eq!(any(&[0x30, 0x80, 0, 0]), Err(BerError::IndefiniteLength));
        assert_eq!(any(&[0x30, 0xff]), Err(BerError::LongLength));
        assert_eq!(any(&[0x30, 0x85, 0, 0, 0, 0, 0]), Err(BerError::LongLength));
        assert_eq!(
            any(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]),
            Err(BerError::Truncated)
        );
        assert_eq!(any(&[0x30, 0x82, 0xff]), Err(BerError::Truncated));
        assert_eq!(any(&[0x30]), Err(BerError::Truncated));
        assert_eq!(any(&[]), Err(BerError::Truncated));
        assert_eq!(any(&[0x1f, 0x01, 0x00]), Err(BerError::LongTag));
    }

    #[test]
    fn integers_keep_their_sign() {
        assert_eq!(integer(&[2, 1, 0]), Ok(0));
        assert_eq!(integer(&[2, 1, 0xff]), Ok(-1));
        assert_eq!(integer(&[2, 4, 0x80, 0, 0, 0]), Ok(i32::MIN));
        assert_eq!(integer(&[2, 4, 0x7f, 0xff, 0xff, 0xff]), Ok(i32::MAX));
        assert_eq!(integer(&[2, 2, 0xff, 0x7f]), Ok(-129));
        assert_eq!(integer(&[2, 0]), Err(BerError::Integer));
        assert_eq!(integer(&[2, 5, 0, 1, 0, 0, 0]), Err(BerError::Integer));
    }

    #[test]
    fn object_identifiers_are_read_arc_by_arc() {
        assert_eq!(oid(&[0x2b, 6, 1]), Ok(vec![1, 3, 6, 1]));
        assert_eq!(oid(&[0]), Ok(vec![0, 0]));
        // 2.999 (X.690 §8.19.5 uses 2.100.3): 999 + 80 in two octets.
        assert_eq!(oid(&[0x88, 0x37]), Ok(vec![2, 999]));
        assert_eq!(
            oid(&[0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f]),
            Ok(vec![1, 3, u32::MAX])
        );
        // RFC 2578 §3.5: the second one may be 2^32-1 as well.
        assert_eq!(oid(&[0x90, 0x80, 0x80, 0x80, 0x4f]), Ok(vec![2, u32::MAX]));
        assert_eq!(
            oid(&[0x90, 0x80, 0x80, 0x80, 0x50]),
            Err(BerError::ObjectIdentifier)
        );
    }

    #[test]
    fn malformed_object_identifiers_are_refused() {
        assert_eq!(oid(&[]), Err(BerError::ObjectIdentifier));
        assert_eq!(oid(&[0x2b, 0x86]), Err(BerError::ObjectIdentifier));
        assert_eq!(oid(&[0x2b, 0x80, 1]), Err(BerError::ObjectIdentifier));
        // 2^32 and an arc that never ends.
        assert_eq!(
            oid(&[0x2b, 0x90, 0x80, 0x80, 0x80, 0]),
            Err(BerError::ObjectIdentifier)
        );
        assert_eq!(oid(&[0xff; 40]), Err(BerError::ObjectIdentifier));
        assert_eq!(oid(&[1; 127]).map(|arcs| arcs.len()), Ok(MAX_ARCS));
        assert_eq!(oid(&[1; 128]), Err(BerError::TooManyArcs));
    }

    #[test]
    fn a_shape_is_exact() {
        let content = [2, 1, 5, 4, 0];
        assert_eq!(shape(&content, &[INTEGER, OCTET_STRING]), Ok(()));
        assert_eq!(shape(&content, &[INTEGER]), Err(BerError::Trailing));
        assert_eq!(
            shape(&content, &[INTEGER, OCTET_STRING, NULL]),
            Err(BerError::Truncated)
        );
        assert_eq!(
            shape(&[0x42, 1, 5], &[INTEGER]),
            Err(BerError::Tag {
                expected: INTEGER,
                found: UNSIGNED32
            })
        );
        assert_eq!(shape(&[2, 0], &[INTEGER]), Err(BerError::Integer));
    }
}
