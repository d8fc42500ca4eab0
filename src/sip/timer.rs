//! A table of deadlines.
//!
//! Each machine owns one, keyed by its own small enum of timers. Setting a
//! timer replaces it; expiry is asked for, never called back.

use std::time::Instant;

/// Deadlines by name; a handful at most, so a plain list.
#[derive(Debug, Clone)]
pub struct Timers<K> {
    set: Vec<(K, Instant)>,
}

impl<K> Default for Timers<K> {
    fn default() -> Self {
        Self { set: Vec::new() }
    }
}

impl<K: Copy + PartialEq> Timers<K> {
    /// Starts `timer`, or moves it.
    pub fn set(&mut self, timer: K, at: Instant) {
        self.stop(timer);
        self.set.push((timer, at));
    }

    /// Stops `timer` if it runs.
    pub fn stop(&mut self, timer: K) {
        self.set.retain(|(other, _)| *other != timer);
    }

    /// Stops every timer.
    pub fn clear(&mut self) {
        self.set.clear();
    }

    /// When `timer` will expire, if it runs.
    pub fn at(&self, timer: K) -> Option<Instant> {
        self.set
            .iter()
            .find(|(other, _)| *other == timer)
            .map(|(_, at)| *at)
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Instant> {
        self.set.iter().map(|(_, at)| *at).min()
    }

    /// Takes the earliest timer that is due at `now`.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        let (place, _) = self
            .set
            .iter()
            .enumerate()
            .filter(|(_, (_, at))| *at <= now)
            .min_by_key(|(_, (_, at))| *at)?;
        Some(self.set.remove(place).0)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::Timers;

    #[test]
    fn timers_expire_in_the_order_of_their_deadlines() {
        let now = Instant::now();
        let mut timers = Timers::default();
        timers.set('b', now + Duration::from_secs(2));
        timers.set('a', now + Duration::from_secs(1));
        assert_eq!(timers.expired(now), None);
        assert_eq!(timers.next(), Some(now + Duration::from_secs(1)));
        let later = now + Duration::from_secs(3);
        assert_eq!(timers.expired(later), Some('a'));
        assert_eq!(timers.expired(later), Some('b'));
        assert_eq!(timers.expired(later), None);
    }

    #[test]
    fn setting_a_timer_again_moves_it() {
        let now = Instant::now();
        let mut timers = Timers::default();
        timers.set('a', now);
        timers.set('a', now + Duration::from_secs(5));
        assert_eq!(timers.expired(now), None);
        timers.stop('a');
        assert_eq!(timers.next(), None);
    }
}
