//! Certificate files, read: what an operator installs.
//!
//! A host bundle is a private key with its certificate and chain, in any
//! order; an others bundle is one or more certificates to trust. PEM or DER
//! in, checked and ordered out; a refusal names the culprit. Nothing is
//! stored here, and dates are not judged: an expired one may be listed.

mod error;
mod parts;

use std::fmt;

use openssl::pkey::{PKey, Private};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::certificate::{Certificate, KeyKind};
use parts::Parts;

pub use error::BundleError;
pub use parts::pem_of_pkcs12;

/// A private key, its certificate and the chain above it.
pub struct HostBundle {
    key: Zeroizing<Vec<u8>>,
    /// Leaf first, each next one the issuer of the one before.
    chain: Vec<Certificate>,
}

impl HostBundle {
    /// Reads a host certificate file: one private key and its certificates.
    ///
    /// # Errors
    /// See [`BundleError`]; among others an encrypted or weak key, a key that
    /// fits no certificate, and a certificate outside the chain.
    pub fn read(file: &[u8]) -> Result<Self, BundleError> {
        let parts = Parts::read(file)?;
        let mut keys = parts.keys.into_iter();
        let key = keys.next().ok_or(BundleError::NoKey)??;
        if keys.next().is_some() {
            return Err(BundleError::SeveralKeys);
        }
        check_strength(&key)?;
        let chain = order(&key, parts.certificates)?;
        let key = key
            .private_key_to_pkcs8()
            .map_err(|_| BundleError::UnreadableKey)?;
        Ok(Self {
            key: Zeroizing::new(key),
            chain,
        })
    }

    /// The certificate that the key belongs to.
    #[must_use]
    pub fn leaf(&self) -> &Certificate {
        &self.chain[0]
    }

    /// All certificates, leaf first.
    #[must_use]
    pub fn chain(&self) -> &[Certificate] {
        &self.chain
    }

    /// Chain and key as the TLS library takes them.
    ///
    /// # Errors
    /// What the TLS library says of the key.
    pub fn certified(&self, provider: &CryptoProvider) -> Result<CertifiedKey, rustls::Error> {
        let der = PrivatePkcs8KeyDer::from(self.key.to_vec());
        let key = provider
            .key_provider
            .load_private_key(PrivateKeyDer::Pkcs8(der))?;
        let chain = self.chain.iter();
        let chain = chain.map(|one| CertificateDer::from(one.der().to_vec()));
        Ok(CertifiedKey::new(chain.collect(), key))
    }
}

impl fmt::Debug for HostBundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostBundle({:?}, key withheld)", self.chain)
    }
}

/// Certificates to trust, in the order of their file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OthersBundle {
    certificates: Vec<Certificate>,
}

impl OthersBundle {
    /// Reads a file of one or more certificates.
    ///
    /// # Errors
    /// See [`BundleError`]; a private key is refused: it does not belong here.
    pub fn read(file: &[u8]) -> Result<Self, BundleError> {
        let parts = Parts::read(file)?;
        match (parts.keys.is_empty(), parts.certificates.is_empty()) {
            (false, _) => Err(BundleError::PrivateKeyAmongOthers),
            (true, true) => Err(BundleError::NoCertificate),
            (true, false) => Ok(Self {
                certificates: parts.certificates,
            }),
        }
    }

    /// The certificates; never none.
    #[must_use]
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }
}

fn check_strength(key: &PKey<Private>) -> Result<(), BundleError> {
    let public = key
        .public_key_to_der()
        .and_then(|der| PKey::public_key_from_der(&der))
        .map_err(|_| BundleError::UnreadableKey)?;
    match KeyKind::read(&public) {
        KeyKind::Rsa(bits) if bits < MIN_RSA_BITS => Err(BundleError::WeakKey { bits }),
        KeyKind::Other => Err(BundleError::StrangeKey),
        KeyKind::Rsa(_) | KeyKind::P256 | KeyKind::P384 | KeyKind::P521 | KeyKind::Ed25519 => {
            Ok(())
        }
    }
}

/// The key's certificate, then its issuer, and so on; every certificate must find a place.
fn order(
    key: &PKey<Private>,
    certificates: Vec<Certificate>,
) -> Result<Vec<Certificate>, BundleError> {
    let count = certificates.len();
    if count == 0 {
        return Err(BundleError::NoCertificate);
    }
    let mut rest: Vec<_> = (1..).zip(certificates).collect();
    let mut at = rest.iter().position(|(_, one)| fits(key, one));
    let mut chain: Vec<Certificate> = Vec::new();
    while let Some(found) = at {
        let (_, certificate) = rest.remove(found);
        at = rest.iter().position(|(_, one)| one.issued(&certificate));
        chain.push(certificate);
    }
    match (chain.is_empty(), rest.first()) {
        (true, _) => Err(BundleError::KeyDoesNotFit { count }),
        (false, None) => Ok(chain),
        (false, Some((place, stray))) => Err(BundleError::NotInChain {
            place: *place,
            count,
            subject: stray.subject.to_string(),
        }),
    }
}

