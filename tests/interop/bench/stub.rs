//! A registrar that behaves as it is told: threads, sockets and its own small
//! reading of SIP, none of it ours.

use super::{Identity, eventually};
use openssl::ssl::{SslAcceptor, SslMethod, SslVersion};
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long anything waits before it looks whether the test has ended.
const TICK: Duration = Duration::from_millis(50);

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) text: String,
}

impl Asked {
    /// Every value of a header field, in order.
    pub(crate) fn headers(&self, name: &str) -> Vec<&str> {
        let fields = self.text.lines().skip(1).take_while(|it| !it.is_empty());
        let fields = fields.filter_map(|line| line.split_once(':'));
        fields
            .filter(|(field, _)| field.trim().eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim())
            .collect()
    }

    /// The first value of a header field, or "".
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers(name).first().copied().unwrap_or_default()
    }

    fn binds(&self) -> bool {
        let zero = self.header("Expires") == "0" || self.header("Contact").contains("expires=0");
        self.text.starts_with("REGISTER") && !zero
    }
}

type Behaviour = Arc<dyn Fn(&Asked) -> Option<String> + Send + Sync>;

/// A registrar; it ends with the test.
pub(crate) struct Stub {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    behaviour: Behaviour,
    /// Each connection is closed after so long without a request or a ping.
    idle: Option<Duration>,
    ended: AtomicBool,
    connections: AtomicU32,
    /// What bound a contact, and how it was answered.
    seen: Mutex<Vec<(Asked, Option<String>)>>,
}

impl Stub {
    /// Over UDP.
    pub(crate) fn udp(
        behaviour: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared::new(behaviour, None);
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        socket.set_read_timeout(Some(TICK)).expect("a timeout");
        let port = socket.local_addr().expect("bound").port();
        let serving = Arc::clone(&shared);
        thread::spawn(move || serving.datagrams(&socket));
        Self { port, shared }
    }

    /// Over TCP.
    pub(crate) fn tcp(
        idle: Option<Duration>,
        behaviour: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::streams(Shared::new(behaviour, idle), None, 0)
    }

    /// Over TCP, where somebody expects it.
    pub(crate) fn tcp_at(
        port: u16,
        behaviour: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::streams(Shared::new(behaviour, None), None, port)
    }

    /// Over TLS up to a version.
    pub(crate) fn tls(
        identity: &Identity,
        newest: SslVersion,
        behaviour: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        let acceptor = acceptor(identity, newest);
        Self::streams(Shared::new(behaviour, None), Some(acceptor), 0)
    }

