//! What the tests of this folder share: a small tree, and a manager.
//!
//! The manager writes its requests octet by octet, so that it can also write
//! wrong ones, and makes its digests and ciphertexts with OpenSSL, so that the
//! agent's cryptography is not judged by itself.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use async_snmp::v3::SaltCounter;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt, encrypt};

use super::access::{Found, Got, Mib, Rights, Value};
use super::counters::{Counter, Counters};
use super::engine::{Arrival, Engine, Outcome};
use super::identity::{Clock, EngineId, LOCAL_ENGINE_ID};
use super::settings::{Community, Settings};
use super::user::{AuthAlgorithm, User, auth_key, priv_key};
use crate::wire::ber::{self, Reader};

/// The password of every user here.
const PASSWORD: &[u8] = b"maplesyrup";

/// sysDescr.0.
pub(super) const SYS_DESCR: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 1, 0];

/// NULL, as a request's value.
pub(super) const NULL: &[u8] = &[5, 0];

/// GetRequest of sysDescr.0 with the community "public".
pub(super) const V2C_GET: &[u8] = &[
    0x30, 0x26, 2, 1, 1, 4, 6, 0x70, 0x75, 0x62, 0x6c, 0x69, 0x63, 0xa0, 25, 2, 1, 1, 2, 1, 0, 2,
    1, 0, 0x30, 14, 0x30, 12, 6, 8, 0x2b, 6, 1, 2, 1, 1, 1, 0, 5, 0,
];

/// `tag | length | content`.
pub(super) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut whole = vec![tag];
    match u16::try_from(content.len()).expect("short") {
        length @ 0..0x80 => whole.push(length as u8),
        length => {
            whole.push(0x82);
            whole.extend(length.to_be_bytes());
        }
    }
    whole.extend(content);
    whole
}

/// An INTEGER of four octets, which is allowed to be too long.
pub(super) fn int(number: i32) -> Vec<u8> {
    tlv(2, &number.to_be_bytes())
}

fn oid(arcs: &[u32]) -> Vec<u8> {
    let mut content = vec![u8::try_from(arcs[0] * 40 + arcs[1]).expect("an octet")];
    for &arc in &arcs[2..] {
        let groups = (arc.checked_ilog2().unwrap_or(0) / 7) as u8;
        for group in (1..=groups).rev() {
            content.push((arc >> (7 * group)) as u8 | 0x80);
        }
        content.push(arc as u8 & 0x7f);
    }
    tlv(6, &content)
}

/// A PDU; `a` and `b` are the two numbers after the request-id.
pub(super) fn pdu(tag: u8, id: i32, a: i32, b: i32, bindings: &[(&[u32], &[u8])]) -> Vec<u8> {
    let list: Vec<u8> = bindings
        .iter()
        .flat_map(|(name, value)| tlv(0x30, &[&oid(name)[..], value].concat()))
        .collect();
    tlv(tag, &[int(id), int(a), int(b), tlv(0x30, &list)].concat())
}

/// A v1 (0) or v2c (1) message.
pub(super) fn community_datagram(version: u8, community: &str, pdu: &[u8]) -> Vec<u8> {
    let content = [&[2, 1, version][..], &tlv(4, community.as_bytes()), pdu].concat();
    tlv(0x30, &content)
}

/// A v3 message with these encoded header fields, empty security parameters
/// and a scoped PDU without a PDU worth the name.
pub(super) fn v3_datagram(id: &[u8], max_size: &[u8], flags: u8, model: u8) -> Vec<u8> {
    let global = [id, max_size, &[4, 1, flags], &[2, 1, model]].concat();
    let content = [
        &[2, 1, 3][..],
        &tlv(0x30, &global),
        &tlv(4, &[]),
        &tlv(0x30, &[4, 0, 4, 0, 0xa0, 0]),
    ];
    tlv(0x30, &content.concat())
}

/// The engine under test, its tree and what it is told.
pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) counters: Arc<Counters>,
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) mib: Fake,
}

impl Bench {
    /// v1, v2c and v3 on; "public" reads, "private" writes; the users "open"
    /// (no keys), "auth" (SHA-1) and "priv" (SHA-1, AES).
    pub(super) fn new() -> Self {
        let counters = Arc::new(Counters::default());
        let salts = SaltCounter::new().expect("random octets");
        let community = |secret: &str, rights| Community {
            secret: secret.as_bytes().into(),
            user: "".into(),
            rights,
        };
        Self {
            engine: Engine::new(Self::engine_id(), counters.clone(), salts),
            counters,
            settings: Settings {
                v1: true,
                v2c: true,
                v3: true,
                communities: vec![
                    community("public", Rights::Observer),
                    community("private", Rights::Admin),
                ],
                users: vec![
                    User::open("open", Rights::Observer).into(),
                    user("auth", AuthAlgorithm::Sha1, false),
                    user("priv", AuthAlgorithm::Sha1, true),
                ],
                ..Settings::default()
            },
            clock: Clock {
                boots: 3,
                time: 5000,
            },
            mib: Fake::new(),
        }
    }

