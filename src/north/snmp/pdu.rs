//! Reading a PDU (RFC 3416 §3, RFC 1157 §4.1).
//!
//! Names are decoded at once, since every operation needs them; values only
//! when a SET asks for them. A value that does not fit its own tag is not a
//! broken message but a reason to refuse that SET (wrongEncoding).

use snmp_parser::asn1_rs::{Any, FromBer};
use snmp_parser::{NetworkAddress, ObjectSyntax};
use thiserror::Error;

use super::access::{Oid, Reason, Value, Wish};
use super::message::Version;
use crate::wire::ber::{
    self, BerError, COUNTER32, COUNTER64, INTEGER, IP_ADDRESS, OBJECT_IDENTIFIER, OCTET_STRING,
    Reader, SEQUENCE, TIME_TICKS, Tlv, UNSIGNED32,
};

/// The most bindings that one request may carry; far more than any answer holds.
pub const MAX_BINDINGS: usize = 1024;

/// The operation that a PDU stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// GetRequest.
    Get,
    /// GetNextRequest.
    GetNext,
    /// GetBulkRequest.
    GetBulk,
    /// SetRequest.
    Set,
    /// InformRequest.
    Inform,
    /// Response.
    Response,
    /// A trap of SNMPv1 or SNMPv2.
    Trap,
    /// Report.
    Report,
}

/// One PDU, borrowed from its message.
#[derive(Debug)]
pub struct Pdu<'a> {
    /// The operation.
    pub kind: Kind,
    /// Copied into the response, any 32-bit value.
    pub request_id: i32,
    /// GetBulk: how many bindings are asked once; else the error-status, unused.
    pub non_repeaters: i32,
    /// GetBulk: how often the other bindings are asked; else the error-index, unused.
    pub max_repetitions: i32,
    /// The list of bindings as it stood in the message, tag and all.
    pub list: &'a [u8],
    /// The bindings, in order.
    pub bindings: Vec<Binding<'a>>,
}

/// One name and what stood beside it.
#[derive(Debug)]
pub struct Binding<'a> {
    /// The name.
    pub name: Oid,
    /// The value's element; NULL in requests that read.
    pub value: Tlv<'a>,
}

/// Why a PDU cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PduError {
    /// The framing is broken.
    #[error("malformed PDU: {0}")]
    Framing(#[from] BerError),
    /// A tag that stands for no operation of this version.
    #[error("unknown PDU {0:#04x}")]
    Kind(u8),
    /// A binding's name or framing is broken.
    #[error("malformed binding {position}: {error}")]
    Binding {
        /// Which binding, counted from 1.
        position: usize,
        /// What is wrong with it.
        error: BerError,
    },
    /// More bindings than [`MAX_BINDINGS`].
    #[error("more than 1024 bindings")]
    TooManyBindings,
}

impl Kind {
    /// The operation that `tag` stands for in a message of `version`.
    pub fn of(tag: u8, version: Version) -> Option<Self> {
        match (tag, version) {
            (0xa0, _) => Some(Self::Get),
            (0xa1, _) => Some(Self::GetNext),
            (0xa2, _) => Some(Self::Response),
            (0xa3, _) => Some(Self::Set),
            (0xa4, Version::V1) => Some(Self::Trap),
            (_, Version::V1) => None,
            (0xa5, _) => Some(Self::GetBulk),
            (0xa6, _) => Some(Self::Inform),
            (0xa7, _) => Some(Self::Trap),
            (0xa8, _) => Some(Self::Report),
            _ => None,
        }
    }

    /// Whether the sender waits for an answer (RFC 3411 §2.8).
    pub fn is_confirmed(self) -> bool {
        match self {
            Self::Get | Self::GetNext | Self::GetBulk | Self::Set | Self::Inform => true,
            Self::Response | Self::Trap | Self::Report => false,
        }
    }
}

