//! Demarc: the software of a carrier-managed voice gateway.
//!
//! Everything a device is told lives in one MIB-shaped tree; SNMP, scripts and
//! the command line are faces of that tree, and the engines subscribe to it.
//!
//! Layers, from the ground up; a layer imports only what stands above it here
//! (`tests/layers.rs` reads the source and fails on anything else):
//!
//! | layer | what it is |
//! |---|---|
//! | [`schema`] | objects by name and by OID, made from `mib/` by `build.rs` |
//! | [`wire`] | bytes to meaning and back: no state, no clock |
//! | [`tree`] | the device's whole configuration, and who is told when it changes |
//! | [`certs`] | certificates, trust anchors and TLS configurations |
//! | [`clock`], [`sip`], [`media`] | the engines: pure cores behind an `io.rs` each |
//! | [`mod@line`] | endpoints: the soft telephone line |
//! | [`call`] | the switch: where a call goes |
//! | [`north`] | what a manager touches; each face a pure core and an `io.rs` |
//! | [`device`] | a Device is a value: open the tree, build the parts, run, stop |
//! | [`cli`] | the `demarc` command: starts a device, or talks to one |

pub mod call;
pub mod certs;
pub mod cli;
pub mod clock;
pub mod device;
pub mod line;
pub mod media;
pub mod north;
pub mod schema;
pub mod sip;
pub mod tree;
pub mod wire;
