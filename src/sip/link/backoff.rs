//! How long to wait before the next attempt (after RFC 5626 §4.5).
//!
//! Twice as long after each failure up to a ceiling, and of that a random
//! half to whole, so that a fleet does not return in one instant.

use std::time::Duration;

use crate::sip::rng::Rng;

/// After the first failure.
pub(super) const BASE: Duration = Duration::from_secs(2);
/// After many.
pub(super) const CEILING: Duration = Duration::from_secs(60);

/// The wait after this many failures in a row.
pub(super) fn wait(failures: u32, rng: &mut Rng) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let bound = (BASE * 2_u32.pow(doublings)).min(CEILING);
    shortened(bound, 50, rng)
}

/// A random part of `whole`, at least `percent` of it.
pub(super) fn shortened(whole: Duration, percent: u32, rng: &mut Rng) -> Duration {
    let least = whole * percent / 100;
    let spread = (whole - least).as_millis();
    let spread = u64::try_from(spread).unwrap_or(u64::MAX);
    least + Duration::from_millis(rng.up_to(spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_ceiling_and_are_at_least_half() {
        let mut rng = Rng::new([0; 32]);
        for failures in 1..200 {
            let bound = (BASE * 2_u32.pow((failures - 1).min(16))).min(CEILING);
            let wait = wait(failures, &mut rng);
            assert!(wait <= bound && wait >= bound / 2, "{failures}: {wait:?}");
        }
    }
}
