//! What an offer proposes: each medium as it stands, and as its potential
//! configurations make it (RFC 5939 §3.6.2).

use std::collections::BTreeMap;

use crate::wire::sdp::{
    Attribute, AttributeSet, Configuration, Delete, Line, Media, Protocol, Session,
};

/// One way to understand one medium.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'a> {
    /// Its place in the offer.
    pub(super) line: usize,
    /// As it would stand.
    pub(super) media: Media,
    /// What the answer says of it, where it is a configuration.
    pub(super) taken: Option<Configuration>,
    /// Attributes of the session that count.
    pub(super) session: Vec<&'a Attribute>,
}

impl Candidate<'_> {
    /// The attributes that decide: the medium's, then the session's.
    pub(super) fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        self.media.attributes().chain(self.session.iter().copied())
    }

    /// Whether its key management is its own and not the session's (RFC 4567 §3.1).
    pub(super) fn has_own_message(&self) -> bool {
        self.media
            .attributes()
            .any(|attribute| matches!(attribute, Attribute::KeyManagement(_)))
    }
}

/// Every candidate of the audio media that are not refused, in the order of preference.
pub(super) fn audio(offer: &Session) -> Vec<Candidate<'_>> {
    let live = |media: &Media| media.kind == "audio" && media.port != 0;
    let lines = offer.media.iter().enumerate();
    lines
        .filter(|(_, media)| live(media))
        .flat_map(|(line, media)| of_line(offer, line, media))
        .collect()
}

fn of_line<'a>(offer: &'a Session, line: usize, media: &Media) -> Vec<Candidate<'a>> {
    let session: Vec<_> = offer.attributes().collect();
    let mut candidates = Vec::new();
    if !session
        .iter()
        .copied()
        .chain(media.attributes())
        .any(requires_more)
    {
        let capabilities = Capabilities::of(session.iter().copied().chain(media.attributes()));
        let mut possible = capabilities.possible.clone();
        // RFC 5939 §3.5.1: the lower the number, the more it is preferred.
        possible.sort_by_key(|configuration| configuration.number);
        for configuration in possible.iter().filter(|one| one.is_plain()) {
            candidates.extend(capabilities.apply(configuration, line, media, &session));
        }
    }
    candidates.push(Candidate {
        line,
        media: media.clone(),
        taken: None,
        session,
    });
    candidates.truncate(MAX_CANDIDATES);
    candidates
}

/// `a=creq` with anything beyond RFC 5939 itself (§3.3.2).
fn requires_more(attribute: &Attribute) -> bool {
    match attribute {
        Attribute::Other(name, Some(value)) if name == "creq" => {
            value.split(',').any(|option| option.trim() != "cap-v0")
        }
        _ => false,
    }
}

#[derive(Default)]
struct Capabilities {
    protocols: BTreeMap<u32, Protocol>,
    attributes: BTreeMap<u32, Attribute>,
    possible: Vec<Configuration>,
}

impl Capabilities {
    fn of<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> Self {
        let mut found = Self::default();
        for attribute in attributes {
            match attribute {
                Attribute::TransportCapability(first, protocols) => {
                    found
                        .protocols
                        .extend((*first..).zip(protocols.iter().cloned()));
                }
                Attribute::AttributeCapability(own) => {
                    let value = own.attribute.as_ref().clone();
                    found.attributes.insert(own.number, value);
                }
                Attribute::Possible(configuration) => found.possible.push(configuration.clone()),
                _ => {}
            }
        }
        found
    }

    /// The medium under each transport and set of attributes of a configuration.
    fn apply<'a>(
        &self,
        configuration: &Configuration,
        line: usize,
        media: &Media,
        session: &[&'a Attribute],
    ) -> Vec<Candidate<'a>> {
        let transports = alternatives(&configuration.transports);
        let sets = alternatives(&configuration.attributes);
        let mut candidates = Vec::new();
        for (transport, set) in transports
            .iter()
            .flat_map(|transport| sets.iter().map(move |set| (*transport, *set)))
            .take(MAX_CANDIDATES)
        {
            let protocol = match transport {
                Some(number) => self.protocols.get(number).cloned(),
                None => Some(media.protocol.clone()),
            };
            let Some(protocol) = protocol else { continue };
            let mut media = Media {
                protocol,
                ..media.clone()
            };
            let mut session = session.to_vec();
            if !set.is_none_or(|set| self.lay(set, &mut media, &mut session)) {
                continue;
            }
            candidates.push(Candidate {
                line,
                media,
                taken: Some(Configuration {
                    number: configuration.number,
                    transports: transport.into_iter().copied().collect(),
                    attributes: set.into_iter().cloned().collect(),
                    extensions: Vec::new(),
                }),
                session,
            });
        }
        candidates
    }

    /// Puts the attributes of a set in place; not, where one that it needs is missing.
    fn lay(&self, set: &AttributeSet, media: &mut Media, session: &mut Vec<&Attribute>) -> bool {
        if matches!(set.delete, Delete::Media | Delete::Both) {
            media
                .lines
                .retain(|line| !matches!(line, Line::Attribute(_)));
        }
        if matches!(set.delete, Delete::Session | Delete::Both) {
            session.clear();
        }
        let mandatory = set.mandatory.iter().map(|number| (number, true));
        let optional = set.optional.iter().map(|number| (number, false));
        for (number, needed) in mandatory.chain(optional) {
            match self.attributes.get(number) {
                Some(attribute) => media.push(attribute.clone()),
                None if needed => return false,
                None => {}
            }
        }
        true
    }
}

/// Each of a list, or one none for an empty list.
fn alternatives<T>(list: &[T]) -> Vec<Option<&T>> {
    match list.is_empty() {
        true => vec![None],
        false => list.iter().map(Some).collect(),
    }
}

/// Ways to understand one medium; an offer with more of them is after something else.
const MAX_CANDIDATES: usize = 32;
