//! Initiator and responder of the pre-shared key method (RFC 3830 §3.1).

use std::fmt;

use zeroize::Zeroizing;

use super::message::{CryptoSession, Encryption, KeyData, Kind, Message, Payload};
use super::prf::{self, ALL, Context, Purpose};
use super::{MikeyFault, policy};
use crate::media::keys::{Fresh, Material, length};
use crate::media::srtp::Suite;
use crate::wire::hmac::is_same;

/// What protects a message.
#[derive(Clone, PartialEq, Eq)]
pub enum Protection {
    /// Nothing; keys can be read on the way.
    Null,
    /// A pre-shared key: AES-CM-128 and HMAC-SHA1-160.
    Psk(Zeroizing<Vec<u8>>),
}

impl fmt::Debug for Protection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "Null",
            Self::Psk(_) => "Psk",
        })
    }
}

/// Which times a message may have (§5.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds that it may be away from ours; none where clocks cannot be compared.
    pub tolerance: Option<u32>,
    /// The time of the last message of this peer, before which none may be.
    pub after: Option<u64>,
}

/// The keys of both directions, and what renews or repeats their message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    csb: u32,
    rand: Vec<u8>,
    data: KeyData,
    suite: Suite,
    sessions: Vec<CryptoSession>,
    /// The crypto session that we send, from 1; the peer's is the other, where there are two.
    own: u8,
}

/// A peer's message, read.
#[derive(Clone, Debug)]
pub struct Response {
    /// Its keys.
    pub bundle: Bundle,
    /// Its time, for [`Freshness::after`].
    pub time: u64,
    /// What answers it.
    pub reply: Vec<u8>,
}

impl Bundle {
    /// Another TGK, and a session for each direction.
    #[must_use]
    pub fn fresh(suite: Suite, ssrc: u32, fresh: &mut Fresh<'_>) -> Self {
        let mut csb = [0; 4];
        let mut rand = vec![0; 16];
        // An old library drops the last 32 octets of a key of just so many.
        let octets = if suite.key_length() > 16 { 48 } else { 16 };
        let mut key = Zeroizing::new(vec![0; octets]);
        (fresh.draw)(&mut csb);
        (fresh.draw)(&mut rand);
        (fresh.draw)(&mut key);
        let session = |ssrc| CryptoSession {
            policy: 0,
            ssrc,
            roc: 0,
        };
        let data = KeyData {
            generates: true,
            key,
            salt: None,
        };
        Self {
            csb: u32::from_be_bytes(csb),
            rand,
            data,
            suite,
            sessions: vec![session(ssrc), session(0)],
            own: 1,
        }
    }

    /// The initiator's message; said again it has a later time and the same keys.
    ///
    /// # Errors
    /// [`MikeyFault::Key`] where the library refuses the pre-shared key.
    pub fn invite(&self, ntp: u64, protection: &Protection) -> Result<Vec<u8>, MikeyFault> {
        let timestamp = ntp.to_be_bytes();
        let mut data = self.data.print();
        let (encryption, mac) = match protection {
            Protection::Null => (Encryption::Null, None),
            Protection::Psk(psk) => {
                prf::transport(psk, self.context(), &timestamp, &mut data)?;
                (Encryption::AesCm128, Some([0; 20]))
            }
        };
        let message = Message {
            kind: Kind::Init,
            // Without a MAC there is nothing that would verify.
            verify: mac.is_some(),
            csb: self.csb,
            sessions: self.open(),
            payloads: vec![
                Payload::Timestamp(NTP_UTC, timestamp.to_vec()),
                Payload::Rand(self.rand.clone()),
                policy::of(self.suite),
                Payload::Kemac(encryption, data, mac),
            ],
        };
        seal(message.print(), protection, self.context(), &[])
    }

    /// The sessions with the source of ours alone, so that the peer knows its own.
    fn open(&self) -> Vec<CryptoSession> {
        let mut sessions = self.sessions.clone();
        for (number, session) in (1..).zip(&mut sessions) {
            if number != self.own {
                session.ssrc = 0;
            }
        }
        sessions
    }

