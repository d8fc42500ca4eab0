//! Messages and their payloads (RFC 3830 §6), as octets.
//!
//! ```text
//! | version | type | next | V, PRF |   0
//! | CSB ID                         |   4
//! | #CS | map type | policy, SSRC, ROC ... |   8
//! | payload ... |
//! ```
//!
//! Each payload begins with the type of the next one. What is authenticated is
//! the message without its last field, the MAC.

use std::fmt;

use zeroize::Zeroizing;

use super::MikeyFault;
use MikeyFault::{Malformed, Unsupported};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What it is.
    pub kind: Kind,
    /// Whether the responder is to prove itself.
    pub verify: bool,
    /// Names the bundle.
    pub csb: u32,
    /// Crypto sessions, numbered from 1.
    pub sessions: Vec<CryptoSession>,
    /// All payloads behind the header, in their order.
    pub payloads: Vec<Payload>,
}

/// The data type of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The initiator's, with a pre-shared key.
    Init,
    /// The answer to it.
    Response,
    /// What is wrong with one.
    Error,
}

/// An entry of the SRTP-ID map (§6.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CryptoSession {
    /// The number of its policy.
    pub policy: u8,
    /// The stream's source; 0 where it is not known yet.
    pub ssrc: u32,
    /// The stream's rollover counter.
    pub roc: u32,
}

/// A payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// T: NTP's 64 bits (types 0 and 1), or a counter of 32 (type 2).
    Timestamp(u8, Vec<u8>),
    /// RAND
    Rand(Vec<u8>),
    /// SP for SRTP: its number, and parameters by type.
    Policy(u8, Vec<(u8, Vec<u8>)>),
    /// KEMAC: key data, encrypted or not, and the MAC where there is one.
    Kemac(Encryption, Zeroizing<Vec<u8>>, Option<[u8; 20]>),
    /// V, with its MAC where there is one.
    Verification(Option<[u8; 20]>),
    /// ID: its type and its value.
    Id(u8, Vec<u8>),
    /// ERR: its number.
    Error(u8),
    /// General extension: its type and its value.
    Extension(u8, Vec<u8>),
}

/// How key data are encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not.
    Null,
    /// AES-CM-128
    AesCm128,
}

/// A key data sub-payload (§6.13), without its validity.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyData {
    /// Whether traffic keys are derived from it; else it is one.
    pub generates: bool,
    /// The key.
    pub key: Zeroizing<Vec<u8>>,
    /// The salt, where it comes with the key.
    pub salt: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for KeyData {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("KeyData")
            .field("generates", &self.generates)
            .finish_non_exhaustive()
    }
}

impl Message {
    /// Reads a whole message.
    ///
    /// # Errors
    /// [`Malformed`] and [`Unsupported`].
    pub fn parse(octets: &[u8]) -> Result<Self, MikeyFault> {
        if octets.len() > MAX_OCTETS {
            return Err(Malformed);
        }
        let mut reader = Reader(octets);
        let [version, kind, mut next, flags] = reader.array()?;
        let kind = match (version, kind, flags & 0x7F) {
            (1, 0, 0) => Kind::Init,
            (1, 1, 0) => Kind::Response,
            (1, 6, _) => Kind::Error,
            _ => return Err(Unsupported),
        };
        let csb = u32::from_be_bytes(reader.array()?);
        let [count, map] = reader.array()?;
        if map != SRTP_ID {
            return Err(Unsupported);
        }
        let session = |_| CryptoSession::read(&mut reader);
        let sessions = (0..count).map(session).collect::<Result<_, _>>()?;
        let mut payloads = Vec::new();
        while next != LAST {
            if payloads.len() == MAX_PAYLOADS {
                return Err(Malformed);
            }
            let [following] = reader.array()?;
            let payload = Payload::read(next, &mut reader)?;
            // §5.2: what authenticates a message ends it.
            if payload.is_final() && following != LAST {
                return Err(Malformed);
            }
            payloads.push(payload);
            next = following;
        }
        reader.0.is_empty().then_some(()).ok_or(Malformed)?;
        Ok(Self {
            kind,
            verify: flags & 0x80 != 0,
            csb,
            sessions,
            payloads,
        })
    }

