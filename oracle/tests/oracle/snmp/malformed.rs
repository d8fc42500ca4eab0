//! Malformed messages: what we must refuse, and who else does.
//!
//! The paragraph at each entry decides; the codecs after it decide otherwise.

use super::{by_async_snmp, by_rasn, ours};

use Other::{AsyncSnmp, Rasn};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    AsyncSnmp,
    Rasn,
}

#[test]
fn what_is_malformed_is_refused_and_each_known_disagreement_is_still_one() {
    for (why, octets, _) in malformed() {
        assert_eq!(ours::read(&octets), None, "{why}");
    }
    assert_eq!(news(malformed()), []);
}

#[test]
fn what_is_odd_but_right_is_read_and_each_known_disagreement_is_still_one() {
    for (why, octets, _) in odd() {
        assert!(ours::read(&octets).is_some(), "{why}");
    }
    assert_eq!(news(odd()), []);
}

#[test]
fn every_truncation_is_refused_by_all() {
    let whole = get(&name(&[0x2b, 6, 1]));
    assert!(ours::read(&whole).is_some());
    for length in 0..whole.len() {
        let octets = &whole[..length];
        assert_eq!(ours::read(octets), None, "{length}");
        assert_eq!(readers(octets), [], "{length}");
    }
}

/// The cases that others than those listed read, with who they are.
fn news(cases: Vec<Case>) -> Vec<(&'static str, Vec<Other>)> {
    let cases = cases.into_iter();
    let found = cases.map(|(why, octets, listed)| (why, readers(&octets), listed));
    let new = found.filter(|(_, found, listed)| found != listed);
    new.map(|(why, found, _)| (why, found)).collect()
}

fn readers(octets: &[u8]) -> Vec<Other> {
    let async_snmp = by_async_snmp::read(octets).map(|_| AsyncSnmp);
    let rasn = by_rasn::read(octets).map(|_| Rasn);
    async_snmp.into_iter().chain(rasn).collect()
}

