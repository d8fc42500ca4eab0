//! Opening streams: the first one, and a better one beside it.

use std::net::SocketAddr;
use std::time::Instant;

use super::machine::{Attempt, Flow, Link, Phase, Timer, close};
use super::targets::is_penalised;
use super::{Context, HANDSHAKE_TIME, LinkEvent, LinkFault, REVOCATION_TIME, SLOW};
use crate::sip::event::{
    Connect, Notice, Output, Reference, Session, SocketId, Stage, StreamFault,
};
use crate::sip::transport::Transport;

impl Link {
    /// A stream opened.
    pub fn opened(
        &mut self,
        cx: &mut Context<'_>,
        socket: SocketId,
        local: SocketAddr,
        session: Option<Session>,
    ) -> Vec<LinkEvent> {
        if let Some(probe) = self.probe.filter(|it| it.socket == socket) {
            self.probe = None;
            return self.fail_back(cx, probe, local, session);
        }
        match self.attempt().filter(|it| it.socket == socket) {
            Some(attempt) => {
                self.timers.stop(Timer::Connect);
                self.raise(cx, attempt.socket, local, attempt.target);
                self.session = session;
                vec![LinkEvent::Up]
            }
            None => Vec::new(),
        }
    }

    pub(super) fn take_datagrams(&mut self, cx: &mut Context<'_>, target: usize) -> Vec<LinkEvent> {
        let Some((socket, local)) = self.datagram else {
            self.phase = Phase::Idle;
            self.reason = Some(LinkFault::NoDatagramSocket);
            return vec![LinkEvent::Down];
        };
        self.raise(cx, socket, local, target);
        vec![LinkEvent::Up]
    }

    pub(super) fn connect(
        &mut self,
        cx: &mut Context<'_>,
        target: usize,
        busy: Option<u16>,
    ) -> Vec<LinkEvent> {
        // Another local port is the same attempt.
        self.attempts = self.attempts.saturating_add(u32::from(busy.is_none()));
        let Some(attempt) = self.dial(cx, target, busy) else {
            return self.wait(cx, LinkFault::NoFreePort);
        };
        self.phase = Phase::Connecting(attempt);
        self.timers
            .set(Timer::Connect, cx.now + cx.manner.connect_timeout);
        self.timers.set(Timer::Slow, cx.now + SLOW);
        Vec::new()
    }

    /// A stream that is being opened got further, and waits for `stage` now.
    pub fn advanced(&mut self, now: Instant, socket: SocketId, stage: Stage) {
        let patience = match stage {
            Stage::Connection => return,
            Stage::Handshake => HANDSHAKE_TIME,
            Stage::Revocation => REVOCATION_TIME,
        };
        match (&mut self.phase, &mut self.probe) {
            (Phase::Connecting(attempt), _) if attempt.socket == socket => {
                attempt.stage = stage;
                self.timers.set(Timer::Connect, now + patience);
                self.timers.set(Timer::Slow, now + SLOW);
            }
            (_, Some(probe)) if probe.socket == socket => {
                probe.stage = stage;
                self.timers.set(Timer::Probe, now + patience);
            }
            _ => {}
        }
    }

    /// What is waited for takes long: it is said, and its users count it as down.
    pub(super) fn is_slow(&mut self) -> Vec<LinkEvent> {
        let fault = match &self.phase {
            Phase::Resolving => LinkFault::SlowName(self.plan.wanted.server.host.clone()),
            Phase::Connecting(attempt) => match (attempt.stage, self.targets.get(attempt.target)) {
                (Stage::Handshake, _) => LinkFault::Stream(StreamFault::Mute),
                (Stage::Revocation, _) => LinkFault::SlowRevocation,
                (Stage::Connection, Some(target)) => LinkFault::SlowConnection(target.addr),
                (Stage::Connection, None) => return Vec::new(),
            },
            Phase::Idle | Phase::WaitingForTime | Phase::Waiting | Phase::Up(_) => {
                return Vec::new();
            }
        };
        self.reason = Some(fault);
        vec![LinkEvent::Down]
    }

