//! SNTP packets: what parses prints its own octets; an answer gives a time.
#![no_main]

use demarc::wire::sntp::{PACKET_OCTETS, Packet};
use demarc::wire::time::UnixTime;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| match Packet::parse(octets) {
    Ok(packet) => {
        assert_eq!(packet.print(), octets[..PACKET_OCTETS]);
        match packet.answer(packet.originate) {
            Ok(answer) => {
                assert!(answer.received <= answer.transmitted);
                let _ = answer.measure(UnixTime::EPOCH, answer.transmitted);
            }
            Err(fault) => assert!(!fault.to_string().is_empty()),
        }
    }
    Err(fault) => assert!(!fault.to_string().is_empty()),
});
