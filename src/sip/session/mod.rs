//! Calls as SIP sees them: the INVITE usage of dialogs (RFC 3261 §13 to §15).

mod manner;
pub mod seam;

pub use manner::{Manner, Refresh, Reliability};
pub use seam::{
    Body, CARRIED, Caller, Carried, Description, Ending, Event, Fork, Incoming, Invite, LegId,
    Order, Reason, Refusal, Replaced, Target,
};
