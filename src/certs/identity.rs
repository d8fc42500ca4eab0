//! Who a server is expected to be, and whether a certificate says so.
//!
//! The reference identity is the host part of the configured server, before
//! any DNS lookup. SIP compares by RFC 5922, HTTPS by RFC 6125. Nothing is
//! looked up and nobody is trusted here.

use std::fmt;
use std::net::IpAddr;

use rustls::pki_types::{DnsName, ServerName};
use thiserror::Error;

use super::certificate::{AlternativeName, Certificate, printable};
use super::usage::Purpose;

/// The host part of a configured server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A DNS name without a trailing dot.
    Name(DnsName<'static>),
    /// An IP literal.
    Address(IpAddr),
}

impl Host {
    /// Reads a DNS name or an IP literal; IPv6 with or without brackets.
    ///
    /// # Errors
    /// [`NotAHost`] where it is neither.
    pub fn parse(text: &str) -> Result<Self, NotAHost> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let Ok(address) = bare.unwrap_or(text).parse() {
            return Ok(Self::Address(address));
        }
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        DnsName::try_from(name)
            .map(Self::Name)
            .map_err(|_| NotAHost(printable(text)))
    }

    /// As the TLS library wants it, for server name indication.
    #[must_use]
    pub fn server_name(&self) -> ServerName<'static> {
        match self {
            Self::Name(name) => ServerName::DnsName(name.clone()),
            Self::Address(address) => ServerName::from(*address),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name.as_ref()),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// Neither a DNS name nor an IP literal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is neither a DNS name nor an IP address")]
pub struct NotAHost(String);

/// The expected server, and by which rules its names are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// A SIP domain (RFC 5922).
    Sip(Host),
    /// A web server (RFC 6125).
    Https(Host),
}

impl Identity {
    /// The expected host.
    #[must_use]
    pub fn host(&self) -> &Host {
        match self {
            Self::Sip(host) | Self::Https(host) => host,
        }
    }

    /// What its certificate must be good for.
    #[must_use]
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Sip(_) => Purpose::SipServer,
            Self::Https(_) => Purpose::TlsServer,
        }
    }

    /// The name by which `certificate` is this one's, if it is; a client asks (RFC 5922 §7.3).
    #[must_use]
    pub fn named_by(&self, certificate: &Certificate) -> Option<String> {
        match self {
            Self::Sip(Host::Name(domain)) => sip_domain(domain.as_ref(), certificate),
            Self::Https(Host::Name(name)) => dns(name.as_ref(), certificate, wildcard),
            Self::Sip(Host::Address(wanted)) | Self::Https(Host::Address(wanted)) => {
                address(*wanted, certificate)
            }
        }
    }

    /// The names in `certificate`, as a refusal lists them.
    #[must_use]
    pub fn names_in(&self, certificate: &Certificate) -> Vec<String> {
        let Some(names) = &certificate.alternative_names else {
            let common = certificate.subject.common.iter();
            return common.map(|name| format!("{name} (CN)")).collect();
        };
        let outranked = matches!(self, Self::Sip(_)) && names.iter().any(is_sip_domain);
        let listed = names.iter().map(|name| match name {
            AlternativeName::Dns(dns) if outranked => {
                let dns = printable(dns);
                format!("{dns} (SAN DNS, which does not count beside a SAN URI)")
            }
            name => name.to_string(),
        });
        listed.collect()
    }
}

/// The name by which `certificate` belongs to an SRV target, if it does.
///
/// The target is a host, not a SIP domain: SAN DNS counts beside SAN URI.
pub(super) fn target_named_by(target: &Host, certificate: &Certificate) -> Option<String> {
    match target {
        Host::Name(name) => dns(name.as_ref(), certificate, str::eq_ignore_ascii_case),
        Host::Address(wanted) => address(*wanted, certificate),
    }
}

/// RFC 5922 §7.1: SAN URIs of scheme sip; SAN DNS only where there is none of
/// them. §7.2: as DNS names are compared, and never by a wildcard.
fn sip_domain(domain: &str, certificate: &Certificate) -> Option<String> {
    let names = certificate.alternative_names.as_deref().unwrap_or_default();
    let mut domains = names.iter().filter_map(|name| match name {
        AlternativeName::Uri(uri) => Some((name, uri_domain(uri)?)),
        _ => None,
    });
    match domains.next() {
        None => dns(domain, certificate, str::eq_ignore_ascii_case),
        Some(first) => std::iter::once(first)
            .chain(domains)
            .find(|(_, found)| found.eq_ignore_ascii_case(domain))
            .map(|(name, _)| name.to_string()),
    }
}

fn is_sip_domain(name: &AlternativeName) -> bool {
    matches!(name, AlternativeName::Uri(uri) if uri_domain(uri).is_some())
}

/// The host of a SIP URI that names a domain: one with a user part names a
/// person, and any other scheme none (RFC 5922 §7.1, step 1).
fn uri_domain(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("sip") || rest.contains('@') {
        return None;
    }
    rest.split([':', ';', '?']).next()
}

/// SAN DNS; the common name only where there is no SAN at all.
fn dns(wanted: &str, certificate: &Certificate, same: fn(&str, &str) -> bool) -> Option<String> {
    let Some(names) = &certificate.alternative_names else {
        let common = certificate.subject.common.as_deref()?;
        return same(common, wanted).then(|| format!("{common} (CN)"));
    };
    let found = names.iter().find(|name| match name {
        AlternativeName::Dns(name) => same(name, wanted),
        _ => false,
    });
    found.map(ToString::to_string)
}

