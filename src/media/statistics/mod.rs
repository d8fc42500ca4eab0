//! What is counted of a stream, and the reports that say so (RFC 3550 §6.4).
//!
//! One [`Statistics`] for a stream that is sent and the one that comes back. It
//! is told of packets and reports, makes the parts of our own reports, and
//! keeps the figures of the statistics tables. Time is an argument; when to
//! report is not decided here.

pub mod quality;
mod reception;
pub mod schedule;
mod spread;

pub use reception::{Reception, Verdict};
pub use spread::Spread;

use crate::wire::rtp::Header;
use crate::wire::rtp::rtcp::{Block, SenderInfo};
use std::time::{Duration, Instant};

/// Both directions of a call's audio.
#[derive(Clone, Debug)]
pub struct Statistics {
    /// Sent, of payload.
    pub octets_sent: u64,
    /// Sent.
    pub packets_sent: u64,
    /// Interarrival jitter as of each report of ours, in milliseconds.
    pub jitter: Spread,
    /// Half the round trip as of each report of the peer's, in milliseconds.
    pub latency: Spread,
    /// Our stream as the peer last saw it.
    pub peer: Option<Block>,
    clock: u32,
    earlier: Totals,
    source: Option<Reception>,
    sender_report: Option<(Instant, u32)>,
    round_trip: Option<Duration>,
}

/// What came of all sources together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Of payload.
    pub octets: u64,
    /// Duplicates included.
    pub packets: u64,
    /// Not negative, as the tables have it.
    pub lost: u64,
}

impl Statistics {
    /// Of streams with so many units of the timestamp in a second.
    pub fn new(clock: u32) -> Self {
        Self {
            octets_sent: 0,
            packets_sent: 0,
            jitter: Spread::default(),
            latency: Spread::default(),
            peer: None,
            clock,
            earlier: Totals::default(),
            source: None,
            sender_report: None,
            round_trip: None,
        }
    }

    /// A packet with so many octets of payload was sent.
    pub fn sent(&mut self, payload: usize) {
        self.packets_sent += 1;
        self.octets_sent += octets(payload);
    }

    /// A packet came. Another source than before begins anew; the totals go on.
    pub fn received(&mut self, now: Instant, header: &Header, payload: usize) -> Verdict {
        let known = self.source.as_ref().map(Reception::ssrc);
        if known != Some(header.ssrc) {
            self.earlier = self.totals();
            self.sender_report = None;
            self.source = None;
        }
        let source = self
            .source
            .get_or_insert_with(|| Reception::new(now, self.clock, header));
        source.packet(now, header, octets(payload))
    }

    /// A sender report of the peer's.
    pub fn sender_report(&mut self, now: Instant, ssrc: u32, info: &SenderInfo) {
        if self.source.as_ref().map(Reception::ssrc) == Some(ssrc) {
            self.sender_report = Some((now, middle(info.ntp)));
        }
    }

    /// What the peer says of our stream, at the time `ntp` of our clock.
    pub fn peer_report(&mut self, ntp: u64, block: &Block) {
        self.peer = Some(*block);
        if let Some(trip) = round_trip(middle(ntp), block) {
            self.round_trip = Some(trip);
            self.latency.add(trip.as_secs_f64() * 1000.0 / 2.0);
        }
    }

    /// What our report says of the peer's stream. Begins the next interval.
    pub fn block(&mut self, now: Instant) -> Option<Block> {
        let source = self.source.as_mut()?;
        let mut block = source.block();
        self.jitter.add(source.jitter().as_secs_f64() * 1000.0);
        if let Some((at, last_report)) = self.sender_report {
            block.last_report = last_report;
            block.delay = short_format(now.saturating_duration_since(at));
        }
        Some(block)
    }

    /// What our report says of our own stream, if there is one.
    pub fn sender_info(&self, ntp: u64, rtp: u32) -> Option<SenderInfo> {
        (self.packets_sent > 0).then_some(SenderInfo {
            ntp,
            rtp,
            // RFC 3550 §6.4.1: modulo 2^32.
            packets: low(self.packets_sent),
            octets: low(self.octets_sent),
        })
    }

    /// What came so far.
    pub fn totals(&self) -> Totals {
        let now = self.source.as_ref().map(Reception::totals);
        let now = now.unwrap_or_default();
        Totals {
            octets: self.earlier.octets + now.octets,
            packets: self.earlier.packets + now.packets,
            lost: self.earlier.lost + now.lost,
        }
    }

    /// Of packets that should have come, those that did not, 0 to 1.
    pub fn loss(&self) -> f64 {
        let totals = self.totals();
        let expected = totals.packets + totals.lost;
        if expected == 0 {
            return 0.0;
        }
        share(totals.lost, expected)
    }

