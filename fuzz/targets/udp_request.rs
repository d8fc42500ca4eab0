//! UDP connection requests: whatever comes, nobody is let in without the password.
#![no_main]

use demarc::wire::udp_request::UdpRequest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| match UdpRequest::parse(octets) {
    Ok(request) => assert!(!request.is_signed_with(b"a password that no seed knows")),
    Err(fault) => assert!(!fault.to_string().is_empty()),
});
