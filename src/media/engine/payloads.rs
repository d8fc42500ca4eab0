//! What payload types mean, of each way of a stream.

use crate::media::codec::Codec;
use crate::media::negotiation::Payloads;
use crate::media::seam::Voice;
use crate::wire::sdp::Direction;

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    Audio(Codec),
    Noise,
    Keys,
}

impl Voice {
    /// What a type means in packets that come.
    pub(super) fn meaning(&self, payload_type: u8) -> Option<Meaning> {
        let audio = self.codecs.iter();
        let mut audio = audio.filter(|(_, types)| types.receive == payload_type);
        if let Some((codec, _)) = audio.next() {
            return Some(Meaning::Audio(*codec));
        }
        let of = |types: Option<_>, meaning| {
            let types: Payloads = types?;
            (types.receive == payload_type).then_some(meaning)
        };
        of(self.dtmf, Meaning::Keys).or_else(|| of(self.noise, Meaning::Noise))
    }

    /// Under which type it is sent; `None` where the peer does not take it.
    pub(super) fn payload_type(&self, meaning: Meaning) -> Option<u8> {
        let types = match meaning {
            Meaning::Audio(codec) => {
                let mut all = self.codecs.iter();
                all.find(|(one, _)| *one == codec).map(|(_, types)| *types)
            }
            Meaning::Noise => self.noise,
            Meaning::Keys => self.dtmf,
        };
        types.map(|types| types.send)
    }

    /// Whether the peer is to be heard.
    pub(super) fn hears(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::RecvOnly)
    }

    /// Whether the peer is to be sent anything.
    pub(super) fn speaks(&self) -> bool {
        matches!(self.direction, Direction::SendRecv | Direction::SendOnly)
    }
}
