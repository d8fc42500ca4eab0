//! A certificate authority of the tests, with whatever dates and names it is told.

use openssl::asn1::{Asn1Integer, Asn1Time};
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;

/// When a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// From yesterday until tomorrow.
    Now,
    /// It ended yesterday.
    Over,
    /// It begins tomorrow.
    ToCome,
}

/// A certificate and its key.
pub(crate) struct Identity {
    pub(crate) key: PKey<Private>,
    pub(crate) certificate: X509,
}

impl Identity {
    /// Writes `NAME.key`, `NAME.crt` and both as `NAME.pem`, whose path is given.
    pub(crate) fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let key = self.key.private_key_to_pem_pkcs8().expect("a PEM key");
        let certificate = self.certificate.to_pem().expect("a PEM certificate");
        fs::write(folder.join(format!("{name}.key")), &key).expect("written");
        fs::write(folder.join(format!("{name}.crt")), &certificate).expect("written");
        let both = folder.join(format!("{name}.pem"));
        fs::write(&both, [key, certificate].concat()).expect("written");
        both
    }
}

/// Signs certificates.
pub(crate) struct Authority(Identity);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let key = new_key();
        let mut builder = blank(name, 1, Life::Now, &key);
        let subject = subject(name);
        builder.set_issuer_name(&subject).expect("an issuer");
        let constraints = BasicConstraints::new().critical().ca().build();
        let usage = KeyUsage::new().key_cert_sign().crl_sign().build();
        for extension in [constraints, usage] {
            let extension = extension.expect("an extension");
            builder.append_extension(extension).expect("appended");
        }
        builder.sign(&key, MessageDigest::sha256()).expect("signed");
        let certificate = builder.build();
        Self(Identity { key, certificate })
    }

    /// A certificate for a DNS name, for both ends of TLS.
    pub(crate) fn issue(&self, name: &str, serial: u32, life: Life) -> Identity {
        let key = new_key();
        let mut builder = blank(name, serial, life, &key);
        let issuer = self.0.certificate.subject_name();
        builder.set_issuer_name(issuer).expect("an issuer");
        let context = builder.x509v3_context(Some(&self.0.certificate), None);
        let names = SubjectAlternativeName::new().dns(name).build(&context);
        let names = names.expect("an extension");
        let usage = KeyUsage::new().critical().digital_signature().build();
        for extension in [names, usage.expect("an extension")] {
            builder.append_extension(extension).expect("appended");
        }
        let signed = builder.sign(&self.0.key, MessageDigest::sha256());
        signed.expect("signed");
        let certificate = builder.build();
        Identity { key, certificate }
    }

    /// Writes its certificate; where.
    pub(crate) fn anchor(&self, folder: &Path, name: &str) -> PathBuf {
        self.0.write(folder, name);
        folder.join(format!("{name}.crt"))
    }
}

fn new_key() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    let key = EcKey::generate(&group).expect("a key");
    PKey::from_ec_key(key).expect("a key")
}

fn subject(name: &str) -> X509Name {
    let mut subject = X509Name::builder().expect("a name");
    subject.append_entry_by_text("CN", name).expect("a CN");
    subject.build()
}

/// Everything but who signed it and what for.
fn blank(name: &str, serial: u32, life: Life, key: &PKey<Private>) -> X509Builder {
    let mut builder = X509::builder().expect("a certificate");
    let serial = BigNum::from_u32(serial).and_then(|it| Asn1Integer::from_bn(&it));
    let (from, to) = match life {
        Life::Now => (-DAY, DAY),
        Life::Over => (-3 * DAY, -DAY),
        Life::ToCome => (DAY, 3 * DAY),
    };
    let parts = [
        builder.set_version(2),
        builder.set_serial_number(&serial.expect("a serial number")),
        builder.set_subject_name(&subject(name)),
        builder.set_pubkey(key),
        builder.set_not_before(&from_now(from)),
        builder.set_not_after(&from_now(to)),
    ];
    for part in parts {
        part.expect("a part of a certificate");
    }
    builder
}

fn from_now(seconds: i64) -> Asn1Time {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = i64::try_from(now.expect("after 1970").as_secs()).expect("a time");
    Asn1Time::from_unix(now + seconds).expect("a time")
}
