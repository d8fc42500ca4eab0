//! What a client makes of the server's certificate.

use rustls::{AlertDescription, ClientConnection, ProtocolVersion};

use super::bench::{SERVER, Side, pump, right, shake, shake_tls12, wrapped};
use crate::certs::date::DAY;
use crate::certs::testing::{Authority, Leaf, NOW, YEAR};
use crate::certs::{
    Anchors, Level, Link, LinkFailure, Refused, Service, TlsPolicy, TlsTime, VerifyFailure,
};

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
