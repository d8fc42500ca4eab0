//! Certificates: fetched from real servers on the loopback, swapped under links.

mod device;
mod pki;
mod server;
mod swap;
mod transfers;
