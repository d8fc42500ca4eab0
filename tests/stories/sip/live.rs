//! The stack over real TLS on the loopback interface.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use demarc::certs::{
    Attempt, ExpectedServer, Host, Identity, Keyring, Level, OthersBundle, Service, TlsPolicy,
    TlsTime,
};
use demarc::sip::event::{Connect, Input, Session, TimeOfDay};
use demarc::sip::hostport::HostPort;
use demarc::sip::io::{Handshake, Report, Resolver, Tls, run};
use demarc::sip::settings::{Gateway, GatewayType, Settings, TransportConfig, UnitRegistration};
use demarc::sip::stack::Stack;
use demarc::sip::status::{GatewayState, LinkState, RegistrationState, Status};
use demarc::wire::time::UnixTime;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::certs::pki::{Authority, NOW, Pair};
use crate::certs::server;

/// A server that shakes hands and then only reads.
async fn serve(pair: &Pair) -> SocketAddr {
    let acceptor = TlsAcceptor::from(server::config(pair));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            // A client that refuses the server is what a story is about.
            let Ok(mut link) = acceptor.accept(connection).await else {
                continue;
            };
            let mut octets = [0; 64];
            while let Ok(1..) = link.read(&mut octets).await {}
        }
    });
    addr
}

/// An endpoint gateway with a TLS link to `server`.
fn settings(server: SocketAddr) -> Settings {
    let mut settings = Settings::default();
    settings.interfaces.insert("Lan1".into(), server.ip());
    let gateway = Gateway {
        kind: GatewayType::EndpointGateway,
        ..Gateway::default()
    };
    settings.gateways.insert("default".into(), gateway);
    settings.proxy.home_domain_host = HostPort::parse(&server.to_string()).expect("a server");
    settings.transport.persistent_base_port = 23_000;
    let config = TransportConfig {
        udp_enable: false,
        tls_enable: true,
        ..TransportConfig::default()
    };
    settings.transport_config.insert("default".into(), config);
    settings
}

/// Whoever the server is, it must lead to one of `anchors`.
fn tls(anchors: &Authority) -> Tls {
    let now = i64::try_from(NOW).expect("small");
    let keyring = Arc::new(Keyring::new(TlsTime::Known(now)));
    let anchors = OthersBundle::read(anchors.0.pem().as_bytes()).expect("good");
    keyring.set_anchors(anchors.certificates().iter().cloned().collect());
    let dial = move |connect: &Connect| {
        let server = ExpectedServer {
            level: Level::TrustedCertificate,
            identity: Identity::Sip(Host::parse(&connect.reference.host).expect("a host")),
            srv_target: None,
        };
        let policy = TlsPolicy::default();
        let attempt = Attempt::new(&keyring, Service::Sip, policy, server).expect("ciphers");
        Ok(Handshake {
            attempt: Arc::new(attempt),
            revocation: Box::pin(async { Ok(()) }),
        })
    };
    Tls {
        dial: Arc::new(dial),
        accept: Arc::new(|_| Err("no TLS here".to_owned())),
    }
}

/// A stack that runs.
struct Running {
    inputs: mpsc::Sender<Input>,
    reported: mpsc::UnboundedReceiver<Report>,
    task: JoinHandle<()>,
    _resolver: watch::Sender<Resolver>,
}

impl Running {
    async fn input(&self, input: Input) {
        self.inputs.send(input).await.expect("it runs");
    }

    /// Waits until `seen` makes something of a report.
    async fn until<T>(&mut self, mut seen: impl FnMut(Report) -> Option<T>) -> T {
        let told = async {
            loop {
                let report = self.reported.recv().await.expect("it runs");
                if let Some(told) = seen(report) {
                    return told;
                }
            }
        };
        let told = tokio::time::timeout(Duration::from_secs(10), told).await;
        told.expect("told in time")
    }

    /// Waits until the status is so.
    async fn shows(&mut self, so: impl Fn(&Status) -> bool) {
        self.until(|report| match report {
            Report::Status(status) => so(&status).then_some(()),
            Report::Notice(_) | Report::Call(_) | Report::LastPort(_) => None,
        })
        .await;
    }

    async fn stop(self) {
        self.input(Input::Shutdown).await;
        self.task.await.expect("no panic");
    }
}

async fn start(settings: Settings, tls: Tls) -> Running {
    let config = ResolverConfig::default();
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .expect("a resolver");
    let hosts = Arc::default();
    let (_resolver, resolvers) = watch::channel(Resolver { resolver, hosts });
    let (inputs, facts) = mpsc::channel(8);
    let (reports, reported) = mpsc::unbounded_channel();
    let task = tokio::spawn(run(Stack::new([1; 32]), facts, tls, resolvers, reports));
    let running = Running {
        inputs,
        reported,
        task,
        _resolver,
    };
    running.input(Input::Time(TimeOfDay::Known)).await;
    running.input(Input::Settings(Box::new(settings))).await;
    running
}

