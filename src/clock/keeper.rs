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

#[cfg(test)]
mod tests {
    use super::super::status::Event;
    use super::super::testing::{HOUR, ONE, SECOND, Stub, TRUE, World, settings};
    use super::*;

    #[test]
    fn a_trusted_system_clock_counts_at_once_and_without_servers() {
        let mut world = World::new(None);
        world.system = TRUE;
        world.give(settings(ClockSource::SystemClock, &[]));
        assert_eq!(world.time(), Some(TRUE));
        assert_eq!(world.current_source(), "");
        assert!(world.sent.is_empty());
    }

    #[test]
    fn a_system_clock_not_later_than_the_floor_is_not_trusted_until_somebody_sets_it() {
        let mut world = World::new(Some(TRUE));
        world.system = TRUE.shifted(-5_000_000);
        world.give(settings(ClockSource::SystemClock, &[]));
        assert_eq!(world.time(), None);
        assert!(world.reason().contains("2027-01-15 08:00:00: set it"));
        world.system = TRUE.plus(HOUR);
        world.pass(SECOND * 10);
        assert!(world.time().is_some());
        assert!(matches!(world.events.last(), Some(Event::Known(None, _))));
    }

    #[test]
    fn a_source_of_sntp_never_takes_the_system_clock() {
        let mut world = World::new(None);
        world.system = TRUE;
        world.give(settings(ClockSource::Sntp, &[]));
        world.pass(HOUR * 24);
        assert_eq!(world.time(), None);
        assert!(
            world
                .reason()
                .contains("Hoc.StaticSntpServers[Priority=1].HostName")
        );
    }

    #[test]
    fn a_server_corrects_a_trusted_system_clock() {
        let mut world = World::new(None).stub(ONE, Stub::Right);
        world.system = TRUE.shifted(7_000_000);
        world.give(settings(ClockSource::SystemClock, &[ONE]));
        assert!(world.error() > 6_000_000);
        world.pass(SECOND);
        assert!(world.error().abs() < 1000);
        let offset = world.status.as_ref().and_then(|status| status.offset);
        assert!((offset.expect("measured") + 7_000_000).abs() < 1000);
    }

    #[test]
    fn a_time_before_the_build_date_is_not_believed() {
        let mut world = World::new(None).stub(ONE, Stub::Ahead(-30_000_000_000_000));
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(SECOND);
        assert_eq!(world.time(), None);
        assert!(world.reason().contains("before this software was built"));
    }

    #[test]
    fn a_server_may_go_behind_the_last_known_time_and_lowers_the_floor() {
        let mut world = World::new(Some(TRUE.plus(HOUR * 24 * 365))).stub(ONE, Stub::Right);
        world.give(settings(ClockSource::Sntp, &[ONE]));
        world.pass(SECOND);
        assert!(world.error().abs() < 1000);
        assert!(world.time.expect("told").floor < TRUE.plus(SECOND));
        assert!(world.kept[0] < TRUE.plus(SECOND));
    }

    #[test]
    fn going_back_to_the_system_clock_forgets_the_server() {
        let mut world = World::new(None).stub(ONE, Stub::Ahead(50_000_000));
        world.system = TRUE;
        world.give(settings(ClockSource::SystemClock, &[ONE]));
        world.pass(SECOND);
        assert!(world.error() > 49_000_000);
        world.give(settings(ClockSource::SystemClock, &[]));
        assert_eq!(world.error(), 0);
        assert_eq!(world.current_source(), "");
    }
}