    /// Reads the answer to the message of this time (§5.3).
    ///
    /// # Errors
    /// Whatever makes it no answer, and what the peer refuses for.
    pub fn confirm(
        &self,
        answer: &[u8],
        ntp: u64,
        protection: &Protection,
    ) -> Result<(), MikeyFault> {
        let message = Message::parse(answer)?;
        let error = message.payloads.iter().find_map(|payload| match payload {
            Payload::Error(error) => Some(*error),
            _ => None,
        });
        if let Some(error) = error {
            return Err(MikeyFault::Peer(error));
        }
        let timestamp = ntp.to_be_bytes();
        let echoed = message.timestamp().is_some_and(|(_, own)| own == timestamp);
        if message.kind != Kind::Response || message.csb != self.csb || !echoed {
            return Err(MikeyFault::Other);
        }
        match (protection, message.payloads.last()) {
            (Protection::Null, _) => Ok(()),
            (Protection::Psk(_), Some(Payload::Verification(Some(_)))) => {
                let behind = [message.id().unwrap_or_default(), &timestamp].concat();
                verify(answer, protection, self.context(), &behind)
            }
            (Protection::Psk(_), _) => Err(MikeyFault::Mac),
        }
    }

    /// The keys of what we send and of what we receive.
    ///
    /// # Errors
    /// [`MikeyFault::KeyLength`].
    pub fn keys(&self) -> Result<(Material, Material), MikeyFault> {
        let peer = match (self.sessions.len(), self.own) {
            (0 | 1, own) => own,
            (_, 1) => 2,
            (_, _) => 1,
        };
        Ok((self.key(self.own)?, self.key(peer)?))
    }

    /// §4.1.3; a TEK is all sessions' key.
    fn key(&self, session: u8) -> Result<Material, MikeyFault> {
        let (suite, data) = (self.suite, &self.data);
        let mut octets = Zeroizing::new(Vec::new());
        if data.generates {
            let derive =
                |purpose, length| self.context().derive(&data.key, purpose, session, length);
            octets.extend_from_slice(&derive(Purpose::Tek, suite.key_length())?);
            match &data.salt {
                Some(salt) => octets.extend_from_slice(salt),
                None => octets.extend_from_slice(&derive(Purpose::Salt, suite.salt_length())?),
            }
        } else {
            // GStreamer writes key and salt as one TEK.
            octets.extend_from_slice(&data.key);
            octets.extend_from_slice(data.salt.as_deref().map_or(&[], Vec::as_slice));
        }
        match octets.len() == length(suite) {
            true => Ok(Material::of(suite, octets)),
            false => Err(MikeyFault::KeyLength),
        }
    }

    /// What it is for.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    fn context(&self) -> Context<'_> {
        Context {
            csb: self.csb,
            rand: &self.rand,
        }
    }
}

/// Reads a peer's message, and answers it: `ssrc` is the source of what we send.
///
/// # Errors
/// Whatever leaves no keys that are allowed here.
pub fn respond(
    octets: &[u8],
    protection: &Protection,
    suites: &[Suite],
    ssrc: u32,
    freshness: Freshness,
    now: u64,
) -> Result<Response, MikeyFault> {
    let message = Message::parse(octets)?;
    if message.kind != Kind::Init {
        return Err(MikeyFault::Unsupported);
    }
    let (kind, timestamp) = message.timestamp().ok_or(MikeyFault::Missing)?;
    let rand = message.rand().ok_or(MikeyFault::Missing)?;
    let context = Context {
        csb: message.csb,
        rand,
    };
    let data = unseal(octets, &message, protection, context, timestamp)?;
    let time = time(kind, timestamp, freshness, now)?;
    let suite = policy::suite(policy_of(&message))?;
    if !suites.contains(&suite) {
        return Err(MikeyFault::Policy);
    }
    let (sessions, own) = taken(&message, ssrc);
    let bundle = Bundle {
        csb: message.csb,
        rand: rand.to_vec(),
        data,
        suite,
        sessions,
        own,
    };
    bundle.keys()?;
    let reply = reply(&message, &bundle, protection, timestamp)?;
    Ok(Response {
        bundle,
        time,
        reply,
    })
}

/// Authentic first, then decrypted (§5.3).
fn unseal(
    octets: &[u8],
    message: &Message,
    protection: &Protection,
    context: Context<'_>,
    timestamp: &[u8],
) -> Result<KeyData, MikeyFault> {
    let Some(Payload::Kemac(encryption, data, mac)) = message.payloads.last() else {
        return Err(MikeyFault::Missing);
    };
    let mut data = data.clone();
    match (protection, mac, encryption) {
        (Protection::Null, None, Encryption::Null) => {}
        (Protection::Null, ..) => return Err(MikeyFault::Protected),
        (Protection::Psk(_), None, _) => return Err(MikeyFault::Mac),
        (Protection::Psk(psk), Some(_), encryption) => {
            verify(octets, protection, context, &[])?;
            if *encryption == Encryption::AesCm128 {
                prf::transport(psk, context, timestamp, &mut data)?;
            }
        }
    }
    KeyData::read(&data)
}

