//! One link: from a configured server to a flow that carries messages.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Context, LinkEvent, LinkFault, LinkId, MAX_PORT_TRIES, SLOW};
use crate::sip::event::{Output, QueryId, Session, SocketId, Stage, StreamFault, TimeOfDay};
use crate::sip::plan::LinkPlan;
use crate::sip::resolve::{Resolution, Source, Target};
use crate::sip::timer::Timers;
use crate::sip::transport::Transport;

/// What a message is sent through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// The stream, or the listener that datagrams leave from.
    pub socket: SocketId,
    /// Its local end.
    pub local: SocketAddr,
    /// The other end.
    pub peer: SocketAddr,
    /// What it is.
    pub transport: Transport,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not started, or closed.
    Idle,
    /// TLS is wanted and the time is unknown.
    WaitingForTime,
    /// The server's name is being looked up.
    Resolving,
    /// A stream is being opened.
    Connecting(Attempt),
    /// Messages can be sent.
    Up(Flow),
    /// Everything failed; the retry timer runs.
    Waiting,
}

/// Whether datagrams were given up for a request that is too large for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Streams {
    AsResolved,
    Only,
    Impossible,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    pub(super) socket: SocketId,
    pub(super) target: usize,
    pub(super) port: u16,
    pub(super) stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    Retry,
    Connect,
    Slow,
    Failback,
    Probe,
    Renew,
    Ping,
    Pong,
    Options,
}

/// The way from one gateway to one server.
#[derive(Debug)]
pub struct Link {
    /// Its name.
    pub id: LinkId,
    /// The gateway that it belongs to.
    pub gateway: String,
    /// What it was made from.
    pub plan: LinkPlan,
    pub(super) phase: Phase,
    pub(super) reason: Option<LinkFault>,
    pub(super) remark: Option<LinkFault>,
    pub(super) datagram: Option<(SocketId, SocketAddr)>,
    pub(super) targets: Vec<Target>,
    /// Who named them.
    pub(super) source: Source,
    pub(super) current: usize,
    pub(super) search: Option<(QueryId, Resolution)>,
    /// What TLS agreed on, while a secure stream is up.
    pub(super) session: Option<Session>,
    /// Attempts since it was last up, the one that succeeded among them.
    pub(super) attempts: u32,
    pub(super) failures: u32,
    pub(super) port_tries: u32,
    pub(super) probe: Option<Attempt>,
    pub(super) retired: Option<Flow>,
    pub(super) streams: Streams,
    pub(super) penalties: Vec<(SocketAddr, Instant)>,
    pub(super) opened: Option<Instant>,
    pub(super) active: Option<Instant>,
    pub(super) heard: bool,
    pub(super) outbound: bool,
    pub(super) draining: Option<Instant>,
    /// Targets of which it was told that they gave way, and that served nobody since.
    pub(super) given_way: Vec<SocketAddr>,
    pub(super) timers: Timers<Timer>,
}

impl Link {
    /// A link that has not begun.
    pub fn new(id: LinkId, gateway: String, plan: LinkPlan) -> Self {
        Self {
            id,
            gateway,
            plan,
            phase: Phase::Idle,
            reason: None,
            remark: None,
            datagram: None,
            targets: Vec::new(),
            source: Source::NameServers,
            current: 0,
            search: None,
            session: None,
            attempts: 0,
            failures: 0,
            port_tries: 0,
            probe: None,
            retired: None,
            streams: Streams::AsResolved,
            penalties: Vec::new(),
            opened: None,
            active: None,
            heard: false,
            outbound: false,
            draining: None,
            given_way: Vec::new(),
            timers: Timers::default(),
        }
    }

    /// Begins, or begins again: the clock first where TLS needs it, then the name.
    pub fn begin(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        self.timers.stop(Timer::Retry);
        if self.is_secure() && cx.time == TimeOfDay::Unknown {
            self.phase = Phase::WaitingForTime;
            self.reason = Some(LinkFault::WaitingForTime);
            return vec![LinkEvent::Down];
        }
        self.phase = Phase::Resolving;
        self.timers.set(Timer::Slow, cx.now + SLOW);
        self.resolve(cx)
    }

    /// The time became known.
    pub fn time_is_known(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        match self.phase {
            Phase::WaitingForTime => self.begin(cx),
            _ => Vec::new(),
        }
    }

    /// The gateway's UDP socket opened or closed.
    pub fn datagram_socket(
        &mut self,
        cx: &mut Context<'_>,
        socket: Option<(SocketId, SocketAddr)>,
    ) -> Vec<LinkEvent> {
        if self.datagram == socket {
            return Vec::new();
        }
        self.datagram = socket;
        let on_datagrams = self.flow().is_some_and(|it| it.transport == Transport::Udp)
            || self.reason == Some(LinkFault::NoDatagramSocket);
        match on_datagrams {
            true => self.begin(cx),
            false => Vec::new(),
        }
    }

    /// The way to send, while there is one.
    pub fn flow(&self) -> Option<Flow> {
        match &self.phase {
            Phase::Up(flow) => Some(*flow),
            _ => None,
        }
    }

    /// Why it is not up.
    pub fn reason(&self) -> Option<&LinkFault> {
        self.reason.as_ref()
    }

    /// The stream of this name, if it is open and this link's.
    pub fn stream(&self, socket: SocketId) -> Option<Flow> {
        self.flow()
            .into_iter()
            .chain(self.retired)
            .find(|it| it.socket == socket && it.transport != Transport::Udp)
    }

