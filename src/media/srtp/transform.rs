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

#[cfg(test)]
mod tests {
    use super::super::suite::Encryption;
    use super::super::testing::{hex, octets};
    use super::*;

    /// RFC 7714 §16 and §17 give session keys, not master keys.
    fn gcm(encryption: Encryption) -> Transform {
        let mut key = [0; 32];
        for (at, octet) in key.iter_mut().enumerate() {
            *octet = at as u8;
        }
        let cipher = Cipher::new(encryption, &key);
        let mut salt = [0; 16];
        salt[..12].copy_from_slice(b"Quid pro quo");
        Transform {
            proof: Proof::Gcm(Ghash::new(&cipher)),
            cipher,
            salt: u128::from_be_bytes(salt),
        }
    }

    /// What both directions make of a packet, and whether they agree.
    fn sealed(transform: &Transform, plain: &str, place: &Place) -> String {
        let mut packet = hex(plain);
        let tag = transform.seal(&mut packet, place);
        let sealed = octets(&packet) + &octets(&tag[..16]);
        let opened = transform.open(&mut packet, place, &tag[..16]);
        assert_eq!((opened, octets(&packet).as_str()), (Ok(()), plain));
        sealed
    }

    const RTP: &str = "8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e697320646976\
                       69736120696e207061727465732074726573";

    fn rtp(clear: usize) -> Place {
        Place {
            ssrc: 0x5501_a0b2,
            index: 0xf17b,
            clear,
            outside: Outside::Roc(0),
        }
    }

    #[test]
    fn rfc_7714_16_1_gives_the_packet_of_aead_aes_128_gcm() {
        let transform = gcm(Encryption::Aes128);
        assert_eq!(
            format!("{:x}", transform.iv(&rtp(12)) >> 32),
            "51753c6580c2726f20718414"
        );
        assert_eq!(
            sealed(&transform, RTP, &rtp(12)),
            "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f\
             42a5f47a51c7d19b36de3adf8833899d7f27beb16a9152cf765ee4390cce"
        );
        let tagged = sealed(&transform, RTP, &rtp(RTP.len() / 2));
        assert_eq!(tagged, RTP.to_owned() + "22493f82d2bce397e9d79e3b19aa4216");
    }

    #[test]
    fn rfc_7714_16_2_gives_the_packet_of_aead_aes_256_gcm() {
        let transform = gcm(Encryption::Aes256);
        assert_eq!(
            sealed(&transform, RTP, &rtp(12)),
            "8040f17b8041f8d35501a0b232b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3\
             b50b2a0276ffae0f1ba63799b87b7aa3db36dfffd6b0f9bb7878d7a76c13"
        );
        let tagged = sealed(&transform, RTP, &rtp(RTP.len() / 2));
        assert_eq!(tagged, RTP.to_owned() + "a866d5910f887463067ceefec45215d4");
    }

    /// The packet of the subsections; the one at the head of §17 is another.
    const RTCP: &str = "81c8000d4d6172734e5450314e545032525450200000042a0000e9304c756e61\
                        deadbeefdeadbeefdeadbeefdeadbeefdeadbeef";

    fn rtcp(flag: u32, clear: usize) -> Place {
        Place {
            ssrc: 0x4d61_7273,
            index: 0x5d4,
            clear,
            outside: Outside::Word(flag | 0x5d4),
        }
    }

    #[test]
    fn rfc_7714_17_1_and_17_2_give_the_encrypted_srtcp_packets() {
        assert_eq!(
            sealed(&gcm(Encryption::Aes128), RTCP, &rtcp(1 << 31, 8)),
            "81c8000d4d61727363e94885dcdab67ca727d7662f6b7e997ff5c0f76c06f32dc676a5f1\
             730d6fda4ce09b4686303ded0bb9275bc84aa45896cf4d2fc5abf87245d9eade"
        );
        assert_eq!(
            sealed(&gcm(Encryption::Aes256), RTCP, &rtcp(1 << 31, 8)),
            "81c8000d4d617273d50ae4d1f5ce5d304ba297e47d470c282c3ece5dbffe0a50a2eaa5c1\
             110555be8415f658c61de0476f1b6fad1d1eb30c4446839f57ff6f6cb26ac3be"
        );
    }

    #[test]
    fn rfc_7714_17_3_and_17_4_give_the_tags_of_readable_srtcp_packets() {
        let place = rtcp(0, RTCP.len() / 2);
        for (encryption, tag) in [
            (Encryption::Aes128, "841dd9683dd78ec92ae58790125f62b3"),
            (Encryption::Aes256, "91db4afbfeee5a978fab4393ed2615fe"),
        ] {
            let tagged = sealed(&gcm(encryption), RTCP, &place);
            assert_eq!(tagged, RTCP.to_owned() + tag);
        }
    }

    #[test]
    fn what_is_not_authentic_stays_as_it_is() {
        let transform = gcm(Encryption::Aes128);
        let mut packet = hex(RTP);
        let mut tag = transform.seal(&mut packet, &rtp(12));
        tag[15] ^= 1;
        let before = packet.clone();
        let opened = transform.open(&mut packet, &rtp(12), &tag[..16]);
        assert_eq!((opened, packet), (Err(Error::NotAuthentic), before));
    }
}