impl<'a> Pdu<'a> {
    /// The operation and the request-id, without a look at the bindings.
    pub fn head(octets: &[u8], version: Version) -> Option<(Kind, i32)> {
        let tlv = Reader::new(octets).any().ok()?;
        let kind = Kind::of(tlv.tag, version)?;
        let request_id = Reader::new(tlv.content).integer().ok()?;
        Some((kind, request_id))
    }

    /// Reads a whole PDU; traps of SNMPv1 have another layout and no one to
    /// answer, so their inside is not looked at.
    pub fn read(octets: &'a [u8], version: Version) -> Result<Self, PduError> {
        let mut outer = Reader::new(octets);
        let tlv = outer.any()?;
        outer.finish()?;
        let kind = Kind::of(tlv.tag, version).ok_or(PduError::Kind(tlv.tag))?;
        let mut pdu = Self {
            kind,
            request_id: 0,
            non_repeaters: 0,
            max_repetitions: 0,
            list: &[],
            bindings: Vec::new(),
        };
        if (kind, version) == (Kind::Trap, Version::V1) {
            return Ok(pdu);
        }
        let mut inner = Reader::new(tlv.content);
        pdu.request_id = inner.integer()?;
        pdu.non_repeaters = inner.integer()?;
        pdu.max_repetitions = inner.integer()?;
        let list = inner.expect(SEQUENCE)?;
        inner.finish()?;
        pdu.list = list.whole;
        pdu.bindings = bindings(list.content)?;
        Ok(pdu)
    }

    /// What a SET asks for, binding by binding.
    pub fn wishes(&self) -> Vec<Wish> {
        let wish = |binding: &Binding<'_>| Wish {
            name: binding.name.clone(),
            value: value(binding.value),
        };
        self.bindings.iter().map(wish).collect()
    }
}

fn bindings(list: &[u8]) -> Result<Vec<Binding<'_>>, PduError> {
    let mut reader = Reader::new(list);
    let mut found = Vec::new();
    while !reader.is_empty() {
        if found.len() == MAX_BINDINGS {
            return Err(PduError::TooManyBindings);
        }
        let position = found.len() + 1;
        let one = binding(&mut reader).map_err(|error| PduError::Binding { position, error })?;
        found.push(one);
    }
    Ok(found)
}

fn binding<'a>(reader: &mut Reader<'a>) -> Result<Binding<'a>, BerError> {
    let mut inner = reader.sequence()?;
    let mut name = Oid::new();
    ber::arcs(inner.expect(OBJECT_IDENTIFIER)?.content, &mut name)?;
    let value = inner.any()?;
    inner.finish()?;
    Ok(Binding { name, value })
}

/// The value of a SET's binding. NULL, the exceptions, Opaque and unknown tags
/// are of no type that an object here has.
fn value(tlv: Tlv<'_>) -> Result<Value, Reason> {
    // The parser takes an empty string for no value, and an empty number for 0.
    match tlv.tag {
        OCTET_STRING => return Ok(Value::Octets(tlv.content.into())),
        UNSIGNED32 | COUNTER32 | COUNTER64 | TIME_TICKS if tlv.content.is_empty() => {
            return Err(Reason::WrongEncoding);
        }
        _ => {}
    }
    let syntax = Any::from_ber(tlv.whole)
        .map_err(|_| Reason::WrongEncoding)
        .and_then(|(_, any)| ObjectSyntax::try_from(any).map_err(|_| Reason::WrongEncoding));
    match (tlv.tag, syntax) {
        (INTEGER, Ok(ObjectSyntax::Number(number))) => Ok(Value::Integer(number)),
        (UNSIGNED32, Ok(ObjectSyntax::Gauge32(number))) => Ok(Value::Unsigned(number)),
        (COUNTER32, Ok(ObjectSyntax::Counter32(number))) => Ok(Value::Counter32(number)),
        (COUNTER64, Ok(ObjectSyntax::Counter64(number))) => Ok(Value::Counter64(number)),
        (TIME_TICKS, Ok(ObjectSyntax::TimeTicks(ticks))) => Ok(Value::TimeTicks(ticks)),
        (IP_ADDRESS, Ok(ObjectSyntax::IpAddress(NetworkAddress::IPv4(address)))) => {
            Ok(Value::IpAddress(address.octets()))
        }
        (OBJECT_IDENTIFIER, _) => object_identifier(tlv.content),
        (INTEGER | UNSIGNED32 | COUNTER32 | COUNTER64 | TIME_TICKS | IP_ADDRESS, _) => {
            Err(Reason::WrongEncoding)
        }
        _ => Err(Reason::WrongType),
    }
}

