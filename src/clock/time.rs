//! What time it is, if that is known.
//!
//! For everything on the device that dates something. A [`Time`] is a value:
//! it says how to turn a reading of the two clocks into civil time, and is
//! replaced as a whole when that changes. It never reads a clock itself.

use std::time::Instant;

use crate::wire::time::UnixTime;

/// Both clocks of the machine, read at the same moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The monotonic clock.
    pub monotonic: Instant,
    /// The system clock, right or wrong.
    pub system: UnixTime,
}

/// How the time is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time {
    /// Where it comes from.
    pub source: Source,
    /// It is later than this, known or not: the build date or the last known time.
    pub floor: UnixTime,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From nowhere yet.
    Unknown,
    /// From the system clock.
    System,
    /// From a server, that said so at some moment of the monotonic clock.
    Server {
        /// The moment on the monotonic clock.
        at: Instant,
        /// The time at that moment.
        unix: UnixTime,
    },
}

impl Time {
    /// The time at a reading; `None` while it is not known.
    pub fn at(&self, now: Reading) -> Option<UnixTime> {
        match self.source {
            Source::Unknown => None,
            Source::System => Some(now.system),
            Source::Server { at, unix } => {
                let ahead = now.monotonic.saturating_duration_since(at);
                let behind = at.saturating_duration_since(now.monotonic);
                let behind = i64::try_from(behind.as_micros()).unwrap_or(i64::MAX);
                Some(unix.plus(ahead).shifted(-behind))
            }
        }
    }

    /// Which of the sources it is, without the moment.
    pub(super) fn kind(&self) -> std::mem::Discriminant<Source> {
        std::mem::discriminant(&self.source)
    }

    /// Whether the time is known.
    pub fn is_known(&self) -> bool {
        self.source != Source::Unknown
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_server_s_time_runs_on_with_the_monotonic_clock_only() {
        let start = Instant::now();
        let time = Time {
            source: Source::Server {
                at: start,
                unix: UnixTime::from_secs(1_900_000_000),
            },
            floor: UnixTime::EPOCH,
        };
        let later = Reading {
            monotonic: start + Duration::from_secs(90),
            system: UnixTime::from_secs(5),
        };
        assert_eq!(time.at(later), Some(UnixTime::from_secs(1_900_000_090)));
    }

    #[test]
    fn an_unknown_time_is_not_told() {
        let time = Time {
            source: Source::Unknown,
            floor: UnixTime::EPOCH,
        };
        let now = Reading {
            monotonic: Instant::now(),
            system: UnixTime::from_secs(1),
        };
        assert_eq!(time.at(now), None);
        assert!(!time.is_known());
    }
}
