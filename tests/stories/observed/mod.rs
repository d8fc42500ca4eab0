//! No dead settings: for each object that can be written, the test that
//! observes what it changes.

mod clock;
mod log;
mod network;
mod snmp;
mod tls;
