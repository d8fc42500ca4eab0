//! A line's end of a stream: what it plays, what it hears, each 10 ms.
//!
//! It knows samples and payloads, not packets' numbers nor sockets. Rates that
//! differ are converted here, so that a file of 8 kHz is heard through G.722.

use crate::media::codec::resample::{Doubler, Halver};
use crate::media::codec::{Codec, Encoder};
use crate::media::jitter::{Limits, Player};
use crate::media::seam::{Ends, Sink, Source};
use crate::media::{tone, wav};
use crate::wire::rtp::Header;
use std::sync::Arc;
use std::time::Duration;

/// Of one stream.
#[derive(Debug)]
pub(super) struct Line {
    ends: Ends,
    voice: Option<Voice>,
    heard: Option<Heard>,
    record: Option<Record>,
    /// 10 ms of what was heard, and of what is said.
    ears: Vec<i16>,
    mouth: Vec<i16>,
    /// Of what is said next.
    timestamp: Option<u32>,
    begins: bool,
}

/// What a line says, in the codec that it is said in.
#[derive(Debug)]
struct Voice {
    codec: Codec,
    encoder: Encoder,
    playing: Playing,
    from_ears: Converter,
    payload: Vec<u8>,
}

#[derive(Debug)]
enum Playing {
    Silence,
    Tone(tone::Player),
    Wave {
        wave: Arc<wav::Wave>,
        at: usize,
        converter: Converter,
    },
    Echo,
}

/// What a line hears, in the codec that it comes in.
#[derive(Debug)]
struct Heard {
    codec: Codec,
    player: Player,
}

#[derive(Debug)]
struct Record {
    wave: wav::Wave,
    most: usize,
    converter: Converter,
}

/// What a tick made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing to tell.
    On,
    /// The file has been played.
    Played,
}

impl Line {
    pub(super) fn new(ends: Ends) -> Self {
        Self {
            ends,
            voice: None,
            heard: None,
            record: None,
            ears: Vec::with_capacity(WIDEST),
            mouth: Vec::with_capacity(WIDEST),
            timestamp: None,
            begins: true,
        }
    }

    /// Audio that came in this codec.
    pub(super) fn push(&mut self, codec: Codec, limits: Limits, header: &Header, payload: &[u8]) {
        let heard = self.heard.take().filter(|heard| heard.codec == codec);
        let heard = heard.unwrap_or_else(|| Heard {
            codec,
            player: Player::new(codec, limits),
        });
        self.heard.insert(heard).player.push(header, payload);
    }

    /// Comfort noise that came.
    pub(super) fn silence(&mut self, level: u8) {
        if let Some(heard) = &mut self.heard {
            heard.player.silence(level);
        }
    }

    /// The next 10 ms, said in this codec.
    pub(super) fn tick(&mut self, codec: Codec) -> Turn {
        self.ears.clear();
        let rate = match &mut self.heard {
            Some(heard) => {
                heard.player.pull(&mut self.ears);
                heard.codec.rate()
            }
            None => {
                self.ears.resize(samples(codec.rate()), 0);
                codec.rate()
            }
        };
        self.keep(rate);
        let ends = &self.ends;
        let voice = match &mut self.voice {
            Some(voice) if voice.codec == codec => voice,
            voice => voice.insert(Voice::new(codec, &ends.source)),
        };
        self.mouth.clear();
        let turn = voice.speak(rate, &self.ears, &mut self.mouth);
        voice.encoder.encode(&self.mouth, &mut voice.payload);
        if turn == Turn::Played {
            self.ends.source = Source::Silence;
            voice.playing = Playing::Silence;
        }
        turn
    }

    /// The octets of a packet, once there are so many.
    pub(super) fn payload(&mut self, octets: usize) -> Option<&mut Vec<u8>> {
        let payload = &mut self.voice.as_mut()?.payload;
        (payload.len() >= octets).then_some(payload)
    }

    /// The room of a payload that has been sent.
    pub(super) fn take_back(&mut self, room: Vec<u8>) {
        if let Some(voice) = &mut self.voice {
            voice.payload = room;
        }
    }

    /// So many units leave; their timestamp, and whether they begin a spurt.
    /// The first has that of the stream's clock.
    pub(super) fn pass(&mut self, clock: u32, units: u32) -> (u32, bool) {
        let timestamp = self.timestamp.unwrap_or(clock);
        self.timestamp = Some(timestamp.wrapping_add(units));
        (timestamp, std::mem::replace(&mut self.begins, false))
    }

