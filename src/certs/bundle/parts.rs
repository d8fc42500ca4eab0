//! What is in a certificate file, before it is asked what it is for.

use openssl::pkcs12::Pkcs12;
use openssl::pkey::{PKey, Private};
use zeroize::Zeroizing;

use super::error::BundleError;
use super::{MAX_CERTIFICATES, MAX_FILE};
use crate::certs::certificate::{Certificate, printable};
use crate::certs::pem;

/// The keys and certificates of a file, as they come.
pub(super) struct Parts {
    pub(super) keys: Vec<Result<PKey<Private>, BundleError>>,
    pub(super) certificates: Vec<Certificate>,
}

impl Parts {
    pub(super) fn read(file: &[u8]) -> Result<Self, BundleError> {
        match file.len() {
            size if size > MAX_FILE => Err(BundleError::TooLarge { size }),
            _ if pem::is_pem(file) => Self::read_pem(file),
            _ => Self::read_der(file),
        }
    }

    fn read_pem(file: &[u8]) -> Result<Self, BundleError> {
        let mut keys = Vec::new();
        let mut ders = Vec::new();
        for block in pem::blocks(file)? {
            match block.label {
                "CERTIFICATE" | "X509 CERTIFICATE" => ders.push(block.der),
                "ENCRYPTED PRIVATE KEY" => keys.push(Err(BundleError::EncryptedKey)),
                "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" => {
                    keys.push(match block.encrypted {
                        true => Err(BundleError::EncryptedKey),
                        false => PKey::private_key_from_der(&block.der)
                            .map_err(|_| BundleError::UnreadableKey),
                    });
                }
                // The curve's name, which the key itself repeats.
                "EC PARAMETERS" => {}
                strange => return Err(BundleError::StrangeBlock(printable(strange))),
            }
        }
        let certificates = read_all(&ders)?;
        Ok(Self { keys, certificates })
    }

    /// DER holds one thing: a certificate, or a key that no certificate accompanies.
    fn read_der(file: &[u8]) -> Result<Self, BundleError> {
        if let Ok(certificate) = Certificate::from_der(file) {
            return Ok(Self {
                keys: Vec::new(),
                certificates: vec![certificate],
            });
        }
        if let Ok(key) = PKey::private_key_from_der(file) {
            return Ok(Self {
                keys: vec![Ok(key)],
                certificates: Vec::new(),
            });
        }
        match Pkcs12::from_der(file) {
            Ok(_) => Err(BundleError::Pkcs12),
            Err(_) => Err(BundleError::NotText),
        }
    }
}

/// What a PKCS#12 file holds, as PEM; None: it is no such file. Without a
/// passphrase none is opened.
///
/// # Errors
/// [`BundleError::Pkcs12`] where it is one and there is no passphrase, or another one.
pub fn pem_of_pkcs12(
    file: &[u8],
    passphrase: Option<&[u8]>,
) -> Result<Option<Zeroizing<Vec<u8>>>, BundleError> {
    if file.len() > MAX_FILE || pem::is_pem(file) {
        return Ok(None);
    }
    let Ok(store) = Pkcs12::from_der(file) else {
        return Ok(None);
    };
    let passphrase = passphrase.ok_or(BundleError::Pkcs12)?;
    let passphrase = std::str::from_utf8(passphrase).map_err(|_| BundleError::Passphrase)?;
    let opened = store
        .parse2(passphrase)
        .map_err(|_| BundleError::Passphrase)?;
    let mut pem = Zeroizing::new(Vec::new());
    if let Some(key) = opened.pkey {
        let key = key.private_key_to_pem_pkcs8();
        let key = Zeroizing::new(key.map_err(|_| BundleError::UnreadableKey)?);
        pem.extend_from_slice(&key);
    }
    let chain = opened.ca.into_iter().flatten();
    for certificate in opened.cert.into_iter().chain(chain) {
        let octets = certificate.to_pem();
        pem.extend(octets.map_err(|_| BundleError::NoCertificate)?);
    }
    Ok(Some(pem))
}

/// Reads each; the same one twice counts once.
fn read_all(ders: &[Zeroizing<Vec<u8>>]) -> Result<Vec<Certificate>, BundleError> {
    let count = ders.len();
    if count > MAX_CERTIFICATES {
        return Err(BundleError::TooManyCertificates { count });
    }
    let mut certificates = Vec::new();
    for (place, der) in (1..).zip(ders) {
        let certificate = Certificate::from_der(der)
            .map_err(|_| BundleError::UnreadableCertificate { place, count })?;
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    Ok(certificates)
}
