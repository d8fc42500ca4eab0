//! What the SIP stack is told: typed rows of the tree, as plain data.
//!
//! Field names are those of the objects of the SipEp service without their
//! group's prefix, and every `Default` is the default of the dictionary. The
//! stack is always given the whole of it; `plan` finds out what changed.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::certs::{ClientAuth, Level, TlsPolicy, TrustLevel};
use crate::schema::sip_ep::{TransportTlsCipherSuite, TransportTlsVersion};
use crate::sip::hostport::HostPort;

mod read;

/// Everything that the stack obeys, as it stands at one version of the tree.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    /// Addresses of the network interfaces that are up, by name.
    pub interfaces: BTreeMap<String, IpAddr>,
    /// `Gateway`, by GatewayName.
    pub gateways: BTreeMap<String, Gateway>,
    /// `TransportConfig`, by GatewayName; an absent row has the defaults.
    pub transport_config: BTreeMap<String, TransportConfig>,
    /// `UserAgent`, by EpId.
    pub user_agents: BTreeMap<String, UserAgent>,
    /// `UnitRegistrations`, by Index.
    pub unit_registrations: BTreeMap<u32, UnitRegistration>,
    /// `Authentication`, by Index, which is also the order of search.
    pub authentication: BTreeMap<u32, Authentication>,
    /// The `DefaultProxy...` and `DefaultStaticProxy...` scalars.
    pub proxy: Proxy,
    /// `GwSpecificProxy` rows whose EnableConfig is enable.
    pub gw_specific_proxy: BTreeMap<String, Proxy>,
    /// The `DefaultRegistration...` and `DefaultStaticRegistrar...` scalars.
    pub registration: Registration,
    /// `GwSpecificRegistration` rows whose EnableConfig is enable.
    pub gw_specific_registration: BTreeMap<String, Registration>,
    /// The unit-wide transport scalars.
    pub transport: Transport,
    /// What TLS is made of; the stack itself goes by `Transport::tls_generation`.
    pub tls: Tls,
    /// `DefaultSipFailoverConditions`.
    pub sip_failover_conditions: FailoverConditions,
    /// `GwSpecificFailover` rows whose EnableConfig is enable.
    pub gw_specific_failover: BTreeMap<String, FailoverConditions>,
    /// The `PenaltyBox...` scalars.
    pub penalty_box: PenaltyBox,
    /// The `SipKeepAlive...` scalars.
    pub keep_alive: KeepAlive,
    /// `GwKeepAliveAlternateDestination`, by GatewayName.
    pub alternate_destination: BTreeMap<String, HostPort>,
    /// The DNS scalars.
    pub dns: Dns,
    /// The interoperability switches.
    pub interop: Interop,
    /// Who the unit is.
    pub unit: Unit,
}

/// One row of `Gateway`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gateway {
    /// Whether it has listening ports of its own.
    pub kind: GatewayType,
    /// Names a row of the network interfaces.
    pub network_interface: String,
    /// UDP and TCP port; 0 means 5060.
    pub port: u16,
    /// TLS port; 0 means 5061.
    pub secure_port: u16,
    /// The domain of addresses of record, before the home domain proxy's.
    pub domain: String,
}

impl Default for Gateway {
    fn default() -> Self {
        Self {
            kind: GatewayType::default(),
            network_interface: "Lan1".to_owned(),
            port: 0,
            secure_port: 0,
            domain: String::new(),
        }
    }
}

/// `gatewayType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum GatewayType {
    /// Listens on fixed ports.
    #[default]
    TrunkGateway,
    /// Is reached only over the links that it opened.
    EndpointGateway,
}

/// One row of `TransportConfig`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportConfig {
    /// Write one Contact for each transport, with its parameter, in REGISTER.
    pub registration_enable: bool,
    /// Write the transport parameter in other Contacts.
    pub contact_enable: bool,
    /// Use UDP, or listen on it beside TLS.
    pub udp_enable: bool,
    /// The q of the UDP Contact: `0.000` to `1.000`, empty for none.
    pub udp_q_value: String,
    /// Use TCP, or listen on it beside TLS.
    pub tcp_enable: bool,
    /// The q of the TCP Contact.
    pub tcp_q_value: String,
    /// Use TLS, and nothing else, for requests.
    pub tls_enable: bool,
    /// The q of the TLS Contact.
    pub tls_q_value: String,
}

impl Default for TransportConfig {
    fn default() -> Self {
        Self {
            registration_enable: false,
            contact_enable: false,
            udp_enable: true,
            udp_q_value: String::new(),
            tcp_enable: false,
            tcp_q_value: String::new(),
            tls_enable: false,
            tls_q_value: String::new(),
        }
    }
}

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

