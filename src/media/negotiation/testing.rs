//! Two ends of a call, and random octets that are none.

use std::net::SocketAddr;

use super::*;
use crate::media::keys::Fresh;
use crate::media::keys::mikey::Protection;
use crate::media::srtp::Suite;
use crate::wire::sdp::{Fingerprint, Session, UdpCorrection};

/// Octets that never repeat, so that no two keys are alike by chance.
pub(super) struct Counter(pub(super) u64);

impl Counter {
    pub(super) fn run<T>(&mut self, act: impl FnOnce(&mut Fresh<'_>) -> T) -> T {
        let next = &mut self.0;
        let mut draw = |octets: &mut [u8]| {
            for chunk in octets.chunks_mut(8) {
                *next += 1;
                let length = chunk.len();
                chunk.copy_from_slice(&next.to_le_bytes()[..length]);
            }
        };
        act(&mut Fresh {
            ntp: 0xe000_0000_0000_0000,
            draw: &mut draw,
        })
    }
}

pub(super) fn format(encoding: &str, payload: u8) -> Format {
    Format {
        encoding: encoding.to_owned(),
        clock: 8_000,
        payload,
        parameters: None,
    }
}

pub(super) fn security(mode: Mode, management: Management) -> Security {
    Security {
        mode,
        management,
        suites: vec![Suite::AesCm128HmacSha1_80, Suite::AeadAes256Gcm],
        fallback: Fallback::TwoMedia,
        clear_hop: ClearHop::Refuse,
        mismatch: Mismatch::UnsupportedMediaType,
    }
}

pub(super) fn dtls() -> Management {
    Management::Dtls(Fingerprint {
        hash: "sha-256".to_owned(),
        octets: vec![0xab; 32],
    })
}

pub(super) fn mikey(protection: Protection) -> Management {
    Management::Mikey(MikeyEnd {
        protection,
        ssrc: 0x1234_5678,
        tolerance: Some(60),
    })
}

pub(super) fn psk() -> Protection {
    Protection::Psk(b"a key that both ends have".to_vec().into())
}

/// An end at 192.0.2.`host` with PCMA, PCMU, events and fax.
pub(super) fn end(host: u8, security: Security) -> Description {
    Description {
        address: [192, 0, 2, host].into(),
        session: u64::from(host),
        port: 5004,
        secure_port: 6004,
        rtcp_mux: false,
        formats: vec![format("PCMA", 8), format("PCMU", 0)],
        dtmf: Some(96),
        ptime: Some(20),
        fax: Some(FaxEnd {
            port: 7004,
            version: 0,
            max_bit_rate: 14_400,
            max_datagram: 400,
            correction: UdpCorrection::Redundancy,
            beside_srtp: FaxBesideSrtp::Refuse,
        }),
        security,
    }
}

/// A negotiation of such an end over TLS.
pub(super) fn side(host: u8, mode: Mode) -> Negotiation {
    Negotiation::new(end(host, security(mode, Management::Sdes)), Hop::Tls)
}

pub(super) fn socket(text: &str) -> Option<SocketAddr> {
    text.parse().ok()
}

/// As it would arrive.
pub(super) fn sent(session: &Session) -> Session {
    Session::parse(session.to_string().as_bytes()).expect("we print what we read")
}

/// A peer's description with these media.
pub(super) fn peer(media: &str) -> Session {
    let head = "v=0\r\no=peer 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\n";
    Session::parse(format!("{head}{media}").as_bytes()).expect("a description")
}

pub(super) fn voice(agreed: &Agreed) -> &Audio {
    match &agreed.media {
        Media::Audio(audio) => audio,
        Media::Fax(_) => panic!("a fax"),
    }
}

/// The media lines alone.
pub(super) fn media_lines(session: &Session) -> Vec<String> {
    let text = session.to_string();
    let lines = text.lines().filter(|line| line.starts_with("m="));
    lines.map(str::to_owned).collect()
}
