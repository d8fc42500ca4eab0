//! Dates for the status rows.
//!
//! The engine counts time on the monotonic clock alone; whoever publishes its
//! status knows what time of day that is, and says so by a [`Calendar`].

use std::time::Instant;

use crate::wire::time::UnixTime;

/// What date a moment of the monotonic clock has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    now: Instant,
    date: Option<UnixTime>,
}

impl Calendar {
    /// At `now` it is `date`; none while the time is not known.
    pub fn new(now: Instant, date: Option<UnixTime>) -> Self {
        Self { now, date }
    }

    /// A moment as DemarcTime has it; empty where there is none, or no date for it.
    pub fn date(&self, at: Option<Instant>) -> String {
        let (Some(at), Some(date)) = (at, self.date) else {
            return String::new();
        };
        let behind = self.now.saturating_duration_since(at);
        let behind = i64::try_from(behind.as_micros()).unwrap_or(i64::MAX);
        let ahead = at.saturating_duration_since(self.now);
        date.shifted(-behind).plus(ahead).to_string()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn moments_before_and_after_now_have_dates_once_the_time_is_known() {
        let now = Instant::now() + Duration::from_secs(3600);
        let calendar = Calendar::new(now, Some(UnixTime::from_secs(86_400)));
        let later = calendar.date(Some(now + Duration::from_secs(61)));
        assert_eq!(later, "1970-01-02 00:01:01");
        let earlier = calendar.date(Some(now - Duration::from_secs(1)));
        assert_eq!(earlier, "1970-01-01 23:59:59");
        assert_eq!(calendar.date(None), "");
        assert_eq!(Calendar::new(now, None).date(Some(now)), "");
    }
}
