//! Sockets, name servers and the clock for the SIP stack. The only file here that waits.
//!
//! [`run`] owns the stack and does what it says: one loop, one task for each
//! listener and stream. What TLS needs is handed in as [`Tls`]; what the world
//! should know goes out as [`Report`]s.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::{RData, RecordType};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep_until, timeout};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::sip::event::{
    Connect, Input, ListenFault, Notice, Output, QueryId, SocketId, StreamFault,
};
use crate::sip::message::MAX_MESSAGE;
use crate::sip::resolve::{Answer, LookupFault, Naptr, Query, Records, Srv};
use crate::sip::stack::Stack;
use crate::sip::status::Status;
use crate::sip::transport::Transport;

/// Facts from the tasks that may wait for the stack.
const QUEUE: usize = 1024;
/// Messages that may wait for a stream; one that takes no more has failed.
const STREAM_QUEUE: usize = 256;
/// Peers' handshakes that run at once on one listener.
const HANDSHAKES: usize = 64;
/// How long a peer's handshake, and one write, may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after a failed accept, so that a lack of descriptors makes no storm.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Octets read from a stream at once.
const CHUNK: usize = 16_384;
/// Connections that wait to be accepted.
const BACKLOG: u32 = 128;

/// What the rest of the device should know.
#[derive(Debug)]
pub enum Report {
    /// The state of things.
    Status(Box<Status>),
    /// A line for the log.
    Notice(Notice),
    /// To be kept over a restart as `last_persistent_port`.
    LastPort(u16),
}

/// One TLS connection about to be opened.
pub struct Handshake {
    /// The configuration, made for this connection.
    pub config: Arc<ClientConfig>,
    /// The name that is indicated to the server.
    pub name: ServerName<'static>,
    /// Puts a failure into a sentence.
    pub explain: Explain,
    /// Waited for when the handshake is done, before anything is sent.
    pub revocation: Revocation,
}

/// Puts the failure of a connection into a sentence, with the object to change.
pub type Explain = Box<dyn Fn(&io::Error) -> String + Send + Sync>;
/// Finds out whether the server's certificate was revoked; the sentence where it counts as such.
pub type Revocation = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
/// Prepares a TLS connection, or says why there can be none.
pub type Dial = Arc<dyn Fn(&Connect) -> Result<Handshake, String> + Send + Sync>;
/// The configuration of a TLS listener of a gateway; none without a host certificate.
pub type Accept = Arc<dyn Fn(&str) -> Option<Arc<ServerConfig>> + Send + Sync>;