    pub(super) fn engine_id() -> EngineId {
        EngineId::new(*b"demarc!!")
    }

    pub(super) fn handle(&self, datagram: &[u8]) -> Outcome {
        let arrival = Arrival {
            source: ([127, 0, 0, 1], 40000).into(),
            clock: self.clock,
            settings: &self.settings,
        };
        self.engine.handle(arrival, datagram, &self.mib)
    }

    /// The answer to a request of v1 or v2c.
    pub(super) fn ask(&self, version: u8, pdu: &[u8]) -> Answer {
        match self.handle(&community_datagram(version, "private", pdu)) {
            Outcome::Answer(datagram) => Answer::of_community(&datagram),
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn count(&self, counter: Counter) -> u32 {
        self.counters.count(counter)
    }
}

/// A user whose keys come from the password of this module.
pub(super) fn user(name: &str, algorithm: AuthAlgorithm, private: bool) -> Arc<User> {
    let engine_id = Bench::engine_id();
    let engine_id = engine_id.as_bytes();
    let auth = auth_key(algorithm, PASSWORD, engine_id).expect("long enough");
    let cipher = priv_key(algorithm, PASSWORD, engine_id).expect("long enough");
    let user = match private {
        true => User::encrypted(name, Rights::Admin, algorithm, &auth, &cipher),
        false => User::authenticated(name, Rights::Admin, algorithm, &auth),
    };
    user.expect("keys of their algorithm").into()
}

/// A v3 request, right unless a field is changed.
pub(super) struct Asking {
    pub(super) flags: u8,
    pub(super) id: i32,
    pub(super) max_size: i32,
    pub(super) engine_id: Vec<u8>,
    pub(super) boots: i32,
    pub(super) time: i32,
    pub(super) user: &'static str,
    pub(super) algorithm: AuthAlgorithm,
    /// How long the digest is made; what is over its length is zeros.
    pub(super) digest_length: usize,
    pub(super) salt: Vec<u8>,
    pub(super) context_engine_id: Vec<u8>,
    pub(super) context_name: Vec<u8>,
    pub(super) pdu: Vec<u8>,
    /// Sent in place of the scoped PDU's ciphertext.
    pub(super) ciphertext: Option<Vec<u8>>,
}

/// RFC 3414 §6.3.1 and RFC 7860 §4.1: digest function and truncated length.
fn digest(algorithm: AuthAlgorithm) -> (MessageDigest, usize) {
    match algorithm {
        AuthAlgorithm::Sha1 => (MessageDigest::sha1(), 12),
        AuthAlgorithm::Sha224 => (MessageDigest::sha224(), 16),
        AuthAlgorithm::Sha256 => (MessageDigest::sha256(), 24),
        AuthAlgorithm::Sha384 => (MessageDigest::sha384(), 32),
        AuthAlgorithm::Sha512 => (MessageDigest::sha512(), 48),
    }
}

fn sign(algorithm: AuthAlgorithm, datagram: &[u8]) -> Vec<u8> {
    let engine_id = Bench::engine_id();
    let key = auth_key(algorithm, PASSWORD, engine_id.as_bytes()).expect("long enough");
    let key = PKey::hmac(&key).expect("a key");
    let mut signer = Signer::new(digest(algorithm).0, &key).expect("a signer");
    signer.update(datagram).expect("hashed");
    signer.sign_to_vec().expect("signed")
}

/// RFC 3826 §3.1.2.1: `boots | time | salt`.
fn vector(boots: i32, time: i32, salt: &[u8]) -> Vec<u8> {
    [&boots.to_be_bytes()[..], &time.to_be_bytes(), salt].concat()
}

fn cipher_key(algorithm: AuthAlgorithm) -> Vec<u8> {
    priv_key(algorithm, PASSWORD, Bench::engine_id().as_bytes()).expect("long enough")
}

impl Asking {
    /// A reportable request for `pdu` by `user`, protected as `flags` says.
    pub(super) fn new(user: &'static str, flags: u8, pdu: Vec<u8>) -> Self {
        let engine_id = Bench::engine_id().as_bytes().to_vec();
        Self {
            flags: flags | 4,
            id: 77,
            max_size: 65_507,
            context_engine_id: engine_id.clone(),
            engine_id,
            boots: 3,
            time: 5000,
            user,
            algorithm: AuthAlgorithm::Sha1,
            digest_length: if flags & 1 == 1 { 12 } else { 0 },
            salt: if flags & 2 == 2 { vec![9; 8] } else { vec![] },
            context_name: vec![],
            pdu,
            ciphertext: None,
        }
    }

    /// A GetRequest of sysDescr.0.
    pub(super) fn get(user: &'static str, flags: u8) -> Self {
        Self::new(user, flags, pdu(0xa0, 42, 0, 0, &[(SYS_DESCR, NULL)]))
    }

    pub(super) fn datagram(&self) -> Vec<u8> {
        let unsigned = self.message(&vec![0; self.digest_length]);
        if self.flags & 1 == 0 {
            return unsigned;
        }
        let mut digest = sign(self.algorithm, &unsigned);
        digest.resize(self.digest_length, 0);
        self.message(&digest)
    }

    fn message(&self, digest: &[u8]) -> Vec<u8> {
        let global = [
            int(self.id),
            int(self.max_size),
            tlv(4, &[self.flags]),
            int(3),
        ];
        let usm = [
            tlv(4, &self.engine_id),
            int(self.boots),
            int(self.time),
            tlv(4, self.user.as_bytes()),
            tlv(4, digest),
            tlv(4, &self.salt),
        ];
        let scoped = [
            &tlv(4, &self.context_engine_id)[..],
            &tlv(4, &self.context_name),
            &self.pdu,
        ];
        let mut data = tlv(0x30, &scoped.concat());
        if self.flags & 2 == 2 {
            data = tlv(4, &self.encrypted(&data));
        }
        let content = [
            int(3),
            tlv(0x30, &global.concat()),
            tlv(4, &tlv(0x30, &usm.concat())),
            data,
        ];
        tlv(0x30, &content.concat())
    }

    fn encrypted(&self, scoped: &[u8]) -> Vec<u8> {
        if let Some(ciphertext) = &self.ciphertext {
            return ciphertext.clone();
        }
        let mut salt = self.salt.clone();
        salt.resize(8, 0);
        let vector = vector(self.boots, self.time, &salt);
        let key = cipher_key(self.algorithm);
        encrypt(Cipher::aes_128_cfb128(), &key, Some(&vector), scoped).expect("encrypted")
    }
}

/// What came back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// msgFlags; 0 for v1 and v2c.
    pub(super) flags: u8,
    /// contextEngineID; empty for v1 and v2c.
    pub(super) context: Vec<u8>,
    /// msgID, else the request-id again.
    pub(super) message_id: i32,
    pub(super) tag: u8,
    pub(super) id: i32,
    pub(super) status: i32,
    pub(super) index: i32,
    /// Name, and the value's element.
    pub(super) bindings: Vec<(Vec<u32>, Vec<u8>)>,
}

impl Answer {
    pub(super) fn of_community(datagram: &[u8]) -> Self {
        let mut fields = Reader::new(datagram).sequence().expect("a message");
        fields.integer().expect("a version");
        fields.expect(ber::OCTET_STRING).expect("a community");
        Self::of_pdu(fields.any().expect("a PDU").whole)
    }

