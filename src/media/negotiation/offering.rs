//! The audio media of an offer.

use super::agreed::{Audio, Secured};
use super::codecs;
use super::description::{Description, Fallback, Hop, Management, Mode};
use super::machine::Voice;
use super::refusal::Refusal;
use crate::wire::sdp::{
    Attribute, AttributeCapability, AttributeSet, Configuration, Direction, Media, Protocol,
};

/// How an offer says what it wants of protection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Clear(Protocol),
    Protected(Protocol),
    TwoMedia,
    KeysInAvp(Protocol),
    Capabilities,
}

impl Shape {
    pub(super) fn is_protected(&self) -> bool {
        !matches!(self, Self::Clear(_))
    }
}

/// What was agreed stays, profile included; a first offer is by the mode.
pub(super) fn shape(
    local: &Description,
    hop: Hop,
    before: Option<&Voice>,
) -> Result<Shape, Refusal> {
    if let Some(voice) = before {
        let protocol = voice.audio.protocol.clone();
        return Ok(match voice.audio.security {
            Secured::None => Shape::Clear(protocol),
            _ if protocol.is_clear() => Shape::KeysInAvp(protocol),
            _ => Shape::Protected(protocol),
        });
    }
    let security = &local.security;
    match (security.mode, security.may_travel(hop)) {
        (Mode::Unsecure, _) | (Mode::SecureWithFallback, false) => Ok(Shape::Clear(Protocol::Avp)),
        (Mode::Secure, false) => Err(Refusal::ClearHop),
        (Mode::Secure, true) => Ok(Shape::Protected(protected(local))),
        (Mode::SecureWithFallback, true) => Ok(match security.fallback {
            Fallback::TwoMedia => Shape::TwoMedia,
            Fallback::KeysInAvp => Shape::KeysInAvp(Protocol::Avp),
            Fallback::Capabilities => Shape::Capabilities,
        }),
    }
}

/// The profile of our keys.
fn protected(local: &Description) -> Protocol {
    match local.security.management {
        Management::Sdes | Management::Mikey(_) => Protocol::Savp,
        Management::Dtls(_) => Protocol::DtlsSavp,
    }
}

/// One medium; two where the second is what would do.
pub(super) fn media(
    local: &Description,
    shape: &Shape,
    before: Option<&Audio>,
    keys: &[Attribute],
    direction: Direction,
) -> Vec<Media> {
    let port = |fresh| before.map_or(fresh, |audio| audio.port);
    let medium = |protocol: &Protocol, fresh| {
        let mut media = Media::new("audio", port(fresh), protocol.clone(), Vec::new());
        codecs::propose(local, before, &mut media);
        common_attributes(local, direction, &mut media);
        media
    };
    let keyed = |protocol: &Protocol, fresh| {
        let mut media = medium(protocol, fresh);
        keys.iter().cloned().for_each(|key| media.push(key));
        media
    };
    match shape {
        Shape::Clear(protocol) => vec![medium(protocol, local.port)],
        Shape::Protected(protocol) => vec![keyed(protocol, local.secure_port)],
        Shape::KeysInAvp(protocol) => vec![keyed(protocol, local.port)],
        Shape::TwoMedia => vec![
            keyed(&protected(local), local.secure_port),
            medium(&Protocol::Avp, local.port),
        ],
        Shape::Capabilities => {
            let mut media = medium(&Protocol::Avp, local.port);
            configure(&mut media, protected(local), keys);
            vec![media]
        }
    }
}

/// RFC 5939 §3: SRTP as a potential configuration of a clear medium. Keys of
/// which the peer takes one are alternatives; what belongs together is one set.
fn configure(media: &mut Media, protocol: Protocol, keys: &[Attribute]) {
    let numbers: Vec<u32> = (1..).take(keys.len()).collect();
    media.push(Attribute::TransportCapability(1, vec![protocol]));
    for (number, attribute) in numbers.iter().zip(keys) {
        media.push(Attribute::AttributeCapability(AttributeCapability {
            number: *number,
            attribute: Box::new(attribute.clone()),
        }));
    }
    let set = |mandatory: Vec<u32>| AttributeSet {
        mandatory,
        ..AttributeSet::default()
    };
    let attributes = match keys {
        [Attribute::Crypto(_), ..] => numbers.iter().map(|number| set(vec![*number])).collect(),
        _ => vec![set(numbers)],
    };
    media.push(Attribute::Possible(Configuration {
        number: 1,
        transports: vec![1],
        attributes,
        extensions: Vec::new(),
    }));
}

/// What every medium of ours says, whoever offers.
pub(super) fn common_attributes(local: &Description, direction: Direction, media: &mut Media) {
    if let Some(ptime) = local.ptime {
        media.push(Attribute::Ptime(ptime));
    }
    if local.rtcp_mux {
        media.push(Attribute::RtcpMux);
    }
    media.push(Attribute::Direction(direction));
}
