//! Certificates made for the tests: authorities, leaves, and every way to be wrong.

use openssl::asn1::{Asn1Integer, Asn1Object, Asn1OctetString, Asn1Time};
use openssl::bn::{BigNum, MsbOption};
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, SubjectAlternativeName,
};
use openssl::x509::{X509, X509Builder, X509Extension, X509Name, X509NameRef};

use super::bundle::HostBundle;
use super::certificate::Certificate;
use super::date::DAY;
use super::der::{OBJECT, Oid, SEQUENCE, encode};

/// 2026-01-01, the present of every test.
pub(super) const NOW: i64 = 1_767_225_600;
pub(super) const YEAR: i64 = 365 * DAY;

/// A certificate with its key.
#[derive(Clone)]
pub(super) struct Pair {
    certificate: Certificate,
    key: PKey<Private>,
}

impl Pair {
    pub(super) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(super) fn der(&self) -> &[u8] {
        self.certificate.der()
    }

    pub(super) fn pem(&self) -> String {
        text(self.certificate.x509().to_pem().expect("PEM"))
    }

    pub(super) fn key(&self) -> &PKey<Private> {
        &self.key
    }

    pub(super) fn key_pem(&self) -> String {
        text(self.key.private_key_to_pem_pkcs8().expect("PEM"))
    }

    /// What a host would install: this one, then `chain`.
    pub(super) fn host(&self, chain: &[&Authority]) -> HostBundle {
        let mut file = self.pem() + &self.key_pem();
        for authority in chain {
            file += &authority.pem();
        }
        HostBundle::read(file.as_bytes()).expect("a good bundle")
    }
}

fn text(pem: Vec<u8>) -> String {
    String::from_utf8(pem).expect("PEM is ASCII")
}

/// A certification authority.
pub(super) struct Authority(Pair);

impl Authority {
    /// A self-signed root.
    pub(super) fn new(name: &str) -> Self {
        let key = p256();
        let subject = subject(name);
        Self(Leaf::new(name).authority().sign(&key, &subject, &key))
    }

    /// A root with its own dates.
    pub(super) fn dated(name: &str, not_before: i64, not_after: i64) -> Self {
        let key = p256();
        let leaf = Leaf::new(name).authority().dates(not_before, not_after);
        Self(leaf.sign(&key, &subject(name), &key))
    }

    /// An authority below this one.
    pub(super) fn intermediate(&self, name: &str) -> Self {
        Self(self.issue(Leaf::new(name).authority()))
    }

    pub(super) fn issue(&self, leaf: Leaf) -> Pair {
        self.issue_for(leaf, &p256())
    }

    pub(super) fn issue_for(&self, leaf: Leaf, key: &PKey<Private>) -> Pair {
        let issuer = self.0.certificate.x509().subject_name();
        leaf.sign(key, issuer, &self.0.key)
    }

    pub(super) fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(super) fn der(&self) -> &[u8] {
        self.0.der()
    }

    pub(super) fn pair(&self) -> &Pair {
        &self.0
    }
}

/// What a certificate is to say.
pub(super) struct Leaf {
    common: String,
    names: Option<SubjectAlternativeName>,
    purposes: Option<ExtendedKeyUsage>,
    responder: Option<String>,
    kind: Kind,
    not_before: i64,
    not_after: i64,
    digest: MessageDigest,
}

#[derive(PartialEq)]
enum Kind {
    Version1,
    EndEntity,
    CannotSign,
    Authority,
}

impl Leaf {
    pub(super) fn new(common: &str) -> Self {
        Self {
            common: common.to_owned(),
            names: None,
            purposes: None,
            responder: None,
            kind: Kind::EndEntity,
            not_before: NOW - YEAR,
            not_after: NOW + YEAR,
            digest: MessageDigest::sha256(),
        }
    }

    pub(super) fn dns(self, name: &str) -> Self {
        self.name(|names| names.dns(name))
    }

    pub(super) fn uri(self, uri: &str) -> Self {
        self.name(|names| names.uri(uri))
    }

    pub(super) fn ip(self, address: &str) -> Self {
        self.name(|names| names.ip(address))
    }

    pub(super) fn email(self, address: &str) -> Self {
        self.name(|names| names.email(address))
    }

    fn name(
        mut self,
        add: impl FnOnce(&mut SubjectAlternativeName) -> &mut SubjectAlternativeName,
    ) -> Self {
        add(self.names.get_or_insert_with(SubjectAlternativeName::new));
        self
    }

    pub(super) fn server_only(self) -> Self {
        self.purpose("serverAuth")
    }

    pub(super) fn client_only(self) -> Self {
        self.purpose("clientAuth")
    }

    pub(super) fn purpose(mut self, oid: &str) -> Self {
        self.purposes
            .get_or_insert_with(ExtendedKeyUsage::new)
            .other(oid);
        self
    }

