//! Our MIKEY beside mykey's: the messages, the PRF, key transport, the MAC.
//!
//! One disagreement: mykey derives 256 bits for the key of HMAC-SHA-1, where
//! RFC 3830 §4.2.4 wants as many as the hash has, 160. Its MACs are made anew
//! with that length before we read them, and ours are verified with it.

use demarc::media::keys::Fresh;
use demarc::media::keys::mikey::{Bundle, Freshness, MikeyFault, Protection, Response, respond};
use demarc::media::srtp::Suite;
use mykey::crypto;
use mykey::message::MikeyMessage;
use mykey::srtp::{SrtpCryptoSuite, derive_srtp_keys};
use proptest::prelude::*;

const NOW: u64 = 0xeeae_d87b_9fd8_4c13;

fn suite(long: bool) -> (Suite, SrtpCryptoSuite) {
    match long {
        false => (
            Suite::AesCm128HmacSha1_80,
            SrtpCryptoSuite::AES_128_CM_SHA1_80,
        ),
        true => (
            Suite::Aes256CmHmacSha1_80,
            SrtpCryptoSuite::AES_256_CM_SHA1_80,
        ),
    }
}

fn bundle(suite: Suite, seed: u8) -> Bundle {
    let mut next = seed;
    let mut draw = |octets: &mut [u8]| {
        for octet in octets {
            next = next.wrapping_mul(5).wrapping_add(17);
            *octet = next;
        }
    };
    let mut fresh = Fresh {
        ntp: NOW,
        draw: &mut draw,
    };
    Bundle::fresh(suite, 0x1111_1111, &mut fresh)
}

fn read(octets: &[u8], psk: &[u8]) -> Result<Response, MikeyFault> {
    let protection = Protection::Psk(psk.to_vec().into());
    respond(
        octets,
        &protection,
        &Suite::ALL,
        7,
        Freshness::default(),
        NOW,
    )
}

/// The MAC of a message, by mykey, with a key of 160 bits; `behind` is what a verification covers too.
fn mac(message: &MikeyMessage, octets: &[u8], behind: &[u8], psk: &[u8]) -> Vec<u8> {
    let rand = message.rand_bytes().expect("RAND");
    let key = crypto::derive_auth_key(psk, message.header.csc_id, rand, 20).expect("a key");
    let body = [&octets[..octets.len() - 20], behind].concat();
    crypto::compute_mac(&key, &body).expect("a MAC")
}

/// The key data of a message, decrypted by mykey.
fn key_data(message: &MikeyMessage, psk: &[u8]) -> Vec<u8> {
    let (csb, rand) = (message.header.csc_id, message.rand_bytes().expect("RAND"));
    let key = crypto::derive_enc_key(psk, csb, rand, 16).expect("a key");
    let salt = crypto::derive_salt_key(psk, csb, rand, 14).expect("a salt");
    let time = message.timestamp_value().expect("T");
    let iv = crypto::kemac_iv(&salt, csb, time).expect("an IV");
    let mut data = message.kemac().expect("KEMAC").enc_data.clone();
    crypto::aes_cm_apply(&key, &iv, &mut data).expect("decrypted");
    data
}

fn any_psk() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 1..80)
}

proptest! {
    #[test]
    fn what_we_invite_with_gives_mykey_our_keys(psk in any_psk(), seed: u8, long: bool) {
        let (ours, theirs) = suite(long);
        let own = bundle(ours, seed);
        let octets = own.invite(NOW, &Protection::Psk(psk.clone().into())).expect("a message");
        let message = MikeyMessage::from_bytes(&octets).expect("mykey reads it");
        prop_assert!(message.requires_verification());
        prop_assert_eq!(mac(&message, &octets, &[], &psk), &octets[octets.len() - 20..]);
        prop_assert!(message.verify_and_extract_tgk(&psk).is_err(), "the disagreement is gone");
        // A key data sub-payload: next, type, length, the TGK.
        let tgk = key_data(&message, &psk).split_off(4);
        let (send, receive) = own.keys().expect("keys");
        let rand = message.rand_bytes().expect("RAND");
        for (session, material) in [(1, send), (2, receive)] {
            let keys = derive_srtp_keys(&tgk, rand, session, message.header.csc_id, theirs).expect("keys");
            prop_assert_eq!(&[keys.master_key, keys.master_salt].concat(), &*material.octets);
        }
    }

    #[test]
    fn what_mykey_invites_with_gives_us_its_keys(psk in any_psk(), csb: u32, rand: [u8; 16]) {
        let message = MikeyMessage::new_psk_init_requiring_verification(csb, 0xdead_beef, &rand, &psk);
        let message = message.expect("a message");
        let mut octets = message.to_bytes().to_vec();
        prop_assert_eq!(read(&octets, &psk).err(), Some(MikeyFault::Mac));
        let own = mac(&message, &octets, &[], &psk);
        let end = octets.len() - 20;
        octets[end..].copy_from_slice(&own);
        let response = read(&octets, &psk).expect("keys");
        let (ours, theirs) = suite(false);
        prop_assert_eq!(response.bundle.suite(), ours);
        let tgk = message.verify_and_extract_tgk(&psk).expect("its own");
        let keys = derive_srtp_keys(&tgk, &rand, 1, csb, theirs).expect("keys");
        let (send, _) = response.bundle.keys().expect("keys");
        prop_assert_eq!(&[keys.master_key, keys.master_salt].concat(), &*send.octets);
        // §5.2: V covers the time too; there are no identities.
        prop_assert!(MikeyMessage::from_bytes(&response.reply).is_ok(), "mykey reads the answer");
        let time = message.timestamp_value().expect("T");
        let proof = mac(&message, &response.reply, time, &psk);
        prop_assert_eq!(&proof, &response.reply[response.reply.len() - 20..]);
    }
}