    /// Opens a v3 answer; its digest and ciphertext have to be right.
    pub(super) fn of_v3(datagram: &[u8], algorithm: AuthAlgorithm) -> Self {
        let mut fields = Reader::new(datagram).sequence().expect("a message");
        assert_eq!(fields.integer(), Ok(3));
        let mut global = fields.sequence().expect("msgGlobalData");
        let message_id = global.integer().expect("msgID");
        global.integer().expect("msgMaxSize");
        let flags = global.expect(4).expect("msgFlags").content[0];
        let usm = fields.expect(4).expect("msgSecurityParameters").content;
        let mut usm = Reader::new(usm).sequence().expect("USM");
        assert_eq!(
            usm.expect(4).expect("engine").content,
            Bench::engine_id().as_bytes()
        );
        let boots = usm.integer().expect("boots");
        let time = usm.integer().expect("time");
        usm.expect(4).expect("user");
        let digest = usm.expect(4).expect("digest").content;
        let salt = usm.expect(4).expect("salt").content;
        check_digest(datagram, digest, flags, algorithm);
        let data = fields.any().expect("msgData");
        let scoped = match flags & 2 {
            2 => {
                let vector = vector(boots, time, salt);
                let key = cipher_key(algorithm);
                decrypt(Cipher::aes_128_cfb128(), &key, Some(&vector), data.content)
                    .expect("decrypted")
            }
            _ => data.whole.to_vec(),
        };
        let mut scoped = Reader::new(&scoped).sequence().expect("a scoped PDU");
        let context = scoped.expect(4).expect("contextEngineID").content.to_vec();
        let ours = [Bench::engine_id().as_bytes(), &LOCAL_ENGINE_ID].contains(&&context[..]);
        assert!(ours, "{context:?}");
        assert!(scoped.expect(4).expect("contextName").content.is_empty());
        Self {
            flags,
            message_id,
            context,
            ..Self::of_pdu(scoped.any().expect("a PDU").whole)
        }
    }

