//! The numbers of what a stream sends: one source, whoever is heard behind it.
//!
//! Relayed packets keep their distances, gaps included, so that the far end
//! measures the whole way. Where another source begins, or a key is sent in
//! between, numbers go on from the last, and none is used twice.

use crate::media::codec::CLOCK;
use crate::wire::rtp::Header;
use std::time::Instant;

/// Of one stream, outwards.
#[derive(Debug)]
pub(super) struct Numbering {
    ssrc: u32,
    /// The highest that was sent.
    sequence: u16,
    /// Of the packet with it, and when it was sent.
    timestamp: u32,
    at: Option<Instant>,
    source: Option<Source>,
}

/// Whose packets are relayed, and what is added to their numbers.
#[derive(Clone, Copy, Debug)]
struct Source {
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
}

/// Whether a source goes on as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    On,
    Anew,
}

impl Numbering {
    /// RFC 3550 §5.1: all three are random.
    pub(super) fn new(random: &mut dyn FnMut() -> u64) -> Self {
        let [a, b, c, d, e, f, g, h] = random().to_be_bytes();
        let [s0, s1, ..] = random().to_be_bytes();
        Self {
            ssrc: u32::from_be_bytes([a, b, c, d]),
            // RFC 3711 §3.3.1: the first number is below 2^15, so that one lost does not wrap.
            sequence: u16::from_be_bytes([s0, s1]) & 0x7fff,
            timestamp: u32::from_be_bytes([e, f, g, h]),
            at: None,
            source: None,
        }
    }

    pub(super) fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What the stream's clock shows now.
    pub(super) fn timestamp(&self, now: Instant) -> u32 {
        let Some(at) = self.at else {
            return self.timestamp;
        };
        let passed = now.saturating_duration_since(at).as_micros();
        let units = passed * u128::from(CLOCK) / 1_000_000;
        let units = u32::try_from(units & u128::from(u32::MAX)).expect("masked");
        self.timestamp.wrapping_add(units)
    }

    /// The header of a relayed packet.
    pub(super) fn relayed(&mut self, now: Instant, header: &Header, run: Run) -> Header {
        let (source, began) = self.source(now, header, run);
        let sequence = header.sequence.wrapping_add(source.sequence);
        let timestamp = header.timestamp.wrapping_add(source.timestamp);
        if is_after(sequence, self.sequence) {
            self.sequence = sequence;
            (self.timestamp, self.at) = (timestamp, Some(now));
        }
        Header {
            marker: header.marker || began,
            payload_type: header.payload_type,
            sequence,
            timestamp,
            ssrc: self.ssrc,
        }
    }

    /// A packet to be relayed is left out: no gap shall show it.
    pub(super) fn left_out(&mut self, header: &Header) {
        if let Some(source) = &mut self.source
            && is_after(header.sequence.wrapping_add(source.sequence), self.sequence)
        {
            source.sequence = source.sequence.wrapping_sub(1);
        }
    }

    /// The number of a packet of our own.
    pub(super) fn own(&mut self) -> u16 {
        self.sequence = self.sequence.wrapping_add(1);
        if let Some(source) = &mut self.source {
            source.sequence = source.sequence.wrapping_add(1);
        }
        self.sequence
    }

    /// A packet of our own audio with this timestamp leaves now.
    pub(super) fn spoke(&mut self, now: Instant, timestamp: u32) {
        (self.timestamp, self.at) = (timestamp, Some(now));
    }

    /// The next relayed packet is of another source.
    pub(super) fn part(&mut self) {
        self.source = None;
    }

    fn source(&mut self, now: Instant, header: &Header, run: Run) -> (Source, bool) {
        if let Some(source) = self.source
            && source.ssrc == header.ssrc
            && run == Run::On
        {
            return (source, false);
        }
        let source = Source {
            ssrc: header.ssrc,
            sequence: self.sequence.wrapping_add(1).wrapping_sub(header.sequence),
            timestamp: self.timestamp(now).wrapping_sub(header.timestamp),
        };
        self.source = Some(source);
        (source, true)
    }
}

fn is_after(sequence: u16, highest: u16) -> bool {
    matches!(sequence.wrapping_sub(highest), 1..0x8000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn header(ssrc: u32, sequence: u16, timestamp: u32) -> Header {
        Header {
            marker: false,
            payload_type: 0,
            sequence,
            timestamp,
            ssrc,
        }
    }

    fn numbering() -> Numbering {
        Numbering::new(&mut || 0x0102_0304_0000_1000)
    }

    #[test]
    fn gaps_and_order_of_the_source_are_kept() {
        let (mut numbering, now) = (numbering(), Instant::now());
        let first = numbering.relayed(now, &header(9, 65_534, 50), Run::On);
        assert_eq!((first.ssrc, first.marker), (0x0102_0304, true));
        for (sequence, timestamp, apart) in [(1, 530, 3), (65_535, 210, 1), (2, 690, 4)] {
            let next = numbering.relayed(now, &header(9, sequence, timestamp), Run::On);
            assert_eq!(next.sequence, first.sequence.wrapping_add(apart));
            assert_eq!(next.timestamp.wrapping_sub(first.timestamp), timestamp - 50);
            assert!(!next.marker);
        }
    }

    #[test]
    fn another_source_goes_on_where_the_first_ended() {
        let (mut numbering, now) = (numbering(), Instant::now());
        let first = numbering.relayed(now, &header(9, 7, 50), Run::On);
        let later = now + Duration::from_millis(20);
        let next = numbering.relayed(later, &header(8, 900, 77), Run::On);
        assert_eq!(next.sequence, first.sequence + 1);
        assert_eq!(next.timestamp, first.timestamp + 160);
        let again = numbering.relayed(later, &header(8, 100, 5), Run::Anew);
        assert_eq!((again.sequence, again.marker), (first.sequence + 2, true));
    }

    #[test]
    fn our_own_packets_take_the_place_of_those_left_out() {
        let (mut numbering, now) = (numbering(), Instant::now());
        let first = numbering.relayed(now, &header(9, 7, 0), Run::On).sequence;
        assert_eq!(numbering.own(), first + 1);
        numbering.left_out(&header(9, 8, 160));
        assert_eq!(numbering.own(), first + 2);
        assert_eq!(numbering.own(), first + 3);
        numbering.left_out(&header(9, 9, 320));
        let next = numbering.relayed(now, &header(9, 10, 480), Run::On);
        assert_eq!(next.sequence, first + 4);
    }
}
