//! Certificates: fetched from real servers on the loopback, swapped under links.

mod device;
pub(crate) mod files;
pub(crate) mod pki;
pub(crate) mod server;
mod swap;
pub(crate) mod transfers;
