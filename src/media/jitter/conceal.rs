//! Concealing gaps in audio, in the spirit of ITU-T G.711 appendix I.
//!
//! The last pitch period is repeated, then the last two, then three, so that
//! it does not sound like a tone; it fades within 60 ms. What comes after a
//! gap is faded in over its continuation. Without the appendix's delay: what
//! has been played is left as it was.

/// One stream's concealer.
#[derive(Clone, Debug)]
pub struct Concealer {
    /// Samples in a millisecond.
    scale: usize,
    /// What was played last, made up or not.
    past: Vec<i16>,
    /// The same as it was before the gap.
    before: Vec<i16>,
    gap: Gap,
}

/// Where a gap stands.
#[derive(Clone, Copy, Debug, Default)]
struct Gap {
    /// Samples since it began; 0 is no gap.
    length: usize,
    /// Of a pitch period.
    period: usize,
    /// Periods that are repeated.
    periods: usize,
    /// Samples of them that have been played.
    at: usize,
}

impl Concealer {
    /// Of so many samples in a second.
    pub fn new(rate: u32) -> Self {
        let scale = usize::try_from(rate / 1000).unwrap_or(8).max(1);
        Self {
            scale,
            past: vec![0; HISTORY * scale],
            before: vec![0; HISTORY * scale],
            gap: Gap::default(),
        }
    }

    /// Audio that is there; after a gap its start is blended.
    pub fn good(&mut self, samples: &mut [i16]) {
        if self.gap.length > 0 {
            self.blend(samples);
            self.gap = Gap::default();
        }
        self.remember(samples);
    }

    /// Adds as many samples to `out` in the place of those that are missing.
    pub fn bad(&mut self, samples: usize, out: &mut Vec<i16>) {
        self.open();
        let start = out.len();
        for _ in 0..samples {
            let sample = self.next();
            out.push(sample);
        }
        self.remember(&out[start..]);
    }

    /// Audio was left out: what comes next is blended with what would have been.
    pub fn skipped(&mut self) {
        self.open();
    }

    fn open(&mut self) {
        if self.gap.length == 0 {
            self.before.copy_from_slice(&self.past);
            self.gap = Gap {
                length: 1,
                period: self.period(),
                periods: 1,
                at: 0,
            };
        }
    }

    /// Appendix I.2.7: over 4 ms, and 4 more for each 10 of the gap, up to 10.
    fn blend(&mut self, samples: &mut [i16]) {
        let blended = (4 + self.gap.length / (10 * self.scale) * 4).min(10) * self.scale;
        let blended = blended.min(samples.len());
        let mut share = 0.0;
        for sample in &mut samples[..blended] {
            let made_up = f32::from(self.next());
            share += 1.0 / float(blended);
            *sample = (made_up + (f32::from(*sample) - made_up) * share) as i16;
        }
    }

    fn next(&mut self) -> i16 {
        let gain = self.gain();
        self.gap.length = self.gap.length.saturating_add(1);
        if gain <= 0.0 {
            return 0;
        }
        let Gap {
            period,
            periods,
            at,
            ..
        } = self.gap;
        let length = periods * period;
        let then = (periods + 1).min(MOST_PERIODS);
        let overlap = period / 4;
        let end = self.before.len();
        let mut value = f32::from(self.before[end - length + at]);
        // The end of the last period leads over to the start of the next round.
        if let Some(into) = (at + overlap).checked_sub(length) {
            let other = f32::from(self.before[end - then * period - overlap + into]);
            value += (other - value) * float(into) / float(overlap.max(1));
        }
        self.gap.at = at + 1;
        if self.gap.at == length {
            self.gap.at = 0;
            self.gap.periods = then;
        }
        (value * gain) as i16
    }

    /// Appendix I.2.6: full for 10 ms, then a fifth less for each 10 ms.
    fn gain(&self) -> f32 {
        let milliseconds = float(self.gap.length) / float(self.scale);
        (1.0 - (milliseconds - 10.0).max(0.0) * 0.02).max(0.0)
    }

    /// Appendix I.2.3: the lag of 5 to 15 ms at which the last 20 ms are most like themselves.
    fn period(&self) -> usize {
        let window = 20 * self.scale;
        let last = &self.past[self.past.len() - window..];
        let mut best = (0.0, LONGEST * self.scale);
        for lag in (SHORTEST * self.scale..=LONGEST * self.scale).rev() {
            let start = self.past.len() - window - lag;
            let lagged = &self.past[start..start + window];
            let (mut product, mut energy) = (0.0_f32, 1.0_f32);
            for (one, other) in last.iter().zip(lagged) {
                product += f32::from(*one) * f32::from(*other);
                energy += f32::from(*other) * f32::from(*other);
            }
            let likeness = product / energy.sqrt();
            if likeness > best.0 {
                best = (likeness, lag);
            }
        }
        best.1
    }

