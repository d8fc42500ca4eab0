//! Opening an SNMP message: octets in, envelope out.
//!
//! Reads the version and whatever stands around the PDU: a community, or the
//! header of RFC 3412 §6. It judges form only. Who is asking is `community`'s
//! and `usm`'s affair, what is asked is `pdu`'s.

use snmp_parser::HeaderData;
use snmp_parser::asn1_rs::FromBer;
use thiserror::Error;

use super::counters::Counter;
use crate::wire::ber::{self, BerError, INTEGER, OCTET_STRING, Reader, SEQUENCE};

/// The smallest msgMaxSize that a sender may state (RFC 3412 §6.2).
pub const MIN_MESSAGE_SIZE: usize = 484;

/// Which protocol a message speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Version {
    /// SNMPv1 (RFC 1157).
    V1,
    /// SNMPv2c (RFC 1901).
    V2c,
    /// SNMPv3 (RFC 3412).
    V3,
}

/// How far a message is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Neither authenticated nor encrypted.
    NoAuthNoPriv,
    /// Authenticated.
    AuthNoPriv,
    /// Authenticated and encrypted.
    AuthPriv,
}

/// One message, borrowed from its datagram.
#[derive(Debug)]
pub enum Message<'a> {
    /// v1 or v2c.
    Community(CommunityMessage<'a>),
    /// v3.
    V3(V3Message<'a>),
}

/// `SEQUENCE { version, community, data }`.
#[derive(Debug)]
pub struct CommunityMessage<'a> {
    /// V1 or V2c.
    pub version: Version,
    /// The community string.
    pub community: &'a [u8],
    /// The PDU, tag and all.
    pub pdu: &'a [u8],
}

/// `SEQUENCE { version, msgGlobalData, msgSecurityParameters, msgData }`.
#[derive(Debug)]
pub struct V3Message<'a> {
    /// All octets of the message, which a digest covers.
    pub datagram: &'a [u8],
    /// msgID, 0 to 2^31-1.
    pub id: i32,
    /// The longest answer that the sender takes, in octets.
    pub max_size: usize,
    /// How the sender says that the message is protected.
    pub level: Level,
    /// Whether a Report may be sent back.
    pub reportable: bool,
    /// The content of msgSecurityParameters.
    pub security: &'a [u8],
    /// msgData: a scoped PDU with its tag, or the ciphertext of one.
    pub data: &'a [u8],
}

/// `SEQUENCE { contextEngineID, contextName, data }` (RFC 3412 §6.8).
#[derive(Debug)]
pub struct ScopedPdu<'a> {
    /// Whose objects are meant.
    pub context_engine_id: &'a [u8],
    /// Which of the engine's sets of objects is meant.
    pub context_name: &'a [u8],
    /// The PDU, tag and all.
    pub pdu: &'a [u8],
}

impl<'a> ScopedPdu<'a> {
    /// Opens a scoped PDU, in the clear or decrypted.
    pub fn open(octets: &'a [u8]) -> Result<Self, BerError> {
        let mut outer = Reader::new(octets);
        let mut inner = outer.sequence()?;
        outer.finish()?;
        let context_engine_id = inner.expect(OCTET_STRING)?.content;
        let context_name = inner.expect(OCTET_STRING)?.content;
        let pdu = inner.any()?.whole;
        inner.finish()?;
        Ok(Self {
            context_engine_id,
            context_name,
            pdu,
        })
    }
}

/// Why a message was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MessageError {
    /// The framing is broken.
    #[error("malformed message: {0}")]
    Framing(#[from] BerError),
    /// A version other than 0, 1 and 3.
    #[error("unknown message version {0}")]
    Version(i32),
    /// A field of msgGlobalData is out of its range.
    #[error("malformed message header")]
    Header,
    /// msgMaxSize below 484.
    #[error("maximum message size {0} is below 484")]
    MaxSize(u32),
    /// msgFlags asks for privacy without authentication.
    #[error("privacy without authentication")]
    Flags,
    /// msgSecurityModel is not USM.
    #[error("unknown security model {0}")]
    SecurityModel(u32),
}

impl MessageError {
    /// The counter that remembers it.
    pub fn counter(self) -> Counter {
        match self {
            Self::Framing(_) | Self::Header | Self::MaxSize(_) => Counter::InAsnParseErrs,
            Self::Version(_) => Counter::InBadVersions,
            Self::Flags => Counter::InvalidMsgs,
            Self::SecurityModel(_) => Counter::UnknownSecurityModels,
        }
    }
}

impl<'a> Message<'a> {
    /// Opens a datagram, which has to be one message and nothing else.
    pub fn open(datagram: &'a [u8]) -> Result<Self, MessageError> {
        let mut outer = Reader::new(datagram);
        let mut inner = outer.sequence()?;
        outer.finish()?;
        match inner.integer()? {
            0 => open_community(Version::V1, inner),
            1 => open_community(Version::V2c, inner),
            3 => open_v3(datagram, inner),
            version => Err(MessageError::Version(version)),
        }
    }
}

