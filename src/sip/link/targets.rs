//! Where a link goes: its targets, their order, and the next one after a failure.

use std::net::SocketAddr;
use std::time::Instant;

use super::machine::{Flow, Link, Phase, Streams, Timer};
use super::{Context, LinkEvent, LinkFault, backoff};
use crate::sip::event::{Notice, Output};
use crate::sip::resolve::{
    Answer, Found, LookupFault, Progress, Resolution, ResolveError, Source, Target,
};
use crate::sip::settings::DnsFailureConcealment;
use crate::sip::transport::Transport;

impl Link {
    /// The way to send a request that starts a transaction: a datagram link
    /// returns to its first target once that one had time to recover.
    pub fn flow_for_request(&mut self, cx: &mut Context<'_>) -> Option<Flow> {
        let mut flow = self.flow()?;
        if flow.transport == Transport::Udp && self.current > 0 {
            let now = cx.now;
            let rested = self.timers.at(Timer::Failback).is_none_or(|at| at <= now);
            if rested
                && !is_penalised(&self.penalties, self.targets[0].addr, now)
                && self.targets[0].transport == Transport::Udp
            {
                self.current = 0;
                flow.peer = self.targets[0].addr;
                self.phase = Phase::Up(flow);
                self.timers.stop(Timer::Failback);
                self.log_failback(cx);
            }
        }
        Some(flow)
    }

    /// A request is too large for a datagram (RFC 3261 §18.1.1): TCP is tried
    /// instead, and datagrams again only where that cannot be had.
    pub fn use_streams(&mut self, cx: &mut Context<'_>) -> Option<Vec<LinkEvent>> {
        let on_datagrams = self.flow().is_some_and(|it| it.transport == Transport::Udp);
        if self.streams == Streams::Impossible || !on_datagrams {
            return None;
        }
        self.streams = Streams::Only;
        self.drop_flow(cx);
        self.phase = Phase::Resolving;
        only_streams(&mut self.targets);
        let mut events = vec![LinkEvent::Down];
        events.extend(self.first_target(cx));
        Some(events)
    }

    /// A name server answered.
    pub fn resolved(
        &mut self,
        cx: &mut Context<'_>,
        answer: Result<Answer, LookupFault>,
    ) -> Vec<LinkEvent> {
        let Some((_, mut search)) = self.search.take() else {
            return Vec::new();
        };
        let progress = search.answer(answer, cx.rng);
        self.advance(cx, search, progress)
    }

    /// Names may lead elsewhere: what was found, or was not, is asked anew.
    pub fn names_changed(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        if self.plan.wanted.server.address().is_some() {
            return Vec::new();
        }
        match self.phase {
            Phase::Resolving | Phase::Up(_) => self.resolve(cx),
            Phase::Waiting => self.begin(cx),
            Phase::Idle | Phase::WaitingForTime | Phase::Connecting(_) => Vec::new(),
        }
    }

    pub(super) fn resolve(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        let (search, progress) = Resolution::start(self.plan.wanted.clone());
        self.advance(cx, search, progress)
    }

    pub(super) fn advance(
        &mut self,
        cx: &mut Context<'_>,
        search: Resolution,
        progress: Progress,
    ) -> Vec<LinkEvent> {
        match progress {
            Progress::Ask(query) => {
                let id = cx.ids.query();
                self.search = Some((id, search));
                cx.out.push_back(Output::Resolve { id, query });
                Vec::new()
            }
            Progress::Found(found) => self.found(cx, found),
            Progress::Failed(error) => self.unresolved(cx, error),
        }
    }

    pub(super) fn found(&mut self, cx: &mut Context<'_>, found: Found) -> Vec<LinkEvent> {
        if let Some(ttl) = found.ttl {
            self.timers.set(Timer::Renew, cx.now + ttl);
        }
        let flow = self.flow();
        self.targets = found.targets;
        self.source = found.source;
        if self.streams == Streams::Only {
            only_streams(&mut self.targets);
        }
        match (&self.phase, flow) {
            (Phase::Resolving, _) => self.first_target(cx),
            (Phase::Up(_), Some(flow)) => self.keep_place(cx, flow),
            _ => Vec::new(),
        }
    }

    pub(super) fn unresolved(
        &mut self,
        cx: &mut Context<'_>,
        error: ResolveError,
    ) -> Vec<LinkEvent> {
        let host = self.plan.wanted.server.host.clone();
        let fault = LinkFault::Resolve { host, error };
        let was_ours = self.source == Source::OwnHosts;
        let on_datagrams = self.flow().is_some_and(|it| it.transport == Transport::Udp);
        if was_ours && on_datagrams {
            let events = self.lose(cx, fault);
            self.targets.clear();
            return events;
        }
        if self.phase != Phase::Resolving {
            // A renewal: what we have goes on.
            self.timers.set(Timer::Renew, cx.now + backoff::CEILING);
            return Vec::new();
        }
        if was_ours {
            self.targets.clear();
        }
        let concealed = cx.manner.concealment == DnsFailureConcealment::OnNoResolution;
        if concealed && !self.targets.is_empty() {
            return self.first_target(cx);
        }
        self.wait(cx, fault)
    }

