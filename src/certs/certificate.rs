//! One X.509 certificate, inspected.
//!
//! What the certificate tables show and what the ladder asks: names,
//! validity, usage, whether it is an authority. It holds no private key and
//! trusts nobody: that is the ladder's work.

use std::fmt;
use std::net::IpAddr;

use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{Id, PKey, PKeyRef, Public};
use openssl::x509::{X509, X509KeyUsage, X509NameRef, X509Ref, X509VerifyResult};

use super::date::{self, DAY};
use super::der;
use super::usage::Usage;

/// An X.509 certificate and what it says of itself.
#[derive(Clone)]
pub struct Certificate {
    x509: X509,
    der: Vec<u8>,
    /// Whose certificate it is.
    pub subject: Name,
    /// Who signed it.
    pub issuer: Name,
    /// Serial number in hexadecimal digits.
    pub serial: String,
    /// SHA-256 of the DER.
    pub fingerprint: [u8; 32],
    /// First second of validity, since 1970.
    pub not_before: i64,
    /// Last second of validity, since 1970.
    pub not_after: i64,
    /// What its extended key usage allows.
    pub usage: Usage,
    /// Whether it may sign other certificates.
    pub authority: bool,
    /// Whether its key may sign handshakes.
    pub signs: bool,
    /// Type and size of its key.
    pub key: KeyKind,
    /// The subject alternative names; `None` where there is no such extension.
    pub alternative_names: Option<Vec<AlternativeName>>,
}

impl Certificate {
    /// Reads one DER certificate.
    ///
    /// # Errors
    /// What the library found wrong with it.
    pub fn from_der(der: &[u8]) -> Result<Self, ErrorStack> {
        Self::inspect(X509::from_der(der)?)
    }

    /// Looks into a parsed certificate.
    pub(super) fn inspect(x509: X509) -> Result<Self, ErrorStack> {
        let der = x509.to_der()?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(&x509.digest(MessageDigest::sha256())?);
        let key_usage = x509.key_usage().unwrap_or(X509KeyUsage::all());
        Ok(Self {
            subject: Name::read(x509.subject_name()),
            issuer: Name::read(x509.issuer_name()),
            serial: x509.serial_number().to_bn()?.to_hex_str()?.to_string(),
            fingerprint,
            not_before: date::seconds(x509.not_before())?,
            not_after: date::seconds(x509.not_after())?,
            usage: Usage::read(&der),
            authority: may_issue(&x509, &der) && key_usage.contains(X509KeyUsage::KEY_CERT_SIGN),
            signs: key_usage.contains(X509KeyUsage::DIGITAL_SIGNATURE),
            key: KeyKind::read(&*x509.public_key()?),
            alternative_names: alternative_names(&x509, &der),
            x509,
            der,
        })
    }

    /// The certificate in DER.
    #[must_use]
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Whether it is valid at `now`, seconds since 1970.
    #[must_use]
    pub fn state(&self, now: i64) -> State {
        if now < self.not_before {
            State::NotYetValid
        } else if now > self.not_after {
            State::Expired
        } else if self.not_after - now < EXPIRING_SOON {
            State::ExpiringSoon
        } else {
            State::Valid
        }
    }

    /// The next second after `now` at which it becomes valid, or is so no longer.
    pub(super) fn turn(&self, now: i64) -> Option<i64> {
        let turns = [self.not_before, self.not_after.saturating_add(1)];
        turns.into_iter().filter(|turn| *turn > now).min()
    }

    /// Whether it is its own issuer.
    #[must_use]
    pub fn is_self_issued(&self) -> bool {
        self.x509.issued(&self.x509) == X509VerifyResult::OK
    }

    /// Whether this one issued `other`: its name, its key identifier, its signature.
    #[must_use]
    pub fn issued(&self, other: &Self) -> bool {
        let signed = |key: PKey<Public>| other.x509.verify(&key).unwrap_or(false);
        self.x509.issued(&other.x509) == X509VerifyResult::OK
            && self.x509.public_key().is_ok_and(signed)
    }

    pub(super) fn x509(&self) -> &X509 {
        &self.x509
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({}, serial {})", self.subject, self.serial)
    }
}

/// A distinguished name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// The last, most specific, common name.
    pub common: Option<String>,
    /// All attributes, as `CN=a, O=b`, in the order of the certificate.
    pub whole: String,
}

impl Name {
    fn read(name: &X509NameRef) -> Self {
        let text = |data: &[u8]| printable(&String::from_utf8_lossy(data));
        let common = name
            .entries_by_nid(Nid::COMMONNAME)
            .last()
            .map(|entry| text(entry.data().as_slice()));
        let parts = name.entries().map(|entry| {
            let attribute = entry.object().nid().short_name().unwrap_or("?");
            format!("{attribute}={}", text(entry.data().as_slice()))
        });
        let whole = parts.collect::<Vec<_>>().join(", ");
        Self { common, whole }
    }
}

/// The common name as `CN=...`, or all of it where there is none.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.common {
            Some(common) => write!(f, "CN={common}"),
            None if self.whole.is_empty() => f.write_str("(no name)"),
            None => f.write_str(&self.whole),
        }
    }
}

/// One subject alternative name (RFC 5280 §4.2.1.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeName {
    /// dNSName.
    Dns(String),
    /// uniformResourceIdentifier.
    Uri(String),
    /// iPAddress.
    Address(IpAddr),
    /// A kind that names no server: mail, directory and other names.
    Other,
}

impl fmt::Display for AlternativeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns(name) => write!(f, "{} (SAN DNS)", printable(name)),
            Self::Uri(uri) => write!(f, "{} (SAN URI)", printable(uri)),
            Self::Address(address) => write!(f, "{address} (SAN IP)"),
            Self::Other => f.write_str("a name of another kind (SAN)"),
        }
    }
}

