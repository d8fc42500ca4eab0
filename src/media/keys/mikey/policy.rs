//! The SRTP policy of a message (RFC 3830 §6.10.1) and our suites.

use super::{MikeyFault, Payload};
use crate::media::srtp::Suite;

/// The parameters that say a suite.
pub(super) fn of(suite: Suite) -> Payload {
    let (cipher, mac) = match suite {
        Suite::NullHmacSha1_80 => (NULL, HMAC_SHA1),
        Suite::AeadAes128Gcm | Suite::AeadAes256Gcm => (AES_GCM, NULL),
        _ => (AES_CM, HMAC_SHA1),
    };
    let encrypted = u8::from(cipher != NULL);
    let tag = suite.rtp_tag_length() as u8;
    let mut parameters = vec![
        (ENCRYPTION, cipher),
        (KEY_LENGTH, suite.key_length() as u8),
        (AUTHENTICATION, mac),
        (SALT_LENGTH, suite.salt_length() as u8),
        (SRTP_ENCRYPTED, encrypted),
        (SRTCP_ENCRYPTED, encrypted),
    ];
    match mac {
        // RFC 7714 §14.2: the tag of an AEAD is a parameter of its own.
        NULL => parameters.push((AEAD_TAG, tag)),
        _ => parameters.extend([(AUTH_KEY_LENGTH, 20), (AUTHENTICATED, 1), (TAG, tag)]),
    }
    let parameters = parameters.into_iter();
    Payload::Policy(
        0,
        parameters
            .map(|(kind, value)| (kind, vec![value]))
            .collect(),
    )
}

/// The suite that a policy says; without one the default of §6.10.1.
pub(super) fn suite(policy: Option<&[(u8, Vec<u8>)]>) -> Result<Suite, MikeyFault> {
    let policy = policy.unwrap_or_default();
    let get = |kind| {
        let found = policy.iter().find(|(own, _)| *own == kind);
        found.and_then(|(_, value)| <[u8; 1]>::try_from(value.as_slice()).ok())
    };
    let value = |kind, default| get(kind).map_or(default, |[value]| value);
    // A KDR, a prefix or a PRF other than the default are not ours.
    let plain = value(KDR, 0) == 0 && value(PREFIX, 0) == 0 && value(PRF, 0) == 0;
    let encryption = (
        value(ENCRYPTION, AES_CM),
        value(SRTP_ENCRYPTED, 1),
        value(SRTCP_ENCRYPTED, 1),
    );
    // GStreamer writes the length of the tag in place of that of the key.
    let tag = match (get(TAG), get(AUTH_KEY_LENGTH)) {
        (Some([tag]), _) | (None, Some([tag @ (4 | 10)])) => tag,
        (None, _) => 10,
    };
    let authenticated =
        value(AUTHENTICATED, 1) == 1 && value(AUTHENTICATION, HMAC_SHA1) == HMAC_SHA1;
    match (encryption, value(KEY_LENGTH, 16), tag) {
        _ if !plain => Err(MikeyFault::Policy),
        ((AES_GCM, 1, 1), 16, _) => Ok(Suite::AeadAes128Gcm),
        ((AES_GCM, 1, 1), 32, _) => Ok(Suite::AeadAes256Gcm),
        _ if !authenticated => Err(MikeyFault::Policy),
        ((AES_CM, 1, 1), 16, 10) => Ok(Suite::AesCm128HmacSha1_80),
        ((AES_CM, 1, 1), 16, 4) => Ok(Suite::AesCm128HmacSha1_32),
        ((AES_CM, 1, 1), 32, 10) => Ok(Suite::Aes256CmHmacSha1_80),
        ((AES_CM, 1, 1), 32, 4) => Ok(Suite::Aes256CmHmacSha1_32),
        ((NULL, _, _) | (AES_CM, 0, 0), _, 10) => Ok(Suite::NullHmacSha1_80),
        _ => Err(MikeyFault::Policy),
    }
}

// §6.10.1: types of parameters.
const ENCRYPTION: u8 = 0;
const KEY_LENGTH: u8 = 1;
const AUTHENTICATION: u8 = 2;
const AUTH_KEY_LENGTH: u8 = 3;
const SALT_LENGTH: u8 = 4;
const PRF: u8 = 5;
const KDR: u8 = 6;
const SRTP_ENCRYPTED: u8 = 7;
const SRTCP_ENCRYPTED: u8 = 8;
const AUTHENTICATED: u8 = 10;
const TAG: u8 = 11;
const PREFIX: u8 = 12;
const AEAD_TAG: u8 = 20;

// Their values.
const NULL: u8 = 0;
const AES_CM: u8 = 1;
const AES_GCM: u8 = 6;
const HMAC_SHA1: u8 = 1;
