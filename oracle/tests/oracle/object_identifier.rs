//! The contents of OBJECT IDENTIFIERs, read by three.

use demarc::wire::ber;
use proptest::prelude::*;
use rasn::types::ObjectIdentifier;

fn ours(content: &[u8]) -> Option<Vec<u32>> {
    let mut arcs = Vec::new();
    ber::arcs(content, &mut arcs).ok().map(|()| arcs)
}

fn async_snmp(content: &[u8]) -> Option<Vec<u32>> {
    let oid = async_snmp::Oid::from_ber(content).ok()?;
    Some(oid.arcs().to_vec())
}

fn rasn(content: &[u8]) -> Option<Vec<u32>> {
    let length = u8::try_from(content.len())
        .ok()
        .filter(|&length| length < 0x80)?;
    let whole = [&[6, length], content].concat();
    let oid: ObjectIdentifier = rasn::ber::decode(&whole).ok()?;
    Some(oid.to_vec())
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    let septets = prop_oneof![0..0x80u8, 0x80..=0xffu8, Just(0x80), Just(0xff), Just(0x7f)];
    proptest::collection::vec(septets, 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn any_content_means_the_same_to_all_or_is_refused_by_all(content in content()) {
        let ours = ours(&content);
        // X.690 §8.19.2, no leading 80: the libraries do not look.
        let padded = (0..content.len()).any(|at| {
            content[at] == 0x80 && (at == 0 || content[at - 1] < 0x80)
        });
        if padded {
            prop_assert_eq!(ours, None);
        } else {
            prop_assert_eq!(&async_snmp(&content), &ours);
            prop_assert_eq!(&rasn(&content), &ours);
        }
    }
}

#[test]
fn the_largest_are_read_by_all() {
    for content in [
        &[0x90, 0x80, 0x80, 0x80, 0x4f][..],
        &[1; 127],
        &[0x2b, 0x8f, 0xff, 0xff, 0xff, 0x7f],
    ] {
        let read = ours(content);
        assert!(read.is_some());
        assert_eq!(async_snmp(content), read);
    }
}
