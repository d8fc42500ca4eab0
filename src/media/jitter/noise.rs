//! Comfort noise as it is played: white, of a level.

/// A generator.
#[derive(Clone, Debug)]
pub(super) struct Noise {
    state: u32,
    /// The largest sample.
    amplitude: f32,
}

impl Noise {
    /// Of a level in dBov below zero (RFC 3389 §3.1).
    pub(super) fn new(level: u8) -> Self {
        let mut noise = Self {
            state: 0x2545_f491,
            amplitude: 0.0,
        };
        noise.turn_to(level);
        noise
    }

    pub(super) fn turn_to(&mut self, level: u8) {
        // 0 dBov is a square wave of full scale; even noise has a third of its peak's power.
        let decibel = -f32::from(level.min(127));
        let amplitude = 32767.0 * 10_f32.powf(decibel / 20.0) * 3_f32.sqrt();
        self.amplitude = amplitude.min(32767.0);
    }

    pub(super) fn fill(&mut self, samples: usize, out: &mut Vec<i16>) {
        for _ in 0..samples {
            self.state = self
                .state
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            let [high, low, ..] = self.state.to_be_bytes();
            let even = f32::from(i16::from_be_bytes([high, low])) / 32768.0;
            out.push((even * self.amplitude) as i16);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_as_loud_as_it_says() {
        for level in [10_u8, 30, 50] {
            let mut out = Vec::new();
            Noise::new(level).fill(16000, &mut out);
            let sum: f64 = out.iter().map(|one| f64::from(*one).powi(2)).sum();
            let decibel = 10.0 * (sum / 16000.0 / (32767.0 * 32767.0)).log10();
            assert!(
                (decibel + f64::from(level)).abs() < 0.5,
                "{level}: {decibel}"
            );
        }
    }
}
