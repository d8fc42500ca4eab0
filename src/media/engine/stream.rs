//! One stream: its peer, its keys, its numbers, and what it is joined to.
//!
//! What comes in is in `inbound`, what goes out in `outbound`, what happens
//! without a packet in `upkeep`.

use super::keypad::Keypad;
use super::line::Line;
use super::numbering::Numbering;
use super::outbox::{At, Port};
use super::path::Path;
use super::protection::Protection;
use super::reports::Reports;
use super::upkeep::Silence;
use crate::media::codec::{CLOCK, Codec};
use crate::media::dtmf::receiver::Receiver as KeysHeard;
use crate::media::figures::{Figures, Snapshot};
use crate::media::seam::{Digit, Event, Medium, StreamId, Terms, Voice};
use crate::media::statistics::Statistics;
use crate::wire::sdp::Direction;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) id: StreamId,
    pub(super) slot: usize,
    pub(super) opened: Instant,
    pub(super) terms: Option<Box<Terms>>,
    pub(super) end: End,
    pub(super) keypad: Keypad,
    pub(super) figures: Arc<Figures>,
    pub(super) media: Path,
    pub(super) control: Path,
    pub(super) protection: Protection,
    pub(super) statistics: Statistics,
    pub(super) numbering: Numbering,
    pub(super) reports: Reports,
    pub(super) keys_heard: KeysHeard,
    pub(super) silence: Silence,
    /// What only this stream counts; the rest is of its statistics.
    pub(super) counts: Snapshot,
    /// Of the last audio.
    pub(super) codec: Option<Codec>,
    /// Datagrams of DTLS since the last sweep.
    pub(super) handshakes: u32,
}

/// What a stream's packets go to and come from.
#[derive(Debug)]
pub(super) enum End {
    /// Nothing yet.
    Open,
    /// The stream at that place.
    Joined(usize),
    /// A line.
    Line(Box<Line>),
}

/// The events that streams tell.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Event);

impl Stream {
    pub(super) fn new(now: Instant, id: StreamId, random: &mut dyn FnMut() -> u64) -> Self {
        Self {
            id,
            slot: 0,
            opened: now,
            terms: None,
            end: End::Open,
            keypad: Keypad::default(),
            figures: Arc::default(),
            media: Path::new(),
            control: Path::new(),
            protection: Protection::Awaited,
            statistics: Statistics::new(CLOCK),
            numbering: Numbering::new(random),
            reports: Reports::new(now, random),
            keys_heard: KeysHeard::default(),
            silence: Silence::since(now),
            counts: Snapshot::default(),
            codec: None,
            handshakes: 0,
        }
    }

    /// What was agreed holds from the next packet on.
    pub(super) fn settle(&mut self, now: Instant, terms: Box<Terms>, tell: Tell<'_>) {
        if let Medium::Voice(voice) = &terms.medium {
            if let Err(refused) = self.protection.settle(now, &voice.security) {
                return tell(Event::KeyRefused(self.id, refused));
            }
            if voice.dtmf.is_none() || !voice.speaks() {
                self.keypad.clear();
            }
        }
        self.media.settle(terms.remote, terms.latching);
        self.control.settle(terms.remote_rtcp, terms.latching);
        let before = self.terms.replace(terms);
        let flows = |terms: &Terms| (terms.remote, terms.silence, direction(terms));
        if before.as_deref().map(flows) != self.terms.as_deref().map(flows) {
            self.silence = Silence::since(now);
        }
    }

    pub(super) fn voice(&self) -> Option<&Voice> {
        match &self.terms.as_ref()?.medium {
            Medium::Voice(voice) => Some(voice),
            Medium::Fax => None,
        }
    }

    /// Whether it must be ticked.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.end, End::Line(_)) || self.keypad.is_busy()
    }

    /// Whether RTCP goes through the port of RTP.
    pub(super) fn shares_port(&self) -> bool {
        let terms = self.terms.as_ref();
        terms.is_some_and(|terms| terms.remote_rtcp == terms.remote)
    }

    pub(super) fn at(&self, port: Port) -> At {
        At {
            slot: self.slot,
            port,
        }
    }

    /// Nothing is relayed or played any more; what a line recorded is told.
    pub(super) fn part(&mut self, tell: Tell<'_>) {
        self.numbering.part();
        if let End::Line(line) = std::mem::replace(&mut self.end, End::Open)
            && let Some(wave) = line.finish()
        {
            tell(Event::Recorded(self.id, wave));
        }
    }
}

/// A key that was heard to its end.
pub(super) fn digit(id: StreamId, key: char, units: u16) -> Event {
    let milliseconds = u64::from(units) * 1000 / u64::from(CLOCK);
    let held = Duration::from_millis(milliseconds);
    Event::Digit(id, Digit { key, held })
}

fn direction(terms: &Terms) -> Option<Direction> {
    match &terms.medium {
        Medium::Voice(voice) => Some(voice.direction),
        Medium::Fax => None,
    }
}
