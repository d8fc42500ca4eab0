//! Dates as certificates have them.
//!
//! Seconds since 1970 out of ASN.1, and those as a moment that prints. Nothing
//! here asks what the time is.

use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;

use crate::wire::time::UnixTime;

/// Seconds since 1970 as a moment; a date before 1970 shows as its first second.
pub(super) fn utc(seconds: i64) -> UnixTime {
    UnixTime::from_secs(u64::try_from(seconds).unwrap_or_default())
}

/// An ASN.1 time as seconds since 1970.
pub(super) fn seconds(time: &Asn1TimeRef) -> Result<i64, ErrorStack> {
    let since = Asn1Time::from_unix(0)?.diff(time)?;
    Ok(i64::from(since.days) * DAY + i64::from(since.secs))
}

/// Seconds in a day.
pub(super) const DAY: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asn1_time_is_its_seconds() {
        for instant in [0, 1, 1_767_225_600, 253_402_300_799] {
            let time = Asn1Time::from_unix(instant).expect("a time");
            assert_eq!(seconds(&time).expect("seconds"), instant);
        }
    }

    #[test]
    fn a_date_before_1970_shows_as_1970() {
        assert_eq!(utc(-1).to_string(), "1970-01-01 00:00:00");
        assert_eq!(utc(1_709_210_096).to_string(), "2024-02-29 12:34:56");
    }
}
