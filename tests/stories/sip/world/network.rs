//! What carries the parcels of a world, and loses some.

use std::net::SocketAddr;
use std::time::Duration;

use demarc::sip::event::{Connect, Input, Output, SocketId, Stage, StreamFault};
use demarc::sip::message::Message;
use demarc::sip::message::framing::{Frame, Framer};
use demarc::sip::resolve::{Answer, LookupFault, Query};
use demarc::sip::transport::Transport;

use super::{Open, Parcel, World};

/// The way between two hosts.
const DELAY: Duration = Duration::from_millis(10);

impl World {
    pub(super) fn step(&mut self) {
        let due = self
            .parcels
            .iter()
            .enumerate()
            .filter(|(_, it)| it.0 <= self.now)
            .min_by_key(|(_, it)| (it.0, it.1));
        match due.map(|(place, _)| place) {
            Some(place) => {
                let (_, _, parcel) = self.parcels.remove(place);
                self.deliver(parcel);
            }
            None => self.input(Input::Tick),
        }
    }

    fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::ToStack(input) => self.input(input),
            Parcel::Datagram { from, peer, bytes } => self.datagram_at(from, peer, &bytes),
            Parcel::Stream { id, bytes } => self.stream_data_at(id, &bytes),
            Parcel::IdleCheck { id } => self.check_idle(id),
        }
    }

    fn send(&mut self, after: Duration, parcel: Parcel) {
        self.order += 1;
        self.parcels.push((self.now + after, self.order, parcel));
    }

    pub(super) fn drain(&mut self) {
        while let Some(output) = self.stack.poll() {
            self.obey(output);
        }
    }

    fn obey(&mut self, output: Output) {
        match output {
            Output::Listen {
                id,
                transport,
                local,
                ..
            } => {
                let local = match local.port() {
                    0 => SocketAddr::new(local.ip(), 40_000),
                    _ => local,
                };
                self.listeners.insert(id, (transport, local));
                self.send(
                    Duration::ZERO,
                    Parcel::ToStack(Input::Listening { id, local }),
                );
            }
            Output::Unlisten { id } => {
                self.listeners.remove(&id);
            }
            Output::Datagram { id, peer, bytes } => {
                self.sent.push((self.elapsed(), peer));
                self.octets.push(bytes.clone());
                let local = self.listeners.get(&id).expect("a bound socket");
                assert_eq!(local.0, Transport::Udp);
                self.sources.push(local.1.port());
                if !self.is_lost() {
                    let delay = self.jitter();
                    self.send(
                        delay,
                        Parcel::Datagram {
                            from: id,
                            peer,
                            bytes,
                        },
                    );
                }
            }
            Output::Connect(connect) => self.connect(connect),
            Output::Write { id, bytes } => {
                self.octets.push(bytes.clone());
                let peer = self.streams.get(&id).map(|it| it.connect.peer);
                self.sent.extend(peer.map(|it| (self.elapsed(), it)));
                self.written.push((id, bytes.clone()));
                self.send(DELAY, Parcel::Stream { id, bytes });
            }
            Output::Close { id } => {
                self.streams.remove(&id);
                self.closed.push(id);
            }
            Output::Resolve { id, query } => {
                let answer = self.look_up(&query);
                self.send(DELAY, Parcel::ToStack(Input::Resolved { id, answer }));
            }
            Output::Publish(status) => self.status = *status,
            Output::Notice(notice) => self.notices.push(notice.logged().text),
            Output::Call(event) => self.heard.push(event),
            Output::RememberPort(port) => self.remembered.push(port),
            Output::Done => self.is_done = true,
        }
    }

    fn look_up(&mut self, query: &Query) -> Result<Answer, LookupFault> {
        let name = match query {
            Query::Naptr(name) => format!("NAPTR {name}"),
            Query::Srv(name) => format!("SRV {name}"),
            Query::A(name) => format!("A {name}"),
            Query::Aaaa(name) => format!("AAAA {name}"),
        };
        self.asked.push(name.clone());
        let records = self.zone.get(&name).cloned().ok_or(LookupFault::Nothing)?;
        Ok(Answer {
            records,
            ttl: Duration::from_secs(3600),
            source: self.source,
        })
    }

    fn connect(&mut self, connect: Connect) {
        self.connects.push((self.elapsed(), connect.clone()));
        let id = connect.id;
        let refused = |fault| Parcel::ToStack(Input::Failed { id, fault });
        if self.busy.contains(&connect.local.port()) {
            return self.send(Duration::ZERO, refused(StreamFault::PortBusy));
        }
        if self.silent.contains(&connect.peer) {
            return;
        }
        let there = self
            .registrars
            .iter()
            .find(|it| it.addr == connect.peer && !it.manner.is_dead);
        let Some(there) = there else {
            return self.send(DELAY, refused(StreamFault::Refused));
        };
        if connect.transport == Transport::Tls && !there.manner.transports.contains(&Transport::Tls)
        {
            let refusal = String::from("the peer does not speak TLS").into();
            let fault = StreamFault::Handshake(refusal);
            return self.send(DELAY, refused(fault));
        }
        if let Some(refusal) = there.manner.refuses_tls.clone()
            && connect.transport == Transport::Tls
        {
            let fault = StreamFault::Handshake(refusal);
            return self.send(DELAY, refused(fault));
        }
        match there.manner.hangs {
            None => {}
            Some(Stage::Connection) => return,
            Some(stage) => {
                let advanced = Input::Advanced { id, stage };
                return self.send(DELAY, Parcel::ToStack(advanced));
            }
        }
        let idle = there.manner.closes_idle;
        let (local, transport) = (connect.local, connect.transport);
        let open = Open {
            connect,
            framer: Framer::new(),
            last: self.now,
        };
        let session = there.manner.session.clone().map(Box::new);
        let session = session.filter(|_| transport == Transport::Tls);
        self.streams.insert(id, open);
        let opened = Input::Opened { id, local, session };
        self.send(DELAY, Parcel::ToStack(opened));
        if let Some(idle) = idle {
            self.send(idle, Parcel::IdleCheck { id });
        }
    }

    fn check_idle(&mut self, id: SocketId) {
        let Some(open) = self.streams.get(&id) else {
            return;
        };
        let peer = open.connect.peer;
        let there = self.registrars.iter().find(|it| it.addr == peer);
        let Some(idle) = there.and_then(|it| it.manner.closes_idle) else {
            return;
        };
        let end = open.last + idle;
        if end > self.now {
            let rest = end - self.now;
            return self.send(rest, Parcel::IdleCheck { id });
        }
        self.streams.remove(&id);
        self.input(Input::Closed { id });
    }

    fn datagram_at(&mut self, from: SocketId, peer: SocketAddr, bytes: &[u8]) {
        let Ok(Message::Request(request)) = Message::parse(bytes) else {
            return;
        };
        let there = self
            .registrars
            .iter_mut()
            .find(|it| it.addr == peer && !it.manner.is_dead);
        let Some(there) = there.filter(|it| it.manner.transports.contains(&Transport::Udp)) else {
            return;
        };
        let Some(response) = there.answer(Transport::Udp, &request) else {
            return;
        };
        if self.is_lost() {
            return;
        }
        let delay = self.jitter();
        let input = Input::Datagram {
            id: from,
            peer,
            bytes: response.to_bytes(),
        };
        self.send(delay, Parcel::ToStack(input));
    }

    fn stream_data_at(&mut self, id: SocketId, bytes: &[u8]) {
        let Some(open) = self.streams.get_mut(&id) else {
            return;
        };
        open.last = self.now;
        open.framer.push(bytes);
        let (peer, transport) = (open.connect.peer, open.connect.transport);
        let mut frames = Vec::new();
        while let Some(frame) = open.framer.next().expect("a stream of messages") {
            frames.push(frame);
        }
        let there = self
            .registrars
            .iter_mut()
            .find(|it| it.addr == peer && !it.manner.is_dead);
        let Some(there) = there else { return };
        if !there.manner.transports.contains(&transport) {
            // What a TLS server makes of clear text: an alert, and the end.
            let alert = vec![0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x0a];
            self.send(DELAY, Parcel::ToStack(Input::Data { id, bytes: alert }));
            return;
        }
        let mut answers = Vec::new();
        for frame in frames {
            match frame {
                Frame::Message(Message::Response(response)) => there.responses.push(response),
                Frame::Ping => answers.push(b"\r\n".to_vec()),
                Frame::Message(Message::Request(request)) => {
                    answers.extend(there.answer(transport, &request).map(|it| it.to_bytes()));
                }
                _ => {}
            }
        }
        for bytes in answers {
            self.send(DELAY, Parcel::ToStack(Input::Data { id, bytes }));
        }
    }

    fn is_lost(&mut self) -> bool {
        self.rng.up_to(99) < self.loss
    }

    /// Datagrams overtake each other.
    fn jitter(&mut self) -> Duration {
        DELAY + Duration::from_millis(self.rng.up_to(30))
    }
}
