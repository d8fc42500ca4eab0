//! The crypto attribute: what parses prints itself again, its key is shown to
//! nobody, and what is chosen is a key of the suite.
#![no_main]

use demarc::media::keys::sdes;
use demarc::media::srtp::Suite;
use demarc::wire::sdp::Crypto;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let crypto = match Crypto::parse(text) {
        Ok(crypto) => crypto,
        Err(fault) => return assert!(!fault.to_string().is_empty()),
    };
    assert_eq!(Crypto::parse(&crypto.to_string()).as_ref(), Ok(&crypto));
    if let Ok(chosen) = sdes::choose(&[&crypto], &Suite::ALL) {
        assert!(chosen.material.master().is_ok());
        assert_ne!(chosen.material.suite, Suite::NullHmacSha1_80);
    }
});
