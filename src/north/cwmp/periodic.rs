//! What is due again and again: periodic Informs (TR-181 PeriodicInformTime),
//! heartbeats, passive lightweight notifications.
//!
//! They lie whole intervals away from the anchor, before or after it.
//! While the time is not known, or without an anchor, they follow each other
//! at the interval, counted by the monotonic clock.

use crate::wire::time::UnixTime;
use std::time::{Duration, Instant};

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

/// A period that runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Beat {
    next: Option<(Period, Instant)>,
}

impl Beat {
    /// Follows another period, whose first beat is one of its own.
    pub fn follow(&mut self, period: Option<Period>, tick: Instant, wall: Option<UnixTime>) {
        self.next = period.map(|period| (period, tick + period.until_next(wall)));
    }

    /// Without an anchor or the time, the first beat is somewhere in the first interval.
    pub fn scatter(&mut self, chance: u64, tick: Instant, wall: Option<UnixTime>) {
        if let Some((period, at)) = &mut self.next
            && (period.anchor.is_none() || wall.is_none())
        {
            let millis = u64::try_from(period.interval.as_millis()).unwrap_or(u64::MAX);
            *at = tick + Duration::from_millis(chance % millis.max(1));
        }
    }

    /// Whether a beat has come; the next one is set.
    pub fn has_come(&mut self, tick: Instant, wall: Option<UnixTime>) -> bool {
        let Some((period, at)) = self.next.filter(|(_, at)| *at <= tick) else {
            return false;
        };
        // Without an anchor the beats keep the phase of the first.
        let next = match (period.anchor, wall) {
            (Some(_), Some(_)) => tick + period.until_next(wall),
            _ => (at + period.interval).max(tick),
        };
        self.next = Some((period, next));
        true
    }

    /// When the next one is.
    pub fn at(&self) -> Option<Instant> {
        self.next.map(|(_, at)| at)
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

    #[test]
    fn beats_keep_their_phase_and_a_late_one_is_not_made_up_for_twice() {
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        let mut beat = Beat::default();
        beat.follow(Some(period(None)), start, None);
        beat.scatter(60_000, start, None);
        assert_eq!(beat.at(), Some(after(60)));
        assert!(!beat.has_come(after(59), None));
        assert!(beat.has_come(after(61), None));
        assert_eq!(beat.at(), Some(after(3660)));
        assert!(beat.has_come(after(90_000), None));
        assert_eq!(beat.at(), Some(after(90_000)));
        beat.follow(None, after(90_001), None);
        assert_eq!(beat.at(), None);
    }

    #[test]
    fn an_anchor_leaves_nothing_to_chance() {
        let start = Instant::now();
        let mut beat = Beat::default();
        let wall = Some(UnixTime::from_secs(1_000_000 - 7_300));
        beat.follow(Some(period(Some(1_000_000))), start, wall);
        beat.scatter(5, start, wall);
        assert_eq!(beat.at(), Some(start + Duration::from_secs(100)));
    }
}
