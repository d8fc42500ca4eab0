//! What is shown of the binding: Cwmp's tr111 objects and those beside them.

use crate::schema::cwmp::{self, Tr111NatDetected, Tr111StunStatus as State};
use crate::tree::Publication;
use std::net::SocketAddr;
use std::time::Duration;

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `tr111StunStatus`
    pub state: State,
    /// `stunStatusReason`; "" where all is well.
    pub reason: String,
    /// `udpConnectionRequestAddress`; None where none are heard.
    pub address: Option<SocketAddr>,
    /// `tr111NatDetected`
    pub nat: bool,
    /// `stunBindingPeriod`; None while there is no binding.
    pub period: Option<Duration>,
}

impl Status {
    /// While nothing is heard.
    pub fn off(reason: &str) -> Self {
        Self {
            state: State::Disabled,
            reason: reason.to_owned(),
            address: None,
            nat: false,
            period: None,
        }
    }

    /// Publishes all of it.
    pub fn publish(&self, live: &mut Publication<'_>) {
        let nat = match self.nat {
            true => Tr111NatDetected::Yes,
            false => Tr111NatDetected::No,
        };
        let period = self.period.map_or(0, |period| period.as_secs());
        let period = u32::try_from(period).unwrap_or(u32::MAX);
        live.scalar(cwmp::TR111_STUN_STATUS, self.state);
        live.scalar(cwmp::STUN_STATUS_REASON, &self.reason);
        live.scalar(cwmp::TR111_NAT_DETECTED, nat);
        live.scalar(cwmp::UDP_CONNECTION_REQUEST_ADDRESS, self.address());
        live.scalar(cwmp::STUN_BINDING_PERIOD, period);
    }

    /// The address as a host and a port; "" where there is none.
    pub fn address(&self) -> String {
        let address = self.address;
        address.map_or_else(String::new, |address| address.to_string())
    }
}
