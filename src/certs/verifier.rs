//! The validation ladder as the TLS library's verifiers.
//!
//! A refusal travels inside the library's error as [`Refused`] and comes back
//! out in `reason`. Neither verifier logs; the steps are left with the witness.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
};

use super::keyring::Keyring;
use super::ladder::{Check, Refused};
use super::signature;
use super::trail::Trail;
use super::witness::Witness;

/// Checks the server of one connection.
#[derive(Debug)]
pub(super) struct ServerVerifier {
    pub(super) keyring: Arc<Keyring>,
    pub(super) check: Check,
    pub(super) witness: Arc<Witness>,
}

impl ServerCertVerifier for ServerVerifier {
    /// The name is the check's own; the time is the keyring's, which may be a floor.
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = examine(&self.keyring, &self.check, leaf, above);
        let trail = match &verdict {
            Ok(trail) => trail,
            Err(refused) => &refused.trail,
        };
        self.witness.checked(trail.clone());
        self.witness.stapled(ocsp_response);
        verdict.map_err(carried)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.keyring.provider().signature_verification_algorithms;
        signature::verify_tls12(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.keyring.provider().signature_verification_algorithms;
        signature::verify_tls13(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = self.keyring.provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Checks the clients of a server, all of which must have a certificate.
#[derive(Debug)]
pub(super) struct ClientVerifier {
    pub(super) keyring: Arc<Keyring>,
    pub(super) check: Check,
}

impl ClientCertVerifier for ClientVerifier {
    /// No hints: the anchors may change while the configuration stands.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        examine(&self.keyring, &self.check, leaf, above).map_err(carried)?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.keyring.provider().signature_verification_algorithms;
        signature::verify_tls12(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.keyring.provider().signature_verification_algorithms;
        signature::verify_tls13(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let provider = self.keyring.provider();
        provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn examine(
    keyring: &Keyring,
    check: &Check,
    leaf: &CertificateDer<'_>,
    above: &[CertificateDer<'_>],
) -> Result<Trail, Refused> {
    let presented = std::iter::once(leaf).chain(above);
    let presented: Vec<&[u8]> = presented.map(AsRef::as_ref).collect();
    check.examine(&presented, &keyring.anchors(), keyring.clock().time())
}

fn carried(refused: Refused) -> Error {
    CertificateError::Other(OtherError(Arc::new(refused))).into()
}
