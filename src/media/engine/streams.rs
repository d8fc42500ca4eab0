//! All streams of one thread.

use super::inbound::{Arrived, Heard};
use super::line::Line;
use super::outbox::{At, Outbox, Port};
use super::payloads::Meaning;
use super::reports::Ending;
use super::stream::{End, Stream};
use crate::media::figures::Figures;
use crate::media::seam::{Digit, Ends, Event, Failure, Opened, Order, Ports, StreamId, Terms};
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The streams of one thread.
pub struct Engine {
    random: Box<dyn FnMut() -> u64 + Send>,
    streams: Vec<Option<Box<Stream>>>,
    slots: HashMap<StreamId, usize>,
    /// Those that lines or keys keep busy.
    busy: Vec<usize>,
    outbox: Outbox,
    outputs: VecDeque<Output>,
    scratch: Vec<u8>,
    next_tick: Option<Instant>,
    next_sweep: Instant,
}

/// What the engine asks of whoever holds the sockets.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Open ports for the stream at this place, and say so by [`Engine::bound`].
    Bind(usize, Ports),
    /// Close the ports of this place.
    Release(usize),
    /// Send from this place with this code point.
    Mark(usize, u8),
    /// Tell the calls.
    Event(Event),
}

/// A stream on its way to another engine.
#[derive(Debug)]
pub struct Moving(Box<Stream>);

impl Engine {
    /// Without streams. `random` yields unpredictable numbers.
    pub fn new(now: Instant, random: Box<dyn FnMut() -> u64 + Send>) -> Self {
        Self {
            random,
            streams: Vec::new(),
            slots: HashMap::new(),
            busy: Vec::new(),
            outbox: Outbox::default(),
            outputs: VecDeque::new(),
            scratch: Vec::with_capacity(SCRATCH),
            next_tick: None,
            next_sweep: now + SWEEP,
        }
    }

    /// Does what a call wants. Orders about streams that are not there are forgotten.
    pub fn order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Open(id, ports) => self.open(now, id, ports),
            Order::Set(id, terms) => self.set(now, id, terms),
            Order::Join(a, b) => self.join(a, b),
            Order::Part(id) => self.part(id),
            Order::Line(id, ends) => self.line(now, id, ends),
            Order::SendDigit(id, digit) => self.send_digit(now, id, digit),
            Order::SendDtls(id, datagram) => self.send_dtls(id, &datagram),
            Order::Close(id) => self.close(now, id),
        }
    }

    /// The ports that [`Output::Bind`] asked for: those of media and of RTCP.
    pub fn bound(&mut self, slot: usize, ports: Result<(u16, Option<u16>), Failure>) {
        let Some(stream) = self.stream(slot) else {
            return;
        };
        let (id, figures) = (stream.id, stream.figures.clone());
        let event = match ports {
            Ok((port, rtcp)) => Event::Opened(
                id,
                Opened {
                    port,
                    rtcp,
                    figures,
                },
            ),
            Err(failure) => {
                self.remove(slot);
                Event::Failed(id, failure)
            }
        };
        self.tell(event);
    }

    /// A datagram came. It is changed in its place.
    pub fn receive(&mut self, now: Instant, at: At, from: SocketAddr, datagram: &mut [u8]) {
        let Some(Some(stream)) = self.streams.get_mut(at.slot) else {
            return;
        };
        let outputs = &mut self.outputs;
        let mut tell = |event| outputs.push_back(Output::Event(event));
        let arrived = Arrived {
            port: at.port,
            from,
            octets: datagram,
        };
        let Some(heard) = stream.hear(now, arrived, &mut tell) else {
            return;
        };
        let End::Joined(other) = stream.end else {
            if let Heard::Voice(voice) = &heard {
                stream.listen(now, voice, &mut tell);
            }
            return;
        };
        match (&heard, self.streams.get_mut(other)) {
            (Heard::Voice(voice), Some(Some(other)))
                if voice.meaning == Meaning::Keys && !other.takes_keys() =>
            {
                other.leave_out(voice);
                self.hear_keys(now, at.slot, &heard);
            }
            (_, Some(Some(other))) => other.relay(now, &heard, &mut self.outbox),
            _ => {}
        }
    }

    /// The time has come that [`Engine::due`] told.
    pub fn tick(&mut self, now: Instant) {
        if self.next_tick.is_some_and(|due| due <= now) {
            self.tick_busy(now);
        }
        if self.next_sweep <= now {
            self.next_sweep = now + SWEEP;
            self.sweep(now);
        }
    }

    /// When to tick next.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let sweep = (!self.slots.is_empty()).then_some(self.next_sweep);
        self.next_tick.into_iter().chain(sweep).min()
    }

    /// What is to be done next.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What is to be sent; to be cleared by whoever sent it.
    pub fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }

    /// A stream leaves for another engine, with the place that its ports had here.
    pub fn give(&mut self, id: StreamId) -> Option<(usize, Moving)> {
        let slot = *self.slots.get(&id)?;
        self.part(id);
        let stream = self.remove(slot)?;
        Some((slot, Moving(stream)))
    }

    /// A stream comes from another engine; the place that its ports have here.
    pub fn take(&mut self, moving: Moving) -> usize {
        self.insert(moving.0)
    }

    /// The counters of a stream.
    #[must_use]
    pub fn figures(&self, id: StreamId) -> Option<Arc<Figures>> {
        let slot = self.slots.get(&id)?;
        let stream = self.streams.get(*slot)?.as_ref()?;
        Some(stream.figures.clone())
    }
}

