//! Whole TLS handshakes, in memory, between the two sides that are built here.

mod bench;
mod hosts;
mod peers;
mod server;
