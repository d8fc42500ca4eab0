//! A host certificate is swapped while links stand.

use std::sync::Arc;

use demarc::certs::{
    Attempt, ClientAuth, ExpectedServer, Host, Identity, Keyring, Level, OthersBundle, Service,
    TlsPolicy, TlsTime, server_config,
};
use rustls::pki_types::CertificateDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::device::Device;
use super::pki::{Authority, NOW, Pair};

const NAME: &str = "sip.example.com";

/// Echoes on every link with whatever certificate the device has for SIP then.
async fn listen(device: &Device) -> u16 {
    let config = server_config(
        &device.keyring,
        Service::Sip,
        TlsPolicy::default(),
        ClientAuth::NotAsked,
    );
    let acceptor = TlsAcceptor::from(config.expect("ciphers"));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("bound").port();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut link = acceptor.accept(connection).await.expect("a handshake");
                let mut octets = [0; 4];
                while link.read_exact(&mut octets).await.is_ok() {
                    link.write_all(&octets).await.expect("a link");
                }
            });
        }
    });
    port
}

async fn link(root: &Authority, port: u16) -> TlsStream<TcpStream> {
    let now = i64::try_from(NOW).expect("small");
    let keyring = Arc::new(Keyring::new(TlsTime::Known(now)));
    let anchors = OthersBundle::read(root.0.pem().as_bytes()).expect("good");
    keyring.set_anchors(anchors.certificates().iter().cloned().collect());
    let expected = ExpectedServer {
        level: Level::HostName,
        identity: Identity::Sip(Host::parse(NAME).expect("a host")),
        srv_target: None,
    };
    let policy = TlsPolicy::default();
    let attempt = Attempt::new(&keyring, Service::Sip, policy, expected).expect("ciphers");
    let connection = TcpStream::connect(("127.0.0.1", port)).await;
    TlsConnector::from(attempt.config())
        .connect(attempt.server_name(), connection.expect("it listens"))
        .await
        .expect("a handshake")
}

async fn echoes(link: &mut TlsStream<TcpStream>) {
    let mut octets = [0; 4];
    link.write_all(b"ping").await.expect("a link");
    link.read_exact(&mut octets).await.expect("a link");
    assert_eq!(&octets, b"ping");
}

fn shown(link: &TlsStream<TcpStream>) -> CertificateDer<'static> {
    let chain = link.get_ref().1.peer_certificates();
    chain.expect("a certificate")[0].clone().into_owned()
}

async fn install(device: &Device, pair: &Pair) {
    let place = [("FileName", "gw.pem"), ("Type", "host")];
    let file = pair.bundle();
    let answer = device.invoke("Cert.Install", &place, Some(&file)).await;
    answer.expect("installed");
}

#[tokio::test]
async fn a_new_certificate_serves_new_handshakes_and_old_links_go_on() {
    let device = Device::start();
    let root = Authority::new("Root");
    let (first, second) = (root.issue(NAME), root.issue(NAME));
    let der = |pair: &Pair| pair.certificate.to_der().expect("DER");
    install(&device, &first).await;
    let port = listen(&device).await;
    let mut old = link(&root, port).await;
    assert_eq!(shown(&old).as_ref(), der(&first));
    install(&device, &second).await;
    let mut new = link(&root, port).await;
    assert_eq!(shown(&new).as_ref(), der(&second));
    echoes(&mut old).await;
    echoes(&mut new).await;
}

#[tokio::test]
async fn a_certificate_is_judged_as_soon_as_the_time_is_known() {
    let device = Device::start_without_time();
    device.trust(&Authority::new("Root").0.pem()).await;
    let state = "Cert.CertificateDetail[Store=others,FileName=ca.pem,Position=1].State";
    device.wait_for(state, "time not known").await;
    device.learn_time();
    // Well before the next look at the clock.
    device.wait_for(state, "valid").await;
}