impl Engine {
    fn open(&mut self, now: Instant, id: StreamId, ports: Ports) {
        if self.slots.contains_key(&id) {
            return self.tell(Event::Failed(id, Failure::Known));
        }
        if self.slots.len() >= MAX_STREAMS {
            return self.tell(Event::Failed(id, Failure::Full(MAX_STREAMS)));
        }
        if self.slots.is_empty() {
            self.next_sweep = now + SWEEP;
        }
        let stream = Stream::new(now, id, &mut *self.random);
        let slot = self.insert(Box::new(stream));
        self.outputs.push_back(Output::Bind(slot, ports));
    }

    fn set(&mut self, now: Instant, id: StreamId, terms: Box<Terms>) {
        let dscp = terms.dscp;
        let outputs = &mut self.outputs;
        let mut tell = |event| outputs.push_back(Output::Event(event));
        let Some(slot) = self.slots.get(&id).copied() else {
            return;
        };
        let Some(Some(stream)) = self.streams.get_mut(slot) else {
            return;
        };
        let marked = stream.terms.as_ref().map(|terms| terms.dscp);
        stream.settle(now, terms, &mut tell);
        if marked != Some(dscp) {
            self.outputs.push_back(Output::Mark(slot, dscp));
        }
    }

    fn join(&mut self, a: StreamId, b: StreamId) {
        if a == b {
            return;
        }
        self.part(a);
        self.part(b);
        if let (Some(one), Some(other)) = (self.slots.get(&a), self.slots.get(&b)) {
            let (one, other) = (*one, *other);
            for (slot, end) in [(one, other), (other, one)] {
                if let Some(stream) = self.stream(slot) {
                    stream.end = End::Joined(end);
                }
            }
        }
    }

    fn part(&mut self, id: StreamId) {
        let Some(slot) = self.slots.get(&id).copied() else {
            return;
        };
        let joined = self.stream(slot).and_then(|stream| match stream.end {
            End::Joined(other) => Some(other),
            End::Open | End::Line(_) => None,
        });
        for slot in [Some(slot), joined].into_iter().flatten() {
            let outputs = &mut self.outputs;
            let mut tell = |event| outputs.push_back(Output::Event(event));
            if let Some(Some(stream)) = self.streams.get_mut(slot) {
                stream.part(&mut tell);
            }
        }
    }

    fn line(&mut self, now: Instant, id: StreamId, ends: Ends) {
        self.part(id);
        let Some(slot) = self.slots.get(&id).copied() else {
            return;
        };
        if let Some(stream) = self.stream(slot) {
            stream.end = End::Line(Box::new(Line::new(ends)));
            self.keep_busy(now, slot);
        }
    }

    fn send_digit(&mut self, now: Instant, id: StreamId, digit: Digit) {
        let Some(slot) = self.slots.get(&id).copied() else {
            return;
        };
        if let Some(stream) = self.stream(slot)
            && stream.takes_keys()
        {
            stream.keypad.push(digit);
            self.keep_busy(now, slot);
        }
    }

