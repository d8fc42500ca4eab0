//! One registration: when to send REGISTER, and what the answers lead to.

use std::net::SocketAddr;
use std::time::Instant;

use super::{Answer, Fault, RegistrationId};
use crate::sip::auth::{Credentials, Refusal};
use crate::sip::link::{Flow, LinkFault, LinkId, SLOW};
use crate::sip::plan::{Line, RegistrationPlan};
use crate::sip::rng::Rng;
use crate::sip::status::{NextAction, RegistrationState, RegistrationStatus};
use crate::sip::timer::Timers;
use crate::sip::transport::Transport;

/// What a REGISTER is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// Bind our Contacts.
    Bind,
    /// Remove Contacts of ours that are no longer true.
    Tidy(Vec<String>),
    /// Remove all that we bound.
    Unbind(Vec<String>),
}

/// What happens to a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Its link is up, or carries it elsewhere.
    LinkUp,
    /// Its link is not up.
    LinkDown(Option<LinkFault>),
    /// The answer to the REGISTER that was sent last.
    Answered(Answer),
    /// The REGISTER that was sent last is known not to have arrived here; it is repeated.
    Undelivered(SocketAddr),
    /// No answer came.
    TimedOut,
    /// It is no longer wanted.
    Remove,
}

/// What a registration asks of the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Send a REGISTER.
    Send(Purpose),
    /// The server is of no use: try the next one.
    FailOver(LinkFault),
    /// The server agreed to keep-alives, every so many seconds if it said so.
    KeepAlive(Option<u32>),
    /// The registrar refused the credentials, which is news.
    Refused(Refusal),
    /// It stands, or failed for good: what it replaced can go.
    Settled,
    /// It is over.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    Delay,
    Refresh,
    Retry,
    Slow,
}

/// How long the registrar keeps what is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Granted {
    /// Seconds.
    pub(super) seconds: u32,
    /// When they are over.
    pub(super) until: Instant,
}

/// One address of record of one gateway.
#[derive(Debug)]
pub struct Registration {
    /// Its name.
    pub id: RegistrationId,
    /// Its gateway.
    pub gateway: String,
    /// The link that carries it.
    pub link: Option<LinkId>,
    /// The link on which it last came to an end, good or bad.
    pub settled_on: Option<LinkId>,
    /// Its endpoint, or its row.
    pub line: Line,
    /// What it was made from.
    pub plan: RegistrationPlan,
    /// The same for all its requests (RFC 3261 §10.2).
    pub call_id: String,
    /// The tag of its From.
    pub tag: String,
    /// The last CSeq.
    pub cseq: u32,
    /// Challenges and answers.
    pub credentials: Credentials,
    /// Min-Expires of a 423, in seconds.
    pub min_expires: Option<u32>,
    /// The last final answer: its code and reason phrase.
    pub heard: Option<(u16, String)>,
    pub(super) state: RegistrationState,
    pub(super) fault: Option<Fault>,
    pub(super) sent: Option<Purpose>,
    pub(super) rounds: u32,
    pub(super) bound: Vec<String>,
    pub(super) granted: Option<Granted>,
    pub(super) service_route: Vec<String>,
    /// What was told of refused credentials; further attempts with the same are no news.
    pub(super) told: Option<Refusal>,
    pub(super) offered: Vec<String>,
    pub(super) sent_to: Option<(Transport, SocketAddr)>,
    pub(super) previous: Vec<String>,
    pub(super) not_before: Option<Instant>,
    /// The settings changed since the REGISTER under way was written.
    pub(super) is_outdated: bool,
    pub(super) leaving: bool,
    pub(super) timers: Timers<Timer>,
}

