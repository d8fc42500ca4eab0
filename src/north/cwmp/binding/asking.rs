//! One request to the STUN server, until it has an answer or none.

use super::search::Way;
use super::{Output, Socket};
use crate::north::cwmp::settings::Stun;
use crate::wire::stun::integrity::{Form, Key};
use crate::wire::stun::{Attribute, Class, Id, Message};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Keeps the binding, and finds out what it is.
    Keep,
    /// The same, and tells the server that it is another.
    Change,
    /// Has the server answer to the first socket.
    Try(Way),
}

/// How such an attempt went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The answer came where it was sent to.
    None,
    /// It came nowhere.
    Silent,
    /// The server does not know how.
    NotThisWay,
}

/// How the unit says who it is; what the server has asked for so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Nothing.
    None,
    /// A password in the form of RFC 3489, which annex G names.
    Padded,
    /// The same in that of RFC 5389.
    Plain,
    /// A password for this realm.
    Long {
        realm: Vec<u8>,
        nonce: Vec<u8>,
        /// Whether the server has taken it, so that another nonce is worth another attempt.
        taken: bool,
    },
}

impl Proof {
    /// What to try after a refusal; false: nothing is left.
    pub(super) fn next(&mut self, challenge: Option<(&[u8], &[u8])>) -> bool {
        let next = match (&*self, challenge) {
            (Self::Long { taken: false, .. }, _) => return false,
            (_, Some((realm, nonce))) => Self::Long {
                realm: realm.to_vec(),
                nonce: nonce.to_vec(),
                taken: false,
            },
            (Self::None, None) => Self::Padded,
            (Self::Padded, None) => Self::Plain,
            (Self::Plain | Self::Long { .. }, None) => return false,
        };
        *self = next;
        true
    }

    /// The server has answered what was asked with it.
    pub(super) fn accepted(&mut self) {
        if let Self::Long { taken, .. } = self {
            *taken = true;
        }
    }

    fn key(&self, stun: &Stun) -> Option<Key> {
        let password = stun.password.expose();
        match self {
            Self::None => None,
            Self::Padded => Some(Key::short(password, Form::Padded)),
            Self::Plain => Some(Key::short(password, Form::Plain)),
            Self::Long { realm, .. } => Key::long(stun.username.as_bytes(), realm, password),
        }
    }

    fn attributes(&self, stun: &Stun) -> Vec<Attribute> {
        let user = Attribute::Username(stun.username.as_bytes().to_vec());
        match self {
            Self::None => Vec::new(),
            Self::Padded | Self::Plain => vec![user],
            Self::Long { realm, nonce, .. } => vec![
                user,
                Attribute::Realm(realm.clone()),
                Attribute::Nonce(nonce.clone()),
            ],
        }
    }
}

/// See the head of the file.
pub(super) struct Asking {
    pub(super) purpose: Purpose,
    id: Id,
    octets: Vec<u8>,
    key: Option<Key>,
    sent: usize,
    due: Instant,
}

impl Asking {
    /// A request that is being sent.
    pub(super) fn new(
        now: Instant,
        id: Id,
        purpose: Purpose,
        mut attributes: Vec<Attribute>,
        proof: &Proof,
        stun: &Stun,
    ) -> Self {
        attributes.extend(proof.attributes(stun));
        let key = proof.key(stun);
        Self {
            purpose,
            id,
            octets: Message::request(id, attributes).print(key.as_ref()),
            key,
            sent: 1,
            due: now + WAITS[0],
        }
    }

    pub(super) fn output(&self, to: SocketAddr) -> Output {
        let from = match self.purpose {
            Purpose::Keep | Purpose::Change => Socket::First,
            Purpose::Try(_) => Socket::Second,
        };
        let octets = self.octets.clone();
        Output::Send { from, to, octets }
    }

    /// When it is sent again, or given up.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Whether it is sent once more.
    pub(super) fn again(&mut self, now: Instant) -> bool {
        let most = match self.purpose {
            Purpose::Keep | Purpose::Change => WAITS.len(),
            // Nothing comes in meanwhile, if the binding is gone.
            Purpose::Try(_) => MOST_TRIES,
        };
        let Some(wait) = WAITS[..most].get(self.sent) else {
            return false;
        };
        self.sent += 1;
        self.due = now + *wait;
        true
    }

    /// Whether this is its answer, from who knows the password where one was used.
    pub(super) fn is_answered_by(&self, message: &Message, octets: &[u8]) -> bool {
        let key = self.key.as_ref();
        // RFC 5389 §10.2.3: errors about the proof have none themselves.
        let proven = message.class == Class::Error || key.is_none_or(|key| key.proves(octets));
        message.id == self.id && proven
    }
}

/// How often a try is sent.
const MOST_TRIES: usize = 5;
/// RFC 3489 §9.3: after each sending, until the next or the end.
const WAITS: [Duration; 9] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1600),
    Duration::from_millis(1600),
    Duration::from_millis(1600),
    Duration::from_millis(1600),
    Duration::from_millis(1600),
];
