//! A stream's RTCP: when to report, what, and what the peer's reports say.

use crate::media::statistics::Statistics;
use crate::media::statistics::schedule::{Turn, interval};
use crate::wire::rtp::rtcp::{Block, Blocks, Compound, Outgoing, Packet};
use std::time::{Duration, Instant};

/// Of one stream.
#[derive(Debug)]
pub(super) struct Reports {
    /// When the engine's clock began.
    epoch: Instant,
    /// None before there is anything to report about.
    due: Option<Instant>,
    name: [u8; NAME],
}

/// Whose report it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reporter {
    pub(super) ssrc: u32,
    /// What its clock shows now.
    pub(super) timestamp: u32,
    pub(super) ending: Ending,
}

/// Whether it is the last report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    GoesOn,
    Bye,
}

impl Reports {
    pub(super) fn new(epoch: Instant, random: &mut dyn FnMut() -> u64) -> Self {
        // RFC 7022 §4.2: a name of 96 random bits that lasts as long as the session.
        let bits = u128::from(random()) << 64 | u128::from(random());
        let mut name = [0; NAME];
        for (at, letter) in name.iter_mut().enumerate() {
            let digit = usize::try_from(bits >> (4 * at) & 0xf).expect("four bits");
            *letter = DIGITS[digit];
        }
        Self {
            epoch,
            due: None,
            name,
        }
    }

    /// Whether a report is due; plans the next.
    pub(super) fn is_due(&mut self, now: Instant, random: &mut dyn FnMut() -> u64) -> bool {
        let turn = match self.due {
            Some(due) if due > now => return false,
            Some(_) => Turn::Later,
            None => Turn::First,
        };
        // 53 bits are what such a number holds.
        let share = (random() >> 11) as f64 / (1_u64 << 53) as f64;
        self.due = Some(now + interval(turn, share));
        turn == Turn::Later
    }

    /// Replaces what `out` holds by a report.
    pub(super) fn write(
        &self,
        now: Instant,
        by: Reporter,
        statistics: &mut Statistics,
        out: &mut Vec<u8>,
    ) {
        let block = statistics.block(now);
        Outgoing {
            ssrc: by.ssrc,
            sent: statistics.sender_info(self.ntp(now), by.timestamp),
            blocks: block.as_slice(),
            name: &self.name,
            bye: by.ending == Ending::Bye,
        }
        .write(out);
    }

    /// A datagram of the peer's; whether it is one.
    pub(super) fn read(
        &self,
        now: Instant,
        ssrc: u32,
        datagram: &[u8],
        statistics: &mut Statistics,
    ) -> bool {
        let Ok(compound) = Compound::parse(datagram) else {
            return false;
        };
        for packet in compound.packets() {
            match packet {
                Packet::Sender {
                    ssrc: peer,
                    info,
                    blocks,
                } => {
                    statistics.sender_report(now, peer, &info);
                    self.heed(now, ours(ssrc, blocks), statistics);
                }
                Packet::Receiver { blocks, .. } => {
                    self.heed(now, ours(ssrc, blocks), statistics);
                }
                Packet::Description(_) | Packet::Bye(_) | Packet::Other(_) => {}
            }
        }
        true
    }

    fn heed(&self, now: Instant, block: Option<Block>, statistics: &mut Statistics) {
        if let Some(block) = block {
            statistics.peer_report(self.ntp(now), &block);
        }
    }

    /// RFC 3550 §6.4.1: who has no wall clock counts from a start of its own,
    /// here a day before the engine's, since 0 means no report.
    fn ntp(&self, now: Instant) -> u64 {
        let time = now.saturating_duration_since(self.epoch) + DAY;
        let fraction = (u64::from(time.subsec_nanos()) << 32) / 1_000_000_000;
        time.as_secs() << 32 | fraction
    }
}

fn ours(ssrc: u32, mut blocks: Blocks<'_>) -> Option<Block> {
    blocks.find(|block| block.ssrc == ssrc)
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Letters of the name: 96 bits.
const NAME: usize = 24;
const DIGITS: &[u8; 16] = b"0123456789abcdef";
