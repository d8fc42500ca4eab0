//! How servers are kept in sight.

use crate::schema::sip_ep;
use crate::sip::hostport::HostPort;
use crate::view;

/// How servers are kept in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepAlive {
    /// By what.
    pub method: KeepAliveMethod,
    /// Seconds between two.
    pub interval: u32,
    /// Unanswered TCP probes before the connection is given up.
    pub retry: u32,
    /// To whom OPTIONS go.
    pub destination: KeepAliveDestination,
}

/// `sipKeepAliveMethod`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAliveMethod {
    /// Nothing, except what RFC 5626 asks for once it was agreed upon.
    None,
    /// OPTIONS; any answer will do.
    SipOptions,
    /// A double CRLF, answered over streams by one (RFC 5626 §4.4.1).
    Ping,
    /// The operating system's probes.
    TcpKeepAlive,
}

/// `sipKeepAliveDestination`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAliveDestination {
    /// Where requests go first.
    FirstSipDestination,
    /// The gateway's row of `GwKeepAliveAlternateDestination`.
    AlternateDestination,
}

columns! { KeepAlive: sip_ep {
    method = SIP_KEEP_ALIVE_METHOD,
    interval = SIP_KEEP_ALIVE_INTERVAL,
    retry = SIP_KEEP_ALIVE_RETRY,
    destination = SIP_KEEP_ALIVE_DESTINATION,
} }

view! {
    /// Where one gateway sends its keep-alives instead.
    pub(super) struct GatewayDestination: sip_ep::gw_keep_alive_alternate_destination {
        host: Option<HostPort> = ALTERNATE_DESTINATION,
    }
}

labels! { sip_ep::SipKeepAliveMethod => KeepAliveMethod { None, SipOptions, Ping, TcpKeepAlive } }
labels! { sip_ep::SipKeepAliveDestination => KeepAliveDestination { FirstSipDestination, AlternateDestination } }
