//! The log of a device: what its engines say, for those who want to know.
//!
//! Notices come in, are filtered by each service's `minSeverity`, kept in the
//! local log, and sent to a syslog receiver. [`Log`] is the pure core; `io`
//! holds the handle that engines are given, and the socket.

pub mod io;
mod log;
mod ring;
mod sender;
pub mod settings;
pub mod status;

pub use log::{Input, Log, Output};
pub use ring::Entry;
