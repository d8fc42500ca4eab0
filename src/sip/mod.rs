//! SIP: messages, transactions, registration, calls, and the links that carry them.

pub mod auth;
pub mod dialog;
pub mod event;
pub mod hostport;
pub mod io;
pub mod link;
pub mod message;
pub mod plan;
pub mod register;
pub mod resolve;
pub mod rng;
pub mod serve;
pub mod session;
pub mod settings;
pub mod stack;
pub mod status;
pub mod timer;
pub mod transaction;
pub mod transport;

pub use event::{Input, Output};
pub use stack::Stack;
