//! The steps of a verification, for whoever wants to log them.
//!
//! Verifying does not log: it returns what it did, one line a step, so that
//! a refused handshake can be read in the log at the severity of the service.

use std::fmt;

use super::certificate::Certificate;
use super::date::utc;
use super::ladder::Level;
use super::ocsp::Doubt;
use super::time::TlsTime;

/// What was checked, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trail(Vec<Step>);

impl Trail {
    /// The steps taken; each displays as a line.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }

    /// The chain to an anchor, leaf first, where one was looked for and found.
    pub(super) fn chain(&self) -> Option<&[Certificate]> {
        self.0.iter().find_map(|step| match step {
            Step::Chained { chain, .. } => Some(chain.as_slice()),
            _ => None,
        })
    }

    pub(super) fn push(&mut self, step: Step) {
        self.0.push(step);
    }
}

/// One step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A certificate came.
    Presented {
        /// Counted from 1.
        place: usize,
        /// Certificates presented.
        count: usize,
        /// The certificate.
        certificate: Box<Certificate>,
    },
    /// The level asks for no more.
    Enough(Level),
    /// A chain to an anchor was found, and its dates hold.
    Chained {
        /// Leaf first, anchor last.
        chain: Vec<Certificate>,
        /// When it was checked.
        time: TlsTime,
    },
    /// The usages allow it.
    Usable,
    /// The certificate is the wanted one's.
    Named {
        /// The name wanted.
        wanted: String,
        /// The name found.
        found: String,
    },
    /// Its authority says that it was not revoked.
    NotRevoked,
    /// It is not known whether it was, and need not be.
    Doubtful(Doubt),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Presented {
                place,
                count,
                certificate,
            } => {
                write!(f, "certificate {place} of {count}: ")?;
                present(f, certificate)
            }
            Self::Enough(level) => write!(f, "nothing more is checked at level {level}"),
            Self::Chained { chain, time } => {
                let subjects = chain.iter().map(|one| one.subject.to_string());
                write!(f, "chain {}, ", subjects.collect::<Vec<_>>().join(" < "))?;
                match time {
                    TlsTime::Known(now) => write!(f, "valid at {}", utc(*now)),
                    TlsTime::Floor(floor) => {
                        write!(f, "not expired at {}, the time is not known", utc(*floor))
                    }
                }
            }
            Self::Usable => f.write_str("usage allows it"),
            Self::Named { wanted, found } => write!(f, "{wanted} is named by {found}"),
            Self::NotRevoked => f.write_str("not revoked, says its authority"),
            Self::Doubtful(doubt) => write!(f, "whether it was revoked is not known: {doubt}"),
        }
    }
}

fn present(f: &mut fmt::Formatter<'_>, certificate: &Certificate) -> fmt::Result {
    write!(
        f,
        "{} issued by {}, serial {}, {} to {}, {}, {}",
        certificate.subject,
        certificate.issuer,
        certificate.serial,
        utc(certificate.not_before),
        utc(certificate.not_after),
        certificate.key,
        certificate.usage,
    )
}
