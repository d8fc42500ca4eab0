//! An auto-configuration server on plain sockets, as strict as real ones are:
//! its digest is bound to the connection, its session to a cookie. It writes
//! its own XML, keeps a record of all that it was sent, and plays tricks.

use super::{Folder, Identity, eventually, run};
use openssl::hash::{MessageDigest, hash};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(50);
const LIMIT: Duration = Duration::from_secs(30);

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Which connection it came by, from 1.
    pub(crate) connection: u32,
    /// From which address.
    pub(crate) from: IpAddr,
    pub(crate) head: String,
    pub(crate) body: String,
    /// The status that it was answered with; 0: none.
    pub(crate) status: u16,
    pub(crate) at: Instant,
}

impl Sent {
    /// The value of a header field.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1);
        let mut fields = fields.filter_map(|line| line.split_once(':'));
        let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim())
    }

    pub(crate) fn is(&self, method: &str) -> bool {
        self.body.contains(&format!("<cwmp:{method}>"))
            || self.body.contains(&format!("<cwmp:{method}/>"))
            || self.body.contains(&format!("<soap:{method}>"))
    }

    /// The texts of an element.
    pub(crate) fn texts(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let parts = self.body.split(&open).skip(1);
        let texts = parts.filter_map(|part| part.split(&close).next());
        texts.map(str::to_owned).collect()
    }

    /// The event codes of an Inform.
    pub(crate) fn events(&self) -> Vec<String> {
        self.texts("EventCode")
    }
}

/// What it does to one message instead of answering it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Trick {
    /// 503, with so many seconds in Retry-After.
    Busy(u32),
    /// 307 to there.
    Redirect(String),
    /// The answer is right, but the connection ends after it.
    Close,
    /// The connection ends without a word.
    Reset,
    /// These octets are the whole answer.
    Say(Vec<u8>),
    /// Nothing for so long.
    Wait(Duration),
}

/// Which message a trick is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    Inform,
    Empty,
    Answer,
}

/// A server; it ends with the test.
pub(crate) struct Acs {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    /// Who may come in; None: everybody.
    account: Option<(String, String)>,
    tls: Option<SslAcceptor>,
    ended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    record: Vec<Sent>,
    orders: VecDeque<String>,
    tricks: VecDeque<(On, Trick)>,
    connections: u32,
    sessions: u32,
    /// Sessions that ended with an empty answer.
    ended: usize,
    /// The message, counted from 1, that is never answered.
    stall: Option<usize>,
}

/// What a connection knows.
#[derive(Default)]
struct Known {
    number: u32,
    nonce: String,
    proven: bool,
}

impl Acs {
    /// For everybody.
    pub(crate) fn open() -> Self {
        Self::start(None, None)
    }

    /// For who proves this user's password.
    pub(crate) fn guarded(user: &str, password: &str) -> Self {
        Self::start(Some((user.to_owned(), password.to_owned())), None)
    }

    /// Over TLS; with an authority's file, only for clients that it has certified.
    pub(crate) fn secure(identity: &Identity, clients: Option<&Path>) -> Self {
        let server = SslMethod::tls_server();
        let mut builder = SslAcceptor::mozilla_intermediate_v5(server).expect("TLS");
        builder.set_private_key(&identity.key).expect("a key");
        let certificate = builder.set_certificate(&identity.certificate);
        certificate.expect("a certificate");
        if let Some(authority) = clients {
            builder.set_ca_file(authority).expect("an authority");
            builder.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
        }
        Self::start(None, Some(builder.build()))
    }

    /// For everybody, at every address of the machine.
    pub(crate) fn everywhere() -> Self {
        Self::start_at("0.0.0.0:0", None, None)
    }

    fn start(account: Option<(String, String)>, tls: Option<SslAcceptor>) -> Self {
        Self::start_at("127.0.0.1:0", account, tls)
    }

    fn start_at(
        address: &str,
        account: Option<(String, String)>,
        tls: Option<SslAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind(address).expect("a socket");
        listener.set_nonblocking(true).expect("not blocking");
        let port = listener.local_addr().expect("bound").port();
        let shared = Arc::new(Shared {
            account,
            tls,
            ended: AtomicBool::new(false),
            state: Mutex::default(),
        });
        let serving = shared.clone();
        thread::spawn(move || serving.accept(&listener));
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/cwmp?who=me", self.port)
    }

    /// Asks this in the next session, after what it asks already.
    pub(crate) fn asks(&self, body: &str) {
        self.state().orders.push_back(body.to_owned());
    }

    /// Plays this on the next message of its kind.
    pub(crate) fn plays(&self, on: On, trick: Trick) {
        self.state().tricks.push_back((on, trick));
    }

    /// Takes this message, counted from 1, and answers nothing to it.
    pub(crate) fn stalls_at(&self, number: usize) {
        self.state().stall = Some(number);
    }

    /// Whether there is nothing left to be asked.
    pub(crate) fn has_asked_all(&self) -> bool {
        self.state().orders.is_empty()
    }

