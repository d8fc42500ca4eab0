//! Certificates, trust anchors and the TLS configurations made of them.
//!
//! A file is read by `bundle` into inspected `certificate`s. The `engine` keeps
//! the device's [`Keyring`] as the tree has it, fetches what it is told to and
//! warns of what ends; only `io` waits. `client` and `server` make TLS
//! configurations that look into the keyring at each handshake. Peers are
//! checked by the `ladder`; what went wrong is a sentence of `reason`.

mod anchors;
mod bundle;
mod certificate;
mod client;
mod date;
mod der;
mod engine;
mod expiry;
mod failure;
mod file_name;
mod guards;
#[cfg(test)]
mod handshakes;
mod identity;
mod install;
pub mod io;
mod keeper;
mod keyring;
mod ladder;
mod ledger;
mod ocsp;
mod operations;
mod pem;
mod policy;
mod reason;
mod resolver;
mod server;
mod service;
pub mod settings;
mod signature;
mod status;
#[cfg(test)]
mod testing;
mod time;
mod trail;
mod transfer;
mod url;
mod usage;
mod verifier;
mod window;
mod witness;
mod work;

pub use anchors::Anchors;
pub use bundle::{
    BundleError, HostBundle, MAX_CERTIFICATES, MAX_FILE, MIN_RSA_BITS, OthersBundle, pem_of_pkcs12,
};
pub use certificate::{AlternativeName, Certificate, EXPIRING_SOON, KeyKind, Name, State};
pub use client::Attempt;
pub use engine::{Engine, Input, Output};
pub use failure::VerifyFailure;
pub use file_name::{BadFileName, FileName};
pub use guards::{MAX_FILES, MAX_TRANSFERS, guards};
pub use identity::{Host, Identity, NotAHost};
pub use install::{
    BadAnchor, BadAnchorReason, BadDigest, Place, Store, UnknownService, install_anchors,
};
pub use keeper::{Listed, Unusable};
pub use keyring::{HostCertificate, Keyring, NoHostCertificate};
pub use ladder::{Check, ExpectedServer, Level, MAX_PRESENTED, Refused};
pub use ledger::Progress;
pub use ocsp::{
    BadAnswer, BadResponder, Cause, Doubt, Responder, Standing, TrustLevel, Verdict, stapled,
};
pub use operations::ALL as OPERATIONS;
pub use policy::TlsPolicy;
pub use reason::{Link, LinkFailure};
pub use server::{ClientAuth, server_config};
pub use service::{Service, Services};
pub use settings::{FileSetting, Settings, TransferTls};
pub use status::Status;
pub use time::{AskTime, Now, TlsClock, TlsTime};
pub use trail::{Step, Trail};
pub use transfer::{Clear, MAX_REDIRECTS, Order, TransferFailure, Wish};
pub use url::{Source, Unit, Url, UrlError};
pub use usage::{Purpose, Usage};
pub use window::UNSECURE;
pub use work::{Job, MAX_JOBS};
