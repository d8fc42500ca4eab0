//! Keys in descriptions: ours written, the peer's read.

use super::agreed::{Role, Secured};
use super::candidate::Candidate;
use super::description::{Hop, Keys, Management, MikeyEnd, Security};
use super::refusal::Refusal;
use crate::media::keys::mikey::{self, Bundle, Freshness, MikeyFault, Protection, Response};
use crate::media::keys::sdes::{self, Tagged};
use crate::media::keys::{Fresh, Material};
use crate::media::srtp::Suite;
use crate::wire::sdp::{Attribute, Crypto, Fingerprint, KeyManagement, Setup};

/// Our keys, offered or in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Own {
    Sdes(Vec<Tagged>),
    Mikey(Exchange),
    Dtls(Setup),
}

/// A MIKEY exchange and our message of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Exchange {
    bundle: Bundle,
    message: Vec<u8>,
    /// The time of our invitation, or that of the peer's.
    time: u64,
    /// The time of the peer's last invitation.
    heard: Option<u64>,
}

/// The peer's keys, as read from an offer.
#[derive(Clone, Debug)]
pub(super) enum Peer {
    Sdes(Tagged),
    Mikey(Box<Response>),
    Dtls(Vec<Fingerprint>, Option<Setup>),
}

/// The keys of an offer: those in use, or others.
pub(super) fn offer(
    security: &Security,
    before: Option<&Own>,
    keys: Keys,
    fresh: &mut Fresh<'_>,
) -> Result<Own, Refusal> {
    Ok(match (&security.management, before) {
        // RFC 5763 §5: an offer leaves the role open.
        (Management::Dtls(_), _) => Own::Dtls(Setup::Actpass),
        (Management::Mikey(end), before) => {
            Own::Mikey(invite(end, &security.suites, before, keys, fresh)?)
        }
        (Management::Sdes, Some(Own::Sdes(tagged))) => Own::Sdes(match keys {
            Keys::Keep => tagged.clone(),
            Keys::Renew => tagged.iter().map(|own| renewed(own, fresh)).collect(),
        }),
        (Management::Sdes, _) => Own::Sdes(sdes::offer(&security.suites, fresh)),
    })
}

/// A message says one suite: the one in use, or the most preferred.
fn invite(
    end: &MikeyEnd,
    suites: &[Suite],
    before: Option<&Own>,
    keys: Keys,
    fresh: &mut Fresh<'_>,
) -> Result<Exchange, MikeyFault> {
    let before = match before {
        Some(Own::Mikey(exchange)) => Some(exchange),
        _ => None,
    };
    let bundle = match (before, keys) {
        (Some(exchange), Keys::Keep) => exchange.bundle.clone(),
        (before, _) => {
            let used = before.map(|exchange| exchange.bundle.suite());
            let suite = used.or(suites.first().copied());
            Bundle::fresh(suite.ok_or(MikeyFault::Policy)?, end.ssrc, fresh)
        }
    };
    Ok(Exchange {
        message: bundle.invite(fresh.ntp, &end.protection)?,
        bundle,
        time: fresh.ntp,
        heard: before.and_then(|exchange| exchange.heard),
    })
}

fn renewed(own: &Tagged, fresh: &mut Fresh<'_>) -> Tagged {
    Tagged {
        tag: own.tag,
        material: Material::fresh(own.material.suite, fresh),
    }
}

/// The attributes that tell our keys.
pub(super) fn attributes(security: &Security, own: &Own) -> Vec<Attribute> {
    match (own, &security.management) {
        (Own::Sdes(tagged), _) => tagged
            .iter()
            .map(|own| Attribute::Crypto(sdes::attribute(own)))
            .collect(),
        (Own::Mikey(exchange), _) => vec![Attribute::KeyManagement(KeyManagement {
            protocol: MIKEY.to_owned(),
            data: exchange.message.clone(),
        })],
        (Own::Dtls(setup), Management::Dtls(fingerprint)) => vec![
            Attribute::Fingerprint(fingerprint.clone()),
            Attribute::Setup(*setup),
        ],
        (Own::Dtls(_), _) => Vec::new(),
    }
}

