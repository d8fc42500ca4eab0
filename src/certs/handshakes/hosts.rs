//! Which host certificate is shown, and what the other side makes of it.

use std::sync::Arc;

use openssl::pkey::PKey;
use rustls::{AlertDescription, ClientConnection, ProtocolVersion, ServerConnection};

use super::bench::{SERVER, Side, pump, right, shake, shake_tls12};
use crate::certs::testing::{Authority, Leaf, p256, rsa};
use crate::certs::{ClientAuth, LinkFailure, Service, VerifyFailure, server_config};

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