impl Registration {
    /// A registration that waits for its link.
    pub fn new(
        id: RegistrationId,
        gateway: String,
        line: Line,
        plan: RegistrationPlan,
        rng: &mut Rng,
    ) -> Self {
        Self {
            id,
            gateway,
            link: None,
            settled_on: None,
            line,
            credentials: Credentials::default(),
            plan,
            call_id: rng.token() + &rng.token(),
            tag: rng.token(),
            cseq: 0,
            min_expires: None,
            heard: None,
            state: RegistrationState::Unregistered,
            fault: None,
            sent: None,
            rounds: 0,
            bound: Vec::new(),
            granted: None,
            service_route: Vec::new(),
            told: None,
            offered: Vec::new(),
            sent_to: None,
            previous: Vec::new(),
            not_before: None,
            is_outdated: false,
            leaving: false,
            timers: Timers::default(),
        }
    }

    /// Holds back the first REGISTER until `at` (`interopRegistrationDelayValue`).
    pub fn delay(&mut self, at: Instant) {
        self.not_before = Some(at);
    }

    /// Why there is nothing to send, where the settings leave nothing.
    pub fn refuse(&mut self, fault: Fault) {
        self.state = match fault {
            Fault::NetworkDown(_) => RegistrationState::Unreachable,
            _ => RegistrationState::ConfigError,
        };
        self.fault = Some(fault);
        self.timers.clear();
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: Instant, event: Event) -> Vec<Step> {
        match event {
            Event::LinkUp => self.link_up(now),
            Event::LinkDown(fault) => self.link_down(fault),
            Event::Answered(answer) => self.answered(now, answer),
            Event::Undelivered(peer) => self.undelivered(peer),
            Event::TimedOut => self.timed_out(now),
            Event::Remove => self.remove(),
        }
    }

