//! What a manager touches: each face a pure core and an io.rs.

pub mod cwmp;
pub mod local;
pub mod script;
pub mod snmp;
pub mod syslog;
