//! The fault codes of a CPE (TR-069 annex A.5.1), and how refusals of the
//! tree become faults.

use crate::tree::Reason;
use crate::wire::soap::message::{Fault, FaultStruct, ParameterFault, Party};

/// A fault code that this device uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// 9000
    MethodNotSupported,
    /// 9001
    RequestDenied,
    /// 9002
    InternalError,
    /// 9003
    InvalidArguments,
    /// 9004
    ResourcesExceeded,
    /// 9005
    InvalidName,
    /// 9006
    InvalidType,
    /// 9007
    InvalidValue,
    /// 9008
    NotWritable,
    /// 9009
    NotificationRejected,
    /// 9010
    TransferFailed,
    /// 9011
    UploadFailed,
    /// 9012
    TransferServerAuthentication,
    /// 9013
    TransferProtocol,
    /// 9015
    TransferServerUnreachable,
    /// 9016
    TransferFileUnreachable,
    /// 9017
    TransferIncomplete,
    /// 9018
    TransferCorrupted,
    /// 9019
    TransferFileAuthentication,
    /// 9020
    TransferWindowMissed,
    /// 9021
    CancelRefused,
}

impl Code {
    /// The number.
    pub fn number(self) -> u16 {
        match self {
            Self::MethodNotSupported => 9000,
            Self::RequestDenied => 9001,
            Self::InternalError => 9002,
            Self::InvalidArguments => 9003,
            Self::ResourcesExceeded => 9004,
            Self::InvalidName => 9005,
            Self::InvalidType => 9006,
            Self::InvalidValue => 9007,
            Self::NotWritable => 9008,
            Self::NotificationRejected => 9009,
            Self::TransferFailed => 9010,
            Self::UploadFailed => 9011,
            Self::TransferServerAuthentication => 9012,
            Self::TransferProtocol => 9013,
            Self::TransferServerUnreachable => 9015,
            Self::TransferFileUnreachable => 9016,
            Self::TransferIncomplete => 9017,
            Self::TransferCorrupted => 9018,
            Self::TransferFileAuthentication => 9019,
            Self::TransferWindowMissed => 9020,
            Self::CancelRefused => 9021,
        }
    }

    /// The sentence of the standard's table.
    pub fn text(self) -> &'static str {
        match self {
            Self::MethodNotSupported => "Method not supported",
            Self::RequestDenied => "Request denied",
            Self::InternalError => "Internal error",
            Self::InvalidArguments => "Invalid arguments",
            Self::ResourcesExceeded => "Resources exceeded",
            Self::InvalidName => "Invalid parameter name",
            Self::InvalidType => "Invalid parameter type",
            Self::InvalidValue => "Invalid parameter value",
            Self::NotWritable => "Attempt to set a non-writable parameter",
            Self::NotificationRejected => "Notification request rejected",
            Self::TransferFailed => "File transfer failure",
            Self::UploadFailed => "Upload failure",
            Self::TransferServerAuthentication => "File transfer server authentication failure",
            Self::TransferProtocol => "Unsupported protocol for file transfer",
            Self::TransferServerUnreachable => {
                "File transfer failure: unable to contact file server"
            }
            Self::TransferFileUnreachable => "File transfer failure: unable to access file",
            Self::TransferIncomplete => "File transfer failure: unable to complete download",
            Self::TransferCorrupted => {
                "File transfer failure: file corrupted or otherwise unusable"
            }
            Self::TransferFileAuthentication => {
                "File transfer failure: file authentication failure"
            }
            Self::TransferWindowMissed => {
                "File transfer failure: unable to complete download within specified time windows"
            }
            Self::CancelRefused => {
                "Cancelation of file transfer not permitted in current transfer state"
            }
        }
    }

    /// The fault with the standard's sentence, and why in words of ours.
    pub fn because(self, why: &str) -> FaultStruct {
        let text = match why.is_empty() {
            true => self.text().to_owned(),
            false => format!("{}: {why}", self.text()),
        };
        FaultStruct {
            code: self.number(),
            text,
        }
    }

    /// A whole answer.
    pub fn fault(self, why: &str) -> Fault {
        Fault {
            party: self.party(),
            fault: self.because(why),
            parameters: Vec::new(),
        }
    }

    /// Annex A.5.1: whose fault each code is.
    fn party(self) -> Party {
        match self {
            Self::InternalError
            | Self::MethodNotSupported
            | Self::RequestDenied
            | Self::ResourcesExceeded
            | Self::NotificationRejected
            | Self::TransferFailed
            | Self::UploadFailed
            | Self::TransferServerAuthentication
            | Self::TransferProtocol
            | Self::TransferServerUnreachable
            | Self::TransferFileUnreachable
            | Self::TransferIncomplete
            | Self::TransferCorrupted
            | Self::TransferFileAuthentication
            | Self::TransferWindowMissed
            | Self::CancelRefused => Party::Server,
            Self::InvalidArguments
            | Self::InvalidName
            | Self::InvalidType
            | Self::InvalidValue
            | Self::NotWritable => Party::Client,
        }
    }

    /// What the tree's refusal of one parameter is.
    pub fn of(reason: &Reason) -> Self {
        match reason {
            Reason::NoAccess => Self::RequestDenied,
            Reason::NotWritable => Self::NotWritable,
            Reason::WrongType(_) => Self::InvalidType,
            Reason::WrongLength(_) | Reason::WrongValue(_) | Reason::Inconsistent(_) => {
                Self::InvalidValue
            }
            Reason::NoCreation | Reason::NoRow => Self::InvalidName,
            Reason::Unavailable(_) => Self::ResourcesExceeded,
        }
    }
}

/// SetParameterValues: always 9003, with everything that was wrong (A.3.2.1).
pub fn of_parameters(parameters: Vec<ParameterFault>) -> Fault {
    Fault {
        parameters,
        ..Code::InvalidArguments.fault("")
    }
}
