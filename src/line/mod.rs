//! Endpoints as soft telephone lines.
//!
//! A [`Line`] is a telephone without a handset: an operator orders, a call
//! tells how it goes, and the line says what it wants of the call and what is
//! heard at it. Pure: it knows neither SIP nor packets, and `now` is an argument.

pub mod admin;
pub mod dialling;
pub mod digit_map;
mod machine;
mod seam;

pub use machine::Line;
pub use seam::{
    Allowance, Declined, Hold, Input, Misfit, Order, Output, Settings, Shown, Sound, State, Told,
    Wish,
};
