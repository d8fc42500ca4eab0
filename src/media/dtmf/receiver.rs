//! Hearing keys in telephone events (RFC 4733 §2.5.2).
//!
//! A key is one timestamp, however many reports of it come, and in which
//! order. A key whose end was lost ends with the next one, or when nothing
//! more is heard of it.

use crate::wire::rtp::event::{self, Fault, Report};
use std::time::{Duration, Instant};

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A key is down.
    Began(char),
    /// It is up again, and was down for so many units of the timestamp.
    Ended(char, u16),
}

/// One stream's keys.
#[derive(Clone, Debug, Default)]
pub struct Receiver {
    current: Option<Key>,
    /// Of the last key, whether it has ended or not.
    latest: Option<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Key {
    name: char,
    duration: u16,
    heard: Instant,
}

impl Receiver {
    /// Tells what a packet of the events' payload type says, in order.
    pub fn packet(
        &mut self,
        now: Instant,
        timestamp: u32,
        payload: &[u8],
        mut tell: impl FnMut(Heard),
    ) -> Result<(), Fault> {
        for (offset, report) in Report::all(payload)? {
            self.report(now, timestamp.wrapping_add(offset), &report, &mut tell);
        }
        Ok(())
    }

    /// What has ended because nothing more was heard of it.
    pub fn tick(&mut self, now: Instant) -> Option<Heard> {
        let heard = self.current?.heard;
        if now.saturating_duration_since(heard) < PATIENCE {
            return None;
        }
        self.end()
    }

    fn report(
        &mut self,
        now: Instant,
        timestamp: u32,
        report: &Report,
        tell: &mut impl FnMut(Heard),
    ) {
        // Other events than keys (modems, RFC 4734) are none of ours.
        let Some(name) = event::key(report.event) else {
            return;
        };
        match self.age(timestamp) {
            Age::Older => return,
            Age::Same => {}
            Age::Newer => {
                self.end().map(&mut *tell);
                self.latest = Some(timestamp);
                self.current = Some(Key {
                    name,
                    duration: 0,
                    heard: now,
                });
                tell(Heard::Began(name));
            }
        }
        // After its end, a key's other reports find none.
        if let Some(key) = &mut self.current {
            key.duration = key.duration.max(report.duration);
            key.heard = now;
            if report.end {
                self.end().map(&mut *tell);
            }
        }
    }

    fn end(&mut self) -> Option<Heard> {
        let key = self.current.take()?;
        Some(Heard::Ended(key.name, key.duration))
    }

    fn age(&self, timestamp: u32) -> Age {
        match self.latest.map(|latest| timestamp.wrapping_sub(latest)) {
            Some(0) => Age::Same,
            // A late report of a key before; a sender that began anew is further off.
            Some(apart) if apart > u32::MAX - LATE => Age::Older,
            _ => Age::Newer,
        }
    }
}

enum Age {
    Older,
    Same,
    Newer,
}

/// RFC 4733 §2.5.2.2 leaves it to the receiver; reports come each 50 ms or sooner.
const PATIENCE: Duration = Duration::from_millis(200);
/// Units of the timestamp: two seconds at 8 kHz.
const LATE: u32 = 16000;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn report(event: u8, end: bool, duration: u16) -> [u8; 4] {
        let volume = 10;
        Report {
            event,
            end,
            volume,
            duration,
        }
        .octets()
    }

    fn heard(packets: &[(u32, [u8; 4])]) -> Vec<Heard> {
        let now = Instant::now();
        let mut receiver = Receiver::default();
        let mut heard = Vec::new();
        for (timestamp, payload) in packets {
            let told = receiver.packet(now, *timestamp, payload, |one| heard.push(one));
            told.expect("reports");
        }
        heard
    }

    #[test]
    fn a_key_is_heard_once_however_often_it_is_reported() {
        let packets = [
            (0xffff_ff00, report(1, false, 400)),
            (0xffff_ff00, report(1, false, 400)),
            (0xffff_ff00, report(1, true, 1280)),
            (0xffff_ff00, report(1, true, 1280)),
            (0xffff_ff00, report(1, true, 1280)),
            // The timestamp has wrapped.
            (0x0000_1000, report(1, true, 800)),
            (0x0000_1000, report(1, false, 400)),
        ];
        let expected = [
            Heard::Began('1'),
            Heard::Ended('1', 1280),
            Heard::Began('1'),
            Heard::Ended('1', 800),
        ];
        assert_eq!(heard(&packets), expected);
    }

    #[test]
    fn a_key_whose_end_is_lost_ends_with_the_next() {
        let packets = [(0, report(4, false, 400)), (3000, report(5, false, 400))];
        let expected = [Heard::Began('4'), Heard::Ended('4', 400), Heard::Began('5')];
        assert_eq!(heard(&packets), expected);
        let late = [packets[1], packets[0]];
        assert_eq!(heard(&late), [Heard::Began('5')]);
    }

    #[test]
    fn a_key_of_which_nothing_more_is_heard_ends() {
        let start = Instant::now();
        let mut receiver = Receiver::default();
        let told = receiver.packet(start, 9, &report(10, false, 400), |_| {});
        told.expect("a report");
        assert_eq!(receiver.tick(start + Duration::from_millis(150)), None);
        let later = start + Duration::from_millis(250);
        assert_eq!(receiver.tick(later), Some(Heard::Ended('*', 400)));
        assert_eq!(receiver.tick(later), None);
    }

    #[test]
    fn events_that_are_no_keys_and_pieces_of_reports_are_passed_over() {
        assert_eq!(heard(&[(0, report(36, true, 400))]), []);
        let mut receiver = Receiver::default();
        let fault = receiver.packet(Instant::now(), 0, &[1, 2], |_| {});
        assert_eq!(fault, Err(Fault::Length(2)));
    }

    proptest! {
        /// RFC 4733 §2.5.1.4: two of three ends may be lost, and reports may change places.
        #[test]
        fn keys_survive_loss_and_reordering(keys in prop::collection::vec(0u8..16, 1..8), swap in any::<bool>(), lost in 0usize..5) {
            let mut packets = Vec::new();
            for (at, key) in (0_u32..).zip(&keys) {
                let mut of = vec![
                    report(*key, false, 400),
                    report(*key, false, 800),
                    report(*key, true, 1280),
                    report(*key, true, 1280),
                    report(*key, true, 1280),
                ];
                if swap {
                    of.swap(1, 2);
                }
                of.remove(lost);
                packets.extend(of.into_iter().map(|one| (at * 3200, one)));
            }
            let expected: Vec<Heard> = keys
                .iter()
                .filter_map(|key| event::key(*key))
                .flat_map(|key| [Heard::Began(key), Heard::Ended(key, 1280)])
                .collect();
            prop_assert_eq!(heard(&packets), expected);
        }
    }
}
