//! What goes into the stack and what comes out of it.
//!
//! The shell turns sockets, name servers and the clock into [`Input`]s and
//! does what each [`Output`] says. Everything else in `sip` is pure.

mod notice;

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;

use crate::sip::resolve::{Answer, LookupFault, Query};
use crate::sip::session::{Event, Order};
use crate::sip::settings::Settings;
use crate::sip::status::Status;
use crate::sip::transport::Transport;
use crate::wire::time::UnixTime;

pub use notice::Notice;

/// One listener or one stream; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u64);

/// One question to a name server; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// One fact handed to the stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The settings as they are now; the first of them starts the stack.
    Settings(Box<Settings>),
    /// Whether the time of day is known; TLS waits for it. Said again when a
    /// host certificate becomes valid, or is so no longer.
    Time(TimeOfDay),
    /// Names may lead elsewhere: there are other name servers, or other hosts of our own.
    NamesChanged,
    /// A listener is bound.
    Listening {
        /// The listener of [`Output::Listen`].
        id: SocketId,
        /// Where it is bound.
        local: SocketAddr,
    },
    /// A listener could not be bound, or failed later.
    ListenFailed {
        /// The listener of [`Output::Listen`].
        id: SocketId,
        /// Why.
        fault: ListenFault,
    },
    /// A datagram arrived.
    Datagram {
        /// The listener that it arrived on.
        id: SocketId,
        /// Who sent it.
        peer: SocketAddr,
        /// Its octets.
        bytes: Vec<u8>,
    },
    /// A datagram could not be delivered (an ICMP error).
    Undelivered {
        /// The listener that it was sent from.
        id: SocketId,
        /// To whom.
        peer: SocketAddr,
    },
    /// A stream of [`Output::Connect`] is not open yet, and got so far.
    Advanced {
        /// The stream.
        id: SocketId,
        /// What is waited for now.
        stage: Stage,
    },
    /// A stream of [`Output::Connect`] is open, its handshake done.
    Opened {
        /// The stream.
        id: SocketId,
        /// Its local end.
        local: SocketAddr,
        /// What TLS agreed on; none on a clear stream.
        session: Option<Box<Session>>,
    },
    /// A peer opened a stream to a listener; the shell took the id from [`Stack::accept_id`](crate::sip::Stack::accept_id).
    Accepted {
        /// The new stream.
        id: SocketId,
        /// The listener that it came to.
        listener: SocketId,
        /// Its local end.
        local: SocketAddr,
        /// Its other end.
        peer: SocketAddr,
    },
    /// Octets arrived on a stream.
    Data {
        /// The stream.
        id: SocketId,
        /// The octets.
        bytes: Vec<u8>,
    },
    /// The peer closed a stream.
    Closed {
        /// The stream.
        id: SocketId,
    },
    /// A stream could not be opened, or broke.
    Failed {
        /// The stream.
        id: SocketId,
        /// Why.
        fault: StreamFault,
    },
    /// A name server's answer.
    Resolved {
        /// The question of [`Output::Resolve`].
        id: QueryId,
        /// The answer.
        answer: Result<Answer, LookupFault>,
    },
    /// Nothing happened but that time passed: a deadline is due.
    Tick,
    /// What the user of calls wants.
    Call(Order),
    /// Unregister, close, and say [`Output::Done`].
    Shutdown,
}

/// Whether the clock can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeOfDay {
    /// Certificates can be judged.
    Known,
    /// They cannot.
    Unknown,
}

/// What a stream that is being opened waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// That the server accepts the connection.
    Connection,
    /// The TLS handshake.
    Handshake,
    /// Whether the server's certificate was revoked.
    Revocation,
}

/// Why a listener does not listen.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ListenFault {
    /// Somebody else has the port.
    #[error("the port is already in use")]
    PortInUse,
    /// The process may not bind it.
    #[error("the port may not be bound by this process")]
    NotPermitted,
    /// The address is not on this machine.
    #[error("the address of the network interface is not on this machine")]
    NoSuchAddress,
    /// A TLS listener has no certificate to show; what there is instead.
    #[error("{0}")]
    NoCertificate(String),
    /// Anything else.
    #[error("the socket failed")]
    Other,
}

