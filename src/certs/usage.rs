//! What a certificate may be used for, and what it is wanted for.
//!
//! From the extended key usage extension (RFC 5280 §4.2.1.12), with the one
//! that SIP added (RFC 5924).

use std::fmt;

use super::der;

/// What the extended key usage of a certificate allows; without one, everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// serverAuth, or no restriction.
    pub tls_server: bool,
    /// clientAuth, or no restriction.
    pub tls_client: bool,
    /// sipDomain (RFC 5924): both ends of a SIP link.
    pub sip_domain: bool,
}

impl Usage {
    pub(super) fn read(der: &[u8]) -> Self {
        let Some(value) = der::extension(der, der::EXTENDED_KEY_USAGE) else {
            return Self {
                tls_server: true,
                tls_client: true,
                sip_domain: false,
            };
        };
        let purposes = der::purposes(value).unwrap_or_default();
        let names = |oid| purposes.contains(&oid);
        Self {
            tls_server: names(der::SERVER_AUTH) || names(der::ANY_PURPOSE),
            tls_client: names(der::CLIENT_AUTH) || names(der::ANY_PURPOSE),
            sip_domain: names(der::SIP_DOMAIN),
        }
    }

    /// Whether it covers `purpose`.
    ///
    /// RFC 5924 §5 would have SIP accept sipDomain only, once any usage is
    /// named; public authorities issue serverAuth, so that counts too.
    #[must_use]
    pub fn allows(self, purpose: Purpose) -> bool {
        match purpose {
            Purpose::TlsServer => self.tls_server,
            Purpose::TlsClient => self.tls_client,
            Purpose::SipServer => self.tls_server || self.sip_domain,
            Purpose::SipClient => self.tls_client || self.sip_domain,
        }
    }
}

/// As the certificate tables show it: `TlsServer, TlsClient`.
impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.tls_server, "TlsServer"),
            (self.tls_client, "TlsClient"),
            (self.sip_domain, "SipDomain"),
        ];
        let said = words.iter().filter(|(is, _)| *is).map(|(_, word)| *word);
        f.write_str(&said.collect::<Vec<_>>().join(", "))
    }
}

/// What a certificate is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To answer TLS connections.
    TlsServer,
    /// To open TLS connections.
    TlsClient,
    /// To answer TLS connections that carry SIP.
    SipServer,
    /// To open TLS connections that carry SIP.
    SipClient,
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TlsServer | Self::SipServer => "a TLS server",
            Self::TlsClient | Self::SipClient => "a TLS client",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf};
    use super::*;

    #[test]
    fn usage_follows_the_extended_key_usage() {
        let root = Authority::new("Root");
        let usage = |leaf: Leaf| root.issue(leaf).certificate().usage;
        assert_eq!(usage(Leaf::new("a")).to_string(), "TlsServer, TlsClient");
        let server = usage(Leaf::new("a").server_only());
        assert_eq!(server.to_string(), "TlsServer");
        assert!(server.allows(Purpose::SipServer) && !server.allows(Purpose::SipClient));
        let client = usage(Leaf::new("a").client_only());
        assert_eq!(client.to_string(), "TlsClient");
        assert!(client.allows(Purpose::TlsClient) && !client.allows(Purpose::TlsServer));
    }

    #[test]
    fn sip_domain_usage_serves_both_ends_of_sip_and_nothing_else() {
        let root = Authority::new("Root");
        let usage = root
            .issue(Leaf::new("a").purpose("1.3.6.1.5.5.7.3.20"))
            .certificate()
            .usage;
        assert_eq!(usage.to_string(), "SipDomain");
        assert!(usage.allows(Purpose::SipServer) && usage.allows(Purpose::SipClient));
        assert!(!usage.allows(Purpose::TlsServer) && !usage.allows(Purpose::TlsClient));
        let any = root
            .issue(Leaf::new("a").purpose("2.5.29.37.0"))
            .certificate()
            .usage;
        assert!(any.allows(Purpose::TlsServer) && any.allows(Purpose::SipClient));
    }
}
