//! Bytes to meaning and back: no state, no clock, no socket.

pub mod address_of_record;
pub mod ber;
pub mod credential;
pub mod dhcp;
pub mod digest;
pub mod hmac;
pub mod host_port;
pub mod lightweight;
pub mod rtp;
pub mod sdp;
pub mod sntp;
pub mod soap;
pub mod stun;
pub mod syslog;
pub mod time;
pub mod udp_request;
pub mod udptl;
