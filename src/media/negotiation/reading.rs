//! What an answer says to the audio that we offered.

use super::agreed::{Audio, Secured};
use super::arrange;
use super::candidate::Candidate;
use super::codecs;
use super::description::{Description, Mode};
use super::keying::{self, Own};
use super::machine::Pending;
use super::refusal::Refusal;
use crate::wire::sdp::{Attribute, Media, Protocol, Session};

/// What is agreed by an answer that takes the medium `line`.
pub(super) fn audio(
    local: &Description,
    pending: &Pending,
    answer: &Session,
    line: usize,
) -> Result<(Audio, Option<Own>), Refusal> {
    let (offered, media) = (&pending.session.media[line], &answer.media[line]);
    let protocol = profile(offered, media)?;
    let common = codecs::of_answer(offered, media)?;
    let secured = match &pending.own {
        Some(own) => keys(local, own, answer, line)?,
        None => None,
    };
    let (own, security) = match secured {
        Some((own, secured)) => (Some(own), secured),
        None if !protocol.is_clear() => return Err(Refusal::NoKeys),
        None if local.security.mode == Mode::Secure => return Err(Refusal::ClearInSecure),
        None => (None, Secured::None),
    };
    let remote = arrange::remote(answer, media)?;
    let rtcp_mux = arrange::muxes(offered) && arrange::muxes(media);
    let audio = Audio {
        line,
        protocol,
        port: offered.port,
        remote,
        remote_rtcp: arrange::remote_rtcp(media, remote, rtcp_mux),
        rtcp_mux,
        codecs: common.codecs,
        dtmf: common.dtmf,
        direction: arrange::direction(answer, media)
            .reversed()
            .and(pending.direction),
        ptime: arrange::ptime(media),
        security,
    };
    Ok((audio, own))
}

fn keys(
    local: &Description,
    own: &Own,
    answer: &Session,
    line: usize,
) -> Result<Option<(Own, Secured)>, Refusal> {
    let candidate = Candidate {
        line,
        media: answer.media[line].clone(),
        taken: None,
        session: answer.attributes().collect(),
    };
    keying::accept(own, &candidate, &local.security)
}

/// The profile offered (RFC 3264 §6.1), or that of the configuration taken (RFC 5939 §3.6.2).
fn profile(offered: &Media, media: &Media) -> Result<Protocol, Refusal> {
    let configured = || {
        let took = media
            .attributes()
            .any(|attribute| matches!(attribute, Attribute::Actual(_)));
        offered.attributes().any(|attribute| match attribute {
            Attribute::TransportCapability(_, protocols) => {
                took && protocols.contains(&media.protocol)
            }
            _ => false,
        })
    };
    match offered.protocol == media.protocol || configured() {
        true => Ok(media.protocol.clone()),
        false => Err(Refusal::Profile),
    }
}
