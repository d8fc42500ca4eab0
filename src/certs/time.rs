//! What TLS knows of the time.
//!
//! A device that has just started may know only that it is not earlier than
//! its time floor. The device says what it knows, or whom to ask; no clock is
//! read here.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use rustls::pki_types::UnixTime as RustlsTime;
use rustls::time_provider::TimeProvider;

use super::date::utc;
use crate::wire::time::UnixTime;

/// The time against which certificates are checked, in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsTime {
    /// The time is known.
    Known(i64),
    /// The time is not known, but it is not earlier than this: a certificate
    /// that is not valid yet may be by now, one that has expired stays so.
    Floor(i64),
}

impl TlsTime {
    /// The time where it is known, else the floor.
    #[must_use]
    pub fn of(known: Option<UnixTime>, floor: UnixTime) -> Self {
        let seconds = |time: UnixTime| i64::try_from(time.secs()).unwrap_or(i64::MAX);
        match known {
            Some(time) => Self::Known(seconds(time)),
            None => Self::Floor(seconds(floor)),
        }
    }

    /// The instant that is certain: now, or the floor.
    #[must_use]
    pub fn seconds(self) -> i64 {
        match self {
            Self::Known(seconds) | Self::Floor(seconds) => seconds,
        }
    }

    /// Now, if that is known.
    #[must_use]
    pub fn known(self) -> Option<UnixTime> {
        match self {
            Self::Known(seconds) => Some(utc(seconds)),
            Self::Floor(_) => None,
        }
    }
}

/// The moment of an input, by both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// By the clock that only goes forward.
    pub monotonic: Instant,
    /// By the calendar.
    pub time: TlsTime,
}

/// Tells the time whenever it is asked.
pub type AskTime = Arc<dyn Fn() -> TlsTime + Send + Sync>;

/// The time as the device tells it; each handshake looks here.
pub struct TlsClock(ArcSwap<Source>);

enum Source {
    Stands(TlsTime),
    Asks(AskTime),
}

impl TlsClock {
    /// A clock that stands at `time` until told otherwise.
    #[must_use]
    pub fn new(time: TlsTime) -> Self {
        Self(ArcSwap::from_pointee(Source::Stands(time)))
    }

    /// Tells the time, once: it stands there.
    pub fn set(&self, time: TlsTime) {
        self.0.store(Arc::new(Source::Stands(time)));
    }

    /// Says whom to ask from now on.
    pub fn follow(&self, ask: AskTime) {
        self.0.store(Arc::new(Source::Asks(ask)));
    }

    /// The time now.
    #[must_use]
    pub fn time(&self) -> TlsTime {
        match self.0.load().as_ref() {
            Source::Stands(time) => *time,
            Source::Asks(ask) => ask(),
        }
    }
}

impl fmt::Debug for TlsClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlsClock({:?})", self.time())
    }
}

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<RustlsTime> {
        let seconds = u64::try_from(self.time().seconds()).ok()?;
        Some(RustlsTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_stands_where_it_was_set() {
        let clock = TlsClock::new(TlsTime::Floor(100));
        assert_eq!(clock.time(), TlsTime::Floor(100));
        clock.set(TlsTime::Known(2000));
        assert_eq!(clock.time(), TlsTime::Known(2000));
        let rustls = clock.current_time().expect("a time after 1970");
        assert_eq!(rustls.as_secs(), 2000);
    }

    #[test]
    fn a_clock_that_follows_another_tells_what_that_tells() {
        let clock = TlsClock::new(TlsTime::Floor(100));
        let floor = UnixTime::from_secs(7);
        clock.follow(Arc::new(move || TlsTime::of(None, floor)));
        assert_eq!(clock.time(), TlsTime::Floor(7));
        clock.follow(Arc::new(move || TlsTime::of(Some(floor), floor)));
        assert_eq!(clock.time().known(), Some(floor));
    }
}
