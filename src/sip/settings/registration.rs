//! How a gateway registers.

use crate::schema::sip_ep;
use crate::sip::hostport::HostPort;
use crate::tree;
use crate::view;

/// How a gateway registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The registrar.
    pub server_host: Option<HostPort>,
    /// Seconds before expiry at which a registration is refreshed.
    pub refresh_time: u32,
    /// Seconds assumed where the registrar names no expiry.
    pub expiration_value: u32,
    /// Seconds proposed to the registrar; 0 proposes none.
    pub proposed_expiration_value: u32,
    /// Seconds from a failure to the next attempt.
    pub retry_time: u32,
    /// Whether an endpoint that is not registered can be used all the same.
    pub unregistered_behavior: bool,
}

/// `defaultUnitRegistrationUnregisteredBehavior`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnitUnregisteredBehavior {
    /// The gateway goes on.
    NoEffect,
    /// The gateway serves no calls.
    DisableGateway,
}

impl Default for UnitUnregisteredBehavior {
    fn default() -> Self {
        tree::initial::<UnitRegistering>().unregistered_behavior
    }
}

columns! { Registration: sip_ep {
    server_host = DEFAULT_STATIC_REGISTRAR_SERVER_HOST,
    refresh_time = DEFAULT_REGISTRATION_REFRESH_TIME,
    expiration_value = DEFAULT_REGISTRATION_EXPIRATION_VALUE,
    proposed_expiration_value = DEFAULT_REGISTRATION_PROPOSED_EXPIRATION_VALUE,
    retry_time = DEFAULT_REGISTRATION_RETRY_TIME,
    unregistered_behavior = DEFAULT_REGISTRATION_UNREGISTERED_BEHAVIOR,
} }

view! {
    /// How one gateway registers.
    pub(super) struct GatewayRegistration: sip_ep::gw_specific_registration {
        enable: bool = ENABLE_CONFIG,
        server_host: Option<HostPort> = SERVER_HOST,
        refresh_time: u32 = REFRESH_TIME,
        expiration_value: u32 = EXPIRATION_VALUE,
        proposed_expiration_value: u32 = PROPOSED_EXPIRATION_VALUE,
        retry_time: u32 = RETRY_TIME,
        unregistered_behavior: bool = UNREGISTERED_BEHAVIOR,
    }
}

/// The row, where it counts.
pub(super) fn own(row: GatewayRegistration) -> Option<Registration> {
    row.enable.then_some(Registration {
        server_host: row.server_host,
        refresh_time: row.refresh_time,
        expiration_value: row.expiration_value,
        proposed_expiration_value: row.proposed_expiration_value,
        retry_time: row.retry_time,
        unregistered_behavior: row.unregistered_behavior,
    })
}

view! {
    /// What the unit's own registrations mean to their gateway.
    pub(super) struct UnitRegistering: sip_ep {
        unregistered_behavior: UnitUnregisteredBehavior = DEFAULT_UNIT_REGISTRATION_UNREGISTERED_BEHAVIOR,
    }
}

labels! { sip_ep::DefaultUnitRegistrationUnregisteredBehavior => UnitUnregisteredBehavior { NoEffect, DisableGateway } }
