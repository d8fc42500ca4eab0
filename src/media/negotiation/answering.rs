//! Which medium of an offer is taken, and the medium that answers it.

use super::agreed::{Audio, Secured};
use super::arrange;
use super::candidate::{self, Candidate};
use super::codecs::{self, Common};
use super::description::{Description, Hop, Mode};
use super::keying::{self, Own, Peer};
use super::offering;
use super::refusal::Refusal;
use crate::wire::sdp::{Attribute, Direction, Line, Media, Session};

/// The medium that is taken.
pub(super) struct Chosen<'a> {
    pub(super) candidate: Candidate<'a>,
    pub(super) common: Common,
    pub(super) peer: Option<Peer>,
    /// Whether a protected one was passed over for its key management.
    pub(super) mismatch: bool,
}

/// The fax of an offer without voice.
pub(super) fn fax(offer: &Session) -> Option<usize> {
    let voice = |media: &Media| media.kind == "audio" && media.port != 0;
    let line = offer.media.iter().position(super::fax::is_live);
    line.filter(|_| !offer.media.iter().any(voice))
}

/// The first protected medium that will do, else, where the mode allows, the first clear one.
pub(super) fn choose<'a>(
    local: &Description,
    hop: Hop,
    offer: &'a Session,
    before: Option<&Own>,
    now: u64,
) -> Result<Chosen<'a>, Refusal> {
    let candidates = candidate::audio(offer);
    let mode = local.security.mode;
    let mut refusal = None;
    if mode != Mode::Unsecure {
        for candidate in &candidates {
            match protected(local, hop, candidate, before, now) {
                Ok(Some((peer, common))) => {
                    return Ok(Chosen {
                        candidate: candidate.clone(),
                        common,
                        peer: Some(peer),
                        mismatch: false,
                    });
                }
                Ok(None) => {}
                Err(fault) => refusal = refusal.or(Some(fault)),
            }
        }
    }
    let mismatch = matches!(refusal, Some(Refusal::WrongKeyManagement(_)));
    let clear = |candidate: &&Candidate<'_>| {
        candidate.taken.is_none() && candidate.media.protocol.is_clear()
    };
    let mut clear = candidates.iter().filter(clear).peekable();
    match (mode, clear.peek()) {
        (Mode::Secure, Some(_)) => return Err(refusal.unwrap_or(Refusal::ClearInSecure)),
        (Mode::Unsecure, None) if !candidates.is_empty() => return Err(Refusal::SecurityDisabled),
        (_, None) => return Err(refusal.unwrap_or(Refusal::NoMedia)),
        (Mode::Unsecure | Mode::SecureWithFallback, Some(_)) => {}
    }
    for candidate in clear {
        match codecs::of_offer(local, &candidate.media) {
            Ok(common) => {
                return Ok(Chosen {
                    candidate: candidate.clone(),
                    common,
                    peer: None,
                    mismatch,
                });
            }
            Err(fault) => refusal = refusal.or(Some(fault)),
        }
    }
    Err(refusal.unwrap_or(Refusal::NoMedia))
}

/// Keys and codecs of a protected candidate; none for one that is clear.
fn protected(
    local: &Description,
    hop: Hop,
    candidate: &Candidate<'_>,
    before: Option<&Own>,
    now: u64,
) -> Result<Option<(Peer, Common)>, Refusal> {
    let protocol = &candidate.media.protocol;
    if !(protocol.is_clear() || protocol.is_secure() || protocol.is_dtls()) {
        return Ok(None);
    }
    let Some(peer) = keying::read(candidate, &local.security, hop, before, now)? else {
        return Ok(None);
    };
    let common = codecs::of_offer(local, &candidate.media)?;
    Ok(Some((peer, common)))
}

/// What is agreed by taking a candidate.
pub(super) fn audio(
    local: &Description,
    offer: &Session,
    candidate: &Candidate<'_>,
    common: Common,
    wish: Direction,
    security: Secured,
    before: Option<&Audio>,
) -> Result<Audio, Refusal> {
    let media = &candidate.media;
    let remote = arrange::remote(offer, media)?;
    let rtcp_mux = local.rtcp_mux && arrange::muxes(media);
    // RFC 3264 §8.3.1: a port may change, but there is no need to.
    let is_clear = security == Secured::None;
    let same = before.filter(|audio| (audio.security == Secured::None) == is_clear);
    let port = match (same, is_clear) {
        (Some(audio), _) => audio.port,
        (None, true) => local.port,
        (None, false) => local.secure_port,
    };
    Ok(Audio {
        line: candidate.line,
        protocol: media.protocol.clone(),
        port,
        remote,
        remote_rtcp: arrange::remote_rtcp(media, remote, rtcp_mux),
        rtcp_mux,
        codecs: common.codecs,
        dtmf: common.dtmf,
        // RFC 3264 §6.1.
        direction: arrange::direction(offer, media).reversed().and(wish),
        ptime: arrange::ptime(media),
        security,
    })
}

/// The medium of the answer: same kind, same profile, codecs that are common.
pub(super) fn medium(
    local: &Description,
    candidate: &Candidate<'_>,
    audio: &Audio,
    keys: Vec<Attribute>,
) -> Media {
    let mut media = Media::new("audio", audio.port, audio.protocol.clone(), Vec::new());
    let common = Common {
        codecs: audio.codecs.clone(),
        dtmf: audio.dtmf,
    };
    codecs::list(local, &common, &mut media);
    offering::common_attributes(local, audio.direction, &mut media);
    if !audio.rtcp_mux {
        // RFC 5761 §5.1.3: not in an answer to an offer without it.
        media.lines.retain(is_no_mux);
    }
    keys.into_iter().for_each(|key| media.push(key));
    // RFC 5939 §3.6.2: which configuration was taken.
    if let Some(taken) = &candidate.taken {
        media.push(Attribute::Actual(taken.clone()));
    }
    media
}

fn is_no_mux(line: &Line) -> bool {
    *line != Line::Attribute(Attribute::RtcpMux)
}
