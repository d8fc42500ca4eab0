//! OpenSSL as a peer that opens TLS links to us: whose certificate it is
//! shown, and whether it must show one.

use crate::bench::{Authority, Device, Folder, Identity, Life, eventually};
use openssl::ssl::{Ssl, SslConnector, SslMethod, SslStream, SslVerifyMode};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

/// A device that listens for TLS, and its port.
fn listening(folder: &Folder, own: &Identity) -> (Device, String) {
    let tls = ["SipEp.TransportConfig[GatewayName=default].TlsEnable=enable"];
    let device = Device::registering(folder, "0.0.0.0:0", &tls);
    device.shows("gw.pem", &own.write(folder.path(), "first"));
    let port = eventually("it listens for TLS", LIMIT, || {
        let port = device.get("SipEp.GatewayStatus[Name=default].SecurePort");
        (port != "0").then_some(port)
    });
    (device, port)
}

/// A handshake as a client that may have a certificate.
fn shake(port: &str, own: Option<&Identity>) -> Option<SslStream<TcpStream>> {
    let mut builder = SslConnector::builder(SslMethod::tls_client()).expect("TLS");
    builder.set_verify(SslVerifyMode::NONE);
    if let Some(own) = own {
        builder.set_private_key(&own.key).expect("a key");
        let certificate = builder.set_certificate(&own.certificate);
        certificate.expect("a certificate");
    }
    let session = Ssl::new(builder.build().context()).expect("a session");
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).ok()?;
    stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
    session.connect(stream).ok()
}

/// The serial number of the certificate that a client is shown.
fn serial(port: &str) -> Option<String> {
    let certificate = shake(port, None)?.ssl().peer_certificate()?;
    let number = certificate.serial_number().to_bn().ok()?;
    Some(number.to_dec_str().ok()?.to_string())
}

/// Whether an OPTIONS is answered on this stream.
fn is_served(stream: &mut SslStream<TcpStream>) -> bool {
    let request = "OPTIONS sip:gw.test SIP/2.0\r\n\
        Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK-openssl\r\n\
        Max-Forwards: 70\r\nFrom: <sip:peer@sip.test>;tag=1\r\nTo: <sip:gw.test>\r\n\
        Call-ID: openssl\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n";
    let mut octets = [0; 4096];
    match stream.write_all(request.as_bytes()) {
        Ok(()) => stream
            .read(&mut octets)
            .is_ok_and(|length| octets[..length].starts_with(b"SIP/2.0 ")),
        Err(_) => false,
    }
}

#[test]
fn the_certificate_that_a_peer_is_shown_is_swapped_live() {
    let folder = Folder::new("tls-listener");
    let authority = Authority::new("Gateway CA");
    let own = |serial| authority.issue("gw.test", serial, Life::Now);
    let (device, port) = listening(&folder, &own(6001));
    let mut standing = shake(&port, None).expect("a handshake");
    assert_eq!(serial(&port).as_deref(), Some("6001"));
    device.shows("gw.pem", &own(6002).write(folder.path(), "second"));
    eventually("the new certificate is shown", LIMIT, || {
        (serial(&port)? == "6002").then_some(())
    });
    assert!(is_served(&mut standing), "the link of before goes on");
}

#[test]
fn a_peer_must_show_a_certificate_where_the_settings_say_so() {
    let folder = Folder::new("tls-clients");
    let authority = Authority::new("Peer CA");
    let (device, port) = listening(&folder, &authority.issue("gw.test", 1, Life::Now));
    let serves =
        |own: Option<&Identity>| shake(&port, own).is_some_and(|mut it| is_served(&mut it));
    assert!(serves(None));
    device.trusts("peers.pem", &authority.anchor(folder.path(), "peers"));
    device.snmpset(&[("SipEp.InteropTlsClientAuthenticationEnable", "i", "1")]);
    eventually("nobody without a certificate", LIMIT, || {
        (!serves(None)).then_some(())
    });
    let stranger = Authority::new("Stranger CA").issue("peer.test", 2, Life::Now);
    assert!(!serves(Some(&stranger)));
    let late = authority.issue("peer.test", 3, Life::Over);
    assert!(!serves(Some(&late)));
    assert!(serves(Some(&authority.issue("peer.test", 4, Life::Now))));
}
