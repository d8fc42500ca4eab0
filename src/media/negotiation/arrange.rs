//! Media in their places, addresses, directions.

use std::net::SocketAddr;

use super::refusal::Refusal;
use crate::wire::sdp::{Attribute, Direction, Media, Session};

/// A medium that is refused or ended: port 0, in its place (RFC 3264 §6, §8.2).
pub(super) fn refused(media: &Media) -> Media {
    let formats = media.formats.iter().take(1).cloned().collect();
    Media::new(&media.kind, 0, media.protocol.clone(), formats)
}

/// Ours in its place among those that there were (RFC 3264 §8), else behind them.
pub(super) fn place(media: Media, before: &[Media], line: Option<usize>) -> Vec<Media> {
    let mut all: Vec<Media> = before.iter().map(refused).collect();
    match line.and_then(|line| all.get_mut(line)) {
        Some(own) => *own = media,
        None => all.push(media),
    }
    all
}

/// Where to send to; none for the address that takes nothing (RFC 3264 §8.4).
pub(super) fn remote(session: &Session, media: &Media) -> Result<Option<SocketAddr>, Refusal> {
    let connection = session.connection(media).ok_or(Refusal::Address)?;
    let address = connection.address().ok_or(Refusal::Address)?;
    let open = !address.is_unspecified();
    Ok(open.then(|| SocketAddr::new(address, media.port)))
}

/// Where to send RTCP: by `a=rtcp` (RFC 3605), else one port further, or the same with RTP.
pub(super) fn remote_rtcp(
    media: &Media,
    remote: Option<SocketAddr>,
    rtcp_mux: bool,
) -> Option<SocketAddr> {
    let remote = remote?;
    if rtcp_mux {
        return Some(remote);
    }
    let told = media.attributes().find_map(|attribute| match attribute {
        Attribute::Rtcp(rtcp) => Some(rtcp),
        _ => None,
    });
    let Some(rtcp) = told else {
        let port = remote.port().checked_add(1)?;
        return Some(SocketAddr::new(remote.ip(), port));
    };
    let address = match &rtcp.connection {
        Some(connection) => connection.address()?,
        None => remote.ip(),
    };
    Some(SocketAddr::new(address, rtcp.port))
}

/// The peer's direction as it says so; who has address 0.0.0.0 takes nothing.
pub(super) fn direction(session: &Session, media: &Media) -> Direction {
    let said = session.direction(media);
    let held = matches!(remote(session, media), Ok(None));
    match held {
        true => Direction::of(said.sends(), false),
        false => said,
    }
}

/// Whether a medium lets RTCP share its port.
pub(super) fn muxes(media: &Media) -> bool {
    media
        .attributes()
        .any(|attribute| *attribute == Attribute::RtcpMux)
}

/// How long the peer wants packets, milliseconds.
pub(super) fn ptime(media: &Media) -> Option<u32> {
    media.attributes().find_map(|attribute| match attribute {
        Attribute::Ptime(value) if *value > 0 => Some(*value),
        _ => None,
    })
}