    /// As of the last report of the peer's.
    pub fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    /// Interarrival jitter of the source that is heard now.
    pub fn interarrival_jitter(&self) -> Duration {
        let source = self.source.as_ref();
        source.map(Reception::jitter).unwrap_or_default()
    }
}

/// RFC 3550 §6.4.1: now, less the last report, less the time that it lay there.
///
/// `None`: the peer has had no report of ours, or the clock was set meanwhile.
fn round_trip(now: u32, block: &Block) -> Option<Duration> {
    if block.last_report == 0 {
        return None;
    }
    let trip = now
        .wrapping_sub(block.last_report)
        .wrapping_sub(block.delay);
    // A negative one is large.
    (trip < LONGEST_TRIP).then(|| Duration::from_secs_f64(f64::from(trip) / 65536.0))
}

/// RFC 3550 §4: the middle 32 bits of an NTP timestamp, seconds / 65536.
fn middle(ntp: u64) -> u32 {
    low(ntp >> 16)
}

/// RFC 5905 §6: seconds / 65536.
fn short_format(time: Duration) -> u32 {
    let units = (time.as_micros() << 16) / 1_000_000;
    u32::try_from(units).unwrap_or(u32::MAX)
}

fn low(value: u64) -> u32 {
    u32::try_from(value & u64::from(u32::MAX)).expect("masked")
}

fn octets(payload: usize) -> u64 {
    u64::try_from(payload).unwrap_or(u64::MAX)
}

fn share(part: u64, whole: u64) -> f64 {
    // Counts of packets are far below 2^53.
    part as f64 / whole as f64
}

/// A minute, in seconds / 65536.
const LONGEST_TRIP: u32 = 60 << 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn header(ssrc: u32, sequence: u16) -> Header {
        Header {
            marker: false,
            payload_type: 8,
            sequence,
            timestamp: u32::from(sequence) * 160,
            ssrc,
        }
    }

    /// RFC 3550 figure 2: LSR 0xb705:2000, DLSR 5.25 s, A 0xb710:8000, round trip 6.125 s.
    #[test]
    fn the_round_trip_is_that_of_the_example() {
        let mut statistics = Statistics::new(8000);
        let block = Block {
            last_report: 0xb705_2000,
            delay: 0x0005_4000,
            ..Block::default()
        };
        statistics.peer_report(0x0000_b710_8000_0000, &block);
        assert_eq!(statistics.round_trip(), Some(Duration::from_millis(6125)));
        assert_eq!(statistics.latency.average(), Some(3062.5));
    }

    #[test]
    fn a_round_trip_that_cannot_be_is_none() {
        let mut statistics = Statistics::new(8000);
        let block = |last_report| Block {
            last_report,
            delay: 0x0001_0000,
            ..Block::default()
        };
        statistics.peer_report(0x0000_0010_0000_0000, &block(0));
        statistics.peer_report(0x0000_0010_0000_0000, &block(0x0010_0000));
        assert_eq!(statistics.round_trip(), None);
        assert!(statistics.peer.is_some());
    }

    #[test]
    fn a_report_says_when_the_peers_came() {
        let start = Instant::now();
        let mut statistics = Statistics::new(8000);
        statistics.received(start, &header(5, 1), 160);
        let info = SenderInfo {
            ntp: 0x1111_2222_3333_4444,
            ..SenderInfo::default()
        };
        statistics.sender_report(start, 6, &info);
        let block = statistics.block(start).expect("a source");
        assert_eq!((block.last_report, block.delay), (0, 0));
        statistics.sender_report(start, 5, &info);
        let later = start + Duration::from_millis(1500);
        let block = statistics.block(later).expect("a source");
        assert_eq!((block.last_report, block.delay), (0x2222_3333, 0x1_8000));
    }

    #[test]
    fn another_source_begins_anew_and_the_totals_go_on() {
        let now = Instant::now();
        let mut statistics = Statistics::new(8000);
        for sequence in [10, 11, 13] {
            statistics.received(now, &header(5, sequence), 100);
        }
        for sequence in [60000, 60001, 60002] {
            statistics.received(now, &header(6, sequence), 100);
        }
        let expected = Totals {
            octets: 600,
            packets: 6,
            lost: 1,
        };
        assert_eq!(statistics.totals(), expected);
        assert!((statistics.loss() - 1.0 / 7.0).abs() < 1e-9);
        assert_eq!(statistics.block(now).map(|block| block.ssrc), Some(6));
    }

    #[test]
    fn a_stream_that_was_not_sent_is_not_reported() {
        let mut statistics = Statistics::new(8000);
        assert_eq!(statistics.sender_info(1, 2), None);
        assert_eq!(statistics.block(Instant::now()), None);
        statistics.sent(160);
        statistics.sent(160);
        let info = statistics.sender_info(1, 2).expect("sent");
        assert_eq!((info.packets, info.octets), (2, 320));
    }
}
