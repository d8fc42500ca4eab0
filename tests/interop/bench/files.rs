//! A file server on plain sockets: it gives and takes files, wants a digest
//! where it is told to, and plays tricks. It keeps a record of all requests.

use super::Identity;
use super::acs::digest;
use openssl::ssl::{SslAcceptor, SslMethod};
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::Duration;

const TICK: Duration = Duration::from_millis(50);

/// What is at a path.
#[derive(Clone, Debug)]
pub(crate) enum Place {
    /// A file.
    File(Vec<u8>),
    /// The same, with this header line.
    With(Vec<u8>, String),
    /// It promises twice as much as it gives, and hangs up.
    Cut(Vec<u8>),
    /// Nothing for so long.
    Slow(Duration),
    /// This status, with these header lines.
    Status(u16, String),
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Fetch {
    pub(crate) line: String,
    pub(crate) proven: bool,
    pub(crate) body: Vec<u8>,
}

/// A server; it ends with the test.
pub(crate) struct Files {
    pub(crate) port: u16,
    secure: bool,
    shared: Arc<Shared>,
}

struct Shared {
    account: Option<(String, String)>,
    tls: Option<SslAcceptor>,
    ended: AtomicBool,
    places: Mutex<HashMap<String, Place>>,
    record: Mutex<Vec<Fetch>>,
}

impl Files {
    /// In the clear, for everybody.
    pub(crate) fn open() -> Self {
        Self::start(None, None)
    }

    /// In the clear, for who proves this user's password.
    pub(crate) fn guarded(user: &str, password: &str) -> Self {
        Self::start(Some((user.to_owned(), password.to_owned())), None)
    }

    /// Over TLS, for who proves this user's password.
    pub(crate) fn secure(identity: &Identity, user: &str, password: &str) -> Self {
        let account = (user.to_owned(), password.to_owned());
        Self::start(Some(account), Some(acceptor(identity)))
    }

    /// Over TLS, for everybody.
    pub(crate) fn secure_for_everybody(identity: &Identity) -> Self {
        Self::start(None, Some(acceptor(identity)))
    }

    fn start(account: Option<(String, String)>, tls: Option<SslAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
        listener.set_nonblocking(true).expect("not blocking");
        let port = listener.local_addr().expect("bound").port();
        let secure = tls.is_some();
        let shared = Arc::new(Shared {
            account,
            tls,
            ended: AtomicBool::new(false),
            places: Mutex::default(),
            record: Mutex::default(),
        });
        let serving = shared.clone();
        thread::spawn(move || serving.accept(&listener));
        Self {
            port,
            secure,
            shared,
        }
    }

    /// What is at this path from now on; where that is.
    pub(crate) fn put(&self, path: &str, place: Place) -> String {
        let mut places = self.shared.places.lock().expect("no panic");
        places.insert(format!("/{path}"), place);
        match self.secure {
            true => format!("https://files.test:{}/{path}", self.port),
            false => format!("http://127.0.0.1:{}/{path}", self.port),
        }
    }

    pub(crate) fn record(&self) -> Vec<Fetch> {
        self.shared.record.lock().expect("no panic").clone()
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        while !self.ended.load(Ordering::Relaxed) {
            let Ok((stream, _)) = listener.accept() else {
                sleep(TICK);
                continue;
            };
            stream.set_nonblocking(false).expect("blocking");
            let serving = self.clone();
            thread::spawn(move || serving.meet(stream));
        }
    }

    fn meet(&self, stream: TcpStream) {
        let patience = Some(Duration::from_secs(5));
        stream.set_read_timeout(patience).expect("a timeout");
        match &self.tls {
            None => self.carry(stream),
            Some(tls) => {
                if let Ok(stream) = tls.accept(stream) {
                    self.carry(stream);
                }
            }
        }
    }

    fn carry(&self, mut stream: impl Read + Write) {
        while let Some((head, body)) = take(&mut stream) {
            let proven = self.admits(&head);
            let line = head.lines().next().unwrap_or_default().to_owned();
            let mut record = self.record.lock().expect("no panic");
            record.push(Fetch {
                line: line.clone(),
                proven,
                body,
            });
            drop(record);
            let path = line.split(' ').nth(1).unwrap_or_default();
            let places = self.places.lock().expect("no panic");
            let place = places.get(path).cloned();
            drop(places);
            let answer = match (proven, place) {
                (false, _) => said(
                    401,
                    "WWW-Authenticate: Digest realm=\"files\", nonce=\"n1\", qop=\"auth\"\r\n",
                    b"",
                ),
                (true, None) => said(404, "", b"no"),
                (true, Some(Place::File(file))) => said(200, "", &file),
                (true, Some(Place::With(file, field))) => said(200, &field, &file),
                (true, Some(Place::Status(status, fields))) => said(status, &fields, b""),
                (true, Some(Place::Slow(span))) => {
                    sleep(span);
                    return;
                }
                (true, Some(Place::Cut(file))) => {
                    let length = file.len() * 2;
                    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                    let _ = stream.write_all(&[head.as_bytes(), &file].concat());
                    return;
                }
            };
            if stream.write_all(&answer).is_err() {
                return;
            }
        }
    }

    /// RFC 7616 §3.4.1, for MD5 and qop auth.
    fn admits(&self, head: &str) -> bool {
        let Some((user, password)) = &self.account else {
            return true;
        };
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default();
        let (method, target) = line.split_once(' ').unwrap_or_default();
        let target = target.split(' ').next().unwrap_or_default();
        let proof = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("Authorization").then_some(value)
        });
        let Some(proof) = proof else {
            return false;
        };
        let part = |name: &str| {
            let parts = proof.trim().trim_start_matches("Digest ").split(',');
            let mut parts = parts.filter_map(|part| part.trim().split_once('='));
            let found = parts.find(|(key, _)| *key == name);
            found.map_or("", |(_, value)| value.trim_matches('"'))
        };
        part("username") == user
            && part("nonce") == "n1"
            && part("uri") == target
            && part("response") == digest(user, password, method, &part)
    }
}

fn acceptor(identity: &Identity) -> SslAcceptor {
    let server = SslMethod::tls_server();
    let mut builder = SslAcceptor::mozilla_intermediate_v5(server).expect("TLS");
    builder.set_private_key(&identity.key).expect("a key");
    let certificate = builder.set_certificate(&identity.certificate);
    certificate.expect("a certificate");
    builder.build()
}

fn said(status: u16, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} So\r\n{fields}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// A head and a body by its Content-Length.
fn take(stream: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut pending = Vec::new();
    let mut buffer = [0; 65_536];
    loop {
        if let Some(at) = pending.windows(4).position(|it| it == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&pending[..at]).into_owned();
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                let wanted = name.eq_ignore_ascii_case("Content-Length");
                wanted.then(|| value.trim().parse::<usize>().ok())?
            });
            let whole = at + 4 + length.unwrap_or_default();
            if pending.len() >= whole {
                return Some((head, pending[at + 4..whole].to_vec()));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => pending.extend_from_slice(&buffer[..read]),
        }
    }
}