    fn remember(&mut self, samples: &[i16]) {
        let samples = &samples[samples.len().saturating_sub(self.past.len())..];
        let kept = self.past.len() - samples.len();
        self.past.copy_within(samples.len().., 0);
        self.past[kept..].copy_from_slice(samples);
    }
}

/// Counts here are below 2^24.
fn float(count: usize) -> f32 {
    count as f32
}

/// Milliseconds that are remembered: three periods and a quarter of the longest.
const HISTORY: usize = 49;
/// Of a period, in milliseconds.
const SHORTEST: usize = 5;
const LONGEST: usize = 15;
const MOST_PERIODS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// A voice of 125 Hz with overtones.
    fn voice(at: usize, rate: f32) -> i16 {
        let phase = std::f32::consts::TAU * 125.0 * float(at) / rate;
        (6000.0 * phase.sin() + 3000.0 * (2.0 * phase).sin() + 1500.0 * (5.0 * phase).cos()) as i16
    }

    fn concealed(rate: u32, missing: usize) -> (Vec<i16>, Vec<i16>) {
        let samples: Vec<i16> = (0..8000)
            .map(|at| voice(at, 1000.0 * float(rate as usize / 1000)))
            .collect();
        let mut concealer = Concealer::new(rate);
        let mut out = samples[..4000].to_vec();
        concealer.good(&mut out[..]);
        concealer.bad(missing, &mut out);
        let mut rest = samples[4000 + missing..].to_vec();
        concealer.good(&mut rest);
        out.extend(rest);
        (samples, out)
    }

    fn error(one: &[i16], other: &[i16]) -> f64 {
        let pairs = one.iter().zip(other);
        let sum: f64 = pairs
            .map(|(one, other)| (f64::from(*one) - f64::from(*other)).powi(2))
            .sum();
        let energy: f64 = one.iter().map(|one| f64::from(*one).powi(2)).sum();
        10.0 * (energy / sum.max(1.0)).log10()
    }

    #[test]
    fn a_voice_goes_on_through_a_short_gap() {
        for rate in [8000, 16000] {
            let ten = rate as usize / 100;
            let (was, is) = concealed(rate, ten);
            let quality = error(&was[4000..4000 + ten], &is[4000..4000 + ten]);
            assert!(quality > 20.0, "{rate}: {quality} dB");
            assert!(error(&was[4000 + ten..], &is[4000 + ten..]) > 30.0);
        }
    }

    #[test]
    fn a_long_gap_fades_to_silence() {
        let (_, is) = concealed(8000, 1600);
        let loudest = |from: usize, to: usize| {
            is[4000 + from * 8..4000 + to * 8]
                .iter()
                .map(|one| one.unsigned_abs())
                .max()
        };
        assert!(loudest(0, 10) > loudest(30, 40));
        assert!(loudest(30, 40) > Some(1000));
        assert_eq!(loudest(61, 200), Some(0));
    }

    #[test]
    fn no_edge_is_sharper_than_those_of_the_voice() {
        for missing in [80, 160, 240, 400, 1600] {
            let (was, is) = concealed(8000, missing);
            let edge = |samples: &[i16]| {
                samples
                    .windows(2)
                    .map(|pair| i32::from(pair[0]).abs_diff(i32::from(pair[1])))
                    .max()
            };
            let natural = edge(&was).expect("samples");
            assert!(
                edge(&is).expect("samples") <= natural + natural / 4,
                "{missing}"
            );
        }
    }

    #[test]
    fn silence_is_concealed_by_silence() {
        let mut out = Vec::new();
        let mut concealer = Concealer::new(8000);
        concealer.bad(800, &mut out);
        assert_eq!(out, [0; 800]);
    }

    #[test]
    fn gaps_and_audio_of_any_length_fit() {
        let mut concealer = Concealer::new(16000);
        let mut out = Vec::new();
        for length in [0, 1, 7, 159, 160, 2000] {
            concealer.bad(length, &mut out);
            concealer.good(&mut vec![i16::MAX; length]);
            concealer.good(&mut vec![i16::MIN; length]);
        }
        assert_eq!(out.len(), 2327);
    }
}
