//! Keys in descriptions: ours written, the peer's read.

use super::agreed::{Role, Secured};
use super::candidate::Candidate;
use super::description::{Hop, Keys, Management, Security};
use super::refusal::Refusal;
use crate::media::keys::sdes::{self, Tagged};
use crate::media::keys::{Fresh, Material};
use crate::wire::sdp::{Attribute, Crypto, Fingerprint, KeyManagement, Setup};

/// Our keys, offered or in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Sdes(Vec<Tagged>),
    Dtls(Setup),
}

/// The peer's keys, as read from an offer.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    Sdes(Tagged),
    Dtls(Vec<Fingerprint>, Option<Setup>),
}

/// The keys of an offer: those in use, or others.
pub(super) fn offer(
    security: &Security,
    before: Option<&Own>,
    keys: Keys,
    fresh: &mut Fresh<'_>,
) -> Own {
    match (&security.management, before) {
        // RFC 5763 §5: an offer leaves the role open.
        (Management::Dtls(_), _) => Own::Dtls(Setup::Actpass),
        (Management::Sdes, Some(Own::Sdes(tagged))) => Own::Sdes(match keys {
            Keys::Keep => tagged.clone(),
            Keys::Renew => tagged.iter().map(|own| renewed(own, fresh)).collect(),
        }),
        (Management::Sdes, _) => Own::Sdes(sdes::offer(&security.suites, fresh)),
    }
}

fn renewed(own: &Tagged, fresh: &mut Fresh<'_>) -> Tagged {
    Tagged {
        tag: own.tag,
        material: Material::fresh(own.material.suite, fresh),
    }
}

/// The attributes of a medium that tell our keys.
pub(super) fn attributes(security: &Security, own: &Own) -> Vec<Attribute> {
    match (own, &security.management) {
        (Own::Sdes(tagged), _) => tagged
            .iter()
            .map(|own| Attribute::Crypto(sdes::attribute(own)))
            .collect(),
        (Own::Dtls(setup), Management::Dtls(fingerprint)) => vec![
            Attribute::Fingerprint(fingerprint.clone()),
            Attribute::Setup(*setup),
        ],
        (Own::Dtls(_), Management::Sdes) => Vec::new(),
    }
}

/// The peer's keys; none where a clear medium has none.
pub(super) fn read(
    candidate: &Candidate<'_>,
    security: &Security,
    hop: Hop,
) -> Result<Option<Peer>, Refusal> {
    let found = Found::of(candidate.attributes());
    let protocol = &candidate.media.protocol;
    let peer = match security.management {
        Management::Sdes if !found.cryptos.is_empty() && !protocol.is_dtls() => {
            Peer::Sdes(sdes::choose(&found.cryptos, &security.suites)?)
        }
        Management::Dtls(_) if !found.fingerprints.is_empty() && !protocol.is_secure() => {
            Peer::Dtls(found.fingerprints, found.setup)
        }
        _ if found.is_empty() && protocol.is_clear() => return Ok(None),
        _ if found.is_empty() => return Err(Refusal::NoKeys),
        _ => return Err(Refusal::WrongKeyManagement(security.mismatch)),
    };
    match security.may_travel(hop) {
        true => Ok(Some(peer)),
        false => Err(Refusal::ClearHop),
    }
}

/// Our keys for an answer, and what follows from both.
pub(super) fn answer(
    peer: Peer,
    before: Option<(&Own, &Secured)>,
    keys: Keys,
    fresh: &mut Fresh<'_>,
) -> Result<(Own, Secured), Refusal> {
    match peer {
        Peer::Sdes(peer) => {
            let own = own_key(&peer, before.map(|(own, _)| own), keys, fresh);
            sdes::distinct(&own.material, &peer.material)?;
            let secured = Secured::Srtp {
                send: own.material.clone(),
                receive: peer.material,
            };
            Ok((Own::Sdes(vec![own]), secured))
        }
        Peer::Dtls(fingerprints, setup) => {
            let role = role(&fingerprints, setup, before.map(|(_, secured)| secured))?;
            let setup = match role {
                Role::Client => Setup::Active,
                Role::Server => Setup::Passive,
            };
            let secured = Secured::Dtls { fingerprints, role };
            Ok((Own::Dtls(setup), secured))
        }
    }
}

