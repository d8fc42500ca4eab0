//! Which clock is believed.
//!
//! A server's answer is believed before the system clock, and the system
//! clock only where the settings allow it and it is later than the floor. The
//! floor is the later of the build date and the last known time; a server may
//! lower it, so that one server gone mad does not shut the device out for good.

use super::rounds::Told;
use super::settings::ClockSource;
use super::time::{Reading, Source, Time};
use crate::wire::host_port::HostPort;
use crate::wire::time::UnixTime;

/// What a client starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// When this program was built.
    pub build_date: UnixTime,
    /// The last time that was persisted.
    pub last_known: Option<UnixTime>,
}

/// The floor, and the last answer of a server.
#[derive(Debug)]
pub(super) struct Keeper {
    build_date: UnixTime,
    floor: UnixTime,
    answered: Option<(HostPort, Source)>,
}

impl Keeper {
    pub(super) fn new(start: Start) -> Keeper {
        let last_known = start.last_known.unwrap_or(start.build_date);
        Keeper {
            build_date: start.build_date,
            floor: last_known.max(start.build_date),
            answered: None,
        }
    }

    /// The time, as the settings and a reading have it.
    pub(super) fn time(&self, wanted: ClockSource, now: Reading) -> Time {
        let source = match (&self.answered, wanted) {
            (Some((_, source)), _) => *source,
            (None, ClockSource::SystemClock) if now.system > self.floor => Source::System,
            (None, _) => Source::Unknown,
        };
        Time {
            source,
            floor: self.floor,
        }
    }

    /// Takes a server's answer, unless it is earlier than the build date.
    pub(super) fn believe(&mut self, told: &Told) -> bool {
        if told.unix < self.build_date {
            return false;
        }
        self.floor = self.floor.min(told.unix);
        self.answered = Some((told.server.clone(), told.source));
        true
    }

    /// Goes back to the system clock, where that counts and no server is left.
    pub(super) fn forget(&mut self) {
        self.answered = None;
    }

    /// The server that was believed last.
    pub(super) fn server(&self) -> Option<&HostPort> {
        self.answered.as_ref().map(|(server, _)| server)
    }

    /// The floor.
    pub(super) fn floor(&self) -> UnixTime {
        self.floor
    }
}
