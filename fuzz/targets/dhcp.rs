//! Options 43 and 125 of DHCP: what is taken of them is a URL, a text and two
//! numbers, without anything that a terminal or a shell would act on.
#![no_main]

use demarc::wire::dhcp::AcsOptions;
use libfuzzer_sys::fuzz_target;

fuzz_target!(
    |both: (&[u8], &[u8])| match AcsOptions::parse(both.0, both.1) {
        Ok(options) => {
            let control = |text: &String| text.chars().any(char::is_control);
            assert!(
                !options
                    .code
                    .is_some_and(|code| control(&code) || code.len() > 64)
            );
            if let Some(url) = options.url {
                assert!(url.is_ascii() && url.len() <= 256 && !url.contains([' ', '"', '`', '\\']));
            }
            assert!(options.retry_minimum != Some(0));
            assert!(options.retry_multiplier.is_none_or(|it| it >= 1000));
        }
        Err(fault) => assert!(!fault.to_string().is_empty()),
    }
);
