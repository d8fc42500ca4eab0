//! TLS of a whole device: as client of a server, and as server of a client.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use demarc::schema::{Name, Value};
use demarc::tree::{Actor, Transaction};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode, SslVersion};
use rustls::ServerConfig;
use tokio::io::AsyncReadExt;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use crate::certs::pki::Authority;
use crate::certs::server::{config, config_of};
use crate::services::{Folder, World, eventually};

const VALIDATION: &str = "SipEp.InteropTlsCertificateValidation";
const TRUST: &str = "SipEp.TransportTlsCertificateTrustLevel";
const OVERRIDE: &str =
    "Cert.CertificateAuthorities[FileName=ca.pem].OverrideIssuedCertificateOcspUrl";

/// A SIP server that shakes hands and then only reads, until it is dropped.
struct Server {
    port: u16,
    _runtime: Runtime,
}

impl Server {
    fn new(config: Arc<ServerConfig>) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0"));
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let acceptor = TlsAcceptor::from(config);
        runtime.spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    // A client that refuses the server is what a story is about.
                    if let Ok(mut link) = acceptor.accept(connection).await {
                        let mut octets = [0; 64];
                        while let Ok(1..) = link.read(&mut octets).await {}
                    }
                });
            }
        });
        Self {
            port,
            _runtime: runtime,
        }
    }
}

/// A device with a TLS link to `sip.example`, which is `server`.
fn client_of(server: &Server, folder: &Folder, settings: &[&str]) -> World {
    let proxy = format!(
        "SipEp.DefaultStaticProxyHomeDomainHost=sip.example:{}",
        server.port
    );
    let own = [
        "SipEp.Gateway[Name=default].Type=endpointGateway",
        "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable",
        "SipEp.TransportPersistentBasePort=25100",
        "Hoc.StaticHosts[Index=1].Name=sip.example",
        "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
        &proxy,
    ];
    World::boot(folder, &[&own, settings].concat())
}

pub(super) fn install(world: &World, name: &str, pem: &str) {
    let mut txn = Transaction::new(Actor::local());
    txn.assign(Name::parse(name).expect("a name"), Value::from(pem));
    world.tree.commit_and_wait(txn, 0).expect("installed");
}

fn trust(world: &World, authority: &Authority) {
    let name = "Cert.OthersCertificatesMaterial[FileName=ca.pem].Pem";
    install(world, name, &authority.0.pem());
}

/// Waits until the Ready LED, which is on while the link is up, is so.
fn led(world: &World, state: &str) {
    eventually(&format!("the LED is {state}"), || {
        world.read("SipEp.ReadyLed") == state
    });
}

#[test]
pub(crate) fn the_certificate_of_a_server_is_judged_as_far_as_is_set() {
    let authority = Authority::today("Root");
    let server = Server::new(config(&authority.issue("other.example")));
    let folder = Folder::new();
    let world = client_of(
        &server,
        &folder,
        &["SipEp.InteropTlsCertificateValidation=noValidation"],
    );
    led(&world, "on");
    world
        .set(VALIDATION, "trustedCertificate")
        .expect("granted");
    led(&world, "off");
    trust(&world, &authority);
    led(&world, "on");
    world.set(VALIDATION, "hostName").expect("granted");
    led(&world, "off");
    world.end();
}

#[test]
pub(crate) fn a_server_of_tls_1_2_is_taken_unless_the_policy_is_modern() {
    let authority = Authority::today("Root");
    let versions = [&rustls::version::TLS12];
    let server = Server::new(config_of(&authority.issue("sip.example"), &versions));
    let folder = Folder::new();
    let world = client_of(&server, &folder, &[]);
    trust(&world, &authority);
    led(&world, "on");
    world.set("SipEp.TlsPolicy", "modern").expect("granted");
    led(&world, "off");
    world.end();
}

#[test]
pub(crate) fn whether_a_certificate_was_revoked_is_asked_where_and_whom_the_settings_say() {
    let authority = Authority::today("Root");
    let server = Server::new(config(&authority.issue("sip.example")));
    let folder = Folder::new();
    let world = client_of(&server, &folder, &[]);
    trust(&world, &authority);
    led(&world, "on");
    world.set(TRUST, "ocspMandatory").expect("granted");
    led(&world, "off");
    let responder = TcpListener::bind("127.0.0.1:0").expect("a free port");
    responder.set_nonblocking(true).expect("a socket");
    let port = responder.local_addr().expect("bound").port();
    assert!(responder.accept().is_err(), "nobody asked it");
    let url = format!("http://127.0.0.1:{port}/");
    world.set(OVERRIDE, &url).expect("granted");
    eventually("it is asked", || responder.accept().is_ok());
    world.set(TRUST, "ocspOptional").expect("granted");
    led(&world, "on");
    world.end();
}

