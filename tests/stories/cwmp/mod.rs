//! The TR-069 client on a simulated wire, against an ACS that plays a part.

mod bad_input;
mod binding;
mod device_files;
pub(crate) mod heartbeat;
pub(crate) mod inform_parameters;
pub(crate) mod lightweight;
mod limits;
mod notifications;
mod rows;
pub(crate) mod sessions;
mod standard;
pub(crate) mod transfers;
pub(crate) mod world;
