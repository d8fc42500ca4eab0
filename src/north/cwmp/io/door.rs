//! Where connection requests are heard (TR-069 §3.2.2).
//!
//! Listens as the settings say, now and after each change, and lets the
//! doorman judge. Who is welcome has the answer before a session begins. What
//! cannot be had is tried again, and said once.

use super::super::doorman::{Doorman, Knock, Verdict};
use super::super::settings::Requests;
use super::line::nonce;
use crate::certs::io::Stream;
use crate::schema::cwmp;
use crate::tree::Tree;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, header};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Where to listen, and for whom; None: nowhere.
pub(super) type Wanted = Option<Place>;

/// Where to listen, and for whom.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// Or why there is no address.
    pub(super) address: Result<SocketAddr, String>,
    pub(super) requests: Requests,
}

/// Listens until it is dropped; each welcome is one message. `settled` counts
/// the wishes that were seen to.
pub(super) async fn listen(
    tree: Tree,
    mut wanted: watch::Receiver<Wanted>,
    welcome: mpsc::Sender<()>,
    settled: watch::Sender<u64>,
) {
    let door = Arc::new(Door {
        doorman: Mutex::default(),
        wanted: wanted.clone(),
        room: Semaphore::new(MOST_CONNECTIONS),
        welcome,
    });
    let mut listening: Option<(SocketAddr, TcpListener)> = None;
    let mut guests = JoinSet::new();
    loop {
        let place = wanted.borrow_and_update().clone();
        let outcome = settle(place.as_ref(), &mut listening).await;
        show(&tree, place.as_ref(), &outcome);
        settled.send_modify(|times| *times += 1);
        let changed = loop {
            tokio::select! {
                changed = wanted.changed() => break changed,
                guest = accept(listening.as_ref()) => {
                    if let Ok((stream, _)) = guest {
                        guests.spawn(door.clone().serve(stream));
                    } else {
                        // No more files, most likely: it passes.
                        sleep(TRY_AGAIN).await;
                    }
                }
                Some(_) = guests.join_next() => {}
                () = sleep(TRY_AGAIN), if outcome.is_err() => break Ok(()),
            }
        };
        if changed.is_err() {
            return;
        }
    }
}

/// Listens where it is wanted; why it cannot.
async fn settle(
    place: Option<&Place>,
    listening: &mut Option<(SocketAddr, TcpListener)>,
) -> Result<(), String> {
    let Some(place) = place else {
        *listening = None;
        return Ok(());
    };
    let address = match &place.address {
        Ok(address) => *address,
        Err(why) => {
            *listening = None;
            return Err(why.clone());
        }
    };
    if listening.as_ref().map(|(known, _)| *known) == Some(address) {
        return Ok(());
    }
    *listening = None;
    let bound = TcpListener::bind(address).await;
    let bound = bound.map_err(|error| {
        format!("cannot listen on {address}: {error}: change Cwmp.ListeningPort or Cwmp.NetworkInterface")
    })?;
    *listening = Some((address, bound));
    Ok(())
}

async fn accept(
    listening: Option<&(SocketAddr, TcpListener)>,
) -> io::Result<(TcpStream, SocketAddr)> {
    match listening {
        Some((_, listener)) => listener.accept().await,
        None => std::future::pending().await,
    }
}

fn show(tree: &Tree, place: Option<&Place>, outcome: &Result<(), String>) {
    let url = match (place, outcome) {
        (Some(place), Ok(())) => url(place),
        _ => String::new(),
    };
    tree.live()
        .publish(|live| live.scalar(cwmp::CONNECTION_REQUEST_URL, &url));
    let trouble = outcome.as_ref().err().map_or("", String::as_str);
    tree.troubled(super::SERVICE, trouble);
}

fn url(place: &Place) -> String {
    let address = place.address.as_ref();
    address.map_or_else(
        |_| String::new(),
        |address| format!("http://{address}/{}", place.requests.path),
    )
}

/// The door and who stands at it.
struct Door {
    doorman: Mutex<Doorman>,
    wanted: watch::Receiver<Wanted>,
    room: Semaphore,
    welcome: mpsc::Sender<()>,
}

impl Door {
    /// One connection, for a while.
    async fn serve(self: Arc<Self>, stream: TcpStream) {
        // Who finds no room may come again.
        let Ok(_place) = self.room.try_acquire() else {
            return;
        };
        let welcome = AtomicBool::new(false);
        let service = service_fn(|request: Request<Incoming>| {
            let response = self.answer(&request, &welcome);
            async move { Ok::<_, Infallible>(response) }
        });
        let connection = http1::Builder::new()
            .max_buf_size(MAX_HEAD)
            .serve_connection(Stream(stream), service);
        // However it ends: what was granted is granted.
        let _ = timeout(PATIENCE, connection).await;
        if welcome.load(Ordering::Relaxed) {
            // One that waits is enough: the session is the same for all of them.
            let _ = self.welcome.try_send(());
        }
    }

    fn answer(&self, request: &Request<Incoming>, welcome: &AtomicBool) -> Response<Empty<Bytes>> {
        match self.judge(request) {
            Some(Verdict::Welcome) => {
                welcome.store(true, Ordering::Relaxed);
                said(StatusCode::OK, Some((header::CONNECTION, "close")))
            }
            Some(Verdict::Prove(challenge)) => said(
                StatusCode::UNAUTHORIZED,
                Some((header::WWW_AUTHENTICATE, &challenge)),
            ),
            Some(Verdict::NotFound) | None => said(StatusCode::NOT_FOUND, None),
            Some(Verdict::NotThisMethod) => {
                said(StatusCode::METHOD_NOT_ALLOWED, Some((header::ALLOW, "GET")))
            }
            Some(Verdict::Later) => said(StatusCode::SERVICE_UNAVAILABLE, None),
        }
    }

    /// None: nobody is expected any more.
    fn judge(&self, request: &Request<Incoming>) -> Option<Verdict> {
        let place = self.wanted.borrow().clone()?;
        let nonce = nonce().ok()?;
        let authorization = request.headers().get(header::AUTHORIZATION);
        let target = request.uri().path_and_query()?;
        let knock = Knock {
            method: request.method().as_str(),
            target: target.as_str(),
            authorization: authorization.and_then(|value| value.to_str().ok()),
        };
        let mut doorman = self.doorman.lock().unwrap_or_else(PoisonError::into_inner);
        Some(doorman.judge(Instant::now(), &place.requests, knock, nonce))
    }
}

fn said(status: StatusCode, field: Option<(header::HeaderName, &str)>) -> Response<Empty<Bytes>> {
    let mut response = Response::new(Empty::new());
    *response.status_mut() = status;
    let field = field.and_then(|(name, value)| Some((name, value.parse().ok()?)));
    if let Some((name, value)) = field {
        response.headers_mut().insert(name, value);
    }
    response
}

/// Connections at a time.
const MOST_CONNECTIONS: usize = 16;
/// For one connection, with all its requests: a slow one is cut off.
const PATIENCE: Duration = Duration::from_secs(10);
/// Octets of a request's head.
const MAX_HEAD: usize = 16 * 1024;
/// How long until a port that could not be had is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(2);
