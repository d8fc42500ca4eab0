//! The alarms that stand, and the last events of them (TR-181 FaultMgmt.).
//!
//! Told what is wrong now, it says what that changes: new alarms, others,
//! cleared ones. Events go round in places of a fixed number.

use super::kinds::{Key, Kind, Severity, Standing};
use std::collections::BTreeMap;

/// An alarm that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Alarm {
    /// `currentAlarmIndex`.
    pub(super) number: u32,
    /// As the device says times; "" where it was not known.
    pub(super) raised: String,
    pub(super) changed: String,
    pub(super) standing: Standing,
}

/// What has become of an alarm; the numbers of `alarmHistoryType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Turn {
    New = 100,
    Changed = 200,
    Cleared = 300,
}

/// One event.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) time: String,
    pub(super) turn: Turn,
    pub(super) kind: &'static Kind,
    pub(super) severity: Severity,
    pub(super) alarm: Alarm,
}

/// Places that are filled one after the other.
#[derive(Debug)]
pub(super) struct Ring {
    places: u32,
    next: u32,
}

/// Every alarm that stands.
#[derive(Debug, Default)]
pub(super) struct List {
    current: BTreeMap<Key, Alarm>,
    last: u32,
}

impl Ring {
    pub(super) fn new(places: u32) -> Self {
        Self { places, next: 1 }
    }

    /// The place of the next event, from 1.
    pub(super) fn turn(&mut self) -> u32 {
        let place = self.next;
        self.next = place % self.places + 1;
        place
    }
}

impl List {
    /// Takes what is wrong now; what that changes, in order.
    pub(super) fn look(&mut self, time: &str, mut wrong: BTreeMap<Key, Standing>) -> Vec<Event> {
        let mut events = Vec::new();
        let known = std::mem::take(&mut self.current);
        for (key, mut alarm) in known {
            let Some(kind) = Kind::of(key.0) else {
                continue;
            };
            let (turn, severity) = match wrong.remove(&key) {
                None => (Turn::Cleared, Severity::Cleared),
                Some(standing) if standing == alarm.standing => {
                    self.current.insert(key, alarm);
                    continue;
                }
                Some(standing) => {
                    alarm.standing = standing;
                    time.clone_into(&mut alarm.changed);
                    self.current.insert(key, alarm.clone());
                    (Turn::Changed, kind.severity)
                }
            };
            events.push(event(time, turn, kind, severity, alarm));
        }
        for (key, standing) in wrong {
            let Some(kind) = Kind::of(key.0) else {
                continue;
            };
            self.last = self.last.checked_add(1).unwrap_or(1);
            let alarm = Alarm {
                number: self.last,
                raised: time.to_owned(),
                changed: time.to_owned(),
                standing,
            };
            self.current.insert(key, alarm.clone());
            events.push(event(time, Turn::New, kind, kind.severity, alarm));
        }
        events
    }

    /// Those that are shown: where there are too many, the ones that changed last.
    pub(super) fn shown(&self) -> Vec<(&'static Kind, &Alarm)> {
        let all = self.current.iter();
        let all = all.filter_map(|((number, _), alarm)| Some((Kind::of(*number)?, alarm)));
        let mut all: Vec<_> = all.collect();
        all.sort_by_key(|(_, alarm)| (alarm.changed.clone(), alarm.number));
        all.split_off(all.len().saturating_sub(MOST))
    }
}

fn event(time: &str, turn: Turn, kind: &'static Kind, severity: Severity, alarm: Alarm) -> Event {
    Event {
        time: time.to_owned(),
        turn,
        kind,
        severity,
        alarm,
    }
}

/// TR-181 FaultMgmt.MaxCurrentAlarmEntries.
pub(super) const MOST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Index;

    fn wrong(rows: &[(u32, &str)]) -> BTreeMap<Key, Standing> {
        let standing = |text: &str| Standing {
            object: "o".into(),
            problem: "p".into(),
            text: text.into(),
        };
        rows.iter()
            .map(|(row, text)| ((1, Index::number(*row)), standing(text)))
            .collect()
    }

    fn turns(events: &[Event]) -> Vec<(Turn, u32, &str)> {
        events
            .iter()
            .map(|event| (event.turn, event.alarm.number, event.time.as_str()))
            .collect()
    }

    #[test]
    fn an_alarm_is_raised_changed_and_cleared_under_one_number() {
        let mut list = List::default();
        let events = list.look("t1", wrong(&[(1, "a")]));
        assert_eq!(turns(&events), [(Turn::New, 1, "t1")]);
        assert!(list.look("t2", wrong(&[(1, "a")])).is_empty());
        let events = list.look("t3", wrong(&[(1, "b"), (2, "a")]));
        assert_eq!(
            turns(&events),
            [(Turn::Changed, 1, "t3"), (Turn::New, 2, "t3")]
        );
        assert_eq!(list.shown()[0].1.raised, "t1");
        let events = list.look("t4", wrong(&[(2, "a")]));
        assert_eq!(turns(&events), [(Turn::Cleared, 1, "t4")]);
        assert_eq!(events[0].severity, Severity::Cleared);
        // The same again is another alarm.
        assert_eq!(
            turns(&list.look("t5", wrong(&[(1, "a"), (2, "a")])))[0].1,
            3
        );
    }

    #[test]
    fn where_too_many_stand_the_last_are_shown_and_none_is_raised_twice() {
        let mut list = List::default();
        let rows: Vec<(u32, &str)> = (1..=100).map(|row| (row, "a")).collect();
        assert_eq!(list.look("t", wrong(&rows)).len(), 100);
        let shown = list.shown();
        assert_eq!((shown.len(), shown[0].1.number), (64, 37));
        assert!(list.look("t", wrong(&rows)).is_empty());
    }

    #[test]
    fn places_go_round() {
        let mut ring = Ring::new(3);
        let places: Vec<u32> = (0..5).map(|_| ring.turn()).collect();
        assert_eq!(places, [1, 2, 3, 1, 2]);
    }
}
