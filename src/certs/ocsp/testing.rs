//! A responder made for the tests, and every way to be wrong.

use openssl::hash::MessageDigest;
use openssl::sha::sha1;
use openssl::sign::Signer;

use super::request::{CertificateId, NONCE};
use super::verdict::Verdict;
use crate::certs::certificate::Certificate;
use crate::certs::date::{DAY, utc};
use crate::certs::der::{
    BITS, ENUMERATED, GENERALIZED_TIME, OBJECT, OCTETS, Oid, Reader, SEQUENCE, encode,
};
use crate::certs::testing::{Authority, NOW, Pair};

/// What a responder is to say; good, from now on for a day, until told otherwise.
pub(super) struct Saying {
    id: Vec<u8>,
    verdict: Verdict,
    this_update: i64,
    next_update: Option<i64>,
    nonce: Option<Vec<u8>>,
    certificates: Vec<u8>,
}

impl Saying {
    pub(super) fn new(subject: &Certificate, issuer: &Authority) -> Self {
        let id = CertificateId::new(subject, issuer.certificate());
        Self {
            id: id.expect("readable").der(),
            verdict: Verdict::Good,
            this_update: NOW,
            next_update: Some(NOW + DAY),
            nonce: None,
            certificates: Vec::new(),
        }
    }

    pub(super) fn verdict(mut self, verdict: Verdict) -> Self {
        self.verdict = verdict;
        self
    }

    pub(super) fn dates(mut self, this_update: i64, next_update: Option<i64>) -> Self {
        (self.this_update, self.next_update) = (this_update, next_update);
        self
    }

    pub(super) fn nonce(mut self, nonce: &[u8]) -> Self {
        self.nonce = Some(nonce.to_vec());
        self
    }

    /// With this certificate beside it.
    pub(super) fn sending(mut self, signer: &Pair) -> Self {
        self.certificates.extend(signer.der());
        self
    }

    /// An OCSPResponse in DER.
    pub(super) fn signed_by(&self, signer: &Pair) -> Vec<u8> {
        let data = self.data(signer);
        let key = signer.key();
        let mut signing = Signer::new(MessageDigest::sha256(), key).expect("a signer");
        let signature = signing.sign_oneshot_to_vec(&data).expect("a signature");
        let algorithm = encode(SEQUENCE, &[&encode(OBJECT, &[ECDSA_SHA256])]);
        let signature = encode(BITS, &[&[0], &signature]);
        let certificates = encode(0xa0, &[&encode(SEQUENCE, &[&self.certificates])]);
        let basic = encode(SEQUENCE, &[&data, &algorithm, &signature, &certificates]);
        let kind = encode(OBJECT, &[BASIC]);
        let bytes = encode(SEQUENCE, &[&kind, &encode(OCTETS, &[&basic])]);
        let status = encode(ENUMERATED, &[&[0]]);
        encode(SEQUENCE, &[&status, &encode(0xa0, &[&bytes])])
    }

    fn data(&self, signer: &Pair) -> Vec<u8> {
        let x509 = signer.certificate().x509();
        let key = x509.public_key().and_then(|key| key.public_key_to_der());
        let key = key.expect("a key");
        let key = Reader(Reader(&key).expect(SEQUENCE).expect("a key")).nth(1);
        let digest = encode(OCTETS, &[&sha1(&key.expect("its bits").1[1..])]);
        let status = match self.verdict {
            Verdict::Good => encode(0x80, &[]),
            Verdict::Unknown => encode(0x82, &[]),
            Verdict::Revoked { since, cause } => {
                let cause = cause.map(|cause| encode(0xa0, &[&encode(ENUMERATED, &[&[cause.0]])]));
                encode(0xa1, &[&moment(since), &cause.unwrap_or_default()])
            }
        };
        let next = self.next_update.map(|next| encode(0xa0, &[&moment(next)]));
        let single = [
            self.id.as_slice(),
            &status,
            &moment(self.this_update),
            &next.unwrap_or_default(),
        ];
        let singles = encode(SEQUENCE, &[&encode(SEQUENCE, &single)]);
        let nonce = self.nonce.as_ref().map(|nonce| {
            let value = encode(OCTETS, &[&encode(OCTETS, &[nonce])]);
            let extension = encode(SEQUENCE, &[&encode(OBJECT, &[NONCE]), &value]);
            encode(0xa1, &[&encode(SEQUENCE, &[&extension])])
        });
        let who = encode(0xa2, &[&digest]);
        let parts = [
            who.as_slice(),
            &moment(self.this_update),
            &singles,
            &nonce.unwrap_or_default(),
        ];
        encode(SEQUENCE, &parts)
    }
}

fn moment(seconds: i64) -> Vec<u8> {
    let digits = utc(seconds).to_string();
    let digits: String = digits.chars().filter(char::is_ascii_digit).collect();
    encode(GENERALIZED_TIME, &[digits.as_bytes(), b"Z"])
}

/// 1.2.840.10045.4.3.2 ecdsa-with-SHA256.
const ECDSA_SHA256: Oid = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];
/// 1.3.6.1.5.5.7.48.1.1 id-pkix-ocsp-basic.
const BASIC: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
