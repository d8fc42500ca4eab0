//! SNMP messages: ours, async-snmp's and rasn-snmp's.

mod by_async_snmp;
mod by_rasn;
mod facts;
mod malformed;
mod ours;

use demarc::north::snmp::message::Version;
use demarc::north::snmp::pdu::Kind;
use facts::{Envelope, Facts, answer, community_request, user_request};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_request_that_async_snmp_writes_is_read_as_it_was_meant(
        facts in prop_oneof![community_request(), user_request()],
    ) {
        let octets = by_async_snmp::write(&facts);
        prop_assert_eq!(ours::read(&octets), Some(facts));
    }

    #[test]
    fn a_request_that_rasn_writes_is_read_as_it_was_meant(
        facts in prop_oneof![community_request(), user_request()],
    ) {
        let octets = by_rasn::write(&facts);
        prop_assert_eq!(ours::read(&octets), Some(facts));
    }

    #[test]
    fn an_answer_of_ours_is_read_by_both_as_it_was_meant(facts in answer()) {
        let octets = ours::write(&facts);
        prop_assert_eq!(by_async_snmp::read(&octets), Some(facts.clone()));
        prop_assert_eq!(by_rasn::read(&octets), Some(facts.clone()));
        prop_assert_eq!(ours::read(&octets), Some(facts));
    }

    #[test]
    fn a_message_with_a_wrong_octet_means_to_all_who_read_it_the_same(
        facts in prop_oneof![community_request(), user_request()],
        place in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut octets = by_rasn::write(&facts);
        let place = place.index(octets.len());
        octets[place] = octet;
        let Some(ours) = ours::read(&octets) else {
            return Ok(());
        };
        if let Some(theirs) = by_async_snmp::read(&octets) {
            prop_assert_eq!(&ours, &theirs);
        }
        // rasn reads an answer and a request alike, and any error-status.
        if let Some(theirs) = by_rasn::read(&octets) {
            prop_assert_eq!(&ours, &theirs);
        }
    }
}

#[test]
fn an_answer_of_ours_is_one_of_version_1_to_rasn() {
    let facts = Facts {
        envelope: Envelope::Community(Version::V1, b"public".to_vec()),
        kind: Kind::Response,
        request_id: i32::MIN,
        first: 2,
        second: 1,
        bindings: facts::one_of_each_but_counter64(),
    };
    let octets = ours::write(&facts);
    assert_eq!(by_rasn::read_v1(&octets), Some(facts.bindings));
}
