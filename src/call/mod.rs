//! The switch: where a call goes, and what its media are told.
//!
//! [`route`] says by which trunks and lines a call is tried, with which
//! numbers; [`cause`] says whether another is tried after a refusal;
//! [`terms`] says of what was agreed what a stream does. Pure: no socket, no clock.

pub mod cause;
pub mod route;
pub mod terms;
