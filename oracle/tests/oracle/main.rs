//! Our codecs beside other people's, one module a format.
//!
//! What both read must mean the same, and what one writes the other reads.
//! Where they differ the difference is listed with the paragraph that decides,
//! and the list is checked: an entry on which they agree again fails.

mod cwmp;
mod index;
mod mikey;
mod object_identifier;
mod sip;
mod snmp;
mod srtp;
mod syslog;