    /// Runs what is due.
    pub fn tick(&mut self, now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Slow => self.is_slow(),
                Timer::Delay | Timer::Refresh | Timer::Retry => steps.extend(self.bind()),
            }
        }
        steps
    }

    /// The time of the next deadline.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The settings changed in a way that keeps the binding: ask the registrar anew.
    pub fn update(&mut self, plan: RegistrationPlan) -> Vec<Step> {
        if plan.credentials != self.plan.credentials {
            self.credentials = Credentials::default();
            self.told = None;
        }
        self.plan = plan;
        self.not_before = None;
        self.is_outdated = self.sent.is_some();
        self.bind()
    }

    /// Another link carries it, or it has other Contacts: what is bound is replaced once the link is up.
    pub fn rebind(&mut self, plan: RegistrationPlan, link: Option<LinkId>) {
        self.plan = plan;
        self.link = link;
        self.sent = None;
        self.timers.stop(Timer::Slow);
        self.not_before = None;
        if matches!(
            self.state,
            RegistrationState::ConfigError | RegistrationState::Unreachable
        ) {
            self.state = RegistrationState::Unregistered;
            self.fault = None;
        }
    }

    /// Whether a REGISTER is under way.
    pub fn is_asking(&self) -> bool {
        self.sent.is_some()
    }

    /// A REGISTER left; these were its Contacts and its way.
    pub fn sent(&mut self, now: Instant, contacts: Vec<String>, flow: Flow) {
        self.sent_to = Some((flow.transport, flow.peer));
        if self.sent == Some(Purpose::Bind) {
            self.offered = contacts;
            self.timers.set(Timer::Slow, now + SLOW);
        }
    }

    /// The REGISTER could not leave: the link is not up.
    pub fn not_sent(&mut self) {
        self.sent = None;
        if self.state == RegistrationState::Registering {
            self.state = RegistrationState::Unreachable;
        }
    }

    /// The Contacts of the REGISTER that was sent last.
    pub fn offered(&self) -> &[String] {
        &self.offered
    }

    /// What the registrar has of us.
    pub fn bound(&self) -> &[String] {
        &self.bound
    }

    /// The way for requests of this address of record outside a dialog, while it stands (RFC 3608 §5).
    pub fn service_route(&self) -> &[String] {
        match self.is_registered() {
            true => &self.service_route,
            false => &[],
        }
    }

    /// Whether it stands.
    pub fn is_registered(&self) -> bool {
        matches!(
            self.state,
            RegistrationState::Registered | RegistrationState::Refreshing
        )
    }

    /// Whether its servers do not answer.
    pub fn is_unreachable(&self) -> bool {
        self.state == RegistrationState::Unreachable
    }

    /// Its row of the status table.
    pub fn status(&self) -> RegistrationStatus {
        let registrar = self.plan.binding.registrar.as_ref();
        let granted = self.granted.filter(|_| !self.bound.is_empty());
        RegistrationStatus {
            index: u32::try_from(self.id.0).unwrap_or(u32::MAX),
            gateway: self.gateway.clone(),
            endpoint: match &self.line {
                Line::Endpoint(ep_id) => ep_id.clone(),
                Line::Unit(_) => String::new(),
            },
            registrar: registrar.map(ToString::to_string).unwrap_or_default(),
            username: self.plan.binding.username.clone(),
            state: self.state,
            contact: self.bound.join(", "),
            granted: granted.map_or(0, |it| it.seconds),
            expires: granted.map(|it| it.until),
            next: self.next_action(),
            heard: self.heard.clone(),
            service_route: self.service_route().join(", "),
            reason: self
                .fault
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        }
    }

    /// What it will do by itself, and when.
    fn next_action(&self) -> Option<(NextAction, Instant)> {
        [
            (Timer::Delay, NextAction::Register),
            (Timer::Refresh, NextAction::Refresh),
            (Timer::Retry, NextAction::Retry),
        ]
        .into_iter()
        .filter_map(|(timer, action)| Some((action, self.timers.at(timer)?)))
        .min_by_key(|(_, at)| *at)
    }

    fn link_up(&mut self, now: Instant) -> Vec<Step> {
        if self.leaving {
            return self.leave();
        }
        if self.state == RegistrationState::ConfigError {
            return Vec::new();
        }
        self.sent = None;
        match self.not_before {
            Some(at) if at > now => {
                self.timers.set(Timer::Delay, at);
                Vec::new()
            }
            _ => self.bind(),
        }
    }

    fn link_down(&mut self, fault: Option<LinkFault>) -> Vec<Step> {
        self.sent = None;
        self.rounds = 0;
        self.timers.clear();
        if self.leaving {
            return vec![Step::Gone];
        }
        if self.state == RegistrationState::ConfigError {
            return Vec::new();
        }
        self.state = RegistrationState::Unreachable;
        // What the registrar said is worth more than that the link was given up for it.
        let said = matches!(
            (&self.fault, &fault),
            (
                Some(Fault::NoAnswer { .. } | Fault::Refused { .. }),
                None | Some(LinkFault::NoAnswer | LinkFault::Refused(_))
            )
        );
        if !said {
            self.fault = fault.map(Fault::Link).or(self.fault.take());
        }
        Vec::new()
    }

    fn bind(&mut self) -> Vec<Step> {
        if self.leaving || self.sent.is_some() {
            return Vec::new();
        }
        self.state = match self.is_registered() {
            true => RegistrationState::Refreshing,
            false => RegistrationState::Registering,
        };
        self.timers.clear();
        self.not_before = None;
        self.is_outdated = false;
        self.rounds = 0;
        self.credentials.begin();
        self.send(Purpose::Bind)
    }

    pub(super) fn send(&mut self, purpose: Purpose) -> Vec<Step> {
        self.sent = Some(purpose.clone());
        vec![Step::Send(purpose)]
    }

    fn remove(&mut self) -> Vec<Step> {
        self.leaving = true;
        self.timers.clear();
        self.leave()
    }

    fn leave(&mut self) -> Vec<Step> {
        let mut contacts = std::mem::take(&mut self.bound);
        if self.sent == Some(Purpose::Bind) {
            contacts.append(&mut self.offered);
        }
        contacts.dedup();
        if contacts.is_empty() {
            return match self.sent {
                Some(Purpose::Unbind(_)) => Vec::new(),
                _ => vec![Step::Gone],
            };
        }
        self.state = RegistrationState::Unregistering;
        self.rounds = 0;
        self.credentials.begin();
        self.send(Purpose::Unbind(contacts))
    }
}
