//! The SIP stack on a simulated network: every run is instant and repeats exactly.

mod calls;
mod changes;
mod clear;
mod corners;
mod hostile;
mod ipv6;
mod links;
mod live;
mod names;
mod news;
mod ports;
mod registering;
mod registrar;
pub(crate) mod restart;
mod secure;
pub(crate) mod told;
mod waiting;
mod way_back;
mod world;
