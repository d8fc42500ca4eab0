//! The ten minutes in which transfers may go without TLS.
//!
//! Counted by the clock that only goes forward, so that setting the calendar
//! neither prolongs nor ends them. A restart ends them.

use std::time::{Duration, Instant};

use super::time::Now;
use super::transfer::Clear;
use crate::tree::Actor;
use crate::tree::messages::{UNSECURE_TRANSFER_OFF, UNSECURE_TRANSFER_ON};
use crate::tree::notice::Notice;
use crate::wire::time::UnixTime;

/// Closed until it is opened, and again when its time has passed.
#[derive(Default)]
pub(super) struct Window(Option<Open>);

struct Open {
    ends: Instant,
    /// The same by the calendar, if that was known.
    until: Option<UnixTime>,
}

impl Window {
    /// Opens it, or keeps it open, from now on.
    pub(super) fn open(&mut self, now: Now, actor: &Actor) -> Notice {
        let until = now.time.known().map(|time| time.plus(UNSECURE));
        self.0 = Some(Open {
            ends: now.monotonic + UNSECURE,
            until,
        });
        match until {
            Some(until) => UNSECURE_TRANSFER_ON.with([actor, &until]),
            None => UNSECURE_TRANSFER_ON.with([actor, &"ten minutes from now"]),
        }
    }

    /// Closes it where its time has passed.
    pub(super) fn pass(&mut self, now: Now) -> Option<Notice> {
        let over = self.ends().is_some_and(|ends| ends <= now.monotonic);
        over.then(|| {
            self.0 = None;
            UNSECURE_TRANSFER_OFF.with([])
        })
    }

    /// What it allows.
    pub(super) fn clear(&self) -> Clear {
        match self.0 {
            Some(_) => Clear::Allowed,
            None => Clear::Refused,
        }
    }

    /// When it is to be closed.
    pub(super) fn ends(&self) -> Option<Instant> {
        self.0.as_ref().map(|open| open.ends)
    }

    /// The same by the calendar.
    pub(super) fn until(&self) -> Option<UnixTime> {
        self.0.as_ref()?.until
    }
}

/// How long transfers may go without TLS, once that is activated.
pub const UNSECURE: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::super::testing::NOW;
    use super::super::time::TlsTime;
    use super::*;

    #[test]
    fn it_closes_by_itself_and_opens_anew_from_each_activation() {
        let mut now = Now {
            monotonic: Instant::now(),
            time: TlsTime::Floor(NOW),
        };
        let mut window = Window::default();
        assert_eq!((window.clear(), window.pass(now)), (Clear::Refused, None));
        let notice = window.open(now, &Actor::local());
        assert!(notice.text.ends_with("until ten minutes from now"));
        now.monotonic += UNSECURE / 2;
        window.open(now, &Actor::local());
        now.monotonic += UNSECURE - Duration::from_millis(1);
        assert_eq!((window.pass(now), window.clear()), (None, Clear::Allowed));
        now.monotonic += Duration::from_millis(1);
        assert!(window.pass(now).is_some());
        assert_eq!(window.clear(), Clear::Refused);
    }
}
