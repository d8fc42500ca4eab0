//! MESSAGE-INTEGRITY: who knows the password has written the message.

use super::{HEADER, MESSAGE_INTEGRITY};
use crate::wire::hmac::{OCTETS, hmac_sha1, is_same};
use openssl::hash::{MessageDigest, hash};
use std::fmt;

/// What the text of the proof is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// RFC 5389 §15.4: the message before it.
    Plain,
    /// RFC 3489 §11.2.8: the same, padded with zeros to 64 octets.
    Padded,
}

/// The key of a proof.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    octets: Vec<u8>,
    form: Form,
}

impl Key {
    /// RFC 5389 §10.1, RFC 3489: the password itself.
    pub fn short(password: &[u8], form: Form) -> Self {
        let octets = password.to_vec();
        Self { octets, form }
    }

    /// RFC 5389 §10.2, for a server that has named its realm; None: there is no MD5.
    pub fn long(user: &[u8], realm: &[u8], password: &[u8]) -> Option<Self> {
        let text = [user, realm, password].join(&b':');
        let digest = hash(MessageDigest::md5(), &text).ok()?;
        Some(Self {
            octets: digest.to_vec(),
            form: Form::Plain,
        })
    }

    /// Whether a message has a MESSAGE-INTEGRITY made with this key.
    pub fn proves(&self, message: &[u8]) -> bool {
        let Some(at) = place(message) else {
            return false;
        };
        let value = message[at..].first_chunk::<{ 4 + OCTETS }>();
        let value = value.and_then(|attribute| attribute.last_chunk::<OCTETS>());
        let expected = self.digest(&message[..at]);
        value
            .zip(expected.as_ref())
            .is_some_and(|(one, other)| is_same(one, other))
    }

    /// Of the message before it; its length is taken to be up to the end of the proof.
    pub(super) fn digest(&self, before: &[u8]) -> Option<[u8; OCTETS]> {
        let mut text = before.to_vec();
        let length = u16::try_from(before.len() + 4 + OCTETS - HEADER).ok()?;
        text.get_mut(2..4)?.copy_from_slice(&length.to_be_bytes());
        if self.form == Form::Padded {
            text.resize(text.len().next_multiple_of(64), 0);
        }
        hmac_sha1(&self.octets, &text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.form)
    }
}

/// Where MESSAGE-INTEGRITY begins.
fn place(message: &[u8]) -> Option<usize> {
    let mut at = HEADER;
    loop {
        let head = message.get(at..)?.first_chunk::<4>()?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = u16::from_be_bytes([head[2], head[3]]);
        if kind == MESSAGE_INTEGRITY {
            return (usize::from(length) == OCTETS).then_some(at);
        }
        at += 4 + usize::from(length).next_multiple_of(4);
    }
}
