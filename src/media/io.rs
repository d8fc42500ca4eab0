//! Sockets, threads and clock for media; with `io/`, the only part that waits.
//!
//! A fixed set of threads, each with an engine and the sockets of its streams,
//! asleep in one epoll. An order goes to the thread that has the stream; two
//! streams that are joined come together on one. No packet meets a lock.

mod batch;
mod sockets;

use self::batch::{Arrived, Departure, More};
use self::sockets::Sockets;
use super::engine::{At, Engine, Moving, Output, Port};
use super::seam::{Event, Order, Ports, StreamId};
use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

/// The media threads, for the one who gives orders.
pub struct Media {
    threads: Vec<Thread>,
    homes: HashMap<StreamId, usize>,
    next: usize,
}

/// One thread as its orders see it.
struct Thread {
    commands: Sender<Command>,
    wake: Arc<EventFd>,
    handle: JoinHandle<()>,
}

enum Command {
    Order(Order),
    Give(StreamId, SyncSender<Option<Moved>>),
    Take(Moved),
    Stop,
}

/// A stream on its way to another thread.
struct Moved {
    stream: Moving,
    sockets: Sockets,
}

impl Media {
    /// Starts so many threads. `random` yields unpredictable numbers, `tell` hears
    /// events on a media thread, so it must not wait.
    ///
    /// # Errors
    /// Where the system has no thread or no descriptor.
    pub fn start(
        threads: usize,
        random: fn() -> u64,
        tell: impl Fn(Event) + Clone + Send + 'static,
    ) -> io::Result<Self> {
        let start = |number| Thread::start(number, random, Box::new(tell.clone()));
        Ok(Self {
            threads: (0..threads.max(1)).map(start).collect::<io::Result<_>>()?,
            homes: HashMap::new(),
            next: 0,
        })
    }

    /// Does what a call wants, soon. Orders about one stream keep their order.
    pub fn order(&mut self, order: Order) {
        let home = match &order {
            Order::Open(id, _) => self.settle(*id),
            Order::Join(a, b) => {
                self.bring_together(*a, *b);
                self.homes.get(b).copied()
            }
            Order::Close(id) => self.homes.remove(id),
            Order::Set(id, _)
            | Order::Part(id)
            | Order::Line(id, _)
            | Order::SendDigit(id, _)
            | Order::SendDtls(id, _) => self.homes.get(id).copied(),
        };
        if let Some(thread) = home.and_then(|home| self.threads.get(home)) {
            thread.command(Command::Order(order));
        }
    }

    /// A stream that failed to open is not there; to be told of each [`Event::Failed`].
    pub fn forget(&mut self, id: StreamId) {
        self.homes.remove(&id);
    }

    /// Ends all threads, each after what it is at.
    pub fn stop(self) {
        for thread in &self.threads {
            thread.command(Command::Stop);
        }
        for thread in self.threads {
            // A thread that panicked has said so.
            let _ = thread.handle.join();
        }
    }

    /// The thread of a new stream, by turns.
    fn settle(&mut self, id: StreamId) -> Option<usize> {
        let next = self.next;
        self.next = (next + 1) % self.threads.len();
        Some(*self.homes.entry(id).or_insert(next))
    }

    /// Moves one of two streams to the thread of the other.
    fn bring_together(&mut self, moves: StreamId, stays: StreamId) {
        let (Some(from), Some(to)) = (self.homes.get(&moves), self.homes.get(&stays)) else {
            return;
        };
        let (from, to) = (*from, *to);
        if from == to {
            return;
        }
        let (answer, moved) = sync_channel(1);
        self.threads[from].command(Command::Give(moves, answer));
        // A thread answers within one round of its loop.
        if let Ok(Some(moved)) = moved.recv() {
            self.threads[to].command(Command::Take(moved));
            self.homes.insert(moves, to);
        }
    }
}

impl Thread {
    fn start(
        number: usize,
        random: fn() -> u64,
        tell: Box<dyn Fn(Event) + Send>,
    ) -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        let wake = Arc::new(EventFd::from_value_and_flags(0, flags)?);
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(&*wake, EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        let (commands, orders) = channel();
        let name = format!("media-{number}");
        let woken = wake.clone();
        // Made on its own thread, since the headers of a batch stay on one.
        let desk = move || Desk {
            engine: Engine::new(Instant::now(), Box::new(random)),
            epoll,
            wake: woken,
            commands: orders,
            sockets: Vec::new(),
            arrived: Arrived::new(),
            departure: Departure::new(),
            start: 0,
            tell,
        };
        let handle = Builder::new().name(name).spawn(|| desk().run())?;
        Ok(Self {
            commands,
            wake,
            handle,
        })
    }

    fn command(&self, command: Command) {
        // A thread that is gone takes no orders, and its streams are gone too.
        if self.commands.send(command).is_ok() {
            let _ = self.wake.write(1);
        }
    }
}

/// What one thread owns.
struct Desk {
    engine: Engine,
    epoll: Epoll,
    wake: Arc<EventFd>,
    commands: Receiver<Command>,
    /// By their stream's place.
    sockets: Vec<Option<Sockets>>,
    arrived: Arrived,
    departure: Departure,
    /// Where the search for a free port begins.
    start: u16,
    tell: Box<dyn Fn(Event) + Send>,
}

