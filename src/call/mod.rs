//! The switch: where a call goes, and what is told of it there.
//!
//! [`route`] says by which trunks and lines a call is tried and with which
//! numbers, [`cause`] whether another is tried after a refusal, [`identity`]
//! who is said to call, [`terms`] what a stream does. Pure: no socket, no clock.

pub mod cause;
pub mod identity;
pub mod route;
pub mod terms;
