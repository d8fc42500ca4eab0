//! The question to a responder, and the name of a certificate in it.
//!
//! One certificate a question, unsigned, with a nonce (RFC 6960 §4.1).

use openssl::error::ErrorStack;
use openssl::sha::{sha1, sha256};

use crate::certs::certificate::Certificate;
use crate::certs::der::{INTEGER, NULL, OBJECT, OCTETS, Oid, Reader, SEQUENCE, encode};

/// A certificate as OCSP names it: by its number, and by its issuer's name and key.
pub(super) struct CertificateId {
    /// DER of the issuer's name.
    issuer: Vec<u8>,
    /// The issuer's key, without what kind of key it is.
    key: Vec<u8>,
    /// The octets of the serial number.
    serial: Vec<u8>,
}

impl CertificateId {
    /// Names `subject`, which `issuer` issued; `None` where one cannot be read.
    pub(super) fn new(subject: &Certificate, issuer: &Certificate) -> Option<Self> {
        let (name, key) = name_and_key(issuer).ok()?;
        let (_, key) = Reader(Reader(&key).expect(SEQUENCE)?).nth(1)?;
        let certificate = Reader(subject.der()).expect(SEQUENCE)?;
        let fields = Reader(Reader(certificate).expect(SEQUENCE)?);
        // The version before it is `[0]`, and absent in version 1.
        let (_, serial) = { fields }.find(|(tag, _)| *tag == INTEGER)?;
        Some(Self {
            issuer: name,
            // The first octet of a BIT STRING counts unused bits.
            key: key.get(1..)?.to_vec(),
            serial: serial.to_vec(),
        })
    }

    /// A CertID in DER. The digests only name, and SHA-1 is what every
    /// responder knows (RFC 5019 §2.1.1).
    pub(super) fn der(&self) -> Vec<u8> {
        let digest = encode(SEQUENCE, &[&encode(OBJECT, &[SHA1]), &encode(NULL, &[])]);
        encode(
            SEQUENCE,
            &[
                &digest,
                &encode(OCTETS, &[&sha1(&self.issuer)]),
                &encode(OCTETS, &[&sha1(&self.key)]),
                &encode(INTEGER, &[&self.serial]),
            ],
        )
    }

    /// The question for it, in DER.
    pub(super) fn request(&self, nonce: &[u8]) -> Vec<u8> {
        let list = encode(SEQUENCE, &[&encode(SEQUENCE, &[&self.der()])]);
        let nonce = encode(OCTETS, &[&encode(OCTETS, &[nonce])]);
        let extension = encode(SEQUENCE, &[&encode(OBJECT, &[NONCE]), &nonce]);
        let extensions = encode(EXTENSIONS, &[&encode(SEQUENCE, &[&extension])]);
        encode(SEQUENCE, &[&encode(SEQUENCE, &[&list, &extensions])])
    }

    /// Whether a CertID of an answer, its contents in DER, names the same certificate.
    pub(super) fn is(&self, id: &[u8]) -> bool {
        self.compare(id).unwrap_or(false)
    }

    fn compare(&self, id: &[u8]) -> Option<bool> {
        let mut fields = Reader(id);
        let digest = Reader(fields.value(SEQUENCE)?).expect(OBJECT)?;
        let name = fields.value(OCTETS)?;
        let key = fields.value(OCTETS)?;
        let serial = fields.value(INTEGER)?;
        let same = match digest {
            SHA1 => name == sha1(&self.issuer) && key == sha1(&self.key),
            SHA256 => name == sha256(&self.issuer) && key == sha256(&self.key),
            _ => false,
        };
        Some(same && serial == self.serial)
    }
}

fn name_and_key(issuer: &Certificate) -> Result<(Vec<u8>, Vec<u8>), ErrorStack> {
    let x509 = issuer.x509();
    let key = x509.public_key()?.public_key_to_der()?;
    Ok((x509.subject_name().to_der()?, key))
}

/// Octets of a nonce (RFC 9654 §2.1).
pub(in crate::certs) const NONCE_LENGTH: usize = 32;
/// `[2]` of TBSRequest.
const EXTENSIONS: u8 = 0xa2;
/// 1.3.6.1.5.5.7.48.1.2 id-pkix-ocsp-nonce.
pub(super) const NONCE: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x02];
/// 1.3.14.3.2.26
const SHA1: Oid = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
/// 2.16.840.1.101.3.4.2.1
const SHA256: Oid = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];

#[cfg(test)]
mod tests {
    use openssl::ocsp::OcspRequest;

    use crate::certs::testing::{Authority, Leaf};

    use super::*;

    #[test]
    fn the_library_reads_the_question_back_as_it_is() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("leaf"));
        let id = CertificateId::new(leaf.certificate(), root.certificate()).expect("readable");
        let request = id.request(&[7; NONCE_LENGTH]);
        let read = OcspRequest::from_der(&request).expect("a request");
        assert_eq!(read.to_der().expect("DER"), request);
    }

    #[test]
    fn a_certificate_is_told_from_its_neighbours() {
        let (root, other) = (Authority::new("Root"), Authority::new("Root"));
        let (one, two) = (root.issue(Leaf::new("one")), root.issue(Leaf::new("two")));
        let id = |leaf: &Certificate, issuer: &Authority| {
            CertificateId::new(leaf, issuer.certificate()).expect("readable")
        };
        let named = id(one.certificate(), &root).der();
        let named = Reader(&named).expect(SEQUENCE).expect("an id");
        assert!(id(one.certificate(), &root).is(named));
        assert!(!id(two.certificate(), &root).is(named));
        assert!(!id(one.certificate(), &other).is(named));
    }
}
