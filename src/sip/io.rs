//! Sockets, name servers and the clock for the SIP stack. The only files here
//! that wait are this one and those below it.
//!
//! [`run`] owns the stack and does what it says: one loop, one task for each
//! listener and stream. What TLS needs is handed in as [`Tls`]; what the world
//! should know goes out as [`Report`]s.

mod listeners;
mod names;
mod refusals;
mod secure;
mod streams;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep_until, timeout};

use self::listeners::{Door, Incoming, accept_streams, bind, listen_fault, receive_datagrams};
pub use self::names::Resolver;
use self::streams::{carry, open};
use crate::certs::Attempt;
use crate::sip::event::{
    Connect, Input, ListenFault, Notice, Output, QueryId, SocketId, StreamFault,
};
use crate::sip::resolve::Query;
use crate::sip::stack::Stack;
use crate::sip::status::Status;
use crate::sip::transport::Transport;

/// Facts from the tasks that may wait for the stack.
const QUEUE: usize = 1024;
/// Messages that may wait for a stream; one that takes no more has failed.
const STREAM_QUEUE: usize = 256;
/// How long a peer's handshake, and one write, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long streams may take to end when the stack is done.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// What the rest of the device should know.
#[derive(Debug)]
pub enum Report {
    /// The state of things.
    Status(Box<Status>),
    /// A line for the log.
    Notice(Notice),
    /// What the user of calls is to know.
    Call(crate::sip::session::Event),
    /// To be kept over a restart as `last_persistent_port`.
    LastPort(u16),
}

/// One TLS connection about to be opened.
pub struct Handshake {
    /// Made for this connection.
    pub attempt: Arc<Attempt>,
    /// Waited for when the handshake is done, before anything is sent.
    pub revocation: Revocation,
}

/// Finds out whether the server's certificate was revoked; the sentence where it counts as such.
pub type Revocation = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
/// Prepares a TLS connection, or says why there can be none.
pub type Dial = Arc<dyn Fn(&Connect) -> Result<Handshake, String> + Send + Sync>;
/// How a gateway lets in a TLS peer, as the settings are now, or the sentence why it has no certificate for that.
pub type Accept = Arc<dyn Fn(&str) -> Result<Arc<ServerConfig>, String> + Send + Sync>;

/// How TLS is done: asked anew for each connection.
#[derive(Clone)]
pub struct Tls {
    /// For links.
    pub dial: Dial,
    /// For listeners.
    pub accept: Accept,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tls")
    }
}

#[derive(Debug)]
enum Happening {
    Fact(Input),
    Peer {
        listener: SocketId,
        stream: Incoming,
        local: SocketAddr,
        peer: SocketAddr,
    },
}

type Happenings = mpsc::Sender<Happening>;

/// Runs `stack` until it is done: after [`Input::Shutdown`], or when `inputs` ends.
///
/// `resolver` may be replaced while it runs; its strategy should ask for both
/// address families, since the stack says which one it wants.
pub async fn run(
    stack: Stack,
    mut inputs: mpsc::Receiver<Input>,
    tls: Tls,
    resolver: watch::Receiver<Resolver>,
    reports: mpsc::UnboundedSender<Report>,
) {
    let (happenings, mut happened) = mpsc::channel(QUEUE);
    let mut names = resolver.clone();
    let mut shell = Shell {
        stack,
        tls,
        resolver,
        reports,
        happenings,
        datagrams: HashMap::new(),
        listeners: HashMap::new(),
        secure: HashMap::new(),
        streams: HashMap::new(),
        carriers: JoinSet::new(),
    };
    loop {
        if shell.drain().await == Life::Over {
            happened.close();
            return shell.part().await;
        }
        let deadline = shell.stack.next_deadline();
        let fact = tokio::select! {
            input = inputs.recv() => Happening::Fact(input.unwrap_or(Input::Shutdown)),
            Some(happening) = happened.recv() => happening,
            Ok(()) = names.changed() => Happening::Fact(Input::NamesChanged),
            () = wait(deadline) => Happening::Fact(Input::Tick),
        };
        shell.take(fact);
    }
}