/// The key in use while the suite stays and no other is asked for, under the offer's tag.
fn own_key(peer: &Tagged, before: Option<&Own>, keys: Keys, fresh: &mut Fresh<'_>) -> Tagged {
    let suite = peer.material.suite;
    let kept = match (before, keys) {
        (Some(Own::Sdes(tagged)), Keys::Keep) => {
            tagged.iter().find(|own| own.material.suite == suite)
        }
        _ => None,
    };
    let material = match kept {
        Some(own) => own.material.clone(),
        None => Material::fresh(suite, fresh),
    };
    let tag = peer.tag;
    Tagged { tag, material }
}

/// RFC 5763 §5: we open where we may, and an association that stands keeps its roles.
fn role(
    fingerprints: &[Fingerprint],
    setup: Option<Setup>,
    before: Option<&Secured>,
) -> Result<Role, Refusal> {
    match (setup, before) {
        (
            Some(Setup::Actpass),
            Some(Secured::Dtls {
                fingerprints: known,
                role,
            }),
        ) if known == fingerprints => Ok(*role),
        (Some(Setup::Actpass | Setup::Passive), _) => Ok(Role::Client),
        // RFC 4145 §4.1: an offer without it is active.
        (Some(Setup::Active) | None, _) => Ok(Role::Server),
        (Some(Setup::Holdconn), _) => Err(Refusal::Setup),
    }
}

/// What an answer makes of the keys that we offered; none where it has none.
pub(super) fn accept(
    offered: &Own,
    answer: &Candidate<'_>,
    security: &Security,
) -> Result<Option<(Own, Secured)>, Refusal> {
    let found = Found::of(answer.attributes());
    match offered {
        Own::Sdes(tagged) if !found.cryptos.is_empty() => {
            let (own, receive) = sdes::accept(tagged, &found.cryptos)?;
            let send = own.material.clone();
            let secured = Secured::Srtp { send, receive };
            Ok(Some((Own::Sdes(vec![own]), secured)))
        }
        Own::Dtls(_) if !found.fingerprints.is_empty() => {
            let role = match found.setup {
                Some(Setup::Active) => Role::Server,
                // RFC 4145 §4.1: an answer without it is passive.
                Some(Setup::Passive) | None => Role::Client,
                Some(Setup::Actpass | Setup::Holdconn) => return Err(Refusal::Setup),
            };
            let fingerprints = found.fingerprints;
            let secured = Secured::Dtls { fingerprints, role };
            Ok(Some((offered.clone(), secured)))
        }
        _ if found.is_empty() => Ok(None),
        _ => Err(Refusal::WrongKeyManagement(security.mismatch)),
    }
}

/// What stands there of each key management.
#[derive(Default)]
struct Found<'a> {
    cryptos: Vec<&'a Crypto>,
    messages: Vec<&'a KeyManagement>,
    fingerprints: Vec<Fingerprint>,
    setup: Option<Setup>,
}

impl<'a> Found<'a> {
    fn of(attributes: impl Iterator<Item = &'a Attribute>) -> Self {
        let mut found = Self::default();
        for attribute in attributes {
            match attribute {
                Attribute::Crypto(crypto) => found.cryptos.push(crypto),
                Attribute::KeyManagement(message) => found.messages.push(message),
                Attribute::Fingerprint(own) => found.fingerprints.push(own.clone()),
                Attribute::Setup(setup) => found.setup = found.setup.or(Some(*setup)),
                _ => {}
            }
        }
        found
    }

    fn is_empty(&self) -> bool {
        self.cryptos.is_empty() && self.messages.is_empty() && self.fingerprints.is_empty()
    }
}
