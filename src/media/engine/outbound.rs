//! What goes out: numbered as one source's, protected, counted.

use super::inbound::{Heard, Voice};
use super::line::{Line, Turn};
use super::outbox::{Outbox, Port, Sent};
use super::payloads::Meaning;
use super::protection::Protocol;
use super::stream::{End, Stream, Tell};
use crate::media::codec::{CLOCK, Codec};
use crate::media::seam::{Event, Medium};
use crate::wire::rtp::{Header, Packet};
use std::time::{Duration, Instant};

impl Stream {
    /// Sends what the joined stream heard.
    pub(super) fn relay(&mut self, now: Instant, heard: &Heard<'_>, outbox: &mut Outbox) {
        match heard {
            Heard::Voice(voice) => self.relay_voice(now, voice, outbox),
            Heard::Fax(octets) => self.relay_fax(octets, outbox),
        }
    }

    /// What the joined stream heard is told in another way; no gap shall show it.
    pub(super) fn leave_out(&mut self, heard: &Voice<'_>) {
        self.numbering.left_out(&heard.header);
    }

    /// Whether the peer takes telephone events.
    pub(super) fn takes_keys(&self) -> bool {
        self.voice().is_some_and(|voice| voice.dtmf.is_some())
    }

    fn relay_voice(&mut self, now: Instant, heard: &Voice<'_>, outbox: &mut Outbox) {
        let Some(payload_type) = self.payload_type(heard.meaning) else {
            self.counts.unsent += 1;
            // What comes after a hold goes on from what was before it.
            return self.numbering.part();
        };
        if self.keypad.is_down() {
            return self.numbering.left_out(&heard.header);
        }
        let header = self.numbering.relayed(now, &heard.header, heard.run);
        let header = Header {
            payload_type,
            ..header
        };
        self.send(&header, heard.packet, heard.payload.len(), outbox);
    }

    fn relay_fax(&mut self, octets: &[u8], outbox: &mut Outbox) {
        let is_fax = |medium: &Medium| *medium == Medium::Fax;
        let terms = self.terms.as_ref();
        let to = terms
            .filter(|terms| is_fax(&terms.medium))
            .and_then(|_| self.media.remote());
        let Some(to) = to else {
            self.counts.unsent += 1;
            return;
        };
        let whole = |_: &mut [u8], length| Some(length);
        outbox.put((self.at(Port::Media), to), octets, whole);
        self.counts.packets_sent += 1;
        self.counts.octets_sent += u64::try_from(octets.len()).unwrap_or(0);
    }

    /// The type that something is sent under now, if anything is.
    fn payload_type(&self, meaning: Meaning) -> Option<u8> {
        let voice = self.voice()?;
        self.media.remote()?;
        let payload_type = voice.payload_type(meaning)?;
        voice.speaks().then_some(payload_type)
    }

    fn send(&mut self, header: &Header, packet: &[u8], payload: usize, outbox: &mut Outbox) {
        let at = self.at(Port::Media);
        let Some(to) = self.media.remote() else {
            return;
        };
        let protection = &mut self.protection;
        let sent = outbox.put((at, to), packet, |room, length| {
            header.overwrite(&mut room[..length]);
            protection.seal(Protocol::Rtp, room, length)
        });
        match sent {
            Sent::Yes => self.statistics.sent(payload),
            Sent::No => self.counts.unsent += 1,
        }
    }

    /// What 10 ms bring: reports of keys, and a line's audio.
    pub(super) fn tick(
        &mut self,
        now: Instant,
        scratch: &mut Vec<u8>,
        outbox: &mut Outbox,
        tell: Tell<'_>,
    ) {
        self.send_keys(now, scratch, outbox);
        let voice = self.voice();
        let first = voice.and_then(|voice| voice.codecs.first());
        let Some((codec, packet)) = first.zip(voice).map(|(c, voice)| (c.0, voice.packet)) else {
            return;
        };
        let End::Line(line) = &mut self.end else {
            return;
        };
        if line.tick(codec) == Turn::Played {
            tell(Event::Played(self.id));
        }
        if let Some(payload) = line.payload(octets_of(packet)) {
            let payload = std::mem::take(payload);
            self.speak(now, codec, &payload, (scratch, outbox));
            self.give_back(payload);
        }
    }

    /// The room of a payload is used again.
    fn give_back(&mut self, mut payload: Vec<u8>) {
        payload.clear();
        if let End::Line(line) = &mut self.end {
            line.take_back(payload);
        }
    }

    fn speak(
        &mut self,
        now: Instant,
        codec: Codec,
        payload: &[u8],
        (scratch, outbox): (&mut Vec<u8>, &mut Outbox),
    ) {
        let units = u32::try_from(payload.len()).unwrap_or(0);
        let clock = self.numbering.timestamp(now);
        let End::Line(line) = &mut self.end else {
            return;
        };
        let (timestamp, began) = line.pass(clock, units);
        let Some(payload_type) = self.payload_type(Meaning::Audio(codec)) else {
            self.counts.unsent += 1;
            return self.interrupt();
        };
        if self.keypad.is_down() {
            return self.interrupt();
        }
        let header = Header {
            marker: began,
            payload_type,
            sequence: self.numbering.own(),
            timestamp,
            ssrc: self.numbering.ssrc(),
        };
        self.numbering.spoke(now, timestamp);
        Packet::new(header, payload).write(scratch);
        self.send(&header, scratch, payload.len(), outbox);
    }

    /// The next audio of a line begins a spurt.
    fn interrupt(&mut self) {
        if let End::Line(line) = &mut self.end {
            Line::interrupt(line);
        }
    }

    fn send_keys(&mut self, now: Instant, scratch: &mut Vec<u8>, outbox: &mut Outbox) {
        let Some(payload_type) = self.payload_type(Meaning::Keys) else {
            return self.keypad.clear();
        };
        while let Some(due) = self.keypad.poll(now, self.numbering.timestamp(now)) {
            let header = Header {
                marker: due.marker,
                payload_type,
                sequence: self.numbering.own(),
                timestamp: due.timestamp,
                ssrc: self.numbering.ssrc(),
            };
            let payload = due.report.octets();
            Packet::new(header, &payload).write(scratch);
            self.send(&header, scratch, payload.len(), outbox);
        }
    }
}

/// Of a packet, each codec spending one octet for a unit of its clock; whole tens of milliseconds.
fn octets_of(packet: Duration) -> usize {
    let units = packet.clamp(SHORTEST, LONGEST).as_millis() * u128::from(CLOCK) / 1000;
    usize::try_from(units).expect("bounded above")
}

const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_millis(60);
