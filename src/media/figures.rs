//! The counters of a stream, read while its packets flow.
//!
//! For the statistics tables and whoever shows calls. One thread writes, with
//! plain stores; readers may see one counter before another, never half of one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A stream's counters, shared.
#[derive(Debug, Default)]
pub struct Figures {
    cells: [AtomicU64; CELLS],
}

/// A stream's counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// Packets of media sent.
    pub packets_sent: u64,
    /// Octets of their payload.
    pub octets_sent: u64,
    /// Packets of media that came and were believed.
    pub packets_received: u64,
    /// Octets of their payload.
    pub octets_received: u64,
    /// Packets that should have come.
    pub lost: u64,
    /// Datagrams that were refused: forged, replayed, malformed or of a stranger.
    pub refused: u64,
    /// Packets that were not sent: no address, no key, held, or the system refused them.
    pub unsent: u64,
    /// Interarrival jitter now.
    pub jitter: Spread,
    /// Half the round trip.
    pub latency: Spread,
    /// Round trip as of the peer's last report, microseconds.
    pub round_trip: Option<u64>,
    /// Packets of ours that the peer missed, in 1/256 of the last interval.
    pub peer_loss: Option<u8>,
    /// Mean opinion score, in hundredths; `None` before anything came.
    pub score: Option<u16>,
    /// When media last came, in milliseconds since the stream was opened.
    pub heard: Option<u64>,
}

/// The last, least, most and average of a figure, microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Now.
    pub last: u64,
    /// Least; `None` before there was any.
    pub least: Option<u64>,
    /// Most.
    pub most: Option<u64>,
    /// Average.
    pub average: Option<u64>,
}

impl Figures {
    /// What stands there.
    #[must_use]
    pub fn read(&self) -> Snapshot {
        let mut cells = self.cells.iter();
        let mut next = || cells.next().map_or(0, |cell| cell.load(Ordering::Relaxed));
        let packets_sent = next();
        let octets_sent = next();
        let packets_received = next();
        let octets_received = next();
        let lost = next();
        let refused = next();
        let unsent = next();
        let jitter = Spread::from_cells(&mut next);
        let latency = Spread::from_cells(&mut next);
        Snapshot {
            packets_sent,
            octets_sent,
            packets_received,
            octets_received,
            lost,
            refused,
            unsent,
            jitter,
            latency,
            round_trip: some(next()),
            peer_loss: some(next()).and_then(|loss| u8::try_from(loss).ok()),
            score: some(next()).and_then(|score| u16::try_from(score).ok()),
            heard: some(next()),
        }
    }

    /// Puts other figures there; for the one thread that owns the stream.
    pub(super) fn write(&self, now: &Snapshot) {
        let [jitter, latency] = [now.jitter, now.latency].map(Spread::cells);
        let counters = [
            now.packets_sent,
            now.octets_sent,
            now.packets_received,
            now.octets_received,
            now.lost,
            now.refused,
            now.unsent,
        ];
        let last = [
            one_more(now.round_trip),
            one_more(now.peer_loss.map(u64::from)),
            one_more(now.score.map(u64::from)),
            one_more(now.heard),
        ];
        let values = counters
            .into_iter()
            .chain(jitter)
            .chain(latency)
            .chain(last);
        for (cell, value) in self.cells.iter().zip(values) {
            cell.store(value, Ordering::Relaxed);
        }
    }
}

impl Spread {
    fn from_cells(next: &mut impl FnMut() -> u64) -> Self {
        Self {
            last: next(),
            least: some(next()),
            most: some(next()),
            average: some(next()),
        }
    }

    fn cells(self) -> [u64; 4] {
        let rest = [self.least, self.most, self.average].map(one_more);
        [self.last, rest[0], rest[1], rest[2]]
    }
}

/// Microseconds.
pub(super) fn microseconds(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// A cell holds one more than the figure, and 0 for none.
fn some(cell: u64) -> Option<u64> {
    cell.checked_sub(1)
}

fn one_more(figure: Option<u64>) -> u64 {
    figure.map_or(0, |figure| figure.saturating_add(1))
}

/// Seven counters, two spreads, four single figures.
const CELLS: usize = 7 + 2 * 4 + 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let spread = |least| Spread {
            last: 4,
            least,
            most: Some(9),
            average: Some(5),
        };
        let figures = Figures::default();
        assert_eq!(figures.read(), Snapshot::default());
        let now = Snapshot {
            packets_sent: 1,
            octets_sent: 2,
            packets_received: 3,
            octets_received: 4,
            lost: 5,
            refused: 6,
            unsent: 7,
            jitter: spread(Some(0)),
            latency: spread(None),
            round_trip: Some(8),
            peer_loss: Some(255),
            score: Some(441),
            heard: Some(0),
        };
        figures.write(&now);
        assert_eq!(figures.read(), now);
    }
}
