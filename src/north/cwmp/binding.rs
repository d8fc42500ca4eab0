//! The address that UDP connection requests come to (TR-069 annex G).
//!
//! A STUN client: asks the server from the socket where requests are heard,
//! says which address that has outside, and keeps it. How long a gateway
//! remembers it is found out by answers that are asked for from a second
//! socket. No socket here, no clock, no chance of its own.

mod asking;
mod search;
mod status;

use super::settings::Stun;
use crate::schema::cwmp::Tr111StunStatus as State;
use crate::wire::host_port::Host;
use crate::wire::stun::{Attribute, Class, Id, Message, PORT};
use asking::{Asking, Doubt, Proof, Purpose};
use search::Search;
pub use status::Status;
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// How it is to be, from where; None: not at all.
    Terms(Option<(Stun, SocketAddr)>),
    /// The addresses of a name that was asked for.
    Resolved {
        /// Which.
        host: String,
        /// None: it has none.
        addresses: Vec<IpAddr>,
    },
    /// Something came that is no connection request.
    Datagram {
        /// At which socket.
        at: Socket,
        /// From whom.
        from: SocketAddr,
        /// What.
        octets: Vec<u8>,
    },
    /// The deadline has come.
    Wake,
}

/// The two sockets, both at the unit's own address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Socket {
    /// Where connection requests are heard.
    First,
    /// From which only the time of a binding is found out.
    Second,
}

/// What goes out.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Find the addresses of a name.
    Resolve(String),
    /// Send this.
    Send {
        /// From which socket.
        from: Socket,
        /// To the server.
        to: SocketAddr,
        /// What.
        octets: Vec<u8>,
    },
    /// What is shown has changed.
    Publish(Status),
}

/// The binding of one device.
pub struct Binding {
    random: Box<dyn FnMut() -> u64 + Send>,
    terms: Option<(Stun, SocketAddr)>,
    server: Option<SocketAddr>,
    /// The request that waits for its answer.
    asking: Option<Asking>,
    /// What comes next while nothing is asked, and when.
    next: Option<(Instant, Step)>,
    /// Where the server saw the first socket last.
    mapped: Option<SocketAddr>,
    proof: Proof,
    search: Search,
    /// Whether the last silence was as long as the search has said.
    is_settled: bool,
    state: State,
    reason: String,
    shown: Option<Status>,
    outputs: VecDeque<Output>,
}

/// What is done when its time comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// From the beginning, with the name.
    Begin,
    /// Keeps the binding.
    Keep,
    /// Sees whether it is still there.
    Try,
}

impl Binding {
    /// A binding that is off; `random` must not be predictable from the network.
    pub fn new(random: Box<dyn FnMut() -> u64 + Send>) -> Self {
        Self {
            random,
            terms: None,
            server: None,
            asking: None,
            next: None,
            mapped: None,
            proof: Proof::None,
            search: Search::Done(Duration::ZERO),
            is_settled: false,
            state: State::Disabled,
            reason: String::new(),
            shown: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes an input.
    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Terms(terms) => self.settle(now, terms),
            Input::Resolved { host, addresses } => self.resolved(now, &host, &addresses),
            Input::Datagram { at, from, octets } => self.hear(now, at, from, &octets),
            Input::Wake => {}
        }
        self.wake(now);
        self.show();
    }

    /// What is to be done, one at a time, until there is nothing more.
    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to wake it at the latest.
    pub fn wake_at(&self) -> Option<Instant> {
        let asking = self.asking.as_ref().map(Asking::due);
        let next = self.next.map(|(at, _)| at);
        asking.into_iter().chain(next).min()
    }

    fn settle(&mut self, now: Instant, terms: Option<(Stun, SocketAddr)>) {
        if self.terms == terms {
            return;
        }
        let local = |terms: &Option<(Stun, SocketAddr)>| terms.as_ref().map(|(_, local)| *local);
        if local(&self.terms) != local(&terms) {
            self.mapped = None;
        }
        self.terms = terms;
        self.begin(now);
    }

    /// From the beginning: who is the server?
    fn begin(&mut self, now: Instant) {
        (self.asking, self.next, self.server) = (None, None, None);
        (self.proof, self.is_settled) = (Proof::None, false);
        let Some((stun, _)) = &self.terms else {
            (self.state, self.reason) = (State::Disabled, String::new());
            return;
        };
        self.search = Search::new(stun.least, stun.greatest);
        if self.state == State::Disabled {
            self.state = State::Starting;
        }
        match stun.server.as_ref().map(|server| server.host.clone()) {
            None => {
                self.state = State::ErrorOther;
                "no STUN server is named: set Cwmp.Tr111StunServerHost"
                    .clone_into(&mut self.reason);
            }
            Some(Host::Address(address)) => self.found(now, &[address]),
            Some(Host::Name(name)) => self.outputs.push_back(Output::Resolve(name)),
        }
    }

