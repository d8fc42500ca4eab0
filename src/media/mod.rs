//! Media: what a call's packets go through between two sockets, and the audio in them.
//!
//! For calls, which say what was negotiated. Pure: packets and settings come
//! in, packets and facts go out; it never opens a socket nor asks the time.

pub mod codec;
pub mod dtmf;
pub mod engine;
pub mod figures;
pub mod io;
pub mod jitter;
pub mod keys;
pub mod negotiation;
pub mod seam;
pub mod srtp;
pub mod statistics;
pub mod tone;
pub mod wav;
