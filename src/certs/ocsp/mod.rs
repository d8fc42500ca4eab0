//! Whether a certificate was revoked, as its authority says now (RFC 6960).
//!
//! An [`Inquiry`] begins where the ladder has found a chain: it looks at what
//! the server stapled and at what is remembered, else it has a question for a
//! responder. What comes back is believed only if the authority or its
//! delegate signed it and it is of now. Nothing waits here: `io` asks.

mod cache;
mod doubt;
mod inquiry;
mod request;
mod responders;
mod response;
mod single;
#[cfg(test)]
mod testing;
mod trust;
mod verdict;

pub(super) use cache::Cache;
pub use doubt::Doubt;
pub(super) use inquiry::{Inquiry, Next, Question};
pub(super) use request::NONCE_LENGTH;
pub(super) use responders::Responders;
pub use responders::{BadResponder, Responder};
pub(super) use response::MAX_RESPONSE;
pub use response::{BadAnswer, stapled};
pub use trust::{Standing, TrustLevel};
pub use verdict::{Cause, Verdict};
