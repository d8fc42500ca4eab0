//! Whole TLS handshakes, in memory, between the two sides that are built here.

use std::io;
use std::sync::Arc;

use openssl::pkey::PKey;
use rustls::{AlertDescription, ClientConnection, ProtocolVersion, ServerConnection};

use super::date::DAY;
use super::testing::{Authority, Leaf, NOW, Pair, YEAR, p256, rsa};
use super::{
    Anchors, Attempt, ClientAuth, ExpectedServer, Host, HostBundle, HostCertificate, Identity,
    Keyring, Level, Link, LinkFailure, Refused, Service, Services, TlsPolicy, TlsTime,
    VerifyFailure, server_config,
};

/// A device, or its peer.
struct Side {
    keyring: Arc<Keyring>,
    policy: TlsPolicy,
    level: Level,
    clients: ClientAuth,
}

impl Side {
    fn new(trusted: &[&Authority]) -> Self {
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

    fn with(self, bundle: HostBundle) -> Self {
        self.install(bundle);
        self
    }

    fn install(&self, bundle: HostBundle) {
        let host = HostCertificate::new("a.pem".into(), Services::ALL, bundle, &self.keyring);
        self.keyring.set_hosts(vec![host.expect("a key that fits")]);
    }

    fn attempt(&self) -> Attempt {
        let expected = ExpectedServer {
            level: self.level,
            identity: Identity::Sip(Host::parse(SERVER).expect("a host")),
            srv_target: None,
        };
        Attempt::new(&self.keyring, Service::Sip, self.policy, expected).expect("ciphers")
    }

    fn accept(&self) -> ServerConnection {
        let config = server_config(&self.keyring, Service::Sip, self.policy, self.clients);
        ServerConnection::new(config.expect("ciphers")).expect("a server")
    }
}

const SERVER: &str = "sip.example.com";

/// What both sides know at the end.
struct Outcome {
    client: Result<ClientConnection, (LinkFailure, String)>,
    server: Result<ServerConnection, LinkFailure>,
    steps: usize,
}

impl Outcome {
    fn up(self) -> (ClientConnection, ServerConnection) {
        (
            self.client.expect("the client is content"),
            self.server.expect("the server is content"),
        )
    }

