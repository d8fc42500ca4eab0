//! The signature that proves a peer has the key of its certificate.
//!
//! The provider's algorithms verify it, over the key as the library reads it:
//! certificates of version 1, which old tools still make, have keys too.

use openssl::bn::BigNumContext;
use openssl::ec::PointConversionForm;
use openssl::error::ErrorStack;
use openssl::pkey::{PKey, Public};
use openssl::x509::X509;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{AlgorithmIdentifier, CertificateDer, alg_id};
use rustls::{CertificateError, DigitallySignedStruct, Error, PeerMisbehaved, SignatureScheme};

use super::certificate::KeyKind;

/// In TLS 1.2 an ECDSA scheme does not fix the curve (RFC 5246 §7.4.1.4.1).
pub(super) fn verify_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    verify(message, certificate, signed, algorithms, usize::MAX)
}

/// In TLS 1.3 it does, and PKCS#1 v1.5 is gone (RFC 8446 §4.2.3).
pub(super) fn verify_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    match signed.scheme {
        SignatureScheme::RSA_PKCS1_SHA256
        | SignatureScheme::RSA_PKCS1_SHA384
        | SignatureScheme::RSA_PKCS1_SHA512 => {
            Err(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme.into())
        }
        _ => verify(message, certificate, signed, algorithms, 1),
    }
}

/// Tries the first `count` algorithms of the scheme; the first is the one of its own curve.
fn verify(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
    count: usize,
) -> Result<HandshakeSignatureValid, Error> {
    let mut schemes = algorithms.mapping.iter();
    let (_, candidates) = schemes
        .find(|(scheme, _)| *scheme == signed.scheme)
        .ok_or(PeerMisbehaved::SignedHandshakeWithUnadvertisedSigScheme)?;
    let (kind, key) = public_key(certificate)
        .map_err(|_| Error::from(CertificateError::BadEncoding))?
        .ok_or(CertificateError::BadSignature)?;
    candidates
        .iter()
        .take(count)
        .find(|algorithm| algorithm.public_key_alg_id() == kind)
        .and_then(|algorithm| {
            let valid = algorithm.verify_signature(&key, message, signed.signature());
            valid.ok()
        })
        .map(|()| HandshakeSignatureValid::assertion())
        .ok_or_else(|| CertificateError::BadSignature.into())
}

/// Algorithm and contents of the subjectPublicKey; none where no algorithm here takes it.
fn public_key(
    certificate: &CertificateDer<'_>,
) -> Result<Option<(AlgorithmIdentifier, Vec<u8>)>, ErrorStack> {
    let key = X509::from_der(certificate)?.public_key()?;
    Ok(Some(match KeyKind::read(&key) {
        KeyKind::Rsa(_) => (
            alg_id::RSA_ENCRYPTION,
            key.rsa()?.public_key_to_der_pkcs1()?,
        ),
        KeyKind::P256 => (alg_id::ECDSA_P256, point(&key)?),
        KeyKind::P384 => (alg_id::ECDSA_P384, point(&key)?),
        KeyKind::P521 => (alg_id::ECDSA_P521, point(&key)?),
        KeyKind::Ed25519 => (alg_id::ED25519, key.raw_public_key()?),
        KeyKind::Other => return Ok(None),
    }))
}

fn point(key: &PKey<Public>) -> Result<Vec<u8>, ErrorStack> {
    let key = key.ec_key()?;
    let mut context = BigNumContext::new()?;
    key.public_key()
        .to_bytes(key.group(), PointConversionForm::UNCOMPRESSED, &mut context)
}
