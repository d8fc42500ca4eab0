//! What comes from the network: streams open and end, octets become messages, messages find who waits.

use std::net::SocketAddr;
use std::time::Instant;

use super::Stack;
use super::core::Core;
use super::peers::Voice;
use crate::sip::event::{Notice, Output, QueryId, Session, SocketId, StreamFault};
use crate::sip::link::{self, Link, LinkId};
use crate::sip::message::framing::{Frame, Framer, FramingError};
use crate::sip::message::{Message, Method, Response, validate_response};
use crate::sip::resolve::{Answer, LookupFault};
use crate::sip::transaction::table::{Hop, User};
use crate::sip::transport::Transport;

/// One stream and what has arrived of the next message.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) hop: Hop,
    pub(super) gateway: String,
    /// The link that opened it; none for a peer's.
    link: Option<LinkId>,
    framer: Framer,
    heard: bool,
    pub(super) voice: Voice,
}

impl Stream {
    /// A stream that no link opened.
    pub(super) fn of_peer(now: Instant, hop: Hop, gateway: String) -> Self {
        Self {
            hop,
            gateway,
            link: None,
            framer: Framer::new(),
            heard: false,
            voice: Voice::new(now),
        }
    }

    /// Whether no link of ours carries it.
    pub(super) fn is_of_peer(&self) -> bool {
        self.link.is_none()
    }

    /// Whether it is a way of this gateway to `peer`.
    pub(super) fn reaches(&self, gateway: &str, transport: Transport, peer: SocketAddr) -> bool {
        self.gateway == gateway && (self.hop.transport, self.hop.peer) == (transport, peer)
    }
}

impl Stack {
    pub(super) fn opened(
        &mut self,
        now: Instant,
        id: SocketId,
        local: SocketAddr,
        session: Option<Session>,
    ) {
        if self.way_opened(now, id) {
            return;
        }
        let Some((name, link_id)) = self.owner(id) else {
            self.core.out.push_back(Output::Close { id });
            return;
        };
        let Some(gateway) = self.gateways.get_mut(&name) else {
            return;
        };
        let Some(link) = gateway.link(link_id) else {
            return;
        };
        let events = link.opened(&mut self.core.context(now), id, local, session);
        if let Some(flow) = link.stream(id) {
            let stream = Stream {
                hop: Hop::from(flow),
                gateway: name,
                link: Some(link_id),
                framer: Framer::new(),
                heard: false,
                voice: Voice::new(now),
            };
            self.streams.insert(id, stream);
        }
        gateway.link_events(&mut self.core, now, link_id, events);
    }

    pub(super) fn accepted(
        &mut self,
        now: Instant,
        id: SocketId,
        listener: SocketId,
        peer: SocketAddr,
    ) {
        let found = self
            .gateways
            .values()
            .find_map(|it| Some((it.name.clone(), it.listens_on(listener)?)));
        let Some((gateway, transport)) = found else {
            self.core.out.push_back(Output::Close { id });
            return;
        };
        self.make_room();
        let hop = Hop {
            socket: id,
            peer,
            transport,
        };
        self.streams.insert(id, Stream::of_peer(now, hop, gateway));
    }

    /// A stream was closed by its peer, or failed.
    pub(super) fn stream_ended(&mut self, now: Instant, id: SocketId, fault: Option<StreamFault>) {
        if self.way_failed(now, id) {
            return;
        }
        if let Some(stream) = self.streams.remove(&id) {
            self.strays.insert(id, stream.gateway);
        }
        self.core.table.stream_gone(id);
        let Some((name, link_id)) = self.owner(id) else {
            return;
        };
        let Some(gateway) = self.gateways.get_mut(&name) else {
            return;
        };
        let Some(link) = gateway.link(link_id) else {
            return;
        };
        let mut cx = self.core.context(now);
        let events = match fault {
            Some(fault) => link.failed(&mut cx, id, fault),
            None => link.closed(&mut cx, id),
        };
        gateway.link_events(&mut self.core, now, link_id, events);
    }

    pub(super) fn resolved(
        &mut self,
        now: Instant,
        id: QueryId,
        answer: Result<Answer, LookupFault>,
    ) {
        if self.way_resolved(now, id, &answer) {
            return;
        }
        for gateway in self.gateways.values_mut() {
            let asked = |it: &&Link| it.asked(id);
            let links = gateway.links.values().chain(&gateway.draining);
            let Some(link_id) = { links }.find(asked).map(|it| it.id) else {
                continue;
            };
            if let Some(link) = gateway.link(link_id) {
                let events = link.resolved(&mut self.core.context(now), answer);
                gateway.link_events(&mut self.core, now, link_id, events);
            }
            return;
        }
    }

