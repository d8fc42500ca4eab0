//! An engine on a simulated wire, and the other party, for the stories beside it.

use super::{At, Engine, Output, Port};
use crate::media::codec::Codec;
use crate::media::jitter::{Limits, Manner};
use crate::media::keys::Material;
use crate::media::negotiation::Payloads;
use crate::media::seam::{
    Event, Kind, Latching, Medium, Order, Ports, Security, StreamId, Terms, Voice,
};
use crate::media::srtp::{Receiver, Sender, Sequence, Suite};
use crate::wire::rtp::{Header, Packet};
use crate::wire::sdp::Direction;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

pub(super) const A: StreamId = StreamId(1);
pub(super) const B: StreamId = StreamId(2);

/// An engine with two streams, and what left it.
pub(super) struct Desk {
    pub(super) engine: Engine,
    pub(super) now: Instant,
    pub(super) events: Vec<Event>,
    pub(super) left: Vec<(At, SocketAddr, Vec<u8>)>,
}

pub(super) fn place(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

pub(super) fn voice(security: Security) -> Voice {
    Voice {
        codecs: vec![(
            Codec::Pcma,
            Payloads {
                send: 8,
                receive: 8,
            },
        )],
        noise: None,
        dtmf: None,
        direction: Direction::SendRecv,
        packet: Duration::from_millis(20),
        jitter: Limits {
            minimum: Duration::ZERO,
            nominal: Duration::from_millis(20),
            maximum: Duration::from_millis(200),
            manner: Manner::Immediately,
        },
        security,
    }
}

pub(super) fn terms(port: u16, medium: Medium) -> Box<Terms> {
    Box::new(Terms {
        remote: Some(place(port)),
        remote_rtcp: Some(place(port + 1)),
        latching: Latching::On,
        dscp: 46,
        silence: Some(Duration::from_secs(30)),
        medium,
    })
}

pub(super) fn material(suite: Suite, fill: u8) -> Material {
    let length = suite.key_length() + suite.salt_length();
    Material::of(suite, Zeroizing::new(vec![fill; length]))
}

pub(super) fn srtp(suite: Suite, [send, receive]: [u8; 2]) -> Security {
    Security::Srtp {
        send: material(suite, send),
        receive: material(suite, receive),
        sequence: Sequence::Continues,
        overlap: Duration::from_secs(1),
    }
}

pub(super) fn rtp(payload_type: u8, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let header = Header {
        marker: false,
        payload_type,
        sequence,
        timestamp: u32::from(sequence) * 160,
        ssrc: 77,
    };
    let mut packet = Vec::new();
    Packet::new(header, payload).write(&mut packet);
    packet
}

pub(super) fn at(slot: usize) -> At {
    At {
        slot,
        port: Port::Media,
    }
}

impl Desk {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let mut count = 0x1234_5678_9abc_u64;
        let random = move || {
            count = count
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            count
        };
        let engine = Engine::new(now, Box::new(random));
        let (events, left) = (Vec::new(), Vec::new());
        let mut desk = Self {
            engine,
            now,
            events,
            left,
        };
        for (slot, id) in [A, B].into_iter().enumerate() {
            let (address, first, last) = (place(1).ip(), 10, 20);
            let kind = Kind::Pair;
            desk.order(Order::Open(
                id,
                Ports {
                    address,
                    first,
                    last,
                    kind,
                },
            ));
            desk.engine.bound(slot, Ok((10, Some(11))));
        }
        desk
    }

    /// Two streams that are joined.
    pub(super) fn joined(a: Medium, b: Medium) -> Self {
        let mut desk = Self::new();
        desk.order(Order::Set(A, terms(1000, a)));
        desk.order(Order::Set(B, terms(2000, b)));
        desk.order(Order::Join(A, B));
        desk.settle();
        desk.events.clear();
        desk
    }

    pub(super) fn order(&mut self, order: Order) {
        self.engine.order(self.now, order);
        self.settle();
    }

    pub(super) fn settle(&mut self) {
        let each = self.engine.outbox().each();
        let left = each.map(|one| (one.at, one.to, one.octets.to_vec()));
        self.left.extend(left);
        self.engine.outbox().clear();
        while let Some(output) = self.engine.poll() {
            if let Output::Event(event) = output {
                self.events.push(event);
            }
        }
    }

    /// What leaves for a datagram that comes.
    pub(super) fn come(&mut self, slot: usize, port: u16, datagram: &[u8]) -> Vec<Vec<u8>> {
        self.left.clear();
        let mut datagram = datagram.to_vec();
        self.engine
            .receive(self.now, at(slot), place(port), &mut datagram);
        self.settle();
        let left = self.left.iter();
        left.map(|(_, _, octets)| octets.clone()).collect()
    }

    pub(super) fn pass(&mut self, milliseconds: u64) {
        for _ in 0..milliseconds / 10 {
            self.now += Duration::from_millis(10);
            self.engine.tick(self.now);
            self.settle();
        }
    }
}

pub(super) fn protected(sender: &mut Sender, packet: &[u8]) -> Vec<u8> {
    let mut buffer = packet.to_vec();
    buffer.resize(packet.len() + 200, 0);
    let length = sender
        .protect(&mut buffer, packet.len())
        .expect("protected");
    buffer.truncate(length);
    buffer
}

pub(super) fn opened(receiver: &mut Receiver, packet: &[u8]) -> Option<Vec<u8>> {
    let mut buffer = packet.to_vec();
    let length = receiver.unprotect(&mut buffer).ok()?;
    buffer.truncate(length);
    Some(buffer)
}
