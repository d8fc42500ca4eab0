//! The proxies of a gateway.

use crate::schema::sip_ep;
use crate::sip::hostport::HostPort;
use crate::view;

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

/// `defaultProxyOutboundType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutboundType {
    /// A Route header with `lr`.
    LooseRouter,
    /// The proxy in the Request-URI, the target in the Route (RFC 2543).
    StrictRouter,
    /// Sent there without any trace in the request.
    NoRouteHeader,
}

columns! { Proxy: sip_ep {
    home_domain_host = DEFAULT_STATIC_PROXY_HOME_DOMAIN_HOST,
    outbound_host = DEFAULT_STATIC_PROXY_OUTBOUND_HOST,
    outbound_type = DEFAULT_PROXY_OUTBOUND_TYPE,
} }

view! {
    /// The proxies of one gateway.
    pub(super) struct GatewayProxy: sip_ep::gw_specific_proxy {
        enable: bool = ENABLE_CONFIG,
        home_domain_host: Option<HostPort> = HOME_DOMAIN_HOST,
        outbound_host: Option<HostPort> = OUTBOUND_HOST,
        outbound_type: OutboundType = OUTBOUND_TYPE,
    }
}

/// The row, where it counts.
pub(super) fn own(row: GatewayProxy) -> Option<Proxy> {
    row.enable.then_some(Proxy {
        home_domain_host: row.home_domain_host,
        outbound_host: row.outbound_host,
        outbound_type: row.outbound_type,
    })
}

labels! { sip_ep::DefaultProxyOutboundType => OutboundType { LooseRouter, StrictRouter, NoRouteHeader } }
labels! { sip_ep::gw_specific_proxy::OutboundType => OutboundType { LooseRouter, StrictRouter, NoRouteHeader } }