    /// Whether `socket` is one of its streams.
    pub fn owns(&self, socket: SocketId) -> bool {
        self.stream(socket).is_some()
            || self.attempt().is_some_and(|it| it.socket == socket)
            || self.probe.is_some_and(|it| it.socket == socket)
    }

    /// Whether `query` is its question.
    pub fn asked(&self, query: QueryId) -> bool {
        self.search.as_ref().is_some_and(|it| it.0 == query)
    }

    /// A stream could not be opened, or broke.
    pub fn failed(
        &mut self,
        cx: &mut Context<'_>,
        socket: SocketId,
        fault: StreamFault,
    ) -> Vec<LinkEvent> {
        if self.probe.is_some_and(|it| it.socket == socket) {
            self.log_probe(cx, &fault);
        }
        if self.forget_side_stream(cx, socket) {
            return Vec::new();
        }
        if let Some(attempt) = self.attempt() {
            self.timers.stop(Timer::Connect);
            cx.ports.release(attempt.port);
            if fault == StreamFault::PortBusy && self.port_tries < MAX_PORT_TRIES {
                self.port_tries += 1;
                return self.connect(cx, attempt.target, Some(attempt.port));
            }
            let fault = match fault {
                StreamFault::PortBusy => LinkFault::NoFreePort,
                fault => LinkFault::Stream(fault),
            };
            return self.next_target(cx, attempt.target, fault);
        }
        let fault = match fault {
            // A server that takes clear text for a broken handshake may reset at once.
            StreamFault::Reset if self.is_mute() => LinkFault::ClosedMute(self.gateway.clone()),
            fault => LinkFault::Stream(fault),
        };
        self.lose(cx, fault)
    }

    /// The peer closed a stream.
    pub fn closed(&mut self, cx: &mut Context<'_>, socket: SocketId) -> Vec<LinkEvent> {
        if self.forget_side_stream(cx, socket) {
            return Vec::new();
        }
        if self.attempt().is_some() {
            return self.failed(cx, socket, StreamFault::Reset);
        }
        let fault = self.closing_fault(cx.now);
        self.lose(cx, fault)
    }

    /// Another link takes over; this one serves until that is done.
    pub fn drain(&mut self, now: Instant) {
        self.draining = Some(now + super::DRAIN);
        self.timers.stop(Timer::Failback);
    }

    /// Whether it only serves until its successor does.
    pub fn is_draining(&self) -> bool {
        self.draining.is_some()
    }

    /// Whether a replaced link has served long enough.
    pub fn is_drained(&self, now: Instant) -> bool {
        self.draining.is_some_and(|at| at <= now) || (self.is_draining() && self.flow().is_none())
    }

    /// The users of a moved link have settled: the old stream can go.
    pub fn settled(&mut self, cx: &mut Context<'_>) {
        if let Some(flow) = self.retired.take() {
            close(cx, flow.socket, flow.local.port());
        }
    }

    /// Closes everything.
    pub fn close(&mut self, cx: &mut Context<'_>) {
        self.settled(cx);
        if let Some(probe) = self.probe.take() {
            close(cx, probe.socket, probe.port);
        }
        if let Some(attempt) = self.attempt() {
            close(cx, attempt.socket, attempt.port);
            self.phase = Phase::Idle;
        }
        self.drop_flow(cx);
        self.search = None;
        self.timers.clear();
    }

    /// The time of the next deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next().into_iter().chain(self.draining).min()
    }

    /// Runs what is due.
    pub fn tick(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        let mut events = Vec::new();
        while let Some(timer) = self.timers.expired(cx.now) {
            events.extend(self.expired(cx, timer));
        }
        events
    }

    /// Whether messages can be sent.
    pub fn is_up(&self) -> bool {
        self.flow().is_some()
    }

    /// Whether it waits for the time of day.
    pub fn waits_for_time(&self) -> bool {
        self.phase == Phase::WaitingForTime
    }

    pub(super) fn is_secure(&self) -> bool {
        self.plan.wanted.transports.contains(Transport::Tls)
    }

    pub(super) fn attempt(&self) -> Option<Attempt> {
        match &self.phase {
            Phase::Connecting(attempt) => Some(*attempt),
            _ => None,
        }
    }

    pub(super) fn expired(&mut self, cx: &mut Context<'_>, timer: Timer) -> Vec<LinkEvent> {
        match timer {
            Timer::Retry => self.begin(cx),
            Timer::Connect => self.connect_timed_out(cx),
            Timer::Slow => self.is_slow(),
            Timer::Failback => self.probe_first(cx),
            Timer::Probe => {
                if let Some(probe) = self.probe.take() {
                    close(cx, probe.socket, probe.port);
                    self.watch_for_failback(cx);
                }
                Vec::new()
            }
            Timer::Renew => match self.search {
                None if self.flow().is_some() => self.resolve(cx),
                _ => Vec::new(),
            },
            Timer::Ping => self.ping(cx),
            Timer::Pong => self.lose(cx, LinkFault::NoPong),
            Timer::Options => {
                if let Some(every) = cx.manner.options {
                    self.timers.set(Timer::Options, cx.now + every);
                }
                vec![LinkEvent::OptionsDue]
            }
        }
    }
}

/// Closes a stream and gives its port back.
pub(super) fn close(cx: &mut Context<'_>, socket: SocketId, port: u16) {
    cx.ports.release(port);
    cx.out.push_back(Output::Close { id: socket });
}
