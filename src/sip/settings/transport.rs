//! The unit-wide transport scalars, and what TLS is made of.

use crate::certs::{ClientAuth, Level, TlsPolicy, TrustLevel};
use crate::schema::sip_ep::{self, TransportTlsCipherSuite, TransportTlsVersion};
use crate::schema::{FromCell, Value, kind};

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

/// What follows the Ready LED.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyLed {
    /// The `brightness` file of a LED; empty for none.
    pub file: String,
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

columns! { Transport: sip_ep {
    persistent_base_port = TRANSPORT_PERSISTENT_BASE_PORT,
    persistent_port_interval = TRANSPORT_PERSISTENT_PORT_INTERVAL,
    failback_interval = TRANSPORT_FAILBACK_INTERVAL,
    outbound_enable = OUTBOUND_ENABLE,
    .. { last_persistent_port = None, tls_generation = 0, }
} }

columns! { ReadyLed: sip_ep {
    file = READY_LED_FILE,
} }

columns! { Tls: sip_ep {
    policy = TLS_POLICY,
    cipher_suite = TRANSPORT_TLS_CIPHER_SUITE,
    version = TRANSPORT_TLS_VERSION,
    validation = INTEROP_TLS_CERTIFICATE_VALIDATION,
    trust = TRANSPORT_TLS_CERTIFICATE_TRUST_LEVEL,
    client_authentication = INTEROP_TLS_CLIENT_AUTHENTICATION_ENABLE,
} }

impl FromCell<kind::Switch> for ClientAuth {
    fn from_cell(cell: Option<&Value>) -> Self {
        match bool::from_cell(cell) {
            true => Self::Required,
            false => Self::NotAsked,
        }
    }
}

labels! { sip_ep::TlsPolicy => TlsPolicy { Modern, Compatible } }
labels! { sip_ep::InteropTlsCertificateValidation => Level { NoValidation, TrustedCertificate, DnsSrvResponse, HostName } }
labels! { sip_ep::TransportTlsCertificateTrustLevel => TrustLevel { LocallyTrusted, OcspOptional, OcspMandatory } }

#[cfg(test)]
mod tests {
    use super::*;

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
}
