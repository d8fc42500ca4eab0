//! Between 8 and 16 kHz, where one end of a line speaks the other rate.
//!
//! A half-band filter of 47 taps: every other tap but the middle one is zero,
//! so both directions share twelve numbers. Delays by 1.5 ms.

/// 8 kHz to 16 kHz.
#[derive(Clone, Debug)]
pub struct Doubler {
    taps: [f32; SIDE],
    past: [f32; 2 * SIDE],
}

/// 16 kHz to 8 kHz.
#[derive(Clone, Debug)]
pub struct Halver {
    taps: [f32; SIDE],
    past: [f32; 4 * SIDE],
}

impl Default for Doubler {
    fn default() -> Self {
        Self {
            taps: taps(),
            past: [0.0; 2 * SIDE],
        }
    }
}

impl Default for Halver {
    fn default() -> Self {
        Self {
            taps: taps(),
            past: [0.0; 4 * SIDE],
        }
    }
}

impl Doubler {
    /// Adds two samples to `out` for each of `samples`.
    pub fn convert(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        for sample in samples {
            self.past.copy_within(1.., 0);
            self.past[2 * SIDE - 1] = f32::from(*sample);
            let (before, behind) = self.past.split_at(SIDE);
            let pairs = before.iter().rev().zip(behind);
            out.push(rounded(before[SIDE - 1]));
            out.push(rounded(weighted(&self.taps, pairs)));
        }
    }
}

impl Halver {
    /// Adds a sample to `out` for each two of `samples`; a single last one does not count.
    pub fn convert(&mut self, samples: &[i16], out: &mut Vec<i16>) {
        let (pairs, _) = samples.as_chunks::<2>();
        for pair in pairs {
            self.past.copy_within(2.., 0);
            self.past[4 * SIDE - 2..].copy_from_slice(&pair.map(f32::from));
            let middle = 2 * SIDE;
            let before = self.past[..middle].iter().rev().step_by(2);
            let behind = self.past[middle + 1..].iter().step_by(2);
            let sides = weighted(&self.taps, before.zip(behind));
            out.push(rounded(0.5 * (self.past[middle] + sides)));
        }
    }
}

fn weighted<'a>(taps: &[f32], pairs: impl Iterator<Item = (&'a f32, &'a f32)>) -> f32 {
    let each = taps.iter().zip(pairs);
    each.map(|(tap, (before, behind))| tap * (before + behind))
        .sum()
}

/// The ideal filter at half samples from its middle, in a Hamming window, of gain one.
fn taps() -> [f32; SIDE] {
    let mut taps = [0.0; SIDE];
    let mut at = 0.5_f32;
    let mut sign = 1.0;
    for tap in &mut taps {
        let window = 0.54 + 0.46 * (std::f32::consts::PI * at / 12.0).cos();
        *tap = sign * window / (std::f32::consts::PI * at);
        sign = -sign;
        at += 1.0;
    }
    let gain: f32 = 2.0 * taps.iter().sum::<f32>();
    taps.map(|tap| tap / gain)
}

/// A conversion from a float saturates.
fn rounded(value: f32) -> i16 {
    value.round() as i16
}

/// Taps on each side that are not zero.
const SIDE: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, rate: f64) -> Vec<i16> {
        let step = hertz * std::f64::consts::TAU / rate;
        let each = (0..3200).map(|at| (10000.0 * (step * f64::from(at)).sin()) as i16);
        each.collect()
    }

    fn power(samples: &[i16]) -> f64 {
        let sum: f64 = samples.iter().map(|one| f64::from(*one).powi(2)).sum();
        10.0 * (sum / f64::from(u32::try_from(samples.len()).expect("few"))).log10()
    }

    fn doubled(samples: &[i16]) -> Vec<i16> {
        let mut out = Vec::new();
        Doubler::default().convert(samples, &mut out);
        out
    }

    fn halved(samples: &[i16]) -> Vec<i16> {
        let mut out = Vec::new();
        Halver::default().convert(samples, &mut out);
        out
    }

    #[test]
    fn speech_goes_up_and_down_unharmed() {
        for hertz in [300.0, 1000.0, 3000.0] {
            let samples = sine(hertz, 8000.0);
            let back = halved(&doubled(&samples));
            assert_eq!(back.len(), samples.len());
            // Twelve samples on the way up, eleven on the way down.
            let error = (100..3000).map(|at| back[at + 23] - samples[at]);
            let error = power(&error.collect::<Vec<_>>());
            assert!(power(&samples) - error > 40.0, "{hertz}: {error}");
        }
    }

    #[test]
    fn what_the_narrow_band_cannot_hold_is_taken_out() {
        let quiet = halved(&sine(6000.0, 16000.0));
        assert!(power(&quiet[100..]) < power(&sine(1000.0, 16000.0)) - 40.0);
    }

    #[test]
    fn the_loudest_samples_do_not_wrap() {
        let loud = doubled(&[i16::MAX; 100]);
        assert!(loud[60..].iter().all(|sample| *sample > 32000));
    }
}
