//! How a link looks from outside: its status row, and what is logged of it.

use super::machine::{Link, Phase, Timer};
use super::{Context, LinkFault};
use crate::sip::event::{Notice, StreamFault};
use crate::sip::status::{LinkState, LinkStatus};
use crate::sip::transport::Transport;

impl Link {
    /// Its row of the status table; none for datagrams, which have no connection.
    pub fn status(&self) -> Option<LinkStatus> {
        self.plan.ports?;
        let target = self.targets.get(self.current);
        if target.map(|it| it.transport) == Some(Transport::Udp) {
            return None;
        }
        let state = self.state();
        Some(LinkStatus {
            index: u32::try_from(self.id.0).unwrap_or(u32::MAX),
            gateway: self.gateway.clone(),
            local_port: self.local_port(),
            remote_host: self.plan.wanted.server.to_string(),
            remote_addr: target.map(|it| it.addr.ip()),
            state,
            reason: self.reason_in(state),
            session: self.session.clone(),
            since: None,
            attempts: self.attempts,
            next_attempt: self.timers.at(Timer::Retry),
        })
    }

    fn state(&self) -> LinkState {
        match &self.phase {
            _ if self.is_draining() => LinkState::WaitingShutdown,
            Phase::Up(_) => LinkState::Up,
            Phase::Idle | Phase::Waiting => LinkState::Down,
            Phase::WaitingForTime | Phase::Resolving | Phase::Connecting(_) => LinkState::WaitingUp,
        }
    }

    fn reason_in(&self, state: LinkState) -> String {
        let fault = match state {
            LinkState::WaitingShutdown => return "a new link takes over".to_owned(),
            // Up again, but it will not last.
            LinkState::Up => self.remark.as_ref(),
            LinkState::Down | LinkState::WaitingUp => self.reason.as_ref(),
        };
        fault.map(ToString::to_string).unwrap_or_default()
    }

    fn local_port(&self) -> u16 {
        match &self.phase {
            Phase::Up(flow) => flow.local.port(),
            Phase::Connecting(attempt) => attempt.port,
            Phase::Idle | Phase::WaitingForTime | Phase::Resolving | Phase::Waiting => 0,
        }
    }

    /// The server as it is configured, and the target.
    pub(super) fn server_at(&self, target: usize) -> String {
        let server = &self.plan.wanted.server;
        match self.targets.get(target) {
            Some(at) => format!("{server} ({} {})", at.transport, at.addr),
            None => server.to_string(),
        }
    }

    /// Why a target is of no use; a refused handshake is told step by step.
    pub(super) fn log_failure(&self, cx: &mut Context<'_>, target: usize, fault: &LinkFault) {
        let (gateway, server) = (self.gateway.clone(), self.server_at(target));
        let LinkFault::Stream(StreamFault::Handshake(refusal)) = fault else {
            let reason = fault.to_string();
            return cx.notice(Notice::LinkDown {
                gateway,
                server,
                reason,
            });
        };
        for step in &refusal.steps {
            cx.notice(Notice::TlsStep {
                gateway: gateway.clone(),
                server: server.clone(),
                step: step.clone(),
            });
        }
        cx.notice(Notice::TlsRefused {
            gateway,
            server,
            reason: refusal.reason.clone(),
        });
    }

    /// A stream beside the one in use could not be opened: only TLS is worth a word.
    pub(super) fn log_probe(&self, cx: &mut Context<'_>, fault: &StreamFault) {
        if matches!(fault, StreamFault::Handshake(_)) {
            self.log_failure(cx, 0, &LinkFault::Stream(fault.clone()));
        }
    }

    /// It is back at its first target.
    pub(super) fn log_failback(&self, cx: &mut Context<'_>) {
        cx.notice(Notice::LinkFailback {
            gateway: self.gateway.clone(),
            server: self.server_at(0),
        });
    }
}
