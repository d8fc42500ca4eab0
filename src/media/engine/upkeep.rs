//! What happens to a stream without a packet: reports, silence, keys, figures.

use super::outbox::{Outbox, Port};
use super::protection::{Protocol, Wear};
use super::reports::{Ending, Reporter};
use super::stream::{End, Stream, Tell, digit};
use crate::media::dtmf::receiver::Heard as Key;
use crate::media::figures::{self, Snapshot, microseconds};
use crate::media::seam::Event;
use crate::media::statistics::Spread;
use crate::media::statistics::quality;
use std::time::{Duration, Instant};

/// How long nothing has been heard.
#[derive(Debug)]
pub(super) struct Silence {
    since: Instant,
    told: Told,
}

#[derive(Debug, PartialEq, Eq)]
enum Told {
    No,
    Yes,
}

impl Silence {
    pub(super) fn since(now: Instant) -> Self {
        Self {
            since: now,
            told: Told::No,
        }
    }

    /// The peer was heard.
    pub(super) fn broken(&mut self, now: Instant) {
        *self = Self::since(now);
    }

    fn is_to_be_told(&mut self, now: Instant, limit: Duration) -> bool {
        let due = self.told == Told::No && now.saturating_duration_since(self.since) >= limit;
        if due {
            self.told = Told::Yes;
        }
        due
    }
}

impl Stream {
    /// To be asked a few times a second.
    pub(super) fn sweep(
        &mut self,
        now: Instant,
        random: &mut dyn FnMut() -> u64,
        (scratch, outbox): (&mut Vec<u8>, &mut Outbox),
        tell: Tell<'_>,
    ) {
        self.handshakes = 0;
        if self.protection.sweep(now) == Wear::Soon {
            tell(Event::KeyWears(self.id));
        }
        if let Some(Key::Ended(key, units)) = self.keys_heard.tick(now) {
            tell(digit(self.id, key, units));
        }
        let limit = self.terms.as_ref().and_then(|terms| terms.silence);
        // Of a peer that is held nothing is expected.
        let expects = self.voice().is_none_or(|voice| voice.hears());
        if let Some(limit) = limit
            && expects
            && self.silence.is_to_be_told(now, limit)
        {
            tell(Event::Silent(self.id));
        }
        if self.voice().is_some() && self.reports.is_due(now, random) {
            self.report(now, Ending::GoesOn, scratch, outbox);
        }
        self.figures.write(&self.snapshot());
    }

    /// Sends a report where there is anything to report about.
    pub(super) fn report(
        &mut self,
        now: Instant,
        ending: Ending,
        scratch: &mut Vec<u8>,
        outbox: &mut Outbox,
    ) {
        let (port, to) = match self.shares_port() {
            true => (Port::Media, self.media.remote()),
            false => (Port::Control, self.control.remote()),
        };
        let Some(to) = to.filter(|_| self.voice().is_some()) else {
            return;
        };
        let by = Reporter {
            ssrc: self.numbering.ssrc(),
            timestamp: self.numbering.timestamp(now),
            ending,
        };
        self.reports.write(now, by, &mut self.statistics, scratch);
        let at = self.at(port);
        let protection = &mut self.protection;
        outbox.put((at, to), scratch, |room, length| {
            protection.seal(Protocol::Rtcp, room, length)
        });
    }

    /// What is counted so far.
    pub(super) fn snapshot(&self) -> Snapshot {
        let statistics = &self.statistics;
        let totals = statistics.totals();
        let counts = &self.counts;
        Snapshot {
            packets_sent: counts.packets_sent + statistics.packets_sent,
            octets_sent: counts.octets_sent + statistics.octets_sent,
            packets_received: counts.packets_received + totals.packets,
            octets_received: counts.octets_received + totals.octets,
            lost: totals.lost,
            jitter: spread(
                microseconds(statistics.interarrival_jitter()),
                &statistics.jitter,
            ),
            latency: spread(
                statistics.round_trip().map_or(0, microseconds) / 2,
                &statistics.latency,
            ),
            round_trip: statistics.round_trip().map(microseconds),
            peer_loss: statistics.peer.map(|block| block.fraction),
            score: self.score(),
            ..*counts
        }
    }

    fn score(&self) -> Option<u16> {
        let wait = match &self.end {
            End::Line(line) => line.wait(),
            End::Open | End::Joined(_) => Duration::ZERO,
        };
        let trip = self.statistics.round_trip().unwrap_or_default();
        let path = quality::Path {
            codec: self.codec?,
            delay: trip / 2 + wait,
            loss: self.statistics.loss(),
        };
        // Between 100 and 450.
        Some((path.score() * 100.0).round() as u16)
    }
}

/// Milliseconds of the statistics in microseconds.
fn spread(last: u64, of: &Spread) -> figures::Spread {
    let whole = |milliseconds: f64| (milliseconds * 1000.0).round() as u64;
    figures::Spread {
        last,
        least: of.least().map(whole),
        most: of.most().map(whole),
        average: of.average().map(whole),
    }
}
