//! Real peers: other people's programs judge ours.
//!
//! Run by `.ci/run`, which installs them; `cargo test` alone leaves these out.
//! A peer that is missing fails its tests.

mod bench;
mod disk; // peer: a full disk (tmpfs)
mod howto; // peer: kamailio, chrony and net-snmp by the how-to
mod kamailio; // peer: kamailio
mod kill; // peer: SIGKILL, judged by the client's own record
mod ntp; // peer: chrony
mod page;
mod snmp; // peer: net-snmp
mod syslog; // peer: rsyslog