    fn streams(shared: Arc<Shared>, tls: Option<SslAcceptor>, port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).expect("a socket");
        listener.set_nonblocking(true).expect("not blocking");
        let port = listener.local_addr().expect("bound").port();
        let serving = Arc::clone(&shared);
        thread::spawn(move || serving.accept(&listener, tls.as_ref()));
        Self { port, shared }
    }

    /// The REGISTERs that were answered with 200.
    pub(crate) fn granted(&self) -> Vec<Asked> {
        let seen = self.shared.seen.lock().expect("no panic");
        let granted = seen.iter().filter(|(_, answer)| {
            let answer = answer.as_deref().unwrap_or_default();
            answer.starts_with("SIP/2.0 200 ")
        });
        granted.map(|(asked, _)| asked.clone()).collect()
    }

    /// Every REGISTER that bound something, however it was answered.
    pub(crate) fn asked(&self) -> usize {
        self.shared.seen.lock().expect("no panic").len()
    }

    /// Waits for a REGISTER that it answers with 200.
    pub(crate) fn registers(&self) -> Asked {
        let limit = Duration::from_secs(20);
        eventually("the registrar grants a registration", limit, || {
            self.granted().pop()
        })
    }

    pub(crate) fn connections(&self) -> u32 {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn new(
        behaviour: impl Fn(&Asked) -> Option<String> + Send + Sync + 'static,
        idle: Option<Duration>,
    ) -> Arc<Self> {
        Arc::new(Self {
            behaviour: Arc::new(behaviour),
            idle,
            ended: AtomicBool::new(false),
            connections: AtomicU32::new(0),
            seen: Mutex::new(Vec::new()),
        })
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    fn answer(&self, asked: Asked) -> Option<String> {
        let answer = (self.behaviour)(&asked);
        if asked.binds() {
            let mut seen = self.seen.lock().expect("no panic");
            seen.push((asked, answer.clone()));
        }
        answer
    }

    fn datagrams(&self, socket: &UdpSocket) {
        let mut buffer = [0; 65_536];
        while !self.has_ended() {
            let Ok((length, peer)) = socket.recv_from(&mut buffer) else {
                continue;
            };
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if text.trim().is_empty() {
                continue;
            }
            if let Some(answer) = self.answer(Asked { text }) {
                let _ = socket.send_to(answer.as_bytes(), peer);
            }
        }
    }

    fn accept(self: Arc<Self>, listener: &TcpListener, tls: Option<&SslAcceptor>) {
        while !self.has_ended() {
            let Ok((stream, _)) = listener.accept() else {
                sleep(TICK);
                continue;
            };
            self.connections.fetch_add(1, Ordering::Relaxed);
            stream.set_nonblocking(false).expect("blocking");
            let serving = Arc::clone(&self);
            let tls = tls.cloned();
            thread::spawn(move || serving.secure(stream, tls.as_ref()));
        }
    }

    fn secure(&self, stream: TcpStream, tls: Option<&SslAcceptor>) {
        let patience = Some(Duration::from_secs(5));
        stream.set_read_timeout(patience).expect("a timeout");
        let Some(tls) = tls else {
            stream.set_read_timeout(Some(TICK)).expect("a timeout");
            return self.carry(stream);
        };
        if let Ok(stream) = tls.accept(stream) {
            let below = stream.get_ref().set_read_timeout(Some(TICK));
            below.expect("a timeout");
            self.carry(stream);
        }
    }

    /// Until the peer closes, or was silent for too long.
    fn carry(&self, mut stream: impl Read + Write) {
        let mut pending = Vec::new();
        let mut buffer = [0; 4096];
        let mut active = Instant::now();
        while !self.has_ended() && self.idle.is_none_or(|limit| active.elapsed() < limit) {
            match stream.read(&mut buffer) {
                Ok(0) => return,
                Ok(length) => pending.extend_from_slice(&buffer[..length]),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                        continue;
                    }
                    _ => return,
                },
            }
            active = Instant::now();
            // RFC 5626 §3.5.1: a double CRLF is answered by one.
            while pending.starts_with(b"\r\n\r\n") {
                pending.drain(..4);
                let _ = stream.write_all(b"\r\n");
            }
            while let Some(text) = take_message(&mut pending) {
                if let Some(answer) = self.answer(Asked { text }) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
        }
    }
}

/// A response with the fields that every response has, and more.
pub(crate) fn answer(asked: &Asked, status: &str, more: &[&str]) -> Option<String> {
    let mut text = format!("SIP/2.0 {status}\r\n");
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        for value in asked.headers(name) {
            let tag = match name == "To" && !value.contains(";tag=") {
                true => ";tag=stub",
                false => "",
            };
            text += &format!("{name}: {value}{tag}\r\n");
        }
    }
    for line in more {
        text += &format!("{line}\r\n");
    }
    Some(text + "Content-Length: 0\r\n\r\n")
}

/// 200 with the Contact that was asked for, for an hour.
pub(crate) fn grant(asked: &Asked) -> Option<String> {
    if !asked.binds() {
        return answer(asked, "200 OK", &[]);
    }
    let own = asked.headers("Contact").into_iter();
    let own: Vec<String> = own
        .map(|it| format!("Contact: {it};expires=3600"))
        .collect();
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    answer(asked, "200 OK", &own)
}

fn take_message(pending: &mut Vec<u8>) -> Option<String> {
    while pending.starts_with(b"\r\n") {
        pending.drain(..2);
    }
    let head = pending.windows(4).position(|it| it == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&pending[..head]).into_owned();
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let wanted = name.eq_ignore_ascii_case("Content-Length");
        wanted.then(|| value.trim().parse::<usize>().ok())?
    });
    let whole = head + length.unwrap_or_default();
    if pending.len() < whole {
        return None;
    }
    pending.drain(..whole);
    Some(text)
}

fn acceptor(identity: &Identity, newest: SslVersion) -> SslAcceptor {
    let server = SslMethod::tls_server();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(server).expect("TLS");
    builder.set_min_proto_version(None).expect("a version");
    let newest = builder.set_max_proto_version(Some(newest));
    newest.expect("a version");
    // TLS 1.0 needs what OpenSSL keeps below its usual level.
    let ciphers = builder.set_cipher_list("ALL:@SECLEVEL=0");
    ciphers.expect("cipher suites");
    builder.set_private_key(&identity.key).expect("a key");
    let certificate = builder.set_certificate(&identity.certificate);
    certificate.expect("a certificate");
    builder.build()
}
