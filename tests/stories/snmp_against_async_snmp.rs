//! The SNMP agent against another implementation, async-snmp.
//!
//! Its client asks our agent over loopback, in every version and with every
//! key. The two codecs by themselves are compared in `oracle/`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_snmp::v3::{AuthProtocol, PrivProtocol, SaltCounter};
use async_snmp::{
    Auth, Client, DecodeConfig, Error, ErrorStatus, Oid, Retry, UsmConfig, Value, VarBind, Version,
};
use demarc::north::snmp::access::{
    self, Actor, Done, Found, Got, Mib, Reason, Refusal, Rights, Tree, Wish,
};
use demarc::north::snmp::counters::Counters;
use demarc::north::snmp::engine::Engine;
use demarc::north::snmp::identity::EngineId;
use demarc::north::snmp::io::{Agent, Listener};
use demarc::north::snmp::settings::{Community, Settings};
use demarc::north::snmp::user::{AuthAlgorithm, User, auth_key, priv_key};

const ALGORITHMS: [(&str, AuthAlgorithm, AuthProtocol); 5] = [
    ("sha1", AuthAlgorithm::Sha1, AuthProtocol::Sha1),
    ("sha224", AuthAlgorithm::Sha224, AuthProtocol::Sha224),
    ("sha256", AuthAlgorithm::Sha256, AuthProtocol::Sha256),
    ("sha384", AuthAlgorithm::Sha384, AuthProtocol::Sha384),
    ("sha512", AuthAlgorithm::Sha512, AuthProtocol::Sha512),
];

const AUTH_PASSWORD: &[u8] = b"authentication";
const PRIV_PASSWORD: &[u8] = b"confidential";

/// The object at which every instance of this tree stands.
const OBJECT: [u32; 8] = [1, 3, 6, 1, 4, 1, 32473, 1];

/// A tree in a map: instances below 100 may be written, the others not.
#[derive(Clone, Default)]
struct Map(Arc<Mutex<Arc<Cells>>>);

type Cells = BTreeMap<Vec<u32>, access::Value>;

struct Cut(Arc<Cells>);

impl Mib for Cut {
    fn get(&self, name: &[u32]) -> Got {
        match self.0.get(name) {
            Some(value) => Got::Value(value.clone()),
            None if name.starts_with(&OBJECT) => Got::NoSuchInstance,
            None => Got::NoSuchObject,
        }
    }

    fn walk<'a>(
        &'a self,
        name: &[u32],
    ) -> impl Iterator<Item = (Found<'a>, Cow<'a, access::Value>)> + use<'a> {
        let after = (Bound::Excluded(name.to_vec()), Bound::Unbounded);
        let after = self.0.range(after);
        after.map(|(name, value)| (name.as_slice().into(), Cow::Borrowed(value)))
    }
}

impl Tree for Map {
    type View = Cut;

    fn view(&self) -> Cut {
        Cut(self.0.lock().expect("unpoisoned").clone())
    }

    fn set(&self, actor: &Actor, wishes: Vec<Wish>, done: Done) {
        let mut cells = self.0.lock().expect("unpoisoned");
        let refusal = wishes.iter().enumerate().find_map(|(position, wish)| {
            let reason = match (&wish.value, wish.name.last()) {
                _ if actor.rights == Rights::Observer => Some(Reason::NoAccess),
                (_, None | Some(100..)) => Some(Reason::NotWritable),
                (Err(reason), _) => Some(*reason),
                (Ok(_), Some(_)) => None,
            };
            reason.map(|reason| vec![Refusal { position, reason }])
        });
        if let Some(refusal) = refusal {
            return done(Err(refusal));
        }
        for wish in wishes {
            if let Ok(value) = wish.value {
                Arc::make_mut(&mut cells).insert(wish.name.to_vec(), value);
            }
        }
        done(Ok(()));
    }
}

fn engine() -> Engine {
    let salts = SaltCounter::new().expect("random octets");
    Engine::new(engine_id(), Arc::new(Counters::default()), salts)
}

fn engine_id() -> EngineId {
    EngineId::new([8, 7, 6, 5, 4, 3, 2, 1])
}

/// Every version on, and two users for each hash: one with AES, one without.
fn settings() -> Settings {
    let community = |secret: &[u8], rights| Community {
        secret: secret.into(),
        user: "".into(),
        rights,
    };
    let id = engine_id();
    let users = ALGORITHMS.iter().flat_map(|&(name, algorithm, _)| {
        let auth = auth_key(algorithm, AUTH_PASSWORD, id.as_bytes()).expect("long enough");
        let cipher = priv_key(algorithm, PRIV_PASSWORD, id.as_bytes()).expect("long enough");
        let clear = User::authenticated(&format!("{name}-clear"), Rights::Admin, algorithm, &auth);
        let secret = User::encrypted(name, Rights::Admin, algorithm, &auth, &cipher);
        [clear, secret].map(|user| Arc::new(user.expect("keys of their length")))
    });
    Settings {
        v1: true,
        v2c: true,
        v3: true,
        communities: vec![
            community(b"public", Rights::Observer),
            community(b"private", Rights::Admin),
        ],
        users: users.collect(),
        ..Settings::default()
    }
}

