//! A master key with what was agreed about it.
//!
//! For the key management, which makes it, and for [`Sender`](super::Sender)
//! and [`Receiver`](super::Receiver), which derive from it. Wiped when
//! dropped, and never shown.

use std::fmt;

use zeroize::Zeroize;

use super::error::KeyError;
use super::suite::Suite;

/// A master key, its salt, and how long and under which name it is used.
#[derive(Clone)]
pub struct MasterKey {
    suite: Suite,
    key: [u8; 32],
    salt: [u8; 14],
    mki: Box<[u8]>,
    lifetime: Lifetime,
    rate: Option<u8>,
}

impl MasterKey {
    /// A key without MKI and key derivation rate that lives as long as it may.
    ///
    /// # Errors
    /// [`KeyError::KeyLength`] or [`KeyError::SaltLength`] where they are not the suite's.
    pub fn new(suite: Suite, key: &[u8], salt: &[u8]) -> Result<Self, KeyError> {
        let (expected, found) = (suite.key_length(), key.len());
        if found != expected {
            return Err(KeyError::KeyLength { expected, found });
        }
        let (expected, found) = (suite.salt_length(), salt.len());
        if found != expected {
            return Err(KeyError::SaltLength { expected, found });
        }
        let mut master = Self {
            suite,
            key: [0; 32],
            salt: [0; 14],
            mki: Box::default(),
            lifetime: Lifetime::default(),
            rate: None,
        };
        master.key[..key.len()].copy_from_slice(key);
        // RFC 7714 §11: 96 bits are filled up to 112 with zeros on the right.
        master.salt[..salt.len()].copy_from_slice(salt);
        Ok(master)
    }

    /// The same key under a name that each packet carries.
    ///
    /// # Errors
    /// [`KeyError::MkiLength`] unless it has 1 to 128 octets.
    pub fn with_mki(mut self, mki: &[u8]) -> Result<Self, KeyError> {
        if mki.is_empty() || mki.len() > MAX_MKI {
            return Err(KeyError::MkiLength(mki.len()));
        }
        self.mki = mki.into();
        Ok(self)
    }

    /// The same key for so many packets.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Lifetime) -> Self {
        self.lifetime = lifetime;
        self
    }

    /// The same key with other session keys after each 2^`exponent` packets (RFC 3711 §4.3.1).
    ///
    /// # Errors
    /// [`KeyError::Rate`] above 2^24.
    pub fn with_rate(mut self, exponent: u8) -> Result<Self, KeyError> {
        if exponent > MAX_RATE {
            return Err(KeyError::Rate(exponent));
        }
        self.rate = Some(exponent);
        Ok(self)
    }

    /// The suite that it is for.
    #[must_use]
    pub fn suite(&self) -> Suite {
        self.suite
    }

    /// Its name in packets; empty where they carry none.
    #[must_use]
    pub fn mki(&self) -> &[u8] {
        &self.mki
    }

    pub(super) fn key(&self) -> &[u8; 32] {
        &self.key
    }

    pub(super) fn salt(&self) -> &[u8; 14] {
        &self.salt
    }

    pub(super) fn lifetime(&self) -> Lifetime {
        self.lifetime
    }

    pub(super) fn rate(&self) -> Option<u8> {
        self.rate
    }
}

impl Drop for MasterKey {
    fn drop(&mut self) {
        self.key.zeroize();
        self.salt.zeroize();
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MasterKey")
            .field("suite", &self.suite)
            .field("mki", &self.mki)
            .field("lifetime", &self.lifetime)
            .field("rate", &self.rate)
            .finish_non_exhaustive()
    }
}

/// How many packets of each protocol a master key protects, of all streams together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    pub(super) rtp: u64,
    pub(super) rtcp: u64,
}

impl Lifetime {
    /// So many packets of SRTP, and as many of SRTCP up to its own limit (RFC 4568 §6.1).
    ///
    /// # Errors
    /// [`KeyError::Lifetime`] for none, and for more than 2^48.
    pub fn packets(packets: u64) -> Result<Self, KeyError> {
        if packets == 0 || packets > MAX_RTP {
            return Err(KeyError::Lifetime);
        }
        Ok(Self {
            rtp: packets,
            rtcp: packets.min(MAX_RTCP),
        })
    }
}

impl Default for Lifetime {
    /// As long as a key may live: 2^48 packets of SRTP, 2^31 of SRTCP.
    fn default() -> Self {
        Self {
            rtp: MAX_RTP,
            rtcp: MAX_RTCP,
        }
    }
}

/// RFC 4568 §6.1.
const MAX_MKI: usize = 128;
/// RFC 3711 §4.3.1.
const MAX_RATE: u8 = 24;
/// RFC 3711 §9.2.
pub(super) const MAX_RTP: u64 = 1 << 48;
pub(super) const MAX_RTCP: u64 = 1 << 31;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_length_is_refused_with_both_lengths() {
        let short = MasterKey::new(Suite::AeadAes256Gcm, &[0; 16], &[0; 12]);
        let (expected, found) = (32, 16);
        assert_eq!(short.err(), Some(KeyError::KeyLength { expected, found }));
        let salty = MasterKey::new(Suite::AeadAes128Gcm, &[0; 16], &[0; 14]);
        let (expected, found) = (12, 14);
        assert_eq!(salty.err(), Some(KeyError::SaltLength { expected, found }));
    }

    #[test]
    fn what_was_agreed_stays_in_its_range() {
        let key = || MasterKey::new(Suite::AesCm128HmacSha1_80, &[0; 16], &[0; 14]).expect("a key");
        assert_eq!(key().with_mki(&[]).err(), Some(KeyError::MkiLength(0)));
        assert_eq!(
            key().with_mki(&[0; 129]).err(),
            Some(KeyError::MkiLength(129))
        );
        assert_eq!(key().with_mki(&[7; 128]).expect("an MKI").mki(), [7; 128]);
        assert_eq!(key().with_rate(25).err(), Some(KeyError::Rate(25)));
        assert_eq!(Lifetime::packets(0), Err(KeyError::Lifetime));
        assert_eq!(Lifetime::packets((1 << 48) + 1), Err(KeyError::Lifetime));
        let longest = Lifetime::packets(1 << 48).expect("a lifetime");
        assert_eq!(longest, Lifetime::default());
    }

    #[test]
    fn neither_key_nor_salt_is_ever_shown() {
        let key = MasterKey::new(Suite::AesCm128HmacSha1_80, &[0xab; 16], &[0xcd; 14]);
        let shown = format!("{:?}", key.expect("a key"));
        assert!(shown.contains("AesCm128HmacSha1_80"), "{shown}");
        for secret in ["171", "205", "ab", "cd"] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}
