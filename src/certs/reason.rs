//! Why a TLS link did not come up, in a sentence, and what to change.
//!
//! Takes the error that the connection ended with and finds what lies behind
//! it. For status tables and the log; nothing is decided by the text.

use std::io;

use rustls::{
    AlertDescription, CertificateError, Error, InvalidMessage, OtherError, PeerIncompatible,
};
use thiserror::Error as ThisError;

use super::failure::VerifyFailure;
use super::ladder::Refused;
use super::policy::TlsPolicy;
use super::service::Service;

/// What ended a handshake.
#[derive(Clone, Debug, PartialEq, Eq, ThisError)]
pub enum LinkFailure {
    /// The peer's certificate was not accepted here.
    #[error("{0}")]
    Certificate(VerifyFailure),
    /// The peer does not have the key of its certificate.
    #[error("it signed with another key than its certificate's")]
    NotItsKey,
    /// No TLS version in common.
    #[error("it speaks no TLS version that is allowed here")]
    NoCommonVersion,
    /// No cipher suite, group or signature scheme in common.
    #[error("it has no cipher suite, key exchange or signature in common")]
    NoCommonCipher,
    /// It wants a client certificate.
    #[error("it asks for a client certificate")]
    WantsClientCertificate,
    /// It does not accept the certificate that it was shown.
    #[error("it refuses our certificate with the alert {0:?}")]
    RefusesOurs(AlertDescription),
    /// It gave up with an alert.
    #[error("it refused the handshake with the alert {0:?}")]
    Alert(AlertDescription),
    /// What came is not TLS.
    #[error("it does not speak TLS")]
    NotTls,
    /// It closed the connection during the handshake.
    #[error("it closed the connection during the handshake")]
    Closed,
    /// There is no host certificate to present.
    #[error("no host certificate fits it")]
    NoHostCertificate,
    /// It broke the rules of TLS, by the library's words.
    #[error("the handshake failed: {0}")]
    Protocol(String),
    /// The connection failed below TLS.
    #[error("the connection failed: {0}")]
    Connection(io::ErrorKind),
}

impl LinkFailure {
    /// What lies behind an error of the TLS library.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(refused) = Refused::within(error) {
            return Self::Certificate(refused.failure.clone());
        }
        match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => Self::NotItsKey,
            Error::NoCertificatesPresented => Self::Certificate(VerifyFailure::NoCertificate),
            Error::PeerIncompatible(why) => Self::incompatible(why),
            Error::AlertReceived(AlertDescription::ProtocolVersion) => Self::NoCommonVersion,
            Error::AlertReceived(AlertDescription::CertificateRequired) => {
                Self::WantsClientCertificate
            }
            Error::AlertReceived(alert) if is_about_ours(*alert) => Self::RefusesOurs(*alert),
            Error::AlertReceived(alert) => Self::Alert(*alert),
            Error::InvalidMessage(
                InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion,
            ) => Self::NotTls,
            Error::General(text) if text == NO_KEY_RESOLVED => Self::NoHostCertificate,
            other => Self::Protocol(other.to_string()),
        }
    }

    /// What lies behind an error of the connection; the asynchronous library
    /// wraps the TLS library's errors in these.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Self {
        if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Self::of(tls);
        }
        match error.kind() {
            io::ErrorKind::UnexpectedEof
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Self::Closed,
            kind => Self::Connection(kind),
        }
    }

    fn incompatible(why: &PeerIncompatible) -> Self {
        match why {
            PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled => Self::NoCommonVersion,
            PeerIncompatible::EcPointsExtensionRequired
            | PeerIncompatible::KeyShareExtensionRequired
            | PeerIncompatible::NamedGroupsExtensionRequired
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon
            | PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoEcPointFormatsInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::UncompressedEcPointsRequired => Self::NoCommonCipher,
            other => Self::Protocol(Error::PeerIncompatible(other.clone()).to_string()),
        }
    }
}

impl Refused {
    /// The refusal of the ladder, with its trail, that an error of the TLS library carries.
    #[must_use]
    pub fn within(error: &Error) -> Option<&Self> {
        match error {
            Error::InvalidCertificate(CertificateError::Other(OtherError(inner))) => {
                inner.downcast_ref()
            }
            _ => None,
        }
    }

    /// The same, from an error of the connection.
    #[must_use]
    pub fn within_io(error: &io::Error) -> Option<&Self> {
        Self::within(error.get_ref()?.downcast_ref()?)
    }
}

/// The link that a sentence is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose link it is.
    pub service: Service,
    /// What it may negotiate.
    pub policy: TlsPolicy,
    /// The peer, by the name or address that the operator knows.
    pub peer: String,
}