async fn wait(deadline: Option<Instant>) {
    match deadline {
        Some(at) => sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    GoesOn,
    Over,
}

struct Shell {
    stack: Stack,
    tls: Tls,
    resolver: watch::Receiver<Resolver>,
    reports: mpsc::UnboundedSender<Report>,
    happenings: Happenings,
    datagrams: HashMap<SocketId, Arc<UdpSocket>>,
    listeners: HashMap<SocketId, JoinHandle<()>>,
    /// The listeners for TLS among them, and their gateways.
    secure: HashMap<SocketId, String>,
    streams: HashMap<SocketId, mpsc::Sender<Vec<u8>>>,
    /// The tasks of streams.
    carriers: JoinSet<()>,
}

impl Drop for Shell {
    fn drop(&mut self) {
        for (_, task) in self.listeners.drain() {
            task.abort();
        }
    }
}

impl Shell {
    /// The last words of streams are written; when this is over, no task has anything of the device's.
    async fn part(&mut self) {
        self.streams.clear();
        let ended = async { while self.carriers.join_next().await.is_some() {} };
        let _ = timeout(LAST_WORDS, ended).await;
        self.carriers.shutdown().await;
    }

    fn take(&mut self, happening: Happening) {
        let input = match happening {
            Happening::Fact(input) => input,
            Happening::Peer {
                listener,
                stream,
                local,
                peer,
            } => {
                let id = self.stack.accept_id();
                self.adopt(id, stream);
                Input::Accepted {
                    id,
                    listener,
                    local,
                    peer,
                }
            }
        };
        if let Input::Closed { id } | Input::Failed { id, .. } = &input {
            self.streams.remove(id);
        }
        let certificates_may_differ = matches!(input, Input::Settings(_) | Input::Time(_));
        self.stack.handle(Instant::now(), input);
        if certificates_may_differ {
            self.close_uncertified();
        }
    }

    /// A listener for TLS that has no certificate any more is none.
    fn close_uncertified(&mut self) {
        let accept = self.tls.accept.clone();
        let listeners = self.secure.iter();
        let lost: Vec<(SocketId, String)> = listeners
            .filter_map(|(id, gateway)| Some((*id, accept(gateway).err()?)))
            .collect();
        for (id, why) in lost {
            self.unlisten(id);
            let fault = ListenFault::NoCertificate(why);
            self.fact(Input::ListenFailed { id, fault });
        }
    }

    fn unlisten(&mut self, id: SocketId) {
        self.datagrams.remove(&id);
        self.secure.remove(&id);
        if let Some(task) = self.listeners.remove(&id) {
            task.abort();
        }
    }

    async fn drain(&mut self) -> Life {
        while let Some(output) = self.stack.poll() {
            match output {
                Output::Listen {
                    id,
                    gateway,
                    transport,
                    local,
                } => self.listen(id, &gateway, transport, local).await,
                Output::Unlisten { id } => self.unlisten(id),
                Output::Datagram { id, peer, bytes } => self.send(id, peer, &bytes),
                Output::Connect(connect) => self.connect(connect),
                Output::Write { id, bytes } => self.write(id, bytes),
                // The task writes what waits, and ends.
                Output::Close { id } => drop(self.streams.remove(&id)),
                Output::Resolve { id, query } => self.resolve(id, query),
                Output::Publish(status) => self.report(Report::Status(status)),
                Output::Notice(notice) => self.report(Report::Notice(notice)),
                Output::Call(event) => self.report(Report::Call(event)),
                Output::RememberPort(port) => self.report(Report::LastPort(port)),
                Output::Done => return Life::Over,
            }
        }
        Life::GoesOn
    }

    /// Nobody may be listening any more; that is no matter of ours.
    fn report(&self, report: Report) {
        let _ = self.reports.send(report);
    }

    fn fact(&mut self, input: Input) {
        self.stack.handle(Instant::now(), input);
    }

    async fn listen(&mut self, id: SocketId, gateway: &str, by: Transport, local: SocketAddr) {
        let bound = match by {
            Transport::Udp => self.listen_datagrams(id, local).await,
            Transport::Tcp => self.listen_streams(id, gateway, local, None),
            Transport::Tls => match (self.tls.accept)(gateway) {
                Ok(_) => {
                    let accept = self.tls.accept.clone();
                    self.listen_streams(id, gateway, local, Some(accept))
                }
                Err(why) => Err(ListenFault::NoCertificate(why)),
            },
        };
        self.fact(match bound {
            Ok(local) => Input::Listening { id, local },
            Err(fault) => Input::ListenFailed { id, fault },
        });
    }

    async fn listen_datagrams(
        &mut self,
        id: SocketId,
        local: SocketAddr,
    ) -> Result<SocketAddr, ListenFault> {
        let socket = UdpSocket::bind(local)
            .await
            .map_err(|it| listen_fault(&it))?;
        let bound = socket.local_addr().map_err(|it| listen_fault(&it))?;
        // A socket that the runtime has not looked at yet takes no datagram at once,
        // and the first request would be lost.
        socket.writable().await.map_err(|it| listen_fault(&it))?;
        // Without them a server that is not there is only found out by its silence.
        let _ = refusals::wanted(&socket);
        let socket = Arc::new(socket);
        let datagrams = receive_datagrams(id, Arc::clone(&socket), self.happenings.clone());
        let refused = refusals::hear(id, Arc::clone(&socket), self.happenings.clone());
        let task = async {
            tokio::join!(datagrams, refused);
        };
        self.datagrams.insert(id, socket);
        self.listeners.insert(id, tokio::spawn(task));
        Ok(bound)
    }

    fn listen_streams(
        &mut self,
        id: SocketId,
        gateway: &str,
        local: SocketAddr,
        accept: Option<Accept>,
    ) -> Result<SocketAddr, ListenFault> {
        let listener = bind(local).and_then(|it| it.listen(BACKLOG));
        let listener = listener.map_err(|it| listen_fault(&it))?;
        let bound = listener.local_addr().map_err(|it| listen_fault(&it))?;
        if accept.is_some() {
            self.secure.insert(id, gateway.to_owned());
        }
        let door = Door {
            id,
            gateway: gateway.to_owned(),
            accept,
            happenings: self.happenings.clone(),
            reports: self.reports.clone(),
        };
        let task = accept_streams(door, listener);
        self.listeners.insert(id, tokio::spawn(task));
        Ok(bound)
    }

    fn send(&mut self, id: SocketId, peer: SocketAddr, bytes: &[u8]) {
        let Some(socket) = self.datagrams.get(&id) else {
            return;
        };
        let sent = match socket.try_send_to(bytes, peer) {
            // That was said of an earlier datagram, maybe to somebody else.
            Err(error) if is_of_earlier(&error) => socket.try_send_to(bytes, peer),
            sent => sent,
        };
        match sent {
            Ok(_) => {}
            // A full buffer loses datagrams as the network does.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.fact(Input::Undelivered { id, peer }),
        }
    }

    fn write(&mut self, id: SocketId, bytes: Vec<u8>) {
        let full = self
            .streams
            .get(&id)
            .is_some_and(|it| it.try_send(bytes).is_err());
        if full {
            self.streams.remove(&id);
            let fault = StreamFault::Reset;
            self.fact(Input::Failed { id, fault });
        }
    }

    fn connect(&mut self, connect: Connect) {
        let (writer, orders) = mpsc::channel(STREAM_QUEUE);
        self.streams.insert(connect.id, writer);
        while self.carriers.try_join_next().is_some() {}
        let task = open(connect, self.tls.clone(), orders, self.happenings.clone());
        self.carriers.spawn(task);
    }

    fn adopt(&mut self, id: SocketId, stream: Incoming) {
        let (writer, orders) = mpsc::channel(STREAM_QUEUE);
        self.streams.insert(id, writer);
        let happenings = self.happenings.clone();
        while self.carriers.try_join_next().is_some() {}
        match stream {
            Incoming::Clear(stream) => {
                self.carriers
                    .spawn(carry(id, stream, orders, happenings, None));
            }
            Incoming::Secure(stream) => {
                self.carriers
                    .spawn(carry(id, *stream, orders, happenings, None));
            }
        }
    }

    fn resolve(&self, id: QueryId, query: Query) {
        let resolver = self.resolver.borrow().clone();
        let happenings = self.happenings.clone();
        tokio::spawn(async move {
            let answer = names::look_up(&resolver, &query).await;
            tell(&happenings, Input::Resolved { id, answer }).await;
        });
    }
}

/// Whether the system may be speaking of a datagram that was sent before.
fn is_of_earlier(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionRefused, HostUnreachable, NetworkUnreachable};
    matches!(
        error.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable
    )
}

/// The stack may be gone by now; then nobody needs to know.
async fn tell(happenings: &Happenings, input: Input) {
    let _ = happenings.send(Happening::Fact(input)).await;
}

#[cfg(test)]
mod tests;
