//! Warns of certificates that end, while there is time to replace them.
//!
//! Each certificate is told of once at each of a few marks, and once when it
//! has ended; after a start the nearest mark only. An authority is told of in
//! other words: when it ends, so does whatever it signed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::certificate::Certificate;
use super::date::{DAY, utc};
use super::install::Store;
use super::keeper::Listed;
use crate::tree::messages::{
    AUTHORITY_EXPIRED, AUTHORITY_EXPIRES_SOON, CERTIFICATE_EXPIRED, CERTIFICATE_EXPIRES_SOON,
};
use crate::tree::notice::Notice;

/// What has been told of which certificate.
#[derive(Default)]
pub(super) struct Expiry {
    told: BTreeMap<Key, i64>,
}

/// The file's kind and the certificate's digest: a file under a new name is no news.
type Key = (Store, [u8; 32]);

impl Expiry {
    /// What is to be said at `now`, seconds since 1970.
    pub(super) fn check(&mut self, files: &[Arc<Listed>], now: i64) -> Vec<Notice> {
        let mut told = BTreeMap::new();
        let mut notices = Vec::new();
        for file in files {
            for (place, certificate) in file.certificates.iter().flatten().enumerate() {
                let Some(mark) = mark(certificate, now) else {
                    continue;
                };
                let key = (file.store, certificate.fingerprint);
                let before = self.told.get(&key);
                if before.is_none_or(|before| mark < *before) && !told.contains_key(&key) {
                    notices.push(notice(file, place, certificate, now));
                }
                told.insert(key, mark);
            }
        }
        self.told = told;
        notices
    }
}

/// Whole days until a certificate ends; negative from its end on.
pub(super) fn days_left(certificate: &Certificate, now: i64) -> i64 {
    (certificate.not_after - now).div_euclid(DAY)
}

/// The nearest mark that has been passed.
fn mark(certificate: &Certificate, now: i64) -> Option<i64> {
    if now > certificate.not_after {
        return Some(ENDED);
    }
    let left = certificate.not_after - now;
    let passed = MARKS.into_iter().filter(|days| left <= days * DAY);
    passed.min()
}

fn notice(file: &Listed, place: usize, certificate: &Certificate, now: i64) -> Notice {
    let name = match place {
        0 => file.index.name(),
        _ => format!("{} ({})", file.index.name(), certificate.subject),
    };
    let date = utc(certificate.not_after);
    let days = match days_left(certificate, now) {
        0 => "less than a day".to_owned(),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    };
    match (certificate.authority, now > certificate.not_after) {
        (false, false) => CERTIFICATE_EXPIRES_SOON.with([&name, &days, &date]),
        (false, true) => CERTIFICATE_EXPIRED.with([&name, &date]),
        (true, false) => AUTHORITY_EXPIRES_SOON.with([&name, &days, &date]),
        (true, true) => AUTHORITY_EXPIRED.with([&name, &date]),
    }
}

/// Days before the end.
const MARKS: [i64; 4] = [30, 14, 7, 1];
/// The mark of what has ended: below all others.
const ENDED: i64 = 0;

#[cfg(test)]
mod tests {
    use super::super::testing::{Authority, Leaf, NOW, YEAR};
    use super::*;
    use crate::schema::Index;

    fn file(name: &str, certificate: &Certificate) -> Arc<Listed> {
        Arc::new(Listed {
            store: Store::Host,
            index: Index::text(name),
            certificates: Ok(vec![certificate.clone()]),
        })
    }

    fn days_when_told(expiry: &mut Expiry, files: &[Arc<Listed>], days: &[i64]) -> Vec<i64> {
        let end = NOW + YEAR;
        let told = days
            .iter()
            .filter(|left| !expiry.check(files, end - *left * DAY).is_empty());
        told.copied().collect()
    }

    #[test]
    fn each_mark_is_told_once_and_the_end_too() {
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let files = [file("a.pem", leaf.certificate())];
        let mut expiry = Expiry::default();
        let days: Vec<i64> = (-3..40).rev().collect();
        let told = days_when_told(&mut expiry, &files, &days);
        assert_eq!(told, [30, 14, 7, 1, -1]);
    }

    #[test]
    fn after_a_start_only_the_nearest_mark_is_told() {
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let files = [file("a.pem", leaf.certificate())];
        let mut expiry = Expiry::default();
        let notices = expiry.check(&files, NOW + YEAR - 5 * DAY);
        assert_eq!(notices.len(), 1);
        assert_eq!(
            notices[0].text,
            "certificate a.pem expires in 5 days, on 2027-01-01 00:00:00"
        );
        assert!(expiry.check(&files, NOW + YEAR - 5 * DAY).is_empty());
    }

    #[test]
    fn an_authority_is_told_of_in_other_words() {
        let root = Authority::new("Root");
        let files = [file("root.pem", root.certificate())];
        let mut expiry = Expiry::default();
        let soon = expiry.check(&files, NOW + YEAR - DAY);
        assert!(
            soon[0]
                .text
                .starts_with("authority root.pem expires in 1 day,")
        );
        let ended = expiry.check(&files, NOW + YEAR + 1);
        assert!(ended[0].text.contains("no longer"), "{}", ended[0].text);
    }

    #[test]
    fn days_are_counted_down_to_zero_and_below() {
        let leaf = Authority::new("Root").issue(Leaf::new("leaf"));
        let left = |before| days_left(leaf.certificate(), NOW + YEAR - before);
        assert_eq!([left(DAY), left(DAY - 1), left(0), left(-1)], [1, 0, 0, -1]);
        assert_eq!(left(-DAY - 1), -2);
    }
}