/// Where a certificate stands in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Valid for a month at least.
    Valid,
    /// Its first day has not come.
    NotYetValid,
    /// Its last day has gone.
    Expired,
    /// Valid, but to be replaced within a month.
    ExpiringSoon,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::NotYetValid => "not yet valid",
            Self::Expired => "expired",
            Self::ExpiringSoon => "expiring soon",
        })
    }
}

/// Type and size of a public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA, with the bits of its modulus.
    Rsa(u32),
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
    /// Any other; none of these serves TLS here.
    Other,
}

impl KeyKind {
    pub(super) fn read(key: &PKeyRef<Public>) -> Self {
        match key.id() {
            Id::RSA => Self::Rsa(key.bits()),
            Id::ED25519 => Self::Ed25519,
            Id::EC => match key.ec_key().ok().and_then(|key| key.group().curve_name()) {
                Some(Nid::X9_62_PRIME256V1) => Self::P256,
                Some(Nid::SECP384R1) => Self::P384,
                Some(Nid::SECP521R1) => Self::P521,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa(bits) => write!(f, "RSA {bits}"),
            Self::P256 => f.write_str("EC P-256"),
            Self::P384 => f.write_str("EC P-384"),
            Self::P521 => f.write_str("EC P-521"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::Other => f.write_str("another kind"),
        }
    }
}

/// RFC 5280 §4.2.1.9; a self-signed certificate of version 1 has no way to say so.
fn may_issue(x509: &X509Ref, der: &[u8]) -> bool {
    match der::extension(der, der::BASIC_CONSTRAINTS) {
        Some(value) => der::is_authority(value),
        None => x509.version() == VERSION_1 && x509.issued(x509) == X509VerifyResult::OK,
    }
}

/// An extension that cannot be read is present and names nobody.
fn alternative_names(x509: &X509Ref, der: &[u8]) -> Option<Vec<AlternativeName>> {
    der::extension(der, der::SUBJECT_ALT_NAME)?;
    let names = x509.subject_alt_names();
    let read = names.iter().flatten().map(|name| {
        if let Some(dns) = name.dnsname() {
            AlternativeName::Dns(dns.to_owned())
        } else if let Some(uri) = name.uri() {
            AlternativeName::Uri(uri.to_owned())
        } else {
            name.ipaddress()
                .and_then(address)
                .map_or(AlternativeName::Other, AlternativeName::Address)
        }
    });
    Some(read.collect())
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    if let Ok(four) = <[u8; 4]>::try_from(octets) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(octets).ok().map(IpAddr::from)
}

/// Text of a peer's making, fit for a log line: bounded, without control characters.
pub(super) fn printable(text: &str) -> String {
    let clean = |character: char| match character {
        character if character.is_control() => '?',
        character => character,
    };
    text.chars().take(MAX_TEXT).map(clean).collect()
}

/// A certificate is expiring soon in its last 30 days.
pub const EXPIRING_SOON: i64 = 30 * DAY;
/// Characters shown of one name.
const MAX_TEXT: usize = 128;
/// As the version field counts.
const VERSION_1: i32 = 0;

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf, NOW, YEAR};
    use super::*;

    #[test]
    fn a_certificate_says_who_it_is() {
        let root = Authority::new("Root");
        let leaf = root.issue(
            Leaf::new("a.example.com")
                .dns("a.example.com")
                .uri("sip:example.com")
                .ip("192.0.2.1")
                .ip("2001:db8::1"),
        );
        let leaf = leaf.certificate();
        assert_eq!(leaf.subject.common.as_deref(), Some("a.example.com"));
        assert_eq!(leaf.subject.whole, "CN=a.example.com, O=Test");
        assert_eq!(leaf.issuer.to_string(), "CN=Root");
        assert_eq!(leaf.key, KeyKind::P256);
        assert_eq!((leaf.not_before, leaf.not_after), (NOW - YEAR, NOW + YEAR));
        assert!(!leaf.authority && root.certificate().authority);
        assert!(root.certificate().is_self_issued() && root.certificate().issued(leaf));
        let names = leaf.alternative_names.iter().flatten();
        assert_eq!(
            names.map(ToString::to_string).collect::<Vec<_>>(),
            [
                "a.example.com (SAN DNS)",
                "sip:example.com (SAN URI)",
                "192.0.2.1 (SAN IP)",
                "2001:db8::1 (SAN IP)"
            ]
        );
    }

    #[test]
    fn a_certificate_has_four_states_in_time() {
        let leaf = Authority::new("Root").issue(Leaf::new("a"));
        let state = |now| leaf.certificate().state(now);
        assert_eq!(state(NOW), State::Valid);
        assert_eq!(state(NOW - YEAR - 1), State::NotYetValid);
        assert_eq!(state(NOW - YEAR), State::Valid);
        assert_eq!(state(NOW + YEAR), State::ExpiringSoon);
        assert_eq!(state(NOW + YEAR + 1), State::Expired);
    }

    #[test]
    fn names_of_a_peer_cannot_break_a_log_line() {
        let leaf = Authority::new("Root").issue(Leaf::new("a\nb"));
        assert_eq!(leaf.certificate().subject.to_string(), "CN=a?b");
        assert_eq!(printable(&"x".repeat(1000)).len(), MAX_TEXT);
    }

    #[test]
    fn garbage_is_no_certificate() {
        assert!(Certificate::from_der(b"").is_err());
        assert!(Certificate::from_der(b"-----BEGIN").is_err());
    }
}