    fn refusal(self) -> (LinkFailure, String) {
        self.client.map(|_| ()).expect_err("the client refuses")
    }
}

fn shake(client: &Side, server: &Side) -> Outcome {
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

fn feed(
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
fn wrapped(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

fn right(root: &Authority) -> Pair {
    root.issue(Leaf::new("x").dns(SERVER))
}

#[test]
fn a_right_certificate_brings_the_link_up() {
    let root = Authority::new("Root");
    let server = Side::new(&[]).with(right(&root).host(&[]));
    let outcome = shake(&Side::new(&[&root]), &server);
    assert_eq!(outcome.steps, 4);
    let (client, _) = outcome.up();
    assert!(!client.is_handshaking());
    assert_eq!(client.protocol_version(), Some(ProtocolVersion::TLSv1_3));
}

#[test]
fn every_kind_of_key_proves_itself_in_both_versions() {
    let root = Authority::new("Root");
    let client = Side::new(&[&root]);
    let ed25519 = PKey::generate_ed25519().expect("a key");
    for key in [p256(), rsa(2048), ed25519] {
        let pair = root.issue_for(Leaf::new("x").dns(SERVER), &key);
        let server = Side::new(&[]).with(pair.host(&[]));
        let (_, accepted) = shake(&client, &server).up();
        assert_eq!(accepted.protocol_version(), Some(ProtocolVersion::TLSv1_3));
        let (here, _) = shake_tls12(&client, &server);
        assert_eq!(here.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    }
}

/// With a server that has only TLS 1.2, which no policy here makes.
fn shake_tls12(client: &Side, server: &Side) -> (ClientConnection, ServerConnection) {
    let attempt = client.attempt();
    let here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
    let there = ServerConnection::new(tls12_only(server)).expect("a server");
    pump(here, there).expect("both are content")
}

fn tls12_only(side: &Side) -> Arc<rustls::ServerConfig> {
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

fn pump(
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

#[test]
fn a_chain_in_the_host_file_is_sent() {
    let root = Authority::new("Root");
    let middle = root.intermediate("Middle");
    let server = Side::new(&[]).with(right(&middle).host(&[&middle]));
    shake(&Side::new(&[&root]), &server).up();
}

#[test]
fn a_wrong_authority_is_refused_and_named() {
    let (root, other) = (Authority::new("Root"), Authority::new("Other"));
    let server = Side::new(&[]).with(right(&other).host(&[]));
    let outcome = shake(&Side::new(&[&root]), &server);
    assert_eq!(
        outcome.server.as_ref().err(),
        Some(&LinkFailure::RefusesOurs(
            AlertDescription::CertificateUnknown
        ))
    );
    assert_eq!(
        outcome.refusal().1,
        "sip.example.com: CN=x is issued by CN=Other, which is not among the installed \
         authorities: add the authority's certificate with demarc cert add --type other FILE"
    );
}

#[test]
fn a_wrong_name_is_refused_with_the_object_to_change() {
    let root = Authority::new("Root");
    let pair = root.issue(Leaf::new("x").dns("a.example.com"));
    let server = Side::new(&[]).with(pair.host(&[]));
    let mut client = Side::new(&[&root]);
    assert_eq!(
        shake(&client, &server).refusal().1,
        "the certificate of sip.example.com names only a.example.com (SAN DNS): set the \
         server's name so, or SipEp.InteropTlsCertificateValidation=trustedCertificate"
    );
    client.level = Level::TrustedCertificate;
    shake(&client, &server).up();
}

/// Presented by a server whose clock is wrong: ours would not.
#[test]
fn certificates_out_of_date_are_refused() {
    let root = Authority::new("Root");
    let refused = |leaf: Leaf, then: i64| {
        let pair = root.issue(leaf.dns(SERVER));
        let server = Side::new(&[]).with(pair.host(&[]));
        server.keyring.clock().set(TlsTime::Known(then));
        shake(&Side::new(&[&root]), &server).refusal().1
    };
    assert_eq!(
        refused(Leaf::new("x").expired(), NOW - YEAR),
        "sip.example.com: CN=x expired on 2025-12-31 00:00:00: it must be renewed, or the \
         clock here is wrong (Hoc.StaticSntpServers)"
    );
    assert_eq!(
        refused(Leaf::new("x").dates(NOW + DAY, NOW + YEAR), NOW + DAY),
        "sip.example.com: CN=x is valid from 2026-01-02 00:00:00 and it is 2026-01-01 00:00:00 \
         here: is the clock here right (Hoc.StaticSntpServers)?"
    );
}

#[test]
fn a_server_without_a_usable_host_certificate_accepts_nobody() {
    let root = Authority::new("Root");
    let outcome = shake(&Side::new(&[&root]), &Side::new(&[]));
    assert_eq!(
        outcome.server.as_ref().err(),
        Some(&LinkFailure::NoHostCertificate)
    );
    let (failure, _) = outcome.refusal();
    assert_eq!(failure, LinkFailure::Alert(AlertDescription::AccessDenied));
}

#[test]
fn a_client_with_a_trusted_certificate_is_let_in() {
    let root = Authority::new("Root");
    let mut server = Side::new(&[&root]).with(right(&root).host(&[]));
    server.clients = ClientAuth::Required;
    let device = root.issue(Leaf::new("device"));
    let client = Side::new(&[&root]).with(device.host(&[]));
    let (_, accepted) = shake(&client, &server).up();
    let presented = accepted.peer_certificates().expect("a certificate");
    assert_eq!(presented[0].as_ref(), device.der());
}

#[test]
fn a_client_without_a_certificate_is_told_that_one_is_wanted() {
    let root = Authority::new("Root");
    let mut server = Side::new(&[&root]).with(right(&root).host(&[]));
    server.clients = ClientAuth::Required;
    let outcome = shake(&Side::new(&[&root]), &server);
    assert_eq!(
        outcome.server.as_ref().err(),
        Some(&LinkFailure::Certificate(VerifyFailure::NoCertificate))
    );
    assert_eq!(
        outcome.refusal(),
        (
            LinkFailure::WantsClientCertificate,
            "sip.example.com: it asks for a client certificate: add a valid one with demarc \
             cert add --type host FILE and see that Cert.HostCertificateAssociation.Sip is enable"
                .into()
        )
    );
}

#[test]
fn a_client_that_nobody_vouches_for_is_refused() {
    let (root, other) = (Authority::new("Root"), Authority::new("Other"));
    let mut server = Side::new(&[&root]).with(right(&root).host(&[]));
    server.clients = ClientAuth::Required;
    let client = Side::new(&[&root]).with(other.issue(Leaf::new("device")).host(&[]));
    assert!(matches!(
        shake(&client, &server).server.err(),
        Some(LinkFailure::Certificate(
            VerifyFailure::UnknownIssuer { .. }
        ))
    ));
    let server_only = root.issue(Leaf::new("device").server_only());
    client.install(server_only.host(&[]));
    // Ours does not even offer a certificate of the wrong usage.
    assert_eq!(
        shake(&client, &server).server.err(),
        Some(LinkFailure::Certificate(VerifyFailure::NoCertificate))
    );
}

#[test]
fn a_refusal_comes_out_of_the_error_with_its_trail() {
    let (root, other) = (Authority::new("Root"), Authority::new("Other"));
    let server = Side::new(&[]).with(right(&other).host(&[]));
    let attempt = Side::new(&[&root]).attempt();
    let here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
    let error = pump(here, server.accept())
        .map(|_| ())
        .expect_err("refused");
    let error = wrapped(error);
    let refused = Refused::within_io(&error).expect("ours");
    assert_eq!(refused.trail, *attempt.trail());
    assert_eq!(refused.trail.steps().count(), 1);
}

#[test]
fn policies_without_a_version_in_common_say_so() {
    let root = Authority::new("Root");
    let server = Side::new(&[]).with(right(&root).host(&[]));
    let mut client = Side::new(&[&root]);
    client.policy = TlsPolicy::Modern;
    let attempt = client.attempt();
    let here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
    let there = ServerConnection::new(tls12_only(&server)).expect("a server");
    let error = pump(here, there)
        .map(|_| ())
        .expect_err("nothing in common");
    assert_eq!(LinkFailure::of(&error), LinkFailure::NoCommonVersion);
    let (failure, sentence) = attempt.explain(&wrapped(rustls::Error::AlertReceived(
        AlertDescription::ProtocolVersion,
    )));
    assert_eq!(failure, LinkFailure::NoCommonVersion);
    assert_eq!(
        sentence,
        "sip.example.com: it speaks no TLS version that is allowed here: only TLS 1.3 is \
         allowed by SipEp.TlsPolicy=modern; compatible also allows TLS 1.2"
    );
}

/// What a client makes of `answer`, whatever it asked.
fn answered(answer: &[u8]) -> (LinkFailure, String) {
    let attempt = Side::new(&[]).attempt();
    let mut here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
    here.write_tls(&mut Vec::new()).expect("memory");
    here.read_tls(&mut &*answer).expect("memory");
    let error = here.process_new_packets().map(|_| ()).expect_err("no TLS");
    attempt.explain(&wrapped(error))
}

#[test]
fn a_server_of_tls_1_0_is_told_from_other_failures() {
    // A ServerHello (RFC 2246 §7.4.1.3): version 3.1, random, no session, RSA with AES-128-CBC.
    let mut hello = vec![0x16, 3, 1, 0, 42, 2, 0, 0, 38, 3, 1];
    hello.extend([7; 32]);
    hello.extend([0, 0, 0x2f, 0]);
    let (failure, sentence) = answered(&hello);
    assert_eq!(failure, LinkFailure::NoCommonVersion);
    assert!(
        sentence.contains("TLS 1.2 and 1.3 are allowed, TLS 1.0 and 1.1 are not"),
        "{sentence}"
    );
    // Its alert protocol_version(70), as later libraries send (RFC 5246 §7.2.2).
    let (failure, _) = answered(&[0x15, 3, 1, 0, 2, 2, 70]);
    assert_eq!(failure, LinkFailure::NoCommonVersion);
}

#[test]
fn clear_text_is_told_from_tls() {
    for answer in [
        "SIP/2.0 400 Bad Request\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n\r\n",
    ] {
        let (failure, sentence) = answered(answer.as_bytes());
        assert_eq!(failure, LinkFailure::NotTls, "{answer}");
        assert_eq!(
            sentence,
            "sip.example.com: it does not speak TLS: the port is not its TLS port, or TLS is \
             off on one side"
        );
    }
    let root = Authority::new("Root");
    let mut there = Side::new(&[]).with(right(&root).host(&[])).accept();
    let request = b"OPTIONS sip:example.com SIP/2.0\r\n\r\n";
    there.read_tls(&mut request.as_slice()).expect("memory");
    let error = there.process_new_packets().map(|_| ()).expect_err("no TLS");
    assert_eq!(LinkFailure::of(&error), LinkFailure::NotTls);
}

#[test]
fn a_connection_that_closes_is_told_as_closed() {
    let attempt = Side::new(&[]).attempt();
    for kind in [io::ErrorKind::UnexpectedEof, io::ErrorKind::ConnectionReset] {
        let (failure, sentence) = attempt.explain(&kind.into());
        assert_eq!(failure, LinkFailure::Closed);
        assert_eq!(
            sentence,
            "sip.example.com: it closed the connection during the handshake"
        );
    }
}

#[test]
fn a_swapped_host_certificate_serves_the_next_handshake() {
    let root = Authority::new("Root");
    let (old, new) = (right(&root), right(&root));
    let client = Side::new(&[&root]);
    let server = Side::new(&[]).with(old.host(&[]));
    let config = server_config(
        &server.keyring,
        Service::Sip,
        server.policy,
        ClientAuth::NotAsked,
    )
    .expect("ciphers");
    let presented = || {
        let attempt = client.attempt();
        let here = ClientConnection::new(attempt.config(), attempt.server_name()).expect("client");
        let there = ServerConnection::new(Arc::clone(&config)).expect("a server");
        let (here, _) = pump(here, there).expect("both are content");
        here.peer_certificates().map(|chain| chain[0].to_vec())
    };
    assert_eq!(presented().as_deref(), Some(old.der()));
    server.install(new.host(&[]));
    assert_eq!(presented().as_deref(), Some(new.der()));
}

#[test]
fn an_anchor_that_is_taken_out_counts_no_more_in_the_next_handshake() {
    let root = Authority::new("Root");
    let server = Side::new(&[]).with(right(&root).host(&[]));
    let client = Side::new(&[&root]);
    shake(&client, &server).up();
    client.keyring.set_anchors(Anchors::default());
    assert!(matches!(
        shake(&client, &server).refusal().0,
        LinkFailure::Certificate(VerifyFailure::UnknownIssuer { .. })
    ));
}

#[test]
fn a_certificate_of_version_1_is_verified_in_both_versions() {
    let root = Authority::new("Root");
    let client = Side::new(&[&root]);
    let old = root.issue(Leaf::new(SERVER).version_1());
    let server = Side::new(&[]).with(old.host(&[]));
    shake(&client, &server).up();
    shake_tls12(&client, &server);
}

#[test]
fn before_the_time_is_known_a_link_may_come_up_on_the_floor_alone() {
    let root = Authority::new("Root");
    let server = Side::new(&[]).with(right(&root).host(&[]));
    let client = Side::new(&[&root]);
    client.keyring.clock().set(TlsTime::Floor(NOW - 5 * YEAR));
    shake(&client, &server).up();
    client.keyring.clock().set(TlsTime::Floor(NOW + 5 * YEAR));
    assert!(matches!(
        shake(&client, &server).refusal().0,
        LinkFailure::Certificate(VerifyFailure::Expired { .. })
    ));
}

#[test]
fn a_transfer_is_told_no_object_that_it_does_not_have() {
    let link = Link {
        service: Service::Cert,
        policy: TlsPolicy::Compatible,
        peer: SERVER.into(),
    };
    let failure = LinkFailure::Certificate(VerifyFailure::WrongName {
        wanted: SERVER.into(),
        names: vec![],
    });
    assert_eq!(
        link.sentence(&failure),
        "the certificate of sip.example.com names nobody: set the server's name so"
    );
}
