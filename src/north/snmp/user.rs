//! The users of USM and their keys (RFC 3414 §2.4, RFC 7860, RFC 3826).
//!
//! A key is made from a password and the engine's id once, when the password is
//! set: that takes a megabyte of hashing. From then on the localized key is
//! all that the agent has; it is never printed.

use std::sync::Arc;

use async_snmp::v3::{AuthProtocol, CryptoError, LocalizedKey, PrivKey, PrivProtocol};
use thiserror::Error;

use super::access::Rights;
use super::message::Level;

/// The shortest password that a key is made from (RFC 3414 §11.2).
pub const MIN_PASSWORD: usize = 8;

/// How a user's messages are authenticated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthAlgorithm {
    /// HMAC-SHA-96 (RFC 3414 §7).
    Sha1,
    /// HMAC-128-SHA-224 (RFC 7860).
    Sha224,
    /// HMAC-192-SHA-256 (RFC 7860).
    Sha256,
    /// HMAC-256-SHA-384 (RFC 7860).
    Sha384,
    /// HMAC-384-SHA-512 (RFC 7860).
    Sha512,
}

/// Why a key cannot be made or used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The password has fewer than eight octets.
    #[error("password is shorter than 8 octets")]
    ShortPassword,
    /// The stored key is not of its algorithm's length.
    #[error("key of another length than its algorithm's")]
    Length,
}

/// One user, with the keys for this engine.
#[derive(Debug)]
pub struct User {
    /// msgUserName, at most 32 octets.
    pub name: Arc<str>,
    /// What the user may do.
    pub rights: Rights,
    keys: Keys,
}

#[derive(Debug)]
enum Keys {
    None,
    Auth(LocalizedKey),
    Priv(LocalizedKey, PrivKey),
}

impl User {
    /// A user without any key.
    pub fn open(name: &str, rights: Rights) -> Self {
        Self {
            name: name.into(),
            rights,
            keys: Keys::None,
        }
    }

    /// A user whose messages are authenticated with a key from [`auth_key`].
    pub fn authenticated(
        name: &str,
        rights: Rights,
        algorithm: AuthAlgorithm,
        auth_key: &[u8],
    ) -> Result<Self, KeyError> {
        Ok(Self {
            name: name.into(),
            rights,
            keys: Keys::Auth(localized(algorithm, auth_key)?),
        })
    }

    /// A user whose messages are also encrypted, by AES-128 with a key from
    /// [`priv_key`].
    pub fn encrypted(
        name: &str,
        rights: Rights,
        algorithm: AuthAlgorithm,
        auth_key: &[u8],
        priv_key: &[u8],
    ) -> Result<Self, KeyError> {
        let cipher = PrivKey::from_bytes(PrivProtocol::Aes128, priv_key).map_err(key_error)?;
        Ok(Self {
            name: name.into(),
            rights,
            keys: Keys::Priv(localized(algorithm, auth_key)?, cipher),
        })
    }

    /// The highest level that the keys allow, which is also the lowest at
    /// which this user is served.
    pub fn level(&self) -> Level {
        match self.keys {
            Keys::None => Level::NoAuthNoPriv,
            Keys::Auth(_) => Level::AuthNoPriv,
            Keys::Priv(..) => Level::AuthPriv,
        }
    }

    /// The key that authenticates.
    pub fn auth(&self) -> Option<&LocalizedKey> {
        match &self.keys {
            Keys::None => None,
            Keys::Auth(key) | Keys::Priv(key, _) => Some(key),
        }
    }

    /// The key that encrypts.
    pub fn privacy(&self) -> Option<&PrivKey> {
        match &self.keys {
            Keys::None | Keys::Auth(_) => None,
            Keys::Priv(_, key) => Some(key),
        }
    }
}

