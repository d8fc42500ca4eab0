//! A small tree, its agent, and a manager that wraps any octets into a valid
//! SNMPv3 message.
//!
//! A mutation breaks every digest, so coverage would end at the lock. The
//! manager holds the key: behind it the engine sees the octets as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use async_snmp::v3::SaltCounter;
use demarc::north::snmp::access::{Found, Got, Mib, Rights, Value};
use demarc::north::snmp::counters::Counters;
use demarc::north::snmp::engine::{Arrival, Engine, Outcome};
use demarc::north::snmp::identity::{Clock, EngineId};
use demarc::north::snmp::settings::{Community, Settings};
use demarc::north::snmp::user::{AuthAlgorithm, User, auth_key, priv_key};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt};

/// How the octets reach the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// As the datagram.
    Bare,
    /// As an authenticated scoped PDU.
    Authenticated,
    /// As an authenticated scoped PDU that was encrypted.
    Encrypted,
}

/// The agent, what it is told, and the manager's keys.
pub struct Bench {
    engine: Engine,
    settings: Settings,
    tree: Tree,
    auth: PKey<openssl::pkey::Private>,
    privacy: Vec<u8>,
}

impl Default for Bench {
    fn default() -> Self {
        let id = engine_id();
        let auth = auth_key(AuthAlgorithm::Sha256, PASSWORD, id.as_bytes()).expect("long enough");
        let privacy =
            priv_key(AuthAlgorithm::Sha256, PASSWORD, id.as_bytes()).expect("long enough");
        let user = User::encrypted("u", Rights::Admin, AuthAlgorithm::Sha256, &auth, &privacy);
        let settings = Settings {
            v1: true,
            v2c: true,
            communities: vec![Community {
                secret: (*b"p").into(),
                user: "".into(),
                rights: Rights::Admin,
            }],
            users: vec![
                Arc::new(user.expect("keys of their length")),
                User::open("o", Rights::Observer).into(),
            ],
            ..Settings::default()
        };
        let salts = SaltCounter::new().expect("random octets");
        Self {
            engine: Engine::new(id, Arc::new(Counters::default()), salts),
            settings,
            tree: Tree::default(),
            auth: PKey::hmac(&auth).expect("a key"),
            privacy: privacy.to_vec(),
        }
    }
}

impl Bench {
    /// The answer to a datagram; a SET is granted.
    pub fn ask(&self, datagram: &[u8]) -> Option<Vec<u8>> {
        let arrival = Arrival {
            source: ([127, 0, 0, 1], 40000).into(),
            clock: CLOCK,
            settings: &self.settings,
        };
        match self.engine.handle(arrival, datagram, &self.tree) {
            Outcome::Answer(answer) | Outcome::Report(answer, _) => Some(answer),
            Outcome::Set(set) => self.engine.finish(CLOCK, &set.ticket, Ok(())),
            Outcome::Silence(_) => None,
        }
    }

    /// The longest answer.
    pub fn limit(&self) -> usize {
        self.settings.max_response
    }

    /// A datagram around `octets`.
    pub fn wrapped(&self, wrap: Wrap, octets: &[u8]) -> Vec<u8> {
        let (flags, data) = match wrap {
            Wrap::Bare => return octets.to_vec(),
            Wrap::Authenticated => (5, octets.to_vec()),
            Wrap::Encrypted => (7, tlv(4, &self.encrypted(octets))),
        };
        let digest = self.digest(&message(flags, &[0; DIGEST], &data));
        message(flags, &digest, &data)
    }

    /// RFC 7860 §4.1: HMAC-SHA-256, truncated to 192 bits.
    fn digest(&self, unsigned: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.auth).expect("a signer");
        signer.update(unsigned).expect("hashed");
        let mut digest = signer.sign_to_vec().expect("signed");
        digest.truncate(DIGEST);
        digest
    }

    /// RFC 3826 §3.1.2.1: the vector is `boots | time | salt`.
    fn encrypted(&self, scoped: &[u8]) -> Vec<u8> {
        let vector = [
            &CLOCK.boots.to_be_bytes()[..],
            &CLOCK.time.to_be_bytes(),
            &SALT,
        ]
        .concat();
        encrypt(
            Cipher::aes_128_cfb128(),
            &self.privacy,
            Some(&vector),
            scoped,
        )
        .expect("encrypted")
    }
}

fn message(flags: u8, digest: &[u8], data: &[u8]) -> Vec<u8> {
    let salt: &[u8] = if flags & 2 == 2 { &SALT } else { &[] };
    let global = [
        &[2, 1, 7, 2, 4, 0, 0, 0xff, 0xe3, 4, 1, flags][..],
        &[2, 1, 3],
    ];
    let usm = [
        tlv(4, engine_id().as_bytes()),
        tlv(2, &CLOCK.boots.to_be_bytes()),
        tlv(2, &CLOCK.time.to_be_bytes()),
        tlv(4, b"u"),
        tlv(4, digest),
        tlv(4, salt),
    ];
    let content = [
        vec![2, 1, 3],
        tlv(0x30, &global.concat()),
        tlv(4, &tlv(0x30, &usm.concat())),
        data.to_vec(),
    ];
    tlv(0x30, &content.concat())
}

/// The length always in three octets (RFC 3417 §8 (2) allows it).
fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("shorter than a datagram");
    [&[tag, 0x82], &length.to_be_bytes()[..], content].concat()
}

fn engine_id() -> EngineId {
    EngineId::new(*b"demarc!!")
}

/// Scalars, and a table with a column of Counter64.
struct Tree(BTreeMap<Vec<u32>, Value>);

impl Default for Tree {
    fn default() -> Self {
        let mut cells = BTreeMap::new();
        cells.insert(vec![1, 3, 6, 1, 2, 1, 1, 1, 0], Value::octets("a gateway"));
        for row in 1..=3 {
            let mut cell = |column, value| {
                cells.insert(vec![1, 3, 6, 1, 4, 1, 32473, 5, 1, column, row], value);
            };
            cell(2, Value::octets([0xff; 100]));
            cell(3, Value::Counter64(u64::MAX));
            cell(4, Value::Integer(i32::MIN));
            cell(5, Value::IpAddress([192, 0, 2, 1]));
            cell(6, Value::Oid([1, 3, u32::MAX].into()));
        }
        Self(cells)
    }
}

impl Mib for Tree {
    fn get(&self, name: &[u32]) -> Got {
        match self.0.get(name) {
            Some(value) => Got::Value(value.clone()),
            None => Got::NoSuchInstance,
        }
    }

    fn walk<'a>(
        &'a self,
        name: &[u32],
    ) -> impl Iterator<Item = (Found<'a>, Cow<'a, Value>)> + use<'a> {
        let after = (Bound::Excluded(name.to_vec()), Bound::Unbounded);
        let after = self.0.range(after);
        after.map(|(name, value)| (name.as_slice().into(), Cow::Borrowed(value)))
    }
}

const CLOCK: Clock = Clock {
    boots: 3,
    time: 5000,
};
const PASSWORD: &[u8] = b"maplesyrup";
const DIGEST: usize = 24;
const SALT: [u8; 8] = [9; 8];