    pub(super) fn dial(
        &mut self,
        cx: &mut Context<'_>,
        target: usize,
        busy: Option<u16>,
    ) -> Option<Attempt> {
        let range = self.plan.ports?;
        let port = cx.ports.take(range, busy)?;
        if range.interval != 0 {
            cx.out.push_back(Output::RememberPort(port));
        }
        let socket = cx.ids.socket();
        let at = &self.targets[target];
        let connect = Connect {
            id: socket,
            local: SocketAddr::new(self.plan.ip, port),
            peer: at.addr,
            transport: at.transport,
            reference: Reference {
                host: self.plan.wanted.server.host.clone(),
                srv_target: at.name.clone(),
            },
            tcp_keep_alive: self.plan.tcp_keep_alive,
        };
        cx.notice(Notice::LinkEstablishing {
            gateway: self.gateway.clone(),
            server: self.server_at(target),
            port,
        });
        cx.out.push_back(Output::Connect(connect));
        Some(Attempt {
            socket,
            target,
            port,
            stage: Stage::Connection,
        })
    }

    pub(super) fn raise(
        &mut self,
        cx: &mut Context<'_>,
        socket: SocketId,
        local: SocketAddr,
        target: usize,
    ) {
        let at = &self.targets[target];
        let flow = Flow {
            socket,
            local,
            peer: at.addr,
            transport: at.transport,
        };
        self.current = target;
        self.phase = Phase::Up(flow);
        self.reason = None;
        self.session = None;
        self.heard = false;
        self.outbound = false;
        self.opened = Some(cx.now);
        self.active = Some(cx.now);
        for timer in [Timer::Slow, Timer::Pong, Timer::Ping] {
            self.timers.stop(timer);
        }
        if flow.transport != Transport::Udp {
            cx.notice(Notice::LinkUp {
                gateway: self.gateway.clone(),
                server: self.server_at(target),
                port: local.port(),
            });
        }
        self.schedule_keep_alive(cx);
        self.watch_for_failback(cx);
    }

    pub(super) fn watch_for_failback(&mut self, cx: &Context<'_>) {
        match self.current {
            0 => self.timers.stop(Timer::Failback),
            _ => self
                .timers
                .set(Timer::Failback, cx.now + cx.manner.failback),
        }
    }

    pub(super) fn connect_timed_out(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        let Some(attempt) = self.attempt() else {
            return Vec::new();
        };
        close(cx, attempt.socket, attempt.port);
        let fault = LinkFault::Stream(match attempt.stage {
            Stage::Handshake => StreamFault::Mute,
            Stage::Connection | Stage::Revocation => StreamFault::TimedOut,
        });
        self.next_target(cx, attempt.target, fault)
    }

    /// Tries the first target beside the one in use (`transportFailbackInterval`).
    pub(super) fn probe_first(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        let Some(flow) = self.flow() else {
            return Vec::new();
        };
        if self.current == 0 || self.probe.is_some() {
            return Vec::new();
        }
        let first = &self.targets[0];
        if (flow.transport, first.transport) == (Transport::Udp, Transport::Udp) {
            // The next request goes there: see `flow_for_request`.
            return Vec::new();
        }
        if first.transport == Transport::Udp || is_penalised(&self.penalties, first.addr, cx.now) {
            self.watch_for_failback(cx);
            return Vec::new();
        }
        self.probe = self.dial(cx, 0, None);
        self.timers
            .set(Timer::Probe, cx.now + cx.manner.connect_timeout);
        Vec::new()
    }

    pub(super) fn fail_back(
        &mut self,
        cx: &mut Context<'_>,
        probe: Attempt,
        local: SocketAddr,
        session: Option<Session>,
    ) -> Vec<LinkEvent> {
        self.timers.stop(Timer::Probe);
        self.settled(cx);
        // The socket of datagrams is the gateway's, and stays.
        self.retired = self.flow().filter(|it| it.transport != Transport::Udp);
        self.raise(cx, probe.socket, local, probe.target);
        self.session = session;
        self.attempts = 1;
        self.log_failback(cx);
        vec![LinkEvent::Moved]
    }

    /// A stream beside the one in use ended: no matter for the users.
    pub(super) fn forget_side_stream(&mut self, cx: &mut Context<'_>, socket: SocketId) -> bool {
        if let Some(probe) = self.probe.filter(|it| it.socket == socket) {
            cx.ports.release(probe.port);
            self.probe = None;
            self.timers.stop(Timer::Probe);
            if let Some(first) = self.targets.first() {
                self.penalise(cx, first.addr);
            }
            self.watch_for_failback(cx);
            return true;
        }
        match self.retired {
            Some(flow) if flow.socket == socket => {
                cx.ports.release(flow.local.port());
                self.retired = None;
                true
            }
            _ => false,
        }
    }
}
