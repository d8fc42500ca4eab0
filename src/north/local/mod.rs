//! The command line's door: requests as lines of JSON over a Unix socket.
//!
//! Whoever can open the socket owns the device, so there is no login here.
//! [`Desk`] is the pure part: a request and the tree in, answers or what to
//! wait for out. `io` holds the listener, `client` the other end.

mod answer;
pub mod client;
mod desk;
pub mod io;
mod log;
pub mod place;
mod reading;
mod request;

pub use answer::{Answer, ArgumentHelp, Cell, LogLine, OperationHelp, Refused, ScriptReport};
pub use desk::{Desk, Next, committed, invoked};
pub use log::Follow;
pub use reading::Reading;
pub use request::{REQUEST_LIMIT, Request, Wish};
