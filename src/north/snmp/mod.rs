//! The SNMP agent: SNMPv1, v2c and v3 with USM, in front of the tree.
//!
//! A datagram goes down this list and its answer comes back up: [`message`]
//! opens the envelope, [`community`] or [`usm`] says who is asking, [`pdu`]
//! reads what for, [`agent`] answers what only reads and [`set`] keeps what the
//! tree decides later, [`status`] puts refusals into SNMP's words, [`encode`]
//! and [`reply`] write. [`engine`] leads through it; only [`io`] knows sockets and time.

pub mod access;
pub mod agent;
pub mod bound;
pub mod community;
pub mod counters;
pub mod encode;
pub mod engine;
pub mod guard;
pub mod identity;
pub mod io;
pub mod message;
pub mod pdu;
pub mod refused;
pub mod reply;
pub mod response;
pub mod set;
pub mod settings;
pub mod status;
#[cfg(test)]
mod testing;
pub mod user;
pub mod usm;
