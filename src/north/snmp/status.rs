//! From the tree's refusals to error-status (RFC 3416 §3, RFC 1157 §4.1.1).
//!
//! The only place where the agent translates: one row for each reason, and one
//! for each status that SNMPv1 does not know. No wildcard stands in either, so
//! a new reason does not compile until it has its row.

use super::access::{Reason, Refusal};
use super::message::Version;

/// The error-status of a response; its number is the wire's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything was done.
    NoError = 0,
    /// The response would not fit.
    TooBig = 1,
    /// SNMPv1: the name cannot be had.
    NoSuchName = 2,
    /// SNMPv1: the value cannot be taken.
    BadValue = 3,
    /// It failed for a reason that has no name.
    GenErr = 5,
    /// The user may not do that.
    NoAccess = 6,
    /// The value is of another type.
    WrongType = 7,
    /// The value is of another length.
    WrongLength = 8,
    /// The value's octets do not fit its tag.
    WrongEncoding = 9,
    /// The value is out of range.
    WrongValue = 10,
    /// The instance cannot exist.
    NoCreation = 11,
    /// The value does not fit the others.
    InconsistentValue = 12,
    /// Something ran out.
    ResourceUnavailable = 13,
    /// The change failed and was undone.
    CommitFailed = 14,
    /// The change failed and was not undone.
    UndoFailed = 15,
    /// The user may do nothing at this security level.
    AuthorizationError = 16,
    /// The object is never written.
    NotWritable = 17,
    /// The instance cannot be created now.
    InconsistentName = 18,
}

/// A failed request: what went wrong, and at which binding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failure {
    /// The error-status.
    pub status: Status,
    /// The error-index, counted from 1; 0 means none.
    pub index: i32,
}

impl Failure {
    /// A failure at the binding `position`, counted from 0.
    pub fn at(position: usize, status: Status) -> Self {
        // A request has at most MAX_BINDINGS bindings.
        let index = i32::try_from(position).map_or(0, |position| position.saturating_add(1));
        Self { status, index }
    }

    /// A failure of the request as a whole.
    pub fn whole(status: Status) -> Self {
        Self { status, index: 0 }
    }

    /// The failure as `version` says it.
    pub fn told_in(self, version: Version) -> Self {
        match version {
            Version::V1 => Self {
                status: in_version_1(self.status),
                ..self
            },
            Version::V2c | Version::V3 => self,
        }
    }
}

/// What a response says about refusals: RFC 3416 §4.2.5 has room for one.
pub fn failure(refusals: &[Refusal]) -> Failure {
    let Some(first) = refusals.iter().min_by_key(|refusal| refusal.position) else {
        return Failure::whole(Status::GenErr);
    };
    match first.reason {
        // RFC 3416 §4.2.5: the error-index of undoFailed is zero.
        Reason::UndoFailed => Failure::whole(Status::UndoFailed),
        reason => Failure::at(first.position, status(reason)),
    }
}

fn status(reason: Reason) -> Status {
    match reason {
        Reason::NoAccess => Status::NoAccess,
        Reason::NotWritable => Status::NotWritable,
        Reason::WrongType => Status::WrongType,
        Reason::WrongLength => Status::WrongLength,
        Reason::WrongEncoding => Status::WrongEncoding,
        Reason::WrongValue => Status::WrongValue,
        Reason::NoCreation => Status::NoCreation,
        Reason::InconsistentName => Status::InconsistentName,
        Reason::InconsistentValue => Status::InconsistentValue,
        Reason::ResourceUnavailable => Status::ResourceUnavailable,
        Reason::General => Status::GenErr,
        Reason::CommitFailed => Status::CommitFailed,
        Reason::UndoFailed => Status::UndoFailed,
    }
}

/// RFC 3584 §4.4.
fn in_version_1(status: Status) -> Status {
    match status {
        Status::NoError => Status::NoError,
        Status::TooBig => Status::TooBig,
        Status::BadValue
        | Status::WrongValue
        | Status::WrongEncoding
        | Status::WrongType
        | Status::WrongLength
        | Status::InconsistentValue => Status::BadValue,
        Status::NoSuchName
        | Status::NoAccess
        | Status::NotWritable
        | Status::NoCreation
        | Status::InconsistentName
        | Status::AuthorizationError => Status::NoSuchName,
        Status::GenErr
        | Status::ResourceUnavailable
        | Status::CommitFailed
        | Status::UndoFailed => Status::GenErr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(position: usize, reason: Reason) -> Refusal {
        Refusal { position, reason }
    }

    #[test]
    fn the_first_failing_binding_is_named() {
        let refusals = [
            refusal(4, Reason::NoAccess),
            refusal(2, Reason::WrongValue),
            refusal(3, Reason::WrongType),
        ];
        assert_eq!(failure(&refusals), Failure::at(2, Status::WrongValue));
        assert_eq!(failure(&refusals).index, 3);
    }

    #[test]
    fn a_failed_undo_names_no_binding() {
        assert_eq!(
            failure(&[refusal(2, Reason::UndoFailed)]),
            Failure::whole(Status::UndoFailed)
        );
    }

    #[test]
    fn a_refusal_without_a_culprit_is_a_general_error() {
        assert_eq!(failure(&[]), Failure::whole(Status::GenErr));
    }

    #[test]
    fn version_1_hears_only_its_own_six_words() {
        let told = |status| Failure::at(0, status).told_in(Version::V1).status as i32;
        // RFC 3584 §4.4, the table from SNMPv2 error-status to SNMPv1.
        for (status, word) in [
            (Status::NoError, 0),
            (Status::TooBig, 1),
            (Status::WrongValue, 3),
            (Status::WrongEncoding, 3),
            (Status::WrongType, 3),
            (Status::WrongLength, 3),
            (Status::InconsistentValue, 3),
            (Status::NoAccess, 2),
            (Status::NotWritable, 2),
            (Status::NoCreation, 2),
            (Status::InconsistentName, 2),
            (Status::AuthorizationError, 2),
            (Status::ResourceUnavailable, 5),
            (Status::CommitFailed, 5),
            (Status::UndoFailed, 5),
            (Status::GenErr, 5),
        ] {
            assert_eq!(told(status), word, "{status:?}");
        }
    }
}
