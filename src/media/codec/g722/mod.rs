//! G.722 at 64 kbit/s: two samples of 16 kHz in an octet.
//!
//! A pair of quadrature mirror filters halves the band; the lower half is
//! written in six bits, the upper in two, each as the difference to what both
//! ends predict (`band`). Integers all through, so that both ends stay alike.
//!
//! ```text
//!  7  6   5  4  3  2  1  0
//! | upper | lower          |
//! ```

mod band;
mod mirror;
mod tables;

use band::Band;
use mirror::Mirror;
use tables::{LOWER, UPPER};

/// Samples to octets.
#[derive(Clone, Debug)]
pub struct Encoder {
    mirror: Mirror,
    lower: Band,
    upper: Band,
}

/// Octets to samples.
#[derive(Clone, Debug)]
pub struct Decoder {
    mirror: Mirror,
    lower: Band,
    upper: Band,
}

impl Default for Encoder {
    fn default() -> Self {
        Self {
            mirror: Mirror::default(),
            lower: Band::new(&LOWER),
            upper: Band::new(&UPPER),
        }
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self {
            mirror: Mirror::default(),
            lower: Band::new(&LOWER),
            upper: Band::new(&UPPER),
        }
    }
}

impl Encoder {
    /// Two samples that follow upon each other.
    pub fn encode(&mut self, samples: [i16; 2]) -> u8 {
        let (low, high) = self.mirror.split(samples);
        let lower = tables::quantize_lower(self.lower.difference(low), self.lower.scale());
        self.lower.adapt(tables::coarse(lower));
        let upper = tables::quantize_upper(self.upper.difference(high), self.upper.scale());
        self.upper.adapt(upper);
        upper << 6 | lower
    }
}

impl Decoder {
    /// Two samples that follow upon each other.
    pub fn decode(&mut self, octet: u8) -> [i16; 2] {
        let (lower, upper) = (octet & 0x3f, octet >> 6);
        let low = self.lower.rebuild(tables::fine(lower));
        self.lower.adapt(tables::coarse(lower));
        let high = self
            .upper
            .rebuild(tables::UPPER.inverse[usize::from(upper)]);
        self.upper.adapt(upper);
        self.mirror.join(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hertz: f64, amplitude: f64) -> Vec<i16> {
        let step = hertz * std::f64::consts::TAU / 16000.0;
        let sample = |at: i32| (amplitude * (step * f64::from(at)).sin()).round() as i16;
        (0..16000).map(sample).collect()
    }

    fn there_and_back(samples: &[i16]) -> Vec<i16> {
        let (mut encoder, mut decoder) = (Encoder::default(), Decoder::default());
        let (pairs, _) = samples.as_chunks::<2>();
        pairs
            .iter()
            .flat_map(|pair| decoder.decode(encoder.encode(*pair)))
            .collect()
    }

    /// In dB, past the start; the filters delay by 22 samples.
    fn quality(samples: &[i16]) -> f64 {
        const DELAY: usize = 22;
        let back = there_and_back(samples);
        let (mut signal, mut noise) = (0.0, 0.0);
        for (is, was) in back[DELAY..].iter().zip(samples).skip(1600) {
            signal += f64::from(*was).powi(2);
            noise += (f64::from(*is) - f64::from(*was)).powi(2);
        }
        10.0 * (signal / noise).log10()
    }

    #[test]
    fn tones_of_the_lower_band_come_back_clear_and_of_the_upper_well() {
        for (hertz, least) in [
            (300.0, 35.0),
            (1000.0, 35.0),
            (3000.0, 30.0),
            (6000.0, 15.0),
        ] {
            let decibel = quality(&sine(hertz, 8000.0));
            assert!(decibel > least, "{hertz} Hz: {decibel:.1} dB");
        }
    }

    #[test]
    fn silence_stays_silent() {
        let back = there_and_back(&[0; 1600]);
        assert!(back.iter().all(|sample| sample.abs() < 16));
    }

    #[test]
    fn the_loudest_signals_do_not_wrap() {
        let square: Vec<i16> = (0..3200)
            .map(|at| if at / 40 % 2 == 0 { i16::MAX } else { i16::MIN })
            .collect();
        let back = there_and_back(&square);
        // In the middle of each half period the sign is that of 22 samples before.
        for at in (1600..3160).step_by(40) {
            assert_eq!(back[at + 22 + 20] > 0, square[at + 20] > 0, "{at}");
        }
    }

    #[test]
    fn octets_of_no_encoder_are_decoded_without_a_panic() {
        let mut decoder = Decoder::default();
        let mut state = 1_u32;
        for _ in 0..200_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            decoder.decode(state.to_be_bytes()[0]);
        }
        for octet in [0x00, 0xff, 0x3f, 0xc0] {
            for _ in 0..20_000 {
                decoder.decode(octet);
            }
        }
    }
}
