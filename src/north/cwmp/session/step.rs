//! What a session is told, and what it wants done next.

use crate::wire::soap::SoapError;
use crate::wire::soap::message::{AcsRequest, CpeRequest, Envelope, FaultStruct, FromCpe, Party};

/// What came back for what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// 204, or 200 without a body.
    Nothing,
    /// A body.
    Message(Vec<u8>),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Post this.
    Send(Envelope<FromCpe>),
    /// Post an empty body.
    SendNothing,
    /// Find the answer and give it to [`Session::answer`](super::Session::answer).
    Do(AcsRequest),
    /// The session went well.
    Done,
    /// It did not.
    Failed(Failure),
}

/// Something of the session that counts before it ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Milestone {
    /// The ACS has taken the events and values of Inform.
    Informed,
    /// The ACS has taken this request of ours, or will never take it.
    Told(CpeRequest),
    /// A fault went this or that way.
    Fault(FaultStruct, Party),
}

/// Why a session failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The answer is no message of CWMP.
    #[error("the ACS sent something that is no message of CWMP: {0}")]
    NotCwmp(#[from] SoapError),
    /// The answer is a message that makes no sense now.
    #[error("the ACS answered {asked} with {got}")]
    Unexpected {
        /// What this side had sent.
        asked: &'static str,
        /// What came.
        got: String,
    },
    /// A fault in place of an InformResponse.
    #[error("the ACS refused the Inform: {} {}", .0.code, .0.text)]
    Refused(FaultStruct),
    /// A fault in place of the answer to how a transfer ended.
    #[error("the ACS did not take how a transfer ended: {} {}", .0.code, .0.text)]
    NotTaken(FaultStruct),
    /// The ACS wants the same message again and again.
    #[error("the ACS asked {0} times for the same message (fault 8005)")]
    Repeats(u32),
}
