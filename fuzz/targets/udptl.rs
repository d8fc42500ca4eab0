//! UDPTL: what was redundant is there, and is written and read again.
#![no_main]

use demarc::wire::udptl::{Packet, Recovery};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|octets: &[u8]| match Packet::parse(octets) {
    Ok(packet) => {
        assert_eq!(packet.since(packet.sequence).count(), 1);
        assert_eq!(packet.since(packet.sequence.wrapping_add(1)).count(), 0);
        if let Recovery::Redundancy(fields) = packet.recovery {
            let before: Vec<&[u8]> = fields.collect();
            let mut out = Vec::new();
            Packet::write(packet.sequence, packet.primary, &before, &mut out);
            let again = Packet::parse(&out).expect("what was written");
            assert_eq!(
                (again.sequence, again.primary),
                (packet.sequence, packet.primary)
            );
        }
    }
    Err(fault) => assert!(!fault.to_string().is_empty()),
});
