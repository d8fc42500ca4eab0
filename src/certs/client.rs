//! A TLS client's configuration, made anew for each connection.
//!
//! It needs trust anchors only; a host certificate is presented where the
//! server asks and one fits. Sessions are not resumed: a resumed session is
//! not verified, and would outlive the anchor that it was trusted by.

use std::io;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, ClientConfig, Error};

use super::keyring::Keyring;
use super::ladder::{Check, ExpectedServer};
use super::ocsp::{Doubt, Inquiry, Standing, TrustLevel, Verdict};
use super::policy::TlsPolicy;
use super::reason::{Link, LinkFailure};
use super::resolver::ClientResolver;
use super::service::Service;
use super::trail::{Step, Trail};
use super::verifier::ServerVerifier;
use super::witness::Witness;

/// One attempt to open a TLS connection.
#[derive(Debug)]
pub struct Attempt {
    keyring: Arc<Keyring>,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
    link: Link,
    witness: Arc<Witness>,
}

impl Attempt {
    /// Prepares a connection of `service` to `server`.
    ///
    /// # Errors
    /// Where the cryptographic library here has no cipher for the policy.
    pub fn new(
        keyring: &Arc<Keyring>,
        service: Service,
        policy: TlsPolicy,
        server: ExpectedServer,
    ) -> Result<Self, Error> {
        let witness = Arc::new(Witness::default());
        let host = server.identity.host().clone();
        let verifier = ServerVerifier {
            keyring: Arc::clone(keyring),
            check: Check::Server(server),
            witness: Arc::clone(&witness),
        };
        let resolver = ClientResolver {
            keyring: Arc::clone(keyring),
            service,
            witness: Arc::clone(&witness),
        };
        let clock = Arc::clone(keyring.clock());
        let mut config = ClientConfig::builder_with_details(Arc::clone(keyring.provider()), clock)
            .with_protocol_versions(policy.versions())?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(resolver));
        config.resumption = Resumption::disabled();
        Ok(Self {
            keyring: Arc::clone(keyring),
            config: Arc::new(config),
            name: host.server_name(),
            link: Link {
                service,
                policy,
                peer: host.to_string(),
            },
            witness,
        })
    }

    /// For the connector.
    #[must_use]
    pub fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// For the connector: the name that is indicated to the server.
    #[must_use]
    pub fn server_name(&self) -> ServerName<'static> {
        self.name.clone()
    }

    /// What was checked of the server's certificate.
    #[must_use]
    pub fn trail(&self) -> Arc<Trail> {
        self.witness.trail()
    }

    /// What is to be found out after the handshake, where `trust` asks for
    /// it and the server's certificate was checked at all.
    pub(super) fn inquiry(&self, trust: TrustLevel) -> Option<Inquiry<'_>> {
        let trail = self.trail();
        let chain = trail
            .chain()
            .filter(|_| trust > TrustLevel::LocallyTrusted)?;
        let staple = self.witness.staple().to_vec();
        Some(Inquiry::new(&self.keyring, chain.to_vec(), staple))
    }

    /// What follows from what was found out; where the server is refused, the sentence for it.
    pub(super) fn judge(
        &self,
        trust: TrustLevel,
        inquiry: &Inquiry<'_>,
        found: Result<Verdict, Doubt>,
    ) -> Result<Standing, String> {
        let standing = trust
            .judge(inquiry.subject(), inquiry.file(), found)
            .map_err(|failure| self.link.sentence(&LinkFailure::Certificate(failure)))?;
        let mut trail = Trail::clone(&self.trail());
        match &standing {
            Standing::NotAsked => {}
            Standing::Good => trail.push(Step::NotRevoked),
            Standing::Doubtful { doubt, .. } => trail.push(Step::Doubtful(doubt.clone())),
        }
        self.witness.checked(trail);
        Ok(standing)
    }

    /// Why it failed, and the sentence for it.
    #[must_use]
    pub fn explain(&self, error: &io::Error) -> (LinkFailure, String) {
        let failure = self.within_sight(LinkFailure::of_io(error));
        let sentence = self.link.sentence(&failure);
        (failure, sentence)
    }

    /// Before TLS 1.3 a server has no alert of its own for a missing
    /// certificate; what it does after asking in vain is its answer.
    fn within_sight(&self, failure: LinkFailure) -> LinkFailure {
        match failure {
            LinkFailure::Closed
            | LinkFailure::Alert(
                AlertDescription::HandshakeFailure | AlertDescription::AccessDenied,
            )
            | LinkFailure::RefusesOurs(
                AlertDescription::BadCertificate | AlertDescription::CertificateUnknown,
            ) if self.witness.asked_in_vain() => LinkFailure::WantsClientCertificate,
            other => other,
        }
    }
}