    /// A renewed list: stay where we are if that is still listed, else go to its head.
    pub(super) fn keep_place(&mut self, cx: &mut Context<'_>, flow: Flow) -> Vec<LinkEvent> {
        let place = self.targets.iter().position(|it| it.addr == flow.peer);
        match (place, flow.transport) {
            (Some(place), _) => {
                self.current = place;
                self.watch_for_failback(cx);
                Vec::new()
            }
            (None, Transport::Udp) => self.first_target(cx),
            // A stream that stands is not broken for a record that went.
            (None, _) => {
                self.current = self.targets.len().saturating_sub(1);
                Vec::new()
            }
        }
    }

    /// The first target outside the penalty box, or the first of all.
    pub(super) fn first_target(&mut self, cx: &mut Context<'_>) -> Vec<LinkEvent> {
        let first = (0..self.targets.len())
            .find(|it| !is_penalised(&self.penalties, self.targets[*it].addr, cx.now))
            .unwrap_or(0);
        self.try_target(cx, first)
    }

    pub(super) fn next_target(
        &mut self,
        cx: &mut Context<'_>,
        tried: usize,
        fault: LinkFault,
    ) -> Vec<LinkEvent> {
        if let Some(target) = self.targets.get(tried) {
            self.penalise(cx, target.addr);
            self.log_failure(cx, tried, &fault);
        }
        self.reason = Some(fault.clone());
        match tried + 1 < self.targets.len() {
            true => {
                self.tell_failover(cx, tried, &fault);
                self.try_target(cx, tried + 1)
            }
            false => self.wait(cx, fault),
        }
    }

    /// Whether there is a target after the one in use.
    pub fn has_another(&self) -> bool {
        self.current + 1 < self.targets.len()
    }

    /// The target in use does its work: if it gives way again, that is news.
    pub fn served(&mut self) {
        if let Some(flow) = self.flow() {
            self.given_way.retain(|it| *it != flow.peer);
        }
    }

    /// The next target is tried; that a target that serves nobody is passed over again is no news.
    fn tell_failover(&mut self, cx: &mut Context<'_>, tried: usize, fault: &LinkFault) {
        let [from, next, ..] = &self.targets[tried..] else {
            return;
        };
        if self.given_way.contains(&from.addr) {
            return;
        }
        cx.notice(Notice::FailedOver {
            gateway: self.gateway.clone(),
            server: self.server_at(tried),
            next: format!("{} {}", next.transport, next.addr),
            reason: fault.to_string(),
        });
        self.given_way.push(from.addr);
        let listed = |it: &SocketAddr| self.targets.iter().any(|target| target.addr == *it);
        self.given_way.retain(listed);
    }

    pub(super) fn try_target(&mut self, cx: &mut Context<'_>, target: usize) -> Vec<LinkEvent> {
        self.current = target;
        self.port_tries = 0;
        match self.targets[target].transport {
            Transport::Udp => self.take_datagrams(cx, target),
            Transport::Tcp | Transport::Tls => self.connect(cx, target, None),
        }
    }

    pub(super) fn wait(&mut self, cx: &mut Context<'_>, fault: LinkFault) -> Vec<LinkEvent> {
        if self.streams == Streams::Only {
            self.streams = Streams::Impossible;
            return self.begin(cx);
        }
        self.failures = self.failures.saturating_add(1);
        self.phase = Phase::Waiting;
        self.reason = Some(fault);
        let pause = backoff::wait(self.failures, cx.rng);
        self.timers.set(Timer::Retry, cx.now + pause);
        vec![LinkEvent::Down]
    }

    /// After the last target of a round, the next request begins at the first.
    pub(super) fn restart_round(&mut self, flow: Flow) {
        if flow.transport == Transport::Udp && self.current > 0 {
            self.timers.stop(Timer::Failback);
        }
    }

    pub(super) fn penalise(&mut self, cx: &Context<'_>, addr: SocketAddr) {
        self.penalties
            .retain(|(it, until)| *it != addr && *until > cx.now);
        if let Some(time) = cx.manner.penalty {
            self.penalties.push((addr, cx.now + time));
        }
    }
}

/// Whether an address is in the penalty box.
pub(super) fn is_penalised(
    penalties: &[(SocketAddr, Instant)],
    addr: SocketAddr,
    now: Instant,
) -> bool {
    penalties
        .iter()
        .any(|(it, until)| *it == addr && *until > now)
}

fn only_streams(targets: &mut [Target]) {
    for target in targets {
        if target.transport == Transport::Udp {
            target.transport = Transport::Tcp;
        }
    }
}