impl Link {
    /// What is wrong and, where it can be told, what to change.
    #[must_use]
    pub fn sentence(&self, failure: &LinkFailure) -> String {
        let peer = &self.peer;
        let what = match failure {
            // These say whose certificate it is by themselves.
            LinkFailure::Certificate(VerifyFailure::WrongName { .. }) => failure.to_string(),
            _ => format!("{peer}: {failure}"),
        };
        match self.advice(failure) {
            Some(advice) => format!("{what}: {advice}"),
            None => what,
        }
    }

    fn advice(&self, failure: &LinkFailure) -> Option<String> {
        match failure {
            LinkFailure::Certificate(failure) => self.certificate_advice(failure),
            LinkFailure::NoCommonVersion => Some(match self.policy {
                TlsPolicy::Modern => {
                    let object = self.service.policy_object().unwrap_or("the policy");
                    format!(
                        "only TLS 1.3 is allowed by {object}=modern; compatible also allows TLS 1.2"
                    )
                }
                TlsPolicy::Compatible => {
                    "TLS 1.2 and 1.3 are allowed, TLS 1.0 and 1.1 are not; the peer must be \
                     configured so"
                        .to_owned()
                }
            }),
            LinkFailure::NoCommonCipher => Some(
                "ECDHE with AES-GCM or ChaCha20-Poly1305 is needed; the peer must allow one"
                    .to_owned(),
            ),
            LinkFailure::WantsClientCertificate | LinkFailure::NoHostCertificate => {
                let object = self.service.association_object();
                Some(format!(
                    "add a valid one with demarc cert add --type host FILE and see that \
                     {object} is enable"
                ))
            }
            LinkFailure::RefusesOurs(_) => Some(
                "add one that it accepts with demarc cert add --type host FILE, see \
                 Cert.HostCertificatesInfo"
                    .to_owned(),
            ),
            LinkFailure::NotTls => {
                Some("the port is not its TLS port, or TLS is off on one side".to_owned())
            }
            LinkFailure::NotItsKey
            | LinkFailure::Alert(_)
            | LinkFailure::Closed
            | LinkFailure::Protocol(_)
            | LinkFailure::Connection(_) => None,
        }
    }

    fn certificate_advice(&self, failure: &VerifyFailure) -> Option<String> {
        match failure {
            VerifyFailure::WrongName { .. } => {
                let rename = "set the server's name so";
                Some(match self.service.validation_object() {
                    Some(object) => format!("{rename}, or {object}=trustedCertificate"),
                    None => rename.to_owned(),
                })
            }
            VerifyFailure::UnknownIssuer { .. } | VerifyFailure::SelfSigned { .. } => Some(
                "add the authority's certificate with demarc cert add --type other FILE".to_owned(),
            ),
            VerifyFailure::Expired { .. } => Some(
                "it must be renewed, or the clock here is wrong (Hoc.StaticSntpServers)".to_owned(),
            ),
            VerifyFailure::NotYetValid { .. } => {
                Some("is the clock here right (Hoc.StaticSntpServers)?".to_owned())
            }
            VerifyFailure::Revoked { .. } => Some("it must be replaced there".to_owned()),
            VerifyFailure::NotVouchedFor { file, .. } => {
                let file = file.as_ref().map(|file| format!("[FileName={file}]"));
                let file = file.unwrap_or_default();
                let responder =
                    format!("Cert.CertificateAuthorities{file}.OverrideIssuedCertificateOcspUrl");
                Some(match self.service.trust_object() {
                    Some(object) => {
                        format!("name a responder in {responder}, or set {object}=ocspOptional")
                    }
                    None => format!("name a responder in {responder}"),
                })
            }
            VerifyFailure::NoCertificate
            | VerifyFailure::TooManyCertificates { .. }
            | VerifyFailure::Unreadable { .. }
            | VerifyFailure::NotAnAuthority { .. }
            | VerifyFailure::WrongUsage { .. }
            | VerifyFailure::CannotSign { .. }
            | VerifyFailure::BadSignature { .. }
            | VerifyFailure::TooWeak { .. }
            | VerifyFailure::Invalid { .. }
            | VerifyFailure::NotChecked => None,
        }
    }
}

/// RFC 8446 §6.2: the alerts that are about the certificate of whoever receives them.
fn is_about_ours(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::DecryptError
    )
}

/// What the TLS library says where the resolver had nothing to offer.
const NO_KEY_RESOLVED: &str = "no server certificate chain resolved";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_about_our_certificate_says_what_to_install() {
        let link = Link {
            service: Service::Sip,
            policy: TlsPolicy::Compatible,
            peer: "sip.example.com".to_owned(),
        };
        for (alert, is_ours) in [
            (AlertDescription::UnknownCA, true),
            (AlertDescription::DecryptError, true),
            (AlertDescription::InternalError, false),
        ] {
            let sentence = link.sentence(&LinkFailure::of(&Error::AlertReceived(alert)));
            assert_eq!(
                sentence.contains("cert add --type host"),
                is_ours,
                "{sentence}"
            );
        }
    }
}
