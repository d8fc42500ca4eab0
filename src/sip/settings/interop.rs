//! The interoperability switches, and the name of the unit that they shape.

use std::time::Duration;

use crate::schema::sip_ep;

/// The interoperability switches that the stack obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interop {
    /// Seconds until an unanswered transaction is given up, 1 to 32.
    pub transmission_timeout: u32,
    /// Seconds until an unanswered connection attempt is given up.
    pub tcp_connect_timeout: u32,
    /// Whether UDP requests leave from the port that is listened on.
    pub symmetric_udp_source_port_enable: bool,
    /// The Max-Forwards of requests.
    pub max_forwards_value: i32,
    /// Whether requests and responses name the product.
    pub send_ua_header_enable: bool,
    /// The format of that name, with %product%, %version% and %profile%.
    pub ua_header_format: String,
    /// The domain of addresses of record in REGISTER, before any other.
    pub register_home_domain_override: String,
    /// When OPTIONS are answered with 200.
    pub sip_options_method_support: OptionsSupport,
    /// Whether `#` in a user name is escaped.
    pub escape_pound_in_sip_uri_username: bool,
    /// The case of escapes.
    pub escape_format: EscapeFormat,
    /// The value of the URI parameter `user`; empty for none.
    pub sip_uri_user_parameter_value: String,
    /// How our Contact is found among those of a 200.
    pub registration_contact_matching: ContactMatching,
    /// Whether NAPTR is asked for with TLS.
    pub force_dns_naptr_in_tls: bool,
    /// How the ACK of a failure finds its INVITE.
    pub ack_branch_matching: AckBranchMatching,
    /// Whether unknown option tags in Require are let through.
    pub ignore_require_header_enable: bool,
    /// The most seconds of random delay before the first registration.
    pub registration_delay_value: u32,
    /// Whether Contacts carry the display name.
    pub sip_contact_display_name_presence: bool,
    /// The From of keep-alive OPTIONS.
    pub keep_alive_option_format: KeepAliveOptionFormat,
}

impl Interop {
    /// 64*T1, or less where `interopTransmissionTimeout` says so.
    pub fn give_up(&self) -> Duration {
        Duration::from_secs(u64::from(self.transmission_timeout.clamp(1, 32)))
    }

    /// The value of User-Agent and Server, where they are sent.
    pub fn user_agent(&self, unit: &Unit) -> Option<String> {
        let name = self
            .ua_header_format
            .replace("%product%", &unit.product)
            .replace("%version%", &unit.version)
            .replace("%profile%", &unit.profile);
        let name = name.trim().to_owned();
        (self.send_ua_header_enable && !name.is_empty()).then_some(name)
    }
}

/// `interopSipOptionsMethodSupport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionsSupport {
    /// As an INVITE would fare (RFC 3261 §11.2): 200 while the gateway is ready, 503 otherwise.
    None,
    /// 200 whatever the state.
    AlwaysOk,
}

/// `interopEscapeFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EscapeFormat {
    /// `%2a`.
    LowercaseHex,
    /// `%2A`.
    UppercaseHex,
}

/// `interopRegistrationContactMatching`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContactMatching {
    /// RFC 3261 §19.1.4.
    Strict,
    /// User, host and port.
    IgnoreUriParams,
    /// User and host.
    IgnoreUriAndPortParams,
}

/// `interopAckBranchMatching`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckBranchMatching {
    /// By branch and sent-by (RFC 3261 §17.2.3).
    Rfc3261,
    /// By Call-ID, CSeq number and From tag, for peers whose ACK has another branch.
    Rfc3261WithoutAck,
}

/// `interopKeepAliveOptionFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeepAliveOptionFormat {
    /// `sip:host`.
    ShortFrom,
    /// `sip:user@host`.
    FullFrom,
}

/// Who the unit is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    /// %product%.
    pub product: String,
    /// %version%.
    pub version: String,
    /// %profile%.
    pub profile: String,
    /// The `urn:uuid:` of RFC 5626 §4.1; empty writes no instance.
    pub instance_id: String,
}

columns! { Interop: sip_ep {
    transmission_timeout = INTEROP_TRANSMISSION_TIMEOUT,
    tcp_connect_timeout = INTEROP_TCP_CONNECT_TIMEOUT,
    symmetric_udp_source_port_enable = INTEROP_SYMMETRIC_UDP_SOURCE_PORT_ENABLE,
    max_forwards_value = INTEROP_MAX_FORWARDS_VALUE,
    send_ua_header_enable = INTEROP_SEND_UA_HEADER_ENABLE,
    ua_header_format = INTEROP_UA_HEADER_FORMAT,
    register_home_domain_override = INTEROP_REGISTER_HOME_DOMAIN_OVERRIDE,
    sip_options_method_support = INTEROP_SIP_OPTIONS_METHOD_SUPPORT,
    escape_pound_in_sip_uri_username = INTEROP_ESCAPE_POUND_IN_SIP_URI_USERNAME,
    escape_format = INTEROP_ESCAPE_FORMAT,
    sip_uri_user_parameter_value = INTEROP_SIP_URI_USER_PARAMETER_VALUE,
    registration_contact_matching = INTEROP_REGISTRATION_CONTACT_MATCHING,
    force_dns_naptr_in_tls = INTEROP_FORCE_DNS_NAPTR_IN_TLS,
    ack_branch_matching = INTEROP_ACK_BRANCH_MATCHING,
    ignore_require_header_enable = INTEROP_IGNORE_REQUIRE_HEADER_ENABLE,
    registration_delay_value = INTEROP_REGISTRATION_DELAY_VALUE,
    sip_contact_display_name_presence = INTEROP_SIP_CONTACT_DISPLAY_NAME_PRESENCE,
    keep_alive_option_format = INTEROP_KEEP_ALIVE_OPTION_FORMAT,
} }

labels! { sip_ep::InteropSipOptionsMethodSupport => OptionsSupport { None, AlwaysOk } }
labels! { sip_ep::InteropEscapeFormat => EscapeFormat { LowercaseHex, UppercaseHex } }
labels! { sip_ep::InteropRegistrationContactMatching => ContactMatching { Strict, IgnoreUriParams, IgnoreUriAndPortParams } }
labels! { sip_ep::InteropAckBranchMatching => AckBranchMatching { Rfc3261, Rfc3261WithoutAck } }
labels! { sip_ep::InteropKeepAliveOptionFormat => KeepAliveOptionFormat { ShortFrom, FullFrom } }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_agent_is_made_of_the_units_names() {
        let unit = Unit {
            product: "Demarc".into(),
            version: "1.2".into(),
            ..Unit::default()
        };
        let mut interop = Interop::default();
        assert_eq!(interop.user_agent(&unit).as_deref(), Some("Demarc/v1.2"));
        interop.send_ua_header_enable = false;
        assert_eq!(interop.user_agent(&unit), None);
    }
}