impl Default for UserAgent {
    fn default() -> Self {
        Self {
            username: String::new(),
            friendly_name: String::new(),
            register: false,
            gateway_name: ALL_GATEWAYS.to_owned(),
            contact_domain: String::new(),
        }
    }
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

impl Default for UnitRegistration {
    fn default() -> Self {
        Self {
            username: String::new(),
            gateway_name: ALL_GATEWAYS.to_owned(),
        }
    }
}

/// One row of `Authentication`.
#[derive(Clone, PartialEq, Eq)]
pub struct Authentication {
    /// Which requests the row is for.
    pub criteria_selection: CriteriaSelection,
    /// The endpoint, where the criteria say endpoint.
    pub ep_id: String,
    /// The gateway, where the criteria say gateway.
    pub gateway_name: String,
    /// The user of the request's From, where the criteria say username.
    pub username_criteria: String,
    /// Whether the challenge's realm must be `realm`.
    pub validate_realm: bool,
    /// The realm; empty answers any.
    pub realm: String,
    /// The user name of the credentials.
    pub username: String,
    /// The password of the credentials.
    pub password: String,
}

impl Default for Authentication {
    fn default() -> Self {
        Self {
            criteria_selection: CriteriaSelection::default(),
            ep_id: String::new(),
            gateway_name: String::new(),
            username_criteria: String::new(),
            validate_realm: true,
            realm: String::new(),
            username: String::new(),
            password: String::new(),
        }
    }
}

impl std::fmt::Debug for Authentication {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authentication")
            .field("criteria_selection", &self.criteria_selection)
            .field("realm", &self.realm)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// `authenticationCriteriaSelection`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CriteriaSelection {
    /// Every request.
    #[default]
    Unit,
    /// Those of one endpoint.
    Endpoint,
    /// Those of one gateway.
    Gateway,
    /// Those from one user name.
    Username,
}

/// The proxies of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The home domain proxy; its host is the domain of addresses of record.
    pub home_domain_host: Option<HostPort>,
    /// Where every request goes first, if set.
    pub outbound_host: Option<HostPort>,
    /// How the outbound proxy is written into a request.
    pub outbound_type: OutboundType,
}

impl Default for Proxy {
    fn default() -> Self {
        Self {
            home_domain_host: Some(factory_server()),
            outbound_host: None,
            outbound_type: OutboundType::default(),
        }
    }
}

/// `defaultProxyOutboundType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutboundType {
    /// A Route header with `lr`.
    #[default]
    LooseRouter,
    /// The proxy in the Request-URI, the target in the Route (RFC 2543).
    StrictRouter,
    /// Sent there without any trace in the request.
    NoRouteHeader,
}

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
}

impl Default for Registration {
    fn default() -> Self {
        Self {
            server_host: Some(factory_server()),
            refresh_time: 60,
            expiration_value: 3600,
            proposed_expiration_value: 0,
            retry_time: 120,
        }
    }
}

/// The unit-wide transport scalars.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transport {
    /// The first local port of persistent links.
    pub persistent_base_port: u16,
    /// How many ports are cycled through; 0 takes the first free one each time.
    pub persistent_port_interval: u16,
    /// Seconds before the highest-priority target is tried again.
    pub failback_interval: u32,
    /// Whether registrations over streams name their flow (RFC 5626 §4.2.1).
    pub outbound_enable: bool,
    /// The last port used while cycling, as it was remembered over a restart.
    pub last_persistent_port: Option<u16>,
    /// Changes with anything that a TLS handshake depends on: certificates, anchors, policy.
    pub tls_generation: u64,
}

impl Default for Transport {
    fn default() -> Self {
        Self {
            persistent_base_port: 16_000,
            persistent_port_interval: 0,
            failback_interval: 15,
            outbound_enable: true,
            last_persistent_port: None,
            tls_generation: 0,
        }
    }
}

/// What TLS links are made of, for whoever opens and accepts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// `TlsPolicy`.
    pub policy: TlsPolicy,
    /// Acts as cS3.
    pub cipher_suite: TransportTlsCipherSuite,
    /// Acts as tLSv1-2.
    pub version: TransportTlsVersion,
    /// `InteropTlsCertificateValidation`: how the certificate of a server is judged.
    pub validation: Level,
    /// `TransportTlsCertificateTrustLevel`: whether revocation is asked for.
    pub trust: TrustLevel,
    /// `InteropTlsClientAuthenticationEnable`: whether peers must show a certificate.
    pub client_authentication: ClientAuth,
}

impl Default for Tls {
    fn default() -> Self {
        Self {
            policy: TlsPolicy::default(),
            cipher_suite: TransportTlsCipherSuite::CS3,
            version: TransportTlsVersion::TLSv1_2,
            validation: Level::HostName,
            trust: TrustLevel::LocallyTrusted,
            client_authentication: ClientAuth::NotAsked,
        }
    }
}