    /// Writes it.
    #[must_use]
    pub fn print(&self) -> Vec<u8> {
        let kind = match self.kind {
            Kind::Init => 0,
            Kind::Response => 1,
            Kind::Error => 6,
        };
        let next = |at: usize| self.payloads.get(at).map_or(LAST, Payload::number);
        let mut out = vec![1, kind, next(0), u8::from(self.verify) << 7];
        out.extend(self.csb.to_be_bytes());
        out.extend([self.sessions.len() as u8, SRTP_ID]);
        for session in &self.sessions {
            out.push(session.policy);
            out.extend(session.ssrc.to_be_bytes());
            out.extend(session.roc.to_be_bytes());
        }
        for (at, payload) in self.payloads.iter().enumerate() {
            out.push(next(at + 1));
            payload.write(&mut out);
        }
        out
    }

    /// The octets of T.
    pub fn timestamp(&self) -> Option<(u8, &[u8])> {
        self.payloads.iter().find_map(|payload| match payload {
            Payload::Timestamp(kind, octets) => Some((*kind, octets.as_slice())),
            _ => None,
        })
    }

    /// RAND
    pub fn rand(&self) -> Option<&[u8]> {
        self.payloads.iter().find_map(|payload| match payload {
            Payload::Rand(octets) => Some(octets.as_slice()),
            _ => None,
        })
    }

    /// The first identity.
    pub fn id(&self) -> Option<&[u8]> {
        self.payloads.iter().find_map(|payload| match payload {
            Payload::Id(_, octets) => Some(octets.as_slice()),
            _ => None,
        })
    }
}

impl CryptoSession {
    fn read(reader: &mut Reader<'_>) -> Result<Self, MikeyFault> {
        let [policy] = reader.array()?;
        Ok(Self {
            policy,
            ssrc: u32::from_be_bytes(reader.array()?),
            roc: u32::from_be_bytes(reader.array()?),
        })
    }
}

impl Payload {
    fn number(&self) -> u8 {
        match self {
            Self::Kemac(..) => 1,
            Self::Timestamp(..) => 5,
            Self::Id(..) => 6,
            Self::Verification(_) => 9,
            Self::Policy(..) => 10,
            Self::Rand(_) => 11,
            Self::Error(_) => 12,
            Self::Extension(..) => 21,
        }
    }

    fn is_final(&self) -> bool {
        matches!(self, Self::Kemac(_, _, Some(_)) | Self::Verification(_))
    }

    fn read(number: u8, reader: &mut Reader<'_>) -> Result<Self, MikeyFault> {
        match number {
            1 => {
                let encryption = match reader.array()? {
                    [0] => Encryption::Null,
                    [1] => Encryption::AesCm128,
                    _ => return Err(Unsupported),
                };
                let data = Zeroizing::new(reader.long()?.to_vec());
                Ok(Self::Kemac(encryption, data, mac(reader)?))
            }
            5 => {
                let [kind] = reader.array()?;
                let length = match kind {
                    0 | 1 => 8,
                    2 => 4,
                    _ => return Err(Unsupported),
                };
                Ok(Self::Timestamp(kind, reader.take(length)?.to_vec()))
            }
            6 => {
                let [kind] = reader.array()?;
                Ok(Self::Id(kind, reader.long()?.to_vec()))
            }
            9 => Ok(Self::Verification(mac(reader)?)),
            10 => {
                let [number, protocol] = reader.array()?;
                let parameters = parameters(reader.long()?)?;
                let srtp = protocol == 0;
                srtp.then_some(Self::Policy(number, parameters))
                    .ok_or(Unsupported)
            }
            11 => {
                let [length] = reader.array()?;
                Ok(Self::Rand(reader.take(length.into())?.to_vec()))
            }
            12 => {
                let [error, _, _] = reader.array()?;
                Ok(Self::Error(error))
            }
            21 => {
                let [kind] = reader.array()?;
                Ok(Self::Extension(kind, reader.long()?.to_vec()))
            }
            _ => Err(Unsupported),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Kemac(encryption, data, mac) => {
                out.push(match encryption {
                    Encryption::Null => 0,
                    Encryption::AesCm128 => 1,
                });
                long(data, out);
                write_mac(mac.as_ref(), out);
            }
            Self::Timestamp(kind, octets) => {
                out.push(*kind);
                out.extend(octets);
            }
            Self::Id(kind, octets) | Self::Extension(kind, octets) => {
                out.push(*kind);
                long(octets, out);
            }
            Self::Verification(mac) => write_mac(mac.as_ref(), out),
            Self::Policy(number, parameters) => {
                out.extend([*number, 0]);
                let mut body = Vec::new();
                for (kind, value) in parameters {
                    body.extend([*kind, value.len() as u8]);
                    body.extend(value);
                }
                long(&body, out);
            }
            Self::Rand(octets) => {
                out.push(octets.len() as u8);
                out.extend(octets);
            }
            Self::Error(error) => out.extend([*error, 0, 0]),
        }
    }
}

