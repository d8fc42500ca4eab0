//! What an ACS sends: a message, a Fault to answer with, or a refusal.
#![no_main]

use demarc::wire::soap::{SoapError, XmlError, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| {
    let message = read(octets);
    match &message {
        Ok(envelope) => {
            if let Err(error) = &envelope.body {
                assert!(!error.to_string().is_empty());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    // XML 1.0 §2.8: white space and comments may follow the document.
    let followed = read(&[octets, b"\n<!-- the end -->\n"].concat());
    match message {
        // It was the end of a document that had not ended.
        Err(SoapError::Xml(XmlError::Truncated | XmlError::IllFormed(_))) => {}
        message => assert_eq!(message, followed),
    }
});
