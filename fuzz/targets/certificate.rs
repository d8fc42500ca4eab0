//! Certificate files, PEM and DER; and the octets as one more certificate in
//! a host's file, whose key is there.
#![no_main]

use std::sync::LazyLock;

use demarc::certs::{BundleError, Certificate, HostBundle, MAX_CERTIFICATES, OthersBundle};
use demarc_fuzz::authority::Pair;
use libfuzzer_sys::fuzz_target;
use openssl::base64::encode_block;

static HOST: LazyLock<String> = LazyLock::new(|| {
    let (authority, server) = Pair::authority_and_server();
    let above = String::from_utf8(authority.certificate.to_pem().expect("PEM"));
    server.pem() + &above.expect("PEM is text")
});

fuzz_target!(|file: &[u8]| {
    others(file);
    host(file);
    let certificate = encode_block(file);
    let certificate =
        format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n");
    others(certificate.as_bytes());
    host((HOST.clone() + &certificate).as_bytes());
});

fn others(file: &[u8]) {
    match OthersBundle::read(file) {
        Ok(bundle) => check(bundle.certificates()),
        Err(error) => check_refusal(&error),
    }
}

fn host(file: &[u8]) {
    match HostBundle::read(file) {
        Ok(bundle) => {
            assert_eq!(bundle.leaf(), &bundle.chain()[0]);
            check(bundle.chain());
            for pair in bundle.chain().windows(2) {
                assert!(pair[1].issued(&pair[0]), "a chain in its order");
            }
        }
        Err(error) => check_refusal(&error),
    }
}

fn check(certificates: &[Certificate]) {
    assert!((1..=MAX_CERTIFICATES).contains(&certificates.len()));
    for certificate in certificates {
        let again = Certificate::from_der(certificate.der());
        assert_eq!(again.as_ref().ok(), Some(certificate));
        let _ = (certificate.state(0), certificate.is_self_issued());
        assert!(!format!("{certificate:?}").is_empty());
    }
}

/// A refusal goes to a terminal and a log: one line, whatever the file says.
fn check_refusal(error: &BundleError) {
    let text = error.to_string();
    assert!(
        !text.is_empty() && !text.contains(char::is_control),
        "{text:?}"
    );
}