fn open_community(version: Version, mut inner: Reader<'_>) -> Result<Message<'_>, MessageError> {
    let community = inner.expect(OCTET_STRING)?.content;
    let pdu = inner.any()?.whole;
    inner.finish()?;
    Ok(Message::Community(CommunityMessage {
        version,
        community,
        pdu,
    }))
}

fn open_v3<'a>(datagram: &'a [u8], mut inner: Reader<'a>) -> Result<Message<'a>, MessageError> {
    let global = inner.expect(SEQUENCE)?;
    // The parser below takes any class of tag and an empty INTEGER for 0.
    ber::shape(global.content, &[INTEGER, INTEGER, OCTET_STRING, INTEGER])?;
    let (_, header) = HeaderData::from_ber(global.whole).map_err(|_| MessageError::Header)?;
    let security = inner.expect(OCTET_STRING)?.content;
    let level = level(&header)?;
    let data = match level {
        Level::AuthPriv => inner.expect(OCTET_STRING)?.content,
        Level::NoAuthNoPriv | Level::AuthNoPriv => inner.expect(SEQUENCE)?.whole,
    };
    inner.finish()?;
    Ok(Message::V3(V3Message {
        datagram,
        id: i32::try_from(header.msg_id).map_err(|_| MessageError::Header)?,
        max_size: max_size(&header)?,
        level,
        reportable: header.is_reportable(),
        security,
        data,
    }))
}

/// RFC 3412 §7.2 (4) and (5).
fn level(header: &HeaderData) -> Result<Level, MessageError> {
    if header.msg_security_model.0 != USM {
        return Err(MessageError::SecurityModel(header.msg_security_model.0));
    }
    match (header.is_authenticated(), header.is_encrypted()) {
        (false, false) => Ok(Level::NoAuthNoPriv),
        (true, false) => Ok(Level::AuthNoPriv),
        (true, true) => Ok(Level::AuthPriv),
        (false, true) => Err(MessageError::Flags),
    }
}

fn max_size(header: &HeaderData) -> Result<usize, MessageError> {
    usize::try_from(header.msg_max_size)
        .ok()
        .filter(|&size| size >= MIN_MESSAGE_SIZE)
        .ok_or(MessageError::MaxSize(header.msg_max_size))
}

/// The User-based Security Model's number (RFC 3411 §5).
pub const USM: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::snmp::testing::{V2C_GET, v3_datagram};

    fn refusal(datagram: &[u8]) -> Option<MessageError> {
        Message::open(datagram).err()
    }

    fn header(flags: u8, model: u8, max_size: &[u8]) -> Vec<u8> {
        v3_datagram(&[0x02, 0x01, 0x07], max_size, flags, model)
    }

    const SIZE_1472: &[u8] = &[0x02, 0x02, 0x05, 0xc0];

    #[test]
    fn a_v2c_message_shows_its_community_and_its_pdu() {
        let Ok(Message::Community(message)) = Message::open(V2C_GET) else {
            panic!("not a community message");
        };
        assert_eq!(message.version, Version::V2c);
        assert_eq!(message.community, b"public");
        assert_eq!(message.pdu[0], 0xa0);
    }

    #[test]
    fn every_truncation_is_refused() {
        for length in 0..V2C_GET.len() {
            assert!(refusal(&V2C_GET[..length]).is_some(), "length {length}");
        }
        let v3 = header(0x04, 3, SIZE_1472);
        for length in 0..v3.len() {
            assert!(refusal(&v3[..length]).is_some(), "length {length}");
        }
    }

    #[test]
    fn octets_after_the_message_are_refused() {
        let mut longer = V2C_GET.to_vec();
        longer.push(0);
        assert_eq!(
            refusal(&longer),
            Some(MessageError::Framing(BerError::Trailing))
        );
    }

    #[test]
    fn unknown_versions_are_told_apart_from_broken_messages() {
        let mut datagram = V2C_GET.to_vec();
        datagram[4] = 2;
        assert_eq!(refusal(&datagram), Some(MessageError::Version(2)));
        datagram[4] = 0xff;
        assert_eq!(refusal(&datagram), Some(MessageError::Version(-1)));
        assert_eq!(
            refusal(&datagram).map(MessageError::counter),
            Some(Counter::InBadVersions)
        );
    }

    #[test]
    fn privacy_without_authentication_is_an_invalid_message() {
        assert_eq!(
            refusal(&header(0x02, 3, SIZE_1472)),
            Some(MessageError::Flags)
        );
        assert_eq!(
            refusal(&header(0x06, 3, SIZE_1472)),
            Some(MessageError::Flags)
        );
    }

    #[test]
    fn undefined_flag_bits_are_ignored() {
        let datagram = header(0xfc, 3, SIZE_1472);
        let Ok(Message::V3(message)) = Message::open(&datagram) else {
            panic!("not opened");
        };
        assert_eq!(message.level, Level::NoAuthNoPriv);
        assert!(message.reportable);
    }

    #[test]
    fn the_senders_maximum_is_at_least_484() {
        let sized = |size: &[u8]| refusal(&header(0x04, 3, size));
        assert_eq!(sized(&[2, 1, 0]), Some(MessageError::MaxSize(0)));
        assert_eq!(sized(&[2, 2, 0x01, 0xe3]), Some(MessageError::MaxSize(483)));
        assert_eq!(sized(&[2, 2, 0x01, 0xe4]), None);
        assert_eq!(sized(&[2, 4, 0x7f, 0xff, 0xff, 0xff]), None);
        assert_eq!(sized(&[2, 1, 0xff]), Some(MessageError::Header));
    }

    #[test]
    fn a_negative_message_id_is_refused() {
        let datagram = v3_datagram(&[0x02, 0x01, 0xff], SIZE_1472, 0x04, 3);
        assert_eq!(refusal(&datagram), Some(MessageError::Header));
    }

    #[test]
    fn another_security_model_is_named() {
        assert_eq!(
            refusal(&header(0x04, 1, SIZE_1472)),
            Some(MessageError::SecurityModel(1))
        );
    }
}
