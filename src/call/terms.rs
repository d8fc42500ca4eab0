//! From what a leg agreed on to what its stream is told.
//!
//! Pure translation: negotiation speaks of names and lines of a description,
//! media of codecs and keys. What no medium of ours can carry was refused
//! before; it is left out here.

use std::time::Duration;

use crate::media::codec::Codec;
use crate::media::jitter::Limits;
use crate::media::negotiation::{Agreed, Audio, Media, Secured};
use crate::media::seam::{Latching, Medium, Security, Terms, Voice};
use crate::media::srtp::Sequence;

/// What an endpoint's settings say of streams, beside what is negotiated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Differentiated services code point, 0..63.
    pub dscp: u8,
    /// Symmetric RTP.
    pub latching: Latching,
    /// A call that hears nothing for so long ends; none where it does not.
    pub inactivity: Option<Duration>,
    /// Of a packet where the peer asks for nothing else.
    pub packet: Duration,
    /// How long a line's packets wait.
    pub jitter: Limits,
    /// How long the receive key before is believed beside its successor.
    pub overlap: Duration,
}

/// What a stream is told; `sequence` is what becomes of ROC where keys are replaced.
#[must_use]
pub fn terms(agreed: &Agreed, manner: &Manner, sequence: Sequence) -> Terms {
    let (remote, remote_rtcp, silence, medium) = match &agreed.media {
        Media::Audio(audio) => {
            // Who is held, or holds, hears nothing and is not gone.
            let silence = manner.inactivity.filter(|_| audio.direction.receives());
            let medium = Medium::Voice(voice(audio, manner, sequence));
            (audio.remote, audio.remote_rtcp, silence, medium)
        }
        // A fax machine that waits for the other sends nothing.
        Media::Fax(fax) => (fax.remote, None, None, Medium::Fax),
    };
    Terms {
        remote,
        remote_rtcp,
        latching: manner.latching,
        dscp: manner.dscp,
        silence,
        medium,
    }
}

fn voice(audio: &Audio, manner: &Manner, sequence: Sequence) -> Voice {
    let known = audio.codecs.iter();
    let codecs = known.filter_map(|it| Some((Codec::named(&it.encoding)?, it.payloads)));
    let noise = { audio.codecs.iter() }.find(|it| it.encoding.eq_ignore_ascii_case("CN"));
    Voice {
        codecs: codecs.collect(),
        noise: noise.map(|it| it.payloads),
        dtmf: audio.dtmf,
        direction: audio.direction,
        packet: packet(audio.ptime, manner.packet),
        jitter: manner.jitter,
        security: security(&audio.security, manner.overlap, sequence),
    }
}

/// In steps of ten milliseconds, from one to six.
fn packet(ptime: Option<u32>, usual: Duration) -> Duration {
    let wanted = ptime.map_or(usual, |it| Duration::from_millis(it.into()));
    let steps = (wanted.as_millis() / 10).clamp(1, 6);
    Duration::from_millis(10) * u32::try_from(steps).unwrap_or(1)
}

fn security(secured: &Secured, overlap: Duration, sequence: Sequence) -> Security {
    match secured {
        Secured::None => Security::Clear,
        Secured::Srtp { send, receive } => Security::Srtp {
            send: send.clone(),
            receive: receive.clone(),
            sequence,
            overlap,
        },
        // Until the association is there, nothing is sent or heard.
        Secured::Dtls { .. } => Security::Awaited,
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::media::jitter;
    use crate::media::keys::Material;
    use crate::media::negotiation::{AgreedFax, Codec as Named, Payloads};
    use crate::media::srtp::Suite;
    use crate::wire::sdp::{Direction, Protocol, UdpCorrection};

    fn manner() -> Manner {
        Manner {
            dscp: 46,
            latching: Latching::On,
            inactivity: Some(Duration::from_secs(30)),
            packet: Duration::from_millis(20),
            jitter: Limits {
                minimum: Duration::from_millis(30),
                nominal: Duration::from_millis(30),
                maximum: Duration::from_millis(125),
                manner: jitter::Manner::Immediately,
            },
            overlap: Duration::from_secs(5),
        }
    }

    fn remote() -> Option<SocketAddr> {
        "198.51.100.1:4000".parse().ok()
    }

    fn named(encoding: &str, payload: u8) -> Named {
        Named {
            encoding: encoding.into(),
            clock: 8_000,
            payloads: Payloads {
                send: payload,
                receive: payload,
            },
            parameters: None,
        }
    }

    fn audio() -> Audio {
        Audio {
            line: 0,
            protocol: Protocol::parse("RTP/AVP"),
            port: 5004,
            remote: remote(),
            remote_rtcp: None,
            rtcp_mux: false,
            codecs: vec![named("PCMU", 0), named("CN", 13), named("PCMA", 8)],
            dtmf: Some(named("telephone-event", 101).payloads),
            direction: Direction::SendRecv,
            ptime: None,
            security: Secured::None,
        }
    }

    fn told(audio: Audio) -> (Terms, Voice) {
        let agreed = Agreed {
            media: Media::Audio(Box::new(audio)),
            mismatch: false,
        };
        let terms = terms(&agreed, &manner(), Sequence::Continues);
        let Medium::Voice(voice) = terms.medium.clone() else {
            panic!("a fax");
        };
        (terms, voice)
    }

    #[test]
    fn codecs_keep_their_order_and_comfort_noise_is_none_of_them() {
        let (terms, voice) = told(audio());
        let codecs: Vec<Codec> = voice.codecs.iter().map(|it| it.0).collect();
        assert_eq!(codecs, [Codec::Pcmu, Codec::Pcma]);
        assert_eq!(voice.noise, Some(named("", 13).payloads));
        assert_eq!((terms.remote, terms.dscp), (remote(), 46));
        assert_eq!(voice.security, Security::Clear);
    }

    #[test]
    fn a_held_leg_and_a_fax_may_be_silent() {
        assert_eq!(told(audio()).0.silence, manner().inactivity);
        let held = Audio {
            direction: Direction::SendOnly,
            ..audio()
        };
        assert_eq!(told(held).0.silence, None);
        let fax = Agreed {
            media: Media::Fax(AgreedFax {
                line: 0,
                port: 5004,
                remote: remote(),
                version: 0,
                max_bit_rate: 14_400,
                max_datagram: 400,
                correction: UdpCorrection::Redundancy,
            }),
            mismatch: false,
        };
        let told = terms(&fax, &manner(), Sequence::Continues);
        assert_eq!((told.silence, told.medium), (None, Medium::Fax));
    }

    #[test]
    fn packets_are_as_long_as_the_peer_asks_within_what_a_line_can() {
        for (asked, sent) in [
            (None, 20),
            (Some(30), 30),
            (Some(25), 20),
            (Some(0), 10),
            (Some(200), 60),
        ] {
            let (_, voice) = told(Audio {
                ptime: asked,
                ..audio()
            });
            assert_eq!(voice.packet, Duration::from_millis(sent), "{asked:?}");
        }
    }

    #[test]
    fn keys_go_each_its_way() {
        let material = |octet| {
            let suite = Suite::AesCm128HmacSha1_80;
            Material::of(suite, zeroize::Zeroizing::new(vec![octet; 30]))
        };
        let (_, voice) = told(Audio {
            security: Secured::Srtp {
                send: material(1),
                receive: material(2),
            },
            ..audio()
        });
        let Security::Srtp {
            send,
            receive,
            sequence,
            ..
        } = voice.security
        else {
            panic!("no SRTP");
        };
        assert_eq!((send, receive), (material(1), material(2)));
        assert_eq!(sequence, Sequence::Continues);
    }
}