    pub(super) fn datagram(&mut self, now: Instant, id: SocketId, peer: SocketAddr, bytes: &[u8]) {
        let listening = self
            .gateways
            .values()
            .find(|it| it.listens_on(id) == Some(Transport::Udp));
        let Some(name) = listening.map(|it| it.name.clone()) else {
            return;
        };
        // RFC 5626 §4.4.1 pings and the pongs of others carry nothing.
        if bytes.iter().all(|it| b"\r\n\0 ".contains(it)) {
            return;
        }
        let hop = Hop {
            socket: id,
            peer,
            transport: Transport::Udp,
        };
        match Message::parse(bytes) {
            Ok(message) => self.message(now, &name, hop, message),
            Err(fault) => self.core.notice(Notice::Malformed {
                peer,
                reason: fault.to_string(),
            }),
        }
    }

    pub(super) fn data(&mut self, now: Instant, id: SocketId, bytes: &[u8]) {
        let Some(stream) = self.streams.get_mut(&id) else {
            return;
        };
        let first = !std::mem::replace(&mut stream.heard, true);
        if first && stream.hop.transport == Transport::Tcp && link::speaks_tls(bytes) {
            return self.broken(now, id, None, bytes);
        }
        stream.framer.push(bytes);
        if let Some(link) = stream.link {
            let name = stream.gateway.clone();
            let gateway = self.gateways.get_mut(&name);
            if let Some(link) = gateway.and_then(|it| it.link(link)) {
                link.heard(now);
            }
        }
        loop {
            let Some(stream) = self.streams.get_mut(&id) else {
                return;
            };
            let (hop, name) = (stream.hop, stream.gateway.clone());
            match stream.framer.next() {
                Ok(Some(frame)) => {
                    stream.voice.spoke(now);
                    match frame {
                        Frame::Message(message) => self.message(now, &name, hop, message),
                        Frame::Ping => self.core.out.push_back(hop.send(b"\r\n".to_vec())),
                        Frame::Pong => {}
                    }
                }
                Ok(None) => {
                    if stream.framer.is_within_message() {
                        stream.voice.began(now);
                    }
                    return;
                }
                Err(fault) => return self.broken(now, id, Some(&fault), &[]),
            }
        }
    }

    /// A stream cannot be followed any more: its last request is answered, and it is closed.
    fn broken(&mut self, now: Instant, id: SocketId, fault: Option<&FramingError>, seen: &[u8]) {
        let Some(stream) = self.streams.remove(&id) else {
            return;
        };
        if let Some((status, request)) = fault.and_then(FramingError::answer)
            && request.method != Method::Ack
        {
            let tag = self.core.rng.token();
            let response = Response::answering(request, status, Some(&tag));
            self.core
                .out
                .push_back(stream.hop.send(response.to_bytes()));
        }
        self.core.table.stream_gone(id);
        self.strays.insert(id, stream.gateway.clone());
        let Some(link_id) = stream.link else {
            self.core.out.push_back(Output::Close { id });
            return;
        };
        let Some(gateway) = self.gateways.get_mut(&stream.gateway) else {
            return;
        };
        if let Some(link) = gateway.link(link_id) {
            let events = link.misunderstood(&mut self.core.context(now), seen);
            gateway.link_events(&mut self.core, now, link_id, events);
        }
    }

    fn message(&mut self, now: Instant, gateway: &str, hop: Hop, message: Message) {
        match message {
            Message::Response(response) => self.response(now, hop.peer, &response),
            Message::Request(request) => self.request(now, gateway, hop, request),
        }
    }

    /// RFC 3261 §18.1.2: a response that nobody waits for is dropped; none is ever answered.
    fn response(&mut self, now: Instant, peer: SocketAddr, response: &Response) {
        if let Err(fault) = validate_response(response) {
            self.core.notice(Notice::Malformed {
                peer,
                reason: fault.to_string(),
            });
            return;
        }
        let Core { table, out, .. } = &mut self.core;
        let Some(user) = table.response(now, response, out) else {
            return;
        };
        if let User::Call(leg, ask) = user {
            return self.call_answered(now, leg, ask, response);
        }
        if response.status.is_provisional() {
            return;
        }
        for gateway in self.gateways.values_mut() {
            match user {
                User::Registration(id) if gateway.registration(id).is_some() => {
                    return gateway.answered(&mut self.core, now, id, response);
                }
                User::KeepAlive(id) if gateway.link(id).is_some() => {
                    return gateway.keep_alive_answered(&mut self.core, id);
                }
                _ => {}
            }
        }
    }

    /// The gateway and the link that a stream belongs to.
    fn owner(&self, id: SocketId) -> Option<(String, LinkId)> {
        self.gateways.values().find_map(|gateway| {
            let mut links = gateway.links.values().chain(&gateway.draining);
            let link = links.find(|it| it.owns(id))?;
            Some((gateway.name.clone(), link.id))
        })
    }
}