fn fits(key: &PKey<Private>, certificate: &Certificate) -> bool {
    let public = certificate.x509().public_key();
    public.is_ok_and(|public| public.public_eq(key))
}

/// Octets of a certificate file: what the columns for them hold.
pub const MAX_FILE: usize = 65_535;
/// Certificates of a file.
pub const MAX_CERTIFICATES: usize = 64;
/// Bits of the modulus of an RSA host key.
pub const MIN_RSA_BITS: u32 = 2048;

#[cfg(test)]
mod tests {
    use openssl::pkcs12::Pkcs12;
    use openssl::symm::Cipher;

    use super::super::testing::{Authority, Leaf, p256, rsa};
    use super::*;

    fn refused(file: impl AsRef<[u8]>) -> String {
        HostBundle::read(file.as_ref())
            .expect_err("refused")
            .to_string()
    }

    fn commons(bundle: &HostBundle) -> Vec<&str> {
        let names = bundle.chain().iter();
        names
            .filter_map(|one| one.subject.common.as_deref())
            .collect()
    }

    #[test]
    fn a_host_bundle_is_ordered_leaf_first_wherever_its_parts_stand() {
        let root = Authority::new("Root");
        let middle = root.intermediate("Middle");
        let leaf = middle.issue(Leaf::new("leaf"));
        let (a, b, c, k) = (leaf.pem(), middle.pem(), root.pem(), leaf.key_pem());
        for file in [
            format!("{k}{a}{b}{c}"),
            format!("{a}{b}{c}{k}"),
            format!("{c}{k}{b}{a}"),
            format!("subject=x\n{b}{a}text\n{k}{c}{a}"),
        ] {
            let bundle = HostBundle::read(file.as_bytes()).expect("good");
            assert_eq!(commons(&bundle), ["leaf", "Middle", "Root"]);
        }
    }

    #[test]
    fn rsa_and_ed25519_keys_serve_too() {
        let root = Authority::new("Root");
        let provider = rustls_openssl::default_provider();
        let ed25519 = PKey::generate_ed25519().expect("a key");
        for (key, kind) in [(rsa(2048), KeyKind::Rsa(2048)), (ed25519, KeyKind::Ed25519)] {
            let pair = root.issue_for(Leaf::new("leaf"), &key);
            let bundle = pair.host(&[]);
            assert_eq!(bundle.leaf().key, kind);
            assert!(bundle.certified(&provider).is_ok());
        }
    }

    #[test]
    fn traditional_key_formats_are_read() {
        let root = Authority::new("Root");
        let (ec, rsa) = (p256(), rsa(2048));
        let sec1 = ec.ec_key().expect("EC").private_key_to_pem();
        let pkcs1 = rsa.rsa().expect("RSA").private_key_to_pem();
        for (key, pem) in [(ec, sec1), (rsa, pkcs1)] {
            let leaf = root.issue_for(Leaf::new("leaf"), &key);
            let pem = String::from_utf8(pem.expect("PEM")).expect("ASCII");
            assert!(HostBundle::read((pem + &leaf.pem()).as_bytes()).is_ok());
        }
    }

    #[test]
    fn a_key_that_does_not_fit_is_refused() {
        let root = Authority::new("Root");
        let (one, other) = (root.issue(Leaf::new("one")), root.issue(Leaf::new("other")));
        assert_eq!(
            refused(one.pem() + &other.key_pem()),
            "the private key belongs to none of the 1 certificates"
        );
        assert_eq!(
            refused(one.pem()),
            "the file has no private key: a host certificate needs one, an other certificate does not"
        );
        assert_eq!(refused(one.key_pem()), "the file has no certificate");
        assert_eq!(
            refused(one.pem() + &one.key_pem() + &other.key_pem()),
            "the file has several private keys"
        );
    }

