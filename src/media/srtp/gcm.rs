//! The hash of GCM (NIST SP 800-38D §6.4).
//!
//! Keyed once for a session; what AES adds to make a tag of it is the
//! transform's.

use ghash::GHash;
use ghash::universal_hash::UniversalHash;

use super::cipher::Cipher;

/// The hash key with its powers.
pub(super) struct Ghash(GHash);

impl Ghash {
    /// The hash key is what the cipher makes of zeros.
    pub(super) fn new(cipher: &Cipher) -> Self {
        Self(GHash::new(&cipher.block(0).to_be_bytes().into()))
    }

    /// The hash of associated data, which comes in two pieces, and a hidden text.
    pub(super) fn hash(&self, associated: &[u8], more: &[u8], text: &[u8]) -> u128 {
        let ahead = associated.len() + more.len();
        let bits = |octets: usize| 8 * octets as u128;
        let lengths = (bits(ahead) << 64 | bits(text.len())).to_be_bytes();
        let mut hash = self.0.clone();
        let start = BLOCK * ahead.div_ceil(BLOCK);
        let end = start + BLOCK * text.len().div_ceil(BLOCK);
        let mut piece = [0; PIECE];
        if end < PIECE {
            // A voice packet is one piece, since blocks are hashed by fours.
            piece[..associated.len()].copy_from_slice(associated);
            piece[associated.len()..ahead].copy_from_slice(more);
            piece[start..start + text.len()].copy_from_slice(text);
            piece[end..end + BLOCK].copy_from_slice(&lengths);
            hash.update_padded(&piece[..end + BLOCK]);
        } else {
            let (whole, rest) = associated.as_chunks::<BLOCK>();
            hash.update_padded(whole.as_flattened());
            piece[..rest.len()].copy_from_slice(rest);
            piece[rest.len()..rest.len() + more.len()].copy_from_slice(more);
            hash.update_padded(&piece[..rest.len() + more.len()]);
            hash.update_padded(text);
            hash.update(&[lengths.into()]);
        }
        u128::from_be_bytes(hash.finalize().into())
    }
}

const BLOCK: usize = 16;
const PIECE: usize = 16 * BLOCK;

#[cfg(test)]
mod tests {
    use openssl::symm::{Cipher as Openssl, encrypt_aead};

    use super::super::suite::Encryption;
    use super::*;

    #[test]
    fn every_length_agrees_with_openssl() {
        let cipher = Cipher::new(Encryption::Aes128, &[7; 32]);
        let ghash = Ghash::new(&cipher);
        let octets: Vec<u8> = (0..600_u16).map(|at| at as u8).collect();
        let iv = [3; 12];
        let first = u128::from_be_bytes([3; 16]) >> 32 << 32 | 1;
        for (clear, length) in (0..40).flat_map(|at| [(at, 7 * at), (12 * at, 100), (at, 216 + at)])
        {
            let mut text = octets[..length].to_vec();
            let mut tag = [0; 16];
            let (key, aad) = ([7; 16], &octets[..clear]);
            let expected = encrypt_aead(
                Openssl::aes_128_gcm(),
                &key,
                Some(&iv),
                aad,
                &text,
                &mut tag,
            );
            cipher.apply(first + 1, &mut text);
            assert_eq!(expected.expect("encrypted"), text);
            for more in [0, clear.min(4)] {
                let (associated, more) = aad.split_at(clear - more);
                let ours = ghash.hash(associated, more, &text) ^ cipher.block(first);
                assert_eq!(ours.to_be_bytes(), tag, "{clear} and {length}");
            }
        }
    }
}
