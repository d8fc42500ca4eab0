//! Audio codecs: 16-bit linear samples to payload octets and back.
//!
//! G.711 and G.722, of which each spends one octet for a unit of its RTP
//! clock. A coder is a value that one stream owns; it fills buffers of its
//! caller's. Which codec is spoken was agreed on elsewhere.

pub mod g711;
pub mod g722;
pub mod resample;

/// A codec.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 A-law.
    Pcma,
    /// G.711 mu-law.
    Pcmu,
    /// G.722 at 64 kbit/s.
    G722,
}

impl Codec {
    /// By the name of its encoding, in any case (RFC 3551 §6, table 4).
    pub fn named(name: &str) -> Option<Self> {
        let all = [Self::Pcma, Self::Pcmu, Self::G722];
        all.into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// As SDP has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
        }
    }

    /// RFC 3551 §6, table 4.
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
            Self::G722 => 9,
        }
    }

    /// Units of the timestamp in a second.
    pub fn clock(self) -> u32 {
        // RFC 3551 §4.5.2: that of G722 too, although it samples at 16 kHz.
        CLOCK
    }

    /// Samples in a second.
    pub fn rate(self) -> u32 {
        CLOCK * u32::try_from(self.samples_of_octet()).unwrap_or(1)
    }

    /// Samples in an octet of payload, which is one unit of the timestamp.
    pub fn samples_of_octet(self) -> usize {
        match self {
            Self::Pcma | Self::Pcmu => 1,
            Self::G722 => 2,
        }
    }
}

/// One direction of a stream, outwards.
#[derive(Clone, Debug)]
pub enum Encoder {
    /// Has no memory.
    G711(g711::Law),
    /// Remembers.
    G722(Box<g722::Encoder>),
}

/// One direction of a stream, inwards.
#[derive(Clone, Debug)]
pub enum Decoder {
    /// Has no memory.
    G711(g711::Law),
    /// Remembers.
    G722(Box<g722::Decoder>),
}

impl Encoder {
    /// At the start of a stream.
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::G711(g711::Law::A),
            Codec::Pcmu => Self::G711(g711::Law::Mu),
            Codec::G722 => Self::G722(Box::default()),
        }
    }

    /// Adds the payload of these samples to `out`; of G.722 an even number counts.
    pub fn encode(&mut self, samples: &[i16], out: &mut Vec<u8>) {
        match self {
            Self::G711(law) => out.extend(samples.iter().map(|sample| law.compress(*sample))),
            Self::G722(encoder) => {
                let (pairs, _) = samples.as_chunks::<2>();
                out.extend(pairs.iter().map(|pair| encoder.encode(*pair)));
            }
        }
    }
}

impl Decoder {
    /// At the start of a stream.
    pub fn new(codec: Codec) -> Self {
        match codec {
            Codec::Pcma => Self::G711(g711::Law::A),
            Codec::Pcmu => Self::G711(g711::Law::Mu),
            Codec::G722 => Self::G722(Box::default()),
        }
    }

    /// Adds the samples of a payload to `out`.
    pub fn decode(&mut self, payload: &[u8], out: &mut Vec<i16>) {
        match self {
            Self::G711(law) => out.extend(payload.iter().map(|octet| law.expand(*octet))),
            Self::G722(decoder) => {
                out.extend(payload.iter().flat_map(|octet| decoder.decode(*octet)))
            }
        }
    }
}

/// Octets, and units of the timestamp, of a packet of 10..60 ms in steps of ten.
pub fn frame(milliseconds: u32) -> Option<usize> {
    let whole = (10..=60).contains(&milliseconds) && milliseconds.is_multiple_of(10);
    let units = usize::try_from(milliseconds * CLOCK / 1000).ok()?;
    whole.then_some(units)
}

/// Units of the timestamp in a second, of every codec here.
pub const CLOCK: u32 = 8000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_types_are_those_of_the_profile() {
        for (name, codec, kind, rate) in [
            ("pcmu", Codec::Pcmu, 0, 8000),
            ("PCMA", Codec::Pcma, 8, 8000),
            ("G722", Codec::G722, 9, 16000),
        ] {
            assert_eq!(Codec::named(name), Some(codec));
            assert_eq!((codec.payload_type(), codec.rate()), (kind, rate));
            assert_eq!(codec.clock(), 8000);
        }
        assert_eq!(Codec::named("G729"), None);
    }

    #[test]
    fn a_frame_is_as_many_octets_of_every_codec() {
        for codec in [Codec::Pcma, Codec::Pcmu, Codec::G722] {
            for milliseconds in [10, 20, 30, 40, 50, 60] {
                let octets = frame(milliseconds).expect("a frame");
                let samples = vec![1000; octets * codec.samples_of_octet()];
                let (mut payload, mut back) = (Vec::new(), Vec::new());
                Encoder::new(codec).encode(&samples, &mut payload);
                assert_eq!(payload.len(), octets);
                Decoder::new(codec).decode(&payload, &mut back);
                assert_eq!(back.len(), samples.len());
            }
        }
        assert_eq!([frame(0), frame(15), frame(70)], [None; 3]);
    }
}
