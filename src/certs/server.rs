//! A TLS server's configuration.
//!
//! It stands as long as the policy does: host certificates, anchors and time
//! are looked up in the keyring at each handshake. Sessions are not resumed,
//! for the reason that `client` gives.

use std::sync::Arc;

use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoClientAuth, NoServerSessionStorage};
use rustls::{Error, ServerConfig};

use super::keyring::Keyring;
use super::ladder::Check;
use super::policy::TlsPolicy;
use super::resolver::ServerResolver;
use super::service::Service;
use super::verifier::ClientVerifier;

/// Whether clients must have a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAuth {
    /// They are not asked for one.
    NotAsked,
    /// They must present one that an anchor vouches for.
    Required,
}

/// The configuration of a listener of `service`.
///
/// # Errors
/// Where the cryptographic library here has no cipher for the policy.
pub fn server_config(
    keyring: &Arc<Keyring>,
    service: Service,
    policy: TlsPolicy,
    clients: ClientAuth,
) -> Result<Arc<ServerConfig>, Error> {
    let verifier: Arc<dyn ClientCertVerifier> = match clients {
        ClientAuth::NotAsked => Arc::new(NoClientAuth),
        ClientAuth::Required => Arc::new(ClientVerifier {
            keyring: Arc::clone(keyring),
            check: Check::Client(service.as_client()),
        }),
    };
    let resolver = ServerResolver {
        keyring: Arc::clone(keyring),
        service,
    };
    let clock = Arc::clone(keyring.clock());
    let mut config = ServerConfig::builder_with_details(Arc::clone(keyring.provider()), clock)
        .with_protocol_versions(policy.versions())?
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(Arc::new(resolver));
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(Arc::new(config))
}
