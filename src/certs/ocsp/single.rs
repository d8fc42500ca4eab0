//! What an answer says of one certificate (RFC 6960 §4.2.1, SingleResponse).

use openssl::asn1::Asn1Time;

use super::response::{BadAnswer, CONTEXT_0};
use super::verdict::{Cause, Verdict, Word};
use crate::certs::date::seconds;
use crate::certs::der::{ENUMERATED, GENERALIZED_TIME, Reader, SEQUENCE};

/// What is said of one certificate.
pub(super) struct Single<'a> {
    /// The contents of its CertID.
    pub(super) id: &'a [u8],
    verdict: Verdict,
    this_update: i64,
    next_update: Option<i64>,
}

impl<'a> Single<'a> {
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let mut fields = Reader(der);
        let id = fields.value(SEQUENCE)?;
        let verdict = match fields.next()? {
            (GOOD, _) => Verdict::Good,
            (REVOKED, info) => revoked(info)?,
            (UNKNOWN, _) => Verdict::Unknown,
            _ => return None,
        };
        let this_update = moment(fields.value(GENERALIZED_TIME)?)?;
        let next_update = match fields.next() {
            Some((CONTEXT_0, next)) => Some(moment(Reader(next).expect(GENERALIZED_TIME)?)?),
            _ => None,
        };
        Some(Self {
            id,
            verdict,
            this_update,
            next_update,
        })
    }

    /// RFC 6960 §3.2, items 5 and 6.
    pub(super) fn at(&self, now: i64) -> Result<Word, BadAnswer> {
        if self.this_update > now + SKEW {
            return Err(BadAnswer::NotYet(self.this_update));
        }
        let holds = self.next_update.unwrap_or(self.this_update + FRESH);
        if holds < now - SKEW {
            return Err(BadAnswer::Stale(holds));
        }
        Ok(Word {
            verdict: self.verdict,
            until: self.next_update,
        })
    }
}

fn revoked(info: &[u8]) -> Option<Verdict> {
    let mut fields = Reader(info);
    let since = moment(fields.value(GENERALIZED_TIME)?)?;
    let cause = match fields.next() {
        Some((CONTEXT_0, reason)) => match Reader(reason).expect(ENUMERATED)? {
            [code] => Some(Cause(*code)),
            _ => return None,
        },
        _ => None,
    };
    Some(Verdict::Revoked { since, cause })
}

/// RFC 5280 §4.1.2.5.2: to the second, and in UTC. The library reads more
/// than that, and panics at a NUL.
fn moment(text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z")?;
    let fits = digits.len() == "YYYYMMDDHHMMSS".len() && digits.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(text).ok().filter(|_| fits)?;
    seconds(&*Asn1Time::from_str(text).ok()?).ok()
}

/// Seconds by which the clocks may differ.
const SKEW: i64 = 300;
/// Seconds for which an answer is of now where it does not say.
const FRESH: i64 = 3600;
/// `[0]`, `[1]` and `[2]` of CertStatus.
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;
const UNKNOWN: u8 = 0x82;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_fourteen_digits_and_z() {
        assert_eq!(moment(b"20260101000000Z"), Some(1_767_225_600));
        for wrong in [
            &b"20260101000a\x0000Z"[..],
            b"2026010100\x00000Z",
            b"20261301000000Z",
            b"20260101000000z",
            b"202601010000.0Z",
            b"20260101000+00Z",
            b"260101000000Z",
            b"Z",
            b"",
        ] {
            assert_eq!(moment(wrong), None, "{wrong:?}");
        }
    }
}