    /// Names an OCSP responder.
    pub(super) fn responder(mut self, url: &str) -> Self {
        self.responder = Some(url.to_owned());
        self
    }

    pub(super) fn dates(mut self, not_before: i64, not_after: i64) -> Self {
        (self.not_before, self.not_after) = (not_before, not_after);
        self
    }

    pub(super) fn expired(self) -> Self {
        self.dates(NOW - 2 * YEAR, NOW - DAY)
    }

    pub(super) fn digest(mut self, digest: MessageDigest) -> Self {
        self.digest = digest;
        self
    }

    /// As plain `openssl x509 -req` made them for years: no extensions at all.
    pub(super) fn version_1(mut self) -> Self {
        self.kind = Kind::Version1;
        self
    }

    /// A key usage without digitalSignature.
    pub(super) fn cannot_sign(mut self) -> Self {
        self.kind = Kind::CannotSign;
        self
    }

    pub(super) fn authority(mut self) -> Self {
        self.kind = Kind::Authority;
        self
    }

    /// Signed by its own key.
    pub(super) fn self_signed(self) -> Pair {
        let key = p256();
        let issuer = subject(&self.common);
        self.sign(&key, &issuer, &key)
    }

    pub(super) fn sign(
        self,
        key: &PKey<Private>,
        issuer: &X509NameRef,
        signer: &PKey<Private>,
    ) -> Pair {
        let mut builder = X509::builder().expect("builder");
        let version = if self.kind == Kind::Version1 { 0 } else { 2 };
        builder.set_version(version).expect("version");
        builder.set_serial_number(&serial()).expect("serial");
        builder
            .set_subject_name(&subject(&self.common))
            .expect("subject");
        builder.set_issuer_name(issuer).expect("issuer");
        builder.set_pubkey(key).expect("key");
        builder
            .set_not_before(&time(self.not_before))
            .expect("date");
        builder.set_not_after(&time(self.not_after)).expect("date");
        self.extend(&mut builder);
        let digest = match signer.id() {
            openssl::pkey::Id::ED25519 => MessageDigest::null(),
            _ => self.digest,
        };
        builder.sign(signer, digest).expect("signature");
        Pair {
            certificate: Certificate::inspect(builder.build()).expect("readable"),
            key: key.clone(),
        }
    }

    fn extend(&self, builder: &mut X509Builder) {
        let mut usage = KeyUsage::new();
        let mut constraints = BasicConstraints::new();
        match self.kind {
            Kind::Version1 => return,
            Kind::EndEntity => usage.digital_signature(),
            Kind::CannotSign => usage.key_encipherment(),
            Kind::Authority => {
                constraints.critical().ca();
                usage.key_cert_sign().crl_sign()
            }
        };
        let mut extensions = vec![
            constraints.build().expect("basic constraints"),
            usage.critical().build().expect("key usage"),
        ];
        if let Some(names) = &self.names {
            let context = builder.x509v3_context(None, None);
            extensions.push(names.build(&context).expect("names"));
        }
        if let Some(purposes) = &self.purposes {
            extensions.push(purposes.build().expect("purposes"));
        }
        if let Some(url) = &self.responder {
            extensions.push(access(url));
        }
        for extension in extensions {
            builder.append_extension(extension).expect("extension");
        }
    }
}

/// An authority information access extension (RFC 5280 §4.2.2.1).
fn access(url: &str) -> X509Extension {
    let method = encode(OBJECT, &[OCSP]);
    let access = encode(SEQUENCE, &[&method, &encode(0x86, &[url.as_bytes()])]);
    let list = encode(SEQUENCE, &[&access]);
    let value = Asn1OctetString::new_from_bytes(&list).expect("octets");
    let kind = Asn1Object::from_str("1.3.6.1.5.5.7.1.1").expect("an identifier");
    X509Extension::new_from_der(&kind, false, &value).expect("an extension")
}

/// 1.3.6.1.5.5.7.48.1 id-ad-ocsp.
const OCSP: Oid = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];

pub(super) fn p256() -> PKey<Private> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    let key = EcKey::generate(&group).expect("a key");
    PKey::from_ec_key(key).expect("a key")
}

pub(super) fn rsa(bits: u32) -> PKey<Private> {
    PKey::from_rsa(Rsa::generate(bits).expect("a key")).expect("a key")
}

fn subject(common: &str) -> X509Name {
    let mut name = X509Name::builder().expect("name");
    name.append_entry_by_nid(Nid::COMMONNAME, common)
        .expect("CN");
    name.append_entry_by_nid(Nid::ORGANIZATIONNAME, "Test")
        .expect("O");
    name.build()
}

fn serial() -> Asn1Integer {
    let mut number = BigNum::new().expect("number");
    number
        .rand(120, MsbOption::MAYBE_ZERO, false)
        .expect("random");
    number.to_asn1_integer().expect("integer")
}

fn time(seconds: i64) -> Asn1Time {
    Asn1Time::from_unix(seconds).expect("time")
}
