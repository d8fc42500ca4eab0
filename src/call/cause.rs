//! Causes of Q.850, for hunts and call records.
//!
//! A SIP status is told as the cause that RFC 3398 §8.2.6.1 gives it; where that
//! asks the Warning of 488 and 606, it is 65.

use std::collections::BTreeSet;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::sip::message::StatusCode;

/// A cause of ITU-T Q.850, 1 to 127.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cause(pub u8);

impl Cause {
    /// Somebody hung up.
    pub const NORMAL: Self = Self(16);
    /// Every line of a trunk is in use.
    pub const NO_CIRCUIT: Self = Self(34);

    /// What a refusal means (RFC 3398 §8.2.6.1).
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        Self(match status.code() {
            404 | 485 | 604 => 1,
            486 | 600 => 17,
            480 => 18,
            401 | 402 | 403 | 407 | 603 => 21,
            410 => 22,
            484 => 28,
            502 => 38,
            400 | 481 | 500 | 503 => 41,
            405 => 63,
            406 | 415 | 501 => 79,
            482 | 483 => 25,
            413 | 414 | 416 | 420 | 421 | 423 | 505 | 513 => 127,
            408 | 504 => 102,
            488 | 606 => 65,
            _ => 31,
        })
    }
}

/// The causes after which a hunt tries its next destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Causes(BTreeSet<Cause>);

impl Causes {
    /// Whether a refusal with this status is followed by another try. A trunk
    /// that is silent or fails (408, 5xx) always is, whatever the list says.
    #[must_use]
    pub fn go_on_after(&self, status: StatusCode) -> bool {
        let code = status.code();
        code == 408 || (500..600).contains(&code) || self.0.contains(&Cause::of(status))
    }
}

impl Default for Causes {
    /// The dictionary's.
    fn default() -> Self {
        Self([31, 34, 38, 41, 42, 43, 44, 47].map(Cause).into())
    }
}

impl FromStr for Causes {
    type Err = ParseIntError;

    /// Reads numbers with commas between them.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let numbers = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        numbers
            .map(|it| it.parse().map(Cause))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(code: u16) -> StatusCode {
        StatusCode::new(code).expect("a status code")
    }

    #[test]
    fn a_trunk_that_fails_is_followed_and_a_person_who_refuses_is_not() {
        let causes = Causes::default();
        for (code, follows) in [
            (408, true),
            (500, true),
            (503, true),
            (504, true),
            (404, false),
            (480, false),
            (486, false),
            (488, false),
            (603, false),
        ] {
            assert_eq!(causes.go_on_after(status(code)), follows, "{code}");
        }
    }

    #[test]
    fn a_hunt_may_go_on_from_who_is_engaged() {
        let causes: Causes = "17, 18".parse().expect("causes");
        assert!(causes.go_on_after(status(486)));
        assert!(!causes.go_on_after(status(404)));
        assert!("17, x".parse::<Causes>().is_err());
    }
}
