//! Sending one key as telephone events (RFC 4733 §2.5.1).
//!
//! One [`Sender`] for each key. It says which reports are due; sequence numbers
//! and the socket are its caller's. All reports of a key have the timestamp of
//! its beginning, and the last is sent three times.

use crate::wire::rtp::event::{self, Report};
use std::time::{Duration, Instant};

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The first packet of the key.
    pub marker: bool,
    /// Of all packets of the key.
    pub timestamp: u32,
    /// The payload.
    pub report: Report,
}

/// How keys are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manner {
    /// Units of the timestamp in a second.
    pub clock: u32,
    /// Between two reports (RFC 4733 §2.5.1.2: 50 ms).
    pub step: Duration,
    /// How often the first report is sent, 1..3.
    pub first: u8,
    /// In dBm0 below zero, 0..63.
    pub volume: u8,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            clock: 8000,
            step: Duration::from_millis(50),
            first: 1,
            volume: 10,
        }
    }
}

/// One key on its way.
#[derive(Clone, Debug)]
pub struct Sender {
    manner: Manner,
    event: u8,
    timestamp: u32,
    began: Instant,
    length: Duration,
    /// Reports that have been sent, copies not counted.
    steps: u32,
    /// Copies of the report at hand that have been sent.
    copies: u8,
}

impl Sender {
    /// A key that is held for `length` from now on; `None`: no key has that name.
    pub fn new(
        now: Instant,
        timestamp: u32,
        key: char,
        length: Duration,
        manner: Manner,
    ) -> Option<Self> {
        // RFC 4733 §2.5.1.3 would begin another segment, which no key needs.
        let longest = Duration::from_secs(1) * u32::from(u16::MAX) / manner.clock.max(1);
        let longest = longest.max(SHORTEST_STEP);
        Some(Self {
            manner: Manner {
                step: manner.step.max(SHORTEST_STEP),
                ..manner
            },
            event: event::code(key)?,
            timestamp,
            began: now,
            length: length.clamp(SHORTEST_STEP, longest),
            steps: 0,
            copies: 0,
        })
    }

    /// The next report, if it is due. To be asked until there is none.
    pub fn poll(&mut self, now: Instant) -> Option<Due> {
        if self.due()? > now {
            return None;
        }
        let due = Due {
            marker: self.steps == 0 && self.copies == 0,
            timestamp: self.timestamp,
            report: self.report(),
        };
        let all = match (due.report.end, self.steps) {
            (true, _) => LAST,
            (false, 0) => self.manner.first.clamp(1, LAST),
            (false, _) => 1,
        };
        self.copies += 1;
        if !due.report.end && self.copies >= all {
            self.steps += 1;
            self.copies = 0;
        }
        Some(due)
    }

    /// When the next report is; `None`: the key has been sent.
    pub fn due(&self) -> Option<Instant> {
        match self.ends() {
            true if self.copies >= LAST => None,
            true => Some(self.began + self.length),
            false => Some(self.began + self.manner.step * self.steps),
        }
    }

    /// How many units of the timestamp the key takes.
    pub fn units(&self) -> u16 {
        self.units_of(self.length)
    }

    /// The report at hand is the last: one more step would be as long as the key.
    fn ends(&self) -> bool {
        self.steps > 0 && self.held() >= self.length
    }

    /// Each counts the step that it begins, since a duration of 0 is none.
    fn report(&self) -> Report {
        Report {
            event: self.event,
            end: self.ends(),
            volume: self.manner.volume,
            duration: self.units_of(self.held().min(self.length)),
        }
    }

    fn held(&self) -> Duration {
        self.manner.step * (self.steps + 1)
    }

    fn units_of(&self, time: Duration) -> u16 {
        let units = time.as_micros() * u128::from(self.manner.clock) / 1_000_000;
        u16::try_from(units).unwrap_or(u16::MAX)
    }
}

/// RFC 4733 §2.5.1.4: the end is sent three times.
const LAST: u8 = 3;
const SHORTEST_STEP: Duration = Duration::from_millis(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(length: u64, manner: Manner) -> Vec<(u64, Due)> {
        let start = Instant::now();
        let length = Duration::from_millis(length);
        let mut sender = Sender::new(start, 1000, '5', length, manner).expect("a key");
        let mut sent = Vec::new();
        for at in (0..2000).step_by(10) {
            while let Some(due) = sender.poll(start + Duration::from_millis(at)) {
                sent.push((at, due));
            }
        }
        assert_eq!(sender.due(), None);
        sent
    }

    #[test]
    fn a_key_is_reported_step_by_step_and_ends_three_times() {
        let sent = sent(160, Manner::default());
        let short: Vec<_> = sent
            .iter()
            .map(|(at, due)| (*at, due.marker, due.report.end, due.report.duration))
            .collect();
        let expected = [
            (0, true, false, 400),
            (50, false, false, 800),
            (100, false, false, 1200),
            (160, false, true, 1280),
            (160, false, true, 1280),
            (160, false, true, 1280),
        ];
        assert_eq!(short, expected);
        let same = |due: &Due| due.timestamp == 1000 && due.report.event == 5;
        assert!(sent.iter().all(|(_, due)| same(due)));
    }

    #[test]
    fn the_first_report_is_repeated_and_marked_once() {
        let manner = Manner {
            first: 3,
            step: Duration::from_millis(20),
            ..Manner::default()
        };
        let sent = sent(60, manner);
        let marked: Vec<bool> = sent.iter().map(|(_, due)| due.marker).collect();
        assert_eq!(marked, [true, false, false, false, false, false, false]);
        let durations: Vec<u16> = sent.iter().map(|(_, due)| due.report.duration).collect();
        assert_eq!(durations, [160, 160, 160, 320, 480, 480, 480]);
    }

    #[test]
    fn the_shortest_key_begins_before_it_ends() {
        let sent = sent(0, Manner::default());
        let ends: Vec<bool> = sent.iter().map(|(_, due)| due.report.end).collect();
        assert_eq!(ends, [false, true, true, true]);
    }

    #[test]
    fn the_longest_key_fits_its_duration() {
        let start = Instant::now();
        let length = Duration::from_secs(3600);
        let sender = Sender::new(start, 0, '#', length, Manner::default()).expect("a key");
        assert_eq!(sender.units(), u16::MAX);
        assert!(Sender::new(start, 0, 'x', length, Manner::default()).is_none());
    }
}
