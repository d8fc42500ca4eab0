//! What authorities said, for as long as they said that it holds.
//!
//! For all links of a device: a server that is reached again is not asked for
//! again. It is bounded; the verdict that ends first makes room.

use std::collections::BTreeMap;

use super::verdict::{Verdict, Word};
use crate::certs::certificate::Certificate;

/// Verdicts by the fingerprints of the certificate and of its issuer.
#[derive(Debug, Default)]
pub(in crate::certs) struct Cache(BTreeMap<Key, (Verdict, i64)>);

type Key = ([u8; 32], [u8; 32]);

impl Cache {
    /// What holds at `now`, seconds since 1970.
    pub(super) fn verdict(&self, of: (&Certificate, &Certificate), now: i64) -> Option<Verdict> {
        let (verdict, until) = self.0.get(&key(of))?;
        (now <= *until).then_some(*verdict)
    }

    /// Keeps what may be kept.
    pub(super) fn keep(&mut self, of: (&Certificate, &Certificate), word: Word, now: i64) {
        let Some(until) = word.until else { return };
        self.0.retain(|_, (_, until)| now <= *until);
        self.0.insert(key(of), (word.verdict, until));
        if self.0.len() > MAX_KEPT {
            let first = self.0.iter().min_by_key(|(_, (_, until))| *until);
            if let Some(key) = first.map(|(key, _)| *key) {
                self.0.remove(&key);
            }
        }
    }
}

fn key((subject, issuer): (&Certificate, &Certificate)) -> Key {
    (subject.fingerprint, issuer.fingerprint)
}

/// Verdicts kept at once.
const MAX_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::testing::{Authority, Leaf, NOW};

    fn word(until: Option<i64>) -> Word {
        Word {
            verdict: Verdict::Good,
            until,
        }
    }

    #[test]
    fn a_verdict_is_kept_as_long_as_it_holds_and_not_at_all_where_it_does_not_say() {
        let root = Authority::new("Root");
        let leaf = root.issue(Leaf::new("leaf"));
        let of = (leaf.certificate(), root.certificate());
        let mut cache = Cache::default();
        cache.keep(of, word(None), NOW);
        assert_eq!(cache.verdict(of, NOW), None);
        cache.keep(of, word(Some(NOW + 10)), NOW);
        assert_eq!(cache.verdict(of, NOW + 10), Some(Verdict::Good));
        assert_eq!(cache.verdict(of, NOW + 11), None);
    }

    #[test]
    fn it_is_bounded_and_the_first_to_end_makes_room() {
        let root = Authority::new("Root");
        let leaves: Vec<_> = (0..=MAX_KEPT)
            .map(|_| root.issue(Leaf::new("leaf")))
            .collect();
        let mut cache = Cache::default();
        for (after, leaf) in (1..).zip(&leaves) {
            let of = (leaf.certificate(), root.certificate());
            cache.keep(of, word(Some(NOW + after)), NOW);
        }
        assert_eq!(cache.0.len(), MAX_KEPT);
        let first = (leaves[0].certificate(), root.certificate());
        assert_eq!(cache.verdict(first, NOW), None);
    }
}
