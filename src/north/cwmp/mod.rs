//! TR-069: the client of an auto-configuration server.

pub mod event;
pub mod fault;
pub mod model;
pub mod periodic;
pub mod retry;
pub mod session;
pub mod settings;
