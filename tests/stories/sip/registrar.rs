//! A stub registrar: answers as told, and remembers what it was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use demarc::sip::event::{Session, Stage, TlsRefusal};
use demarc::sip::message::{Contact, HeaderName, Method, Request, Response, StatusCode};
use demarc::sip::transport::Transport;
use demarc::wire::digest::{Credentials, Secret, Target};

/// How a registrar behaves.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// What it speaks; by anything else it is mute.
    pub(super) transports: Vec<Transport>,
    /// It asks for a digest with this password.
    pub(super) password: Option<String>,
    /// It answers 423 to less.
    pub(super) min_expires: Option<u32>,
    /// It grants this where nothing is proposed.
    pub(super) grants: u32,
    /// It answers so, while this is set.
    pub(super) refuses: Option<(u16, Option<u32>)>,
    /// It calls the nonce stale this many times.
    pub(super) stale: u32,
    /// It answers 500 to a Contact without a transport.
    pub(super) wants_transport: bool,
    /// It lists this binding too.
    pub(super) stranger: Option<String>,
    /// It lists no binding of its own.
    pub(super) lists_nobody_else: bool,
    /// It does not say how long a binding lasts.
    pub(super) names_no_expiry: bool,
    /// It challenges as RFC 2069 did.
    pub(super) without_qop: bool,
    /// It agrees to flows, with this interval of keep-alives.
    pub(super) flow_timer: Option<u32>,
    /// The way that it gives for other requests.
    pub(super) service_route: Option<String>,
    /// It closes streams that were idle so long.
    pub(super) closes_idle: Option<Duration>,
    /// It does not answer at all.
    pub(super) is_dead: bool,
    /// It refuses TLS handshakes for this.
    pub(super) refuses_tls: Option<TlsRefusal>,
    /// It takes streams that far, and says nothing more.
    pub(super) hangs: Option<Stage>,
    /// What TLS agrees on.
    pub(super) session: Option<Session>,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            transports: Transport::ALL.to_vec(),
            password: None,
            min_expires: None,
            grants: 3600,
            refuses: None,
            stale: 0,
            wants_transport: false,
            stranger: None,
            lists_nobody_else: false,
            names_no_expiry: false,
            without_qop: false,
            flow_timer: None,
            service_route: None,
            closes_idle: None,
            is_dead: false,
            refuses_tls: None,
            hangs: None,
            session: None,
        }
    }
}

/// One registrar at one address.
#[derive(Debug)]
pub(super) struct Registrar {
    pub(super) addr: SocketAddr,
    pub(super) manner: Manner,
    /// Every request with its transport, in order.
    pub(super) seen: Vec<(Transport, Request)>,
    /// Every response that came to it.
    pub(super) responses: Vec<Response>,
    /// What is bound: Contact URI to seconds.
    pub(super) bindings: BTreeMap<String, u32>,
    nonces: u32,
}

impl Registrar {
    pub(super) fn new(addr: SocketAddr, manner: Manner) -> Self {
        Self {
            addr,
            manner,
            seen: Vec::new(),
            responses: Vec::new(),
            bindings: BTreeMap::new(),
            nonces: 0,
        }
    }

    /// The answer to a request, if it gives one.
    pub(super) fn answer(&mut self, transport: Transport, request: &Request) -> Option<Response> {
        self.seen.push((transport, request.clone()));
        match request.method {
            Method::Register => Some(self.register(request)),
            Method::Options => Some(Response::answering(request, StatusCode::OK, Some("s"))),
            _ => None,
        }
    }

    /// The methods that it was sent, with the status of what they bind.
    pub(super) fn registers(&self) -> Vec<&Request> {
        let registers = self.seen.iter().map(|(_, it)| it);
        registers
            .filter(|it| it.method == Method::Register)
            .collect()
    }

    fn register(&mut self, request: &Request) -> Response {
        if let Some((code, retry_after)) = self.manner.refuses {
            let mut response = respond(request, code);
            if let Some(seconds) = retry_after {
                response.headers.push(HeaderName::RetryAfter, seconds);
            }
            return response;
        }
        if let Some(challenge) = self.challenge(request) {
            return challenge;
        }
        let contacts = request.headers.contacts().expect("readable Contacts");
        let bare = |it: &Contact| {
            it.address()
                .is_some_and(|it| it.uri.param("transport").is_none())
        };
        if self.manner.wants_transport && contacts.iter().any(bare) {
            return respond(request, 500);
        }
        let asked = request.headers.expires();
        if let (Some(least), Some(asked)) = (self.manner.min_expires, asked)
            && asked > 0
            && asked < least
        {
            let mut response = respond(request, 423);
            response.headers.push(HeaderName::MinExpires, least);
            return response;
        }
        for contact in &contacts {
            let Some(address) = contact.address() else {
                continue;
            };
            let uri = address.uri.as_str().to_owned();
            match contact.expires().or(asked).unwrap_or(self.manner.grants) {
                0 => self.bindings.remove(&uri),
                seconds => self.bindings.insert(uri, seconds),
            };
        }
        self.listing(request)
    }

    fn listing(&self, request: &Request) -> Response {
        let mut response = respond(request, 200);
        if let Some(seconds) = self.manner.flow_timer {
            response.headers.push(HeaderName::Require, "outbound");
            response.headers.push(HeaderName::FlowTimer, seconds);
        }
        if let Some(route) = &self.manner.service_route {
            response.headers.push(HeaderName::ServiceRoute, route);
        }
        if let Some(stranger) = &self.manner.stranger {
            response
                .headers
                .push(HeaderName::Contact, format!("<{stranger}>;expires=7"));
        }
        if self.manner.lists_nobody_else {
            return response;
        }
        for (uri, seconds) in &self.bindings {
            let lasts = match self.manner.names_no_expiry {
                true => String::new(),
                false => format!(";expires={seconds}"),
            };
            let contact = format!("<{uri}>{lasts}");
            response.headers.push(HeaderName::Contact, contact);
        }
        response
    }

    fn challenge(&mut self, request: &Request) -> Option<Response> {
        let password = self.manner.password.clone()?;
        let value = request.headers.text(&HeaderName::Authorization);
        let credentials = value.and_then(|it| Credentials::parse(&it).ok());
        let fresh = credentials
            .as_ref()
            .is_some_and(|it| it.nonce == format!("nonce{}", self.nonces));
        let uri = String::from_utf8_lossy(request.uri.as_bytes()).into_owned();
        let target = Target {
            method: "REGISTER",
            uri: &uri,
            body: &[],
        };
        let proven = credentials.is_some_and(|it| {
            it.uri == uri
                && it
                    .verify(Secret::Password(&password), target)
                    .expect("a hash")
        });
        let stale = proven && (!fresh || self.manner.stale > 0);
        if proven && !stale {
            return None;
        }
        self.manner.stale = self.manner.stale.saturating_sub(u32::from(stale));
        self.nonces += 1;
        let mut response = respond(request, 401);
        let mark = if stale { ", stale=true" } else { "" };
        let nonce = self.nonces;
        let qop = if self.manner.without_qop {
            ""
        } else {
            ", qop=\"auth\""
        };
        response.headers.push(
            HeaderName::WwwAuthenticate,
            format!("Digest realm=\"test\", nonce=\"nonce{nonce}\"{qop}{mark}"),
        );
        Some(response)
    }

    /// The nonces given out so far are forgotten.
    pub(super) fn forget_nonces(&mut self) {
        self.nonces += 1;
    }
}

fn respond(request: &Request, code: u16) -> Response {
    let status = StatusCode::new(code).expect("a status code");
    Response::answering(request, status, Some("stub"))
}
