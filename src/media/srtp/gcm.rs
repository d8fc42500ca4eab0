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
        let mut hash = self.0.clone();
        let (blocks, rest) = associated.as_chunks::<BLOCK>();
        hash.update_padded(blocks.as_flattened());
        let mut joint = [0; 2 * BLOCK];
        joint[..rest.len()].copy_from_slice(rest);
        joint[rest.len()..rest.len() + more.len()].copy_from_slice(more);
        hash.update_padded(&joint[..rest.len() + more.len()]);
        hash.update_padded(text);
        let bits = |octets: usize| 8 * octets as u128;
        let lengths = bits(associated.len() + more.len()) << 64 | bits(text.len());
        hash.update(&[lengths.to_be_bytes().into()]);
        u128::from_be_bytes(hash.finalize().into())
    }
}

const BLOCK: usize = 16;