/// How TLS is done: asked anew for each connection and listener.
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

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A peer's stream, its handshake done.
#[derive(Debug)]
enum Incoming {
    Clear(TcpStream),
    Secure(Box<server::TlsStream<TcpStream>>),
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
    resolver: watch::Receiver<TokioResolver>,
    reports: mpsc::UnboundedSender<Report>,
) {
    let (happenings, mut happened) = mpsc::channel(QUEUE);
    let mut shell = Shell {
        stack,
        tls,
        resolver,
        reports,
        happenings,
        datagrams: HashMap::new(),
        listeners: HashMap::new(),
        streams: HashMap::new(),
    };
    loop {
        if shell.drain().await == Life::Over {
            return;
        }
        let deadline = shell.stack.next_deadline();
        let fact = tokio::select! {
            input = inputs.recv() => Happening::Fact(input.unwrap_or(Input::Shutdown)),
            Some(happening) = happened.recv() => happening,
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
    resolver: watch::Receiver<TokioResolver>,
    reports: mpsc::UnboundedSender<Report>,
    happenings: Happenings,
    datagrams: HashMap<SocketId, Arc<UdpSocket>>,
    listeners: HashMap<SocketId, JoinHandle<()>>,
    streams: HashMap<SocketId, mpsc::Sender<Vec<u8>>>,
}

impl Drop for Shell {
    fn drop(&mut self) {
        for (_, task) in self.listeners.drain() {
            task.abort();
        }
    }
}

impl Shell {
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
        self.stack.handle(Instant::now(), input);
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
                Output::Unlisten { id } => {
                    self.datagrams.remove(&id);
                    if let Some(task) = self.listeners.remove(&id) {
                        task.abort();
                    }
                }
                Output::Datagram { id, peer, bytes } => self.send(id, peer, &bytes),
                Output::Connect(connect) => self.connect(connect),
                Output::Write { id, bytes } => self.write(id, bytes),
                // The task writes what waits, and ends.
                Output::Close { id } => drop(self.streams.remove(&id)),
                Output::Resolve { id, query } => self.resolve(id, query),
                Output::Publish(status) => self.report(Report::Status(status)),
                Output::Notice(notice) => self.report(Report::Notice(notice)),
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
            Transport::Tcp => self.listen_streams(id, local, None),
            Transport::Tls => match (self.tls.accept)(gateway) {
                Some(config) => self.listen_streams(id, local, Some(config)),
                None => Err(ListenFault::NoCertificate),
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
        let socket = Arc::new(socket);
        let task = receive_datagrams(id, Arc::clone(&socket), self.happenings.clone());
        self.datagrams.insert(id, socket);
        self.listeners.insert(id, tokio::spawn(task));
        Ok(bound)
    }

    fn listen_streams(
        &mut self,
        id: SocketId,
        local: SocketAddr,
        config: Option<Arc<ServerConfig>>,
    ) -> Result<SocketAddr, ListenFault> {
        let listener = bind(local).and_then(|it| it.listen(BACKLOG));
        let listener = listener.map_err(|it| listen_fault(&it))?;
        let bound = listener.local_addr().map_err(|it| listen_fault(&it))?;
        let task = accept_streams(id, listener, config, self.happenings.clone());
        self.listeners.insert(id, tokio::spawn(task));
        Ok(bound)
    }

    fn send(&mut self, id: SocketId, peer: SocketAddr, bytes: &[u8]) {
        let Some(socket) = self.datagrams.get(&id) else {
            return;
        };
        match socket.try_send_to(bytes, peer) {
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
        let task = open(connect, self.tls.clone(), orders, self.happenings.clone());
        tokio::spawn(task);
    }

    fn adopt(&mut self, id: SocketId, stream: Incoming) {
        let (writer, orders) = mpsc::channel(STREAM_QUEUE);
        self.streams.insert(id, writer);
        let happenings = self.happenings.clone();
        match stream {
            Incoming::Clear(stream) => tokio::spawn(carry(id, stream, orders, happenings, None)),
            Incoming::Secure(stream) => tokio::spawn(carry(id, *stream, orders, happenings, None)),
        };
    }

    fn resolve(&self, id: QueryId, query: Query) {
        let resolver = self.resolver.borrow().clone();
        let happenings = self.happenings.clone();
        tokio::spawn(async move {
            let answer = look_up(&resolver, &query).await;
            tell(&happenings, Input::Resolved { id, answer }).await;
        });
    }
}

/// The stack may be gone by now; then nobody needs to know.
async fn tell(happenings: &Happenings, input: Input) {
    let _ = happenings.send(Happening::Fact(input)).await;
}

async fn receive_datagrams(id: SocketId, socket: Arc<UdpSocket>, happenings: Happenings) {
    let mut buffer = vec![0; MAX_MESSAGE];
    loop {
        // An error here is that of an earlier datagram; the socket goes on.
        let Ok((length, peer)) = socket.recv_from(&mut buffer).await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let bytes = buffer[..length].to_vec();
        tell(&happenings, Input::Datagram { id, peer, bytes }).await;
    }
}

async fn accept_streams(
    listener_id: SocketId,
    listener: TcpListener,
    config: Option<Arc<ServerConfig>>,
    happenings: Happenings,
) {
    let handshakes = Arc::new(Semaphore::new(HANDSHAKES));
    loop {
        let Ok(permit) = Arc::clone(&handshakes).acquire_owned().await else {
            return;
        };
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let Ok(local) = stream.local_addr() else {
            continue;
        };
        let happenings = happenings.clone();
        let config = config.clone();
        tokio::spawn(async move {
            let stream = match config {
                None => Some(Incoming::Clear(stream)),
                Some(config) => shake(config, stream).await,
            };
            drop(permit);
            let Some(stream) = stream else { return };
            let happening = Happening::Peer {
                listener: listener_id,
                stream,
                local,
                peer,
            };
            let _ = happenings.send(happening).await;
        });
    }
}

async fn shake(config: Arc<ServerConfig>, stream: TcpStream) -> Option<Incoming> {
    let accepted = timeout(PATIENCE, TlsAcceptor::from(config).accept(stream)).await;
    let stream = accepted.ok()?.ok()?;
    Some(Incoming::Secure(Box::new(stream)))
}

/// Opens a stream and carries it; ends early when the stack no longer wants it.
async fn open(
    connect: Connect,
    tls: Tls,
    mut orders: mpsc::Receiver<Vec<u8>>,
    happenings: Happenings,
) {
    let id = connect.id;
    let opened = tokio::select! {
        opened = reach(&connect) => opened,
        // Nothing is written before the stream is open, so this is the end.
        _ = orders.recv() => return,
    };
    let stream = match opened {
        Ok(stream) => stream,
        Err(fault) => return tell(&happenings, Input::Failed { id, fault }).await,
    };
    let local = stream.local_addr().unwrap_or(connect.local);
    if connect.transport != Transport::Tls {
        tell(&happenings, Input::Opened { id, local }).await;
        return carry(id, stream, orders, happenings, None).await;
    }
    let shaken = match (tls.dial)(&connect) {
        Ok(handshake) => tokio::select! {
            shaken = secure(handshake, stream) => shaken,
            _ = orders.recv() => return,
        },
        Err(reason) => Err(reason),
    };
    match shaken {
        Ok((stream, explain)) => {
            tell(&happenings, Input::Opened { id, local }).await;
            carry(id, stream, orders, happenings, Some(explain)).await;
        }
        Err(reason) => {
            let fault = StreamFault::Handshake(reason);
            tell(&happenings, Input::Failed { id, fault }).await;
        }
    }
}

async fn secure(
    handshake: Handshake,
    stream: TcpStream,
) -> Result<(client::TlsStream<TcpStream>, Explain), String> {
    let connector = TlsConnector::from(handshake.config);
    let stream = connector
        .connect(handshake.name, stream)
        .await
        .map_err(|it| (handshake.explain)(&it))?;
    handshake.revocation.await?;
    Ok((stream, handshake.explain))
}

async fn reach(connect: &Connect) -> Result<TcpStream, StreamFault> {
    let socket = bind(connect.local).map_err(|it| stream_fault(&it))?;
    if connect.tcp_keep_alive.is_some() {
        socket.set_keepalive(true).map_err(|it| stream_fault(&it))?;
    }
    let stream = socket
        .connect(connect.peer)
        .await
        .map_err(|it| stream_fault(&it))?;
    // Messages are whole when they are written: waiting for more only delays them.
    stream.set_nodelay(true).map_err(|it| stream_fault(&it))?;
    Ok(stream)
}

/// A TCP socket that may take a port whose last connection lingers.
fn bind(local: SocketAddr) -> io::Result<TcpSocket> {
    let socket = match local {
        SocketAddr::V4(_) => TcpSocket::new_v4(),
        SocketAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(local)?;
    Ok(socket)
}

/// Moves octets both ways until either side ends it.
async fn carry<S: AsyncRead + AsyncWrite + Unpin>(
    id: SocketId,
    stream: S,
    mut orders: mpsc::Receiver<Vec<u8>>,
    happenings: Happenings,
    explain: Option<Explain>,
) {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = vec![0; CHUNK];
    let input = loop {
        tokio::select! {
            order = orders.recv() => {
                let Some(bytes) = order else {
                    // The peer is told; whether it listens is its affair.
                    let _ = timeout(PATIENCE, writer.shutdown()).await;
                    return;
                };
                match timeout(PATIENCE, write_whole(&mut writer, &bytes)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => break failed(id, &error, explain.as_ref()),
                    Err(_) => break Input::Failed { id, fault: StreamFault::TimedOut },
                }
            }
            read = reader.read(&mut buffer) => match read {
                Ok(0) => break Input::Closed { id },
                Ok(length) => {
                    let bytes = buffer[..length].to_vec();
                    tell(&happenings, Input::Data { id, bytes }).await;
                }
                // A TLS peer that closes without a word has closed all the same.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    break Input::Closed { id };
                }
                Err(error) => break failed(id, &error, explain.as_ref()),
            },
        }
    };
    tell(&happenings, input).await;
}

async fn write_whole<W: AsyncWrite + Unpin>(writer: &mut W, bytes: &[u8]) -> io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}

/// In TLS 1.3 a server refuses our certificate only after the handshake.
fn failed(id: SocketId, error: &io::Error, explain: Option<&Explain>) -> Input {
    let by_tls = error.get_ref().is_some_and(|it| it.is::<rustls::Error>());
    let fault = match explain.filter(|_| by_tls) {
        Some(explain) => StreamFault::Handshake(explain(error)),
        None => StreamFault::Reset,
    };
    Input::Failed { id, fault }
}

fn listen_fault(error: &io::Error) -> ListenFault {
    match error.kind() {
        io::ErrorKind::AddrInUse => ListenFault::PortInUse,
        io::ErrorKind::PermissionDenied => ListenFault::NotPermitted,
        io::ErrorKind::AddrNotAvailable => ListenFault::NoSuchAddress,
        _ => ListenFault::Other,
    }
}

fn stream_fault(error: &io::Error) -> StreamFault {
    match error.kind() {
        // A port whose last connection to the same peer lingers cannot be used either.
        io::ErrorKind::AddrInUse | io::ErrorKind::AddrNotAvailable => StreamFault::PortBusy,
        io::ErrorKind::ConnectionRefused => StreamFault::Refused,
        io::ErrorKind::HostUnreachable
        | io::ErrorKind::NetworkUnreachable
        | io::ErrorKind::NetworkDown => StreamFault::Unreachable,
        io::ErrorKind::TimedOut => StreamFault::TimedOut,
        _ => StreamFault::Reset,
    }
}

async fn look_up(resolver: &TokioResolver, query: &Query) -> Result<Answer, LookupFault> {
    let answer = match query {
        Query::A(name) => addresses(resolver, name, IpAddr::is_ipv4).await?,
        Query::Aaaa(name) => addresses(resolver, name, IpAddr::is_ipv6).await?,
        Query::Srv(name) => {
            let (data, ttl) = records(resolver, name, RecordType::SRV).await?;
            let records = Records::Srv(data.into_iter().filter_map(srv).collect());
            Answer { records, ttl }
        }
        Query::Naptr(name) => {
            let (data, ttl) = records(resolver, name, RecordType::NAPTR).await?;
            let records = Records::Naptr(data.into_iter().filter_map(naptr).collect());
            Answer { records, ttl }
        }
    };
    Ok(answer)
}

/// By `lookup_ip`, which knows the hosts file.
async fn addresses(
    resolver: &TokioResolver,
    name: &str,
    wanted: fn(&IpAddr) -> bool,
) -> Result<Answer, LookupFault> {
    let found = resolver
        .lookup_ip(rooted(name))
        .await
        .map_err(|it| lookup_fault(&it))?;
    let addresses = found.iter().filter(wanted).collect();
    Ok(Answer {
        records: Records::Addresses(addresses),
        ttl: found
            .valid_until()
            .saturating_duration_since(Instant::now()),
    })
}

async fn records(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordType,
) -> Result<(Vec<RData>, Duration), LookupFault> {
    let found = resolver
        .lookup(rooted(name), kind)
        .await
        .map_err(|it| lookup_fault(&it))?;
    let data = found.answers().iter().map(|it| it.data.clone()).collect();
    let ttl = found
        .valid_until()
        .saturating_duration_since(Instant::now());
    Ok((data, ttl))
}

/// With a dot at its end, so that no search domain is tried.
fn rooted(name: &str) -> String {
    match name.ends_with('.') || !name.contains('.') {
        true => name.to_owned(),
        false => format!("{name}."),
    }
}

fn srv(data: RData) -> Option<Srv> {
    let RData::SRV(srv) = data else { return None };
    Some(Srv {
        priority: srv.priority,
        weight: srv.weight,
        port: srv.port,
        target: srv.target.to_ascii(),
    })
}

fn naptr(data: RData) -> Option<Naptr> {
    let RData::NAPTR(naptr) = data else {
        return None;
    };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    Some(Naptr {
        order: naptr.order,
        preference: naptr.preference,
        flags: text(&naptr.flags),
        service: text(&naptr.services),
        replacement: naptr.replacement.to_ascii(),
    })
}

fn lookup_fault(error: &hickory_resolver::net::NetError) -> LookupFault {
    match error.is_no_records_found() {
        true => LookupFault::Nothing,
        false => LookupFault::NoAnswer,
    }
}

#[cfg(test)]
mod tests {
    use hickory_resolver::config::ResolverConfig;
    use hickory_resolver::net::runtime::TokioRuntimeProvider;

    use super::*;
    use crate::sip::event::TimeOfDay;
    use crate::sip::hostport::HostPort;
    use crate::sip::message::framing::{Frame, Framer};
    use crate::sip::message::{HeaderName, Message, Response, StatusCode};
    use crate::sip::settings::{Gateway, Settings, TransportConfig, UnitRegistration};
    use crate::sip::status::RegistrationState;

    const LOOPBACK: &str = "127.0.0.1:0";

    fn granted(bytes: &[u8]) -> Vec<u8> {
        let Ok(Message::Request(request)) = Message::parse(bytes) else {
            return Vec::new();
        };
        let mut response = Response::answering(&request, StatusCode::OK, Some("tag"));
        response
            .headers
            .copy(&HeaderName::Contact, &request.headers);
        response.to_bytes()
    }

    fn settings(registrar: SocketAddr, transport: Transport, port: u16) -> Settings {
        let mut settings = Settings::default();
        settings.interfaces.insert("Lan1".into(), registrar.ip());
        let gateway = Gateway {
            port,
            ..Gateway::default()
        };
        settings.gateways.insert("default".into(), gateway);
        let unit = UnitRegistration {
            username: "100".into(),
            ..UnitRegistration::default()
        };
        settings.unit_registrations.insert(1, unit);
        settings.proxy.home_domain_host = None;
        settings.registration.server_host =
            HostPort::parse(&registrar.to_string()).expect("a server");
        let config = TransportConfig {
            udp_enable: transport == Transport::Udp,
            tcp_enable: transport == Transport::Tcp,
            ..TransportConfig::default()
        };
        settings.transport_config.insert("default".into(), config);
        settings
    }

    /// Runs a stack until it is registered, then stops it.
    async fn registers(settings: Settings) {
        let config = ResolverConfig::default();
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .build()
            .expect("a resolver");
        let (_resolver, resolvers) = watch::channel(resolver);
        let (inputs, facts) = mpsc::channel(8);
        let (reports, mut reported) = mpsc::unbounded_channel();
        let tls = Tls {
            dial: Arc::new(|_| Err("no TLS here".into())),
            accept: Arc::new(|_| None),
        };
        let running = tokio::spawn(run(Stack::new([1; 32]), facts, tls, resolvers, reports));
        let first = Input::Settings(Box::new(settings));
        for input in [Input::Time(TimeOfDay::Known), first] {
            inputs.send(input).await.expect("it runs");
        }
        let registered = async {
            while let Some(report) = reported.recv().await {
                let Report::Status(status) = report else {
                    continue;
                };
                let first = status.registrations.first();
                if first.is_some_and(|it| it.state == RegistrationState::Registered) {
                    return;
                }
            }
            panic!("it ended without having registered");
        };
        timeout(PATIENCE, registered)
            .await
            .expect("registered in time");
        inputs.send(Input::Shutdown).await.expect("it runs");
        let stopped = timeout(PATIENCE, running).await.expect("stopped in time");
        stopped.expect("no panic");
    }

    async fn free_port() -> u16 {
        let socket = UdpSocket::bind(LOOPBACK).await.expect("a socket");
        socket.local_addr().expect("an address").port()
    }

    #[tokio::test]
    async fn a_stack_registers_and_leaves_over_real_datagrams() {
        let socket = UdpSocket::bind(LOOPBACK).await.expect("a socket");
        let addr = socket.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let mut buffer = vec![0; MAX_MESSAGE];
            while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
                let _ = socket.send_to(&granted(&buffer[..length]), peer).await;
            }
        });
        registers(settings(addr, Transport::Udp, free_port().await)).await;
        server.abort();
    }

    #[tokio::test]
    async fn a_stack_registers_and_leaves_over_a_real_stream() {
        let listener = TcpListener::bind(LOOPBACK).await.expect("a socket");
        let addr = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a peer");
            let mut framer = Framer::new();
            let mut buffer = vec![0; CHUNK];
            while let Ok(length @ 1..) = stream.read(&mut buffer).await {
                framer.push(&buffer[..length]);
                while let Ok(Some(Frame::Message(message))) = framer.next() {
                    let answer = granted(&message.to_bytes());
                    stream.write_all(&answer).await.expect("written");
                }
            }
        });
        registers(settings(addr, Transport::Tcp, free_port().await)).await;
        timeout(PATIENCE, server)
            .await
            .expect("closed in time")
            .expect("no panic");
    }
}