type Case = (&'static str, Vec<u8>, Vec<Other>);

fn malformed() -> Vec<Case> {
    let sys = name(&[0x2b, 6, 1]);
    let whole = get(&sys);
    let indefinite = [&[0x30, 0x80][..], &whole[2..], &[0, 0]].concat();
    let mut cases = vec![
        // Rasn's rules are those of all of BER.
        (
            "RFC 3417 §8 (1): only definite lengths",
            indefinite,
            vec![Rasn],
        ),
        // Rasn reads the first of whatever follows each other.
        (
            "RFC 3412 §7.2 (2): a datagram is one message",
            [&whole[..], &[5, 0]].concat(),
            vec![Rasn],
        ),
        (
            "RFC 3412 §6.1: 2 is no version",
            message(2, &pdu(0xa0, &[2, 1, 1], &[&sys[..], NULL].concat())),
            vec![],
        ),
        (
            "RFC 1157 §4.1: version 1 has no GetBulkRequest",
            message(0, &pdu(0xa5, &[2, 1, 1], &[&sys[..], NULL].concat())),
            vec![Rasn],
        ),
        (
            "RFC 3416 §3: nothing follows the bindings",
            message(1, &tlv(0xa0, &[FIELDS, &tlv(0x30, &[]), NULL].concat())),
            vec![],
        ),
        (
            "RFC 3416 §3: a binding is a name and a value",
            get_raw(&[&sys[..], NULL, NULL].concat()),
            vec![],
        ),
    ];
    for (why, id, accepted_by) in [
        (
            "RFC 2578 §7.1.1: at most 32 bits",
            &[2, 5, 1, 0, 0, 0, 0][..],
            vec![],
        ),
        ("X.690 §8.3.1: at least one octet", &[2, 0], vec![]),
        ("RFC 3416 §3: request-id is an INTEGER", &[4, 1, 1], vec![]),
    ] {
        let octets = message(1, &pdu(0xa0, id, &[&sys[..], NULL].concat()));
        cases.push((why, octets, accepted_by));
    }
    cases.extend(names());
    cases.extend(values());
    cases.extend(headers());
    cases
}

fn names() -> Vec<Case> {
    let cases = [
        ("X.690 §8.19.2: at least one sub-identifier", vec![], vec![]),
        // Neither asks for the fewest octets.
        (
            "X.690 §8.19.2: no leading 80",
            vec![0x2b, 0x80, 1],
            vec![AsyncSnmp, Rasn],
        ),
        ("X.690 §8.19.2: an end to each", vec![0x2b, 0x86], vec![]),
        (
            "RFC 2578 §3.5: at most 2^32-1",
            vec![0x2b, 0x90, 0x80, 0x80, 0x80, 0],
            vec![],
        ),
        (
            "RFC 2578 §3.5: at most 128 of them",
            vec![1; 128],
            vec![Rasn],
        ),
    ];
    let case =
        |(why, content, accepted_by): (_, Vec<u8>, _)| (why, get(&name(&content)), accepted_by);
    cases.into_iter().map(case).collect()
}

fn values() -> Vec<Case> {
    let cases = [
        (
            "RFC 2578 §7.1.6: Counter32 is 32 bits",
            &[0x41, 5, 1, 0, 0, 0, 0][..],
            vec![],
        ),
        // Async-snmp takes these two as unsigned, for senders that err.
        (
            "RFC 2578 §7.1.6: Counter32 is never negative",
            &[0x41, 1, 0xff],
            vec![AsyncSnmp],
        ),
        (
            "RFC 2578 §7.1.7: Gauge32 is never negative",
            &[0x42, 4, 0xff, 0xff, 0xff, 0xff],
            vec![AsyncSnmp],
        ),
        (
            "RFC 2578 §7.1.8: TimeTicks is 32 bits",
            &[0x43, 5, 1, 0, 0, 0, 0],
            vec![],
        ),
        (
            "RFC 2578 §7.1.10: Counter64 is 64 bits",
            &[0x46, 9, 1, 0, 0, 0, 0, 0, 0, 0, 0],
            vec![],
        ),
        ("X.690 §8.3.1: a number has an octet", &[0x46, 0], vec![]),
        (
            "RFC 2578 §7.1.5: IpAddress is four octets",
            &[0x40, 3, 1, 2, 3],
            vec![],
        ),
        (
            "RFC 2578 §7.1.5: IpAddress is four octets",
            &[0x40, 5, 1, 2, 3, 4, 5],
            vec![],
        ),
        ("X.690 §8.8.2: NULL is empty", &[5, 1, 0], vec![]),
        ("RFC 3416 §3: noSuchObject is NULL", &[0x80, 1, 0], vec![]),
        (
            "RFC 3416 §3: no object has this type",
            &[0x01, 1, 0xff],
            vec![],
        ),
    ];
    let sys = name(&[0x2b, 6, 1]);
    let case = |(why, value, accepted_by): (_, &[u8], _)| {
        let octets = message(1, &pdu(0xa3, &[2, 1, 1], &[&sys[..], value].concat()));
        (why, octets, accepted_by)
    };
    cases.into_iter().map(case).collect()
}

fn headers() -> Vec<Case> {
    let fine = Header::default();
    let user = vec![b'u'; 33];
    let cases = [
        (
            "RFC 3412 §6.2: msgID is never negative",
            Header {
                id: &[2, 1, 0xff],
                ..fine
            },
            vec![Rasn],
        ),
        (
            "RFC 3412 §6.3: at least 484",
            Header {
                size: &[2, 2, 1, 0xe3],
                ..fine
            },
            vec![Rasn],
        ),
        (
            "RFC 3412 §6.4: msgFlags is one octet",
            Header {
                flags: &[4, 2, 4, 4],
                ..fine
            },
            vec![],
        ),
        (
            "RFC 3412 §6.4: msgFlags is one octet",
            Header {
                flags: &[4, 0],
                ..fine
            },
            vec![],
        ),
        (
            "RFC 3412 §7.2 (5): privacy needs authentication",
            Header {
                flags: &[4, 1, 6],
                ..fine
            },
            vec![Rasn],
        ),
        (
            "RFC 3414 §2.4: at most 32 octets",
            Header {
                user: &user,
                ..fine
            },
            vec![Rasn],
        ),
        (
            "RFC 3414 §2.4: boots are never negative",
            Header {
                boots: &[2, 1, 0xff],
                ..fine
            },
            vec![Rasn],
        ),
    ];
    let case =
        |(why, header, accepted_by): (_, Header<'_>, _)| (why, header.message(), accepted_by);
    cases.into_iter().map(case).collect()
}

fn odd() -> Vec<Case> {
    let both = || vec![AsyncSnmp, Rasn];
    let sys = name(&[0x2b, 6, 1]);
    let long = [&[0x30, 0x84, 0, 0, 0][..], &get(&sys)[1..]].concat();
    vec![
        (
            "RFC 3417 §8 (2): a length may be longer than needed",
            long,
            both(),
        ),
        (
            "RFC 3416 §3: any request-id",
            message(
                1,
                &pdu(0xa0, &[2, 4, 0x80, 0, 0, 0], &[&sys[..], NULL].concat()),
            ),
            both(),
        ),
        (
            "RFC 3416 §3: no bindings at all",
            message(1, &tlv(0xa0, &[FIELDS, &[0x30, 0]].concat())),
            both(),
        ),
        (
            "RFC 2578 §3.5: 128 sub-identifiers",
            get(&name(&[1; 127])),
            both(),
        ),
        ("X.690 §8.19.4: 2.999", get(&name(&[0x88, 0x37])), both()),
        // X.690 §8.19.4: the first two are one number, here of 33 bits.
        (
            "RFC 2578 §3.5: 2.4294967295",
            get(&name(&[0x90, 0x80, 0x80, 0x80, 0x4f])),
            vec![AsyncSnmp],
        ),
        (
            "RFC 3412 §6.3: exactly 484",
            Header {
                size: &[2, 2, 1, 0xe4],
                ..Header::default()
            }
            .message(),
            both(),
        ),
        (
            "RFC 3412 §6.4: the other five bits are ignored",
            Header {
                flags: &[4, 1, 0xfc],
                ..Header::default()
            }
            .message(),
            both(),
        ),
    ]
}

#[derive(Clone, Copy)]
struct Header<'a> {
    id: &'a [u8],
    size: &'a [u8],
    flags: &'a [u8],
    boots: &'a [u8],
    user: &'a [u8],
}

impl Default for Header<'_> {
    fn default() -> Self {
        Self {
            id: &[2, 1, 7],
            size: &[2, 2, 5, 0xc0],
            flags: &[4, 1, 4],
            boots: &[2, 1, 1],
            user: b"u",
        }
    }
}

