//! Watching a flow: pings, silence, and what its end says.

use std::time::{Duration, Instant};

use super::machine::{Link, Phase, Timer, close};
use super::{Context, LinkEvent, LinkFault, OUTBOUND_PING, PONG_WAIT, backoff};
use crate::sip::event::Output;
use crate::sip::transport::Transport;

/// A stream that stood this long counts as a success, and the next back-off starts small again.
const STABLE: Duration = Duration::from_secs(30);
/// A link closed after this many seconds without traffic was closed for idleness.
const IDLE: u64 = 5;

/// What giving up a flow led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GivenUp {
    /// Another target is tried, or the same one after a pause.
    Moving(Vec<LinkEvent>),
    /// There is no other, and the flow stays.
    Alone,
}

impl Link {
    /// What came on a stream is not SIP: TLS, or rubbish.
    pub fn misunderstood(&mut self, cx: &mut Context<'_>, octets: &[u8]) -> Vec<LinkEvent> {
        let fault = match speaks_tls(octets) {
            true => LinkFault::SpeaksTls(self.gateway.clone()),
            false => LinkFault::NotSip,
        };
        self.lose(cx, fault)
    }

    /// Octets came or went: the link is not idle.
    pub fn touch(&mut self, now: Instant) {
        self.active = Some(now);
    }

    /// Octets came: the peer is alive, and a ping needs no answer any more.
    pub fn heard(&mut self, now: Instant) {
        self.touch(now);
        self.heard = true;
        self.timers.stop(Timer::Pong);
    }

    /// The server agreed to RFC 5626 keep-alives; `every` where it named the interval.
    pub fn keep_alive_agreed(&mut self, cx: &mut Context<'_>, every: Option<Duration>) {
        self.outbound = true;
        if self.timers.at(Timer::Ping).is_none() && self.flow().is_some() {
            let wait = backoff::shortened(every.unwrap_or(OUTBOUND_PING), 80, cx.rng);
            self.timers.set(Timer::Ping, cx.now + wait);
        }
    }

    /// The flow is of no use: the next target is tried, if there is one.
    pub fn give_up(&mut self, cx: &mut Context<'_>, fault: LinkFault) -> GivenUp {
        let Some(flow) = self.flow() else {
            return GivenUp::Moving(Vec::new());
        };
        self.penalise(cx, flow.peer);
        let more = self.has_another();
        let refused = matches!(fault, LinkFault::Refused(_));
        if !more && (refused || flow.transport == Transport::Udp) {
            self.restart_round(flow);
            return GivenUp::Alone;
        }
        if !more {
            return GivenUp::Moving(self.lose(cx, fault));
        }
        self.drop_flow(cx);
        let mut events = vec![LinkEvent::Down];
        events.extend(self.next_target(cx, self.current, fault));
        GivenUp::Moving(events)
    }

    /// Takes up keep-alives as the manner says now.
    pub fn schedule_keep_alive(&mut self, cx: &mut Context<'_>) {
        if self.flow().is_none() {
            return;
        }
        if cx.manner.ping.is_some() || cx.manner.options.is_some() {
            self.remark = None;
        }
        match cx.manner.ping {
            Some(every) => {
                let wait = backoff::shortened(every, 80, cx.rng);
                // A link that was idle for longer than that is pinged at once.
                let since = self.active.unwrap_or(cx.now);
                self.timers.set(Timer::Ping, (since + wait).max(cx.now));
            }
            None if !self.outbound => self.timers.stop(Timer::Ping),
            None => {}
        }
        match cx.manner.options {
            Some(every) => self.timers.set(Timer::Options, cx.now + every),
            None => self.timers.stop(Timer::Options),
        }
    }

    /// The flow is gone: a pause, then from the top.
    pub(super) fn lose(&mut self, cx: &mut Context<'_>, fault: LinkFault) -> Vec<LinkEvent> {
        if self.flow().is_none() {
            return Vec::new();
        }
        self.log_failure(cx, self.current, &fault);
        if self.opened.is_some_and(|at| cx.now >= at + STABLE) {
            self.failures = 0;
        }
        self.remark = matches!(fault, LinkFault::ClosedIdle(_)).then(|| fault.clone());
        self.drop_flow(cx);
        self.wait(cx, fault)
    }

    pub(super) fn drop_flow(&mut self, cx: &mut Context<'_>) {
        let Some(flow) = self.flow() else { return };
        if flow.transport != Transport::Udp {
            close(cx, flow.socket, flow.local.port());
        }
        self.phase = Phase::Idle;
        self.session = None;
        self.attempts = 0;
        for timer in [Timer::Ping, Timer::Pong, Timer::Options, Timer::Failback] {
            self.timers.stop(timer);
        }
    }

    /// RFC 5626 §4.4.1: a double CRLF, answered on streams by one.
    pub(super) fn ping(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        let Some(flow) = self.flow() else {
            return Vec::new();
        };
        let bytes = b"\r\n\r\n".to_vec();
        self.active = Some(cx.now);
        match flow.transport {
            // Datagrams get no pong: this only keeps a NAT binding open.
            Transport::Udp => cx.out.push_back(Output::Datagram {
                id: flow.socket,
                peer: flow.peer,
                bytes,
            }),
            Transport::Tcp | Transport::Tls => {
                self.timers.set(Timer::Pong, cx.now + PONG_WAIT);
                cx.out.push_back(Output::Write {
                    id: flow.socket,
                    bytes,
                });
            }
        }
        let every = cx.manner.ping.or(self.outbound.then_some(OUTBOUND_PING));
        if let Some(every) = every {
            let wait = backoff::shortened(every, 80, cx.rng);
            self.timers.set(Timer::Ping, cx.now + wait);
        }
        Vec::new()
    }

    /// Whether it is a clear stream on which the peer has not said anything yet.
    pub(super) fn is_mute(&self) -> bool {
        !self.heard && self.flow().is_some_and(|it| it.transport == Transport::Tcp)
    }

    pub(super) fn closing_fault(&self, now: Instant) -> LinkFault {
        if self.is_mute() {
            return LinkFault::ClosedMute(self.gateway.clone());
        }
        // To the nearest second: the peer's clock started a little before ours.
        let idle = self
            .active
            .map_or(Duration::ZERO, |at| now.duration_since(at));
        let idle = (idle + Duration::from_millis(500)).as_secs();
        match idle {
            0..IDLE => LinkFault::Closed,
            idle => LinkFault::ClosedIdle(idle),
        }
    }
}

/// Whether a stream begins with a TLS alert or handshake record (RFC 8446 §5.1).
pub fn speaks_tls(octets: &[u8]) -> bool {
    matches!(octets, [0x15 | 0x16, 0x03, ..])
}