    #[test]
    fn a_certificate_outside_the_chain_is_named() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("leaf"));
        let stranger = Authority::new("Stranger").pem();
        assert_eq!(
            refused(root.pem() + &stranger + &leaf.pem() + &leaf.key_pem()),
            "certificate 2 of 3 (CN=Stranger): not in the chain of the host certificate"
        );
    }

    #[test]
    fn encrypted_keys_are_refused_with_the_way_out() {
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let said = "the private key is encrypted: decrypt it with openssl pkey -in FILE before";
        let cipher = Cipher::aes_128_cbc();
        let pkcs8 = leaf
            .key()
            .private_key_to_pem_pkcs8_passphrase(cipher, b"secret");
        let ec = leaf.key().ec_key().expect("EC");
        let traditional = ec.private_key_to_pem_passphrase(cipher, b"secret");
        for key in [pkcs8, traditional] {
            let key = String::from_utf8(key.expect("PEM")).expect("ASCII");
            assert_eq!(refused(key + &leaf.pem()), said);
        }
    }

    #[test]
    fn weak_and_strange_keys_are_refused() {
        let root = Authority::new("Root");
        let file = |key: &PKey<Private>| {
            let pair = root.issue_for(Leaf::new("leaf"), key);
            pair.pem() + &pair.key_pem()
        };
        assert_eq!(
            refused(file(&rsa(1024))),
            "the RSA key has 1024 bits, at least 2048 are needed"
        );
        let ed448 = PKey::generate_ed448().expect("a key");
        assert_eq!(
            refused(file(&ed448)),
            "the private key is neither RSA, EC P-256, P-384, P-521 nor Ed25519"
        );
    }

    #[test]
    fn a_broken_certificate_is_named_by_its_place() {
        let root = Authority::new("Root").pem();
        let broken = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";
        let error = OthersBundle::read(format!("{root}{broken}").as_bytes());
        assert_eq!(
            error.expect_err("broken").to_string(),
            "certificate 2 of 2: not a readable X.509 certificate"
        );
    }

    #[test]
    fn others_are_read_from_pem_and_der_and_hold_no_key() {
        let root = Authority::new("Root");
        let middle = root.intermediate("Middle");
        let both = OthersBundle::read((middle.pem() + &root.pem()).as_bytes()).expect("good");
        assert_eq!(both.certificates().len(), 2);
        let der = OthersBundle::read(root.der()).expect("good");
        assert_eq!(der.certificates(), [root.certificate().clone()]);
        let key = OthersBundle::read((root.pem() + &root.pair().key_pem()).as_bytes());
        assert_eq!(key, Err(BundleError::PrivateKeyAmongOthers));
        assert_eq!(OthersBundle::read(b""), Err(BundleError::NotText));
        let key = root.pair().key().private_key_to_der().expect("DER");
        assert_eq!(
            OthersBundle::read(&key),
            Err(BundleError::PrivateKeyAmongOthers)
        );
    }

    #[test]
    fn sizes_are_bounded() {
        let large = vec![b' '; MAX_FILE + 1];
        assert_eq!(
            OthersBundle::read(&large),
            Err(BundleError::TooLarge { size: MAX_FILE + 1 })
        );
        let many = Authority::new("Root").pem().repeat(MAX_CERTIFICATES + 1);
        assert_eq!(
            OthersBundle::read(many.as_bytes()),
            Err(BundleError::TooManyCertificates { count: 65 })
        );
    }

    #[test]
    fn damaged_files_are_read_without_panic() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("leaf"));
        let pem = leaf.pem() + &leaf.key_pem() + &root.pem();
        for file in [pem.as_bytes(), leaf.der()] {
            for at in (0..file.len()).step_by(5) {
                let mut damaged = file.to_vec();
                damaged[at] ^= 0x15;
                for file in [&damaged, &file[..at]] {
                    // Whatever it says of them.
                    let _ = (HostBundle::read(file), OthersBundle::read(file));
                }
            }
        }
    }

    #[test]
    fn other_files_are_told_from_certificates() {
        let root = Authority::new("Root");
        let mut builder = Pkcs12::builder();
        builder.pkey(root.pair().key());
        builder.cert(root.certificate().x509());
        let pkcs12 = builder.build2("secret").expect("PKCS#12");
        let pkcs12 = pkcs12.to_der().expect("DER");
        assert_eq!(OthersBundle::read(&pkcs12), Err(BundleError::Pkcs12));
        let request =
            "-----BEGIN CERTIFICATE REQUEST-----\nAQID\n-----END CERTIFICATE REQUEST-----";
        assert_eq!(
            OthersBundle::read(request.as_bytes()),
            Err(BundleError::StrangeBlock("CERTIFICATE REQUEST".into()))
        );
    }

    #[test]
    fn the_key_is_not_in_the_debug_output() {
        let bundle = Authority::new("Root").issue(Leaf::new("leaf")).host(&[]);
        let said = format!("{bundle:?}");
        assert!(said.contains("key withheld") && said.len() < 200, "{said}");
    }
}
