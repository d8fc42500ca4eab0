//! A manager of SNMP that costs little: requests are made beforehand and only
//! sent here, one outstanding or several, the same to both agents.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use demarc::north::snmp::user::{AuthAlgorithm, auth_key, priv_key};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use openssl::symm::{Cipher, encrypt};
use snmp_parser::{ObjectSyntax, SecurityParameters, SnmpPdu, SnmpVariable, VarBindValue};
use snmp_parser::{parse_snmp_v2c, parse_snmp_v3};

/// The community that both agents know.
pub(crate) const COMMUNITY: &str = "beside";

pub(crate) struct Manager {
    socket: UdpSocket,
    buffer: Vec<u8>,
}

/// A user of SNMPv3, with SHA-1 and AES-128.
pub(crate) struct User<'a> {
    pub(crate) name: &'a str,
    pub(crate) auth: &'a str,
    pub(crate) privacy: &'a str,
}

/// What an agent's first Report tells.
struct Engine {
    id: Vec<u8>,
    boots: u32,
    time: u32,
}

impl Manager {
    /// A manager of the agent on this port, once that answers.
    pub(crate) fn of(port: u16) -> Self {
        let mut manager = Self::new(port, PATIENCE);
        let started = Instant::now();
        let request = get(&[SYS_DESCR]);
        while manager.try_ask(&request).is_none() {
            // Sending to nobody fails at once.
            std::thread::sleep(Duration::from_millis(5));
            assert!(started.elapsed() < START, "no answer on port {port}");
        }
        manager
    }

    /// A manager that does not ask yet, and waits so long for an answer.
    pub(crate) fn new(port: u16, patience: Duration) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        socket.connect(("127.0.0.1", port)).expect("loopback");
        socket.set_read_timeout(Some(patience)).expect("a time");
        let buffer = vec![0; 65_535];
        Self { socket, buffer }
    }

    /// The agent's port.
    pub(crate) fn port(&self) -> u16 {
        self.socket.peer_addr().expect("connected").port()
    }

    /// Sends one request; its answer, if there is one in time.
    pub(crate) fn try_ask(&mut self, request: &[u8]) -> Option<&[u8]> {
        // Refused while nobody listens.
        self.socket.send(request).ok()?;
        let length = self.socket.recv(&mut self.buffer).ok()?;
        Some(&self.buffer[..length])
    }

    /// Sends each request so many times, `at_once` outstanding, and takes as many answers.
    pub(crate) fn ask(&mut self, requests: &[Vec<u8>], times: usize, at_once: usize) {
        let all = requests.len() * times;
        let mut sent = 0;
        for answered in 0..all {
            while sent < all && sent < answered + at_once {
                let request = &requests[sent % requests.len()];
                self.socket.send(request).expect("the agent listens");
                sent += 1;
            }
            self.socket.recv(&mut self.buffer).expect("an answer");
        }
    }

    /// Whether an object reads as this text.
    pub(crate) fn reads(&mut self, name: &[u32], text: &str) -> bool {
        let answer = self.try_ask(&get(&[name])).expect("an answer");
        let (_, message) = parse_snmp_v2c(answer).expect("a message");
        let SnmpPdu::Generic(pdu) = message.pdu else {
            panic!("no response");
        };
        let value = pdu.var.first().map(|binding| &binding.val);
        matches!(value, Some(VarBindValue::Value(ObjectSyntax::String(octets))) if *octets == text.as_bytes())
    }

    /// How many bindings with a value the answer to a v2c request has.
    pub(crate) fn bindings(&mut self, request: &[u8]) -> usize {
        let answer = self.try_ask(request).expect("an answer");
        let (_, message) = parse_snmp_v2c(answer).expect("a message");
        let SnmpPdu::Generic(pdu) = message.pdu else {
            panic!("no response");
        };
        assert_eq!(pdu.err.0, 0, "{:?}", pdu.err);
        let is_value = |binding: &&SnmpVariable<'_>| matches!(binding.val, VarBindValue::Value(_));
        pdu.var.iter().filter(is_value).count()
    }

    /// An encrypted GET of one object, which the agent has answered.
    pub(crate) fn private_get(&mut self, user: &User<'_>, name: &[u32]) -> Vec<u8> {
        let engine = self.discover();
        let request = protected(user, &engine, &pdu(GET, 0, 0, &[name]));
        let answer = self.try_ask(&request).expect("an answer");
        let (_, message) = parse_snmp_v3(answer).expect("a message");
        assert!(message.header_data.is_encrypted(), "a Report");
        request
    }

    fn discover(&mut self) -> Engine {
        let request = v3(
            4,
            "",
            &Engine::unknown(),
            &[],
            &[],
            scoped(&[], &pdu(GET, 0, 0, &[])),
        );
        let answer = self.try_ask(&request).expect("a Report");
        let (_, message) = parse_snmp_v3(answer).expect("a message");
        let SecurityParameters::USM(usm) = message.security_params else {
            panic!("another security model");
        };
        Engine {
            id: usm.msg_authoritative_engine_id.to_vec(),
            boots: usm.msg_authoritative_engine_boots,
            time: usm.msg_authoritative_engine_time,
        }
    }
}

impl Engine {
    fn unknown() -> Self {
        Self {
            id: Vec::new(),
            boots: 0,
            time: 0,
        }
    }
}

/// A v2c GET.
pub(crate) fn get(names: &[&[u32]]) -> Vec<u8> {
    community(&pdu(GET, 0, 0, names))
}

