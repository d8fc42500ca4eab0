//! Bytes to meaning and back: no state, no clock, no socket.

pub mod address_of_record;
pub mod ber;
pub mod credential;
pub mod digest;
pub mod host_port;
pub mod lightweight;
pub mod sntp;
pub mod soap;
pub mod syslog;
pub mod time;
