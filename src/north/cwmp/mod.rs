//! TR-069: the client of an auto-configuration server.

pub mod added;
pub mod binding;
pub mod client;
mod cookies;
pub mod doorman;
pub mod event;
pub mod exchange;
pub mod fault;
pub mod io;
mod ladder;
pub mod letterbox;
mod lockout;
pub mod model;
pub mod notify;
pub mod periodic;
mod proof;
pub mod retry;
mod rpc;
pub mod session;
pub mod settings;
pub mod status;
pub mod transfers;

pub use lockout::reaches_acs;
