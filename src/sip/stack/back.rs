//! The way back for responses whose connection is gone (RFC 3261 §18.2.2).
//!
//! A response belongs on the connection of its request. Where that is closed,
//! it takes one that stands to where the request came from, or one is opened
//! there; where that fails, RFC 3263 §5 finds other places by the name in the
//! Via. A TLS peer is judged as a server is. What cannot be returned is lost.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use super::Stack;
use super::arrive::Stream;
use crate::sip::event::{Connect, Output, QueryId, Reference, SocketId};
use crate::sip::hostport::HostPort;
use crate::sip::message::{Message, Via};
use crate::sip::resolve::{
    Answer, Families, LookupFault, NaptrInTls, Progress, Resolution, Target, Wanted,
};
use crate::sip::settings::SupportedDnsQueries;
use crate::sip::transaction::served::Stranded;
use crate::sip::transaction::table::Hop;
use crate::sip::transport::{Transport, Transports, via};

/// Ways that are sought at once.
const MAX_WAYS: usize = 32;
/// Responses that may wait for one way.
const MAX_WAITING: usize = 16;

/// One way that is being sought.
#[derive(Debug)]
pub(super) struct Way {
    /// The connection that is gone.
    gone: SocketId,
    gateway: String,
    transport: Transport,
    /// The host of the Via's sent-by: whom a TLS peer must prove to be.
    host: String,
    /// What RFC 3263 §5 looks for; taken once it did.
    sent_by: Option<HostPort>,
    /// Where the request came from; not tried twice.
    source: SocketAddr,
    /// Where to try.
    targets: VecDeque<Target>,
    waiting: Vec<Vec<u8>>,
    stage: Stage,
}

#[derive(Debug)]
enum Stage {
    Opening {
        socket: SocketId,
        peer: SocketAddr,
        until: Instant,
    },
    Asking(QueryId, Box<Resolution>),
    /// Between two of these.
    Idle,
}

impl Way {
    /// When what is being opened has taken too long.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Opening { until, .. } => Some(until),
            Stage::Asking(..) | Stage::Idle => None,
        }
    }

    fn socket(&self) -> Option<SocketId> {
        match self.stage {
            Stage::Opening { socket, .. } => Some(socket),
            Stage::Asking(..) | Stage::Idle => None,
        }
    }

    fn connect(&self, socket: SocketId, ip: IpAddr, target: Target) -> Output {
        Output::Connect(Connect {
            id: socket,
            local: SocketAddr::new(ip, 0),
            peer: target.addr,
            transport: self.transport,
            reference: Reference {
                host: self.host.clone(),
                srv_target: target.name,
            },
            tcp_keep_alive: None,
        })
    }

    /// RFC 3263 §5 knows no NAPTR: the Via says the transport.
    fn wanted(&mut self, ip: IpAddr) -> Option<Wanted> {
        Some(Wanted {
            server: self.sent_by.take()?,
            transports: Transports::of(&[self.transport]),
            families: Families {
                v4: ip.is_ipv4(),
                v6: ip.is_ipv6(),
            },
            queries: SupportedDnsQueries::Srv,
            naptr_in_tls: NaptrInTls::Skipped,
        })
    }
}

impl Stack {
    /// Finds a way for the responses that lost theirs.
    pub(super) fn return_stranded(&mut self, now: Instant) {
        for Stranded { hop, bytes } in self.core.table.stranded() {
            match self.ways.iter_mut().find(|it| it.gone == hop.socket) {
                Some(way) if way.waiting.len() < MAX_WAITING => way.waiting.push(bytes),
                Some(_) => {}
                None => self.seek(now, hop, bytes),
            }
        }
        let table = &self.core.table;
        self.strays.retain(|id, _| table.serves(*id));
    }

    fn seek(&mut self, now: Instant, hop: Hop, bytes: Vec<u8>) {
        let Some(gateway) = self.strays.get(&hop.socket).cloned() else {
            return;
        };
        let Some(top) = top_via(&bytes) else { return };
        let source = via::way_back(&top, hop);
        let mut streams = self.streams.values();
        if let Some(stream) = streams.find(|it| it.reaches(&gateway, hop.transport, source)) {
            let stands = stream.hop;
            self.core.table.rehome(hop.socket, stands);
            self.core.out.push_back(stands.send(bytes));
            return;
        }
        if self.ways.len() >= MAX_WAYS {
            return;
        }
        let sent_by = HostPort::parse(&top.host.to_string()).ok().flatten();
        let host = sent_by.as_ref().map(|it| it.host.clone());
        let host = host.unwrap_or_else(|| source.ip().to_string());
        self.ways.push(Way {
            gone: hop.socket,
            gateway,
            transport: hop.transport,
            sent_by: sent_by.map(|it| HostPort {
                port: top.port.unwrap_or(0),
                ..it
            }),
            source,
            targets: VecDeque::from([Target {
                transport: hop.transport,
                addr: source,
                name: host.clone(),
            }]),
            host,
            waiting: vec![bytes],
            stage: Stage::Idle,
        });
        self.try_next(now, hop.socket);
    }

