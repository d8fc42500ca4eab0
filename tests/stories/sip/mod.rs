//! The SIP stack on a simulated network: every run is instant and repeats exactly.

mod changes;
mod corners;
mod hostile;
mod links;
mod news;
mod registering;
mod registrar;
mod world;