    fn send_dtls(&mut self, id: StreamId, datagram: &[u8]) {
        let Some(Some(stream)) = self.slots.get(&id).and_then(|slot| self.streams.get(*slot))
        else {
            return;
        };
        if let Some(to) = stream.media.remote() {
            let at = stream.at(Port::Media);
            let whole = |_: &mut [u8], length| Some(length);
            self.outbox.put((at, to), datagram, whole);
        }
    }

    fn close(&mut self, now: Instant, id: StreamId) {
        self.part(id);
        let Some(slot) = self.slots.get(&id).copied() else {
            return;
        };
        let Some(mut stream) = self.remove(slot) else {
            return;
        };
        if stream.statistics.packets_sent > 0 {
            let (scratch, outbox) = (&mut self.scratch, &mut self.outbox);
            stream.report(now, Ending::Bye, scratch, outbox);
        }
        stream.figures.write(&stream.snapshot());
        self.outputs.push_back(Output::Release(slot));
    }

    fn tick_busy(&mut self, now: Instant) {
        let outputs = &mut self.outputs;
        let mut tell = |event| outputs.push_back(Output::Event(event));
        let (streams, scratch, outbox) = (&mut self.streams, &mut self.scratch, &mut self.outbox);
        self.busy.retain(|slot| {
            let Some(Some(stream)) = streams.get_mut(*slot) else {
                return false;
            };
            stream.tick(now, scratch, outbox, &mut tell);
            stream.is_busy()
        });
        self.next_tick = match (self.next_tick, self.busy.is_empty()) {
            (_, true) | (None, _) => None,
            // A thread that was late makes up for little: lines are not to talk in bursts.
            (Some(due), false) => Some((due + TICK).max(now.checked_sub(LATE).unwrap_or(now))),
        };
    }

    fn sweep(&mut self, now: Instant) {
        let outputs = &mut self.outputs;
        let mut tell = |event| outputs.push_back(Output::Event(event));
        for stream in self.streams.iter_mut().flatten() {
            let room = (&mut self.scratch, &mut self.outbox);
            stream.sweep(now, &mut *self.random, room, &mut tell);
        }
    }

    fn hear_keys(&mut self, now: Instant, slot: usize, heard: &Heard<'_>) {
        let outputs = &mut self.outputs;
        let mut tell = |event| outputs.push_back(Output::Event(event));
        if let (Some(Some(stream)), Heard::Voice(voice)) = (self.streams.get_mut(slot), heard) {
            stream.listen_to_keys(now, voice, &mut tell);
        }
    }

    fn keep_busy(&mut self, now: Instant, slot: usize) {
        if !self.busy.contains(&slot) {
            self.busy.push(slot);
        }
        self.next_tick.get_or_insert(now);
    }

    fn insert(&mut self, mut stream: Box<Stream>) -> usize {
        let free = self.streams.iter().position(Option::is_none);
        let slot = free.unwrap_or(self.streams.len());
        stream.slot = slot;
        self.slots.insert(stream.id, slot);
        match self.streams.get_mut(slot) {
            Some(place) => *place = Some(stream),
            None => self.streams.push(Some(stream)),
        }
        slot
    }

    fn remove(&mut self, slot: usize) -> Option<Box<Stream>> {
        let stream = self.streams.get_mut(slot)?.take()?;
        self.slots.remove(&stream.id);
        self.busy.retain(|busy| *busy != slot);
        Some(stream)
    }

    fn stream(&mut self, slot: usize) -> Option<&mut Stream> {
        self.streams.get_mut(slot)?.as_deref_mut()
    }

    fn tell(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Engine")
            .field("streams", &self.slots.len())
            .finish_non_exhaustive()
    }
}

/// Streams of one engine.
pub const MAX_STREAMS: usize = 16384;

const TICK: Duration = Duration::from_millis(10);
/// Between two rounds of upkeep.
const SWEEP: Duration = Duration::from_millis(250);
/// What a line makes up for.
const LATE: Duration = Duration::from_millis(60);
/// Octets of a report or a packet of our own.
const SCRATCH: usize = 2048;
