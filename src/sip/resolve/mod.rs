//! Finding a server (RFC 3263): from a configured host to the addresses to try.
//!
//! A [`Resolution`] asks one question after another and ends with an ordered
//! list of [`Target`]s. It asks nothing itself: the shell does, and hands in
//! each [`Answer`]. Nothing that a name server says makes the list longer
//! than [`MAX_TARGETS`] or the questions more than [`MAX_QUERIES`].

mod learn;
mod machine;
mod order;
mod steps;

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use thiserror::Error;

use crate::sip::hostport::HostPort;
use crate::sip::settings::{DnsIpVersion, SupportedDnsQueries};
use crate::sip::transport::{Transport, Transports};

pub use machine::{Progress, Resolution};

/// How many targets a resolution yields at most.
pub const MAX_TARGETS: usize = 32;
/// How many questions a resolution asks at most.
pub const MAX_QUERIES: usize = 64;
/// How many records of one answer are looked at.
pub const MAX_RECORDS: usize = 64;
/// A shorter lifetime of an answer is taken for this one, so that a TTL of 0 makes no storm.
pub const MIN_TTL: Duration = Duration::from_secs(5);
/// A longer lifetime is cut to this one.
pub const MAX_TTL: Duration = Duration::from_secs(86_400);

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The configured server.
    pub server: HostPort,
    /// The transports that the gateway may use.
    pub transports: Transports,
    /// The addresses that the gateway's interface can reach.
    pub families: Families,
    /// Which kinds of question are allowed.
    pub queries: SupportedDnsQueries,
    /// `interopForceDnsNaptrInTls`: ask for NAPTR although TLS is the only choice.
    pub naptr_in_tls: NaptrInTls,
}

/// Whether NAPTR is asked for where only TLS is possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NaptrInTls {
    /// SRV at once.
    Skipped,
    /// NAPTR first.
    Forced,
}

/// Which kinds of address are looked up, the preferred first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// A records are of use.
    pub v4: bool,
    /// AAAA records are of use.
    pub v6: bool,
}

impl Families {
    /// Those that `dnsIpVersion` allows and an interface with `local` can reach.
    pub fn usable(version: DnsIpVersion, local: IpAddr) -> Self {
        Self {
            v4: local.is_ipv4(),
            v6: local.is_ipv6() && version == DnsIpVersion::IpV4Preferred,
        }
    }
}

/// One place to send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// By which transport.
    pub transport: Transport,
    /// Where.
    pub addr: SocketAddr,
    /// The name that led to the address: the SRV target, or the configured host.
    pub name: String,
}

/// One question to a name server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// NAPTR records of a domain.
    Naptr(String),
    /// SRV records, the name with its `_service._protocol` labels.
    Srv(String),
    /// IPv4 addresses.
    A(String),
    /// IPv6 addresses.
    Aaaa(String),
}

/// A NAPTR record (RFC 3403 §4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naptr {
    /// Lower first, strictly.
    pub order: u16,
    /// Lower first among equals.
    pub preference: u16,
    /// `s` where the replacement is an SRV name.
    pub flags: String,
    /// `SIP+D2U`, `SIP+D2T`, `SIPS+D2T`.
    pub service: String,
    /// The next name to ask for.
    pub replacement: String,
}

/// An SRV record (RFC 2782).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Srv {
    /// Lower first, strictly.
    pub priority: u16,
    /// Share of the traffic within a priority.
    pub weight: u16,
    /// The port to use.
    pub port: u16,
    /// The host to use; `.` says that the service is not offered.
    pub target: String,
}

/// The records of an answer, of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Records {
    /// To [`Query::Naptr`].
    Naptr(Vec<Naptr>),
    /// To [`Query::Srv`].
    Srv(Vec<Srv>),
    /// To [`Query::A`] and [`Query::Aaaa`].
    Addresses(Vec<IpAddr>),
}

/// The answer to one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The records, perhaps none.
    pub records: Records,
    /// How long they hold.
    pub ttl: Duration,
    /// Who said so.
    pub source: Source,
}

/// Who said where a name leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Name servers: what they said last goes on where they cannot be asked.
    NameServers,
    /// The hosts of this device: what they say no longer is not so.
    OwnHosts,
}

/// Why a question got no answer. That a name has no such records is [`LookupFault::Nothing`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LookupFault {
    /// The name or its records do not exist.
    #[error("no such records")]
    Nothing,
    /// No name server answered, or it could not.
    #[error("no answer from a name server")]
    NoAnswer,
}

/// The end of a resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where to try, in this order; never empty.
    pub targets: Vec<Target>,
    /// How long the list holds; none for a numeric host.
    pub ttl: Option<Duration>,
    /// [`Source::OwnHosts`] where any address is theirs.
    pub source: Source,
}

/// Why there is nothing to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// Every question was answered, and no address came of it.
    #[error(
        "the name has no usable address: see SipEp.DefaultStaticRegistrarServerHost, SipEp.DefaultStaticProxyHomeDomainHost and Hoc.StaticDnsServers"
    )]
    NoAddress,
    /// The domain says by an SRV target of "." that it has no such service.
    #[error("the domain does not offer SIP by the transports that are enabled")]
    NotOffered,
    /// Name servers did not answer.
    #[error("no name server answered: see Hoc.DnsServersConfigSource and Hoc.StaticDnsServers")]
    NoAnswer,
    /// A numeric host of the other address family than the interface.
    #[error(
        "the address family of the host is not that of the gateway's network interface: see SipEp.Gateway.NetworkInterface"
    )]
    Family,
    /// The gateway has no transport enabled.
    #[error("no transport is enabled")]
    NoTransport,
}
