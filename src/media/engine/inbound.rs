//! What comes in: told apart, proven, counted, and only then heard.
//!
//! A datagram that is refused changes a counter and nothing else.

use super::numbering::Run;
use super::outbox::Port;
use super::path::Proof;
use super::payloads::Meaning;
use super::protection::Protocol;
use super::stream::{End, Stream, Tell, digit};
use crate::media::dtmf::receiver::Heard as Key;
use crate::media::seam::{Event, Medium, Security};
use crate::media::statistics::Verdict;
use crate::wire::rtp::noise::Noise;
use crate::wire::rtp::shared::Kind;
use crate::wire::rtp::{Header, Packet};
use crate::wire::udptl;
use std::net::SocketAddr;
use std::time::Instant;

/// What was heard, for whoever the stream is joined to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Heard<'a> {
    Voice(Voice<'a>),
    Fax(&'a [u8]),
}

/// A packet of RTP, readable.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice<'a> {
    pub(super) meaning: Meaning,
    pub(super) run: Run,
    pub(super) header: Header,
    pub(super) packet: &'a [u8],
    pub(super) payload: &'a [u8],
}

/// A datagram as it came.
pub(super) struct Arrived<'a> {
    pub(super) port: Port,
    pub(super) from: SocketAddr,
    pub(super) octets: &'a mut [u8],
}

impl Stream {
    /// What a datagram says; `None` where there is nothing for others to hear.
    pub(super) fn hear<'a>(
        &mut self,
        now: Instant,
        arrived: Arrived<'a>,
        tell: Tell<'_>,
    ) -> Option<Heard<'a>> {
        let medium = self.terms.as_ref().map(|terms| &terms.medium);
        let heard = match (medium, arrived.port, Kind::of(arrived.octets)) {
            (Some(Medium::Fax), Port::Media, _) => self.fax(now, arrived, tell),
            (Some(Medium::Voice(_)), Port::Media, Some(Kind::Rtp)) => {
                return self.rtp(now, arrived, tell);
            }
            (Some(Medium::Voice(_)), _, Some(Kind::Rtcp)) => {
                self.rtcp(now, arrived);
                return None;
            }
            (Some(Medium::Voice(voice)), Port::Media, Some(Kind::Dtls))
                if voice.security != Security::Clear && self.handshakes < MOST_HANDSHAKES =>
            {
                self.handshakes += 1;
                tell(Event::Dtls(self.id, arrived.from, arrived.octets.to_vec()));
                return None;
            }
            _ => None,
        };
        if heard.is_none() {
            self.counts.refused += 1;
        }
        heard
    }

    fn fax<'a>(&mut self, now: Instant, arrived: Arrived<'a>, tell: Tell<'_>) -> Option<Heard<'a>> {
        let octets: &'a [u8] = arrived.octets;
        if !self.media.admits(now, arrived.from, Proof::None) {
            return None;
        }
        udptl::Packet::parse(octets).ok()?;
        self.believed(now, arrived.from, tell);
        self.counts.packets_received += 1;
        self.counts.octets_received += u64::try_from(octets.len()).unwrap_or(0);
        Some(Heard::Fax(octets))
    }

    fn rtp<'a>(&mut self, now: Instant, arrived: Arrived<'a>, tell: Tell<'_>) -> Option<Heard<'a>> {
        let from = arrived.from;
        let Some((meaning, packet, octets)) = self.open(now, arrived) else {
            self.counts.refused += 1;
            return None;
        };
        let header = packet.header;
        let payload = packet.payload;
        let verdict = self.statistics.received(now, &header, payload.len());
        let run = match verdict {
            Verdict::Next | Verdict::Old => Run::On,
            Verdict::Restart => Run::Anew,
            // The next will show whether that goes on.
            Verdict::Strange => return None,
        };
        self.believed(now, from, tell);
        if let Meaning::Audio(codec) = meaning {
            self.codec = Some(codec);
        }
        self.voice()?.hears().then_some(Heard::Voice(Voice {
            meaning,
            run,
            header,
            packet: octets,
            payload,
        }))
    }

    /// A packet that is the peer's and means something.
    fn open<'a>(
        &mut self,
        now: Instant,
        arrived: Arrived<'a>,
    ) -> Option<(Meaning, Packet<'a>, &'a [u8])> {
        let proof = self.proof();
        if !self.media.admits(now, arrived.from, proof) {
            return None;
        }
        let length = self.protection.open(Protocol::Rtp, arrived.octets)?;
        let octets: &'a [u8] = &arrived.octets[..length];
        let packet = Packet::parse(octets).ok()?;
        let meaning = self.voice()?.meaning(packet.header.payload_type)?;
        Some((meaning, packet, octets))
    }

    fn rtcp(&mut self, now: Instant, arrived: Arrived<'_>) {
        let Arrived { port, from, octets } = arrived;
        let proof = self.proof();
        let path = match port {
            Port::Media => &mut self.media,
            Port::Control => &mut self.control,
        };
        let length = match path.admits(now, from, proof) {
            true => self.protection.open(Protocol::Rtcp, octets),
            false => None,
        };
        let read = length.is_some_and(|length| {
            let (reports, statistics) = (&self.reports, &mut self.statistics);
            reports.read(now, self.numbering.ssrc(), &octets[..length], statistics)
        });
        if !read {
            self.counts.refused += 1;
            return;
        }
        self.silence.broken(now);
        // Where both share a port, media say where the peer is.
        if port == Port::Control {
            self.control.heard(now, from);
        }
    }

    fn believed(&mut self, now: Instant, from: SocketAddr, tell: Tell<'_>) {
        self.silence.broken(now);
        let since = now.saturating_duration_since(self.opened).as_millis();
        self.counts.heard = u64::try_from(since).ok();
        if let Some(place) = self.media.heard(now, from) {
            tell(Event::Latched(self.id, place));
        }
    }

    fn proof(&self) -> Proof {
        match self.protection.authenticates() {
            true => Proof::Key,
            false => Proof::None,
        }
    }

    /// What a stream hears that nothing is joined to.
    pub(super) fn listen(&mut self, now: Instant, heard: &Voice<'_>, tell: Tell<'_>) {
        if heard.meaning == Meaning::Keys {
            return self.listen_to_keys(now, heard, tell);
        }
        let Some(limits) = self.voice().map(|voice| voice.jitter) else {
            return;
        };
        let End::Line(line) = &mut self.end else {
            return;
        };
        match heard.meaning {
            Meaning::Audio(codec) => line.push(codec, limits, &heard.header, heard.payload),
            Meaning::Noise => {
                if let Ok(noise) = Noise::parse(heard.payload) {
                    line.silence(noise.level);
                }
            }
            Meaning::Keys => {}
        }
    }

    /// Keys that are told instead of being relayed.
    pub(super) fn listen_to_keys(&mut self, now: Instant, heard: &Voice<'_>, tell: Tell<'_>) {
        let id = self.id;
        let note = |key| {
            if let Key::Ended(key, units) = key {
                tell(digit(id, key, units));
            }
        };
        let timestamp = heard.header.timestamp;
        let read = self.keys_heard.packet(now, timestamp, heard.payload, note);
        if read.is_err() {
            self.counts.refused += 1;
        }
    }
}

/// Of DTLS, between two sweeps.
const MOST_HANDSHAKES: u32 = 16;
