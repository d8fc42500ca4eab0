//! The SNTP client, and whether the time is known.
//!
//! Demarc keeps its own time: an offset to the monotonic clock, replaced at
//! each answer of a server, or the system clock where that is trusted. The
//! system clock is never set. [`Client`] is the pure core, [`Time`] what the
//! rest of the device reads, and only `io` waits.

mod client;
pub mod io;
mod keeper;
mod limits;
mod rounds;
pub mod settings;
pub mod status;
#[cfg(test)]
mod testing;
mod time;

pub use client::{Client, Input, Output};
pub use keeper::Start;
pub use time::{Reading, Source, Time};
