//! Registration (RFC 3261 §10.2): one machine for each gateway and address of record.
//!
//! A [`Registration`] decides when to send a REGISTER and what an answer
//! means; `request` writes it, `answer` reads what came back. It sends nothing itself: the stack does, over the link
//! that the plan names.

mod answer;
mod machine;
mod outcome;
mod request;

use std::net::SocketAddr;

use thiserror::Error;

use crate::sip::auth::Refusal;
use crate::sip::link::LinkFault;
use crate::sip::transport::Transport;

pub use answer::{Answer, Grant};
pub use machine::{Event, Purpose, Registration, Step};
pub use request::{Place, Style, Written, address_of_record, user_part, write};

/// How many times in a row one REGISTER is sent again for a challenge or a 423.
pub const MAX_ROUNDS: u32 = 5;
/// The longest Retry-After that is obeyed, in seconds.
pub const MAX_RETRY_AFTER: u32 = 3600;
/// The longest expiry that is believed, in seconds.
pub const MAX_EXPIRES: u32 = 86_400 * 7;
/// How many values of a Service-Route are followed; a longer one is not followed at all.
pub const MAX_ROUTES: usize = 8;
/// How many bindings of a 200 are looked at.
pub const MAX_BINDINGS: usize = 64;

/// Names one registration for its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegistrationId(pub u64);

/// What is wrong with a registration, or odd.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// No registrar is set.
    #[error(
        "no registrar is set: set SipEp.DefaultStaticRegistrarServerHost or SipEp.GwSpecificRegistration[GatewayName={0}].ServerHost"
    )]
    NoRegistrar(String),
    /// There is no user to register.
    #[error("the user name is empty: set {0}")]
    NoUsername(String),
    /// No transport is enabled.
    #[error(
        "no transport is enabled: set SipEp.TransportConfig[GatewayName={0}].UdpEnable, TcpEnable or TlsEnable"
    )]
    NoTransport(String),
    /// The network interface has no address.
    #[error("the network interface {0} is down: see SipEp.Gateway.NetworkInterface")]
    NetworkDown(String),
    /// The link is not up.
    #[error("{0}")]
    Link(LinkFault),
    /// The network says that nobody is there.
    #[error(
        "no datagram reaches {peer}: nobody listens there, or no way leads there: check SipEp.DefaultStaticRegistrarServerHost, and SipEp.TransportConfig[GatewayName={gateway}].TlsEnable and TcpEnable if the server speaks only TLS or TCP"
    )]
    Undelivered {
        /// Where it was sent.
        peer: SocketAddr,
        /// By which gateway.
        gateway: String,
    },
    /// Nobody answered yet.
    #[error(
        "no answer to REGISTER by {transport} from {peer} yet: it is waited for as SipEp.InteropTransmissionTimeout says"
    )]
    Slow {
        /// How it was sent.
        transport: Transport,
        /// To whom.
        peer: SocketAddr,
    },
    /// Nobody answered.
    #[error(
        "no answer to REGISTER by {transport}: check SipEp.DefaultStaticRegistrarServerHost, and SipEp.TransportConfig[GatewayName={gateway}].TlsEnable and TcpEnable if the server speaks only TLS or TCP"
    )]
    NoAnswer {
        /// How it was sent.
        transport: Transport,
        /// By which gateway.
        gateway: String,
    },
    /// The registrar has no use for our credentials.
    #[error("{0}")]
    Credentials(Refusal),
    /// Answered with a failure.
    #[error("the registrar answered {status} {phrase}{hint}")]
    Refused {
        /// The status code.
        status: u16,
        /// The reason phrase.
        phrase: String,
        /// What may help.
        hint: Hint,
    },
    /// A 423 without a usable Min-Expires.
    #[error(
        "the registrar answered 423 without a usable Min-Expires: set SipEp.DefaultRegistrationProposedExpirationValue"
    )]
    NoMinExpires,
    /// The registrar kept asking.
    #[error("the registrar kept answering with a new demand")]
    NoEnd,
    /// Our Contact is not among those of the 200.
    #[error(
        "the registrar's answer does not list our Contact {0}: see SipEp.InteropRegistrationContactMatching"
    )]
    NotListed(String),
    /// Others are bound to the same address of record.
    #[error(
        "registered; the registrar holds {count} bindings of this user, among them {example}, where calls may go too: see SipEp.UserAgent.Username and SipEp.UnitRegistrations.Username of other units"
    )]
    Shared {
        /// How many there are with ours.
        count: usize,
        /// One that is not ours.
        example: String,
    },
}

/// What may help against a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Nothing that we know of.
    None,
    /// Some registrars want the transport in the Contact.
    TransportParameter(String),
    /// Refused although the digest was accepted or asked for.
    Credentials,
    /// The user is not known there.
    UnknownUser,
}

impl std::fmt::Display for Hint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::TransportParameter(gateway) => write!(
                f,
                "; the Contact has no ;transport= parameter, which some registrars demand: set SipEp.TransportConfig[GatewayName={gateway}].RegistrationEnable"
            ),
            Self::Credentials => f.write_str(
                "; see the user name and password in SipEp.Authentication",
            ),
            Self::UnknownUser => f.write_str(
                "; the user may be unknown there: see SipEp.UserAgent.Username or SipEp.UnitRegistrations.Username",
            ),
        }
    }
}