    fn of_pdu(octets: &[u8]) -> Self {
        let outer = Reader::new(octets).any().expect("a PDU");
        let mut fields = Reader::new(outer.content);
        let mut number = || fields.integer().expect("a number");
        let (id, status, index) = (number(), number(), number());
        let mut list = fields.sequence().expect("bindings");
        let mut bindings = Vec::new();
        while !list.is_empty() {
            let mut binding = list.sequence().expect("a binding");
            let mut name = Vec::new();
            let content = binding.expect(6).expect("a name").content;
            ber::arcs(content, &mut name).expect("a name");
            bindings.push((name, binding.any().expect("a value").whole.to_vec()));
        }
        Self {
            flags: 0,
            context: Vec::new(),
            message_id: id,
            tag: outer.tag,
            id,
            status,
            index,
            bindings,
        }
    }

    /// The names alone.
    pub(super) fn names(&self) -> Vec<&[u32]> {
        self.bindings.iter().map(|(name, _)| &name[..]).collect()
    }
}

fn check_digest(datagram: &[u8], found: &[u8], flags: u8, algorithm: AuthAlgorithm) {
    if flags & 1 == 0 {
        assert!(found.is_empty());
        return;
    }
    let length = digest(algorithm).1;
    assert_eq!(found.len(), length);
    let start = found.as_ptr().addr() - datagram.as_ptr().addr();
    let mut unsigned = datagram.to_vec();
    unsigned[start..start + length].fill(0);
    assert_eq!(sign(algorithm, &unsigned)[..length], *found);
}

/// A tree of scalars and one table, in a map.
pub(super) struct Fake {
    pub(super) instances: BTreeMap<Vec<u32>, Value>,
}

impl Fake {
    fn new() -> Self {
        let mut instances = BTreeMap::new();
        let text = |text: &str| Value::Octets(text.as_bytes().into());
        instances.insert(SYS_DESCR.to_vec(), text("a gateway"));
        instances.insert(vec![1, 3, 6, 1, 2, 1, 1, 3, 0], Value::TimeTicks(4711));
        // A table of two columns and three rows, the second of Counter64.
        for row in 1..=3 {
            let cell = |column| vec![1, 3, 6, 1, 4, 1, 32473, 5, 1, column, row];
            instances.insert(cell(2), text("row"));
            instances.insert(cell(3), Value::Counter64(u64::MAX));
        }
        instances.insert(
            vec![1, 3, 6, 1, 4, 1, 32473, 6, 0],
            Value::Integer(i32::MIN),
        );
        Self { instances }
    }
}

impl Mib for Arc<Fake> {
    fn get(&self, name: &[u32]) -> Got {
        Fake::get(self, name)
    }

    fn walk<'a>(
        &'a self,
        name: &[u32],
    ) -> impl Iterator<Item = (Found<'a>, Cow<'a, Value>)> + use<'a> {
        Fake::walk(self, name)
    }
}

impl Mib for Fake {
    fn get(&self, name: &[u32]) -> Got {
        if let Some(value) = self.instances.get(name) {
            return Got::Value(value.clone());
        }
        let is_below = |instance: &Vec<u32>| name.starts_with(&instance[..instance.len() - 1]);
        match self.instances.keys().any(is_below) {
            true => Got::NoSuchInstance,
            false => Got::NoSuchObject,
        }
    }

    fn walk<'a>(
        &'a self,
        name: &[u32],
    ) -> impl Iterator<Item = (Found<'a>, Cow<'a, Value>)> + use<'a> {
        let name = name.to_vec();
        self.instances
            .iter()
            .filter(move |(instance, _)| **instance > name)
            .map(|(instance, value)| (instance.as_slice().into(), Cow::Borrowed(value)))
    }
}
