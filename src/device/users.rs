//! Passwords: what was set becomes what is kept.
//!
//! The tree calls these once for each password that is set, before it takes
//! its lock. What is kept are an argon2id verifier and SNMPv3 keys localized
//! to this engine; the password is gone.

use crate::north::snmp::user::{AuthAlgorithm, auth_key};
use crate::schema::{ColumnId, aaa};
use crate::tree::{Derive, Reason};
use crate::wire::credential::Credential;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use openssl::rand::rand_bytes;
use std::sync::Arc;

/// The rules for both password columns of a user.
pub(super) fn rules(engine_id: Vec<u8>) -> Vec<(ColumnId, Derive)> {
    let engine_id: Arc<[u8]> = engine_id.into();
    let login = engine_id.clone();
    vec![
        (
            aaa::users::PASSWORD.id(),
            Arc::new(move |_, _, password| keep(password, &login, Login::Verifier)),
        ),
        (
            aaa::user_snmp::PRIV_PASSWORD.id(),
            Arc::new(move |_, _, password| keep(password, &engine_id, Login::None)),
        ),
    ]
}

/// The columns whose values pass here.
pub(super) fn claims() -> Vec<ColumnId> {
    vec![
        aaa::users::PASSWORD.id(),
        aaa::user_snmp::PRIV_PASSWORD.id(),
    ]
}

/// Whether this is the password of a kept credential.
pub fn is_password(kept: &[u8], password: &[u8]) -> bool {
    let Some(credential) = Credential::parse(kept) else {
        return false;
    };
    PasswordHash::new(&credential.login)
        .is_ok_and(|hash| hasher().verify_password(password, &hash).is_ok())
}

enum Login {
    Verifier,
    None,
}

fn keep(password: &[u8], engine_id: &[u8], login: Login) -> Result<Vec<u8>, Reason> {
    if password.is_empty() {
        return Ok(Vec::new());
    }
    if !(SHORTEST..=LONGEST).contains(&password.len()) {
        return Err(Reason::WrongLength(format!(
            "a password of {SHORTEST} to {LONGEST} octets, or \"\" for none"
        )));
    }
    let keys: Result<Vec<_>, Reason> = ALGORITHMS
        .iter()
        .map(|(name, algorithm)| {
            let key = auth_key(*algorithm, password, engine_id)
                .map_err(|error| Reason::Unavailable(error.to_string()))?;
            Ok(((*name).to_owned(), key))
        })
        .collect();
    let login = match login {
        Login::Verifier => verifier(password)?,
        Login::None => String::new(),
    };
    let credential = Credential { login, keys: keys? };
    Ok(credential.to_text().into_bytes())
}

fn verifier(password: &[u8]) -> Result<String, Reason> {
    let unavailable = |why: &dyn std::fmt::Display| Reason::Unavailable(why.to_string());
    let mut salt = [0; 16];
    rand_bytes(&mut salt).map_err(|error| unavailable(&error))?;
    let hash = hasher()
        .hash_password_with_salt(password, &salt)
        .map_err(|error| unavailable(&error))?;
    Ok(hash.to_string())
}

/// argon2id with 8 MiB and three passes: a gateway's memory, an attacker's patience.
fn hasher() -> Argon2<'static> {
    let params = Params::new(8 * 1024, 3, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// RFC 3414 §11.2: shorter passwords are refused.
const SHORTEST: usize = 8;
const LONGEST: usize = 256;
const ALGORITHMS: [(&str, AuthAlgorithm); 5] = [
    ("sha1", AuthAlgorithm::Sha1),
    ("sha224", AuthAlgorithm::Sha224),
    ("sha256", AuthAlgorithm::Sha256),
    ("sha384", AuthAlgorithm::Sha384),
    ("sha512", AuthAlgorithm::Sha512),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_password_verifies_and_has_a_key_for_each_algorithm() {
        let kept = keep(b"correct horse", b"engine-id", Login::Verifier).expect("kept");
        assert!(is_password(&kept, b"correct horse"));
        assert!(!is_password(&kept, b"correct hors"));
        let credential = Credential::parse(&kept).expect("ours");
        let lengths: Vec<usize> = credential.keys.iter().map(|(_, key)| key.len()).collect();
        assert_eq!(lengths, [20, 28, 32, 48, 64]);
        assert!(!String::from_utf8_lossy(&kept).contains("correct horse"));
    }

    #[test]
    fn a_short_password_is_refused_and_none_locks_the_user_out() {
        let refused = keep(b"1234567", b"engine-id", Login::Verifier);
        assert!(matches!(refused, Err(Reason::WrongLength(_))));
        assert_eq!(keep(b"", b"engine-id", Login::Verifier), Ok(Vec::new()));
        assert!(!is_password(b"", b""));
    }
}
