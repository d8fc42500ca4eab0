//! The jitter buffer of a line: packets in as they come, audio out in its time.
//!
//! A [`Player`] is pulled each 10 ms; the count of pulls is its clock, so it
//! follows the far clock's drift without asking the time. What is missing is
//! concealed (`conceal`), what is too early waits, and how long everything
//! waits follows how late packets come (`arrivals`). After its first packet
//! it allocates only what its caller's buffers grow by.

mod arrivals;
mod buffer;
mod conceal;
mod noise;

pub use conceal::Concealer;

use crate::media::codec::{CLOCK, Codec, Decoder};
use crate::wire::rtp::Header;
use arrivals::Arrivals;
use buffer::{Buffer, Stored};
use noise::Noise;
use std::time::Duration;

/// How long packets wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The least, however well they come.
    pub minimum: Duration,
    /// The start, until it is known how they come; 0 is the minimum.
    pub nominal: Duration,
    /// The most, however badly they come.
    pub maximum: Duration,
    /// When it changes.
    pub manner: Manner,
}

/// When the wait changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Whenever it should.
    Immediately,
    /// Between two spurts of talk.
    InSilence,
    /// Never: for modems, which hear each change.
    Fixed,
}

/// What became of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// It waits to be played, or a part of it does.
    Kept,
    /// It was there already.
    Duplicate,
    /// Its time had passed.
    Late,
    /// Nothing to play: it keeps a way through gateways open (RFC 6263 §4.1).
    Empty,
    /// Of another stream, or far from this one; the next will show whether that goes on.
    Strange,
}

/// One stream's player.
#[derive(Clone, Debug)]
pub struct Player {
    codec: Codec,
    limits: Limits,
    decoder: Decoder,
    concealer: Concealer,
    noise: Option<Noise>,
    buffer: Buffer,
    arrivals: Arrivals,
    stream: Option<Stream>,
    /// Units pulled, modulo 2^32.
    played: u32,
    /// Units without audio since the last that there was.
    idle: u32,
    pulls: u32,
    late_in_a_row: u32,
    scratch: Vec<u8>,
    /// Units that were concealed.
    concealed: u64,
}

#[derive(Clone, Copy, Debug)]
struct Stream {
    ssrc: u32,
    /// The timestamp at a pull is the units pulled and this.
    offset: u32,
    /// A packet of what may be another stream.
    strange: Option<(u32, u16)>,
}

impl Player {
    /// Before the first packet.
    pub fn new(codec: Codec, limits: Limits) -> Self {
        let most = Duration::from_millis(MOST_WAIT);
        let maximum = limits.maximum.clamp(Duration::from_millis(10), most);
        let minimum = limits.minimum.min(maximum);
        Self {
            codec,
            limits: Limits {
                minimum,
                nominal: limits.nominal.clamp(minimum, maximum),
                maximum,
                manner: limits.manner,
            },
            decoder: Decoder::new(codec),
            concealer: Concealer::new(codec.rate()),
            noise: None,
            buffer: Buffer::new(),
            arrivals: Arrivals::default(),
            stream: None,
            played: 0,
            idle: SILENCE,
            pulls: 0,
            late_in_a_row: 0,
            scratch: Vec::with_capacity(TICK),
            concealed: 0,
        }
    }

    /// A packet of the codec's payload type.
    pub fn push(&mut self, header: &Header, payload: &[u8]) -> Arrival {
        if payload.is_empty() {
            return Arrival::Empty;
        }
        let Some(mut stream) = self.stream else {
            self.begin(header);
            return self.keep(header, payload);
        };
        if self.is_strange(&stream, header) {
            let follows = Some((header.ssrc, header.sequence));
            if stream.strange == follows {
                self.begin(header);
                return self.keep(header, payload);
            }
            stream.strange = Some((header.ssrc, header.sequence.wrapping_add(1)));
            self.stream = Some(stream);
            return Arrival::Strange;
        }
        self.arrivals
            .note(header.timestamp.wrapping_sub(self.played));
        if self.idle >= SILENCE && self.limits.manner != Manner::Fixed {
            self.move_to(self.wish());
        }
        self.keep(header, payload)
    }

    /// Comfort noise of a level in dBov below zero (RFC 3389 §3.1), until there is audio.
    pub fn silence(&mut self, level: u8) {
        match &mut self.noise {
            Some(noise) => noise.turn_to(level),
            None => self.noise = Some(Noise::new(level)),
        }
    }

    /// Adds the next 10 ms to `out`.
    pub fn pull(&mut self, out: &mut Vec<i16>) {
        self.pulls = self.pulls.wrapping_add(1);
        if self.pulls.is_multiple_of(BETWEEN_CHANGES) {
            self.adapt();
        }
        let Some(stream) = self.stream else {
            self.miss(TICK, out);
            self.played = self.played.wrapping_add(TICK_UNITS);
            return;
        };
        let mut at = self.played.wrapping_add(stream.offset);
        self.played = self.played.wrapping_add(TICK_UNITS);
        let mut left = TICK;
        while left > 0 {
            self.scratch.clear();
            let missing = self.buffer.take(at, left, &mut self.scratch);
            let there = self.scratch.len();
            if there > 0 {
                self.play(out);
            } else {
                self.miss(missing, out);
            }
            let passed = there.max(missing);
            at = at.wrapping_add(units(passed));
            left -= passed;
        }
    }

