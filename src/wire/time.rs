//! A moment of civil time, and its two spellings.
//!
//! For everything that prints or compares dates: the clock, the log, the
//! certificates. It counts microseconds since 1970 in UTC and never asks what
//! time it is; leap seconds do not exist here, as they do not in Unix time.

use std::fmt;
use std::time::Duration;

/// Microseconds since 1970-01-01 00:00:00 UTC, at most the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(u64);

impl UnixTime {
    /// 1970-01-01 00:00:00.
    pub const EPOCH: UnixTime = UnixTime(0);

    /// The moment so many microseconds after the epoch.
    pub const fn from_micros(micros: u64) -> UnixTime {
        UnixTime(if micros > LAST { LAST } else { micros })
    }

    /// The moment so many seconds after the epoch.
    pub const fn from_secs(secs: u64) -> UnixTime {
        UnixTime::from_micros(secs.saturating_mul(MICROS))
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch.
    pub const fn secs(self) -> u64 {
        self.0 / MICROS
    }

    /// The moment `span` later.
    pub fn plus(self, span: Duration) -> UnixTime {
        let micros = u64::try_from(span.as_micros()).unwrap_or(LAST);
        UnixTime::from_micros(self.0.saturating_add(micros))
    }

    /// The moment `micros` later, or earlier where it is negative.
    pub fn shifted(self, micros: i64) -> UnixTime {
        UnixTime::from_micros(self.0.saturating_add_signed(micros))
    }

    /// Microseconds from `earlier` to this moment; negative where it is later.
    pub fn micros_since(self, earlier: UnixTime) -> i64 {
        // LAST is far below i64::MAX, so the difference always fits.
        self.0.cast_signed() - earlier.0.cast_signed()
    }

    /// `YYYY-MM-DDThh:mm:ss.uuuuuuZ` (RFC 3339).
    pub fn rfc3339(self) -> Rfc3339 {
        Rfc3339(self)
    }

    /// Reads `YYYY-MM-DDThh:mm:ss` (ISO 8601) with a fraction or not, in UTC
    /// whether it says `Z` or nothing; also with a blank for the `T`. None:
    /// something else, or before 1970.
    pub fn parse(text: &str) -> Option<UnixTime> {
        let text = text.trim().trim_end_matches('Z');
        let (text, fraction) = text.split_once('.').unwrap_or((text, ""));
        let (day, time) = text.split_once(['T', ' '])?;
        let [year, month, date] = numbers(day, '-')?;
        let [hour, minute, second] = numbers(time, ':')?;
        let proper = (1970..=9999).contains(&year)
            && (1..=12).contains(&month)
            && (1..=31).contains(&date)
            && hour < 24
            && minute < 60
            && second < 60;
        if !proper || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let secs = days(year, month, date) * DAY + hour * 3600 + minute * 60 + second;
        let at = UnixTime::from_secs(secs);
        // A 30 February would read as a day of March.
        at.to_string().starts_with(day).then_some(at)
    }

    /// `YYYY-MM-DDThh:mm:ssZ`, as TR-069 and XML Schema write it.
    pub fn iso8601(self) -> String {
        let mut text = self.to_string().replace(' ', "T");
        text.push('Z');
        text
    }

    fn civil(self) -> Civil {
        let secs = self.secs();
        let (year, month, day) = date(secs / DAY);
        Civil {
            year,
            month,
            day,
            hour: secs % DAY / 3600,
            minute: secs % 3600 / 60,
            second: secs % 60,
        }
    }
}

/// `YYYY-MM-DD HH:MM:SS`, in UTC.
impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.civil();
        write!(f, "{:04}-{:02}-{:02} ", c.year, c.month, c.day)?;
        write!(f, "{:02}:{:02}:{:02}", c.hour, c.minute, c.second)
    }
}

/// A moment that prints as RFC 3339 has it, with microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Rfc3339(UnixTime);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let c = self.0.civil();
        write!(f, "{:04}-{:02}-{:02}T", c.year, c.month, c.day)?;
        write!(f, "{:02}:{:02}:{:02}", c.hour, c.minute, c.second)?;
        write!(f, ".{:06}Z", self.0.micros() % MICROS)
    }
}

struct Civil {
    year: u64,
    month: u64,
    day: u64,
    hour: u64,
    minute: u64,
    second: u64,
}