impl KeyData {
    /// Reads the one sub-payload of key data; its validity is passed over.
    pub(super) fn read(octets: &[u8]) -> Result<Self, MikeyFault> {
        let mut reader = Reader(octets);
        let [next, kind] = reader.array()?;
        let key = Zeroizing::new(reader.long()?.to_vec());
        let (generates, salted) = match kind >> 4 {
            0 => (true, false),
            1 => (true, true),
            2 => (false, false),
            3 => (false, true),
            _ => return Err(Unsupported),
        };
        let salt = match salted {
            true => Some(Zeroizing::new(reader.long()?.to_vec())),
            false => None,
        };
        let intervals = match kind & 0x0F {
            0 => 0,
            1 => 1,
            2 => 2,
            _ => return Err(Unsupported),
        };
        for _ in 0..intervals {
            let [length] = reader.array()?;
            reader.take(length.into())?;
        }
        match (next, reader.0.is_empty()) {
            (LAST, true) => Ok(Self {
                generates,
                key,
                salt,
            }),
            (LAST, false) => Err(Malformed),
            _ => Err(Unsupported),
        }
    }

    /// Writes it, for ever valid.
    pub(super) fn print(&self) -> Zeroizing<Vec<u8>> {
        let kind = match (self.generates, &self.salt) {
            (true, None) => 0x00,
            (true, Some(_)) => 0x10,
            (false, None) => 0x20,
            (false, Some(_)) => 0x30,
        };
        let mut out = Zeroizing::new(vec![LAST, kind]);
        long(&self.key, &mut out);
        if let Some(salt) = &self.salt {
            long(salt, &mut out);
        }
        out
    }
}

fn mac(reader: &mut Reader<'_>) -> Result<Option<[u8; 20]>, MikeyFault> {
    match reader.array()? {
        [0] => Ok(None),
        [1] => Ok(Some(reader.array()?)),
        _ => Err(Unsupported),
    }
}

fn write_mac(mac: Option<&[u8; 20]>, out: &mut Vec<u8>) {
    out.push(u8::from(mac.is_some()));
    out.extend(mac.into_iter().flatten());
}

fn parameters(octets: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, MikeyFault> {
    let mut reader = Reader(octets);
    let mut found = Vec::new();
    while !reader.0.is_empty() {
        let [kind, length] = reader.array()?;
        found.push((kind, reader.take(length.into())?.to_vec()));
    }
    Ok(found)
}

/// With its length in 16 bits before it; [`MAX_OCTETS`] keeps all of ours below that.
fn long(octets: &[u8], out: &mut Vec<u8>) {
    out.extend((octets.len() as u16).to_be_bytes());
    out.extend(octets);
}

/// What is left.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], MikeyFault> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], MikeyFault> {
        let (head, rest) = self.0.split_first_chunk().ok_or(Malformed)?;
        self.0 = rest;
        Ok(*head)
    }

    fn long(&mut self) -> Result<&'a [u8], MikeyFault> {
        let length = u16::from_be_bytes(self.array()?);
        self.take(length.into())
    }
}

const LAST: u8 = 0;
/// §6.1: the map from sessions to SRTP streams.
const SRTP_ID: u8 = 0;
/// A line of a description holds no more.
const MAX_OCTETS: usize = 8_192;
const MAX_PAYLOADS: usize = 32;
