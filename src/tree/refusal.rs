//! Why a change was refused, and which one.

use crate::schema::{Index, Misfit, Name, TableId};
use std::fmt;

/// One reason for one wish of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Position of the wish in its transaction.
    pub wish: usize,
    /// What it was about.
    pub subject: Subject,
    /// Why not.
    pub reason: Reason,
}

/// What a wish was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One instance.
    Instance(Name),
    /// A whole row.
    Row(TableId, Index),
    /// An OID that names nothing.
    Oid(Vec<u32>),
    /// The transaction as such.
    All,
}

/// Why a wish cannot be granted; a face translates it with one `match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The actor's rights do not reach so far.
    NoAccess,
    /// Nothing there can ever be written.
    NotWritable,
    /// Another type.
    WrongType(String),
    /// A length that the object cannot have.
    WrongLength(String),
    /// A value that the object cannot have.
    WrongValue(String),
    /// The row is not there and cannot be made this way.
    NoCreation,
    /// The row is not there now, and this wish alone does not make it.
    NoRow,
    /// It does not agree with another object; the sentence says with which.
    Inconsistent(String),
    /// The tree cannot write at the moment; the sentence says why.
    Unavailable(String),
}

impl Refusal {
    /// A refusal of the wish at `wish`.
    pub fn new(wish: usize, subject: Subject, reason: Reason) -> Self {
        Self {
            wish,
            subject,
            reason,
        }
    }

    /// A refusal of the whole transaction because the tree cannot write.
    pub fn unavailable(why: impl fmt::Display) -> Self {
        Self::new(0, Subject::All, Reason::Unavailable(why.to_string()))
    }
}

impl Reason {
    /// The reason for a value that does not fit; `expectation` in words.
    pub(crate) fn misfit(misfit: Misfit, expectation: String) -> Self {
        match misfit {
            Misfit::Type => Self::WrongType(expectation),
            Misfit::Length => Self::WrongLength(expectation),
            Misfit::Value => Self::WrongValue(expectation),
        }
    }

    /// One word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NoAccess => "noAccess",
            Self::NotWritable => "notWritable",
            Self::WrongType(_) => "wrongType",
            Self::WrongLength(_) => "wrongLength",
            Self::WrongValue(_) => "wrongValue",
            Self::NoCreation => "noCreation",
            Self::NoRow => "inconsistentName",
            Self::Inconsistent(_) => "inconsistentValue",
            Self::Unavailable(_) => "resourceUnavailable",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Subject::All => write!(f, "{}", self.reason),
            subject => write!(f, "{subject}: {}", self.reason),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instance(name) => write!(f, "{name}"),
            Self::Row(table, index) => f.write_str(&crate::schema::row_name(*table, index)),
            Self::Oid(oid) => f.write_str(&crate::schema::dotted(oid)),
            Self::All => f.write_str("transaction"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAccess => f.write_str("this user may not change it"),
            Self::NotWritable => f.write_str("it cannot be written"),
            Self::WrongType(wanted) => write!(f, "wrong type, it takes {wanted}"),
            Self::WrongLength(wanted) => write!(f, "wrong length, it takes {wanted}"),
            Self::WrongValue(wanted) => write!(f, "wrong value, it takes {wanted}"),
            Self::NoCreation => {
                f.write_str("there is no such row, and it cannot be made from outside")
            }
            Self::NoRow => f.write_str("there is no such row"),
            Self::Inconsistent(why) | Self::Unavailable(why) => f.write_str(why),
        }
    }
}
