//! How good a call sounds, estimated from the network (ITU-T G.107, simplified).
//!
//! The E-model's rating with every value that a gateway cannot measure at its
//! default, and the mean opinion score that belongs to it. G.722 is rated on
//! the same scale as G.711, as if it were a narrow-band codec.

use crate::media::codec::Codec;
use std::time::Duration;

/// What a rating is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path {
    /// Of the stream.
    pub codec: Codec,
    /// From mouth to ear: network, packets and jitter buffer.
    pub delay: Duration,
    /// Of packets, those lost or too late, 0 to 1.
    pub loss: f64,
}

impl Path {
    /// The rating R, 0 to 93.2.
    pub fn rating(&self) -> f64 {
        (BEST - self.delayed() - self.spoilt()).clamp(0.0, BEST)
    }

    /// MOS-CQE, 1 to 4.4 (ITU-T G.107 annex B).
    pub fn score(&self) -> f64 {
        let r = self.rating();
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }

    /// Id: the fit of Cole and Rosenbluth ("Voice over IP performance monitoring",
    /// 2001, equation 8) to G.107 §7.4, of a call without echo.
    fn delayed(&self) -> f64 {
        let milliseconds = self.delay.as_secs_f64() * 1000.0;
        0.024 * milliseconds + 0.11 * (milliseconds - 177.3).max(0.0)
    }

    /// Ie-eff: G.107 §7.5, equation 7-29, for loss at random (BurstR = 1).
    fn spoilt(&self) -> f64 {
        let percent = self.loss.clamp(0.0, 1.0) * 100.0;
        let (impairment, robustness) = self.equipment();
        impairment + (95.0 - impairment) * percent / (percent + robustness)
    }

    /// Ie and Bpl: G.113 appendix I, of G.711 with concealment. Of G.722 there
    /// is no figure on this scale; it has the same concealment here.
    fn equipment(&self) -> (f64, f64) {
        match self.codec {
            Codec::Pcma | Codec::Pcmu | Codec::G722 => (0.0, 25.1),
        }
    }
}

/// G.107 §7.7: R with every value at its default.
const BEST: f64 = 93.2;

#[cfg(test)]
mod tests {
    use super::*;

    fn path(milliseconds: u64, loss: f64) -> Path {
        Path {
            codec: Codec::Pcma,
            delay: Duration::from_millis(milliseconds),
            loss,
        }
    }

    /// G.107 annex B: R 93.2 is MOS 4.41; R 50 is 2.6 (table B.1: 2.58).
    #[test]
    fn scores_are_those_of_the_annex() {
        assert!((path(0, 0.0).score() - 4.41).abs() < 0.005);
        // The rating of 50 from delay alone.
        let late = path(469, 0.0);
        assert!((late.rating() - 49.9).abs() < 0.5, "{}", late.rating());
        assert!((late.score() - 2.58).abs() < 0.03, "{}", late.score());
    }

    #[test]
    fn more_delay_and_more_loss_never_sound_better() {
        let mut before = 5.0;
        for milliseconds in (0..2000).step_by(50) {
            let score = path(milliseconds, 0.0).score();
            assert!(score <= before);
            before = score;
        }
        let scores = [0.0, 0.01, 0.05, 0.2, 1.0].map(|loss| path(50, loss).score());
        assert!(scores.windows(2).all(|pair| pair[1] < pair[0]));
        assert!(path(9999, 1.0).score() >= 1.0);
    }

    /// 5 per cent: Ie-eff = 95 * 5 / 30.1 = 15.78.
    #[test]
    fn loss_counts_as_the_equation_has_it() {
        assert!((path(0, 0.05).rating() - (93.2 - 15.78)).abs() < 0.01);
    }
}
