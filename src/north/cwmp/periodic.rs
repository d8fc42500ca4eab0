//! When the next periodic Inform is due (TR-181 PeriodicInformTime).
//!
//! Sessions lie whole intervals away from the anchor, before or after it.
//! While the time is not known, or without an anchor, they follow each other
//! at the interval, counted by the monotonic clock.

use crate::wire::time::UnixTime;
use std::time::Duration;

/// `PeriodicInformEnable`, `-Interval` and `-Time`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// At least a second.
    pub interval: Duration,
    /// None: the unit chooses.
    pub anchor: Option<UnixTime>,
}

impl Period {
    /// How long after `now` the next one is due; never zero.
    pub fn until_next(self, now: Option<UnixTime>) -> Duration {
        let (Some(now), Some(anchor)) = (now, self.anchor) else {
            return self.interval;
        };
        let interval = i128::try_from(self.interval.as_micros()).unwrap_or(i128::MAX);
        let since = i128::from(now.micros_since(anchor));
        let left = interval - since.rem_euclid(interval);
        Duration::from_micros(u64::try_from(left).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn period(anchor: Option<u64>) -> Period {
        Period {
            interval: Duration::from_secs(3600),
            anchor: anchor.map(UnixTime::from_secs),
        }
    }

    fn until(anchor: u64, now: u64) -> u64 {
        let now = Some(UnixTime::from_secs(now));
        period(Some(anchor)).until_next(now).as_secs()
    }

    #[test]
    fn sessions_are_whole_intervals_away_from_the_anchor_past_or_future() {
        assert_eq!(until(1_000, 1_000 + 7_300), 3_500);
        assert_eq!(until(1_000_000, 1_000_000 - 7_300), 100);
        assert_eq!(until(1_000, 1_000 + 7_200), 3_600);
    }

    #[test]
    fn without_time_or_anchor_the_interval_counts_from_now() {
        let hour = Duration::from_secs(3600);
        assert_eq!(period(None).until_next(Some(UnixTime::EPOCH)), hour);
        assert_eq!(period(Some(5)).until_next(None), hour);
    }
}