/// One instance of each type, two of them with the largest and smallest number.
fn cells() -> Vec<(Oid, access::Value, Value)> {
    use access::Value as Ours;
    let oid = [1, 3, 6, 1, 4, 1, 32473, u32::MAX];
    let pairs = [
        (Ours::Integer(i32::MIN), Value::Integer(i32::MIN)),
        (Ours::Integer(1), Value::Integer(1)),
        (Ours::Unsigned(u32::MAX), Value::Gauge32(u32::MAX)),
        (Ours::Counter32(128), Value::Counter32(128)),
        (Ours::TimeTicks(65_536), Value::TimeTicks(65_536)),
        (Ours::Octets([].into()), Value::from("")),
        (
            Ours::Octets([0xff; 200].into()),
            Value::OctetString(vec![0xff; 200].into()),
        ),
        (
            Ours::Oid(oid.into()),
            Value::ObjectIdentifier(Oid::from_slice(&oid)),
        ),
        (
            Ours::IpAddress([192, 0, 2, 1]),
            Value::IpAddress([192, 0, 2, 1]),
        ),
        (Ours::Counter64(u64::MAX), Value::Counter64(u64::MAX)),
    ];
    let name = |row| Oid::from_slice(&[&OBJECT[..], &[row]].concat());
    (1..)
        .zip(pairs)
        .map(|(row, (ours, theirs))| (name(row), ours, theirs))
        .collect()
}

/// An agent over [`cells`] on a free port, and async-snmp's client to it.
async fn client(auth: impl Into<Auth>) -> Client {
    let map = Map::default();
    let filled = cells()
        .into_iter()
        .map(|(name, ours, _)| (name.arcs().to_vec(), ours));
    *map.0.lock().expect("unpoisoned") = Arc::new(filled.collect());
    let agent = Agent::new(engine(), 1, settings(), map);
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = socket.local_addr().expect("bound");
    let listener = Listener::new(agent.into(), socket);
    std::thread::spawn(move || listener.run());
    Client::builder(address, auth)
        .request_timeout(Duration::from_secs(2))
        .retry(Retry::none())
        .decode_config(DecodeConfig::STRICT)
        .connect()
        .await
        .expect("a client")
}

/// Every way to ask that may write.
fn ways() -> Vec<Auth> {
    let mut ways = vec![Auth::v1("private"), Auth::v2c("private")];
    for (name, _, protocol) in ALGORITHMS {
        let clear = UsmConfig::new(format!("{name}-clear")).auth(protocol, AUTH_PASSWORD);
        let cipher = PrivProtocol::Aes128;
        let secret = UsmConfig::new(name).auth_priv(protocol, AUTH_PASSWORD, cipher, PRIV_PASSWORD);
        ways.push(Auth::from(clear.expect("long enough")));
        ways.push(Auth::from(secret.expect("long enough")));
    }
    ways
}

#[tokio::test]
async fn every_type_reads_the_same_in_every_version_with_every_key() {
    for way in ways() {
        let version = way.version();
        let client = client(way).await;
        for (name, _, value) in cells() {
            if version == Version::V1 && matches!(value, Value::Counter64(_)) {
                continue;
            }
            let answer = client.get(&name).await.expect("an answer");
            assert!(answer.metadata.decode_anomalies.is_empty());
            assert_eq!(answer.single().map(|one| &one.value), Some(&value));
        }
    }
}

#[tokio::test]
async fn every_type_is_written_and_read_back_the_same() {
    for way in ways() {
        let version = way.version();
        let client = client(way).await;
        for (row, (_, _, value)) in (50..).zip(cells()) {
            if version == Version::V1 && matches!(value, Value::Counter64(_)) {
                continue;
            }
            let name = Oid::from_slice(&[&OBJECT[..], &[row]].concat());
            let answer = client.set(&name, value.clone()).await.expect("an answer");
            assert_eq!(answer.single().map(|one| &one.value), Some(&value));
            let answer = client.get(&name).await.expect("an answer");
            assert_eq!(answer.single().map(|one| &one.value), Some(&value));
        }
    }
}

#[tokio::test]
async fn a_walk_meets_every_instance_in_order() {
    for way in ways() {
        let has_counter64 = way.version() != Version::V1;
        let client = client(way).await;
        let expected: Vec<_> = cells()
            .into_iter()
            .map(|(name, _, value)| VarBind::new(name, value))
            .filter(|one| has_counter64 || !matches!(one.value, Value::Counter64(_)))
            .collect();
        let root = Oid::from_slice(&OBJECT[..7]);
        let walk = client.walk_getnext(root.clone()).expect("a walk");
        assert_eq!(walk.collect().await.expect("walked"), expected);
        if has_counter64 {
            let walk = client.bulk_walk(root, 3).expect("a walk");
            assert_eq!(walk.collect().await.expect("walked"), expected);
        }
    }
}

#[tokio::test]
async fn a_refused_set_says_where_and_why_and_writes_nothing() {
    let name = |row| Oid::from_slice(&[&OBJECT[..], &[row]].concat());
    for way in ways() {
        let expected = match way.version() {
            Version::V1 => ErrorStatus::NoSuchName,
            _ => ErrorStatus::NotWritable,
        };
        let client = client(way).await;
        let wishes = [(name(2), Value::Integer(9)), (name(100), Value::Integer(9))];
        let refused = client.set_many(&wishes).await.expect_err("refused");
        let Error::Snmp { status, index, .. } = *refused else {
            panic!("{refused}");
        };
        assert_eq!((status, index), (expected, 2));
        let unchanged = client.get(&name(2)).await.expect("an answer");
        let value = unchanged.single().map(|one| &one.value);
        assert_eq!(value, Some(&Value::Integer(1)));
    }
}

/// The client gives up on these only by time: it trusts no Report without a
/// digest.
#[tokio::test]
async fn a_wrong_password_and_a_wrong_user_read_nothing() {
    let (name, ..) = cells().remove(0);
    for (user, password) in [
        ("sha256-clear", &b"another password"[..]),
        ("nobody", AUTH_PASSWORD),
    ] {
        let way = UsmConfig::new(user).auth(AuthProtocol::Sha256, password);
        let client = client(way.expect("long enough")).await;
        assert!(client.get(&name).await.is_err());
    }
}