/// Whether a thread goes on.
#[derive(PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

impl Desk {
    fn run(mut self) {
        let mut ready = [EpollEvent::empty(); READY];
        loop {
            let count = match self.epoll.wait(&mut ready, self.timeout()) {
                Ok(count) => count,
                Err(Errno::EINTR) => 0,
                Err(_) => return,
            };
            let now = Instant::now();
            for event in &ready[..count] {
                match event.data() {
                    WAKE if self.obey(now) == Next::Stop => return,
                    WAKE => {}
                    data => self.receive(now, place(data)),
                }
            }
            self.engine.tick(now);
            self.settle();
        }
    }

    fn timeout(&self) -> EpollTimeout {
        let Some(due) = self.engine.due() else {
            return EpollTimeout::NONE;
        };
        let left = due.saturating_duration_since(Instant::now());
        // Whole milliseconds, the last begun one included, so that it does not wake too early.
        let milliseconds = left.as_micros().div_ceil(1000);
        EpollTimeout::from(u16::try_from(milliseconds).unwrap_or(u16::MAX))
    }

    fn obey(&mut self, now: Instant) -> Next {
        let _ = self.wake.read();
        while let Ok(command) = self.commands.try_recv() {
            match command {
                Command::Order(order) => self.engine.order(now, order),
                Command::Give(id, answer) => {
                    let _ = answer.send(self.give(id));
                }
                Command::Take(moved) => self.take(moved),
                Command::Stop => return Next::Stop,
            }
            self.settle();
        }
        Next::GoOn
    }

    fn receive(&mut self, now: Instant, at: At) {
        for _ in 0..ROUNDS {
            let Some(Some(sockets)) = self.sockets.get(at.slot) else {
                return;
            };
            let Some(socket) = sockets.of(at.port) else {
                return;
            };
            let more = self.arrived.receive(socket, sockets.family);
            for (from, datagram) in self.arrived.each() {
                self.engine.receive(now, at, from, datagram);
            }
            self.settle();
            if more == More::No {
                return;
            }
        }
    }

    /// Sends what is to be sent, then does what the engine asks for.
    fn settle(&mut self) {
        let sockets = &self.sockets;
        let socket = |at: At| sockets.get(at.slot)?.as_ref()?.of(at.port);
        let outbox = self.engine.outbox();
        self.departure.send(outbox, socket);
        outbox.clear();
        while let Some(output) = self.engine.poll() {
            match output {
                Output::Bind(slot, ports) => self.bind(slot, &ports),
                Output::Release(slot) => {
                    self.release(slot);
                }
                Output::Mark(slot, dscp) => {
                    if let Some(Some(sockets)) = self.sockets.get(slot) {
                        sockets.mark(dscp);
                    }
                }
                Output::Event(event) => (self.tell)(event),
            }
        }
    }

    fn bind(&mut self, slot: usize, ports: &Ports) {
        let bound = Sockets::bind(ports, self.start).map(|sockets| {
            let bound = sockets.ports();
            // What has just been given back is asked for last.
            self.start = bound.0.saturating_add(2);
            self.keep(slot, sockets);
            bound
        });
        self.engine.bound(slot, bound);
    }

    fn keep(&mut self, slot: usize, sockets: Sockets) {
        for (port, socket) in sockets.each() {
            let event = EpollEvent::new(EpollFlags::EPOLLIN, data(At { slot, port }));
            // Where the system has no room for it the stream is silent, which is told.
            let _ = self.epoll.add(socket, event);
        }
        if self.sockets.len() <= slot {
            self.sockets.resize_with(slot + 1, || None);
        }
        self.sockets[slot] = Some(sockets);
    }

    fn release(&mut self, slot: usize) -> Option<Sockets> {
        let sockets = self.sockets.get_mut(slot)?.take()?;
        for (_, socket) in sockets.each() {
            let _ = self.epoll.delete(socket);
        }
        Some(sockets)
    }

    fn give(&mut self, id: StreamId) -> Option<Moved> {
        let (slot, stream) = self.engine.give(id)?;
        let sockets = self.release(slot)?;
        Some(Moved { stream, sockets })
    }

    fn take(&mut self, moved: Moved) {
        let slot = self.engine.take(moved.stream);
        self.keep(slot, moved.sockets);
    }
}

/// What epoll says of a port.
fn data(at: At) -> u64 {
    let port = match at.port {
        Port::Media => 0,
        Port::Control => 1,
    };
    u64::try_from(at.slot).expect("a place fits") << 1 | port
}

fn place(data: u64) -> At {
    At {
        slot: usize::try_from(data >> 1).expect("it was a place"),
        port: match data & 1 {
            0 => Port::Media,
            _ => Port::Control,
        },
    }
}

/// What epoll says of the eventfd.
const WAKE: u64 = u64::MAX;
/// Sockets that are read before time is looked at again.
const READY: usize = 256;
/// Batches of one socket before the others have their turn.
const ROUNDS: usize = 4;