    fn resolved(&mut self, now: Instant, host: &str, addresses: &[IpAddr]) {
        let server = self
            .terms
            .as_ref()
            .and_then(|(stun, _)| stun.server.clone());
        let asked = server.is_some_and(|server| server.host == Host::Name(host.to_owned()));
        if asked && self.server.is_none() {
            self.found(now, addresses);
        }
    }

    fn found(&mut self, now: Instant, addresses: &[IpAddr]) {
        let Some((stun, local)) = &self.terms else {
            return;
        };
        let port = stun.server.as_ref().map_or(PORT, |it| it.port_or(PORT));
        let mut fitting = addresses
            .iter()
            .filter(|it| it.is_ipv4() == local.is_ipv4());
        match fitting.next() {
            Some(address) => {
                self.server = Some(SocketAddr::new(*address, port));
                self.ask(now, Purpose::Keep);
            }
            None => {
                let server = self.server_name();
                let reason = format!(
                    "{server} has no address that {} reaches: see Cwmp.Tr111StunServerHost and Cwmp.NetworkInterface",
                    local.ip()
                );
                self.fail(now, State::ErrorCannotResolve, reason);
            }
        }
    }

    /// Sends a request; what it is for says from where and what is in it.
    fn ask(&mut self, now: Instant, purpose: Purpose) {
        let (Some((stun, _)), Some(to)) = (&self.terms, self.server) else {
            return;
        };
        let mut id = [0; 12];
        for chunk in id.chunks_mut(8) {
            let octets = (self.random)().to_ne_bytes();
            chunk.copy_from_slice(&octets[..chunk.len()]);
        }
        let attributes = purpose.attributes(self.mapped);
        let asking = Asking::new(now, Id(id), purpose, attributes, &self.proof, stun);
        self.outputs.push_back(asking.output(to));
        self.asking = Some(asking);
        self.next = None;
    }

    fn wake(&mut self, now: Instant) {
        if let (Some(asking), Some(to)) = (&mut self.asking, self.server)
            && asking.due() <= now
        {
            match asking.again(now) {
                true => self.outputs.push_back(asking.output(to)),
                false => self.silent(now),
            }
        }
        if let Some((at, step)) = self.next
            && at <= now
        {
            self.next = None;
            match step {
                Step::Begin => self.begin(now),
                Step::Keep => self.ask(now, Purpose::Keep),
                Step::Try => match self.search.way() {
                    Some(way) => self.ask(now, Purpose::Try(way)),
                    None => self.ask(now, Purpose::Keep),
                },
            }
        }
    }

    /// No answer at all.
    fn silent(&mut self, now: Instant) {
        let Some(asking) = self.asking.take() else {
            return;
        };
        match asking.purpose {
            Purpose::Try(_) => self.tried(now, Doubt::Silent),
            Purpose::Keep | Purpose::Change => {
                let reason = format!(
                    "{} does not answer: see Cwmp.Tr111StunServerHost",
                    self.server_name()
                );
                self.fail(now, State::ErrorNotResponding, reason);
            }
        }
    }

    fn hear(&mut self, now: Instant, at: Socket, from: SocketAddr, octets: &[u8]) {
        let (Some(asking), Ok(message)) = (&self.asking, Message::parse(octets)) else {
            return;
        };
        if Some(from) != self.server || !asking.is_answered_by(&message, octets) {
            return;
        }
        let purpose = asking.purpose;
        match (message.class, purpose) {
            (Class::Success, Purpose::Try(_)) => {
                self.asking = None;
                let doubt = match at {
                    Socket::First => Doubt::None,
                    Socket::Second => Doubt::NotThisWay,
                };
                self.tried(now, doubt);
            }
            (Class::Success, Purpose::Keep | Purpose::Change) => {
                self.asking = None;
                self.kept(now, &message, purpose);
            }
            (Class::Error, _) => self.refused(now, &message),
            (Class::Request | Class::Indication, _) => {}
        }
    }

