//! What holds for any loss, reordering, repetition and wrap.

use std::collections::HashSet;

use proptest::prelude::*;

use super::Suite;
use super::testing::{key, pair, protected, rtp, unprotected};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Packets arrive in any order within the window, some never, some twice, some forged.
    #[test]
    fn each_packet_that_arrives_is_read_once(
        suite in prop::sample::select(&Suite::ALL[..]),
        first in prop_oneof![0u16..=u16::MAX, 65_400u16..=u16::MAX],
        steps in prop::collection::vec((0usize..40, 0u8..8, any::<u8>()), 1..300),
    ) {
        let (mut sender, mut receiver) = pair(&key(suite, 9));
        let sent: Vec<(u16, Vec<u8>)> = (0..steps.len() as u16)
            .map(|at| first.wrapping_add(at))
            .map(|sequence| (sequence, protected(&mut sender, &rtp(1, sequence))))
            .collect();
        let mut read = HashSet::new();
        // Whoever misses the first packets of a stream that wraps at once has no ROC (RFC 3711 §3.3.1).
        prop_assert!(unprotected(&mut receiver, &sent[0].1).is_ok());
        read.insert(0);
        for (at, (back, fate, where_to)) in steps.iter().enumerate() {
            let at = at.saturating_sub(*back);
            let (sequence, packet) = &sent[at];
            if *fate == 0 {
                continue;
            }
            if *fate == 1 {
                let mut forged = packet.clone();
                let place = usize::from(*where_to) % forged.len();
                forged[place] ^= 1 << (where_to % 8);
                prop_assert!(unprotected(&mut receiver, &forged).is_err());
            }
            let answer = unprotected(&mut receiver, packet);
            prop_assert_eq!(answer.is_ok(), read.insert(at), "{} {:?}", at, answer);
            if let Ok(answer) = answer {
                prop_assert_eq!(answer, rtp(1, *sequence));
            }
        }
    }

    /// Anything at all is either refused or leaves no more than it was.
    #[test]
    fn whatever_arrives_is_refused(
        suite in prop::sample::select(&Suite::ALL[..]),
        packet in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let (_, mut receiver) = pair(&key(suite, 9));
        prop_assert!(receiver.unprotect(&mut packet.clone()).is_err());
        prop_assert!(receiver.unprotect_rtcp(&mut packet.clone()).is_err());
    }
}
