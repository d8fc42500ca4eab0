//! Codecs that both have, and the media line that lists them.

use super::agreed::{Audio, Codec, Payloads};
use super::description::{Description, Format};
use super::refusal::Refusal;
use crate::wire::sdp::{Attribute, Media, Rtpmap};

/// What two lists of codecs have in common.
pub(super) struct Common {
    pub(super) codecs: Vec<Codec>,
    pub(super) dtmf: Option<Payloads>,
}

/// From an offer, in its order and under its payload types (RFC 3264 §6.1).
pub(super) fn of_offer(local: &Description, offer: &Media) -> Result<Common, Refusal> {
    common(offer, |map| {
        if is_event(map) {
            return local.dtmf.map(|_| (EVENT.to_owned(), map.payload));
        }
        let known = local.formats.iter().find(|format| is_of(format, map));
        known.map(|format| (format.encoding.clone(), map.payload))
    })
}

/// From an answer: what is sent has its types, what is received has ours (RFC 3264 §7).
pub(super) fn of_answer(offer: &Media, answer: &Media) -> Result<Common, Refusal> {
    let ours: Vec<Rtpmap> = maps(offer).collect();
    common(answer, |map| {
        let own = ours.iter().find(|own| is_same(own, map))?;
        Some((own.encoding.clone(), own.payload))
    })
}

fn common(peer: &Media, ours: impl Fn(&Rtpmap) -> Option<(String, u8)>) -> Result<Common, Refusal> {
    let mut common = Common {
        codecs: Vec::new(),
        dtmf: None,
    };
    for map in maps(peer) {
        let send = map.payload;
        let Some((encoding, receive)) = ours(&map) else {
            continue;
        };
        let payloads = Payloads { send, receive };
        if is_event(&map) {
            common.dtmf = common.dtmf.or(Some(payloads));
        } else if !common.codecs.iter().any(|own| own.encoding == encoding) {
            common.codecs.push(Codec {
                encoding,
                clock: map.clock,
                payloads,
                parameters: peer.fmtp(&send.to_string()).map(str::to_owned),
            });
        }
    }
    match common.codecs.iter().any(|codec| codec.encoding != "CN") {
        true => Ok(common),
        false => Err(Refusal::NoCodec { peer: names(peer) }),
    }
}

/// Appends the codecs of an answer to its medium.
pub(super) fn list(local: &Description, common: &Common, media: &mut Media) {
    for codec in &common.codecs {
        let own = local.formats.iter();
        let parameters = own
            .filter(|format| format.encoding == codec.encoding)
            .find_map(|format| format.parameters.clone());
        let format = Format {
            encoding: codec.encoding.clone(),
            clock: codec.clock,
            payload: codec.payloads.receive,
            parameters,
        };
        push(media, &format);
    }
    if let Some(payloads) = common.dtmf {
        push(media, &event(payloads.receive));
    }
}

/// Appends the codecs of an offer; types that are in use stay with their codec (RFC 3264 §8.3.2).
pub(super) fn propose(local: &Description, before: Option<&Audio>, media: &mut Media) {
    let (codecs, dtmf) = match before {
        Some(audio) => (&audio.codecs[..], audio.dtmf),
        None => (&[][..], None),
    };
    let taken = |payload| {
        codecs.iter().any(|codec| codec.payloads.receive == payload)
            || dtmf.is_some_and(|event| event.receive == payload)
    };
    for format in &local.formats {
        let in_use = codecs
            .iter()
            .find(|codec| codec.encoding == format.encoding);
        let payload = match in_use {
            Some(codec) => codec.payloads.receive,
            None if taken(format.payload) => continue,
            None => format.payload,
        };
        let format = Format {
            payload,
            ..format.clone()
        };
        push(media, &format);
    }
    let own = local.dtmf.filter(|payload| !taken(*payload));
    if let Some(payload) = dtmf.map(|event| event.receive).or(own) {
        push(media, &event(payload));
    }
}

fn event(payload: u8) -> Format {
    Format {
        encoding: EVENT.to_owned(),
        clock: 8_000,
        payload,
        // RFC 4733 §2.4.1: the sixteen of a telephone's keys.
        parameters: Some("0-15".to_owned()),
    }
}

fn push(media: &mut Media, format: &Format) {
    let payload = format.payload.to_string();
    media.push(Attribute::Rtpmap(Rtpmap {
        payload: format.payload,
        encoding: format.encoding.clone(),
        clock: format.clock,
        channels: 1,
    }));
    if let Some(parameters) = &format.parameters {
        media.push(Attribute::Fmtp(payload.clone(), parameters.clone()));
    }
    media.formats.push(payload);
}

fn maps(media: &Media) -> impl Iterator<Item = Rtpmap> {
    let payloads = media
        .formats
        .iter()
        .filter_map(|format| format.parse().ok());
    payloads.filter_map(|payload| media.rtpmap(payload))
}

fn names(media: &Media) -> String {
    let names: Vec<String> = maps(media).map(|map| map.encoding).collect();
    names.join(", ")
}

fn is_event(map: &Rtpmap) -> bool {
    map.encoding.eq_ignore_ascii_case(EVENT) && map.clock == 8_000
}

fn is_of(format: &Format, map: &Rtpmap) -> bool {
    let name = format.encoding.eq_ignore_ascii_case(&map.encoding);
    name && format.clock == map.clock && map.channels == 1
}

fn is_same(own: &Rtpmap, map: &Rtpmap) -> bool {
    let name = own.encoding.eq_ignore_ascii_case(&map.encoding);
    name && own.clock == map.clock && own.channels == map.channels
}

const EVENT: &str = "telephone-event";
