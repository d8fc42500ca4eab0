//! AES in counter mode (RFC 3711 §4.1.1).
//!
//! Holds expanded round keys in place, so that a packet follows no pointer to
//! them. It knows blocks and counters; which counter a packet begins at is the
//! transform's.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128Enc, Aes256Enc, Block};

use super::suite::Encryption;

/// A keyed block cipher, or none.
///
/// Round keys stand in place: a packet follows no pointer to them.
pub(super) enum Cipher {
    Null,
    Aes128(Aes128Enc),
    Aes256(Aes256Enc),
}

impl Cipher {
    /// `key` holds at least as many octets as the cipher takes.
    pub(super) fn new(encryption: Encryption, key: &[u8; 32]) -> Self {
        let (half, _) = key.split_at(16);
        match encryption {
            Encryption::Null => Self::Null,
            Encryption::Aes128 => {
                Self::Aes128(Aes128Enc::new_from_slice(half).expect("half of 32 is 16"))
            }
            Encryption::Aes256 => Self::Aes256(Aes256Enc::new(key.into())),
        }
    }

    /// Adds the key stream that begins at counter `first` to the data, which
    /// makes or undoes its encryption.
    pub(super) fn apply(&self, first: u128, data: &mut [u8]) {
        let mut counter = first;
        let mut batch = [Block::default(); BATCH];
        for chunk in data.chunks_mut(BATCH * BLOCK) {
            let blocks = &mut batch[..chunk.len().div_ceil(BLOCK)];
            for block in &mut *blocks {
                *block = counter.to_be_bytes().into();
                counter = counter.wrapping_add(1);
            }
            self.encrypt(blocks);
            let (whole, rest) = chunk.as_chunks_mut::<BLOCK>();
            let (last, _) = blocks[whole.len()..].split_at(usize::from(!rest.is_empty()));
            for (part, block) in whole.iter_mut().zip(&*blocks) {
                add(part, block);
            }
            for block in last {
                add(rest, block);
            }
        }
    }

    /// Encrypts one block.
    pub(super) fn block(&self, block: u128) -> u128 {
        let mut block = [Block::from(block.to_be_bytes())];
        self.encrypt(&mut block);
        u128::from_be_bytes(block[0].into())
    }

    fn encrypt(&self, blocks: &mut [Block]) {
        match self {
            // Nothing added is what encrypts nothing.
            Self::Null => blocks.fill(Block::default()),
            Self::Aes128(aes) => aes.encrypt_blocks(blocks),
            Self::Aes256(aes) => aes.encrypt_blocks(blocks),
        }
    }
}

fn add(part: &mut [u8], key: &[u8]) {
    for (octet, key) in part.iter_mut().zip(key) {
        *octet ^= key;
    }
}

const BLOCK: usize = 16;
/// 256 octets: a voice packet is one batch.
const BATCH: usize = 16;

#[cfg(test)]
mod tests {
    use super::super::testing::{hex, octets};
    use super::*;

    /// RFC 3711 B.2 and RFC 6188 §7.1: this session salt, SSRC 0, index 0.
    const FIRST: u128 = 0xF0F1_F2F3_F4F5_F6F7_F8F9_FAFB_FCFD_0000;

    fn key_stream(encryption: Encryption, key: &str, length: usize) -> Vec<u8> {
        let mut octets = [0; 32];
        let key = hex(key);
        octets[..key.len()].copy_from_slice(&key);
        let mut stream = vec![0; length];
        Cipher::new(encryption, &octets).apply(FIRST, &mut stream);
        stream
    }

    #[test]
    fn rfc_3711_b_2_gives_the_key_stream_of_aes_128() {
        let key = "2B7E151628AED2A6ABF7158809CF4F3C";
        let stream = key_stream(Encryption::Aes128, key, 0xff02 * BLOCK);
        assert_eq!(
            octets(&stream[..48]),
            "e03ead0935c95e80e166b16dd92b4eb4d23513162b02d0f72a43a2fe4a5f97ab\
             41e95b3bb0a2e8dd477901e4fca894c0"
        );
        assert_eq!(
            octets(&stream[0xfeff * BLOCK..]),
            "ec8cdf7398607cb0f2d21675ea9ea1e4362b7c3c6773516318a077d7fc5073ae\
             6a2cc3787889374fbeb4c81b17ba6c44"
        );
    }

    #[test]
    fn rfc_6188_7_1_gives_the_key_stream_of_aes_256() {
        let key = "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98";
        let stream = key_stream(Encryption::Aes256, key, 0xff02 * BLOCK);
        assert_eq!(
            octets(&stream[..48]),
            "92bdd28a93c3f52511c677d08b5515a49da71b2378a854f67050756ded165bac\
             63c4868b7096d88421b563b8c94c9a31"
        );
        assert_eq!(
            octets(&stream[0xfeff * BLOCK..]),
            "cea518c90fd91ced9cbb18c078a547113dbc4814f4da5f00a08772b63c6a046d\
             6eb246913062a16891433e97dd01a57f"
        );
    }

    #[test]
    fn applying_the_key_stream_twice_gives_the_data_back() {
        let cipher = Cipher::new(Encryption::Aes128, &[7; 32]);
        for length in [0, 1, 15, 16, 17, 255, 256, 257, 1500] {
            let data: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut hidden = data.clone();
            cipher.apply(FIRST, &mut hidden);
            assert!(length < 8 || hidden != data);
            cipher.apply(FIRST, &mut hidden);
            assert_eq!(hidden, data);
        }
    }
}
