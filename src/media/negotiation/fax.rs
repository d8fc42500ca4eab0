//! T.38: the medium that is offered, and what two ends of it agree upon.

use super::agreed::AgreedFax;
use super::arrange::remote;
use super::description::FaxEnd;
use super::refusal::Refusal;
use crate::wire::sdp::{Attribute, Fax, Media, Protocol, RateManagement, Session, UdpCorrection};

/// Our medium with these limits.
pub(super) fn medium(end: &FaxEnd) -> Media {
    let formats = vec!["t38".to_owned()];
    let mut media = Media::new("image", end.port, Protocol::Udptl, formats);
    for fax in [
        Fax::Version(end.version),
        Fax::MaxBitRate(end.max_bit_rate),
        // T.38 annex D: over UDP the terminals train with each other.
        Fax::RateManagement(RateManagement::TransferredTcf),
        Fax::MaxDatagram(end.max_datagram),
        Fax::UdpCorrection(end.correction),
    ] {
        media.push(Attribute::Fax(fax));
    }
    media
}

/// Whether a medium is a fax over UDPTL that is not refused.
pub(super) fn is_live(media: &Media) -> bool {
    media.kind == "image" && media.port != 0 && media.protocol == Protocol::Udptl
}

/// What both ends can do; the peer's limits stand in its medium.
pub(super) fn agree(
    end: &FaxEnd,
    session: &Session,
    line: usize,
    media: &Media,
) -> Result<AgreedFax, Refusal> {
    let mut agreed = AgreedFax {
        line,
        port: end.port,
        remote: remote(session, media)?,
        // T.38 annex D: what is not said is version 0.
        version: 0,
        max_bit_rate: end.max_bit_rate,
        max_datagram: end.max_datagram,
        correction: UdpCorrection::None,
    };
    for attribute in media.attributes() {
        let Attribute::Fax(fax) = attribute else {
            continue;
        };
        match *fax {
            Fax::Version(version) => agreed.version = version.min(end.version),
            Fax::MaxBitRate(rate) => agreed.max_bit_rate = rate.min(end.max_bit_rate),
            Fax::MaxDatagram(octets) => agreed.max_datagram = octets,
            Fax::UdpCorrection(correction) if correction == end.correction => {
                agreed.correction = correction;
            }
            _ => {}
        }
    }
    Ok(agreed)
}

/// The answer's medium: ours within what was agreed.
pub(super) fn answer(end: &FaxEnd, agreed: &AgreedFax) -> Media {
    medium(&FaxEnd {
        version: agreed.version,
        max_bit_rate: agreed.max_bit_rate,
        correction: agreed.correction,
        ..*end
    })
}
