//! Session keys from a master key (RFC 3711 §4.3).
//!
//! For [`Transform`](super::transform::Transform), which is made of what is
//! derived here. What is derived lives on the stack only as long as it takes
//! to expand it, and is wiped.

use zeroize::Zeroize;

use super::cipher::Cipher;
use super::key::MasterKey;
use super::suite::Encryption;

/// Which of the two protocols keys are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Rtp,
    Rtcp,
}

/// The session keys of one protocol; unused octets are zero.
pub(super) struct Derived {
    pub(super) encryption: [u8; 32],
    pub(super) authentication: [u8; 20],
    pub(super) salt: [u8; 14],
}

impl Derived {
    /// `round` is the packet index divided by the key derivation rate, 0 without a rate.
    pub(super) fn new(master: &MasterKey, protocol: Protocol, round: u64) -> Self {
        let suite = master.suite();
        // RFC 3711 §4.3.3, RFC 6188 §3, RFC 7714 §11: the PRF is AES-CM with the length of the master key.
        let prf = match suite.key_length() {
            32 => Cipher::new(Encryption::Aes256, master.key()),
            _ => Cipher::new(Encryption::Aes128, master.key()),
        };
        let mut derived = Self {
            encryption: [0; 32],
            authentication: [0; 20],
            salt: [0; 14],
        };
        // RFC 3711 §4.3.2, table of labels.
        let first = match protocol {
            Protocol::Rtp => 0x00,
            Protocol::Rtcp => 0x03,
        };
        let key = |label, out: &mut [u8]| prf.apply(start(master.salt(), label, round), out);
        key(first, &mut derived.encryption[..suite.key_length()]);
        key(first + 1, &mut derived.authentication);
        key(first + 2, &mut derived.salt[..suite.salt_length()]);
        derived
    }
}

impl Drop for Derived {
    fn drop(&mut self) {
        self.encryption.zeroize();
        self.authentication.zeroize();
        self.salt.zeroize();
    }
}

/// RFC 3711 §4.3.1: x = (label || r) XOR master_salt; §4.3.3: the counter begins at x * 2^16.
///
/// r has 48 bits for SRTCP too, as in everybody's implementation.
fn start(salt: &[u8; 14], label: u8, round: u64) -> u128 {
    let mut block = [0; 16];
    block[..14].copy_from_slice(salt);
    u128::from_be_bytes(block) ^ (u128::from(label) << 64) ^ (u128::from(round) << 16)
}

#[cfg(test)]
mod tests {
    use super::super::suite::Suite;
    use super::super::testing::{hex, octets};
    use super::*;

    fn derive(suite: Suite, key: &str, salt: &str, protocol: Protocol) -> [String; 3] {
        let master = MasterKey::new(suite, &hex(key), &hex(salt)).expect("a key");
        let derived = Derived::new(&master, protocol, 0);
        [
            octets(&derived.encryption[..suite.key_length()]),
            octets(&derived.authentication),
            octets(&derived.salt[..suite.salt_length()]),
        ]
    }

    const B_3_KEY: &str = "E1F97A0D3E018BE0D64FA32C06DE4139";
    const B_3_SALT: &str = "0EC675AD498AFEEBB6960B3AABE6";

    #[test]
    fn rfc_3711_b_3_gives_the_session_keys_of_srtp() {
        let suite = Suite::AesCm128HmacSha1_80;
        assert_eq!(
            derive(suite, B_3_KEY, B_3_SALT, Protocol::Rtp),
            [
                "c61e7a93744f39ee10734afe3ff7a087",
                "cebe321f6ff7716b6fd4ab49af256a156d38baa4",
                "30cbbc08863d8c85d49db34a9ae1",
            ]
        );
    }

    #[test]
    fn the_same_master_key_gives_other_session_keys_to_srtcp() {
        let suite = Suite::AesCm128HmacSha1_80;
        assert_eq!(
            derive(suite, B_3_KEY, B_3_SALT, Protocol::Rtcp),
            [
                "4c1aa45a81f73d61c800bbb00fbb1eaa",
                "8d54534feb49ae8e7993a6bd0b844fc323a93dfd",
                "9581c7ad87b3e530bf3e4454a8b3",
            ]
        );
    }

    #[test]
    fn rfc_3711_b_3_gives_an_authentication_key_of_several_blocks() {
        let master = MasterKey::new(Suite::AesCm128HmacSha1_80, &hex(B_3_KEY), &hex(B_3_SALT));
        let master = master.expect("a key");
        let mut long = [0; 94];
        Cipher::new(Encryption::Aes128, master.key()).apply(start(master.salt(), 1, 0), &mut long);
        assert_eq!(
            octets(&long),
            "cebe321f6ff7716b6fd4ab49af256a156d38baa48f0a0acf3c34e2359e6cdbce\
             e049646c43d9327ad175578ef72270986371c10c9a369ac2f94a8c5fbcdddc25\
             6d6e919a48b610ef17c2041e474035766b68642c59bbfc2f34db60dbdfb2"
        );
    }

    #[test]
    fn rfc_6188_7_2_gives_the_session_keys_of_256_bits() {
        assert_eq!(
            derive(
                Suite::Aes256CmHmacSha1_80,
                "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
                "3b04803de51ee7c96423ab5b78d2",
                Protocol::Rtp
            ),
            [
                "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4",
                "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05",
                "fa31791685ca444a9e07c6c64e93",
            ]
        );
    }

    #[test]
    fn each_round_of_a_rate_has_keys_of_its_own() {
        let master = MasterKey::new(Suite::AeadAes128Gcm, &[1; 16], &[2; 12]).expect("a key");
        let first = Derived::new(&master, Protocol::Rtp, 0);
        let second = Derived::new(&master, Protocol::Rtp, 1);
        assert_ne!(first.encryption, second.encryption);
        assert_ne!(first.salt, second.salt);
    }
}
