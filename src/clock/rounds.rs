//! Asking the servers in turn (RFC 4330 §5, §10).
//!
//! For the client. A round asks the servers by priority, each address of each,
//! until one answers; then it rests. One request is under way at a time, and
//! nothing counts as its answer that does not return its random number. What
//! time it is, and whether an answer is believed, is decided elsewhere.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use super::client::Output;
use super::limits::Limits;
use super::settings::{SERVERS, Settings};
use super::status::{Cause, Event, Failure};
use super::time::Source;
use crate::wire::host_port::{Host, HostPort};
use crate::wire::sntp::{self, Fault, Packet, Timestamp};
use crate::wire::time::UnixTime;

/// The servers, and who is asked now.
pub(super) struct Rounds {
    servers: Vec<HostPort>,
    limits: Limits,
    phase: Phase,
    /// Whether this round has sent anything.
    asked: bool,
    /// The last failure since a good answer.
    failure: Option<Failure>,
    /// Whether a whole round failed since a good answer.
    failing: bool,
    /// Whether there ever was a good answer.
    answered: bool,
    backoff: Duration,
    random: Box<dyn FnMut() -> u64 + Send>,
    outputs: VecDeque<Output>,
}

/// What a server's answer makes of the time.
pub(super) struct Told {
    /// The server.
    pub(super) server: HostPort,
    /// How the time is told by it.
    pub(super) source: Source,
    /// What time it is now by it.
    pub(super) unix: UnixTime,
}

enum Phase {
    /// There is no server to ask.
    Idle,
    /// The server of this turn has a name.
    Resolving { turn: usize, until: Instant },
    /// A request is under way.
    Asking(Request),
    /// Until the next round.
    Resting(Pause),
}

struct Request {
    turn: usize,
    to: SocketAddr,
    nonce: Timestamp,
    sent: Instant,
    /// Addresses of the same server still to be tried.
    others: VecDeque<IpAddr>,
}

struct Pause {
    since: Instant,
    rest: Rest,
    /// So many 1024ths of an eighth shorter, so that a fleet spreads.
    early: u32,
}

/// How long a pause is; read against the settings of the moment.
pub(super) enum Rest {
    /// The time is known from a server.
    AfterAnswer,
    /// It is, but no server answers any longer.
    AfterFailure,
    /// It is not yet.
    Backoff(Duration),
}

impl Rounds {
    pub(super) fn new(random: Box<dyn FnMut() -> u64 + Send>) -> Rounds {
        Rounds {
            servers: Vec::new(),
            limits: Limits::default(),
            phase: Phase::Idle,
            asked: false,
            failure: None,
            failing: false,
            answered: false,
            backoff: FIRST_BACKOFF,
            random,
            outputs: VecDeque::new(),
        }
    }

    /// Names the servers; where they are others, a round begins.
    pub(super) fn name(&mut self, now: Instant, servers: Vec<HostPort>) {
        if servers == self.servers {
            return;
        }
        self.servers = servers;
        self.limits.forgive();
        self.failure = None;
        self.failing = false;
        self.backoff = FIRST_BACKOFF;
        self.begin(now);
    }

    fn begin(&mut self, now: Instant) {
        self.asked = false;
        if self.servers.is_empty() {
            self.phase = Phase::Idle;
        } else {
            self.try_server(now, 0);
        }
    }

    fn try_server(&mut self, now: Instant, turn: usize) {
        let Some(server) = self.servers.get(turn) else {
            return self.give_up(now);
        };
        match server.host.clone() {
            Host::Address(address) => self.try_addresses(now, turn, [address].into()),
            Host::Name(name) => {
                let until = now + LOOKUP_LIMIT;
                self.phase = Phase::Resolving { turn, until };
                self.outputs.push_back(Output::Resolve(name));
            }
        }
    }

    fn try_addresses(&mut self, now: Instant, turn: usize, mut others: VecDeque<IpAddr>) {
        let port = self.servers[turn].port_or(sntp::PORT);
        while let Some(address) = others.pop_front() {
            let to = SocketAddr::new(address, port);
            if self.limits.allow(to, now) {
                return self.ask(now, turn, to, others);
            }
            self.fail(turn, Cause::TooSoon);
        }
        self.try_server(now, turn + 1);
    }

    fn ask(&mut self, now: Instant, turn: usize, to: SocketAddr, others: VecDeque<IpAddr>) {
        let nonce = Timestamp((self.random)());
        self.asked = true;
        self.limits.asked(to, now);
        self.phase = Phase::Asking(Request {
            turn,
            to,
            nonce,
            sent: now,
            others,
        });
        let octets = sntp::request(nonce);
        self.outputs.push_back(Output::Send { to, octets });
    }

    /// A look-up has ended.
    pub(super) fn resolved(&mut self, now: Instant, host: &str, addresses: Vec<IpAddr>) {
        let Phase::Resolving { turn, .. } = self.phase else {
            return;
        };
        if !matches!(&self.servers[turn].host, Host::Name(name) if name == host) {
            return;
        }
        if addresses.is_empty() {
            self.fail(turn, Cause::NameUnknown);
        }
        let addresses = addresses.into_iter().take(ADDRESSES).collect();
        self.try_addresses(now, turn, addresses);
    }

