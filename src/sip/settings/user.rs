//! Who is registered: the users of endpoints, and those of the unit.

use crate::schema::sip_ep;

/// One row of `UserAgent`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent {
    /// The user part of its address of record.
    pub username: String,
    /// The display name.
    pub friendly_name: String,
    /// Whether it registers.
    pub register: bool,
    /// A gateway, or `all`.
    pub gateway_name: String,
    /// The host of its Contact instead of the gateway's address; empty for that address.
    pub contact_domain: String,
}

/// The name that stands for every gateway.
pub const ALL_GATEWAYS: &str = "all";

/// One row of `UnitRegistrations`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitRegistration {
    /// The user part of the address of record.
    pub username: String,
    /// A gateway, or `all`.
    pub gateway_name: String,
}

columns! { UserAgent: sip_ep::user_agent {
    username = USERNAME,
    friendly_name = FRIENDLY_NAME,
    register = REGISTER,
    gateway_name = GATEWAY_NAME,
    contact_domain = CONTACT_DOMAIN,
} }

columns! { UnitRegistration: sip_ep::unit_registrations {
    username = USERNAME,
    gateway_name = GATEWAY_NAME,
} }
