//! Whom the operator says to ask for which authority.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::certs::certificate::Certificate;
use crate::certs::identity::Host;
use crate::certs::url::{Source, Url, UrlError};

/// The installed authorities by their fingerprints.
#[derive(Clone, Debug, Default)]
pub(in crate::certs) struct Responders(BTreeMap<[u8; 32], Authority>);

/// An installed authority.
#[derive(Clone, Debug)]
pub(in crate::certs) struct Authority {
    /// The file that it is in.
    pub(in crate::certs) file: String,
    /// Whom to ask for what it issued, whatever that says itself.
    pub(in crate::certs) responder: Option<Responder>,
}

impl Responders {
    /// Adds what is in a file; where it is in two, the first counts.
    pub(in crate::certs) fn add(
        &mut self,
        file: &str,
        responder: Option<&Responder>,
        certificates: &[Certificate],
    ) {
        for certificate in certificates {
            let authority = self.0.entry(certificate.fingerprint);
            authority.or_insert_with(|| Authority {
                file: file.to_owned(),
                responder: responder.cloned(),
            });
        }
    }

    pub(super) fn of(&self, anchor: &Certificate) -> Option<&Authority> {
        self.0.get(&anchor.fingerprint)
    }
}

/// A server to be asked over plain HTTP: its answers are signed (RFC 6960 appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Responder {
    url: Url,
    /// Its name or address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

impl Responder {
    /// Reads an http URL.
    ///
    /// # Errors
    /// [`BadResponder`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadResponder> {
        let url = Url::parse(text)?;
        match url.source.clone() {
            Source::Http(host, port) => Ok(Self { url, host, port }),
            Source::Https(..) | Source::File => Err(BadResponder::NotHttp),
        }
    }

    /// What a request line names.
    #[must_use]
    pub fn target(&self) -> String {
        self.url.target()
    }

    /// Its host and port as a Host header names them.
    #[must_use]
    pub fn authority(&self) -> String {
        self.url.authority()
    }
}

/// Why a text names no responder.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BadResponder {
    /// No URL.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// Another scheme.
    #[error("an OCSP responder is asked over http: its answers are signed")]
    NotHttp,
}
