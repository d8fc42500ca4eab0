//! The two sides of a handshake, in memory.

use std::io;
use std::sync::Arc;

use rustls::{ClientConnection, ServerConnection};

use crate::certs::testing::{Authority, Leaf, NOW, Pair};
use crate::certs::{
    Anchors, Attempt, ClientAuth, ExpectedServer, Host, HostBundle, HostCertificate, Identity,
    Keyring, Level, LinkFailure, Service, Services, TlsPolicy, TlsTime, server_config,
};

/// A device, or its peer.
pub(super) struct Side {
    pub(super) keyring: Arc<Keyring>,
    pub(super) policy: TlsPolicy,
    pub(super) level: Level,
    pub(super) clients: ClientAuth,
}

impl Side {
    pub(super) fn new(trusted: &[&Authority]) -> Self {
        let keyring = Keyring::new(TlsTime::Known(NOW));
        let anchors = trusted.iter().map(|one| one.certificate().clone());
        keyring.set_anchors(Anchors::from_iter(anchors));
        Self {
            keyring: Arc::new(keyring),
            policy: TlsPolicy::default(),
            level: Level::HostName,
            clients: ClientAuth::NotAsked,
        }
    }

    pub(super) fn with(self, bundle: HostBundle) -> Self {
        self.install(bundle);
        self
    }

    pub(super) fn install(&self, bundle: HostBundle) {
        let host = HostCertificate::new("a.pem".into(), Services::ALL, bundle, &self.keyring);
        self.keyring.set_hosts(vec![host.expect("a key that fits")]);
    }

    pub(super) fn attempt(&self) -> Attempt {
        let expected = ExpectedServer {
            level: self.level,
            identity: Identity::Sip(Host::parse(SERVER).expect("a host")),
            srv_target: None,
        };
        Attempt::new(&self.keyring, Service::Sip, self.policy, expected).expect("ciphers")
    }

    pub(super) fn accept(&self) -> ServerConnection {
        let config = server_config(&self.keyring, Service::Sip, self.policy, self.clients);
        ServerConnection::new(config.expect("ciphers")).expect("a server")
    }
}

pub(super) const SERVER: &str = "sip.example.com";

/// What both sides know at the end.
pub(super) struct Outcome {
    pub(super) client: Result<ClientConnection, (LinkFailure, String)>,
    pub(super) server: Result<ServerConnection, LinkFailure>,
    pub(super) steps: usize,
}

impl Outcome {
    pub(super) fn up(self) -> (ClientConnection, ServerConnection) {
        (
            self.client.expect("the client is content"),
            self.server.expect("the server is content"),
        )
    }

    pub(super) fn refusal(self) -> (LinkFailure, String) {
        self.client.map(|_| ()).expect_err("the client refuses")
    }
}

pub(super) fn shake(client: &Side, server: &Side) -> Outcome {
    let attempt = client.attempt();
    let mut here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
    let mut there = server.accept();
    let (mut client, mut server) = (Ok(()), Ok(()));
    for _ in 0..10 {
        let (mut out, mut back) = (Vec::new(), Vec::new());
        while here.wants_write() {
            here.write_tls(&mut out).expect("memory");
        }
        server = server.and_then(|()| feed(out, |data| there.read_tls(data)));
        server = server.and_then(|()| there.process_new_packets().map(|_| ()).map_err(wrapped));
        while there.wants_write() {
            there.write_tls(&mut back).expect("memory");
        }
        client = client.and_then(|()| feed(back, |data| here.read_tls(data)));
        client = client.and_then(|()| here.process_new_packets().map(|_| ()).map_err(wrapped));
    }
    Outcome {
        client: client
            .map_err(|error| attempt.explain(&error))
            .map(|()| here),
        server: server
            .map_err(|error| LinkFailure::of_io(&error))
            .map(|()| there),
        steps: attempt.trail().steps().count(),
    }
}

pub(super) fn feed(
    data: Vec<u8>,
    mut read: impl FnMut(&mut dyn io::Read) -> io::Result<usize>,
) -> io::Result<()> {
    let mut data = data.as_slice();
    while !data.is_empty() {
        read(&mut data)?;
    }
    Ok(())
}

/// As the asynchronous library does.
pub(super) fn wrapped(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

pub(super) fn right(root: &Authority) -> Pair {
    root.issue(Leaf::new("x").dns(SERVER))
}

/// With a server that has only TLS 1.2, which no policy here makes.
pub(super) fn shake_tls12(client: &Side, server: &Side) -> (ClientConnection, ServerConnection) {
    let attempt = client.attempt();
    let here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
    let there = ServerConnection::new(tls12_only(server)).expect("a server");
    pump(here, there).expect("both are content")
}

pub(super) fn tls12_only(side: &Side) -> Arc<rustls::ServerConfig> {
    let config = server_config(&side.keyring, Service::Sip, side.policy, side.clients);
    let resolver = Arc::clone(&config.expect("ciphers").cert_resolver);
    let provider = Arc::clone(side.keyring.provider());
    let config = rustls::ServerConfig::builder_with_details(provider, side.keyring.clock().clone())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("ciphers")
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    Arc::new(config)
}

pub(super) fn pump(
    mut here: ClientConnection,
    mut there: ServerConnection,
) -> Result<(ClientConnection, ServerConnection), rustls::Error> {
    for _ in 0..10 {
        let (mut out, mut back) = (Vec::new(), Vec::new());
        here.write_tls(&mut out).expect("memory");
        there.read_tls(&mut out.as_slice()).expect("memory");
        there.process_new_packets()?;
        there.write_tls(&mut back).expect("memory");
        here.read_tls(&mut back.as_slice()).expect("memory");
        here.process_new_packets()?;
    }
    Ok((here, there))
}