impl Tls {
    /// What is set to a broken value: the object, the value, and what it acts as.
    pub fn raised(&self) -> Vec<[&'static str; 3]> {
        let suite = match self.cipher_suite {
            TransportTlsCipherSuite::CS1 => Some("cS1"),
            TransportTlsCipherSuite::CS2 => Some("cS2"),
            TransportTlsCipherSuite::CS3 => None,
        };
        let version = match self.version {
            TransportTlsVersion::SSLv3 => Some("sSLv3"),
            TransportTlsVersion::TLSv1 => Some("tLSv1"),
            TransportTlsVersion::TLSv1_1 => Some("tLSv1-1"),
            TransportTlsVersion::TLSv1_2 => None,
        };
        let suite = suite.map(|value| ["SipEp.TransportTlsCipherSuite", value, "cS3"]);
        let version = version.map(|value| ["SipEp.TransportTlsVersion", value, "tLSv1-2"]);
        suite.into_iter().chain(version).collect()
    }
}

/// Which answers to a REGISTER make the next server the current one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverConditions {
    patterns: Vec<String>,
}

impl FailoverConditions {
    /// Reads `5xxOnRegistration,403OnRegistration`; what is not of this form means nothing.
    pub fn parse(text: &str) -> Self {
        let patterns = text
            .split([',', ' '])
            .filter_map(|word| word.trim().strip_suffix("OnRegistration"))
            .filter(|pattern| pattern.len() == 3)
            .map(str::to_ascii_lowercase)
            .collect();
        Self { patterns }
    }

    /// Whether a REGISTER answered with `status` should go to the next server.
    pub fn on_registration(&self, status: u16) -> bool {
        let digits = status.to_string();
        self.patterns.iter().any(|pattern| {
            pattern.len() == digits.len()
                && pattern
                    .bytes()
                    .zip(digits.bytes())
                    .all(|(wish, digit)| wish == b'x' || wish == digit)
        })
    }
}

impl Default for FailoverConditions {
    fn default() -> Self {
        Self::parse("5xxOnRegistration")
    }
}

/// Addresses that failed are left alone for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PenaltyBox {
    /// Whether there is one.
    pub enable: bool,
    /// Seconds in it.
    pub time: u32,
}

impl Default for PenaltyBox {
    fn default() -> Self {
        Self {
            enable: false,
            time: 300,
        }
    }
}

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

impl Default for KeepAlive {
    fn default() -> Self {
        Self {
            method: KeepAliveMethod::default(),
            interval: 30,
            retry: 3,
            destination: KeepAliveDestination::default(),
        }
    }
}

/// `sipKeepAliveMethod`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAliveMethod {
    /// Nothing, except what RFC 5626 asks for once it was agreed upon.
    #[default]
    None,
    /// OPTIONS; any answer will do.
    SipOptions,
    /// A double CRLF, answered over streams by one (RFC 5626 §4.4.1).
    Ping,
    /// The operating system's probes.
    TcpKeepAlive,
}

/// `sipKeepAliveDestination`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAliveDestination {
    /// Where requests go first.
    #[default]
    FirstSipDestination,
    /// The gateway's row of `GwKeepAliveAlternateDestination`.
    AlternateDestination,
}

/// How names are resolved.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dns {
    /// The most that is asked for.
    pub supported_dns_queries: SupportedDnsQueries,
    /// What helps when nothing can be resolved.
    pub failure_concealment: DnsFailureConcealment,
    /// Which addresses are of use.
    pub ip_version: DnsIpVersion,
}

/// `supportedDnsQueries`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SupportedDnsQueries {
    /// Addresses only.
    Address,
    /// SRV, then addresses.
    Srv,
    /// NAPTR, SRV, addresses.
    #[default]
    Naptr,
}

/// `dnsFailureConcealment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsFailureConcealment {
    /// No answer is no server.
    #[default]
    None,
    /// The last good answer serves on.
    OnNoResolution,
}

/// `dnsIpVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DnsIpVersion {
    /// A only.
    IpV4Only,
    /// A and AAAA, as the interface allows.
    #[default]
    IpV4Preferred,
}

/// The interoperability switches that the stack obeys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interop {
    /// Seconds until an unanswered transaction is given up, 1 to 32.
    pub transmission_timeout: u32,
    /// Seconds until an unanswered connection attempt is given up.
    pub tcp_connect_timeout: u32,
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

impl Default for Interop {
    fn default() -> Self {
        Self {
            transmission_timeout: 32,
            tcp_connect_timeout: 127,
            max_forwards_value: 70,
            send_ua_header_enable: true,
            ua_header_format: "%product%/v%version% %profile%".to_owned(),
            register_home_domain_override: String::new(),
            sip_options_method_support: OptionsSupport::default(),
            escape_pound_in_sip_uri_username: true,
            escape_format: EscapeFormat::default(),
            sip_uri_user_parameter_value: String::new(),
            registration_contact_matching: ContactMatching::default(),
            force_dns_naptr_in_tls: false,
            ack_branch_matching: AckBranchMatching::default(),
            ignore_require_header_enable: true,
            registration_delay_value: 0,
            sip_contact_display_name_presence: true,
            keep_alive_option_format: KeepAliveOptionFormat::default(),
        }
    }
}

