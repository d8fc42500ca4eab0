//! One source's packets: expected, lost, late (RFC 3550 A.1, A.3, A.8).

use super::Totals;
use crate::wire::rtp::Header;
use crate::wire::rtp::rtcp::Block;
use std::time::{Duration, Instant};

/// What one source has sent us.
#[derive(Clone, Debug)]
pub struct Reception {
    ssrc: u32,
    clock: u32,
    began: Instant,
    base: u16,
    highest: u16,
    cycles: u32,
    /// What would show that the sender began anew.
    restart: Option<u16>,
    packets: u64,
    octets: u64,
    /// Lost before the sender began anew.
    lost_before: u64,
    packets_before: u64,
    expected_prior: u64,
    received_prior: u64,
    transit: Option<u32>,
    /// In sixteenths of a unit.
    jitter: u32,
}

/// How a packet stands in the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Behind all others, perhaps with a gap.
    Next,
    /// Late, or there already.
    Old,
    /// Far from all others; counted once the next one follows it.
    Strange,
    /// The sender began anew.
    Restart,
}

impl Reception {
    /// From its first packet, which is still to be counted.
    pub fn new(now: Instant, clock: u32, first: &Header) -> Self {
        Self {
            ssrc: first.ssrc,
            clock,
            began: now,
            base: first.sequence,
            highest: first.sequence.wrapping_sub(1),
            cycles: if first.sequence == 0 {
                u32::MAX << 16
            } else {
                0
            },
            restart: None,
            packets: 0,
            octets: 0,
            lost_before: 0,
            packets_before: 0,
            expected_prior: 0,
            received_prior: 0,
            transit: None,
            jitter: 0,
        }
    }

    /// Whose.
    pub fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Counts a packet.
    pub fn packet(&mut self, now: Instant, header: &Header, octets: u64) -> Verdict {
        let verdict = self.order(header.sequence);
        if verdict != Verdict::Strange {
            self.packets += 1;
            self.octets += octets;
            self.arrival(now, header.timestamp, verdict);
        }
        verdict
    }

    /// RFC 3550 A.1, update_seq, without probation: who latched has judged the source.
    fn order(&mut self, sequence: u16) -> Verdict {
        match sequence.wrapping_sub(self.highest) {
            1..MAX_DROPOUT => {
                if sequence < self.highest {
                    self.cycles = self.cycles.wrapping_add(1 << 16);
                }
                self.highest = sequence;
                self.restart = None;
                Verdict::Next
            }
            0 | OLDEST.. => Verdict::Old,
            _ if self.restart == Some(sequence) => {
                self.begin_anew(sequence);
                Verdict::Restart
            }
            _ => {
                self.restart = Some(sequence.wrapping_add(1));
                Verdict::Strange
            }
        }
    }

    fn begin_anew(&mut self, sequence: u16) {
        self.lost_before = self.lost();
        self.packets_before = self.packets;
        self.base = sequence;
        self.highest = sequence;
        self.cycles = 0;
        self.restart = None;
        self.expected_prior = 0;
        self.received_prior = 0;
        self.transit = None;
    }

    /// RFC 3550 A.8.
    fn arrival(&mut self, now: Instant, timestamp: u32, verdict: Verdict) {
        let arrived = units(now.saturating_duration_since(self.began), self.clock);
        let transit = arrived.wrapping_sub(timestamp);
        if verdict != Verdict::Old
            && let Some(before) = self.transit.replace(transit)
        {
            let apart = i32::from_ne_bytes(transit.wrapping_sub(before).to_ne_bytes());
            let apart = apart.unsigned_abs().min(LARGEST_APART);
            self.jitter = self.jitter + apart - ((self.jitter + 8) >> 4);
        }
    }

    /// RFC 3550 A.3. Begins the next interval.
    pub fn block(&mut self) -> Block {
        let expected = self.expected();
        let received = self.packets - self.packets_before;
        let expected_now = expected.saturating_sub(self.expected_prior);
        let received_now = received - self.received_prior;
        self.expected_prior = expected;
        self.received_prior = received;
        let lost = expected_now.saturating_sub(received_now);
        let fraction = (lost << 8).checked_div(expected_now).unwrap_or(0);
        Block {
            ssrc: self.ssrc,
            fraction: u8::try_from(fraction).unwrap_or(u8::MAX),
            lost: difference(expected, received),
            highest: self.extended(),
            jitter: self.jitter >> 4,
            last_report: 0,
            delay: 0,
        }
    }

    /// What came, and what did not.
    pub fn totals(&self) -> Totals {
        Totals {
            octets: self.octets,
            packets: self.packets,
            lost: self.lost(),
        }
    }

    /// Interarrival jitter.
    pub fn jitter(&self) -> Duration {
        let units = f64::from(self.jitter) / 16.0;
        Duration::from_secs_f64(units / f64::from(self.clock.max(1)))
    }

    fn lost(&self) -> u64 {
        let received = self.packets - self.packets_before;
        self.lost_before + self.expected().saturating_sub(received)
    }

    fn extended(&self) -> u32 {
        self.cycles.wrapping_add(u32::from(self.highest))
    }

    fn expected(&self) -> u64 {
        let count = self.extended().wrapping_sub(u32::from(self.base));
        u64::from(count.wrapping_add(1))
    }
}

