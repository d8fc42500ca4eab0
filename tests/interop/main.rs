//! Real peers: other people's programs judge ours.
//!
//! Run by `.ci/run`, which installs them; `cargo test` alone leaves these out.
//! A peer that is missing fails its tests.

mod acs; // peer: an ACS (own XML), judged by the schemas of the Broadband Forum
mod acsrs; // peer: acsrs
mod audio; // peer: ffmpeg's codecs
mod bad_acs; // peer: an ACS that keeps the device busy (own sockets)
mod bench;
mod certificates; // peer: kamailio with certificates on both sides
mod crash; // peer: SIGKILL, judged by the record of an ACS (own)
mod dhcp; // peer: dnsmasq with dhclient and udhcpc
mod disk; // peer: a full disk (tmpfs)
mod dns; // peer: bind9
mod hostile; // peer: a hostile registrar (openssl, own SIP)
mod howto; // peer: kamailio, chrony and net-snmp by the how-to
mod ipv6; // peer: kamailio and net-snmp over IPv6
mod kamailio; // peer: kamailio
mod kill; // peer: SIGKILL, judged by the client's own record
mod listener; // peer: openssl
mod ntp; // peer: chrony
mod ocsp; // peer: openssl ocsp and s_server
mod offer; // peer: tshark
mod page;
mod replay; // peer: recorded sessions of GenieACS
mod snmp; // peer: net-snmp
mod stun; // peer: coturn, also behind a gateway
mod syslog; // peer: rsyslog
mod transfers; // peer: an ACS and a file server (own), certificates by openssl
mod tshark; // peer: tshark
mod zero_touch; // peer: kamailio, and an ACS and a file server (own)
