//! Why a transfer failed: a code of TR-069's table and a sentence.

use super::super::fault::Code;
use crate::wire::soap::message::FaultStruct;
use std::fmt;

/// Why a transfer failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    code: Code,
    why: String,
}

impl Failure {
    /// With a code that TransferComplete may carry.
    #[must_use]
    pub fn new(code: Code, why: impl Into<String>) -> Self {
        Self {
            code,
            why: why.into(),
        }
    }

    /// The same of an upload, which has fewer codes (A.4.1.5, table 47).
    #[must_use]
    pub(super) fn of_upload(self) -> Self {
        let code = match self.code {
            Code::RequestDenied | Code::InternalError | Code::TransferServerAuthentication => {
                self.code
            }
            _ => Code::UploadFailed,
        };
        Self { code, ..self }
    }

    /// As TransferComplete says it (cwmp-1-2.xsd: at most 256 characters).
    #[must_use]
    pub fn fault(&self) -> FaultStruct {
        let mut fault = self.code.because(&self.why);
        fault
            .text
            .truncate(fault.text.floor_char_boundary(LONGEST_TEXT));
        fault
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

const LONGEST_TEXT: usize = 256;
