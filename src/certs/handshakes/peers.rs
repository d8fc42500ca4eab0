//! Peers that speak otherwise, or not at all.

use std::io;

use rustls::{AlertDescription, ClientConnection, ServerConnection};

use super::bench::{Side, pump, right, tls12_only, wrapped};
use crate::certs::testing::Authority;
use crate::certs::{LinkFailure, TlsPolicy};

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
