//! Session keys at work: hides and proves one packet at a given index.
//!
//! RFC 3711 §4 and RFC 7714 §8 and §9 over one shape: octets in the clear,
//! octets to hide, four octets that are proven but stand elsewhere. It has no
//! state that a packet changes, and does not touch what is not authentic.

use zeroize::Zeroize;

use super::cipher::Cipher;
use super::derive::{Derived, Protocol};
use super::error::Error;
use super::gcm::Ghash;
use super::hmac::HmacSha1;
use super::key::MasterKey;
use super::suite::Authentication;

/// The expanded session keys of one protocol.
pub(super) struct Transform {
    cipher: Cipher,
    proof: Proof,
    /// On the left, with zeros behind it.
    salt: u128,
}

enum Proof {
    HmacSha1(HmacSha1),
    Gcm(Ghash),
}

/// Which packet it is.
pub(super) struct Place {
    pub(super) ssrc: u32,
    /// The packet index, 48 bits of SRTP or 31 of SRTCP.
    pub(super) index: u64,
    /// Octets at its start that stay readable.
    pub(super) clear: usize,
    pub(super) outside: Outside,
}

/// What is proven besides the packet's own octets.
#[derive(Clone, Copy)]
pub(super) enum Outside {
    /// The ROC of SRTP, which GCM has in its IV only.
    Roc(u32),
    /// E flag and index of SRTCP.
    Word(u32),
}

impl Transform {
    pub(super) fn new(master: &MasterKey, protocol: Protocol, round: u64) -> Self {
        let profile = master.suite().profile();
        let derived = Derived::new(master, protocol, round);
        let cipher = Cipher::new(profile.encryption, &derived.encryption);
        let proof = match profile.authentication {
            Authentication::HmacSha1 => Proof::HmacSha1(HmacSha1::new(&derived.authentication)),
            Authentication::Gcm => Proof::Gcm(Ghash::new(&cipher)),
        };
        let mut salt = [0; 16];
        salt[..14].copy_from_slice(&derived.salt);
        Self {
            cipher,
            proof,
            salt: u128::from_be_bytes(salt),
        }
    }

    /// Hides the packet and returns its tag, of which a suite may send less.
    pub(super) fn seal(&self, packet: &mut [u8], place: &Place) -> [u8; 20] {
        let counter = self.counter(place);
        self.cipher.apply(counter, &mut packet[place.clear..]);
        self.tag(packet, place)
    }

    /// Makes the packet readable if the tag is its own; else it stays as it is.
    pub(super) fn open(&self, packet: &mut [u8], place: &Place, tag: &[u8]) -> Result<(), Error> {
        let expected = self.tag(packet, place);
        if !same(&expected[..tag.len()], tag) {
            return Err(Error::NotAuthentic);
        }
        let counter = self.counter(place);
        self.cipher.apply(counter, &mut packet[place.clear..]);
        Ok(())
    }

    /// Whether both are of the same master key: nobody else has this salt.
    pub(super) fn is_of_the_key_of(&self, other: &Self) -> bool {
        self.salt == other.salt
    }

    /// The counter of the first hidden block.
    fn counter(&self, place: &Place) -> u128 {
        match self.proof {
            Proof::HmacSha1(_) => self.iv(place),
            // NIST SP 800-38D §7.1: the first one hides the tag.
            Proof::Gcm(_) => self.iv(place) + 1,
        }
    }

    fn iv(&self, place: &Place) -> u128 {
        let (ssrc, index) = (u128::from(place.ssrc), u128::from(place.index));
        match self.proof {
            // RFC 3711 §4.1.1: IV = (k_s * 2^16) XOR (SSRC * 2^64) XOR (i * 2^16).
            Proof::HmacSha1(_) => self.salt ^ (ssrc << 64) ^ (index << 16),
            // RFC 7714 §8.1, §9.1: 12 octets of IV, and a block counter of 4 that begins at 1.
            Proof::Gcm(_) => self.salt ^ (ssrc << 80) ^ (index << 32) | 1,
        }
    }

    /// The tag of a packet that is hidden already.
    fn tag(&self, packet: &[u8], place: &Place) -> [u8; 20] {
        match (&self.proof, place.outside) {
            // RFC 3711 §4.2: M = authenticated portion || ROC, and for SRTCP the word is part of it.
            (Proof::HmacSha1(hmac), Outside::Roc(word) | Outside::Word(word)) => {
                hmac.digest(packet, word.to_be_bytes())
            }
            // RFC 7714 §8.2: the associated data is the header.
            (Proof::Gcm(ghash), Outside::Roc(_)) => self.gcm_tag(ghash, packet, place, &[]),
            // RFC 7714 §9.2, §9.3: and for SRTCP the word behind it.
            (Proof::Gcm(ghash), Outside::Word(word)) => {
                self.gcm_tag(ghash, packet, place, &word.to_be_bytes())
            }
        }
    }

    fn gcm_tag(&self, ghash: &Ghash, packet: &[u8], place: &Place, more: &[u8]) -> [u8; 20] {
        let (associated, text) = packet.split_at(place.clear);
        let hash = ghash.hash(associated, more, text);
        let mut tag = [0; 20];
        tag[..16].copy_from_slice(&(hash ^ self.cipher.block(self.iv(place))).to_be_bytes());
        tag
    }
}

impl Drop for Transform {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

/// Takes as long whatever the first difference is (RFC 3711 §4.2 needs no hint to a forger).
fn same(left: &[u8], right: &[u8]) -> bool {
    let differing = left.iter().zip(right).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(differing) == 0
}
