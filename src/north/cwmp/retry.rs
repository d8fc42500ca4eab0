//! When to try again after a session that failed (TR-069 §3.2.1.1).
//!
//! The n-th wait lies at random between m·(k/1000)^(n-1) and m·(k/1000)^n
//! seconds, from the tenth on as long as the tenth. Chance is an argument.

use std::time::Duration;

/// The waits' shape: `CWMPRetryMinimumWaitInterval` and `CWMPRetryIntervalMultiplier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// m, in seconds.
    pub minimum: u32,
    /// k, in thousandths.
    pub multiplier: u32,
}

/// Sessions that failed, one after the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retry {
    failed: u32,
}

impl Retry {
    /// What Inform says: 0 for the first attempt.
    pub fn count(self) -> u32 {
        self.failed
    }

    /// One more has failed; the wait before the next, `chance` being anything.
    ///
    /// A server that asked for a longer pause (`Retry-After`) gets it, up to
    /// an hour.
    pub fn failed(&mut self, pace: Pace, chance: u64, asked: Option<Duration>) -> Duration {
        self.failed = self.failed.saturating_add(1);
        let wait = wait(pace, self.failed, chance);
        wait.max(asked.unwrap_or_default().min(LONGEST_PAUSE))
    }

    /// A session went well.
    pub fn succeeded(&mut self) {
        self.failed = 0;
    }
}

fn wait(pace: Pace, attempt: u32, chance: u64) -> Duration {
    let shortest = f64::from(pace.minimum);
    let factor = f64::from(pace.multiplier) / 1000.0;
    let power = |exponent: u32| shortest * factor.powi(exponent.min(LAST_STEP).cast_signed());
    let attempt = attempt.min(LAST_STEP);
    let (from, to) = (power(attempt.saturating_sub(1)), power(attempt));
    // 53 bits are what an f64 holds exactly.
    let part = (chance >> 11) as f64 / (1_u64 << 53) as f64;
    Duration::from_secs_f64((from + (to - from) * part).min(LONGEST.as_secs_f64()))
}

/// Table 3: the waits of the tenth and all later attempts are the same.
const LAST_STEP: u32 = 10;
/// The most that a product with 65.535 to the tenth may come to.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// A `Retry-After` beyond it is an accident.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    const STANDARD: Pace = Pace {
        minimum: 5,
        multiplier: 2000,
    };

    #[test]
    fn the_waits_are_those_of_the_standards_table() {
        // TR-069 §3.2.1.1, table 3, with the default m = 5 and k = 2000.
        let table = [
            (5, 10),
            (10, 20),
            (20, 40),
            (40, 80),
            (80, 160),
            (160, 320),
            (320, 640),
            (640, 1280),
            (1280, 2560),
            (2560, 5120),
            (2560, 5120),
            (2560, 5120),
        ];
        let (mut early, mut late) = (Retry::default(), Retry::default());
        for (from, to) in table {
            let least = early.failed(STANDARD, 0, None);
            let most = late.failed(STANDARD, u64::MAX, None);
            assert_eq!(least, Duration::from_secs(from));
            assert!(most > Duration::from_secs(to) - Duration::from_millis(1));
            assert!(most <= Duration::from_secs(to));
        }
        assert_eq!(early.count(), 12);
        early.succeeded();
        assert_eq!(early.count(), 0);
    }

    #[test]
    fn a_server_that_asks_for_a_longer_pause_gets_it_within_reason() {
        let asked = |seconds| {
            let asked = Some(Duration::from_secs(seconds));
            Retry::default().failed(STANDARD, 0, asked)
        };
        assert_eq!(asked(60), Duration::from_secs(60));
        assert_eq!(asked(1), Duration::from_secs(5));
        assert_eq!(asked(u64::MAX), LONGEST_PAUSE);
    }

    #[test]
    fn the_steepest_pace_stays_within_a_week() {
        let steep = Pace {
            minimum: 65_535,
            multiplier: 65_535,
        };
        let mut retry = Retry::default();
        for _ in 0..20 {
            assert!(retry.failed(steep, u64::MAX, None) <= LONGEST);
        }
    }
}
