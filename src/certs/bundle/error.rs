//! Why a certificate file was refused: the part of it, and what to do.

use thiserror::Error;

use super::{MAX_CERTIFICATES, MAX_FILE, MIN_RSA_BITS};

/// Why a certificate file was refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BundleError {
    /// Over [`MAX_FILE`].
    #[error("the file has {size} octets, {MAX_FILE} are allowed")]
    TooLarge {
        /// Octets of the file.
        size: usize,
    },
    /// Neither PEM nor DER.
    #[error("the file is neither PEM text nor a DER certificate")]
    NotText,
    /// PKCS#12, which needs a password to open.
    #[error("the file is PKCS#12: convert it with openssl pkcs12 -nodes -in FILE -out FILE.pem")]
    Pkcs12,
    /// PKCS#12 with another password.
    #[error("the PKCS#12 file does not open with the passphrase: set Cwmp.Pkcs12Passphrase")]
    Passphrase,
    /// A PEM block without an END line.
    #[error("the PEM block {0} has no end line")]
    Unfinished(String),
    /// A PEM block whose contents do not decode.
    #[error("the PEM block {0} is not base64")]
    BadBase64(String),
    /// A PEM block of a kind that has no place in the file.
    #[error("the PEM block {0} is neither a certificate nor a private key")]
    StrangeBlock(String),
    /// More blocks than any good file has.
    #[error("the file has more than 80 PEM blocks")]
    TooManyBlocks,
    /// More than [`MAX_CERTIFICATES`].
    #[error("the file has {count} certificates, {MAX_CERTIFICATES} are allowed")]
    TooManyCertificates {
        /// Certificates in the file.
        count: usize,
    },
    /// Not X.509.
    #[error("certificate {place} of {count}: not a readable X.509 certificate")]
    UnreadableCertificate {
        /// Counted from 1.
        place: usize,
        /// Certificates in the file.
        count: usize,
    },
    /// A host file whose certificate is not part of the leaf's chain.
    #[error("certificate {place} of {count} ({subject}): not in the chain of the host certificate")]
    NotInChain {
        /// Counted from 1.
        place: usize,
        /// Certificates in the file.
        count: usize,
        /// Whose it is.
        subject: String,
    },
    /// No certificate at all.
    #[error("the file has no certificate")]
    NoCertificate,
    /// A host file without a private key.
    #[error(
        "the file has no private key: a host certificate needs one, an other certificate does not"
    )]
    NoKey,
    /// A host file with two.
    #[error("the file has several private keys")]
    SeveralKeys,
    /// A key under a password.
    #[error("the private key is encrypted: decrypt it with openssl pkey -in FILE before")]
    EncryptedKey,
    /// Not a private key.
    #[error("the private key is not readable")]
    UnreadableKey,
    /// Neither RSA, EC on a named curve of NIST, nor Ed25519.
    #[error("the private key is neither RSA, EC P-256, P-384, P-521 nor Ed25519")]
    StrangeKey,
    /// RSA under [`MIN_RSA_BITS`].
    #[error("the RSA key has {bits} bits, at least {MIN_RSA_BITS} are needed")]
    WeakKey {
        /// Bits of the modulus.
        bits: u32,
    },
    /// The key is another one's.
    #[error("the private key belongs to none of the {count} certificates")]
    KeyDoesNotFit {
        /// Certificates in the file.
        count: usize,
    },
    /// A private key in a file of certificates to trust.
    #[error("the file has a private key: install it as a host certificate, or take the key out")]
    PrivateKeyAmongOthers,
}
