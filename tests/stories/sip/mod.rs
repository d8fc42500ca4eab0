//! The SIP stack on a simulated network: every run is instant and repeats exactly.

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
mod restart;
mod secure;
mod way_back;
mod world;