/// The peer's keys; none where a clear medium has none.
pub(super) fn read(
    candidate: &Candidate<'_>,
    security: &Security,
    hop: Hop,
    before: Option<&Own>,
    now: u64,
) -> Result<Option<Peer>, Refusal> {
    let found = Found::of(candidate.attributes());
    let protocol = &candidate.media.protocol;
    let peer = match &security.management {
        Management::Sdes if !found.cryptos.is_empty() && !protocol.is_dtls() => {
            Peer::Sdes(sdes::choose(&found.cryptos, &security.suites)?)
        }
        Management::Mikey(end) if !protocol.is_dtls() && found.mikey().is_some() => {
            may(security, hop)?;
            let message = found.mikey().unwrap_or_default();
            Peer::Mikey(Box::new(respond(
                end,
                &security.suites,
                message,
                before,
                now,
            )?))
        }
        Management::Dtls(_) if !found.fingerprints.is_empty() && !protocol.is_secure() => {
            Peer::Dtls(found.fingerprints, found.setup)
        }
        _ if found.is_empty() && protocol.is_clear() => return Ok(None),
        _ if found.is_empty() => return Err(Refusal::NoKeys),
        _ => return Err(Refusal::WrongKeyManagement(security.mismatch)),
    };
    may(security, hop)?;
    Ok(Some(peer))
}

fn may(security: &Security, hop: Hop) -> Result<(), Refusal> {
    match security.may_travel(hop) {
        true => Ok(()),
        false => Err(Refusal::ClearHop),
    }
}

fn respond(
    end: &MikeyEnd,
    suites: &[Suite],
    message: &[u8],
    before: Option<&Own>,
    now: u64,
) -> Result<Response, MikeyFault> {
    let after = match before {
        Some(Own::Mikey(exchange)) => exchange.heard,
        _ => None,
    };
    let tolerance = end.tolerance;
    let freshness = Freshness { tolerance, after };
    mikey::respond(message, &end.protection, suites, end.ssrc, freshness, now)
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
        Peer::Mikey(response) => {
            let (send, receive) = response.bundle.keys()?;
            let exchange = Exchange {
                bundle: response.bundle,
                message: response.reply,
                time: response.time,
                heard: Some(response.time),
            };
            Ok((Own::Mikey(exchange), Secured::Srtp { send, receive }))
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
        Own::Mikey(exchange) => accept_mikey(exchange, &found, answer, security),
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

/// Without a verification asked for, a protected medium is answer enough (RFC 3830 §3.1).
fn accept_mikey(
    exchange: &Exchange,
    found: &Found<'_>,
    answer: &Candidate<'_>,
    security: &Security,
) -> Result<Option<(Own, Secured)>, Refusal> {
    let Management::Mikey(end) = &security.management else {
        return Ok(None);
    };
    match found.mikey() {
        Some(message) => {
            let time = exchange.time;
            exchange.bundle.confirm(message, time, &end.protection)?;
        }
        None if !found.is_empty() => return Err(Refusal::WrongKeyManagement(security.mismatch)),
        None if answer.media.protocol.is_clear() => return Ok(None),
        None if end.protection != Protection::Null => return Err(Refusal::NoKeys),
        None => {}
    }
    let (send, receive) = exchange.bundle.keys()?;
    let secured = Secured::Srtp { send, receive };
    Ok(Some((Own::Mikey(exchange.clone()), secured)))
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

    /// The medium's message, else the session's (RFC 4567 §3.1).
    fn mikey(&self) -> Option<&'a [u8]> {
        let own = |message: &&&KeyManagement| message.protocol == MIKEY;
        self.messages
            .iter()
            .find(own)
            .map(|message| &message.data[..])
    }

    fn is_empty(&self) -> bool {
        self.cryptos.is_empty() && self.messages.is_empty() && self.fingerprints.is_empty()
    }
}

const MIKEY: &str = "mikey";