fn object_identifier(content: &[u8]) -> Result<Value, Reason> {
    let mut arcs = Oid::new();
    ber::arcs(content, &mut arcs).map_err(|_| Reason::WrongEncoding)?;
    Ok(Value::Oid(arcs.as_slice().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A PDU of `tag` with `request_id` as an encoded INTEGER and one binding.
    fn pdu(tag: u8, request_id: &[u8], binding: &[u8]) -> Vec<u8> {
        let mut content = request_id.to_vec();
        content.extend([2, 1, 0, 2, 1, 0]);
        content.extend(tlv(SEQUENCE, &tlv(SEQUENCE, binding)));
        tlv(tag, &content)
    }

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).expect("short");
        let mut whole = if length < 128 {
            vec![tag, length]
        } else {
            vec![tag, 0x81, length]
        };
        whole.extend(content);
        whole
    }

    fn read(octets: &[u8]) -> Result<Pdu<'_>, PduError> {
        Pdu::read(octets, Version::V2c)
    }

    const SYS_DESCR: [u8; 10] = [6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0];

    fn binding_of(value: &[u8]) -> Vec<u8> {
        [&SYS_DESCR[..], value].concat()
    }

    fn wish(value: &[u8]) -> Result<Value, Reason> {
        let octets = pdu(0xa3, &[2, 1, 1], &binding_of(value));
        let pdu = read(&octets).expect("a readable PDU");
        pdu.wishes().remove(0).value
    }

    #[test]
    fn a_request_shows_its_names() {
        let octets = pdu(0xa0, &[2, 1, 9], &binding_of(&[5, 0]));
        let pdu = read(&octets).expect("readable");
        assert_eq!((pdu.kind, pdu.request_id), (Kind::Get, 9));
        assert_eq!(pdu.bindings[0].name[..], [1, 3, 6, 1, 2, 1, 1, 1, 0]);
        assert_eq!(pdu.list[0], SEQUENCE);
    }

    #[test]
    fn a_request_id_may_be_negative() {
        let octets = pdu(0xa0, &[2, 4, 0x80, 0, 0, 0], &binding_of(&[5, 0]));
        assert_eq!(read(&octets).map(|pdu| pdu.request_id), Ok(i32::MIN));
        assert_eq!(
            Pdu::head(&octets, Version::V2c),
            Some((Kind::Get, i32::MIN))
        );
    }

    #[test]
    fn every_truncation_is_refused() {
        let octets = pdu(0xa3, &[2, 1, 1], &binding_of(&[4, 2, 65, 66]));
        for length in 0..octets.len() {
            assert!(read(&octets[..length]).is_err(), "length {length}");
        }
        // Lengths that agree with each other but not with what they hold.
        for index in 0..octets.len() {
            for wrong in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut octets = octets.clone();
                octets[index] = wrong;
                if let Ok(pdu) = read(&octets) {
                    drop(pdu.wishes());
                }
            }
        }
    }

    #[test]
    fn a_broken_name_names_its_binding() {
        let at_first = |name: &[u8]| {
            let octets = pdu(0xa0, &[2, 1, 1], &[name, &[5, 0]].concat());
            read(&octets).err()
        };
        let position = 1;
        for name in [&[6, 0][..], &[6, 1, 0x80], &[6, 2, 0x2b, 0x81]] {
            assert_eq!(
                at_first(name),
                Some(PduError::Binding {
                    position,
                    error: BerError::ObjectIdentifier
                })
            );
        }
        assert_eq!(
            at_first(&tlv(6, &[1; 128])),
            Some(PduError::Binding {
                position,
                error: BerError::TooManyArcs
            })
        );
        assert_eq!(at_first(&tlv(6, &[1; 127])), None);
    }

    #[test]
    fn the_number_of_bindings_is_bounded() {
        let one = tlv(SEQUENCE, &[6, 1, 0, 5, 0]);
        assert_eq!(
            bindings(&one.repeat(MAX_BINDINGS)).map(|found| found.len()),
            Ok(MAX_BINDINGS)
        );
        assert_eq!(
            bindings(&one.repeat(MAX_BINDINGS + 1)).err(),
            Some(PduError::TooManyBindings)
        );
    }

    #[test]
    fn version_1_knows_five_operations() {
        assert_eq!(Kind::of(0xa5, Version::V1), None);
        assert_eq!(Kind::of(0xa8, Version::V1), None);
        assert_eq!(Kind::of(0xa4, Version::V1), Some(Kind::Trap));
        assert_eq!(Kind::of(0xa4, Version::V2c), None);
        assert_eq!(Kind::of(0x30, Version::V2c), None);
    }

    #[test]
    fn a_trap_of_version_1_is_known_by_its_tag_alone() {
        let trap = Pdu::read(&[0xa4, 2, 0xde, 0xad], Version::V1).expect("a trap");
        assert_eq!(trap.kind, Kind::Trap);
    }

    #[test]
    fn values_of_every_type_are_read() {
        assert_eq!(wish(&[2, 1, 0xff]), Ok(Value::Integer(-1)));
        assert_eq!(
            wish(&[0x42, 5, 0, 0xff, 0xff, 0xff, 0xff]),
            Ok(Value::Unsigned(u32::MAX))
        );
        assert_eq!(wish(&[0x41, 1, 7]), Ok(Value::Counter32(7)));
        assert_eq!(wish(&[0x43, 1, 7]), Ok(Value::TimeTicks(7)));
        assert_eq!(
            wish(&[0x46, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
            Ok(Value::Counter64(u64::MAX))
        );
        assert_eq!(
            wish(&[0x40, 4, 10, 0, 0, 1]),
            Ok(Value::IpAddress([10, 0, 0, 1]))
        );
        assert_eq!(
            wish(&[4, 2, 0xff, 0x00]),
            Ok(Value::Octets([0xff, 0x00].into()))
        );
        assert_eq!(wish(&[6, 2, 0x2b, 6]), Ok(Value::Oid([1, 3, 6].into())));
    }

    #[test]
    fn an_empty_string_is_a_string() {
        assert_eq!(wish(&[4, 0]), Ok(Value::Octets([].into())));
    }

    #[test]
    fn octets_that_do_not_fit_their_tag_are_wrong_encoding() {
        for value in [
            &[2, 0][..],
            &[2, 5, 1, 0, 0, 0, 0],
            &[0x42, 0],
            &[0x42, 4, 0xff, 0xff, 0xff, 0xff],
            &[0x41, 6, 0, 1, 0, 0, 0, 0],
            &[0x46, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0x40, 3, 1, 2, 3],
            &[0x40, 5, 1, 2, 3, 4, 5],
            &[6, 0],
            &[6, 2, 0x2b, 0x81],
        ] {
            assert_eq!(wish(value), Err(Reason::WrongEncoding), "{value:02x?}");
        }
    }

    #[test]
    fn what_no_object_can_hold_is_wrong_type() {
        for value in [
            &[5, 0][..],
            &[0x80, 0],
            &[0x81, 0],
            &[0x82, 0],
            &[0x44, 1, 0],
            &[0x47, 1, 0],
            &[0x30, 0],
            &[0x03, 2, 0, 1],
        ] {
            assert_eq!(wish(value), Err(Reason::WrongType), "{value:02x?}");
        }
    }
}
