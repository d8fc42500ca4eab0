//! The host certificate of a handshake, taken from the keyring as it begins.
//!
//! Nothing is kept here: what the keyring holds at that moment is chosen
//! from, so a certificate that is swapped serves the next handshake.

use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use super::keyring::{Keyring, Wish};
use super::service::Service;
use super::usage::Purpose;
use super::witness::Witness;

/// Chooses for a server.
#[derive(Debug)]
pub(super) struct ServerResolver {
    pub(super) keyring: Arc<Keyring>,
    pub(super) service: Service,
}

impl ResolvesServerCert for ServerResolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.keyring.choose(&Wish {
            service: self.service,
            purpose: self.service.as_server(),
            time: self.keyring.clock().time(),
            name: hello.server_name(),
            issuers: &[],
            schemes: Some(hello.signature_schemes()),
        })
    }
}

/// Chooses for a client; a client without a certificate goes on without.
#[derive(Debug)]
pub(super) struct ClientResolver {
    pub(super) keyring: Arc<Keyring>,
    pub(super) service: Service,
    pub(super) witness: Arc<Witness>,
}

impl ResolvesClientCert for ClientResolver {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let chosen = self.keyring.choose(&Wish {
            service: self.service,
            purpose: self.service.as_client(),
            time: self.keyring.clock().time(),
            name: None,
            issuers,
            schemes: Some(schemes),
        });
        self.witness.asked(chosen.is_some());
        chosen
    }

    fn has_certs(&self) -> bool {
        self.keyring
            .host_for(self.service, self.service.as_client())
            .is_ok()
    }
}

impl Service {
    /// What a host certificate is wanted for where this service listens.
    #[must_use]
    pub fn as_server(self) -> Purpose {
        match self {
            Self::Sip => Purpose::SipServer,
            _ => Purpose::TlsServer,
        }
    }

    /// What a host certificate is wanted for where this service connects.
    #[must_use]
    pub fn as_client(self) -> Purpose {
        match self {
            Self::Sip => Purpose::SipClient,
            _ => Purpose::TlsClient,
        }
    }
}
