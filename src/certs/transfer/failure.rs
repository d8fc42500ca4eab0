//! Why a file was not fetched or not installed: a sentence that names the
//! object to change.

use std::io;

use thiserror::Error;

use super::MAX_REDIRECTS;
use crate::certs::bundle::{BundleError, MAX_FILE};
use crate::certs::file_name::BadFileName;
use crate::certs::install::{BadDigest, UnknownService};
use crate::certs::url::UrlError;

/// Why a file was not fetched or not installed, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TransferFailure {
    /// The URL.
    #[error("{0}: change Cert.Transfer.Url")]
    Url(#[from] UrlError),
    /// The name of the file.
    #[error("{0}: change Cert.Transfer.FileName")]
    Name(#[from] BadFileName),
    /// A service.
    #[error("{0}: change Cert.Transfer.Associate")]
    Associate(#[from] UnknownService),
    /// The expected digest.
    #[error("{0}: change Cert.Transfer.ExpectedSha256")]
    Digest(#[from] BadDigest),
    /// No TLS.
    #[error(
        "a transfer by {0} is not protected: use https, or set Cert.UnsecureTransferActivate=activate, which holds for ten minutes"
    )]
    Clear(&'static str),
    /// The name has no address.
    #[error("{host} has no address: check Cert.Transfer.Url and Hoc.DnsServersInfo")]
    NoAddress {
        /// The name.
        host: String,
    },
    /// No connection.
    #[error("{peer} cannot be connected: {kind}: check Cert.Transfer.Url")]
    Unreachable {
        /// Host and port.
        peer: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// TLS did not come up; the sentence says what to change.
    #[error("{0}")]
    Tls(String),
    /// The connection ended, or what came is no HTTP.
    #[error("{host} did not answer as a web server does: check Cert.Transfer.Url")]
    NotHttp {
        /// Host and port.
        host: String,
    },
    /// An answer without a file.
    #[error("{host} answered {status}{}: check Cert.Transfer.Url", meaning(*.status))]
    Status {
        /// Host and port.
        host: String,
        /// The status code.
        status: u16,
    },
    /// A redirect to nowhere.
    #[error("the server redirects without saying where: check Cert.Transfer.Url")]
    NoLocation,
    /// Over [`MAX_REDIRECTS`].
    #[error("the server redirects more than {MAX_REDIRECTS} times: check Cert.Transfer.Url")]
    TooManyRedirects,
    /// From https to something else.
    #[error("the server redirects to {to}, which is not protected: check Cert.Transfer.Url")]
    RedirectOutOfTls {
        /// Where to.
        to: String,
    },
    /// Over [`MAX_FILE`].
    #[error("the file has more than {MAX_FILE} octets: check Cert.Transfer.Url")]
    TooLarge,
    /// The connection ended before the file did.
    #[error("the file was cut off: try again")]
    Cut,
    /// Nothing for too long.
    #[error("no answer in time: check Cert.Transfer.Url")]
    TimedOut,
    /// Another file than the one wanted.
    #[error("its SHA-256 is {found} and not {wanted}: check Cert.Transfer.ExpectedSha256")]
    OtherDigest {
        /// The digest it has.
        found: String,
        /// The digest it should have.
        wanted: String,
    },
    /// A file on this machine.
    #[error("{path} cannot be read: {kind}: check Cert.Transfer.Url")]
    File {
        /// Its path.
        path: String,
        /// What the system says.
        kind: io::ErrorKind,
    },
    /// What is in the file.
    #[error("{0}")]
    Content(#[from] BundleError),
}

fn meaning(status: u16) -> &'static str {
    match status {
        401 | 407 => ", it wants credentials, which are not sent",
        403 => ", it does not give the file out",
        404 | 410 => ", it has no such file",
        429 | 503 => ", it is too busy",
        500..=599 => ", it failed",
        _ => "",
    }
}
