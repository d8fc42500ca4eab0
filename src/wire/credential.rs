//! What is kept of a password: a verifier for logins, keys for SNMPv3.
//!
//! One value of text, sealed on disk as a whole. The password itself is
//! nowhere. A key for each algorithm is made when the password is set, so
//! that a user's algorithm can change without the password.
//!
//! ```text
//! demarc-credential-1
//! login $argon2id$v=19$...
//! sha256 9f86d0...            one line an algorithm, hexadecimal
//! ```

use std::fmt::Write;
use zeroize::Zeroize;

/// A parsed credential.
#[derive(Default, PartialEq, Eq)]
pub struct Credential {
    /// A PHC string (argon2id), or "" where nobody can log in with it.
    pub login: String,
    /// Localized SNMPv3 keys by algorithm: `sha1`, `sha224`, `sha256`, `sha384`, `sha512`.
    pub keys: Vec<(String, Vec<u8>)>,
}

impl Credential {
    /// Reads what [`Credential::to_text`] wrote; `None` for anything else.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut lines = text.lines();
        if lines.next()? != HEAD {
            return None;
        }
        let mut credential = Self::default();
        for line in lines.take(MOST_LINES) {
            let (name, value) = line.split_once(' ')?;
            if name == "login" {
                value.clone_into(&mut credential.login);
            } else {
                credential.keys.push((name.to_owned(), octets(value)?));
            }
        }
        Some(credential)
    }

    /// Its text.
    pub fn to_text(&self) -> String {
        let mut out = format!("{HEAD}\nlogin {}\n", self.login);
        for (name, key) in &self.keys {
            let _ = write!(out, "{name} ");
            for octet in key {
                let _ = write!(out, "{octet:02x}");
            }
            out.push('\n');
        }
        out
    }

    /// The key of an algorithm.
    pub fn key(&self, algorithm: &str) -> Option<&[u8]> {
        let found = self.keys.iter().find(|(name, _)| name == algorithm);
        found.map(|(_, key)| key.as_slice())
    }
}

impl Drop for Credential {
    fn drop(&mut self) {
        self.login.zeroize();
        for (_, key) in &mut self.keys {
            key.zeroize();
        }
    }
}

const HEAD: &str = "demarc-credential-1";
/// A login and five algorithms; more is not ours.
const MOST_LINES: usize = 16;

fn octets(hex: &str) -> Option<Vec<u8>> {
    if !hex.len().is_multiple_of(2) || !hex.is_ascii() {
        return None;
    }
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_reads_back_as_written() {
        let credential = Credential {
            login: "$argon2id$v=19$x".to_owned(),
            keys: vec![("sha1".to_owned(), vec![0, 255, 16])],
        };
        let read = Credential::parse(credential.to_text().as_bytes()).expect("ours");
        assert!(read == credential);
        assert_eq!(read.key("sha1"), Some(&[0, 255, 16][..]));
        assert_eq!(read.key("sha512"), None);
    }

    #[test]
    fn a_bare_password_is_no_credential() {
        for text in ["", "secret-password", "demarc-credential-1\nnoblank"] {
            assert!(Credential::parse(text.as_bytes()).is_none());
        }
    }
}
