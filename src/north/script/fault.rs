//! What is wrong with a script, and where.
//!
//! A [`Fault`] is found by reading; a [`Complaint`] is what a person or a
//! program is told, whether reading, the tree or an operation refused.

use super::text::{LINE_LIMIT, LINES_LIMIT, SCRIPT_LIMIT};
use crate::schema::{NameError, ValueError};
use crate::tree::{Refusal, Subject};
use std::fmt;

/// One thing that is wrong with a script's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub place: Place,
    /// The name, argument or word it is about; "" for the script as a whole.
    pub object: String,
    /// What is wrong.
    pub problem: Problem,
}

/// Where a part of a script stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere in particular.
    Whole,
    /// This line of the text, counted from 1.
    Line(usize),
    /// This `--set` of the command line, counted from 1.
    Setting(usize),
}

/// What is wrong with a line, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// More octets than [`SCRIPT_LIMIT`].
    #[error("it has {0} octets and at most {SCRIPT_LIMIT} are read, split it")]
    TooLong(usize),
    /// More lines than [`LINES_LIMIT`].
    #[error("it has {0} lines and at most {LINES_LIMIT} are read, split it")]
    TooManyLines(usize),
    /// More octets in a line than [`LINE_LIMIT`].
    #[error("the line has {0} octets and at most {LINE_LIMIT} are read")]
    LineTooLong(usize),
    /// The name names nothing.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The value does not fit the syntax of the object.
    #[error(transparent)]
    Value(#[from] ValueError),
    /// Neither an assignment nor an operation.
    #[error(
        "write an assignment, Name=value, or an operation, Service.Operation Argument=value, or begin a comment with #"
    )]
    Unreadable,
    /// A bare value and something like a comment behind it.
    #[error(
        "put the value in double quotes if it holds \" #\", or the comment on a line of its own"
    )]
    CommentBehindValue,
    /// An argument of an operation without `=` or with quotes that do not close.
    #[error("arguments are written Argument=value or Argument=\"value\"")]
    BadArgument,
    /// `Conf.ScriptMode` after the first line that does something.
    #[error("it must stand before everything else in the script")]
    ModeNotAtHead,
    /// `Conf.ScriptMode` with an unknown value.
    #[error("\"{0}\" is no mode; leave the line out for all or nothing, or write continue")]
    NoSuchMode(String),
}

/// Why something in a script was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The object, row or operation it is about.
    pub object: String,
    /// One word for programs.
    pub reason: &'static str,
    /// The sentence, with the place in the script.
    pub message: String,
}

impl Problem {
    /// One word for programs, the tree's own where it has one.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Name(NameError::BadIndex(..)) => "noCreation",
            Self::Name(_) => "noSuchObject",
            Self::Value(_) => "wrongValue",
            Self::TooLong(_) | Self::TooManyLines(_) | Self::LineTooLong(_) => "tooLong",
            Self::Unreadable
            | Self::CommentBehindValue
            | Self::BadArgument
            | Self::ModeNotAtHead
            | Self::NoSuchMode(_) => "unreadable",
        }
    }
}

impl Complaint {
    /// What the tree refused, at its place.
    pub fn refused(place: Place, refusal: &Refusal) -> Self {
        let object = match &refusal.subject {
            Subject::All => "transaction".to_owned(),
            subject => subject.to_string(),
        };
        Self::new(
            place,
            object,
            refusal.reason.word(),
            &refusal.reason.to_string(),
        )
    }

    pub(crate) fn new(place: Place, object: String, reason: &'static str, why: &str) -> Self {
        let message = match place {
            Place::Whole => why.to_owned(),
            place => format!("{why} ({place})"),
        };
        Self {
            object,
            reason,
            message,
        }
    }
}

impl From<&Fault> for Complaint {
    fn from(fault: &Fault) -> Self {
        let object = match fault.object.as_str() {
            "" => "script".to_owned(),
            object => object.to_owned(),
        };
        let why = fault.problem.to_string();
        Self::new(fault.place, object, fault.problem.word(), &why)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("the whole"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Setting(number) => write!(f, "--set {number}"),
        }
    }
}

impl fmt::Display for Complaint {
    /// The object first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Complaint::from(self))
    }
}

impl std::error::Error for Fault {}