    /// What is said next begins a spurt.
    pub(super) fn interrupt(&mut self) {
        self.begins = true;
    }

    /// How long packets wait to be played.
    pub(super) fn wait(&self) -> Duration {
        let heard = self.heard.as_ref();
        heard.map_or(Duration::ZERO, |heard| heard.player.wait())
    }

    /// What was recorded.
    pub(super) fn finish(self) -> Option<wav::Wave> {
        self.record.map(|record| record.wave)
    }

    fn keep(&mut self, rate: u32) {
        let Sink::Record(most) = self.ends.sink else {
            return;
        };
        let record = self.record.get_or_insert_with(|| Record::new(rate, most));
        record.keep(rate, &self.ears);
    }
}

impl Voice {
    fn new(codec: Codec, source: &Source) -> Self {
        let playing = match source {
            Source::Silence => Playing::Silence,
            Source::Tone(tone) => Playing::Tone(tone.player(codec.rate())),
            Source::Wave(wave) => Playing::Wave {
                wave: wave.clone(),
                at: 0,
                converter: Converter::Same,
            },
            Source::Echo => Playing::Echo,
        };
        Self {
            codec,
            encoder: Encoder::new(codec),
            playing,
            from_ears: Converter::Same,
            payload: Vec::with_capacity(MOST_OCTETS),
        }
    }

    /// Adds 10 ms to `mouth`.
    fn speak(&mut self, ears_rate: u32, ears: &[i16], mouth: &mut Vec<i16>) -> Turn {
        let rate = self.codec.rate();
        let mut turn = Turn::On;
        match &mut self.playing {
            Playing::Silence => {}
            Playing::Tone(player) => {
                mouth.resize(samples(rate), 0);
                player.fill(mouth);
            }
            Playing::Wave {
                wave,
                at,
                converter,
            } => {
                let end = wave.samples.len().min(*at + samples(wave.rate.hertz()));
                converter.convert(wave.rate.hertz(), rate, &wave.samples[*at..end], mouth);
                *at = end;
                if end == wave.samples.len() {
                    turn = Turn::Played;
                }
            }
            Playing::Echo => self.from_ears.convert(ears_rate, rate, ears, mouth),
        }
        mouth.resize(samples(rate), 0);
        turn
    }
}

impl Record {
    /// At the rate of what is heard first; its room is taken at once.
    fn new(rate: u32, most: Duration) -> Self {
        let rate = match rate {
            16000 => wav::Rate::Wide,
            _ => wav::Rate::Narrow,
        };
        let longest = most.min(LONGEST_RECORD).as_millis();
        let most = usize::try_from(longest).unwrap_or(0) * samples(rate.hertz()) / 10;
        Self {
            wave: wav::Wave {
                rate,
                samples: Vec::with_capacity(most + WIDEST),
            },
            most,
            converter: Converter::Same,
        }
    }

    fn keep(&mut self, rate: u32, ears: &[i16]) {
        if self.wave.samples.len() < self.most {
            let to = self.wave.rate.hertz();
            self.converter
                .convert(rate, to, ears, &mut self.wave.samples);
            self.wave.samples.truncate(self.most);
        }
    }
}

/// Between the two rates that there are, as the first packet asks for.
#[derive(Debug)]
enum Converter {
    Same,
    Up(Box<Doubler>),
    Down(Box<Halver>),
}

impl Converter {
    fn convert(&mut self, from: u32, to: u32, samples: &[i16], out: &mut Vec<i16>) {
        match (from.cmp(&to), &mut *self) {
            (std::cmp::Ordering::Equal, _) => out.extend_from_slice(samples),
            (std::cmp::Ordering::Less, Self::Up(doubler)) => doubler.convert(samples, out),
            (std::cmp::Ordering::Greater, Self::Down(halver)) => halver.convert(samples, out),
            (std::cmp::Ordering::Less, _) => {
                *self = Self::Up(Box::default());
                self.convert(from, to, samples, out);
            }
            (std::cmp::Ordering::Greater, _) => {
                *self = Self::Down(Box::default());
                self.convert(from, to, samples, out);
            }
        }
    }
}

/// Of 10 ms.
fn samples(rate: u32) -> usize {
    usize::try_from(rate / 100).expect("a rate fits in memory")
}

/// Samples of 10 ms at 16 kHz.
const WIDEST: usize = 160;
/// Octets of a packet of 60 ms, and 10 ms more.
const MOST_OCTETS: usize = 560;
/// What a file holds at 16 kHz is a little more.
const LONGEST_RECORD: Duration = Duration::from_secs(8 * 60);
