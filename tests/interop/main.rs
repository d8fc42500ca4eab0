//! Real peers: other people's programs judge ours.
//!
//! Run by `.ci/run`, which installs them; `cargo test` alone leaves these out.
//! A peer that is missing fails its tests.

mod bench;
mod disk; // peer: a full disk (tmpfs)
mod kamailio; // peer: kamailio
mod kill; // peer: SIGKILL, judged by the client's own record
mod ntp; // peer: chrony
mod ocsp; // peer: openssl ocsp and s_server
mod snmp; // peer: net-snmp
mod syslog; // peer: rsyslog
