//! How long a gateway remembers the binding (RFC 3489 §10.2, RFC 5780 §4.6).
//!
//! After a silence the server is asked, from another socket, to answer to the
//! binding. What comes through shows that it is still there: the period may
//! be longer. A server that cannot do that leaves the least period.

use super::asking::Doubt;
use crate::wire::stun::Attribute;
use std::net::SocketAddr;
use std::time::Duration;

/// How far the search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// Whether the server knows a way is not known yet.
    Ways(Bounds, Way),
    /// The next silence lies between two.
    Between {
        way: Way,
        /// The longest that the binding has outlived, at first the least allowed.
        good: Duration,
        /// The shortest that it has not; at first beyond the greatest.
        bad: Option<Duration>,
        greatest: Duration,
        trial: Duration,
    },
    /// This is the period.
    Done(Duration),
}

/// The least and the greatest period.
pub(super) type Bounds = (Duration, Duration);

/// How the server is asked to answer elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// RESPONSE-ADDRESS, as annex G says.
    Address,
    /// RESPONSE-PORT, which newer servers have instead.
    Port,
}

impl Way {
    pub(super) fn attribute(self, mapped: SocketAddr) -> Attribute {
        match self {
            Self::Address => Attribute::ResponseAddress(mapped),
            Self::Port => Attribute::ResponsePort(mapped.port()),
        }
    }
}

impl Search {
    pub(super) fn new(least: Duration, greatest: Option<Duration>) -> Self {
        let greatest = greatest.unwrap_or(least.max(LONGEST));
        match least < greatest {
            true => Self::Ways((least, greatest), Way::Address),
            false => Self::Done(least),
        }
    }

    pub(super) fn way(&self) -> Option<Way> {
        match self {
            Self::Ways(_, way) | Self::Between { way, .. } => Some(*way),
            Self::Done(_) => None,
        }
    }

    /// The longest period that is known to do.
    pub(super) fn period(&self) -> Duration {
        match self {
            Self::Ways((least, _), _) => *least,
            Self::Between { good, .. } => *good,
            Self::Done(period) => *period,
        }
    }

    /// A silence has ended, with an answer or none.
    pub(super) fn tried(&mut self, doubt: Doubt) {
        *self = match (*self, doubt) {
            (Self::Ways((least, greatest), way), Doubt::None) => {
                between(way, least, None, greatest)
            }
            (Self::Ways(bounds, Way::Address), _) => Self::Ways(bounds, Way::Port),
            (Self::Ways((least, _), Way::Port), _) => Self::Done(least),
            (
                Self::Between {
                    way,
                    bad,
                    greatest,
                    trial,
                    ..
                },
                Doubt::None,
            ) => between(way, trial, bad, greatest),
            (
                Self::Between {
                    way,
                    good,
                    greatest,
                    trial,
                    ..
                },
                Doubt::Silent,
            ) => between(way, good, Some(trial), greatest),
            // It knew how, and does not any more: no further than what is known.
            (Self::Between { good, .. }, Doubt::NotThisWay) => Self::Done(good),
            (done @ Self::Done(_), _) => done,
        };
    }
}

fn between(way: Way, good: Duration, bad: Option<Duration>, greatest: Duration) -> Search {
    let trial = match bad {
        None if good >= greatest => return Search::Done(greatest),
        None => (good * 2).min(greatest),
        Some(bad) if bad.saturating_sub(good) <= NEAR.max(good / 8) => return Search::Done(good),
        Some(bad) => Duration::from_secs((good + bad).as_secs() / 2),
    };
    Search::Between {
        way,
        good,
        bad,
        greatest,
        trial,
    }
}

/// Where no greatest period is set.
const LONGEST: Duration = Duration::from_secs(1800);
/// Two silences that need no third between them.
const NEAR: Duration = Duration::from_secs(5);
