//! Media: what a call's packets go through between two sockets.
//!
//! For calls, which say what was negotiated. Pure: packets and settings come
//! in, packets and facts go out; it never opens a socket nor asks the time.

pub mod keys;
pub mod negotiation;
pub mod srtp;
