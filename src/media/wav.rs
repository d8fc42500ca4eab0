//! WAV files as lines play and record them: one channel, 16 bits, 8 or 16 kHz.
//!
//! Other chunks than `fmt ` and `data` are passed over. Everything else that
//! the format could hold is refused by name. Files are octets here; who opens
//! them bounds what he reads with [`MOST_OCTETS`].

/// Samples and how fast they are played.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    /// How many in a second.
    pub rate: Rate,
    /// In their order.
    pub samples: Vec<i16>,
}

/// Samples in a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rate {
    /// 8000
    Narrow,
    /// 16000
    Wide,
}

/// Why octets are no such file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// More octets than are read.
    #[error("{0} octets are too many for a WAV file")]
    Large(usize),
    /// It does not begin as one.
    #[error("not a WAV file")]
    Kind,
    /// A chunk ends after the file.
    #[error("the WAV file is cut off")]
    Cut,
    /// Neither a format nor data.
    #[error("the WAV file has no format or no data")]
    Missing,
    /// Another encoding than linear.
    #[error("format {0} is not linear audio")]
    Encoding(u16),
    /// Another number of channels than one.
    #[error("{0} channels instead of one")]
    Channels(u16),
    /// Another rate than 8000 or 16000.
    #[error("{0} samples a second instead of 8000 or 16000")]
    Rate(u32),
    /// Another size than 16 bits.
    #[error("samples of {0} bits instead of 16")]
    Bits(u16),
}

impl Rate {
    /// Samples in a second.
    pub fn hertz(self) -> u32 {
        match self {
            Self::Narrow => 8000,
            Self::Wide => 16000,
        }
    }
}

impl Wave {
    /// Reads a file.
    pub fn parse(file: &[u8]) -> Result<Self, Fault> {
        if file.len() > MOST_OCTETS {
            return Err(Fault::Large(file.len()));
        }
        let (head, mut rest) = file.split_first_chunk::<12>().ok_or(Fault::Kind)?;
        if !head.starts_with(b"RIFF") || !head.ends_with(b"WAVE") {
            return Err(Fault::Kind);
        }
        let mut rate = None;
        while !rest.is_empty() {
            let (Chunk { name, body }, behind) = chunk(rest)?;
            match (name, rate) {
                (b"fmt ", _) => rate = Some(format(body)?),
                (b"data", Some(rate)) => return Ok(Self::of(rate, body)),
                _ => {}
            }
            rest = behind;
        }
        Err(Fault::Missing)
    }

    /// Writes a file; what is beyond [`MOST_OCTETS`] is left out.
    pub fn print(&self) -> Vec<u8> {
        let most = (MOST_OCTETS - HEAD) / 2;
        let samples = &self.samples[..self.samples.len().min(most)];
        let octets = u32::try_from(samples.len() * 2).expect("bounded above");
        let hertz = self.rate.hertz();
        let mut file = Vec::with_capacity(HEAD + samples.len() * 2);
        file.extend_from_slice(b"RIFF");
        file.extend_from_slice(&(octets + 36).to_le_bytes());
        file.extend_from_slice(b"WAVEfmt ");
        file.extend_from_slice(&16_u32.to_le_bytes());
        for half in [LINEAR, 1] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        for word in [hertz, hertz * 2] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        for half in [2, BITS] {
            file.extend_from_slice(&half.to_le_bytes());
        }
        file.extend_from_slice(b"data");
        file.extend_from_slice(&octets.to_le_bytes());
        file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }

    fn of(rate: Rate, body: &[u8]) -> Self {
        let (samples, _) = body.as_chunks::<2>();
        let samples = samples.iter().map(|sample| i16::from_le_bytes(*sample));
        Self {
            rate,
            samples: samples.collect(),
        }
    }
}

struct Chunk<'a> {
    name: &'a [u8; 4],
    body: &'a [u8],
}

/// The next, and what follows it.
fn chunk(rest: &[u8]) -> Result<(Chunk<'_>, &[u8]), Fault> {
    let (name, rest) = rest.split_first_chunk::<4>().ok_or(Fault::Cut)?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(Fault::Cut)?;
    let length = u32::from_le_bytes(*length);
    // Who writes into a pipe cannot go back to say how long it became.
    if length == u32::MAX && name == b"data" {
        return Ok((Chunk { name, body: rest }, &[]));
    }
    let length = usize::try_from(length).map_err(|_| Fault::Cut)?;
    let (body, behind) = rest.split_at_checked(length).ok_or(Fault::Cut)?;
    // Chunks begin at even places; the last may lack its filling.
    let filling = (length % 2).min(behind.len());
    Ok((Chunk { name, body }, &behind[filling..]))
}