    pub(crate) fn record(&self) -> Vec<Sent> {
        self.state().record.clone()
    }

    /// The Informs that it took.
    pub(crate) fn informs(&self) -> Vec<Sent> {
        let record = self.record().into_iter();
        record
            .filter(|sent| sent.is("Inform") && sent.status == 200)
            .collect()
    }

    /// Waits until so many sessions have ended well.
    pub(crate) fn ended(&self, sessions: usize) {
        let what = format!("{sessions} sessions end; the record: {:#?}", self.brief());
        eventually(&what, LIMIT, || {
            (self.state().ended >= sessions).then_some(())
        });
    }

    /// Waits for a message.
    pub(crate) fn waits(&self, what: &str, wanted: impl Fn(&Sent) -> bool) -> Sent {
        eventually(what, LIMIT, || self.record().into_iter().find(&wanted))
    }

    fn brief(&self) -> Vec<String> {
        let record = self.record().into_iter();
        record
            .map(|sent| format!("{} {} {:.80}", sent.connection, sent.status, sent.body))
            .collect()
    }

    /// Every envelope that it was sent is one by the Broadband Forum's schemas.
    pub(crate) fn judges_every_envelope(&self, folder: &Folder) {
        let schemas = std::env::var("DEMARC_BBF").expect("DEMARC_BBF names the schemas' folder");
        let bodies = self.record().into_iter().map(|sent| sent.body);
        let bodies = bodies.filter(|body| !body.is_empty());
        let files: Vec<_> = (0..)
            .zip(bodies)
            .map(|(number, body)| folder.file(&format!("{}-{number}.xml", self.port), &body))
            .collect();
        assert!(!files.is_empty(), "nothing was sent");
        let checker = Path::new(&schemas).join("check_envelope.py");
        // The one that the system's packages are for.
        run(Command::new("/usr/bin/python3").arg(checker).args(files));
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().expect("no panic")
    }
}

impl Drop for Acs {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn accept(self: Arc<Self>, listener: &TcpListener) {
        while !self.ended.load(Ordering::Relaxed) {
            let Ok((stream, peer)) = listener.accept() else {
                sleep(TICK);
                continue;
            };
            stream.set_nonblocking(false).expect("blocking");
            let patience = Some(Duration::from_secs(5));
            stream.set_read_timeout(patience).expect("a timeout");
            let serving = self.clone();
            thread::spawn(move || match &serving.tls {
                None => serving.carry(stream, peer.ip()),
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream) {
                        serving.carry(stream, peer.ip());
                    }
                }
            });
        }
    }

    fn carry(&self, mut stream: impl Read + Write, from: IpAddr) {
        let number = {
            let mut state = self.state.lock().expect("no panic");
            state.connections += 1;
            state.connections
        };
        let mut known = Known {
            number,
            ..Known::default()
        };
        while let Some((head, body)) = take_request(&mut stream) {
            let sent = Sent {
                connection: number,
                from,
                head,
                body,
                status: 0,
                at: Instant::now(),
            };
            let (answer, goes_on) = self.answer(&mut known, sent);
            if stream.write_all(&answer).is_err() || !goes_on {
                return;
            }
        }
    }

    /// The octets of an answer, and whether the connection goes on.
    fn answer(&self, known: &mut Known, mut sent: Sent) -> (Vec<u8>, bool) {
        let on = match &sent.body {
            body if body.is_empty() => On::Empty,
            _ if sent.is("Inform") => On::Inform,
            _ => On::Answer,
        };
        let mut state = self.state.lock().expect("no panic");
        let front = state.tricks.front().is_some_and(|(when, _)| *when == on);
        let trick = match front {
            true => state.tricks.pop_front().map(|(_, trick)| trick),
            false if state.stall == Some(state.record.len() + 1) => {
                Some(Trick::Wait(Duration::from_secs(5)))
            }
            false => None,
        };
        let (status, fields, body) = match &trick {
            Some(Trick::Busy(seconds)) => {
                (503, format!("Retry-After: {seconds}\r\n"), String::new())
            }
            Some(Trick::Redirect(there)) => (307, format!("Location: {there}\r\n"), String::new()),
            Some(Trick::Reset | Trick::Say(_) | Trick::Wait(_)) => {
                (0, String::new(), String::new())
            }
            Some(Trick::Close) | None => {
                let (status, mut fields, body) = self.judge(&mut state, known, &sent, on);
                if trick == Some(Trick::Close) {
                    fields += "Connection: close\r\n";
                }
                (status, fields, body)
            }
        };
        sent.status = status;
        state.record.push(sent);
        drop(state);
        match trick {
            Some(Trick::Reset) => return (Vec::new(), false),
            Some(Trick::Say(octets)) => return (octets, false),
            Some(Trick::Wait(span)) => {
                sleep(span);
                return (Vec::new(), false);
            }
            _ => {}
        }
        let length = body.len();
        let head = match status {
            204 => format!("HTTP/1.1 204 No Content\r\n{fields}\r\n"),
            _ => format!("HTTP/1.1 {status} So\r\n{fields}Content-Length: {length}\r\n\r\n"),
        };
        let goes_on = !fields.contains("Connection: close");
        ((head + &body).into_bytes(), goes_on)
    }

    fn judge(
        &self,
        state: &mut State,
        known: &mut Known,
        sent: &Sent,
        on: On,
    ) -> (u16, String, String) {
        let nothing = String::new;
        if !known.proven && !self.admits(known, sent) {
            known.nonce = format!("nonce-{}-{}", known.number, state.record.len());
            let challenge = format!(
                "WWW-Authenticate: Digest realm=\"acs\", nonce=\"{}\", qop=\"auth,auth-int\", \
                 algorithm=MD5\r\n",
                known.nonce
            );
            return (401, challenge, nothing());
        }
        known.proven = true;
        let cookie = format!("session={}", state.sessions);
        if on == On::Inform {
            state.sessions += 1;
            let field = format!("Set-Cookie: session={}; HttpOnly\r\n", state.sessions);
            let response = "<C:InformResponse><MaxEnvelopes>1</MaxEnvelopes></C:InformResponse>";
            return (200, field, envelope(response));
        }
        if sent.field("Cookie") != Some(cookie.as_str()) {
            return (400, nothing(), "Invalid session".to_owned());
        }
        for told in [
            "TransferComplete",
            "AutonomousTransferComplete",
            "RequestDownload",
        ] {
            if sent.is(told) {
                return (200, nothing(), envelope(&format!("<C:{told}Response/>")));
            }
        }
        match state.orders.pop_front() {
            Some(order) => (200, nothing(), envelope(&order)),
            None => {
                state.ended += 1;
                (204, nothing(), nothing())
            }
        }
    }

    /// RFC 7616 §3.4.1, for MD5 and qop auth.
    fn admits(&self, known: &Known, sent: &Sent) -> bool {
        let Some((user, password)) = &self.account else {
            return true;
        };
        let Some(proof) = sent.field("Authorization") else {
            return false;
        };
        let part = |name: &str| {
            let parts = proof.trim_start_matches("Digest ").split(',');
            let mut parts = parts.filter_map(|part| part.trim().split_once('='));
            let found = parts.find(|(key, _)| *key == name);
            found.map_or("", |(_, value)| value.trim_matches('"'))
        };
        let target = sent.head.split(' ').nth(1).unwrap_or_default();
        part("username") == user
            && part("nonce") == known.nonce
            && part("uri") == target
            && part("response") == digest(user, password, "POST", &part)
    }
}

