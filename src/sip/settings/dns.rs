//! How names are resolved.

use crate::schema::sip_ep;

/// How names are resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dns {
    /// The most that is asked for.
    pub supported_dns_queries: SupportedDnsQueries,
    /// What helps when nothing can be resolved.
    pub failure_concealment: DnsFailureConcealment,
    /// Which addresses are of use.
    pub ip_version: DnsIpVersion,
}

/// `supportedDnsQueries`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SupportedDnsQueries {
    /// Addresses only.
    Address,
    /// SRV, then addresses.
    Srv,
    /// NAPTR, SRV, addresses.
    Naptr,
}

/// `dnsFailureConcealment`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsFailureConcealment {
    /// No answer is no server.
    None,
    /// The last good answer serves on.
    OnNoResolution,
}

/// `dnsIpVersion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DnsIpVersion {
    /// A only.
    IpV4Only,
    /// A and AAAA, as the interface allows.
    IpV4Preferred,
}

columns! { Dns: sip_ep {
    supported_dns_queries = SUPPORTED_DNS_QUERIES,
    failure_concealment = DNS_FAILURE_CONCEALMENT,
    ip_version = DNS_IP_VERSION,
} }

labels! { sip_ep::SupportedDnsQueries => SupportedDnsQueries { Address, Srv, Naptr } }
labels! { sip_ep::DnsFailureConcealment => DnsFailureConcealment { None, OnNoResolution } }
labels! { sip_ep::DnsIpVersion => DnsIpVersion { IpV4Only, IpV4Preferred } }