fn format(body: &[u8]) -> Result<Rate, Fault> {
    let head = body.first_chunk::<16>().ok_or(Fault::Cut)?;
    let half = |at: usize| u16::from_le_bytes([head[at], head[at + 1]]);
    let encoding = match half(0) {
        // WAVE_FORMAT_EXTENSIBLE: the encoding begins the identifier at 24.
        0xfffe => match body.get(24..26) {
            Some([low, high]) => u16::from_le_bytes([*low, *high]),
            _ => return Err(Fault::Cut),
        },
        encoding => encoding,
    };
    let hertz = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    match (encoding, half(2), half(14), hertz) {
        (LINEAR, 1, BITS, 8000) => Ok(Rate::Narrow),
        (LINEAR, 1, BITS, 16000) => Ok(Rate::Wide),
        (LINEAR, 1, BITS, hertz) => Err(Fault::Rate(hertz)),
        (LINEAR, 1, bits, _) => Err(Fault::Bits(bits)),
        (LINEAR, channels, ..) => Err(Fault::Channels(channels)),
        (encoding, ..) => Err(Fault::Encoding(encoding)),
    }
}

/// Octets of a file: about a quarter of an hour at 8 kHz.
pub const MOST_OCTETS: usize = 16 << 20;

/// Octets before the samples in a file of ours.
const HEAD: usize = 44;
const LINEAR: u16 = 1;
const BITS: u16 = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave() -> Wave {
        Wave {
            rate: Rate::Wide,
            samples: vec![0, 1, -1, i16::MAX, i16::MIN],
        }
    }

    fn changed(at: usize, value: u8) -> Result<Wave, Fault> {
        let mut file = wave().print();
        file[at] = value;
        Wave::parse(&file)
    }

    #[test]
    fn a_file_of_ours_is_read_again() {
        let file = wave().print();
        assert_eq!(file.len(), 44 + 10);
        assert_eq!(file[4..8], 46_u32.to_le_bytes());
        assert_eq!(file[28..32], 32000_u32.to_le_bytes());
        assert_eq!(Wave::parse(&file), Ok(wave()));
    }

    #[test]
    fn other_chunks_are_passed_over_and_odd_ones_filled() {
        let file = wave().print();
        let list = [&b"LIST\x03\0\0\0abc\0"[..]].concat();
        let with = [&file[..12], &list, &file[12..36], &list, &file[36..]].concat();
        assert_eq!(Wave::parse(&with), Ok(wave()));
    }

    #[test]
    fn data_of_a_pipe_goes_to_the_end_of_the_file() {
        let mut file = wave().print();
        file[40..44].fill(0xff);
        assert_eq!(Wave::parse(&file), Ok(wave()));
    }

    #[test]
    fn what_is_not_played_is_refused_by_name() {
        assert_eq!(changed(0, b'X'), Err(Fault::Kind));
        assert_eq!(changed(20, 6), Err(Fault::Encoding(6)));
        assert_eq!(changed(22, 2), Err(Fault::Channels(2)));
        assert_eq!(changed(34, 8), Err(Fault::Bits(8)));
        assert_eq!(changed(24, 0x81), Err(Fault::Rate(0x3e81)));
        assert_eq!(changed(40, 11), Err(Fault::Cut));
        assert_eq!(changed(36, b'D'), Err(Fault::Missing));
        assert_eq!(changed(20, 0xfe), Err(Fault::Encoding(0xfe)));
        assert_eq!(Wave::parse(b"RIFF"), Err(Fault::Kind));
        assert_eq!(Wave::parse(&wave().print()[..40]), Err(Fault::Cut));
        let large = vec![0; MOST_OCTETS + 1];
        assert_eq!(Wave::parse(&large), Err(Fault::Large(MOST_OCTETS + 1)));
    }

    proptest! {
        #[test]
        fn every_wave_is_read_as_it_was_written(samples in prop::collection::vec(any::<i16>(), 0..200)) {
            let wave = Wave { rate: Rate::Narrow, samples };
            prop_assert_eq!(Wave::parse(&wave.print()), Ok(wave));
        }

        #[test]
        fn any_octets_are_read_or_refused(octets in prop::collection::vec(any::<u8>(), 0..100)) {
            let file = [&b"RIFF\0\0\0\0WAVE"[..], &octets].concat();
            let _ = Wave::parse(&file);
        }
    }
}