/// Runs a stack until `seen` makes something of a report.
async fn until<T>(settings: Settings, tls: Tls, seen: impl FnMut(Report) -> Option<T>) -> T {
    let mut running = start(settings, tls).await;
    let told = running.until(seen).await;
    running.stop().await;
    told
}

#[tokio::test]
async fn the_status_of_a_link_tells_what_tls_agreed_on() {
    let authority = Authority::new("Root");
    let server = serve(&authority.issue("sip.example")).await;
    let session = until(settings(server), tls(&authority), |report| match report {
        Report::Status(status) => {
            let link = status.links.into_iter().next()?;
            (link.state == LinkState::Up).then(|| link.session.expect("TLS"))
        }
        Report::Notice(_) | Report::Call(_) | Report::LastPort(_) => None,
    })
    .await;
    let expected = Session {
        version: "TLS 1.3".into(),
        cipher_suite: "TLS_AES_256_GCM_SHA384".into(),
        subject: "CN=sip.example".into(),
        expiry: Some(UnixTime::from_secs(NOW + 365 * 86_400)),
    };
    assert_eq!(session, expected);
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_refused_step_by_step() {
    let server = serve(&Authority::new("Stranger").issue("sip.example")).await;
    let mut said = Vec::new();
    let known = tls(&Authority::new("Root"));
    let refused = until(settings(server), known, |report| {
        let Report::Notice(notice) = report else {
            return None;
        };
        let notice = notice.logged();
        said.push(notice.name());
        (notice.name() == "1400.130").then_some(notice.text)
    })
    .await;
    assert!(
        refused.contains("demarc cert add --type other"),
        "{refused}"
    );
    assert_eq!(said, ["1400.100", "1400.140", "1400.130"]);
}

/// A trunk gateway that listens for TLS and TCP at a free port, and nothing else.
async fn trunk() -> (Settings, SocketAddr) {
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = free.local_addr().expect("bound");
    let mut settings = settings(port);
    settings.proxy.home_domain_host = None;
    let gateway = settings.gateways.get_mut("default").expect("there");
    gateway.kind = GatewayType::TrunkGateway;
    gateway.port = port.port();
    gateway.secure_port = port.port();
    (settings, port)
}

#[tokio::test]
async fn a_peer_that_speaks_clear_text_to_the_tls_port_is_not_let_in() {
    let authority = Authority::new("Root");
    let (settings, port) = trunk().await;
    let config = server::config(&authority.issue("gw.example"));
    let tls = Tls {
        accept: Arc::new(move |_| Ok(config.clone())),
        ..tls(&authority)
    };
    let mut knocked = false;
    let told = until(settings, tls, |report| match report {
        Report::Status(status)
            if !knocked
                && status
                    .gateways
                    .first()
                    .is_some_and(|it| it.secure_port != 0) =>
        {
            knocked = true;
            tokio::spawn(async move {
                let mut peer = TcpStream::connect(port).await.expect("it listens");
                let sent = peer.write_all(b"OPTIONS sip:gw.example SIP/2.0\r\n\r\n");
                sent.await.expect("written");
                let _ = peer.read(&mut [0; 64]).await;
            });
            None
        }
        Report::Notice(notice) => Some(notice.logged()),
        Report::Status(_) | Report::Call(_) | Report::LastPort(_) => None,
    })
    .await;
    assert_eq!(told.name(), "1400.140");
    assert!(told.text.contains("does not speak TLS"), "{}", told.text);
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands_is_told_of_while_it_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let addr = listener.local_addr().expect("bound");
    let reason = until(settings(addr), tls(&Authority::new("Root")), |report| {
        let Report::Status(status) = report else {
            return None;
        };
        let link = status.links.into_iter().next()?;
        (link.state == LinkState::WaitingUp && !link.reason.is_empty()).then_some(link.reason)
    })
    .await;
    assert!(reason.contains("is this its TLS port?"), "{reason}");
}

#[tokio::test]
async fn the_tls_listener_comes_and_goes_with_the_host_certificate() {
    let authority = Authority::new("Root");
    let (settings, _) = trunk().await;
    let config = server::config(&authority.issue("gw.example"));
    let certified = Arc::new(AtomicBool::new(false));
    let is_certified = certified.clone();
    let accept = move |_: &str| match is_certified.load(Ordering::Relaxed) {
        true => Ok(config.clone()),
        false => Err("the host certificate a.pem is expired".to_owned()),
    };
    let tls = Tls {
        accept: Arc::new(accept),
        ..tls(&authority)
    };
    let mut running = start(settings, tls).await;
    for is_there in [false, true, false, true] {
        certified.store(is_there, Ordering::Relaxed);
        running.input(Input::Time(TimeOfDay::Known)).await;
        let shown = running.shows(|status| {
            status.gateways.first().is_some_and(|gateway| {
                let why = "no peer can connect by TLS: the host certificate a.pem is expired";
                let complains = gateway.reason == why;
                (gateway.secure_port != 0, complains) == (is_there, !is_there)
            })
        });
        let shown = tokio::time::timeout(Duration::from_secs(2), shown).await;
        shown.expect("at once");
    }
    running.stop().await;
}

/// Registers user 100 at the server, over UDP.
fn register_by_udp(settings: &mut Settings) {
    let clear = TransportConfig::default();
    settings.transport_config.insert("default".into(), clear);
    settings.registration.server_host = settings.proxy.home_domain_host.clone();
    let unit = UnitRegistration {
        username: "100".into(),
        ..UnitRegistration::default()
    };
    settings.unit_registrations.insert(1, unit);
}

#[tokio::test]
async fn a_udp_port_where_nobody_listens_is_found_out_at_once() {
    for host in ["127.0.0.1:0", "[::1]:0"] {
        let free = || async { UdpSocket::bind(host).await.expect("a free port") };
        let (server, own) = (free().await, free().await);
        let addr = server.local_addr().expect("bound");
        let mut settings = settings(addr);
        let gateway = settings.gateways.get_mut("default").expect("there");
        gateway.port = own.local_addr().expect("bound").port();
        drop((server, own));
        register_by_udp(&mut settings);
        let mut running = start(settings, tls(&Authority::new("Root"))).await;
        let told = running.shows(|status| {
            let line = status.registrations.first();
            line.is_some_and(|it| {
                it.state == RegistrationState::Unreachable
                    && it.reason.contains(&format!("no datagram reaches {addr}"))
            })
        });
        let told = tokio::time::timeout(Duration::from_secs(2), told).await;
        told.expect("at once");
        running.stop().await;
    }
}

#[tokio::test]
async fn the_first_datagram_of_a_new_socket_leaves() {
    let server = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let own = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let mut settings = settings(server.local_addr().expect("bound"));
    let gateway = settings.gateways.get_mut("default").expect("there");
    gateway.port = own.local_addr().expect("bound").port();
    drop(own);
    register_by_udp(&mut settings);
    let running = start(settings, tls(&Authority::new("Root"))).await;
    let mut octets = [0; 4096];
    // RFC 3261 section 17.1.2.2: 500 ms to the second one, and 1 s more to the third.
    let mut came = Vec::new();
    for _ in 0..2 {
        let datagram = tokio::time::timeout(Duration::from_secs(5), server.recv(&mut octets));
        datagram.await.expect("in time").expect("received");
        came.push(std::time::Instant::now());
    }
    assert!(came[1] - came[0] < Duration::from_millis(800), "{came:?}");
    running.stop().await;
}

#[tokio::test]
async fn a_peer_that_says_no_more_is_still_answered() {
    let (mut settings, port) = trunk().await;
    let config = TransportConfig {
        udp_enable: false,
        tcp_enable: true,
        ..TransportConfig::default()
    };
    settings.transport_config.insert("default".into(), config);
    let mut running = start(settings, tls(&Authority::new("Root"))).await;
    let listens = |status: &Status| status.gateways.first().is_some_and(|it| it.port != 0);
    running.shows(listens).await;
    let mut peer = TcpStream::connect(port).await.expect("it listens");
    let options = "OPTIONS sip:gw.example SIP/2.0\r\n\
        Via: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKo\r\n\
        Max-Forwards: 70\r\n\
        From: <sip:1@peer.example>;tag=a\r\n\
        To: <sip:gw.example>\r\n\
        Call-ID: o\r\n\
        CSeq: 1 OPTIONS\r\n\
        Content-Length: 0\r\n\r\n";
    peer.write_all(options.as_bytes()).await.expect("written");
    peer.shutdown().await.expect("half closed");
    let mut answer = Vec::new();
    let whole = peer.read_to_end(&mut answer);
    let whole = tokio::time::timeout(Duration::from_secs(5), whole).await;
    whole.expect("closed in time").expect("read");
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
    running.stop().await;
}

#[tokio::test]
async fn two_gateways_change_ports_with_each_other() {
    let bind = || async { UdpSocket::bind("127.0.0.1:0").await.expect("a free port") };
    let (one, other) = (bind().await, bind().await);
    let ports = [&one, &other].map(|it| it.local_addr().expect("bound").port());
    let mut settings = settings(one.local_addr().expect("bound"));
    settings.proxy.home_domain_host = None;
    settings.transport_config.clear();
    settings.gateways.clear();
    drop((one, other));
    let mut running = start(settings.clone(), tls(&Authority::new("Root"))).await;
    for ports in [[ports[0], ports[1]], [ports[1], ports[0]]] {
        for (name, port) in ["a", "b"].into_iter().zip(ports) {
            let gateway = Gateway {
                port,
                ..Gateway::default()
            };
            settings.gateways.insert(name.into(), gateway);
        }
        let swapped = Input::Settings(Box::new(settings.clone()));
        running.input(swapped).await;
        let shown = running.shows(|status| {
            let bound = { status.gateways.iter() }.map(|it| it.port);
            assert!(
                status
                    .gateways
                    .iter()
                    .all(|it| it.state != GatewayState::PortInUse)
            );
            bound.eq(ports)
        });
        let shown = tokio::time::timeout(Duration::from_secs(2), shown).await;
        shown.expect("at once");
    }
    running.stop().await;
}