    /// What an answer to the request under way tells; the client accepts or rejects it.
    pub(super) fn datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        octets: &[u8],
    ) -> Option<Told> {
        let Phase::Asking(request) = &self.phase else {
            return None;
        };
        // RFC 4330 §5: the addresses of the answer are those of the request.
        if (from.ip(), from.port()) != (request.to.ip(), request.to.port()) {
            return None;
        }
        let answer = Packet::parse(octets).and_then(|packet| packet.answer(request.nonce));
        match answer {
            // Anybody can send these: the true answer may still come.
            Err(Fault::Short(_) | Fault::Version(_) | Fault::Mode(_) | Fault::Originate) => None,
            Err(fault) => {
                self.next(now, Cause::Answer(fault));
                None
            }
            Ok(answer) => Some(request.told(self.servers[request.turn].clone(), now, answer)),
        }
    }

    /// The last answer is believed.
    pub(super) fn accept(&mut self, now: Instant) {
        self.failure = None;
        self.failing = false;
        self.answered = true;
        self.backoff = FIRST_BACKOFF;
        self.rest(now, Rest::AfterAnswer);
    }

    /// The last answer is not believed.
    pub(super) fn reject(&mut self, now: Instant, cause: Cause) {
        self.next(now, cause);
    }

    /// The network does not take the request.
    pub(super) fn unreachable(&mut self, now: Instant, to: SocketAddr) {
        if matches!(&self.phase, Phase::Asking(request) if request.to == to) {
            self.next(now, Cause::Unreachable);
        }
    }

    /// What is under way failed: on to the next address or server.
    fn next(&mut self, now: Instant, cause: Cause) {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Resolving { turn, .. } => {
                self.fail(turn, cause);
                self.try_server(now, turn + 1);
            }
            Phase::Asking(request) => {
                if let Cause::Answer(Fault::Kiss(kiss)) = cause {
                    self.limits.refused(request.to, kiss);
                    self.say(Event::Refused(self.servers[request.turn].clone(), kiss));
                }
                self.fail(request.turn, cause);
                self.try_addresses(now, request.turn, request.others);
            }
            phase => self.phase = phase,
        }
    }

    fn fail(&mut self, turn: usize, cause: Cause) {
        // That it may not be asked yet tells less than why it failed before.
        if cause == Cause::TooSoon && self.failure.is_some() {
            return;
        }
        let failure = Failure {
            server: self.servers[turn].clone(),
            cause,
        };
        self.failure = Some(failure.clone());
        self.say(Event::Failed(failure));
    }

    /// The round is over without an answer.
    fn give_up(&mut self, now: Instant) {
        if let Some(failure) = self.failure.clone().filter(|_| !self.failing) {
            self.say(Event::NoneAnswered(failure));
        }
        self.failing = true;
        if self.answered {
            return self.rest(now, Rest::AfterFailure);
        }
        let least = if self.asked {
            BACKOFF_ASKED
        } else {
            FIRST_BACKOFF
        };
        self.rest(now, Rest::Backoff(self.backoff.max(least)));
        self.backoff = (self.backoff * 2).min(MOST_BACKOFF);
    }

    fn rest(&mut self, now: Instant, rest: Rest) {
        // Ten bits of the random number.
        let early = ((self.random)() >> 54) as u32;
        self.phase = Phase::Resting(Pause {
            since: now,
            rest,
            early,
        });
    }

    /// When the round goes on by itself.
    pub(super) fn deadline(&self, settings: &Settings) -> Option<Instant> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Resolving { until, .. } => Some(*until),
            Phase::Asking(request) => Some(request.sent + ANSWER_LIMIT),
            Phase::Resting(pause) => Some(pause.ends(settings)),
        }
    }

    /// Goes on where the deadline has passed.
    pub(super) fn expire(&mut self, now: Instant, settings: &Settings) {
        if self.deadline(settings).is_none_or(|end| now < end) {
            return;
        }
        match self.phase {
            Phase::Idle => {}
            Phase::Resolving { .. } => self.next(now, Cause::NameUnknown),
            Phase::Asking(_) => self.next(now, Cause::TimedOut),
            Phase::Resting(_) => self.begin(now),
        }
    }

    /// The next thing to be done.
    pub(super) fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// The servers, the most important first.
    pub(super) fn servers(&self) -> &[HostPort] {
        &self.servers
    }

    /// The last failure, where a whole round failed since a good answer.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref().filter(|_| self.failing)
    }

    fn say(&mut self, event: Event) {
        self.outputs.push_back(Output::Event(event));
    }
}

impl Request {
    fn told(&self, server: HostPort, now: Instant, answer: sntp::Answer) -> Told {
        // T1 is zero of a clock that starts with the request.
        let arrived = UnixTime::EPOCH.plus(now.saturating_duration_since(self.sent));
        let offset = answer.measure(UnixTime::EPOCH, arrived).offset;
        let source = Source::Server {
            at: self.sent,
            unix: UnixTime::EPOCH.shifted(offset),
        };
        Told {
            server,
            source,
            unix: arrived.shifted(offset),
        }
    }
}

impl Pause {
    fn ends(&self, settings: &Settings) -> Instant {
        let span = match self.rest {
            Rest::AfterAnswer => settings.rest(),
            Rest::AfterFailure => settings.rest_on_error(),
            Rest::Backoff(span) => span.min(settings.rest_on_error()),
        };
        self.since + span - span / 8 * self.early / 1024
    }
}

/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a look-up may take.
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);
/// The first pause of a device whose time is not known, where nothing was sent.
const FIRST_BACKOFF: Duration = Duration::from_secs(2);
/// The same where a server was asked: it may not be asked again within 15 s (RFC 4330 §10).
const BACKOFF_ASKED: Duration = Duration::from_secs(18);
/// The longest pause of the MIB; `sntpSynchronizationPeriodOnError` bounds it before.
const MOST_BACKOFF: Duration = Duration::from_secs(24 * 3600);
/// Addresses of one server that are tried in a round.
const ADDRESSES: usize = SERVERS;

#[cfg(test)]
mod tests;