#[test]
pub(crate) fn a_broken_suite_or_version_is_told_with_what_it_acts_as() {
    let folder = Folder::new();
    let world = World::boot(&folder, &[]);
    eventually("it runs", || world.answers_sip());
    for (name, value, safe) in [
        ("SipEp.TransportTlsCipherSuite", "cS1", "cS3"),
        ("SipEp.TransportTlsVersion", "tLSv1", "tLSv1-2"),
        ("Cert.TransferHttpsCipherSuite", "cS2", "cS3"),
        ("Cert.TransferHttpsTlsVersion", "tLSv1-1", "tLSv1-2"),
        ("Cwmp.TransportHttpsCipherSuite", "cS1", "cS3"),
        ("Cwmp.TransportHttpsTlsVersion", "tLSv1", "tLSv1-2"),
    ] {
        let told = format!("{name}={value} is stored but acts as {safe}");
        assert_eq!(world.count(&told), 0);
        world.set(name, value).expect("granted");
        eventually(&told, || world.count(&told) > 0);
    }
    world.end();
}

/// Whether a client without a certificate is let in.
fn lets_in(port: u16) -> bool {
    let mut connector = SslConnector::builder(SslMethod::tls()).expect("TLS");
    connector.set_verify(SslVerifyMode::NONE);
    // Up to 1.2 the handshake ends after the server judged its client.
    let version = connector.set_max_proto_version(Some(SslVersion::TLS1_2));
    version.expect("a version");
    let Ok(stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let patience = stream.set_read_timeout(Some(Duration::from_millis(700)));
    patience.expect("a timeout");
    connector.build().connect("gw.example", stream).is_ok()
}

#[test]
fn a_tls_listener_comes_and_goes_with_the_dates_of_its_certificate() {
    let authority = Authority::today("Root");
    let folder = Folder::new();
    let tls = "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable";
    let world = World::boot(&folder, &[tls]);
    let port = world.read("SipEp.Gateway[Name=default].SecurePort");
    let port: u16 = port.parse().expect("a port");
    let says = |why: &str| {
        let reason = "SipEp.GatewayStatusReason[Name=default].Text";
        let all = format!("no peer can connect by TLS: {why}");
        eventually(&all, || world.read(reason).starts_with(&all));
    };
    says("no host certificate is installed: add one with demarc cert add");
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.expect("after 1970").as_secs();
    let leaf = authority.issue_between("gw.example", now + 4, now + 8);
    let pem = "Cert.HostCertificateMaterial[FileName=gw.pem].Pem";
    install(&world, pem, &leaf.bundle());
    says("the host certificate gw.pem is not yet valid: install another");
    eventually("it is let in", || lets_in(port));
    says("the host certificate gw.pem is expired: install another");
    let knock = TcpStream::connect(("127.0.0.1", port));
    assert!(knock.is_err(), "nobody listens there");
    world.end();
}

#[test]
pub(crate) fn a_tls_client_is_let_in_by_the_certificate_and_on_the_terms_that_are_set() {
    let authority = Authority::today("Root");
    let folder = Folder::new();
    let tls = "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable";
    let world = World::boot(&folder, &[tls]);
    let port = world.read("SipEp.Gateway[Name=default].SecurePort");
    let port: u16 = port.parse().expect("a port");
    let pem = "Cert.HostCertificateMaterial[FileName=gw.pem].Pem";
    install(&world, pem, &authority.issue("gw.example").bundle());
    let association = "Cert.HostCertificateAssociation[FileName=gw.pem].Sip";
    eventually("it is let in", || lets_in(port));
    world.set(association, "disable").expect("granted");
    eventually("there is no certificate to show", || !lets_in(port));
    world.set(association, "enable").expect("granted");
    eventually("it is let in", || lets_in(port));
    let terms = "SipEp.InteropTlsClientAuthenticationEnable";
    world.set(terms, "enable").expect("granted");
    eventually("it has to show one", || !lets_in(port));
    world.end();
}