/// Why a stream does not stand.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StreamFault {
    /// The local port is taken; the next one is tried at once.
    #[error("the local port is in use")]
    PortBusy,
    /// Nobody listens there.
    #[error("the connection was refused")]
    Refused,
    /// No route, or the network is down.
    #[error("the host cannot be reached")]
    Unreachable,
    /// No answer within `interopTcpConnectTimeout`.
    #[error("the connection attempt timed out")]
    TimedOut,
    /// The peer or the system broke it off.
    #[error("the connection was reset")]
    Reset,
    /// The peer answered no TCP keep-alive.
    #[error("the server did not answer TCP keep-alive probes")]
    Silent,
    /// The peer took the connection, and no handshake came of it.
    #[error(
        "the server accepted the connection but does not answer the TLS handshake: is this its TLS port? See SipEp.DefaultStaticRegistrarServerHost and SipEp.DefaultStaticProxyHomeDomainHost"
    )]
    Mute,
    /// The TLS handshake failed; the verifier's or the peer's own words.
    #[error("the TLS handshake failed: {0}")]
    Handshake(TlsRefusal),
}

/// A handshake that was refused, by us or by the peer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct TlsRefusal {
    /// Why, with the object to change.
    pub reason: String,
    /// What was checked until then, one line a step.
    pub steps: Vec<String>,
}

impl From<String> for TlsRefusal {
    /// Refused before the first step.
    fn from(reason: String) -> Self {
        Self {
            reason,
            steps: Vec::new(),
        }
    }
}

/// What a TLS handshake led to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Session {
    /// The version, as `TLS 1.3`.
    pub version: String,
    /// The cipher suite by its IANA name.
    pub cipher_suite: String,
    /// The subject of the server's certificate.
    pub subject: String,
    /// The last second of that certificate.
    pub expiry: Option<UnixTime>,
}

/// Whom a TLS peer must prove to be (RFC 5922 §7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The configured host, as it was before SRV.
    pub host: String,
    /// The host that SRV named, for the rung that accepts it.
    pub srv_target: String,
}

/// TCP keep-alive of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpKeepAlive {
    /// Pause before and between probes.
    pub interval: Duration,
    /// Unanswered probes before the stream fails.
    pub retry: u32,
}

/// A stream to be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    /// The stream's name from now on.
    pub id: SocketId,
    /// The local address and port to bind.
    pub local: SocketAddr,
    /// Whom to connect to.
    pub peer: SocketAddr,
    /// TCP or TLS.
    pub transport: Transport,
    /// Whom a TLS peer must prove to be.
    pub reference: Reference,
    /// Probes by the operating system, where they are wanted.
    pub tcp_keep_alive: Option<TcpKeepAlive>,
}

/// One thing for the shell to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Bind a listener and say [`Input::Listening`] or [`Input::ListenFailed`].
    Listen {
        /// Its name from now on.
        id: SocketId,
        /// For which gateway.
        gateway: String,
        /// UDP, TCP or TLS.
        transport: Transport,
        /// Where; port 0 takes any.
        local: SocketAddr,
    },
    /// Close a listener; streams accepted from it stay.
    Unlisten {
        /// The listener.
        id: SocketId,
    },
    /// Send a datagram.
    Datagram {
        /// From which listener.
        id: SocketId,
        /// To whom.
        peer: SocketAddr,
        /// Its octets.
        bytes: Vec<u8>,
    },
    /// Open a stream.
    Connect(Connect),
    /// Write to a stream.
    Write {
        /// The stream.
        id: SocketId,
        /// The octets.
        bytes: Vec<u8>,
    },
    /// Close a stream, after what was written to it.
    Close {
        /// The stream.
        id: SocketId,
    },
    /// Ask a name server.
    Resolve {
        /// The question's name.
        id: QueryId,
        /// The question.
        query: Query,
    },
    /// Show this as the state of things.
    Publish(Box<Status>),
    /// Log this.
    Notice(Notice),
    /// What the user of calls is to know; never without one ([`Stack::with_calls`](crate::sip::Stack::with_calls)).
    Call(Event),
    /// Keep this as `last_persistent_port` over a restart.
    RememberPort(u16),
    /// Everything is unregistered and closed, or the time for it is over.
    Done,
}