    /// The server has told the address of the first socket.
    fn kept(&mut self, now: Instant, message: &Message, purpose: Purpose) {
        let Some(mapped) = message.mapped().filter(|_| !message.is_strange()) else {
            let reason = format!(
                "{} answers without an address, or with what is not understood",
                self.server_name()
            );
            return self.fail(now, State::ErrorOther, reason);
        };
        self.state = State::Connected;
        self.reason.clear();
        self.proof.accepted();
        let before = self.mapped.replace(mapped);
        if before != Some(mapped) {
            if let (true, Some((stun, _))) = (self.is_settled, &self.terms) {
                // The silence since the last one was too long.
                let greatest = (self.search.period() / 2).max(stun.least);
                self.search = Search::new(stun.least, Some(greatest));
            }
            // Once: a gateway that changes with each datagram is not to be chased.
            if purpose == Purpose::Keep {
                return self.ask(now, Purpose::Change);
            }
        }
        self.plan(now);
    }

    /// What comes after the binding was heard of.
    fn plan(&mut self, now: Instant) {
        self.is_settled = matches!(self.search, Search::Done(_));
        self.next = Some(match self.search {
            Search::Done(period) => (now + period, Step::Keep),
            Search::Ways(..) => (now, Step::Try),
            Search::Between { trial, .. } => (now + trial, Step::Try),
        });
    }

    /// The binding was tried from outside.
    fn tried(&mut self, now: Instant, doubt: Doubt) {
        self.search.tried(doubt);
        self.ask(now, Purpose::Keep);
    }

    fn refused(&mut self, now: Instant, message: &Message) {
        let Some((stun, _)) = &self.terms else {
            return;
        };
        let (code, words) = message.error().unwrap_or((500, ""));
        let Some(asking) = self.asking.take() else {
            return;
        };
        match code {
            // 430 to 432: RFC 3489 §11.2.9.
            401 | 430 | 431 | 432 | 438 => {
                if stun.username.is_empty() {
                    let reason = format!(
                        "{} asks who this is: set Cwmp.Tr111StunUsername and Cwmp.StunPassword",
                        self.server_name()
                    );
                    return self.fail(now, State::ErrorOther, reason);
                }
                if self.proof.next(message.challenge()) {
                    return self.ask(now, asking.purpose);
                }
                let reason = format!(
                    "{} refuses the credentials: see Cwmp.Tr111StunUsername and Cwmp.StunPassword",
                    self.server_name()
                );
                self.fail(now, State::ErrorOther, reason);
            }
            _ if matches!(asking.purpose, Purpose::Try(_)) => self.tried(now, Doubt::NotThisWay),
            _ => {
                let words: String = words.chars().filter(|it| !it.is_control()).collect();
                let words: String = words.chars().take(LONGEST_WORDS).collect();
                let reason = format!("{} refuses: {code} {words}", self.server_name());
                self.fail(now, State::ErrorOther, reason);
            }
        }
    }

    fn fail(&mut self, now: Instant, state: State, reason: String) {
        (self.state, self.reason) = (state, reason);
        let least = self.terms.as_ref().map(|(stun, _)| stun.least);
        let pause = least.map_or(PAUSE, |least| least.clamp(PAUSE, LONGEST_PAUSE));
        self.asking = None;
        self.next = Some((now + pause, Step::Begin));
    }

    fn server_name(&self) -> String {
        let server = self
            .terms
            .as_ref()
            .and_then(|(stun, _)| stun.server.as_ref());
        server.map_or_else(String::new, |server| format!("the STUN server {server}"))
    }

    fn show(&mut self) {
        let local = self.terms.as_ref().map(|(_, local)| *local);
        let is_on = self.state == State::Connected;
        let status = Status {
            state: self.state,
            reason: self.reason.clone(),
            address: self.mapped.or(local).filter(|_| local.is_some()),
            nat: local.is_some() && self.mapped.is_some_and(|mapped| Some(mapped) != local),
            period: is_on.then(|| self.search.period()),
        };
        if self.shown.as_ref() != Some(&status) {
            self.shown = Some(status.clone());
            self.outputs.push_back(Output::Publish(status));
        }
    }
}

impl Purpose {
    /// TR-069 annex G: what is sent from where requests are heard says so.
    fn attributes(self, mapped: Option<SocketAddr>) -> Vec<Attribute> {
        match (self, mapped) {
            (Self::Keep, _) => vec![Attribute::ConnectionRequestBinding],
            (Self::Change, _) => {
                vec![
                    Attribute::ConnectionRequestBinding,
                    Attribute::BindingChange,
                ]
            }
            (Self::Try(way), Some(mapped)) => vec![way.attribute(mapped)],
            (Self::Try(_), None) => Vec::new(),
        }
    }
}

/// After a failure, until the next attempt.
const PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// Characters of a server's reason that are shown.
const LONGEST_WORDS: usize = 100;
