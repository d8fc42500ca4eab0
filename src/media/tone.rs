//! Tones: what a line hears before it is connected, and what DTMF is made of.
//!
//! One or two frequencies in a cadence. A level is that of each frequency, in
//! dBm0: 0 dBm0 is 3.14 dB below the loudest sine of the A-law (ITU-T G.711 §4).

use std::f64::consts::TAU;

/// What is heard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tone {
    /// In Hz; where the second is 0 there is one.
    pub frequencies: [f64; 2],
    /// Of each frequency, in dBm0.
    pub level: f64,
    /// Milliseconds of sound and of silence, over and over; without silence it does not stop.
    pub cadence: (u32, u32),
}

/// A tone being played.
#[derive(Clone, Debug)]
pub struct Player {
    steps: [f64; 2],
    phases: [f64; 2],
    amplitude: f64,
    sound: u32,
    period: u32,
    at: u32,
}

impl Tone {
    /// ITU-T E.180 with the values of North America.
    pub const DIAL: Self = Self::new([350.0, 440.0], -13.0, (1000, 0));
    /// The other end rings.
    pub const RINGING: Self = Self::new([440.0, 480.0], -19.0, (2000, 4000));
    /// The other end is engaged.
    pub const BUSY: Self = Self::new([480.0, 620.0], -24.0, (500, 500));
    /// There is no way there.
    pub const CONGESTION: Self = Self::new([480.0, 620.0], -24.0, (250, 250));

    /// A tone by its values.
    pub const fn new(frequencies: [f64; 2], level: f64, cadence: (u32, u32)) -> Self {
        Self {
            frequencies,
            level,
            cadence,
        }
    }

    /// From its start, at so many samples in a second.
    pub fn player(&self, rate: u32) -> Player {
        let samples = |milliseconds: u32| {
            let count = u64::from(milliseconds) * u64::from(rate) / 1000;
            u32::try_from(count)
                .unwrap_or(u32::MAX / 2)
                .min(u32::MAX / 2)
        };
        let sound = samples(self.cadence.0);
        Player {
            steps: self.frequencies.map(|hertz| TAU * hertz / f64::from(rate)),
            phases: [0.0; 2],
            amplitude: FULL * 10_f64.powf((self.level - LOUDEST) / 20.0),
            sound,
            period: sound + samples(self.cadence.1),
            at: 0,
        }
    }
}

impl Player {
    /// Fills `out` with what comes next.
    pub fn fill(&mut self, out: &mut [i16]) {
        for sample in out {
            *sample = self.next();
        }
    }

    fn next(&mut self) -> i16 {
        let sounds = self.at < self.sound;
        self.at += 1;
        if self.at >= self.period {
            self.at = 0;
        }
        if !sounds {
            return 0;
        }
        let mut sum = 0.0;
        for (phase, step) in self.phases.iter_mut().zip(self.steps) {
            sum += phase.sin();
            *phase = (*phase + step) % TAU;
        }
        // A conversion from a float saturates.
        (self.amplitude * sum).round() as i16
    }
}

/// Of the loudest sine, in dBm0.
#[expect(clippy::approx_constant, reason = "decibels, not a circle")]
const LOUDEST: f64 = 3.14;
const FULL: f64 = 32767.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn decibel(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|one| f64::from(*one).powi(2)).sum();
        let mean = sum / f64::from(u32::try_from(samples.len()).expect("few"));
        // A full sine has half the square of its amplitude.
        10.0 * (mean * 2.0 / (FULL * FULL)).log10() + LOUDEST
    }

    #[test]
    fn a_tone_is_as_loud_as_it_says() {
        let mut out = [0; 8000];
        Tone::new([1000.0, 0.0], -10.0, (100, 0))
            .player(8000)
            .fill(&mut out);
        assert!((decibel(&out) + 10.0).abs() < 0.05, "{}", decibel(&out));
        Tone::DIAL.player(16000).fill(&mut out);
        // Two frequencies have twice the power of one.
        assert!((decibel(&out) + 13.0 - 3.01).abs() < 0.05);
    }

    #[test]
    fn a_cadence_repeats() {
        let mut out = [0; 24000];
        Tone::BUSY.player(8000).fill(&mut out);
        let loud = |range: std::ops::Range<usize>| out[range].iter().any(|one| one.abs() > 100);
        for at in [0, 8000, 16000] {
            assert!(loud(at..at + 4000));
            assert!(!loud(at + 4000..at + 8000));
        }
    }

    #[test]
    fn the_loudest_level_does_not_wrap() {
        let mut out = [0; 800];
        Tone::new([400.0, 500.0], 20.0, (10, 0))
            .player(8000)
            .fill(&mut out);
        assert!(
            out.windows(2)
                .all(|pair| i32::from(pair[0]).abs_diff(i32::from(pair[1])) < 65000)
        );
    }
}
