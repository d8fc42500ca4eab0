//! When the next report is due (RFC 3550 §6.2, §6.3.1).
//!
//! With two participants and 64 kbit/s the share of RTCP never asks for more
//! than the least interval, so that is all there is.

use std::time::Duration;

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Of a stream.
    First,
    /// After it.
    Later,
}

/// How long until it, for a `random` number from 0 up to 1.
pub fn interval(turn: Turn, random: f64) -> Duration {
    // RFC 3550 §6.2: half the least before the first.
    let least = match turn {
        Turn::First => LEAST / 2,
        Turn::Later => LEAST,
    };
    least.mul_f64((0.5 + random.clamp(0.0, 1.0)) / COMPENSATION)
}

const LEAST: Duration = Duration::from_secs(5);
/// RFC 3550 §6.3.1: e - 3/2, since reports that were put off make intervals longer.
const COMPENSATION: f64 = std::f64::consts::E - 1.5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_spread_around_the_least() {
        let milliseconds = |turn, random| interval(turn, random).as_millis();
        assert_eq!(milliseconds(Turn::Later, 0.0), 2052);
        assert_eq!(milliseconds(Turn::Later, 1.0), 6156);
        assert_eq!(milliseconds(Turn::First, 0.5), 2052);
    }
}
