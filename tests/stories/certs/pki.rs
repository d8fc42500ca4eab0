//! Authorities and certificates made for these stories.

use std::time::{SystemTime, UNIX_EPOCH};

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameRef};

/// 2026-01-01 00:00:00, the present of these stories.
pub(crate) const NOW: u64 = 1_767_225_600;
const YEAR: u64 = 365 * 86_400;

/// A certificate with its key.
pub(crate) struct Pair {
    pub(crate) certificate: X509,
    pub(crate) key: PKey<Private>,
}

impl Pair {
    /// The certificate.
    pub(crate) fn pem(&self) -> String {
        text(self.certificate.to_pem().expect("PEM"))
    }

    /// The certificate and its key, as an operator installs them.
    pub(crate) fn bundle(&self) -> String {
        self.pem() + &text(self.key.private_key_to_pem_pkcs8().expect("PEM"))
    }
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).expect("PEM is ASCII")
}

/// A self-signed authority, and the time at which it issues.
pub(crate) struct Authority(pub(crate) Pair, u64);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::at(NOW, name)
    }

    /// One for a device that goes by the clock of its host.
    pub(crate) fn today(name: &str) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self::at(now.expect("after 1970").as_secs(), name)
    }

    fn at(now: u64, name: &str) -> Self {
        let key = key();
        let mut builder = begin(now, name, &subject(name), &key);
        let constraints = BasicConstraints::new().critical().ca().build();
        let usage = KeyUsage::new().critical().key_cert_sign().build();
        builder
            .append_extension(constraints.expect("constraints"))
            .expect("constraints");
        builder
            .append_extension(usage.expect("usage"))
            .expect("usage");
        Self(sign(builder, &key, key.clone()), now)
    }

    /// A certificate for a host name.
    pub(crate) fn issue(&self, host: &str) -> Pair {
        self.issue_between(host, self.1 - YEAR, self.1 + YEAR)
    }

    /// One with these first and last seconds.
    pub(crate) fn issue_between(&self, host: &str, first: u64, last: u64) -> Pair {
        let key = key();
        let mut builder = begin(self.1, host, self.0.certificate.subject_name(), &key);
        builder.set_not_before(&time(first)).expect("date");
        builder.set_not_after(&time(last)).expect("date");
        let names = {
            let context = builder.x509v3_context(None, None);
            SubjectAlternativeName::new().dns(host).build(&context)
        };
        builder
            .append_extension(names.expect("names"))
            .expect("names");
        sign(builder, &self.0.key, key)
    }
}

fn begin(now: u64, name: &str, issuer: &X509NameRef, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().expect("builder");
    builder.set_version(2).expect("version");
    builder.set_serial_number(&serial()).expect("serial");
    builder.set_subject_name(&subject(name)).expect("subject");
    builder.set_issuer_name(issuer).expect("issuer");
    builder.set_pubkey(key).expect("key");
    builder.set_not_before(&time(now - YEAR)).expect("date");
    builder.set_not_after(&time(now + YEAR)).expect("date");
    builder
}

fn sign(mut builder: X509Builder, signer: &PKey<Private>, key: PKey<Private>) -> Pair {
    let digest = MessageDigest::sha256();
    builder.sign(signer, digest).expect("signature");
    Pair {
        certificate: builder.build(),
        key,
    }
}

fn key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    let key = EcKey::generate(&group).expect("a key");
    PKey::from_ec_key(key).expect("a key")
}

fn subject(common: &str) -> X509Name {
    let mut name = X509Name::builder().expect("name");
    name.append_entry_by_nid(Nid::COMMONNAME, common)
        .expect("CN");
    name.build()
}

fn serial() -> Asn1Integer {
    let mut number = BigNum::new().expect("number");
    let random = number.rand(120, MsbOption::MAYBE_ZERO, false);
    random.expect("random");
    number.to_asn1_integer().expect("integer")
}

fn time(seconds: u64) -> Asn1Time {
    let seconds = i64::try_from(seconds).expect("a small number");
    Asn1Time::from_unix(seconds).expect("time")
}
