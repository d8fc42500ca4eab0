//! RFC 3830's text is the judge; it has no vectors. The PRF's are those that
//! libmikey computes, whose facts the crate mykey published.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use zeroize::Zeroizing;

use super::prf::{ALL, Context, Purpose, prf};
use super::*;
use crate::media::keys::Fresh;
use crate::media::srtp::Suite;

const NOW: u64 = 0xeeae_d87b_9fd8_4c13;
const ALL_SUITES: &[Suite] = &Suite::ALL;

fn psk() -> Protection {
    Protection::Psk(Zeroizing::new(b"a key that both ends have".to_vec()))
}

fn bundle(suite: Suite) -> Bundle {
    let mut next = 0_u8;
    let mut draw = |octets: &mut [u8]| {
        for octet in octets {
            next = next.wrapping_add(7);
            *octet = next;
        }
    };
    let mut fresh = Fresh {
        ntp: NOW,
        draw: &mut draw,
    };
    Bundle::fresh(suite, 0x1111_1111, &mut fresh)
}

fn respond_to(octets: &[u8], protection: &Protection) -> Result<Response, MikeyFault> {
    let freshness = Freshness::default();
    respond(octets, protection, ALL_SUITES, 0x2222_2222, freshness, NOW)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn the_prf_is_libmikey_s() {
    let key: Vec<u8> = (0..128_u32).map(|at| (at * 7 + 1) as u8).collect();
    let mut label = 0x2AD0_1C64_u32.to_be_bytes().to_vec();
    label.extend([0, 0x12, 0x34, 0x56, 0x78]);
    label.extend([0x5A; 16]);
    for (octets, expected) in [
        (
            1,
            "2b20e17314de3c9e6a0be97247f22d3092c10a10ae694cf4f34fd08beb5ed33fae87837df09f589538f80c26d189",
        ),
        (
            16,
            "0fcd76773dc64e23b17fe67580fe35f227b9eae5747fba3c8c356733ba46cc18d808fbe6abc9b6fd34199c650490",
        ),
        (
            33,
            "3a1a5381d668284012b5c28ee213d0dd6c22f84f86991e91ba6a30793f3a46d4c2d48546dfa1ff61e2699b3ecb33",
        ),
        (
            65,
            "e0ef137a7b980c70080d5c4f47773f4cf40e1230fef16bbe06dc6213250e29500810c77dd94a00abe218dc29105b",
        ),
    ] {
        for length in [16, 20, 32, 46] {
            let found = prf(&key[..octets], &label, length).expect("a key");
            assert_eq!(hex(&found), expected[..2 * length], "{octets} octets");
        }
    }
}

#[test]
fn each_purpose_has_libmikey_s_constant() {
    let key: Vec<u8> = (0..16_u32).map(|at| (at * 7 + 1) as u8).collect();
    let context = Context {
        csb: 0x1234_5678,
        rand: &[0x5A; 16],
    };
    for (purpose, session, expected) in [
        (Purpose::Salt, 0, "008d178daeaba844e1cd9ae091685cad3cfcec69"),
        (Purpose::Tek, 0, "0fcd76773dc64e23b17fe67580fe35f227b9eae5"),
        (
            Purpose::TransportKey,
            ALL,
            "952af58f41e8ef1ea73605eeca717eba355dacff",
        ),
        (
            Purpose::TransportSalt,
            ALL,
            "be7d4e6d7faef61bf9396378fca947c078120a92",
        ),
        (
            Purpose::Authentication,
            ALL,
            "04c9c96c24779336d03ad6dafd366d826353f9de",
        ),
    ] {
        let found = context.derive(&key, purpose, session, 20).expect("a key");
        assert_eq!(hex(&found), expected);
    }
}

fn vector(name: &str) -> Option<Vec<u8>> {
    let folder = std::env::var("DEMARC_VECTORS").ok()?;
    let text = std::fs::read_to_string(format!("{folder}/mikey/{name}.b64"));
    let text = text.expect("a vector of this name");
    Some(STANDARD.decode(text.trim()).expect("base64"))
}

/// Fields as tshark shows them in the capture of the same message.
#[test]
fn gstreamer_s_message_is_read_whole_and_gives_its_key() {
    let Some(octets) = vector("mikey-gst") else {
        return;
    };
    let message = Message::parse(&octets).expect("a message");
    assert_eq!((message.kind, message.verify), (Kind::Init, false));
    assert_eq!((message.csb, message.sessions.len()), (0x08be_7bda, 0));
    assert_eq!(message.print(), octets);
    let rand = message.rand().expect("RAND");
    assert_eq!(hex(rand), "46080bed03537d0117417e300fe1fd6c");
    let response = respond_to(&octets, &Protection::Null).expect("keys");
    assert_eq!(response.bundle.suite(), Suite::AesCm128HmacSha1_80);
    let (send, receive) = response.bundle.keys().expect("keys");
    let expected: Vec<u8> = (0..30).collect();
    assert_eq!(*send.octets, expected);
    assert_eq!(send, receive, "a TEK is the key of both directions");
}

#[test]
fn mykey_s_message_is_read_whole_and_wants_its_key() {
    let Some(octets) = vector("mikey-psk") else {
        return;
    };
    let message = Message::parse(&octets).expect("a message");
    assert_eq!((message.kind, message.verify), (Kind::Init, true));
    let session = CryptoSession {
        policy: 0,
        ssrc: 0xdead_beef,
        roc: 0,
    };
    assert_eq!(message.sessions, [session]);
    assert_eq!(message.rand(), Some(&[7; 16][..]));
    let Some(Payload::Kemac(Encryption::AesCm128, data, Some(mac))) = message.payloads.last()
    else {
        panic!("no KEMAC")
    };
    assert_eq!(hex(&data[..4]), "6680de10");
    assert_eq!(hex(mac), "9acb1366a80d53f1ea29000ae37bcc5f86507c59");
    assert_eq!(message.print(), octets);
    assert_eq!(respond_to(&octets, &psk()).err(), Some(MikeyFault::Mac));
    let null = respond_to(&octets, &Protection::Null);
    assert_eq!(null.err(), Some(MikeyFault::Protected));
}

#[test]
fn both_ends_derive_the_same_keys_crosswise_in_every_suite() {
    for protection in [psk(), Protection::Null] {
        for suite in Suite::ALL {
            let own = bundle(suite);
            let invite = own.invite(NOW, &protection).expect("a message");
            let response = respond_to(&invite, &protection).expect("keys");
            own.confirm(&response.reply, NOW, &protection)
                .expect("an answer");
            let (send, receive) = own.keys().expect("keys");
            assert_eq!(response.bundle.keys(), Ok((receive.clone(), send.clone())));
            assert_ne!(send.octets, receive.octets, "a key for each direction");
            assert!(send.master().is_ok());
        }
    }
}

#[test]
fn either_end_repeats_the_keys_with_a_later_message() {
    let own = bundle(Suite::AesCm128HmacSha1_80);
    let invite = own.invite(NOW, &psk()).expect("a message");
    let peer = respond_to(&invite, &psk()).expect("keys").bundle;
    let again = peer.invite(NOW + 1, &psk()).expect("a message");
    assert_ne!(again, invite);
    let back = respond(&again, &psk(), ALL_SUITES, 5, Freshness::default(), NOW);
    assert_eq!(back.expect("keys").bundle.keys(), own.keys());
}

#[test]
fn the_key_is_not_in_a_protected_message() {
    let own = bundle(Suite::AesCm128HmacSha1_80);
    let (send, _) = own.keys().expect("keys");
    let shown = format!("{own:?}");
    assert!(!shown.contains(&format!("{:?}", &send.octets[..4])));
    let open = own.invite(NOW, &Protection::Null).expect("a message");
    let sealed = own.invite(NOW, &psk()).expect("a message");
    let tgk = &open[open.len() - 17..open.len() - 1];
    assert!(open.windows(16).any(|part| part == tgk));
    assert!(!sealed.windows(16).any(|part| part == tgk));
}

#[test]
fn every_octet_of_a_protected_message_is_authenticated() {
    let own = bundle(Suite::AesCm128HmacSha1_80);
    let invite = own.invite(NOW, &psk()).expect("a message");
    for at in 0..invite.len() {
        let mut forged = invite.clone();
        forged[at] ^= 1;
        assert!(respond_to(&forged, &psk()).is_err(), "octet {at}");
    }
    let reply = respond_to(&invite, &psk()).expect("keys").reply;
    for at in 0..reply.len() {
        let mut forged = reply.clone();
        forged[at] ^= 1;
        assert!(own.confirm(&forged, NOW, &psk()).is_err(), "octet {at}");
    }
    let other = Protection::Psk(Zeroizing::new(b"another".to_vec()));
    assert_eq!(respond_to(&invite, &other).err(), Some(MikeyFault::Mac));
    let bare = own.invite(NOW, &Protection::Null).expect("a message");
    assert_eq!(respond_to(&bare, &psk()).err(), Some(MikeyFault::Mac));
}

#[test]
fn a_message_of_another_time_is_refused() {
    let own = bundle(Suite::AesCm128HmacSha1_80);
    let invite = own.invite(NOW, &psk()).expect("a message");
    let at = |tolerance, after, now| {
        let freshness = Freshness { tolerance, after };
        respond(&invite, &psk(), ALL_SUITES, 5, freshness, now).err()
    };
    let minute = 60 << 32;
    assert_eq!(at(Some(60), None, NOW + minute), None);
    let fault = Some(MikeyFault::Time(61));
    assert_eq!(at(Some(60), None, NOW + minute + (1 << 32)), fault);
    assert_eq!(at(Some(60), None, NOW - minute - (1 << 32)), fault);
    assert_eq!(at(None, Some(NOW), NOW), None, "the same message again");
    assert_eq!(at(None, Some(NOW + 1), NOW), Some(MikeyFault::Replay));
}

#[test]
fn a_suite_that_is_not_allowed_is_refused() {
    let own = bundle(Suite::NullHmacSha1_80);
    let invite = own.invite(NOW, &psk()).expect("a message");
    let only = &[Suite::AesCm128HmacSha1_80];
    let found = respond(&invite, &psk(), only, 5, Freshness::default(), NOW);
    assert_eq!(found.err(), Some(MikeyFault::Policy));
}

#[test]
fn an_error_message_says_why() {
    let own = bundle(Suite::AesCm128HmacSha1_80);
    let message = Message {
        kind: Kind::Error,
        verify: false,
        csb: 1,
        sessions: Vec::new(),
        payloads: vec![Payload::Error(4)],
    };
    let fault = own.confirm(&message.print(), NOW, &psk());
    assert_eq!(fault, Err(MikeyFault::Peer(4)));
}

proptest! {
    #[test]
    fn no_octets_break_the_reader(octets in prop::collection::vec(any::<u8>(), 0..96)) {
        let head = [&[1, 0, 5, 0][..], &octets].concat();
        for text in [&octets, &head] {
            if let Ok(message) = Message::parse(text) {
                prop_assert_eq!(Message::parse(&message.print()), Ok(message));
            }
        }
    }

    #[test]
    fn a_cut_or_changed_message_is_read_or_refused(at in 0_usize..120, cut in 0_usize..120, with in any::<u8>()) {
        let mut octets = bundle(Suite::AeadAes256Gcm).invite(NOW, &Protection::Null).expect("a message");
        let length = octets.len();
        octets[at % length] = with;
        octets.truncate(length.saturating_sub(cut / 8));
        if let Ok(response) = respond_to(&octets, &Protection::Null) {
            prop_assert!(response.bundle.keys().is_ok());
        }
    }
}
