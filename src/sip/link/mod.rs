//! Links: one for each gateway and server, kept up as long as it is wanted.
//!
//! A [`Link`] resolves its server, opens a stream to the best target (or
//! takes the gateway's UDP socket), watches it, fails over, backs off and
//! fails back. What its users hear is that it is up, that it is down, and
//! that it moved.

mod alive;
mod backoff;
mod dial;
mod machine;
mod ports;
mod show;
mod targets;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::sip::event::{Notice, Output, QueryId, SocketId, StreamFault, TimeOfDay};
use crate::sip::resolve::ResolveError;
use crate::sip::rng::Rng;
use crate::sip::settings::{DnsFailureConcealment, KeepAliveMethod, Settings};

pub use alive::{GivenUp, speaks_tls};
pub use machine::{Flow, Link};
pub use ports::Ports;

/// How long a ping may go unanswered (RFC 5626 §4.4.1).
pub const PONG_WAIT: Duration = Duration::from_secs(10);
/// The interval of pings where the server asked for them and named none (RFC 5626 §4.4.1: 95 to 120 s).
pub const OUTBOUND_PING: Duration = Duration::from_secs(120);
/// How long a link that was replaced serves on while its successor is not ready.
pub const DRAIN: Duration = Duration::from_secs(32);
/// How long a server that took the connection may take for the TLS handshake: it
/// is there, so nothing but a wrong port or a hung server is worth waiting longer for.
pub const HANDSHAKE_TIME: Duration = Duration::from_secs(10);
/// How long the look at a certificate's revocation may take; it bounds itself below that.
pub const REVOCATION_TIME: Duration = Duration::from_secs(10);
/// What takes longer than this is told of while it is waited for.
pub const SLOW: Duration = Duration::from_secs(3);
/// How many local ports one connection attempt tries.
pub const MAX_PORT_TRIES: u32 = 1000;

/// Names one link for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// Why a link is not up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LinkFault {
    /// TLS waits for the clock.
    #[error("Waiting for time synchronization: check Hoc.StaticSntpServers and Hoc.ClockSource")]
    WaitingForTime,
    /// The server's name led nowhere.
    #[error("the server's name {host} could not be resolved: {error}")]
    Resolve {
        /// As it is configured.
        host: String,
        /// Why.
        error: ResolveError,
    },
    /// The server's name is still being looked up.
    #[error("the name servers do not answer for {0} yet: see Hoc.StaticDnsServers")]
    SlowName(String),
    /// The server did not take the connection yet.
    #[error(
        "no answer from {0} yet: is the address right, and does a firewall let the connection pass? It is waited for SipEp.InteropTcpConnectTimeout seconds"
    )]
    SlowConnection(SocketAddr),
    /// What may be asked about the server's certificate was not answered yet.
    #[error(
        "the OCSP responder of the server's certificate does not answer yet: see SipEp.TransportTlsCertificateTrustLevel"
    )]
    SlowRevocation,
    /// The gateway's UDP socket is not open.
    #[error("the gateway's UDP port is not open: see the gateway's status")]
    NoDatagramSocket,
    /// No local port from the base upward was free.
    #[error("no local port is free: change SipEp.TransportPersistentBasePort")]
    NoFreePort,
    /// The stream could not be opened or broke.
    #[error("{0}")]
    Stream(StreamFault),
    /// The peer closed a stream that nobody had used for a while.
    #[error(
        "the server closed the link after {0} s without traffic: set SipEp.SipKeepAliveMethod to sipOptions or ping and SipEp.SipKeepAliveInterval below {0}"
    )]
    ClosedIdle(u64),
    /// The peer closed a stream that was in use.
    #[error("the server closed the link")]
    Closed,
    /// The peer closed a clear stream before it said anything.
    #[error(
        "the server closed the link without an answer, as one that speaks only TLS does: set SipEp.TransportConfig[GatewayName={0}].TlsEnable or the server's port"
    )]
    ClosedMute(String),
    /// The peer answered clear text with a TLS record.
    #[error("the server speaks TLS: set SipEp.TransportConfig[GatewayName={0}].TlsEnable")]
    SpeaksTls(String),
    /// What the peer sent is not SIP.
    #[error("what the server sent is not SIP")]
    NotSip,
    /// A ping was not answered.
    #[error("the server did not answer a keep-alive ping within 10 s")]
    NoPong,
    /// Keep-alive OPTIONS were not answered.
    #[error("the server does not answer keep-alive OPTIONS: see SipEp.SipKeepAliveMethod")]
    NoOptionsAnswer,
    /// A request was not answered.
    #[error("the server does not answer requests")]
    NoAnswer,
    /// The server asked to be left alone, or another one is to be tried.
    #[error("the server answered {0}")]
    Refused(u16),
}

/// What the users of a link hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkEvent {
    /// Requests can be sent.
    Up,
    /// They cannot.
    Down,
    /// A better stream took over; the old one is closed once its users have settled.
    Moved,
    /// The next keep-alive OPTIONS is due.
    OptionsDue,
}

/// How links behave; a change needs no new connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manner {
    /// Before the first target is tried again.
    pub failback: Duration,
    /// For opening a stream.
    pub connect_timeout: Duration,
    /// Whether an old answer serves when there is no new one.
    pub concealment: DnsFailureConcealment,
    /// How long a failed address is left alone; none without a penalty box.
    pub penalty: Option<Duration>,
    /// How servers are asked whether they are there.
    pub keep_alive: KeepAliveMethod,
    /// Between pings, where they are the method.
    pub ping: Option<Duration>,
    /// Between keep-alive OPTIONS, where they are the method.
    pub options: Option<Duration>,
}

impl Manner {
    /// What the settings say of every link.
    pub fn of(settings: &Settings) -> Self {
        let seconds = |count: u32| Duration::from_secs(u64::from(count));
        let keep_alive = &settings.keep_alive;
        let every =
            |method| (keep_alive.method == method).then(|| seconds(keep_alive.interval.max(1)));
        Self {
            failback: seconds(settings.transport.failback_interval.max(1)),
            connect_timeout: seconds(settings.interop.tcp_connect_timeout.max(1)),
            concealment: settings.dns.failure_concealment,
            penalty: settings
                .penalty_box
                .enable
                .then(|| seconds(settings.penalty_box.time)),
            keep_alive: keep_alive.method,
            ping: every(KeepAliveMethod::Ping),
            options: every(KeepAliveMethod::SipOptions),
        }
    }
}

/// Numbers that are given out once.
#[derive(Debug, Clone, Default)]
pub struct Ids(u64);

impl Ids {
    /// A name for a socket.
    pub fn socket(&mut self) -> SocketId {
        SocketId(self.number())
    }

    /// A name for a question.
    pub fn query(&mut self) -> QueryId {
        QueryId(self.number())
    }

    /// A name for a link.
    pub fn link(&mut self) -> LinkId {
        LinkId(self.number())
    }

    /// A number never given before.
    pub fn number(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

/// What a machine may use while it runs.
#[derive(Debug)]
pub struct Context<'a> {
    /// The time.
    pub now: Instant,
    /// Chance.
    pub rng: &'a mut Rng,
    /// Names.
    pub ids: &'a mut Ids,
    /// Local ports.
    pub ports: &'a mut Ports,
    /// How links behave.
    pub manner: &'a Manner,
    /// Whether certificates can be judged.
    pub time: TimeOfDay,
    /// What the shell is to do.
    pub out: &'a mut VecDeque<Output>,
}

impl Context<'_> {
    /// Logs a line.
    pub fn notice(&mut self, notice: Notice) {
        self.out.push_back(Output::Notice(notice));
    }
}
