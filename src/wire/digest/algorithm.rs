//! The hashes of digest authentication.

use std::fmt;

use openssl::hash::{MessageDigest, hash};

use super::DigestError;

/// What the hash is made with. Sorted from weak to strong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// RFC 2617; the default where a challenge names none.
    Md5,
    /// RFC 2617, keyed anew for each session.
    Md5Sess,
    /// RFC 7616 and RFC 8760.
    Sha256,
    /// RFC 7616, keyed anew for each session.
    Sha256Sess,
}

impl Algorithm {
    /// Hash of `user:realm:password` in hexadecimal, as servers store it.
    pub fn ha1(self, user: &str, realm: &str, password: &str) -> Result<String, DigestError> {
        self.hash_of(&[user, realm, password])
    }

    pub(super) fn read(name: Option<&str>) -> Option<Algorithm> {
        let Some(name) = name else {
            return Some(Algorithm::Md5);
        };
        ALL.into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }

    fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Md5Sess => "MD5-sess",
            Algorithm::Sha256 => "SHA-256",
            Algorithm::Sha256Sess => "SHA-256-sess",
        }
    }

    pub(super) fn is_session(self) -> bool {
        matches!(self, Algorithm::Md5Sess | Algorithm::Sha256Sess)
    }

    /// Hashes differ in strength; a session key makes none stronger.
    pub(super) fn strength(self) -> u8 {
        match self {
            Algorithm::Md5 | Algorithm::Md5Sess => 0,
            Algorithm::Sha256 | Algorithm::Sha256Sess => 1,
        }
    }

    pub(super) fn hash_of(self, parts: &[&str]) -> Result<String, DigestError> {
        self.hex(parts.join(":").as_bytes())
    }

    pub(super) fn hex(self, octets: &[u8]) -> Result<String, DigestError> {
        let digest = match self.strength() {
            0 => MessageDigest::md5(),
            _ => MessageDigest::sha256(),
        };
        let digest = hash(digest, octets).map_err(|_| DigestError::Unavailable(self))?;
        Ok(digest.iter().map(|octet| format!("{octet:02x}")).collect())
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// From weak to strong.
pub(super) const ALL: [Algorithm; 4] = [
    Algorithm::Md5,
    Algorithm::Md5Sess,
    Algorithm::Sha256,
    Algorithm::Sha256Sess,
];