/// Year, month and day of the day so many days after the epoch.
///
/// Years are counted from March, so that the leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    let from_march = days + DAYS_0000_03_01_TO_EPOCH;
    let cycle = from_march / DAYS_IN_400_YEARS;
    let day_of_cycle = from_march % DAYS_IN_400_YEARS;
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year =
        day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, carry) = match month_from_march {
        m @ 0..=9 => (m + 3, 0),
        m => (m - 9, 1),
    };
    (400 * cycle + year_of_cycle + carry, month, day)
}

/// Days from the epoch to a day that is not before it; the other way round.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month_from_march) = match month {
        1 | 2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leap_days = year / 4 - year / 100 + year / 400;
    365 * year + leap_days + day_of_year - DAYS_0000_03_01_TO_EPOCH
}

fn numbers(text: &str, separator: char) -> Option<[u64; 3]> {
    let mut parts = text.split(separator);
    let mut number = || {
        let part = parts.next()?;
        let digits = part.bytes().all(|digit| digit.is_ascii_digit());
        part.parse().ok().filter(|_| digits)
    };
    let numbers = [number()?, number()?, number()?];
    parts.next().is_none().then_some(numbers)
}

const MICROS: u64 = 1_000_000;
const DAY: u64 = 86_400;
const DAYS_IN_400_YEARS: u64 = 146_097;
const DAYS_0000_03_01_TO_EPOCH: u64 = 719_468;
/// 9999-12-31 23:59:59.999999, the last moment that four digits can name.
const LAST: u64 = 253_402_300_799_999_999;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_moments_print_as_the_calendar_has_them() {
        let cases = [
            (0, "1970-01-01 00:00:00"),
            (951_782_400, "2000-02-29 00:00:00"),
            (1_709_251_199, "2024-02-29 23:59:59"),
            (1_709_251_200, "2024-03-01 00:00:00"),
            (2_085_978_496, "2036-02-07 06:28:16"),
            (4_107_542_399, "2100-02-28 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (253_402_300_799, "9999-12-31 23:59:59"),
        ];
        for (secs, text) in cases {
            assert_eq!(UnixTime::from_secs(secs).to_string(), text);
        }
    }

    #[test]
    fn what_is_printed_reads_back_and_what_is_no_date_does_not() {
        for secs in [
            0,
            951_782_400,
            1_709_251_199,
            4_107_542_400,
            253_402_300_799,
        ] {
            let at = UnixTime::from_secs(secs);
            assert_eq!(UnixTime::parse(&at.iso8601()), Some(at));
            assert_eq!(UnixTime::parse(&at.to_string()), Some(at));
        }
        let half = UnixTime::parse("2026-03-01T14:05:09.500Z");
        assert_eq!(half, UnixTime::parse("2026-03-01T14:05:09"));
        for text in [
            "",
            "0001-01-01T00:00:00Z",
            "2026-02-30T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-03-01",
            "2026-03-01T24:00:00Z",
            "2026-03-01T14:05:09+01:00",
            "2026-3-+1T14:05:09Z",
        ] {
            assert_eq!(UnixTime::parse(text), None, "{text}");
        }
    }

    #[test]
    fn rfc3339_carries_the_microseconds() {
        let at = UnixTime::from_micros(1_065_910_455_000_003);
        assert_eq!(at.rfc3339().to_string(), "2003-10-11T22:14:15.000003Z");
    }

    #[test]
    fn nothing_leaves_the_range_that_four_digits_name() {
        let last = UnixTime::from_micros(u64::MAX);
        assert_eq!(last.to_string(), "9999-12-31 23:59:59");
        assert_eq!(last.plus(Duration::MAX), last);
        assert_eq!(UnixTime::from_secs(u64::MAX), last);
        assert_eq!(UnixTime::EPOCH.shifted(-1), UnixTime::EPOCH);
        assert_eq!(last.shifted(i64::MAX), last);
    }

    #[test]
    fn differences_have_a_sign() {
        let early = UnixTime::from_secs(1);
        let late = UnixTime::from_micros(1_500_000);
        assert_eq!(late.micros_since(early), 500_000);
        assert_eq!(early.micros_since(late), -500_000);
        assert_eq!(early.shifted(500_000), late);
    }
}
