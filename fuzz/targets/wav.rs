//! WAV files: what is read prints a file that says the same.
#![no_main]

use demarc::media::wav::Wave;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| match Wave::parse(octets) {
    Ok(wave) => assert_eq!(Wave::parse(&wave.print()), Ok(wave)),
    Err(fault) => assert!(!fault.to_string().is_empty()),
});
