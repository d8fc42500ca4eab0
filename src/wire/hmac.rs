//! HMAC-SHA1 (RFC 2104), for STUN and for UDP connection requests.

use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::PKey;
use openssl::sign::Signer;

/// Octets of an HMAC-SHA1.
pub const OCTETS: usize = 20;

/// The HMAC-SHA1 of a text; None where the library refuses the key.
pub fn hmac_sha1(key: &[u8], text: &[u8]) -> Option<[u8; OCTETS]> {
    // Keys are padded with zeros: one zero is the empty key, which the library refuses.
    let key = if key.is_empty() { &[0] } else { key };
    let key = PKey::hmac(key).ok()?;
    let mut signer = Signer::new(MessageDigest::sha1(), &key).ok()?;
    let mut digest = [0; OCTETS];
    signer.update(text).ok()?;
    signer.sign(&mut digest).ok()?;
    Some(digest)
}

/// Whether two are the same, in a time that tells nothing.
pub fn is_same(one: &[u8; OCTETS], other: &[u8; OCTETS]) -> bool {
    memcmp::eq(one, other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 2202 §3, cases 2 and 6.
    #[test]
    fn the_known_answers_come_out() {
        let hex = |key: &[u8], text: &[u8]| {
            let digest = hmac_sha1(key, text).expect("a key");
            digest.map(|octet| format!("{octet:02x}")).concat()
        };
        assert_eq!(
            hex(b"Jefe", b"what do ya want for nothing?"),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
        );
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(
            hex(&[0xaa; 80], text),
            "aa4ae5e15272d00e95705637ce8a3b55ed402112"
        );
    }

    #[test]
    fn an_empty_key_is_a_key() {
        let digest = hmac_sha1(b"", b"").expect("a key");
        assert_eq!(digest[..4], [0xfb, 0xdb, 0x1d, 0x1b]);
    }
}
