//! Files that the ACS has fetched or sent (TR-069 A.3.2.8, A.4.1.5, A.4.1.8).
//!
//! The `queue` decides which transfer runs when and what becomes of it; each
//! is a row of the tree until the ACS has heard how it ended. `exchange` is
//! the HTTP side of one, `image` what a firmware file must be. Sockets and
//! files are elsewhere.

mod autonomous;
mod check;
mod config_file;
mod exchange;
mod failure;
mod held;
mod image;
mod kind;
mod news;
mod queue;
mod record;
mod request;
mod unpack;
mod window;

pub use autonomous::Policy;
pub use check::Sums;
pub use exchange::{FileExchange, Head, Next, Verb};
pub use failure::Failure;
pub use image::Image;
pub use kind::Kind;
pub use queue::{Heard, Transfers, Wanted};
pub use record::Transfer;
pub use request::Request;
pub use window::{Mode, Window};

pub(super) use unpack::Terms;
