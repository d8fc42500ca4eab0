//! Why it is not known whether a certificate was revoked.

use std::io;

use thiserror::Error;

use super::response::BadAnswer;

/// Why it is not known whether a certificate was revoked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Doubt {
    /// It is trusted by itself, so that nobody can be asked.
    #[error("it is installed itself, without the authority that issued it")]
    NoAuthority,
    /// Neither the certificate nor the operator names a responder.
    #[error("it names no OCSP responder")]
    NoResponder,
    /// A responder that cannot be asked.
    #[error("its OCSP responder is no http URL")]
    BadResponder,
    /// An answer could not be judged.
    #[error("the time is not known")]
    NoTime,
    /// No connection or no answer.
    #[error("the OCSP responder {host} has no address")]
    NoAddress {
        /// Its name.
        host: String,
    },
    /// No connection.
    #[error("the OCSP responder {peer} cannot be connected: {kind}")]
    Unreachable {
        /// Host and port.
        peer: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// Nothing for too long.
    #[error("the OCSP responder {host} does not answer in time")]
    TimedOut {
        /// Host and port.
        host: String,
    },
    /// Something else than an answer.
    #[error("{host} does not answer as an OCSP responder does")]
    NotHttp {
        /// Host and port.
        host: String,
    },
    /// An answer without OCSP in it.
    #[error("the OCSP responder {host} answers HTTP {status}")]
    Status {
        /// Host and port.
        host: String,
        /// The status code.
        status: u16,
    },
    /// An answer that is not believed.
    #[error("the OCSP responder {host}: {why}")]
    Answer {
        /// Host and port.
        host: String,
        /// What is wrong with it.
        why: BadAnswer,
    },
    /// The responder does not know.
    #[error("its authority does not know the certificate")]
    Unknown,
    /// The library failed.
    #[error("the question could not be made")]
    NotAsked,
}
