//! The cryptographic suites, one row each.

use std::fmt;

/// A cryptographic suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Suite {
    /// RFC 4568 §6.2.1.
    AesCm128HmacSha1_80,
    /// RFC 4568 §6.2.2.
    AesCm128HmacSha1_32,
    /// RFC 6188 §4.
    Aes256CmHmacSha1_80,
    /// RFC 6188 §4.
    Aes256CmHmacSha1_32,
    /// RFC 7714 §14.1.
    AeadAes128Gcm,
    /// RFC 7714 §14.1.
    AeadAes256Gcm,
    /// Authenticated, not encrypted (RFC 3711 §4.1.3): for debugging.
    NullHmacSha1_80,
}

impl Suite {
    /// Every suite, from the one that everybody has.
    pub const ALL: [Self; 7] = [
        Self::AesCm128HmacSha1_80,
        Self::AesCm128HmacSha1_32,
        Self::Aes256CmHmacSha1_80,
        Self::Aes256CmHmacSha1_32,
        Self::AeadAes128Gcm,
        Self::AeadAes256Gcm,
        Self::NullHmacSha1_80,
    ];

    /// The suite that RFC 4568 calls so; names are as they are, case included.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.name() == name)
    }

    /// Its name in a crypto attribute.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.profile().name
    }

    /// Octets of the master key.
    #[must_use]
    pub const fn key_length(self) -> usize {
        self.profile().key
    }

    /// Octets of the master salt.
    #[must_use]
    pub const fn salt_length(self) -> usize {
        self.profile().salt
    }

    /// Octets of the tag of an SRTP packet.
    #[must_use]
    pub const fn rtp_tag_length(self) -> usize {
        self.profile().rtp_tag
    }

    /// Octets of the tag of an SRTCP packet.
    #[must_use]
    pub const fn rtcp_tag_length(self) -> usize {
        self.profile().rtcp_tag
    }

    pub(super) const fn profile(self) -> &'static Profile {
        &PROFILES[self as usize]
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a suite is made of; lengths in octets.
pub(super) struct Profile {
    name: &'static str,
    pub(super) encryption: Encryption,
    pub(super) authentication: Authentication,
    key: usize,
    salt: usize,
    rtp_tag: usize,
    rtcp_tag: usize,
}

/// How a payload is hidden.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    Null,
    Aes128,
    Aes256,
}

/// How a packet is proven.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Authentication {
    HmacSha1,
    Gcm,
}

use Authentication::{Gcm, HmacSha1};
use Encryption::{Aes128, Aes256, Null};

const fn row(
    name: &'static str,
    (encryption, authentication): (Encryption, Authentication),
    (key, salt): (usize, usize),
    (rtp_tag, rtcp_tag): (usize, usize),
) -> Profile {
    Profile {
        name,
        encryption,
        authentication,
        key,
        salt,
        rtp_tag,
        rtcp_tag,
    }
}

/// In the order of [`Suite`]. SRTCP keeps 80 bits where SRTP has 32 (RFC 4568 §6.2.2, RFC 6188 §4).
const PROFILES: [Profile; 7] = [
    row(
        "AES_CM_128_HMAC_SHA1_80",
        (Aes128, HmacSha1),
        (16, 14),
        (10, 10),
    ),
    row(
        "AES_CM_128_HMAC_SHA1_32",
        (Aes128, HmacSha1),
        (16, 14),
        (4, 10),
    ),
    row(
        "AES_256_CM_HMAC_SHA1_80",
        (Aes256, HmacSha1),
        (32, 14),
        (10, 10),
    ),
    row(
        "AES_256_CM_HMAC_SHA1_32",
        (Aes256, HmacSha1),
        (32, 14),
        (4, 10),
    ),
    row("AEAD_AES_128_GCM", (Aes128, Gcm), (16, 12), (16, 16)),
    row("AEAD_AES_256_GCM", (Aes256, Gcm), (32, 12), (16, 16)),
    row("NULL_HMAC_SHA1_80", (Null, HmacSha1), (16, 14), (10, 10)),
];

#[cfg(test)]
mod tests {
    use super::Suite;

    #[test]
    fn every_suite_is_found_by_its_name() {
        for suite in Suite::ALL {
            assert_eq!(Suite::named(suite.name()), Some(suite));
        }
        assert_eq!(Suite::named("AES_CM_128_HMAC_SHA1_64"), None);
    }

    #[test]
    fn the_table_is_in_the_order_of_the_suites() {
        let of = |suite: Suite| {
            let lengths = (suite.key_length(), suite.salt_length());
            (lengths, suite.rtp_tag_length(), suite.rtcp_tag_length())
        };
        assert_eq!(of(Suite::AesCm128HmacSha1_80), ((16, 14), 10, 10));
        assert_eq!(of(Suite::AesCm128HmacSha1_32), ((16, 14), 4, 10));
        assert_eq!(of(Suite::Aes256CmHmacSha1_80), ((32, 14), 10, 10));
        assert_eq!(of(Suite::Aes256CmHmacSha1_32), ((32, 14), 4, 10));
        assert_eq!(of(Suite::AeadAes128Gcm), ((16, 12), 16, 16));
        assert_eq!(of(Suite::AeadAes256Gcm), ((32, 12), 16, 16));
        assert_eq!(of(Suite::NullHmacSha1_80), ((16, 14), 10, 10));
    }
}