/// The authentication key of `password` for the engine (RFC 3414 §2.6).
pub fn auth_key(
    algorithm: AuthAlgorithm,
    password: &[u8],
    engine_id: &[u8],
) -> Result<Vec<u8>, KeyError> {
    LocalizedKey::from_password(algorithm.protocol(), password, engine_id)
        .map(|key| key.as_bytes().to_vec())
        .map_err(key_error)
}

/// The AES-128 key of `password` for the engine, made with the hash of the
/// user's authentication (RFC 3826 §1.2).
pub fn priv_key(
    algorithm: AuthAlgorithm,
    password: &[u8],
    engine_id: &[u8],
) -> Result<Vec<u8>, KeyError> {
    PrivKey::from_password(
        algorithm.protocol(),
        PrivProtocol::Aes128,
        password,
        engine_id,
    )
    .map(|key| key.encryption_key().to_vec())
    .map_err(key_error)
}

fn localized(algorithm: AuthAlgorithm, key: &[u8]) -> Result<LocalizedKey, KeyError> {
    LocalizedKey::from_bytes(algorithm.protocol(), key).map_err(key_error)
}

fn key_error(error: CryptoError) -> KeyError {
    match error {
        CryptoError::PasswordTooShort => KeyError::ShortPassword,
        _ => KeyError::Length,
    }
}

impl AuthAlgorithm {
    fn protocol(self) -> AuthProtocol {
        match self {
            Self::Sha1 => AuthProtocol::Sha1,
            Self::Sha224 => AuthProtocol::Sha224,
            Self::Sha256 => AuthProtocol::Sha256,
            Self::Sha384 => AuthProtocol::Sha384,
            Self::Sha512 => AuthProtocol::Sha512,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3414 §A.3: the engine of the examples.
    const ENGINE: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

    #[test]
    fn the_key_of_the_rfcs_password_is_the_rfcs_key() {
        // RFC 3414 §A.3.2.
        assert_eq!(
            auth_key(AuthAlgorithm::Sha1, b"maplesyrup", &ENGINE),
            Ok(vec![
                0x66, 0x95, 0xfe, 0xbc, 0x92, 0x88, 0xe3, 0x62, 0x82, 0x23, 0x5f, 0xc7, 0x15, 0x1f,
                0x12, 0x84, 0x97, 0xb3, 0x8f, 0x3f
            ])
        );
    }

    #[test]
    fn an_aes_key_is_the_first_16_octets_of_the_localized_key() {
        let long = auth_key(AuthAlgorithm::Sha1, b"maplesyrup", &ENGINE).expect("a key");
        assert_eq!(
            priv_key(AuthAlgorithm::Sha1, b"maplesyrup", &ENGINE),
            Ok(long[..16].to_vec())
        );
    }

    #[test]
    fn seven_octets_are_no_password() {
        assert_eq!(
            auth_key(AuthAlgorithm::Sha256, b"1234567", &ENGINE),
            Err(KeyError::ShortPassword)
        );
        assert_eq!(
            priv_key(AuthAlgorithm::Sha256, b"1234567", &ENGINE),
            Err(KeyError::ShortPassword)
        );
    }

    #[test]
    fn a_key_of_another_algorithm_is_refused() {
        let sha1 = [7; 20];
        let user =
            |key: &[u8]| User::authenticated("a", Rights::Admin, AuthAlgorithm::Sha256, key).err();
        assert_eq!(user(&sha1), Some(KeyError::Length));
        assert_eq!(user(&[7; 32]), None);
        assert_eq!(
            User::encrypted("a", Rights::Admin, AuthAlgorithm::Sha1, &sha1, &[7; 15]).err(),
            Some(KeyError::Length)
        );
    }

    #[test]
    fn no_key_is_printed() {
        let user = User::encrypted(
            "a",
            Rights::Admin,
            AuthAlgorithm::Sha1,
            &[77; 20],
            &[88; 16],
        )
        .expect("a user");
        let printed = format!("{user:?}");
        assert!(!printed.contains("77"), "{printed}");
        assert!(!printed.contains("88"), "{printed}");
    }
}
