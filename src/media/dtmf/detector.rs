//! Hearing keys in audio: eight Goertzel filters over blocks of 13 ms.
//!
//! For lines that send tones in band, at 8 kHz. A key counts when two blocks
//! in a row agree, and is up when two in a row do not (ITU-T Q.24: 40 ms of
//! tone and of pause are heard, 20 ms are not).

use super::{COLUMNS, KEYS, ROWS};
use std::f64::consts::TAU;

/// One line's ear.
#[derive(Clone, Debug)]
pub struct Detector {
    block: Block,
    before: Option<char>,
    held: Option<char>,
}

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A key is down.
    Began(char),
    /// It is up again.
    Ended(char),
}

impl Default for Detector {
    fn default() -> Self {
        Self {
            block: Block::new(),
            before: None,
            held: None,
        }
    }
}

impl Detector {
    /// Tells what these samples of 8 kHz bring.
    pub fn listen(&mut self, samples: &[i16], mut tell: impl FnMut(Heard)) {
        for sample in samples {
            self.block.add(f64::from(*sample));
            if self.block.count == BLOCK {
                let key = self.block.key();
                self.block.clear();
                self.settle(key, &mut tell);
            }
        }
    }

    fn settle(&mut self, key: Option<char>, tell: &mut impl FnMut(Heard)) {
        let agreed = key == self.before;
        self.before = key;
        if !agreed || key == self.held {
            return;
        }
        if let Some(held) = self.held.take() {
            tell(Heard::Ended(held));
        }
        if let Some(key) = key {
            self.held = Some(key);
            tell(Heard::Began(key));
        }
    }
}

#[derive(Clone, Debug)]
struct Block {
    count: u32,
    energy: f64,
    rows: [Filter; 4],
    columns: [Filter; 4],
}

impl Block {
    fn new() -> Self {
        Self {
            count: 0,
            energy: 0.0,
            rows: ROWS.map(Filter::new),
            columns: COLUMNS.map(Filter::new),
        }
    }

    fn add(&mut self, sample: f64) {
        self.count += 1;
        self.energy += sample * sample;
        for filter in self.rows.iter_mut().chain(&mut self.columns) {
            filter.add(sample);
        }
    }

    fn clear(&mut self) {
        self.count = 0;
        self.energy = 0.0;
        for filter in self.rows.iter_mut().chain(&mut self.columns) {
            filter.clear();
        }
    }

    /// One row and one column, which have nearly all of the energy between them.
    fn key(&self) -> Option<char> {
        let (row, low) = loudest(&self.rows)?;
        let (column, high) = loudest(&self.columns)?;
        let twisted = low > high * TWIST || high > low * TWIST;
        let faint = low < FAINTEST || high < FAINTEST;
        let drowned = low + high < self.energy * SHARE;
        (!twisted && !faint && !drowned).then(|| KEYS[row][column])
    }
}

/// Which of four, and its energy, if it stands out.
fn loudest(filters: &[Filter; 4]) -> Option<(usize, f64)> {
    let powers = filters.each_ref().map(Filter::energy);
    let (at, most) = powers
        .iter()
        .copied()
        .enumerate()
        .max_by(|one, other| one.1.total_cmp(&other.1))?;
    let others = powers.iter().enumerate().filter(|(other, _)| *other != at);
    let apart = others.clone().all(|(_, power)| power * STANDING < most);
    apart.then_some((at, most))
}

/// The recursion of Goertzel.
#[derive(Clone, Debug)]
struct Filter {
    coefficient: f64,
    last: f64,
    before: f64,
}

impl Filter {
    fn new(hertz: f64) -> Self {
        Self {
            coefficient: 2.0 * (TAU * hertz / 8000.0).cos(),
            last: 0.0,
            before: 0.0,
        }
    }

    fn add(&mut self, sample: f64) {
        let next = sample + self.coefficient * self.last - self.before;
        self.before = self.last;
        self.last = next;
    }

    fn clear(&mut self) {
        self.last = 0.0;
        self.before = 0.0;
    }

    /// Of a sine at the frequency: that of its samples.
    fn energy(&self) -> f64 {
        let square = self.last * self.last + self.before * self.before
            - self.coefficient * self.last * self.before;
        square * 2.0 / f64::from(BLOCK)
    }
}

/// Samples: a filter hears 76 Hz, about what is between two rows.
const BLOCK: u32 = 105;
/// 9 dB between row and column, which lines may damp differently.
const TWIST: f64 = 8.0;
/// 6 dB over the others of the same kind.
const STANDING: f64 = 4.0;
/// Of the block's energy, what speech seldom has in two frequencies.
const SHARE: f64 = 0.75;
/// A sine of -36 dBm0, over a block.
const FAINTEST: f64 = 6.5e6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::codec::g711::Law;
    use crate::media::dtmf::tone;
    use crate::media::tone::Tone;

    fn heard(samples: &[i16]) -> Vec<Heard> {
        let mut heard = Vec::new();
        Detector::default().listen(samples, |one| heard.push(one));
        heard
    }

    /// Milliseconds of a key, then of silence.
    fn played(key: char, sound: usize, silence: usize) -> Vec<i16> {
        let mut samples = vec![0; sound * 8];
        tone(key).expect("a key").player(8000).fill(&mut samples);
        samples.resize((sound + silence) * 8, 0);
        samples
    }

    #[test]
    fn every_key_is_heard_through_either_law() {
        for key in "0123456789*#ABCD".chars() {
            for law in [Law::A, Law::Mu] {
                let samples = played(key, 60, 60);
                let line: Vec<i16> = samples
                    .iter()
                    .map(|sample| law.expand(law.compress(*sample)))
                    .collect();
                assert_eq!(
                    heard(&line),
                    [Heard::Began(key), Heard::Ended(key)],
                    "{key}"
                );
            }
        }
    }

    #[test]
    fn a_number_is_heard_key_by_key() {
        let number = "0014165550123#";
        let samples: Vec<i16> = number.chars().flat_map(|key| played(key, 45, 45)).collect();
        let began = heard(&samples).into_iter().filter_map(|one| match one {
            Heard::Began(key) => Some(key),
            Heard::Ended(_) => None,
        });
        assert_eq!(began.collect::<String>(), number);
    }

    #[test]
    fn what_is_too_short_too_faint_or_a_single_tone_is_no_key() {
        assert_eq!(heard(&played('5', 20, 100)), []);
        let mut samples = [0; 4000];
        for frequencies in [
            [770.0, 0.0],
            [440.0, 480.0],
            [350.0, 440.0],
            [1000.0, 1500.0],
        ] {
            Tone::new(frequencies, -9.0, (1000, 0))
                .player(8000)
                .fill(&mut samples);
            assert_eq!(heard(&samples), [], "{frequencies:?}");
        }
        Tone::new([770.0, 1336.0], -45.0, (1000, 0))
            .player(8000)
            .fill(&mut samples);
        assert_eq!(heard(&samples), []);
    }

    #[test]
    fn noise_is_no_key_and_a_key_is_heard_over_some() {
        let mut state = 7_u32;
        let mut noise = |amplitude: i16| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [high, low, ..] = state.to_be_bytes();
            i16::from_be_bytes([high, low]) / (i16::MAX / amplitude)
        };
        let loud: Vec<i16> = (0..80_000).map(|_| noise(8000)).collect();
        assert_eq!(heard(&loud), []);
        let over: Vec<i16> = played('7', 100, 100)
            .iter()
            .map(|one| one + noise(1000))
            .collect();
        assert_eq!(heard(&over), [Heard::Began('7'), Heard::Ended('7')]);
    }
}
