//! HMAC-SHA1 (RFC 2104) with both key blocks hashed beforehand.
//!
//! A voice packet costs four compressions instead of six, and a key is 40
//! octets instead of two hashers with their buffers.

use sha1::block_api::compress;
use zeroize::Zeroize;

/// The states of both hashes behind their key block.
pub(super) struct HmacSha1 {
    inner: [u32; 5],
    outer: [u32; 5],
}

impl HmacSha1 {
    pub(super) fn new(key: &[u8; 20]) -> Self {
        Self {
            inner: behind(key, 0x36),
            outer: behind(key, 0x5c),
        }
    }

    /// The whole digest of a message and the four octets that follow it.
    pub(super) fn digest(&self, message: &[u8], suffix: [u8; 4]) -> [u8; 20] {
        // A voice packet is one piece with its padding; of a longer one, whole blocks go first.
        let direct = match message.len() + 4 + 9 {
            ..=PIECE => 0,
            _ => message.len() / BLOCK,
        };
        let (blocks, rest) = message.split_at(direct * BLOCK);
        let mut state = self.inner;
        compress(&mut state, blocks.as_chunks().0);
        let mut tail = [[0; BLOCK]; PIECE / BLOCK];
        let octets = tail.as_flattened_mut();
        octets[..rest.len()].copy_from_slice(rest);
        octets[rest.len()..rest.len() + 4].copy_from_slice(&suffix);
        finish(&mut state, &mut tail, rest.len() + 4, message.len() + 4);
        let digest = print(state);

        let mut state = self.outer;
        let mut tail = [[0; BLOCK]];
        tail[0][..20].copy_from_slice(&digest);
        finish(&mut state, &mut tail, 20, 20);
        print(state)
    }
}

impl Drop for HmacSha1 {
    fn drop(&mut self) {
        self.inner.zeroize();
        self.outer.zeroize();
    }
}

/// The state after the key, filled up to a block.
fn behind(key: &[u8; 20], pad: u8) -> [u32; 5] {
    let mut block = [pad; BLOCK];
    for (octet, key) in block.iter_mut().zip(key) {
        *octet ^= key;
    }
    let mut state = INITIAL;
    compress(&mut state, &[block]);
    block.zeroize();
    state
}

/// Pads `used` octets of the tail (FIPS 180-4 §5.1.1); `length` octets followed the key block.
fn finish(state: &mut [u32; 5], tail: &mut [[u8; BLOCK]], used: usize, length: usize) {
    let blocks = (used + 9).div_ceil(BLOCK);
    let bits = 8 * (BLOCK + length) as u64;
    let octets = tail.as_flattened_mut();
    octets[used] = 0x80;
    octets[blocks * BLOCK - 8..blocks * BLOCK].copy_from_slice(&bits.to_be_bytes());
    compress(state, &tail[..blocks]);
}

fn print(state: [u32; 5]) -> [u8; 20] {
    let mut digest = [0; 20];
    for (octets, word) in digest.chunks_exact_mut(4).zip(state) {
        octets.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

const BLOCK: usize = 64;
const PIECE: usize = 4 * BLOCK;
/// FIPS 180-4 §5.3.1.
const INITIAL: [u32; 5] = [
    0x6745_2301,
    0xefcd_ab89,
    0x98ba_dcfe,
    0x1032_5476,
    0xc3d2_e1f0,
];

#[cfg(test)]
mod tests {
    use super::super::testing::octets;
    use super::HmacSha1;

    #[test]
    fn rfc_2202_gives_the_digests() {
        let digest = HmacSha1::new(&[0x0b; 20]).digest(b"Hi T", *b"here");
        assert_eq!(octets(&digest), "b617318655057264e28bc0b6fb378c8ef146be00");
        let message = [0xdd; 46];
        let digest = HmacSha1::new(&[0xaa; 20]).digest(&message, [0xdd; 4]);
        assert_eq!(octets(&digest), "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
    }

    #[test]
    fn every_length_agrees_with_openssl() {
        let key = openssl::pkey::PKey::hmac(&[0x42; 20]).expect("a key");
        let message: Vec<u8> = (0..300_u16).map(|at| at as u8).collect();
        for length in 4..message.len() {
            let sha1 = openssl::hash::MessageDigest::sha1();
            let mut signer = openssl::sign::Signer::new(sha1, &key).expect("a signer");
            let expected = signer
                .sign_oneshot_to_vec(&message[..length])
                .expect("a digest");
            let (head, suffix) = message[..length].split_last_chunk().expect("four octets");
            assert_eq!(
                HmacSha1::new(&[0x42; 20]).digest(head, *suffix)[..],
                expected
            );
        }
    }
}