impl Header<'_> {
    fn message(&self) -> Vec<u8> {
        let engine = tlv(4, &ours::engine_id());
        let global = [self.id, self.size, self.flags, &[2, 1, 3]].concat();
        let usm = [
            &engine,
            self.boots,
            &[2, 1, 9],
            &tlv(4, self.user),
            &[4, 0, 4, 0],
        ]
        .concat();
        let scoped = [
            &engine[..],
            &[4, 0],
            &pdu(0xa0, &[2, 1, 1], &[&name(&[0x2b])[..], NULL].concat()),
        ];
        let content = [
            vec![2, 1, 3],
            tlv(0x30, &global),
            tlv(4, &tlv(0x30, &usm)),
            tlv(0x30, &scoped.concat()),
        ];
        tlv(0x30, &content.concat())
    }
}

fn get(name: &[u8]) -> Vec<u8> {
    get_raw(&[name, NULL].concat())
}

fn get_raw(binding: &[u8]) -> Vec<u8> {
    message(1, &pdu(0xa0, &[2, 1, 1], binding))
}

fn name(content: &[u8]) -> Vec<u8> {
    tlv(6, content)
}

fn message(version: u8, pdu: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&[2, 1, version, 4, 1, b'p'], pdu].concat())
}

fn pdu(tag: u8, id: &[u8], binding: &[u8]) -> Vec<u8> {
    let list = tlv(0x30, &tlv(0x30, binding));
    tlv(tag, &[id, &[2, 1, 0, 2, 1, 0], &list].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    match u8::try_from(content.len()).expect("short") {
        length @ 0..0x80 => [&[tag, length], content].concat(),
        length => [&[tag, 0x81, length], content].concat(),
    }
}

const NULL: &[u8] = &[5, 0];
/// request-id, error-status, error-index.
const FIELDS: &[u8] = &[2, 1, 1, 2, 1, 0, 2, 1, 0];