    /// How long packets wait now.
    pub fn wait(&self) -> Duration {
        let typical = self.arrivals.typical();
        let wait = self.stream.zip(typical).map_or(0, |(stream, typical)| {
            signed(typical.wrapping_sub(stream.offset))
                .max(0)
                .unsigned_abs()
        });
        Duration::from_micros(u64::from(wait) * 1_000_000 / u64::from(CLOCK))
    }

    /// How much audio was made up or left silent for want of packets.
    pub fn concealed(&self) -> Duration {
        Duration::from_micros(self.concealed * 1_000_000 / u64::from(CLOCK))
    }

    fn begin(&mut self, header: &Header) {
        self.decoder = Decoder::new(self.codec);
        self.buffer.clear();
        self.arrivals = Arrivals::default();
        self.late_in_a_row = 0;
        let arrival = header.timestamp.wrapping_sub(self.played);
        self.arrivals.note(arrival);
        self.stream = Some(Stream {
            ssrc: header.ssrc,
            offset: arrival.wrapping_sub(units_of(self.limits.nominal)),
            strange: None,
        });
    }

    fn is_strange(&self, stream: &Stream, header: &Header) -> bool {
        let next = self.played.wrapping_add(stream.offset);
        let ahead = signed(header.timestamp.wrapping_sub(next));
        stream.ssrc != header.ssrc || ahead.unsigned_abs() > FAR || self.late_in_a_row > FEW_LATE
    }

    fn keep(&mut self, header: &Header, payload: &[u8]) -> Arrival {
        let Some(stream) = &mut self.stream else {
            return Arrival::Strange;
        };
        stream.strange = None;
        let next = self.played.wrapping_add(stream.offset);
        let stored = self.buffer.store(next, header.timestamp, payload);
        self.late_in_a_row = match stored {
            Stored::Late => self.late_in_a_row + 1,
            _ => 0,
        };
        match stored {
            Stored::Late => Arrival::Late,
            Stored::Known => Arrival::Duplicate,
            Stored::New => {
                self.noise = None;
                Arrival::Kept
            }
        }
    }

    fn play(&mut self, out: &mut Vec<i16>) {
        let start = out.len();
        self.decoder.decode(&self.scratch, out);
        self.concealer.good(&mut out[start..]);
        self.idle = 0;
    }

    fn miss(&mut self, missing: usize, out: &mut Vec<i16>) {
        let samples = missing * self.codec.samples_of_octet();
        self.idle = self.idle.saturating_add(units(missing));
        if let Some(noise) = &mut self.noise {
            let start = out.len();
            noise.fill(samples, out);
            self.concealer.good(&mut out[start..]);
            return;
        }
        if self.stream.is_some() {
            self.concealed += u64::from(units(missing));
        }
        self.concealer.bad(samples, out);
    }

    /// More wait at once, which is a gap in any case; less in steps that are not heard.
    fn adapt(&mut self) {
        let Some(stream) = self.stream else {
            return;
        };
        if self.limits.manner != Manner::Immediately || self.idle >= SILENCE {
            return;
        }
        let wish = self.wish();
        let sooner = signed(wish.wrapping_sub(stream.offset));
        if sooner < 0 {
            self.move_to(wish);
        } else if sooner.unsigned_abs() >= 2 * TICK_UNITS {
            self.move_to(stream.offset.wrapping_add(TICK_UNITS));
            self.concealer.skipped();
        }
    }

    fn move_to(&mut self, offset: u32) {
        if let Some(stream) = &mut self.stream {
            let from = self.played.wrapping_add(stream.offset);
            let ahead = signed(offset.wrapping_sub(stream.offset));
            // Backwards too: what is a second ahead has the same place in the ring.
            let start = if ahead > 0 {
                from
            } else {
                self.played.wrapping_add(offset)
            };
            self.buffer.skip(start, ahead.unsigned_abs());
            stream.offset = offset;
        }
    }

    /// The offset at which nearly all packets come in time, within the limits.
    fn wish(&self) -> u32 {
        let offset = self.stream.map_or(0, |stream| stream.offset);
        let Some((typical, latest)) = self.arrivals.typical().zip(self.arrivals.latest()) else {
            return offset;
        };
        if self.arrivals.are_few() {
            return typical.wrapping_sub(units_of(self.limits.nominal));
        }
        let late = signed(typical.wrapping_sub(latest)).max(0).unsigned_abs();
        let least = units_of(self.limits.minimum);
        let most = units_of(self.limits.maximum);
        typical.wrapping_sub(late.clamp(least, most.max(least)))
    }
}

fn signed(difference: u32) -> i32 {
    i32::from_ne_bytes(difference.to_ne_bytes())
}

fn units(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

fn units_of(wait: Duration) -> u32 {
    u32::try_from(wait.as_micros() * u128::from(CLOCK) / 1_000_000).unwrap_or(u32::MAX)
}

/// Octets, and units of the timestamp, of 10 ms.
const TICK: usize = 80;
const TICK_UNITS: u32 = 80;
/// Milliseconds; the buffer holds a second.
const MOST_WAIT: u64 = 900;
/// Units from what is played, beyond which a timestamp is of another stream.
const FAR: u32 = 7600;
/// Late packets in a row, after which the sender's clock was set back.
const FEW_LATE: u32 = 5;
/// Units without audio after which the wait may change unheard: 60 ms.
const SILENCE: u32 = 480;
/// Pulls: at most one change in 100 ms.
const BETWEEN_CHANGES: u32 = 10;

#[cfg(test)]
mod tests;
