//! Digest authentication for SIP and HTTP (RFC 7616, RFC 2617, RFC 8760).
//!
//! Reads challenges, answers them as a client, reads credentials and checks
//! them as a server. It keeps nothing: nonces, their counts and client nonces
//! belong to the caller. Text between quotes is hashed and echoed as it stands
//! there, escapes included (RFC 7616 §3.4: `unq`).

mod algorithm;
mod challenge;
mod credentials;
mod grammar;
mod qop;

use thiserror::Error;

pub use algorithm::Algorithm;
pub use challenge::Challenge;
pub use credentials::Credentials;
pub use qop::Qop;

/// What proves that one knows the password.
#[derive(Clone, Copy)]
pub enum Secret<'a> {
    /// The password itself.
    Password(&'a str),
    /// Hash of `user:realm:password` in hexadecimal, in the challenge's algorithm.
    Ha1(&'a str),
}

/// The request that credentials are for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its Request-URI, octet for octet.
    pub uri: &'a str,
    /// Its body; counts for [`Qop::AuthInt`] only.
    pub body: &'a [u8],
}

/// Why no response could be computed or read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DigestError {
    /// The library of this machine does not offer the hash.
    #[error("the digest algorithm {0} is not available")]
    Unavailable(Algorithm),
    /// Not of the scheme Digest.
    #[error("the credentials are not of the digest scheme")]
    Scheme,
    /// A parameter is missing.
    #[error("the parameter {0} is missing")]
    Missing(&'static str),
    /// A parameter cannot be read.
    #[error("the parameter {0} is malformed")]
    Malformed(&'static str),
}
