//! The SIP stack on a simulated network: every run is instant and repeats exactly.

mod changes;
mod hostile;
mod links;
mod names;
mod registering;
mod registrar;
mod world;
