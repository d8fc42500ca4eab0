//! Messages on their way to the syslog receiver (RFC 5426).
//!
//! For the log. Lines wait in a bounded queue while the receiver's name is
//! looked up; what does not fit is dropped, counted, and said once when
//! messages leave again. A line is never sent twice: UDP tells too little.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::tree::messages;
use crate::tree::notice::Notice;
use crate::wire::host_port::{Host, HostPort};
use crate::wire::syslog::PORT;

/// The receiver, and what waits for it.
#[derive(Debug)]
pub(super) struct Sender {
    remote: Option<HostPort>,
    state: State,
    queue: VecDeque<Vec<u8>>,
    dropped: u64,
    /// Whether this trouble has been said.
    said: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// There is no receiver.
    Off,
    /// Its name is to be looked up.
    Unresolved,
    /// It is being looked up.
    Resolving { until: Instant },
    /// It is known, for a name until then.
    Ready {
        to: SocketAddr,
        until: Option<Instant>,
    },
    /// It has no address.
    Failed { until: Instant },
}

/// What the socket is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Resolve(String),
    Send { to: SocketAddr, octets: Vec<u8> },
}

impl Sender {
    pub(super) fn new() -> Sender {
        Sender {
            remote: None,
            state: State::Off,
            queue: VecDeque::new(),
            dropped: 0,
            said: false,
        }
    }

    /// Names the receiver; lines for another one are not for this one.
    pub(super) fn name(&mut self, remote: Option<HostPort>) {
        if remote == self.remote {
            return;
        }
        *self = Sender::new();
        self.state = match &remote {
            None => State::Off,
            Some(HostPort {
                host: Host::Address(address),
                port,
            }) => State::Ready {
                to: SocketAddr::new(*address, or_default(*port)),
                until: None,
            },
            Some(HostPort {
                host: Host::Name(_),
                ..
            }) => State::Unresolved,
        };
        self.remote = remote;
    }

    /// Whether there is a receiver at all.
    pub(super) fn wants(&self) -> bool {
        self.remote.is_some()
    }

    /// Takes a line on its way.
    pub(super) fn push(&mut self, line: Vec<u8>) {
        if self.queue.len() < QUEUE {
            self.queue.push_back(line);
        } else {
            self.dropped += 1;
        }
    }

    /// The next thing that the socket is to do.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Wish> {
        self.expire(now);
        match (self.state, &self.remote) {
            (
                State::Unresolved,
                Some(HostPort {
                    host: Host::Name(name),
                    ..
                }),
            ) => {
                self.state = State::Resolving {
                    until: now + LOOKUP_LIMIT,
                };
                Some(Wish::Resolve(name.clone()))
            }
            (State::Ready { to, .. }, _) => {
                let octets = self.queue.pop_front()?;
                Some(Wish::Send { to, octets })
            }
            _ => None,
        }
    }

    /// A look-up has ended; what is to be said of it.
    pub(super) fn resolved(
        &mut self,
        now: Instant,
        host: &str,
        address: Option<IpAddr>,
    ) -> Option<Notice> {
        let remote = self.remote.as_ref()?;
        let asked = matches!(&remote.host, Host::Name(name) if name == host);
        if !asked || !matches!(self.state, State::Resolving { .. }) {
            return None;
        }
        match address {
            Some(address) => {
                let to = SocketAddr::new(address, remote.port_or(PORT));
                self.state = State::Ready {
                    to,
                    until: Some(now + KEEP_ADDRESS),
                };
                None
            }
            None => {
                self.state = State::Failed {
                    until: now + TRY_AGAIN,
                };
                let notice = messages::SYSLOG_UNRESOLVED.with([remote, &"its name has no address"]);
                (!std::mem::replace(&mut self.said, true)).then_some(notice)
            }
        }
    }

    /// A line left; what is to be said of those that did not.
    pub(super) fn sent(&mut self) -> Option<Notice> {
        self.said = false;
        let dropped = std::mem::take(&mut self.dropped);
        let remote = self.remote.as_ref().filter(|_| dropped > 0)?;
        Some(messages::SYSLOG_DROPPED.with([&dropped, remote]))
    }

    /// The network did not take a line; what is to be said of it.
    pub(super) fn unsent(&mut self, why: &str) -> Option<Notice> {
        self.dropped += 1;
        let remote = self.remote.as_ref()?;
        let notice = messages::SYSLOG_UNREACHABLE.with([remote, &why]);
        (!std::mem::replace(&mut self.said, true)).then_some(notice)
    }

    /// When something is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Off | State::Unresolved | State::Ready { .. } => None,
            State::Resolving { until } | State::Failed { until } => Some(until),
        }
    }

    /// An old address is looked up anew, but only for the sake of a line.
    fn expire(&mut self, now: Instant) {
        let due = match self.state {
            State::Ready { until, .. } if !self.queue.is_empty() => until,
            _ => self.deadline(),
        };
        if due.is_some_and(|due| now >= due) {
            self.state = State::Unresolved;
        }
    }
}

fn or_default(port: u16) -> u16 {
    if port == 0 { PORT } else { port }
}

/// Lines that wait at most.
const QUEUE: usize = 256;
/// How long a look-up may take.
const LOOKUP_LIMIT: Duration = Duration::from_secs(10);
/// How long the address of a name is used.
const KEEP_ADDRESS: Duration = Duration::from_secs(600);
/// After a name that has no address.
const TRY_AGAIN: Duration = Duration::from_secs(30);
