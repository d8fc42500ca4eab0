//! Answers of OCSP responders: nothing is believed that nobody signed.
//!
//! The first octet chooses whether the rest is the answer, or the ResponseData
//! of an answer that the authority signs (RFC 6960 §4.2.1).
#![no_main]

use std::sync::LazyLock;

use demarc::certs::{Certificate, stapled};
use demarc_fuzz::authority::Pair;
use libfuzzer_sys::fuzz_target;

struct Bench {
    authority: Pair,
    issuer: Certificate,
    subject: Certificate,
}

static BENCH: LazyLock<Bench> = LazyLock::new(|| {
    let (authority, server) = Pair::authority_and_server();
    let read = |pair: &Pair| Certificate::from_der(&pair.der()).expect("a certificate");
    Bench {
        issuer: read(&authority),
        subject: read(&server),
        authority,
    }
});

fuzz_target!(|octets: &[u8]| {
    let Some((&way, octets)) = octets.split_first() else {
        return;
    };
    let is_signed = way % 2 == 1;
    let answer = match is_signed {
        true => signed(octets),
        false => octets.to_vec(),
    };
    match stapled(&answer, (&BENCH.subject, &BENCH.issuer), NOW) {
        Ok(verdict) => assert!(is_signed, "{verdict:?} from nobody"),
        Err(error) => assert!(!error.to_string().contains(char::is_control), "{error}"),
    }
});

/// `SEQUENCE { ENUMERATED 0, [0] { SEQUENCE { id, OCTET STRING basic }}}`.
fn signed(data: &[u8]) -> Vec<u8> {
    let signature = [&[0], &BENCH.authority.sign(data)[..]].concat();
    let basic = tlv(0x30, &[data, ECDSA_SHA256, &tlv(3, &signature)].concat());
    let bytes = tlv(0x30, &[BASIC, &tlv(4, &basic)].concat());
    tlv(0x30, &[&[0x0a, 1, 0], &tlv(0xa0, &bytes)[..]].concat())
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let [high @ .., low] = &content.len().to_be_bytes()[5..] else {
        unreachable!("three octets");
    };
    let length = match content.len() {
        0..0x80 => vec![*low],
        0x80..0x100 => vec![0x81, *low],
        0x100..0x1_0000 => vec![0x82, high[1], *low],
        _ => vec![0x83, high[0], high[1], *low],
    };
    [&[tag], &length[..], content].concat()
}

/// 2026-01-01, in seconds since 1970.
const NOW: i64 = 1_767_225_600;
/// `SEQUENCE { OBJECT IDENTIFIER 1.2.840.10045.4.3.2 }`.
const ECDSA_SHA256: &[u8] = &[
    0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02,
];
/// `OBJECT IDENTIFIER 1.3.6.1.5.5.7.48.1.1`, id-pkix-ocsp-basic.
const BASIC: &[u8] = &[6, 9, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