/// The response of a digest whose parts are given.
pub(crate) fn digest<'a>(
    user: &str,
    password: &str,
    method: &str,
    part: &dyn Fn(&str) -> &'a str,
) -> String {
    let first = md5(&format!("{user}:{}:{password}", part("realm")));
    let second = md5(&format!("{method}:{}", part("uri")));
    let (nonce, count) = (part("nonce"), part("nc"));
    let (cnonce, qop) = (part("cnonce"), part("qop"));
    md5(&format!("{first}:{nonce}:{count}:{cnonce}:{qop}:{second}"))
}

fn md5(text: &str) -> String {
    let digest = hash(MessageDigest::md5(), text.as_bytes()).expect("MD5");
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// An envelope as some ACS writes it; a document is one already.
fn envelope(body: &str) -> String {
    if body.starts_with("<?xml") {
        return body.to_owned();
    }
    format!(
        "<S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:E=\"http://schemas.xmlsoap.org/soap/encoding/\" \
         xmlns:D=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:I=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:C=\"urn:dslforum-org:cwmp-1-0\"><S:Header>\
         <C:ID S:mustUnderstand=\"1\">7</C:ID></S:Header><S:Body>{body}</S:Body></S:Envelope>"
    )
}

/// A head and a body by its Content-Length; chunks are not understood.
fn take_request(stream: &mut impl Read) -> Option<(String, String)> {
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
                let body = String::from_utf8_lossy(&pending[at + 4..whole]).into_owned();
                return Some((head, body));
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(length) => pending.extend_from_slice(&buffer[..length]),
        }
    }
}

/// A GET as an ACS sends its connection requests; the status line and the head of the answer.
pub(crate) fn get(url: &str, fields: &str) -> String {
    let rest = url.strip_prefix("http://").expect("an http URL");
    let (authority, path) = rest.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(authority).expect("somebody listens");
    let patience = Some(Duration::from_secs(5));
    stream.set_read_timeout(patience).expect("a timeout");
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {authority}\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).expect("sent");
    let mut octets = Vec::new();
    let mut buffer = [0; 4096];
    while !octets.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(length) => octets.extend_from_slice(&buffer[..length]),
        }
    }
    String::from_utf8_lossy(&octets).into_owned()
}
