//! The stack over real TLS on the loopback interface.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use demarc::certs::{
    Attempt, ExpectedServer, Host, Identity, Keyring, Level, OthersBundle, Service, TlsPolicy,
    TlsTime,
};
use demarc::sip::event::{Connect, Input, Session, TimeOfDay};
use demarc::sip::hostport::HostPort;
use demarc::sip::io::{Handshake, Report, Tls, run};
use demarc::sip::settings::{Gateway, GatewayType, Settings, TransportConfig};
use demarc::sip::stack::Stack;
use demarc::sip::status::LinkState;
use demarc::wire::time::UnixTime;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
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
        accept: Arc::new(|_| None),
    }
}

/// Runs a stack until `seen` makes something of a report.
async fn until<T>(settings: Settings, tls: Tls, mut seen: impl FnMut(Report) -> Option<T>) -> T {
    let config = ResolverConfig::default();
    let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .build()
        .expect("a resolver");
    let (_resolver, resolvers) = watch::channel(resolver);
    let (inputs, facts) = mpsc::channel(8);
    let (reports, mut reported) = mpsc::unbounded_channel();
    let running = tokio::spawn(run(Stack::new([1; 32]), facts, tls, resolvers, reports));
    let first = Input::Settings(Box::new(settings));
    for input in [Input::Time(TimeOfDay::Known), first] {
        inputs.send(input).await.expect("it runs");
    }
    let told = async {
        loop {
            let report = reported.recv().await.expect("it runs");
            if let Some(told) = seen(report) {
                return told;
            }
        }
    };
    let told = tokio::time::timeout(Duration::from_secs(10), told).await;
    inputs.send(Input::Shutdown).await.expect("it runs");
    running.await.expect("no panic");
    told.expect("told in time")
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
        Report::Notice(_) | Report::LastPort(_) => None,
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

#[tokio::test]
async fn a_peer_that_speaks_clear_text_to_the_tls_port_is_not_let_in() {
    let authority = Authority::new("Root");
    let free = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = free.local_addr().expect("bound");
    drop(free);
    let mut settings = settings(port);
    settings.proxy.home_domain_host = None;
    let gateway = settings.gateways.get_mut("default").expect("there");
    gateway.kind = GatewayType::TrunkGateway;
    gateway.secure_port = port.port();
    let config = server::config(&authority.issue("gw.example"));
    let tls = Tls {
        accept: Arc::new(move |_| Some(config.clone())),
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
        Report::Status(_) | Report::LastPort(_) => None,
    })
    .await;
    assert_eq!(told.name(), "1400.140");
    assert!(told.text.contains("does not speak TLS"), "{}", told.text);
}