fn address(wanted: IpAddr, certificate: &Certificate) -> Option<String> {
    let names = certificate.alternative_names.as_deref().unwrap_or_default();
    let wanted = AlternativeName::Address(wanted);
    names.contains(&wanted).then(|| wanted.to_string())
}

/// RFC 6125 §6.4.3: a star stands for one whole label, the leftmost, and not for a top domain.
fn wildcard(pattern: &str, wanted: &str) -> bool {
    let Some(parent) = pattern.strip_prefix("*.") else {
        return pattern.eq_ignore_ascii_case(wanted);
    };
    let Some((_, of_wanted)) = wanted.split_once('.') else {
        return false;
    };
    parent.contains('.') && parent.eq_ignore_ascii_case(of_wanted)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf};
    use super::*;

    fn host(text: &str) -> Host {
        Host::parse(text).expect("a host")
    }

    fn sip(server: &str, leaf: Leaf) -> bool {
        let leaf = Authority::new("Root").issue(leaf);
        Identity::Sip(host(server))
            .named_by(leaf.certificate())
            .is_some()
    }

    fn https(server: &str, leaf: Leaf) -> bool {
        let leaf = Authority::new("Root").issue(leaf);
        Identity::Https(host(server))
            .named_by(leaf.certificate())
            .is_some()
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        assert_eq!(host("SIP.Example.com.").to_string(), "sip.example.com");
        assert_eq!(host("[2001:db8::1]"), host("2001:db8::1"));
        assert_eq!(host("192.0.2.1").to_string(), "192.0.2.1");
        for bad in ["", ".", "a b", "a..b", "[a.example.com]", "sip:a", "-"] {
            assert!(Host::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_sip_uri_names_a_sip_domain() {
        let leaf = || Leaf::new("x").uri("sip:example.com");
        assert!(sip("example.com", leaf()));
        assert!(sip("EXAMPLE.com", leaf()));
        assert!(!sip("sip.example.com", leaf()));
        assert!(sip("example.com", Leaf::new("x").uri("SIP:example.com;lr")));
    }

    #[test]
    fn other_schemes_and_persons_name_no_sip_domain() {
        assert!(!sip("example.com", Leaf::new("x").uri("sips:example.com")));
        assert!(!sip("example.com", Leaf::new("x").uri("https:example.com")));
        assert!(!sip(
            "example.com",
            Leaf::new("x").uri("sip:bob@example.com")
        ));
    }

    #[test]
    fn dns_names_count_only_where_no_sip_uri_does() {
        let both = || Leaf::new("x").uri("sip:example.com").dns("sip.example.com");
        assert!(sip("example.com", both()));
        assert!(!sip("sip.example.com", both()));
        assert!(sip(
            "sip.example.com",
            Leaf::new("x").dns("sip.example.com")
        ));
        let person = Leaf::new("x").uri("sip:bob@example.com").dns("example.com");
        assert!(sip("example.com", person));
    }

    #[test]
    fn a_refusal_says_which_names_do_not_count() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("x").uri("sip:example.com").dns("a.example.com"));
        let names = |identity: Identity| identity.names_in(leaf.certificate());
        assert_eq!(
            names(Identity::Sip(host("a.example.com"))),
            [
                "sip:example.com (SAN URI)",
                "a.example.com (SAN DNS, which does not count beside a SAN URI)"
            ]
        );
        assert_eq!(
            names(Identity::Https(host("b.example.com")))[1],
            "a.example.com (SAN DNS)"
        );
    }

    #[test]
    fn the_common_name_counts_only_without_alternative_names() {
        assert!(sip("example.com", Leaf::new("example.com")));
        assert!(!sip(
            "example.com",
            Leaf::new("example.com").dns("a.example.com")
        ));
        assert!(!sip("example.com", Leaf::new("example.com").email("a@b.c")));
        assert!(https("example.com", Leaf::new("example.com")));
        assert!(!https(
            "example.com",
            Leaf::new("example.com").email("a@b.c")
        ));
    }

    #[test]
    fn wildcards_never_name_a_sip_domain() {
        assert!(!sip("a.example.com", Leaf::new("x").dns("*.example.com")));
        assert!(!sip("a.example.com", Leaf::new("*.example.com")));
        assert!(!sip("a.example.com", Leaf::new("x").dns(".example.com")));
    }

    #[test]
    fn a_wildcard_stands_for_one_label_of_a_web_server() {
        let leaf = || Leaf::new("x").dns("*.example.com");
        assert!(https("a.example.com", leaf()));
        assert!(!https("a.b.example.com", leaf()));
        assert!(!https("example.com", leaf()));
        assert!(!https("example.com", Leaf::new("x").dns("*.com")));
        assert!(!https(
            "ab.example.com",
            Leaf::new("x").dns("a*.example.com")
        ));
    }

    #[test]
    fn addresses_need_an_address_name() {
        assert!(sip("192.0.2.1", Leaf::new("x").ip("192.0.2.1")));
        assert!(sip("[2001:db8::1]", Leaf::new("x").ip("2001:db8::1")));
        assert!(!sip("192.0.2.1", Leaf::new("x").ip("192.0.2.2")));
        assert!(!sip("192.0.2.1", Leaf::new("192.0.2.1")));
        assert!(!sip("192.0.2.1", Leaf::new("x").dns("192.0.2.1")));
    }

    #[test]
    fn an_srv_target_may_be_named_beside_a_sip_uri() {
        let leaf = Leaf::new("x").uri("sip:example.com").dns("p1.example.com");
        let leaf = Authority::new("Root").issue(leaf);
        let named = |target| target_named_by(&host(target), leaf.certificate());
        assert!(named("p1.example.com").is_some());
        assert!(named("p2.example.com").is_none());
    }
}
