//! One file over HTTP, here or there (TR-069 A.3.2.8, A.4.1.5).
//!
//! Drives a [`FileExchange`]: a connection for each server, TLS by the keyring
//! and by the name of the URL, all of it bounded in time and octets.

use super::Around;
use super::line::nonce;
use super::staging::Staging;
use crate::certs::io::{Stream, connect_from};
use crate::certs::{
    Attempt, Clear, ExpectedServer, Identity, Level, Service, Source, TlsPolicy, Url,
};
use crate::north::cwmp::exchange::Account;
use crate::north::cwmp::fault::Code;
use crate::north::cwmp::transfers::{
    Failure, FileExchange, Head, Kind, Next, Sums, Transfer, Verb,
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{HeaderMap, Request, Response};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use zeroize::Zeroizing;

/// Where the octets of a file go.
pub(super) enum Sink {
    /// They stand in memory.
    Memory(Zeroizing<Vec<u8>>),
    /// An image, on disk.
    Staged(Box<Staging>),
    /// Nobody needs them: an answer to a file that was sent.
    Nowhere,
}

/// Fetches the file of a transfer into `sink`.
pub(super) async fn fetch(
    transfer: &Transfer,
    around: &Around,
    sink: Sink,
) -> Result<Sink, Failure> {
    let limit = match sink {
        Sink::Staged(_) => WHOLE_IMAGE,
        Sink::Memory(_) | Sink::Nowhere => WHOLE,
    };
    let errand = Errand::new(transfer, Verb::Get, Bytes::new())?;
    let done = timeout(limit, errand.run(around, sink)).await;
    done.unwrap_or_else(|_| Err(incomplete("it took too long")))
}

/// Sends `content` as the file of a transfer.
pub(super) async fn send(
    transfer: &Transfer,
    around: &Around,
    content: Vec<u8>,
) -> Result<(), Failure> {
    let errand = Errand::new(transfer, Verb::Put, content.into())?;
    let done = timeout(WHOLE, errand.run(around, Sink::Nowhere)).await;
    done.unwrap_or_else(|_| Err(incomplete("it took too long")))
        .map(|_| ())
}

struct Errand {
    exchange: FileExchange,
    kind: Kind,
    /// Octets that the ACS has told; 0: none.
    size: u32,
    content: Bytes,
    link: Option<Link>,
}

impl Errand {
    fn new(transfer: &Transfer, verb: Verb, content: Bytes) -> Result<Self, Failure> {
        let url = Url::parse(&transfer.url);
        let url = url.map_err(|bad| Failure::new(Code::TransferFailed, bad.to_string()))?;
        let account = Account {
            username: transfer.username.clone(),
            password: transfer.password.clone(),
        };
        let kind = transfer.kind().ok_or_else(|| {
            Failure::new(
                Code::TransferFailed,
                "files of this type are not moved here",
            )
        })?;
        Ok(Self {
            exchange: FileExchange::new(verb, url, account),
            kind,
            size: transfer.file_size,
            content,
            link: None,
        })
    }

    async fn run(mut self, around: &Around, sink: Sink) -> Result<Sink, Failure> {
        loop {
            self.is_covered(around)?;
            let cnonce =
                nonce().map_err(|trouble| Failure::new(Code::InternalError, trouble.reason))?;
            let proof = self.exchange.authorization(&cnonce);
            let request = request(&self.exchange, proof, self.content.clone());
            let request = request
                .ok_or_else(|| Failure::new(Code::TransferFailed, "the URL cannot be asked for"))?;
            let url = self.exchange.url().clone();
            let link = self.linked(&url, around).await?;
            let asked = timeout(STALL, link.sender.send_request(request)).await;
            let response = match asked {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => return Err(link.explain(&error, &url)),
                Err(_) => return Err(unreachable(&url, "does not answer")),
            };
            match self.exchange.answered(&head(&response))? {
                Next::Done => return self.receive(response, sink).await,
                Next::Again => {
                    let rest = Limited::new(response.into_body(), MOST_DRAINED);
                    if !matches!(timeout(STALL, rest.collect()).await, Ok(Ok(_))) {
                        self.link = None;
                    }
                }
            }
        }
    }

    /// Keys, anchors and scripts come in the clear only while the operator lets them.
    fn is_covered(&self, around: &Around) -> Result<(), Failure> {
        let clear = matches!(self.exchange.url().source, Source::Http(..));
        let comes = self.exchange.verb() == Verb::Get;
        match around.keyring.clear() {
            Clear::Refused if clear && comes && self.kind.needs_tls() => Err(Failure::new(
                Code::RequestDenied,
                "certificates and scripts come by https, or while Cert.UnsecureTransferActivate holds",
            )),
            Clear::Refused | Clear::Allowed => Ok(()),
        }
    }

    /// The connection to a server: the one that stands, where it is to the same.
    async fn linked(&mut self, url: &Url, around: &Around) -> Result<&mut Link, Failure> {
        let known = self.link.take().filter(|link| link.source == url.source);
        let known = match known {
            Some(mut link) => link.sender.ready().await.is_ok().then_some(link),
            None => None,
        };
        let link = match known {
            Some(link) => link,
            None => Link::open(url, around).await?,
        };
        Ok(self.link.insert(link))
    }

    async fn receive(&self, response: Response<Incoming>, mut sink: Sink) -> Result<Sink, Failure> {
        let fields = response.headers().clone();
        let mut sums = Sums::default();
        for (name, value) in &fields {
            sums.field(name.as_str(), value.to_str().unwrap_or_default());
        }
        let mut body = response.into_body();
        let announced = body.size_hint().exact();
        let mut got: u64 = 0;
        while let Some(frame) = timeout(STALL, body.frame())
            .await
            .map_err(|_| incomplete("the file server has stopped sending"))?
        {
            let frame = frame.map_err(|_| incomplete("the file was cut off"))?;
            if let Some(octets) = frame.data_ref() {
                got += octets.len() as u64;
                sums.received(octets);
                sink.take(octets)?;
            }
        }
        if matches!(sink, Sink::Nowhere) {
            return Ok(sink);
        }
        if announced.is_some_and(|announced| announced != got) {
            return Err(incomplete("the file was cut off"));
        }
        if self.size != 0 && u64::from(self.size) != got {
            let why = format!("it has {got} octets and not {}", self.size);
            return Err(Failure::new(Code::TransferCorrupted, why));
        }
        match sums.differs() {
            None => Ok(sink),
            Some(sum) => Err(Failure::new(
                Code::TransferCorrupted,
                format!("its {sum} is not the one that the server told"),
            )),
        }
    }
}

impl Sink {
    fn take(&mut self, octets: &[u8]) -> Result<(), Failure> {
        match self {
            Self::Memory(file) if file.len() + octets.len() > LARGEST => Err(Failure::new(
                Code::TransferFailed,
                format!("the file has more than {LARGEST} octets"),
            )),
            Self::Memory(file) => {
                file.extend_from_slice(octets);
                Ok(())
            }
            Self::Staged(staging) => staging.take(octets),
            Self::Nowhere => Ok(()),
        }
    }
}

/// A connection to a file server.
struct Link {
    source: Source,
    sender: SendRequest<Full<Bytes>>,
    attempt: Option<Attempt>,
    /// Carries the octets; it ends with this.
    _carrier: JoinSet<()>,
}

impl Link {
    async fn open(url: &Url, around: &Around) -> Result<Self, Failure> {
        let (host, port, secure) = match &url.source {
            Source::Http(host, port) => (host, *port, false),
            Source::Https(host, port) => (host, *port, true),
            Source::File => return Err(unreachable(url, "is no server")),
        };
        let stream = connect_from(None, host, port, &around.lookup, CONNECT).await;
        let stream = stream.map_err(|_| unreachable(url, "cannot be connected"))?;
        if !secure {
            return Self::over(stream, url, None).await;
        }
        // The server must be the one that the URL names (RFC 9110 §4.3.4).
        let expected = ExpectedServer {
            level: Level::HostName,
            identity: Identity::Https(host.clone()),
            srv_target: None,
        };
        let attempt = Attempt::new(
            &around.keyring,
            Service::Cwmp,
            TlsPolicy::Compatible,
            expected,
        );
        let attempt = attempt.map_err(|error| unproven(error.to_string()))?;
        let connector = TlsConnector::from(attempt.config());
        let secured = connector.connect(attempt.server_name(), stream);
        let secured = timeout(CONNECT, secured)
            .await
            .map_err(|_| unreachable(url, "does not finish the TLS handshake"))?
            .map_err(|error| unproven(attempt.explain(&error).1))?;
        Self::over(secured, url, Some(attempt)).await
    }

    async fn over<T>(stream: T, url: &Url, attempt: Option<Attempt>) -> Result<Self, Failure>
    where
        T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, connection) = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .max_headers(MAX_HEADERS)
            .handshake(Stream(stream))
            .await
            .map_err(|_| unreachable(url, "cannot be connected"))?;
        let mut carrier = JoinSet::new();
        carrier.spawn(async move {
            // How it ended is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Self {
            source: url.source.clone(),
            sender,
            attempt,
            _carrier: carrier,
        })
    }

    /// With TLS 1.3 a server refuses a client after the client's handshake is done.
    fn explain(&self, error: &hyper::Error, url: &Url) -> Failure {
        match (crate::certs::io::of_tls(error), &self.attempt) {
            (Some(below), Some(attempt)) => unproven(attempt.explain(below).1),
            _ => unreachable(url, "does not answer as a web server does"),
        }
    }
}

