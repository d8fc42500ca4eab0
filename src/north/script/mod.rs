//! Scripts: how a person writes a transaction.
//!
//! For the faces that take text and for the device's start. Reading says
//! everything that is wrong at once; [`Run`] says what to commit and what to
//! invoke, and hears how it went; [`export()`] writes the script that makes
//! the same device again. Nothing here waits or touches a file.

mod diff;
mod export;
mod fault;
mod line;
mod run;
mod text;

pub use diff::{Difference, diff};
pub use export::export;
pub use fault::{Complaint, Fault, Place, Problem};
pub use line::{Call, assignment, operation};
pub use run::{Report, Run, Step, operation_word};
pub use text::{Act, Entry, LINE_LIMIT, LINES_LIMIT, Mode, SCRIPT_LIMIT, Script};
