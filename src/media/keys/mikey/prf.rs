//! Keys from keys (RFC 3830 §4.1), and the cipher of key transport (§4.2.3).

use aes::Aes128;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use zeroize::Zeroizing;

use super::MikeyFault;
use crate::wire::hmac::{OCTETS, hmac_sha1};

/// What a key is derived for (§4.1.3, §4.1.4).
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// A crypto session's traffic encrypting key, from a TGK.
    Tek,
    /// A crypto session's salt, from a TGK.
    Salt,
    /// Encryption of key transport, from the pre-shared key.
    TransportKey,
    /// The salt of that encryption.
    TransportSalt,
    /// Authentication of the message, from the pre-shared key.
    Authentication,
}

impl Purpose {
    fn constant(self) -> u32 {
        match self {
            Self::Tek => 0x2AD0_1C64,
            Self::Salt => 0x39A2_C14B,
            Self::TransportKey => 0x1505_33E1,
            Self::TransportSalt => 0x29B8_8916,
            Self::Authentication => 0x2D22_AC75,
        }
    }
}

/// The bundle and the session that a key is for.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) csb: u32,
    pub(super) rand: &'a [u8],
}

impl Context<'_> {
    /// `constant || cs_id || csb_id || RAND`; 0xFF stands for no session (§4.1.4).
    pub(super) fn derive(
        self,
        key: &[u8],
        purpose: Purpose,
        session: u8,
        length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, MikeyFault> {
        let mut label = purpose.constant().to_be_bytes().to_vec();
        label.push(session);
        label.extend(self.csb.to_be_bytes());
        label.extend(self.rand);
        prf(key, &label, length)
    }
}

/// §4.1.2: each 256 bits of the key expand the label, and all are added.
pub(super) fn prf(
    key: &[u8],
    label: &[u8],
    length: usize,
) -> Result<Zeroizing<Vec<u8>>, MikeyFault> {
    let mut out = Zeroizing::new(vec![0; length]);
    for part in key.chunks(32) {
        let mut chain = label.to_vec();
        for octets in out.chunks_mut(OCTETS) {
            chain = hmac(part, &chain)?.to_vec();
            let block = Zeroizing::new(hmac(part, &[&chain, label].concat())?);
            for (octet, own) in octets.iter_mut().zip(*block) {
                *octet ^= own;
            }
        }
    }
    Ok(out)
}

pub(super) fn hmac(key: &[u8], text: &[u8]) -> Result<[u8; OCTETS], MikeyFault> {
    hmac_sha1(key, text).ok_or(MikeyFault::Key)
}

/// §4.2.3: AES-CM from `(salt XOR (0x0000 || CSB ID || T)) || 0x0000`, in either direction.
pub(super) fn transport(
    psk: &[u8],
    context: Context<'_>,
    timestamp: &[u8],
    data: &mut [u8],
) -> Result<(), MikeyFault> {
    let key = context.derive(psk, Purpose::TransportKey, ALL, 16)?;
    let salt = context.derive(psk, Purpose::TransportSalt, ALL, 14)?;
    let mut counter = [0; 16];
    counter[2..6].copy_from_slice(&context.csb.to_be_bytes());
    let start = 14_usize.checked_sub(timestamp.len());
    counter[start.ok_or(MikeyFault::Malformed)?..14].copy_from_slice(timestamp);
    for (octet, salt) in counter.iter_mut().zip(salt.iter()) {
        *octet ^= salt;
    }
    let cipher = Aes128::new_from_slice(&key).map_err(|_| MikeyFault::Key)?;
    for (number, chunk) in (0_u16..=u16::MAX).zip(data.chunks_mut(16)) {
        counter[14..].copy_from_slice(&number.to_be_bytes());
        let mut block = Array::from(counter);
        cipher.encrypt_block(&mut block);
        for (octet, stream) in chunk.iter_mut().zip(block) {
            *octet ^= stream;
        }
    }
    Ok(())
}

/// In place of a session's number, where a key is for the message itself (§4.1.4).
pub(super) const ALL: u8 = 0xFF;
