//! An authority and what it issues, made at run time: no key is kept here.
//!
//! Keys follow from small numbers, so that what was found is found again.

use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use openssl::x509::{X509, X509Name};

/// A certificate and its key.
pub struct Pair {
    /// What was issued.
    pub certificate: X509,
    key: PKey<Private>,
}

impl Pair {
    /// An authority of its own, and a server that it vouches for.
    pub fn authority_and_server() -> (Pair, Pair) {
        let made = || {
            let root = key(7)?;
            let authority = certificate(&root, ("Authority", &root), ("Authority", 1))?;
            let key = key(11)?;
            let certificate = certificate(&key, ("Authority", &root), ("server", 2))?;
            let authority = Pair {
                certificate: authority,
                key: root,
            };
            Ok::<_, ErrorStack>((authority, Pair { certificate, key }))
        };
        made().expect("the library issues")
    }

    /// Key and certificate as one file.
    pub fn pem(&self) -> String {
        let key = self.key.private_key_to_pem_pkcs8().expect("a key");
        let certificate = self.certificate.to_pem().expect("a certificate");
        String::from_utf8([key, certificate].concat()).expect("PEM is text")
    }

    /// The certificate in DER.
    pub fn der(&self) -> Vec<u8> {
        self.certificate.to_der().expect("a certificate")
    }

    /// ECDSA over SHA-256.
    pub fn sign(&self, data: &[u8]) -> Vec<u8> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.key).expect("a signer");
        signer.sign_oneshot_to_vec(data).expect("signed")
    }
}

fn key(number: u32) -> Result<PKey<Private>, ErrorStack> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    let number = BigNum::from_u32(number)?;
    let mut point = EcPoint::new(&group)?;
    let mut context = BigNumContext::new()?;
    point.mul_generator2(&group, &number, &mut context)?;
    let pair = EcKey::from_private_components(&group, &number, &point)?;
    PKey::from_ec_key(pair)
}

fn certificate(
    key: &PKey<Private>,
    (issuer, signer): (&str, &PKey<Private>),
    (subject, serial): (&str, u32),
) -> Result<X509, ErrorStack> {
    let name = |common| {
        let mut name = X509Name::builder()?;
        name.append_entry_by_nid(Nid::COMMONNAME, common)?;
        Ok::<_, ErrorStack>(name.build())
    };
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_serial_number(&*BigNum::from_u32(serial)?.to_asn1_integer()?)?;
    builder.set_issuer_name(&*name(issuer)?)?;
    builder.set_subject_name(&*name(subject)?)?;
    builder.set_not_before(&*Asn1Time::from_unix(0)?)?;
    builder.set_not_after(&*Asn1Time::from_unix(i64::from(u32::MAX))?)?;
    builder.set_pubkey(key)?;
    builder.sign(signer, MessageDigest::sha256())?;
    Ok(builder.build())
}