#[cfg(test)]
mod tests {
    use super::super::codec::Codec;
    use super::super::jitter::{Limits, Manner};
    use super::super::negotiation::Payloads;
    use super::super::seam::{Failure, Kind, Latching, Medium, Security, Terms, Voice};
    use super::*;
    use crate::wire::rtp::{Header, Packet};
    use crate::wire::sdp::Direction;
    use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
    use std::sync::mpsc::Receiver;
    use std::time::Duration;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    fn random() -> u64 {
        0x0102_0304_0506_0708
    }

    fn start(threads: usize) -> (Media, Receiver<Event>) {
        let (tell, events) = channel();
        let tell = move |event| tell.send(event).expect("the test listens");
        (
            Media::start(threads, random, tell).expect("threads"),
            events,
        )
    }

    fn open(media: &mut Media, events: &Receiver<Event>, id: u64) -> SocketAddr {
        let kind = Kind::Single;
        let ports = Ports {
            address: HERE,
            first: 0,
            last: 0,
            kind,
        };
        media.order(Order::Open(StreamId(id), ports));
        match events.recv_timeout(LONG) {
            Ok(Event::Opened(_, opened)) => SocketAddr::new(HERE, opened.port),
            other => panic!("{other:?}"),
        }
    }

    fn terms(remote: SocketAddr) -> Box<Terms> {
        let both = Payloads {
            send: 0,
            receive: 0,
        };
        Box::new(Terms {
            remote: Some(remote),
            remote_rtcp: Some(remote),
            latching: Latching::Off,
            dscp: 46,
            silence: None,
            medium: Medium::Voice(Voice {
                codecs: vec![(Codec::Pcmu, both)],
                noise: None,
                dtmf: None,
                direction: Direction::SendRecv,
                packet: Duration::from_millis(20),
                jitter: Limits {
                    minimum: Duration::ZERO,
                    nominal: Duration::ZERO,
                    maximum: Duration::from_millis(100),
                    manner: Manner::Immediately,
                },
                security: Security::Clear,
            }),
        })
    }

    fn phone() -> UdpSocket {
        let phone = UdpSocket::bind((HERE, 0)).expect("a port");
        phone.set_read_timeout(Some(LONG)).expect("a timeout");
        phone
    }

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn two_streams_of_two_threads_are_relayed_through_sockets() {
        let (mut media, events) = start(2);
        let phones = [phone(), phone()];
        let ports = [1, 2].map(|id| open(&mut media, &events, id));
        for (id, phone) in (1..).zip(&phones) {
            let remote = phone.local_addr().expect("bound");
            media.order(Order::Set(StreamId(id), terms(remote)));
        }
        media.order(Order::Join(StreamId(1), StreamId(2)));
        // What comes before the orders are obeyed is heard by nobody.
        let mut buffer = [0; 2048];
        phones[1]
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a timeout");
        let mut sequence = 0;
        let length = loop {
            sequence += 1;
            assert!(sequence < 400, "nothing came");
            let header = Header {
                marker: false,
                payload_type: 0,
                sequence,
                timestamp: 160 * u32::from(sequence),
                ssrc: 5,
            };
            let mut packet = Vec::new();
            Packet::new(header, &[0x55; 160]).write(&mut packet);
            phones[0].send_to(&packet, ports[0]).expect("sent");
            if let Ok((length, from)) = phones[1].recv_from(&mut buffer) {
                assert_eq!(from, ports[1]);
                break length;
            }
        };
        let packet = Packet::parse(&buffer[..length]).expect("a packet");
        assert_eq!(
            (packet.payload, packet.header.ssrc),
            (&[0x55; 160][..], 0x0102_0304)
        );
        media.stop();
    }

    #[test]
    fn ports_are_even_with_rtcp_above_and_the_range_has_an_end() {
        let (mut media, events) = start(1);
        // A port that the system gave may be odd, and its neighbours in use: look for two free ones.
        let first = (20_000..60_000)
            .step_by(2)
            .find(|port| {
                [*port, port + 1]
                    .iter()
                    .all(|port| UdpSocket::bind((HERE, *port)).is_ok())
            })
            .expect("two ports");
        let ports = Ports {
            address: HERE,
            first: first - 1,
            last: first + 1,
            kind: Kind::Pair,
        };
        media.order(Order::Open(StreamId(1), ports));
        let Ok(Event::Opened(_, opened)) = events.recv_timeout(LONG) else {
            panic!("not opened");
        };
        assert_eq!((opened.port, opened.rtcp), (first, Some(first + 1)));
        media.order(Order::Open(StreamId(2), ports));
        let failure = Failure::NoPort {
            address: HERE,
            first: first - 1,
            last: first + 1,
        };
        assert_eq!(
            events.recv_timeout(LONG),
            Ok(Event::Failed(StreamId(2), failure))
        );
        media.order(Order::Close(StreamId(1)));
        media.order(Order::Open(StreamId(3), ports));
        assert!(matches!(
            events.recv_timeout(LONG),
            Ok(Event::Opened(StreamId(3), _))
        ));
        media.stop();
    }
}