fn request(
    exchange: &FileExchange,
    proof: Option<String>,
    content: Bytes,
) -> Option<Request<Full<Bytes>>> {
    let url = exchange.url();
    let mut request = Request::builder()
        .method(exchange.verb().word())
        .uri(url.target())
        .header(header::HOST, url.authority())
        .header(header::USER_AGENT, "Demarc");
    if exchange.verb() != Verb::Get {
        request = request.header(header::CONTENT_TYPE, "text/plain; charset=utf-8");
    }
    if let Some(proof) = proof {
        let mut proof = HeaderValue::try_from(proof).ok()?;
        proof.set_sensitive(true);
        request = request.header(header::AUTHORIZATION, proof);
    }
    request.body(Full::new(content)).ok()
}

fn head(response: &Response<Incoming>) -> Head {
    let fields = response.headers();
    Head {
        status: response.status().as_u16(),
        challenges: texts(fields, &header::WWW_AUTHENTICATE),
        location: texts(fields, &header::LOCATION).into_iter().next(),
        allow: texts(fields, &header::ALLOW).into_iter().next(),
    }
}

fn texts(fields: &HeaderMap, name: &HeaderName) -> Vec<String> {
    let values = fields.get_all(name).iter();
    values
        .filter_map(|value| Some(value.to_str().ok()?.to_owned()))
        .collect()
}

fn unreachable(url: &Url, why: &str) -> Failure {
    let why = format!("{} {why}", url.authority());
    Failure::new(Code::TransferServerUnreachable, why)
}

fn unproven(why: String) -> Failure {
    Failure::new(Code::TransferServerAuthentication, why)
}

/// A.5.1: the download began and did not come to its end.
fn incomplete(why: &str) -> Failure {
    Failure::new(Code::TransferIncomplete, why)
}

/// For a whole transfer; an image is larger.
const WHOLE: Duration = Duration::from_secs(300);
const WHOLE_IMAGE: Duration = Duration::from_secs(3600);
/// Without anything from the server.
const STALL: Duration = Duration::from_secs(30);
/// For a connection to one address, and for its TLS handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// Octets of a script or a certificate file.
const LARGEST: usize = 1 << 20;
/// Octets of an answer that is none.
const MOST_DRAINED: usize = 64 * 1024;
/// Octets of an answer's head.
const MAX_HEAD: usize = 64 * 1024;
/// Header fields of an answer.
const MAX_HEADERS: usize = 100;