/// Of the clock of the stream, modulo 2^32.
fn units(time: Duration, clock: u32) -> u32 {
    let clock = u64::from(clock);
    let part = u64::from(time.subsec_micros()) * clock / 1_000_000;
    super::low(time.as_secs().wrapping_mul(clock).wrapping_add(part))
}

fn difference(expected: u64, received: u64) -> i32 {
    let lost = i64::try_from(expected)
        .ok()
        .zip(i64::try_from(received).ok());
    let lost = lost.map_or(0, |(expected, received)| expected - received);
    i32::try_from(lost).unwrap_or(if lost < 0 { i32::MIN } else { i32::MAX })
}

/// RFC 3550 A.1: a gap that may be loss.
const MAX_DROPOUT: u16 = 3000;
/// RFC 3550 A.1: 100 packets back may be late.
const OLDEST: u16 = u16::MAX - 100 + 1;
/// So that sixteenths fit in 32 bits: half an hour of silence between two packets.
const LARGEST_APART: u32 = 1 << 24;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(sequence: u16, timestamp: u32) -> Header {
        Header {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp,
            ssrc: 1,
        }
    }

    fn heard(sequences: &[u16]) -> (Reception, Vec<Verdict>) {
        let now = Instant::now();
        let mut reception = Reception::new(now, 8000, &header(sequences[0], 0));
        let each = sequences.iter();
        let verdicts = each
            .map(|one| reception.packet(now, &header(*one, 0), 1))
            .collect();
        (reception, verdicts)
    }

    #[test]
    fn the_sequence_wraps_and_counts_its_cycles() {
        let (mut reception, verdicts) = heard(&[65534, 65535, 0, 2]);
        assert_eq!(verdicts, [Verdict::Next; 4]);
        let block = reception.block();
        assert_eq!(
            (block.highest, block.lost, block.fraction),
            (0x1_0002, 1, 51)
        );
        let (mut reception, _) = heard(&[0, 1]);
        assert_eq!(reception.block().highest, 1);
    }

    #[test]
    fn duplicates_make_the_loss_negative_and_the_fraction_zero() {
        let (mut reception, verdicts) = heard(&[1, 2, 2, 2]);
        assert_eq!(verdicts[2..], [Verdict::Old; 2]);
        let block = reception.block();
        assert_eq!((block.lost, block.fraction), (-2, 0));
        assert_eq!(reception.totals().lost, 0);
    }

    #[test]
    fn a_fraction_is_of_its_interval() {
        let (mut reception, _) = heard(&[1, 2, 3, 5]);
        assert_eq!(reception.block().fraction, 51);
        let now = Instant::now();
        for sequence in 6..10 {
            reception.packet(now, &header(sequence, 0), 1);
        }
        let block = reception.block();
        assert_eq!((block.fraction, block.lost), (0, 1));
        assert_eq!(reception.block().fraction, 0);
    }

    #[test]
    fn a_late_packet_is_no_longer_lost() {
        let (reception, verdicts) = heard(&[1, 3, 2]);
        assert_eq!(verdicts, [Verdict::Next, Verdict::Next, Verdict::Old]);
        assert_eq!(reception.totals().lost, 0);
    }

    #[test]
    fn two_packets_in_a_row_show_that_the_sender_began_anew() {
        let (mut reception, verdicts) = heard(&[1, 3, 30000, 4, 20000, 20001, 20002]);
        let expected = [
            Verdict::Next,
            Verdict::Next,
            Verdict::Strange,
            Verdict::Next,
            Verdict::Strange,
            Verdict::Restart,
            Verdict::Next,
        ];
        assert_eq!(verdicts, expected);
        let totals = reception.totals();
        assert_eq!((totals.packets, totals.lost), (5, 1));
        assert_eq!(reception.block().highest, 20002);
    }

    #[test]
    fn jitter_follows_the_differences_of_transit() {
        let start = Instant::now();
        let mut reception = Reception::new(start, 8000, &header(0, 0));
        for at in 0_u16..200 {
            // Every other packet 10 ms late: the difference is always 80 units.
            let late = u64::from(at % 2) * 10;
            let now = start + Duration::from_millis(u64::from(at) * 20 + late);
            reception.packet(now, &header(at, u32::from(at) * 160), 160);
        }
        let units = reception.block().jitter;
        assert!((78..=80).contains(&units), "{units}");
        assert_eq!(reception.jitter().as_millis(), 9);
    }

    proptest! {
        /// RFC 3550 A.3: what is lost is what was expected and did not come, whatever the order.
        #[test]
        fn loss_is_counted_whatever_comes_late(first in any::<u16>(), lost in prop::collection::btree_set(1u16..60, 0..20), swaps in prop::collection::vec(0usize..50, 0..20)) {
            let mut order: Vec<u16> = (0..=60).filter(|one| !lost.contains(one)).collect();
            let most = order.len() - 3;
            for swap in swaps {
                // The first stays first, and the last last.
                let at = 1 + swap % (most - 1);
                order.swap(at, at + 1);
            }
            let sequences: Vec<u16> = order.iter().map(|one| first.wrapping_add(*one)).collect();
            let (mut reception, _) = heard(&sequences);
            prop_assert_eq!(reception.totals().lost, u64::try_from(lost.len()).expect("few"));
            prop_assert_eq!(reception.block().lost, i32::try_from(lost.len()).expect("few"));
        }
    }
}
