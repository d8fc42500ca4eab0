//! One connection to the ACS, in the clear or over TLS.
//!
//! A session keeps to it: servers bind their challenges and sessions to the
//! connection. It carries one exchange after the other and says, where one
//! fails, whether anything of an answer had come.

use super::super::client::{Trouble, TroubleKind};
use super::Around;
use super::body::{Content, Octets};
use crate::certs::io::{Stream, Unconnected, connect_from, of_tls};
use crate::certs::{
    Attempt, ExpectedServer, Host, Identity, Level, Service, Source, TlsPolicy, Url,
};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Request, Response};
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// A connection that stands, or stood when it was last used.
pub(super) struct Connection {
    sender: SendRequest<Octets>,
    /// Whether anything has come since the last request.
    heard: Arc<AtomicBool>,
    attempt: Option<Attempt>,
    /// Carries the octets; it ends with this.
    _carrier: JoinSet<()>,
}

/// Why an exchange came to nothing.
pub(super) enum Cut {
    /// The connection ended before anything of an answer came.
    Before,
    /// It failed for this.
    Failed(Trouble),
}

/// The fields of a request beside those that every one has.
pub(super) struct Fields {
    /// Cookie
    pub(super) cookie: Option<String>,
    /// Authorization
    pub(super) authorization: Option<String>,
}

impl Connection {
    /// Connects to the server of a URL.
    pub(super) async fn open(
        url: &Url,
        level: Level,
        from: Option<IpAddr>,
        around: &Around,
    ) -> Result<Self, Trouble> {
        let (host, port, attempt) = match &url.source {
            Source::Http(host, port) => (host, *port, None),
            Source::Https(host, port) => (host, *port, Some(attempt(host.clone(), level, around)?)),
            Source::File => {
                return Err(other("the URL of the ACS is a file: see Cwmp.AcsStaticUrl"));
            }
        };
        let stream = connect_from(from, host, port, &around.lookup, CONNECT).await;
        let stream = stream.map_err(unconnected)?;
        // A question waits for its answer: nothing is gained by collecting octets.
        let _ = stream.set_nodelay(true);
        let heard = Arc::new(AtomicBool::new(false));
        let Some(attempt) = attempt else {
            return Self::over(stream, heard, None).await;
        };
        let connector = TlsConnector::from(attempt.config());
        let secured = connector.connect(attempt.server_name(), stream);
        let secured = timeout(CONNECT, secured)
            .await
            .map_err(|_| silent("the ACS does not finish the TLS handshake"))?
            .map_err(|error| other(attempt.explain(&error).1))?;
        Self::over(secured, heard, Some(attempt)).await
    }

    async fn over<T>(
        stream: T,
        heard: Arc<AtomicBool>,
        attempt: Option<Attempt>,
    ) -> Result<Self, Trouble>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let watched = Watched {
            stream,
            heard: heard.clone(),
        };
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(Stream(watched))
            .await
            .map_err(|error| other(error.to_string()))?;
        let mut carrier = JoinSet::new();
        carrier.spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Self {
            sender,
            heard,
            attempt,
            _carrier: carrier,
        })
    }

    /// Whether another request may go over it.
    pub(super) async fn stands(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// One request, and the head of its answer.
    pub(super) async fn ask(
        &mut self,
        url: &Url,
        fields: Fields,
        content: &Content,
    ) -> Result<Response<Incoming>, Cut> {
        let request = request(url, fields, content)
            .ok_or_else(|| Cut::Failed(other("the URL of the ACS cannot be asked for")))?;
        self.heard.store(false, Ordering::Relaxed);
        match self.sender.send_request(request).await {
            Ok(response) => Ok(response),
            Err(error) => Err(self.why(&error)),
        }
    }

    /// With TLS 1.3 a server refuses a client after the client's handshake is done.
    fn why(&self, error: &hyper::Error) -> Cut {
        match (of_tls(error), &self.attempt) {
            (Some(below), Some(attempt)) => Cut::Failed(other(attempt.explain(below).1)),
            _ if self.heard.load(Ordering::Relaxed) => Cut::Failed(other(format!(
                "the ACS does not answer as HTTP does: {error}"
            ))),
            _ => Cut::Before,
        }
    }
}

/// TR-069 §3.4.1; an empty message has no type and no action.
fn request(url: &Url, fields: Fields, content: &Content) -> Option<Request<Octets>> {
    let mut request = Request::post(url.target())
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, "Demarc");
    if content.is_empty() {
        request = request.header(header::CONTENT_LENGTH, 0);
    } else {
        request = request
            .header(header::CONTENT_TYPE, "text/xml; charset=\"utf-8\"")
            .header(SOAP_ACTION, "");
    }
    if let Some(cookie) = fields.cookie {
        request = request.header(header::COOKIE, cookie);
    }
    if let Some(proof) = fields.authorization {
        let mut proof = HeaderValue::try_from(proof).ok()?;
        proof.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, proof);
    }
    request.body(content.octets()).ok()
}

/// The ACS must be the one that its URL names (RFC 9110 §4.3.4), as far as it
/// is asked for.
fn attempt(host: Host, level: Level, around: &Around) -> Result<Attempt, Trouble> {
    let expected = ExpectedServer {
        level,
        identity: Identity::Https(host),
        srv_target: None,
    };
    let policy = TlsPolicy::Compatible;
    Attempt::new(&around.keyring, Service::Cwmp, policy, expected)
        .map_err(|error| other(error.to_string()))
}

fn unconnected(why: Unconnected) -> Trouble {
    match why {
        Unconnected::NoAddress { host } => trouble(
            TroubleKind::CannotResolve,
            format!(
                "the name {host} has no address: is Cwmp.AcsStaticUrl right? See also Hoc.StaticDnsServers"
            ),
        ),
        Unconnected::Unreachable { peer, kind } => silent(&format!(
            "no connection to {peer}: {kind}: is Cwmp.AcsStaticUrl right?"
        )),
    }
}

/// Trouble of no special kind.
pub(super) fn other(reason: impl Into<String>) -> Trouble {
    trouble(TroubleKind::Other, reason.into())
}

/// The ACS does not answer.
pub(super) fn silent(reason: &str) -> Trouble {
    trouble(TroubleKind::NotResponding, reason.to_owned())
}

fn trouble(kind: TroubleKind, reason: String) -> Trouble {
    Trouble {
        kind,
        reason,
        pause: None,
    }
}

/// Notes that something came.
struct Watched<T> {
    stream: T,
    heard: Arc<AtomicBool>,
}

impl<T: AsyncRead + Unpin> AsyncRead for Watched<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        if into.filled().len() > before {
            self.heard.store(true, Ordering::Relaxed);
        }
        read
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Watched<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        octets: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, octets)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

const SOAP_ACTION: HeaderName = HeaderName::from_static("soapaction");
/// For a connection to one address, and for its TLS handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// Octets of an answer's head: some cookies are long.
const MAX_HEAD: usize = 64 * 1024;
/// Header fields of an answer.
const MAX_HEADERS: usize = 100;
