//! Certificate files, PEM and DER.
#![no_main]

use demarc::certs::{BundleError, Certificate, HostBundle, MAX_CERTIFICATES, OthersBundle};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    match OthersBundle::read(file) {
        Ok(bundle) => check(bundle.certificates()),
        Err(error) => check_refusal(&error),
    }
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
});

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
