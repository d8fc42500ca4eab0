//! SIP gateways, and the transports of each.

use crate::schema::sip_ep;

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

/// `gatewayType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayType {
    /// Listens on fixed ports.
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

columns! { Gateway: sip_ep::gateway {
    kind = TYPE,
    network_interface = NETWORK_INTERFACE,
    port = PORT,
    secure_port = SECURE_PORT,
    domain = DOMAIN,
} }

columns! { TransportConfig: sip_ep::transport_config {
    registration_enable = REGISTRATION_ENABLE,
    contact_enable = CONTACT_ENABLE,
    udp_enable = UDP_ENABLE,
    udp_q_value = UDP_Q_VALUE,
    tcp_enable = TCP_ENABLE,
    tcp_q_value = TCP_Q_VALUE,
    tls_enable = TLS_ENABLE,
    tls_q_value = TLS_Q_VALUE,
} }

labels! { sip_ep::gateway::Type => GatewayType { TrunkGateway, EndpointGateway } }