    /// The next place of a way, or what its name leads to, or its end.
    fn try_next(&mut self, now: Instant, gone: SocketId) {
        let Some(at) = self.ways.iter().position(|it| it.gone == gone) else {
            return;
        };
        let mut way = self.ways.swap_remove(at);
        let gateway = self.gateways.get(&way.gateway);
        let Some(ip) = gateway.and_then(|it| it.plan.ip) else {
            return;
        };
        if let Some(target) = way.targets.pop_front() {
            let socket = self.core.ids.socket();
            let until = now + self.core.manner.connect_timeout;
            let peer = target.addr;
            way.stage = Stage::Opening {
                socket,
                peer,
                until,
            };
            self.core.out.push_back(way.connect(socket, ip, target));
            self.ways.push(way);
        } else if let Some(wanted) = way.wanted(ip) {
            let (search, progress) = Resolution::start(wanted);
            self.learn(now, way, search, progress);
        }
    }

    fn learn(&mut self, now: Instant, mut way: Way, search: Resolution, progress: Progress) {
        let gone = way.gone;
        match progress {
            Progress::Ask(query) => {
                let id = self.core.ids.query();
                way.stage = Stage::Asking(id, Box::new(search));
                self.ways.push(way);
                self.core.out.push_back(Output::Resolve { id, query });
            }
            Progress::Found(found) => {
                way.targets = found.targets.into();
                way.targets.retain(|it| it.addr != way.source);
                self.ways.push(way);
                self.try_next(now, gone);
            }
            Progress::Failed(_) => {}
        }
    }

    /// Whether `id` is the connection of a way, which is found then.
    pub(super) fn way_opened(&mut self, now: Instant, id: SocketId) -> bool {
        let Some(at) = self.ways.iter().position(|it| it.socket() == Some(id)) else {
            return false;
        };
        let way = self.ways.swap_remove(at);
        let Stage::Opening { peer, .. } = way.stage else {
            return false;
        };
        let hop = Hop {
            socket: id,
            peer,
            transport: way.transport,
        };
        self.streams
            .insert(id, Stream::of_peer(now, hop, way.gateway));
        self.core.table.rehome(way.gone, hop);
        let sent = way.waiting.into_iter().map(|it| hop.send(it));
        self.core.out.extend(sent);
        true
    }

    /// Whether `id` is the connection of a way, which goes on elsewhere then.
    pub(super) fn way_failed(&mut self, now: Instant, id: SocketId) -> bool {
        let way = self.ways.iter().find(|it| it.socket() == Some(id));
        let Some(gone) = way.map(|it| it.gone) else {
            return false;
        };
        self.try_next(now, gone);
        true
    }

    /// Whether `id` is the question of a way.
    pub(super) fn way_resolved(
        &mut self,
        now: Instant,
        id: QueryId,
        answer: &Result<Answer, LookupFault>,
    ) -> bool {
        let asks = |it: &Way| matches!(it.stage, Stage::Asking(query, _) if query == id);
        let Some(at) = self.ways.iter().position(asks) else {
            return false;
        };
        let mut way = self.ways.swap_remove(at);
        if let Stage::Asking(_, mut search) = std::mem::replace(&mut way.stage, Stage::Idle) {
            let progress = search.answer(answer.clone(), &mut self.core.rng);
            self.learn(now, way, *search, progress);
        }
        true
    }

    /// Gives up what took too long.
    pub(super) fn tick_ways(&mut self, now: Instant) {
        let late = |it: &&Way| it.deadline().is_some_and(|at| at <= now);
        let late: Vec<_> = { self.ways.iter() }
            .filter(late)
            .map(|it| (it.gone, it.socket()))
            .collect();
        for (gone, socket) in late {
            let close = socket.map(|id| Output::Close { id });
            self.core.out.extend(close);
            self.try_next(now, gone);
        }
    }

    /// Lets every way go.
    pub(super) fn close_ways(&mut self) {
        let sockets = { self.ways.drain(..) }.filter_map(|it| it.socket());
        let closed = sockets.map(|id| Output::Close { id });
        self.core.out.extend(closed);
    }
}

fn top_via(response: &[u8]) -> Option<Via> {
    let Ok(Message::Response(response)) = Message::parse(response) else {
        return None;
    };
    response.headers.via().ok()
}