/// `interopSipOptionsMethodSupport`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OptionsSupport {
    /// As an INVITE would fare (RFC 3261 §11.2): 200 while the gateway is ready, 503 otherwise.
    #[default]
    None,
    /// 200 whatever the state.
    AlwaysOk,
}

/// `interopEscapeFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EscapeFormat {
    /// `%2a`.
    #[default]
    LowercaseHex,
    /// `%2A`.
    UppercaseHex,
}

/// `interopRegistrationContactMatching`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ContactMatching {
    /// RFC 3261 §19.1.4.
    #[default]
    Strict,
    /// User, host and port.
    IgnoreUriParams,
    /// User and host.
    IgnoreUriAndPortParams,
}

/// `interopAckBranchMatching`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AckBranchMatching {
    /// By branch and sent-by (RFC 3261 §17.2.3).
    #[default]
    Rfc3261,
    /// By Call-ID, CSeq number and From tag, for peers whose ACK has another branch.
    Rfc3261WithoutAck,
}

/// `interopKeepAliveOptionFormat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAliveOptionFormat {
    /// `sip:host`.
    #[default]
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

impl Settings {
    /// With the addresses of the network interfaces that are up, by name.
    #[must_use]
    pub fn with_addresses(mut self, addresses: &BTreeMap<String, IpAddr>) -> Self {
        self.interfaces.clone_from(addresses);
        self
    }

    /// With the endpoints that are unlocked (true); any other registers nothing.
    #[must_use]
    pub fn with_endpoints(mut self, unlocked: &BTreeMap<String, bool>) -> Self {
        for (ep_id, agent) in &mut self.user_agents {
            agent.register &= unlocked.get(ep_id).copied().unwrap_or(false);
        }
        self
    }

    /// With who the unit is; its instance counts only where `OutboundEnable` wants flows.
    #[must_use]
    pub fn with_unit(mut self, unit: Unit) -> Self {
        self.unit = unit;
        if !self.transport.outbound_enable {
            self.unit.instance_id.clear();
        }
        self
    }
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

/// The server that a unit fresh from the factory names.
fn factory_server() -> HostPort {
    HostPort {
        host: "192.168.10.10".to_owned(),
        port: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failover_conditions_match_classes_and_single_codes() {
        let conditions = FailoverConditions::parse("5xxOnRegistration, 403OnRegistration,rubbish");
        assert!(conditions.on_registration(503));
        assert!(conditions.on_registration(403));
        assert!(!conditions.on_registration(404));
        assert!(!FailoverConditions::parse("").on_registration(500));
    }

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

    #[test]
    fn an_endpoint_that_is_locked_or_unknown_does_not_register() {
        let mut settings = Settings::default();
        for ep_id in ["locked", "unknown", "unlocked"] {
            let agent = UserAgent {
                register: true,
                ..UserAgent::default()
            };
            settings.user_agents.insert(ep_id.to_owned(), agent);
        }
        let unlocked = [("locked", false), ("unlocked", true)];
        let unlocked = unlocked.map(|(ep_id, it)| (ep_id.to_owned(), it)).into();
        let settings = settings.with_endpoints(&unlocked);
        let registering = settings.user_agents.iter().filter(|(_, it)| it.register);
        let registering: Vec<&str> = registering.map(|(ep_id, _)| ep_id.as_str()).collect();
        assert_eq!(registering, ["unlocked"]);
    }

    #[test]
    fn the_instance_counts_only_where_flows_are_wanted() {
        let unit = Unit {
            instance_id: "urn:uuid:00000000-0000-1000-8000-00907f000001".to_owned(),
            ..Unit::default()
        };
        let mut settings = Settings::default().with_unit(unit.clone());
        assert_eq!(settings.unit, unit);
        settings.transport.outbound_enable = false;
        assert_eq!(settings.with_unit(unit).unit.instance_id, "");
    }

    #[test]
    fn broken_tls_values_are_named_with_what_they_act_as() {
        let mut tls = Tls::default();
        assert!(tls.raised().is_empty());
        tls.version = TransportTlsVersion::TLSv1;
        assert_eq!(
            tls.raised(),
            [["SipEp.TransportTlsVersion", "tLSv1", "tLSv1-2"]]
        );
    }

    #[test]
    fn a_password_is_not_shown_by_debug() {
        let row = Authentication {
            password: "secret".into(),
            ..Authentication::default()
        };
        assert!(!format!("{row:?}").contains("secret"));
    }
}