/// §5.4
fn time(kind: u8, timestamp: &[u8], freshness: Freshness, now: u64) -> Result<u64, MikeyFault> {
    let octet = |value, octet: &u8| value << 8 | u64::from(*octet);
    let time = timestamp.iter().fold(0_u64, octet);
    if let Some(tolerance) = freshness.tolerance {
        if kind == COUNTER {
            return Err(MikeyFault::Unsupported);
        }
        let away = (time >> 32).abs_diff(now >> 32);
        if away > u64::from(tolerance) {
            return Err(MikeyFault::Time(away));
        }
    }
    match freshness.after.is_some_and(|after| time < after) {
        true => Err(MikeyFault::Replay),
        false => Ok(time),
    }
}

/// The policy that the first session names, else the first.
fn policy_of(message: &Message) -> Option<&[(u8, Vec<u8>)]> {
    let wanted = message.sessions.first().map_or(0, |session| session.policy);
    message.payloads.iter().find_map(|payload| match payload {
        Payload::Policy(number, parameters) if *number == wanted => Some(parameters.as_slice()),
        _ => None,
    })
}

/// The sessions with our source in place, and which is ours: the one without a source, else the
/// second, else the only one.
fn taken(message: &Message, ssrc: u32) -> (Vec<CryptoSession>, u8) {
    let mut sessions = message.sessions.clone();
    let free = sessions.iter().position(|session| session.ssrc == 0);
    let own = free.unwrap_or(sessions.len().saturating_sub(1).min(1));
    if let (Some(session), true) = (sessions.get_mut(own), free.is_some()) {
        session.ssrc = ssrc;
    }
    (sessions, own as u8 + 1)
}

/// §5.3: T comes back, and V proves that we have the key.
fn reply(
    init: &Message,
    bundle: &Bundle,
    protection: &Protection,
    timestamp: &[u8],
) -> Result<Vec<u8>, MikeyFault> {
    let kind = init.timestamp().map_or(NTP_UTC, |(kind, _)| kind);
    let mac = match protection {
        Protection::Null => None,
        Protection::Psk(_) => Some([0; 20]),
    };
    let message = Message {
        kind: Kind::Response,
        verify: false,
        csb: bundle.csb,
        sessions: bundle.sessions.clone(),
        payloads: vec![
            Payload::Timestamp(kind, timestamp.to_vec()),
            Payload::Verification(mac),
        ],
    };
    let behind = [init.id().unwrap_or_default(), timestamp].concat();
    seal(message.print(), protection, bundle.context(), &behind)
}

/// Fills in the MAC of a message that ends with room for it (§5.2).
fn seal(
    mut octets: Vec<u8>,
    protection: &Protection,
    context: Context<'_>,
    behind: &[u8],
) -> Result<Vec<u8>, MikeyFault> {
    if let Protection::Psk(psk) = protection {
        let end = octets.len().saturating_sub(20);
        let mac = mac(psk, context, &octets[..end], behind)?;
        octets[end..].copy_from_slice(&mac);
    }
    Ok(octets)
}

fn verify(
    octets: &[u8],
    protection: &Protection,
    context: Context<'_>,
    behind: &[u8],
) -> Result<(), MikeyFault> {
    let Protection::Psk(psk) = protection else {
        return Ok(());
    };
    let (body, own) = octets.split_last_chunk().ok_or(MikeyFault::Malformed)?;
    match is_same(own, &mac(psk, context, body, behind)?) {
        true => Ok(()),
        false => Err(MikeyFault::Mac),
    }
}

/// §4.2.4; `behind` is what only a verification covers besides (§5.2).
fn mac(
    psk: &[u8],
    context: Context<'_>,
    body: &[u8],
    behind: &[u8],
) -> Result<[u8; 20], MikeyFault> {
    let key = context.derive(psk, Purpose::Authentication, ALL, 20)?;
    prf::hmac(&key, &[body, behind].concat())
}

/// §6.6: types of timestamps.
const NTP_UTC: u8 = 0;
const COUNTER: u8 = 2;
