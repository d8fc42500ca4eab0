//! One file over the network, or from this machine.
//!
//! Drives a [`Fetch`]: a connection for each address until one answers, TLS
//! by the keyring, one request a connection. All of it is bounded in time.

use std::error::Error;
use std::io::{self, Read};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

use super::Lookup;
use super::connect::{Unconnected, connect};
use super::stream::Stream;
use crate::certs::bundle::MAX_FILE;
use crate::certs::client::Attempt;
use crate::certs::identity::{Host, Identity};
use crate::certs::keyring::Keyring;
use crate::certs::ladder::{ExpectedServer, Level};
use crate::certs::policy::TlsPolicy;
use crate::certs::service::Service;
use crate::certs::transfer::{Fetch, Next, Order, TransferFailure};
use crate::certs::url::Source;

/// Fetches what is ordered.
///
/// # Errors
/// [`TransferFailure`] says why there is no file, and what to change.
pub async fn fetch(
    order: Order,
    keyring: &Arc<Keyring>,
    lookup: &Lookup,
) -> Result<Zeroizing<Vec<u8>>, TransferFailure> {
    let fetch = Fetch::new(order);
    let fetched = timeout(WHOLE, drive(fetch, keyring, lookup)).await;
    fetched.map_err(|_| TransferFailure::TimedOut)?
}

async fn drive(
    mut fetch: Fetch,
    keyring: &Arc<Keyring>,
    lookup: &Lookup,
) -> Result<Zeroizing<Vec<u8>>, TransferFailure> {
    loop {
        let next = match fetch.url().source.clone() {
            Source::File => local(&mut fetch).await?,
            Source::Http(host, port) => {
                let connection = connect(&host, port, lookup, CONNECT).await?;
                ask(&mut fetch, connection, None).await?
            }
            Source::Https(host, port) => {
                let attempt = attempt(host.clone(), keyring)?;
                let connection = connect(&host, port, lookup, CONNECT).await?;
                let connector = TlsConnector::from(attempt.config());
                let secured = connector.connect(attempt.server_name(), connection);
                let secured = timeout(CONNECT, secured)
                    .await
                    .map_err(|_| TransferFailure::TimedOut)?
                    .map_err(|error| TransferFailure::Tls(attempt.explain(&error).1))?;
                ask(&mut fetch, secured, Some(&attempt)).await?
            }
        };
        match next {
            Next::Again => {}
            Next::Body => return fetch.finish(),
        }
    }
}

/// A server must be the one that the URL names (RFC 9110 §4.3.4).
fn attempt(host: Host, keyring: &Arc<Keyring>) -> Result<Attempt, TransferFailure> {
    let expected = ExpectedServer {
        level: Level::HostName,
        identity: Identity::Https(host),
        srv_target: None,
    };
    Attempt::new(keyring, Service::Cert, TlsPolicy::default(), expected)
        .map_err(|error| TransferFailure::Tls(error.to_string()))
}

impl From<Unconnected> for TransferFailure {
    fn from(why: Unconnected) -> Self {
        match why {
            Unconnected::NoAddress { host } => Self::NoAddress { host },
            Unconnected::Unreachable { peer, kind } => Self::Unreachable { peer, kind },
        }
    }
}

/// One request and its answer; the connection is driven beside it.
async fn ask<T: AsyncRead + AsyncWrite + Unpin>(
    fetch: &mut Fetch,
    connection: T,
    attempt: Option<&Attempt>,
) -> Result<Next, TransferFailure> {
    let host = fetch.url().authority();
    let request = Request::get(fetch.url().target())
        .header(header::HOST, &host)
        .header(header::CONNECTION, "close")
        .header(header::USER_AGENT, "Demarc")
        .body(Empty::<Bytes>::new())
        .map_err(|_| TransferFailure::NotHttp { host: host.clone() })?;
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .handshake(Stream(connection))
        .await
        .map_err(|error| explain(&error, attempt, &host))?;
    let exchange = async {
        let response = sender.send_request(request).await;
        let response = response.map_err(|error| explain(&error, attempt, &host))?;
        answer(fetch, response).await
    };
    let (mut exchange, mut connection) = (pin!(exchange), pin!(connection));
    tokio::select! {
        biased;
        next = &mut exchange => next,
        // The last octets may still be on their way to the exchange.
        _ = &mut connection => exchange.await,
    }
}

async fn answer(fetch: &mut Fetch, response: Response<Incoming>) -> Result<Next, TransferFailure> {
    let location = response.headers().get(header::LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    let length = response.body().size_hint().exact();
    let next = fetch.answered(response.status().as_u16(), location, length)?;
    if next == Next::Again {
        return Ok(next);
    }
    let mut body = response.into_body();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| TransferFailure::Cut)?;
        if let Some(octets) = frame.data_ref() {
            fetch.received(octets)?;
        }
    }
    Ok(next)
}

/// With TLS 1.3 a server may refuse the client after the client's handshake is done.
fn explain(error: &hyper::Error, attempt: Option<&Attempt>, host: &str) -> TransferFailure {
    match (of_tls(error), attempt) {
        (Some(below), Some(attempt)) => TransferFailure::Tls(attempt.explain(below).1),
        _ => TransferFailure::NotHttp {
            host: host.to_owned(),
        },
    }
}

/// What TLS said, where an exchange failed for that.
pub(crate) fn of_tls(error: &hyper::Error) -> Option<&io::Error> {
    let below: &io::Error = error.source()?.downcast_ref()?;
    let inner = below.get_ref()?;
    inner.is::<rustls::Error>().then_some(below)
}

async fn local(fetch: &mut Fetch) -> Result<Next, TransferFailure> {
    let path = fetch.url().local_path().unwrap_or_default();
    let reading = path.clone();
    let read = spawn_blocking(move || read_file(&reading)).await;
    let read = read.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    let octets = read.map_err(|error| TransferFailure::File {
        path,
        kind: error.kind(),
    })?;
    fetch.received(&octets)?;
    Ok(Next::Body)
}

/// A device or a pipe could be read for ever: only files are.
fn read_file(path: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut octets = Zeroizing::new(Vec::new());
    let most = MAX_FILE as u64 + 1;
    std::fs::File::open(path)?
        .take(most)
        .read_to_end(&mut octets)?;
    Ok(octets)
}

/// For a whole transfer.
const WHOLE: Duration = Duration::from_secs(60);
/// For a connection to one address, and for its TLS handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// Octets of an answer's head.
const MAX_HEAD: usize = 16 * 1024;
/// Header fields of an answer.
const MAX_HEADERS: usize = 64;
