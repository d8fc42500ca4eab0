//! The stack over real sockets on the loopback interface.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::sip::event::{Reference, TcpKeepAlive, TimeOfDay};
use crate::sip::hostport::HostPort;
use crate::sip::message::framing::{Frame, Framer};
use crate::sip::message::{HeaderName, MAX_MESSAGE, Message, Response, StatusCode};
use crate::sip::settings::{Gateway, Settings, TransportConfig, UnitRegistration};
use crate::sip::status::RegistrationState;

const LOOPBACK: &str = "127.0.0.1:0";
const LOOPBACK_6: &str = "[::1]:0";

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
    settings.registration.server_host = HostPort::parse(&registrar.to_string()).expect("a server");
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
    let hosts = Arc::default();
    let (_resolver, resolvers) = watch::channel(Resolver { resolver, hosts });
    let (inputs, facts) = mpsc::channel(8);
    let (reports, mut reported) = mpsc::unbounded_channel();
    let tls = Tls {
        dial: Arc::new(|_| Err("no TLS here".into())),
        accept: Arc::new(|_| Err("no TLS here".into())),
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

async fn free_port(on: &str) -> u16 {
    let socket = UdpSocket::bind(on).await.expect("a socket");
    socket.local_addr().expect("an address").port()
}

async fn registers_by_datagrams(on: &str) {
    let socket = UdpSocket::bind(on).await.expect("a socket");
    let addr = socket.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let mut buffer = vec![0; MAX_MESSAGE];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            let _ = socket.send_to(&granted(&buffer[..length]), peer).await;
        }
    });
    registers(settings(addr, Transport::Udp, free_port(on).await)).await;
    server.abort();
}

async fn registers_by_a_stream(on: &str) {
    let listener = TcpListener::bind(on).await.expect("a socket");
    let addr = listener.local_addr().expect("an address");
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a peer");
        let mut framer = Framer::new();
        let mut buffer = vec![0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut buffer).await {
            framer.push(&buffer[..length]);
            while let Ok(Some(Frame::Message(message))) = framer.next() {
                let answer = granted(&message.to_bytes());
                stream.write_all(&answer).await.expect("written");
            }
        }
    });
    registers(settings(addr, Transport::Tcp, free_port(on).await)).await;
    timeout(PATIENCE, server)
        .await
        .expect("closed in time")
        .expect("no panic");
}

#[tokio::test]
async fn a_stack_registers_and_leaves_over_real_datagrams() {
    registers_by_datagrams(LOOPBACK).await;
}

#[tokio::test]
async fn a_stack_registers_and_leaves_over_a_real_stream() {
    registers_by_a_stream(LOOPBACK).await;
}

#[tokio::test]
async fn a_stack_registers_and_leaves_over_ipv6() {
    registers_by_datagrams(LOOPBACK_6).await;
    registers_by_a_stream(LOOPBACK_6).await;
}

/// A stream to `peer` as the stack orders it.
async fn reached(peer: SocketAddr, tcp_keep_alive: Option<TcpKeepAlive>) -> tokio::net::TcpStream {
    let connect = Connect {
        id: SocketId(1),
        local: SocketAddr::new(peer.ip(), 0),
        peer,
        transport: Transport::Tcp,
        reference: Reference {
            host: String::new(),
            srv_target: String::new(),
        },
        tcp_keep_alive,
    };
    streams::reach(&connect).await.expect("a stream")
}

#[tokio::test]
async fn tcp_keep_alive_is_set_on_the_socket_with_its_interval_and_count() {
    let listener = TcpListener::bind(LOOPBACK).await.expect("a socket");
    let peer = listener.local_addr().expect("an address");
    let without = reached(peer, None).await;
    let socket = socket2::SockRef::from(&without);
    assert!(!socket.keepalive().expect("told"));
    for (retry, count) in [(4, 4), (0, 1)] {
        let interval = Duration::from_secs(25);
        let stream = reached(peer, Some(TcpKeepAlive { interval, retry })).await;
        let socket = socket2::SockRef::from(&stream);
        assert!(socket.keepalive().expect("told"));
        assert_eq!(socket.tcp_keepalive_time().expect("told"), interval);
        assert_eq!(socket.tcp_keepalive_interval().expect("told"), interval);
        assert_eq!(socket.tcp_keepalive_retries().expect("told"), count);
    }
}
