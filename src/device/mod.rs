//! A Device is a value: open the tree, build the parts, wire them, run, stop.
//!
//! Nothing of a device is global, so that one process runs as many as its
//! memory holds, on one [`Store`](crate::tree::Store).

mod alarms;
mod clock;
mod confirm;
mod cwmp;
mod endpoints;
mod engine;
mod factory;
mod files;
mod identity;
mod interfaces;
mod led;
mod log;
mod names;
mod operations;
mod parts;
mod run;
mod services;
mod settled;
mod sip;
mod snmp;
mod snmpex;
mod store;
mod system;
mod users;

pub use engine::EngineState;
pub use identity::Identity;
pub use parts::{Device, DeviceOptions};
pub use run::End;
pub use settled::claims;
pub use users::is_password;

use crate::north::script::Complaint;
use crate::tree::{OpenError, Refusal, SealError, StoreError};
use std::path::{Path, PathBuf};

/// Why a device cannot start, or cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// A file or folder of the data folder.
    #[error("{}: {why}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// What the operating system said.
        why: std::io::Error,
    },
    /// identity.toml or engine.toml does not say what it should.
    #[error("{}: {why}", path.display())]
    Identity {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The operating system gives no random octets.
    #[error("the operating system gives no random numbers")]
    NoRandomness,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The device's key.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The tree.
    #[error(transparent)]
    Tree(#[from] OpenError),
    /// The profile or the start-up settings were refused; a line for each reason.
    #[error("{what} was refused:\n{}", lines(reasons))]
    Refused {
        /// What.
        what: String,
        /// Why.
        reasons: Vec<Refusal>,
    },
    /// The command line's socket.
    #[error("{0}")]
    Socket(String),
    /// The start-up settings were refused.
    #[error("the start-up settings were refused")]
    StartUp(Vec<Complaint>),
    /// The profile has faults; a line for each.
    #[error("{0}:\n{1}")]
    Script(String, String),
}

impl DeviceError {
    pub(crate) fn identity(path: &Path, why: impl Into<String>) -> Self {
        Self::Identity {
            path: path.to_owned(),
            why: why.into(),
        }
    }

    pub(crate) fn io(path: &Path, error: &std::io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            why: std::io::Error::new(error.kind(), error.to_string()),
        }
    }
}

fn lines(refusals: &[Refusal]) -> String {
    let lines: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    lines.join("\n")
}
