//! How a command fails: the exit status and what the user reads.

use super::args::data_option;
use crate::north::local::Refused;
use crate::north::local::client::ClientError;
use crate::north::script::{Complaint, Fault};
use crate::tree::StoreError;
use serde_json::json;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The device, or the start of one, refused.
    #[error("refused")]
    Refused(Vec<Refused>),
    /// The command line makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file that was named cannot be read or written.
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    /// No device runs there.
    #[error("no device runs on {path}: start one with `demarc run{of}`", path = .0.display(), of = data_option(.0))]
    NoDevice(PathBuf),
    /// The device could not be talked to.
    #[error(transparent)]
    Talk(ClientError),
    /// The store could not be looked at.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device could not be started or went down; the sentence says why.
    #[error("{0}")]
    Machine(String),
    /// The output went away.
    #[error("cannot write: {0}")]
    Output(io::Error),
}

impl Failure {
    /// One refusal.
    pub fn one(object: &str, reason: &str, message: impl Into<String>) -> Self {
        Self::Refused(vec![Refused {
            object: object.to_owned(),
            reason: reason.to_owned(),
            message: message.into(),
        }])
    }

    /// What is wrong with scripts and settings.
    pub fn of_faults(faults: &[Fault]) -> Self {
        let complaints = faults.iter().map(Complaint::from);
        Self::Refused(complaints.map(|complaint| (&complaint).into()).collect())
    }

    /// 0 done, 1 refused, 2 wrong usage, 3 no device there.
    pub fn status(&self) -> u8 {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Refused(_) | Self::Store(_) | Self::Machine(_) | Self::Output(_) => 1,
            Self::Talk(ClientError::Lost(_) | ClientError::Unreadable(_)) => 1,
            Self::Usage(_) | Self::File(..) => 2,
            Self::NoDevice(_)
            | Self::Talk(ClientError::NoDevice(_) | ClientError::Unreachable(..)) => 3,
        }
    }

    /// Says why, one reason a line with the object first, and gives the exit status.
    pub fn report(&self, json: bool, out: &mut dyn Write, err: &mut dyn Write) -> ExitCode {
        let status = self.status();
        // Where the output or the error stream is gone, the status is all that is left to say.
        if let Self::Refused(refused) = self {
            if json {
                let _ = writeln!(out, "{}", json!({ "refused": refused }));
            }
            for refused in refused {
                let _ = writeln!(err, "{refused}");
            }
        } else if status != 0 {
            let _ = writeln!(err, "demarc: {self}");
        }
        ExitCode::from(status)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NoDevice(folder) => Self::NoDevice(folder),
            other => Self::Talk(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(failure: &Failure, json: bool) -> (String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        failure.report(json, &mut out, &mut err);
        let text = |octets| String::from_utf8(octets).expect("text");
        (text(out), text(err))
    }

    #[test]
    fn refusals_are_told_one_a_line_and_as_json_where_asked() {
        let failure = Failure::one("Hoc.SystemName", "wrongLength", "it is too long");
        let line = "Hoc.SystemName: it is too long\n".to_owned();
        assert_eq!(said(&failure, false), (String::new(), line.clone()));
        let json = "{\"refused\":[{\"object\":\"Hoc.SystemName\",\"reason\":\"wrongLength\",\"message\":\"it is too long\"}]}\n";
        assert_eq!(said(&failure, true), (json.to_owned(), line));
        assert_eq!(failure.status(), 1);
    }

    #[test]
    fn a_missing_device_is_told_with_its_folder_and_how_to_start_one() {
        let failure = Failure::from(ClientError::NoDevice("/srv/gw".into()));
        assert_eq!(failure.status(), 3);
        assert_eq!(
            said(&failure, false).1,
            "demarc: no device runs on /srv/gw: start one with `demarc run --data /srv/gw`\n"
        );
    }

    #[test]
    fn a_reader_that_leaves_early_is_no_failure() {
        let failure = Failure::Output(io::ErrorKind::BrokenPipe.into());
        assert_eq!(failure.status(), 0);
        assert_eq!(said(&failure, false).1, "");
    }
}
