//! The media engine: the streams of one thread, as a pure core.
//!
//! [`Engine::order`] takes what calls want, [`Engine::receive`] a datagram,
//! [`Engine::tick`] the time. What is to be sent stands in [`Engine::outbox`],
//! what else is to be done comes out of [`Engine::poll`]. It opens no socket
//! and asks no time; a packet that is relayed allocates nothing.

mod inbound;
mod keypad;
mod line;
mod numbering;
mod outbound;
mod outbox;
mod path;
mod payloads;
mod protection;
mod reports;
mod stream;
mod streams;
mod upkeep;

pub use outbox::{At, Leaving, Outbox, Port};
pub use streams::{Engine, MAX_STREAMS, Moving, Output};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
