//! The switch: where a call goes.
//!
//! [`route`] says by which trunks and lines a call is tried, with which
//! numbers; [`cause`] says whether another is tried after a refusal. Pure:
//! settings and a call's properties in, a plan out.

pub mod cause;
pub mod route;