/// A v2c GETBULK.
pub(crate) fn get_bulk(repetitions: u32, names: &[&[u32]]) -> Vec<u8> {
    community(&pdu(GET_BULK, 0, repetitions, names))
}

/// A v2c SET of texts.
pub(crate) fn set(values: &[(Vec<u32>, String)]) -> Vec<u8> {
    let binding = |(name, value): &(Vec<u32>, String)| {
        tlv(
            SEQUENCE,
            &[oid(name), tlv(OCTETS, value.as_bytes())].concat(),
        )
    };
    let list: Vec<u8> = values.iter().flat_map(binding).collect();
    let numbers = [integer(4711), integer(0), integer(0)].concat();
    community(&tlv(SET, &[numbers, tlv(SEQUENCE, &list)].concat()))
}

fn community(pdu: &[u8]) -> Vec<u8> {
    let community = tlv(OCTETS, COMMUNITY.as_bytes());
    tlv(SEQUENCE, &[&integer(1)[..], &community, pdu].concat())
}

fn pdu(tag: u8, first: u32, second: u32, names: &[&[u32]]) -> Vec<u8> {
    let binding = |name: &&[u32]| tlv(SEQUENCE, &[oid(name), vec![5, 0]].concat());
    let list: Vec<u8> = names.iter().flat_map(binding).collect();
    let numbers = [integer(4711), integer(first), integer(second)].concat();
    tlv(tag, &[numbers, tlv(SEQUENCE, &list)].concat())
}

fn scoped(engine: &[u8], pdu: &[u8]) -> Vec<u8> {
    tlv(
        SEQUENCE,
        &[&tlv(OCTETS, engine)[..], &tlv(OCTETS, &[]), pdu].concat(),
    )
}

/// RFC 3414 §6.3.1 and RFC 3826 §3.1.3.
fn protected(user: &User<'_>, engine: &Engine, pdu: &[u8]) -> Vec<u8> {
    let sha1 = AuthAlgorithm::Sha1;
    let auth = auth_key(sha1, user.auth.as_bytes(), &engine.id).expect("a key");
    let cipher = priv_key(sha1, user.privacy.as_bytes(), &engine.id).expect("a key");
    let salt = [7; 8];
    let vector = [
        &engine.boots.to_be_bytes()[..],
        &engine.time.to_be_bytes(),
        &salt,
    ]
    .concat();
    let plain = scoped(&engine.id, pdu);
    let secret = encrypt(Cipher::aes_128_cfb128(), &cipher, Some(&vector), &plain);
    let data = tlv(OCTETS, &secret.expect("encrypted"));
    let unsigned = v3(7, user.name, engine, &[0; 12], &salt, data.clone());
    let key = PKey::hmac(&auth).expect("a key");
    let mut signer = Signer::new(MessageDigest::sha1(), &key).expect("a signer");
    signer.update(&unsigned).expect("hashed");
    let digest = signer.sign_to_vec().expect("signed");
    v3(7, user.name, engine, &digest[..12], &salt, data)
}

fn v3(
    flags: u8,
    user: &str,
    engine: &Engine,
    digest: &[u8],
    salt: &[u8],
    data: Vec<u8>,
) -> Vec<u8> {
    let header = [
        integer(77),
        integer(65_507),
        tlv(OCTETS, &[flags]),
        integer(3),
    ]
    .concat();
    let security = [
        tlv(OCTETS, &engine.id),
        integer(engine.boots),
        integer(engine.time),
        tlv(OCTETS, user.as_bytes()),
        tlv(OCTETS, digest),
        tlv(OCTETS, salt),
    ]
    .concat();
    let security = tlv(OCTETS, &tlv(SEQUENCE, &security));
    tlv(
        SEQUENCE,
        &[integer(3), tlv(SEQUENCE, &header), security, data].concat(),
    )
}

fn integer(number: u32) -> Vec<u8> {
    let octets = number.to_be_bytes();
    let zeros = octets
        .iter()
        .take(3)
        .take_while(|octet| **octet == 0)
        .count();
    let sign = if octets[zeros] >= 0x80 { &[0][..] } else { &[] };
    tlv(2, &[sign, &octets[zeros..]].concat())
}

fn oid(arcs: &[u32]) -> Vec<u8> {
    let mut content = vec![u8::try_from(arcs[0] * 40 + arcs[1]).expect("an octet")];
    for &arc in &arcs[2..] {
        for group in (0..5).rev() {
            let rest = arc >> (7 * group);
            if rest > 0 || group == 0 {
                content.push((rest & 0x7f) as u8 | if group > 0 { 0x80 } else { 0 });
            }
        }
    }
    tlv(6, &content)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a datagram");
    let [high, low] = length.to_be_bytes();
    let head = match length {
        0..0x80 => vec![tag, low],
        0x80..0x100 => vec![tag, 0x81, low],
        _ => vec![tag, 0x82, high, low],
    };
    [head, content.to_vec()].concat()
}

/// sysDescr.0.
pub(crate) const SYS_DESCR: &[u32] = &[1, 3, 6, 1, 2, 1, 1, 1, 0];

const SEQUENCE: u8 = 0x30;
const OCTETS: u8 = 4;
const GET: u8 = 0xa0;
const SET: u8 = 0xa3;
const GET_BULK: u8 = 0xa5;
/// How long an answer may take before the figures are worth nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long an agent may take to start.
const START: Duration = Duration::from_secs(20);
