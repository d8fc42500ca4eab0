//! Files that an ACS has fetched: an image comes to the same however its
//! octets are cut, none passes that the key has not signed, and PKCS#12 is
//! read or refused.
#![no_main]

use demarc::certs::pem_of_pkcs12;
use demarc::north::cwmp::transfers::{Image, Sums};
use libfuzzer_sys::fuzz_target;
use openssl::bn::{BigNum, BigNumContext};
use openssl::ec::{EcGroup, EcKey, EcPoint};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use std::sync::LazyLock;

/// The public key of the private number 7.
static KEY: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).expect("P-256");
    let mut context = BigNumContext::new().expect("a context");
    let seven = BigNum::from_u32(7).expect("a number");
    let mut point = EcPoint::new(&group).expect("a point");
    point
        .mul_generator2(&group, &seven, &mut context)
        .expect("multiplied");
    let key = EcKey::from_public_key(&group, &point).expect("a key");
    let key = PKey::from_ec_key(key).expect("a key");
    key.public_key_to_pem().expect("PEM")
});

/// The code that it ends with, and the octets of the image.
fn staged(file: &[u8], chunk: usize) -> (u16, Vec<u8>) {
    let mut image = Image::new(&KEY).expect("a key");
    let mut staged = Vec::new();
    for octets in file.chunks(chunk) {
        match image.received(octets) {
            Ok(part) => staged.extend_from_slice(part),
            Err(failure) => return (failure.fault().code, Vec::new()),
        }
    }
    let outcome = image.finish();
    (
        outcome.map_or_else(|failure| failure.fault().code, |()| 0),
        staged,
    )
}

fuzz_target!(|input: (u8, &[u8])| {
    let (chunk, file) = input;
    let whole = staged(file, usize::MAX);
    assert_eq!(staged(file, usize::from(chunk).max(1)), whole);
    assert_ne!(whole.0, 0, "nobody has signed it");
    if let Ok(Some(pem)) = pem_of_pkcs12(file, Some(b"passphrase")) {
        assert!(pem.is_empty() || pem.starts_with(b"-----BEGIN"));
    }
    let mut sums = Sums::default();
    let text = String::from_utf8_lossy(file);
    let (name, value) = text.split_once(':').unwrap_or(("Digest", &text));
    sums.field(name, value);
    sums.received(file);
    let _ = sums.differs();
});
