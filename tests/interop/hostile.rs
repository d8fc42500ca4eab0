//! Registrars that are set otherwise than the gateway, or behave oddly: the
//! status names the cause and the object, and that object alone mends it.

use crate::bench::{
    Asked, Authority, Device, Folder, LINKS, Life, REGISTRATIONS, Stub, answer, eventually, grant,
};
use openssl::hash::{MessageDigest, hash};
use openssl::ssl::SslVersion;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

const TRANSPORT: &str = "SipEp.TransportConfig[GatewayName=default]";

/// The settings for one transport, beside others.
fn by<'a>(transport: &str, more: &[&'a str]) -> Vec<&'a str> {
    let own: &[&str] = match transport {
        "tcp" => &[
            "SipEp.TransportConfig[GatewayName=default].TcpEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ],
        "tls" => &[
            "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ],
        _ => &[],
    };
    [own, more].concat()
}

fn gateway(folder: &Folder, stub: &Stub, settings: &[&str]) -> Device {
    Device::registering(folder, &format!("sip.test:{}", stub.port), settings)
}

/// A TLS registrar of `sip.test` whose authority the device trusts from the start.
struct Secure {
    authority: Authority,
    stub: Stub,
}

impl Secure {
    fn start(newest: SslVersion) -> Self {
        let authority = Authority::new("Stub CA");
        let identity = authority.issue("sip.test", 7, Life::Now);
        let stub = Stub::tls(&identity, newest, grant);
        Self { authority, stub }
    }

    fn gateway(&self, folder: &Folder, settings: &[&str]) -> Device {
        let device = gateway(folder, &self.stub, settings);
        let anchor = self.authority.anchor(folder.path(), "stub-ca");
        device.trusts("stub-ca.pem", &anchor);
        device
    }
}

#[test]
fn a_registrar_that_speaks_only_tls_while_the_gateway_is_set_to_udp() {
    let folder = Folder::new("hostile-udp");
    let secure = Secure::start(SslVersion::TLS1_3);
    let device = secure.gateway(&folder, &["SipEp.InteropTransmissionTimeout=2"]);
    let tls = format!("{TRANSPORT}.TlsEnable");
    device.complains(REGISTRATIONS, &["no answer to REGISTER by UDP", &tls]);
    assert_eq!(secure.stub.asked(), 0);
    device.snmpset(&[(&tls, "i", "1")]);
    secure.stub.registers();
}

#[test]
fn a_registrar_that_speaks_only_tls_while_the_gateway_is_set_to_tcp() {
    let folder = Folder::new("hostile-tcp");
    let secure = Secure::start(SslVersion::TLS1_3);
    let device = secure.gateway(&folder, &by("tcp", &[]));
    let tls = format!("{TRANSPORT}.TlsEnable");
    device.complains(LINKS, &["speaks", "TLS", &tls]);
    device.complains(REGISTRATIONS, &["speaks", "TLS", &tls]);
    device.snmpset(&[(&tls, "i", "1")]);
    secure.stub.registers();
}

/// Answers 500 to whoever does not say its transport in the Contact.
fn demanding(asked: &Asked) -> Option<String> {
    match asked.header("Contact").contains(";transport=") {
        true => grant(asked),
        false => answer(asked, "500 Server Internal Error", &[]),
    }
}

fn demands_the_transport(transport: &str, stub: &Stub) {
    let folder = Folder::new("hostile-500");
    let device = gateway(&folder, stub, &by(transport, &[]));
    let object = format!("{TRANSPORT}.RegistrationEnable");
    device.complains(REGISTRATIONS, &["500", ";transport=", &object]);
    device.snmpset(&[(&object, "i", "1")]);
    let asked = stub.registers();
    let contact = asked.header("Contact").to_owned();
    assert!(
        contact.contains(&format!(";transport={transport}")),
        "{contact}"
    );
}

#[test]
fn a_registrar_that_answers_500_without_transport_in_the_contact_over_tcp() {
    demands_the_transport("tcp", &Stub::tcp(None, demanding));
}

#[test]
fn a_registrar_that_answers_500_without_transport_in_the_contact_over_udp() {
    demands_the_transport("udp", &Stub::udp(demanding));
}

#[test]
fn a_registrar_that_closes_idle_links() {
    let folder = Folder::new("hostile-idle");
    let idle = Duration::from_secs(6);
    let stub = Stub::tcp(Some(idle), grant);
    let device = gateway(&folder, &stub, &by("tcp", &[]));
    stub.registers();
    let method = "SipEp.SipKeepAliveMethod";
    let interval = "SipEp.SipKeepAliveInterval";
    device.complains(LINKS, &["closed the link after 6 s", method, interval]);
    // Found again without help, though it will not last.
    eventually("a second connection", Duration::from_secs(10), || {
        (stub.connections() > 1 && stub.granted().len() > 1).then_some(())
    });
    device.snmpset(&[(method, "i", "300"), (interval, "u", "2")]);
    let before = stub.connections();
    thread::sleep(idle + Duration::from_secs(3));
    let opened = stub.connections() - before;
    assert!(opened <= 1, "{opened} connections more");
    let text = device.done(&["status"]);
    assert!(text.contains("Nothing is wrong."), "{text}");
}

#[test]
fn a_registrar_that_lists_two_bindings() {
    let folder = Folder::new("hostile-two");
    let stub = Stub::udp(|asked| {
        if !asked.text.contains("sip:1000@") {
            return grant(asked);
        }
        let own = format!("Contact: {};expires=3600", asked.header("Contact"));
        let other = "Contact: <sip:1000@192.0.2.77:5060>;expires=1800";
        answer(asked, "200 OK", &[&own, other])
    });
    let device = gateway(&folder, &stub, &["SipEp.InteropTransmissionTimeout=2"]);
    let user = "SipEp.UserAgent";
    device.complains(
        REGISTRATIONS,
        &["2 bindings", "sip:1000@192.0.2.77", user, "Username"],
    );
    let states = device.done(&["walk", "SipEp.RegistrationStatus"]);
    assert!(states.contains("State=registered"), "{states}");
    device.snmpset(&[("SipEp.UserAgent[EpId=Port01].Username", "s", "1007")]);
    eventually("1007 is registered", Duration::from_secs(10), || {
        let asked = stub.granted().pop()?;
        asked.header("To").contains("1007").then_some(())
    });
    quiet(&device);
}

#[test]
fn a_registrar_that_lists_our_contact_with_another_port() {
    let folder = Folder::new("hostile-rewritten");
    let stub = Stub::udp(|asked| {
        let listed = "Contact: <sip:1000@127.0.0.1:9>;expires=3600";
        answer(asked, "200 OK", &[listed])
    });
    let device = gateway(&folder, &stub, &[]);
    let object = "SipEp.InteropRegistrationContactMatching";
    device.complains(REGISTRATIONS, &["does not list our Contact", object]);
    device.snmpset(&[(object, "i", "300")]);
    quiet(&device);
}

/// Nothing is left to complain about.
fn quiet(device: &Device) {
    eventually("nothing is wrong", Duration::from_secs(10), || {
        let text = device.done(&["status"]);
        (text.contains("Nothing is wrong.") && text.contains("registered")).then_some(())
    });
}

#[test]
fn a_registrar_that_wants_a_longer_interval_gets_it() {
    let folder = Folder::new("hostile-423");
    let stub = Stub::udp(|asked| match asked.header("Expires") {
        "1800" | "0" => grant(asked),
        _ => answer(asked, "423 Interval Too Brief", &["Min-Expires: 1800"]),
    });
    let proposed = ["SipEp.DefaultRegistrationProposedExpirationValue=300"];
    let device = gateway(&folder, &stub, &proposed);
    assert_eq!(stub.registers().header("Expires"), "1800");
    quiet(&device);
}

#[test]
fn a_registrar_that_wants_a_longer_interval_and_does_not_say_which() {
    let folder = Folder::new("hostile-423-mute");
    let stub = Stub::udp(|asked| match asked.header("Expires") {
        "3000" | "0" => grant(asked),
        _ => answer(asked, "423 Interval Too Brief", &[]),
    });
    let object = "SipEp.DefaultRegistrationProposedExpirationValue";
    let proposed = format!("{object}=300");
    let device = gateway(&folder, &stub, &[&proposed]);
    device.complains(REGISTRATIONS, &["423", "Min-Expires", object]);
    device.snmpset(&[(object, "u", "3000")]);
    stub.registers();
}

/// Digest by RFC 2617 without qop, always with the same nonce.
fn challenging(asked: &Asked, realm: &str, password: &str) -> Option<String> {
    let own = asked.header("Authorization");
    let uri = own
        .split("uri=\"")
        .nth(1)
        .and_then(|it| it.split('"').next());
    let uri = uri.unwrap_or_default();
    let secret = md5(&format!("1000:{realm}:{password}"));
    let wanted = md5(&format!(
        "{secret}:n0nce:{}",
        md5(&format!("REGISTER:{uri}"))
    ));
    if own.contains(&format!("response=\"{wanted}\"")) {
        return grant(asked);
    }
    let challenge = format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n0nce\"");
    answer(asked, "401 Unauthorized", &[&challenge])
}

fn md5(text: &str) -> String {
    let digest = hash(MessageDigest::md5(), text.as_bytes()).expect("MD5");
    digest.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[test]
fn a_registrar_that_asks_twice_with_the_same_nonce_refuses_the_password() {
    let folder = Folder::new("hostile-401");
    let stub = Stub::udp(|asked| challenging(asked, "sip.test", "other"));
    let device = gateway(&folder, &stub, &[]);
    device.complains(
        REGISTRATIONS,
        &[
            "user \"1000\"",
            "sip.test",
            "refused",
            "SipEp.Authentication",
            "Password",
        ],
    );
    // Once without credentials, once with: it does not hammer.
    assert_eq!(stub.asked(), 2);
    device.snmpset(&[("SipEp.Authentication[Index=1].Password", "s", "other")]);
    stub.registers();
}

#[test]
fn a_registrar_of_another_realm() {
    let folder = Folder::new("hostile-realm");
    let stub = Stub::udp(|asked| challenging(asked, "elsewhere", "pw-1000"));
    let device = gateway(&folder, &stub, &[]);
    device.complains(
        REGISTRATIONS,
        &["\"elsewhere\"", "SipEp.Authentication", "Realm"],
    );
    device.snmpset(&[("SipEp.Authentication[Index=1].Realm", "s", "elsewhere")]);
    stub.registers();
}

#[test]
fn a_registrar_that_speaks_nothing_newer_than_tls_1_2_while_only_1_3_is_allowed() {
    let folder = Folder::new("hostile-tls12");
    let secure = Secure::start(SslVersion::TLS1_2);
    let modern = ["SipEp.TlsPolicy=modern"];
    let device = secure.gateway(&folder, &by("tls", &modern));
    device.complains(LINKS, &["no TLS version", "TLS 1.3", "SipEp.TlsPolicy"]);
    assert_eq!(secure.stub.asked(), 0);
    device.snmpset(&[("SipEp.TlsPolicy", "i", "200")]);
    secure.stub.registers();
}

#[test]
fn a_registrar_that_speaks_only_tls_1_0_by_openssl() {
    let folder = Folder::new("hostile-tls10");
    let secure = Secure::start(SslVersion::TLS1);
    let device = secure.gateway(&folder, &by("tls", &[]));
    device.complains(
        LINKS,
        &[
            "no TLS version",
            "TLS 1.0 and 1.1 are not",
            "the peer must be configured",
        ],
    );
    assert_eq!(secure.stub.asked(), 0);
}

#[test]
fn a_registrar_that_answers_with_a_server_hello_of_tls_1_0() {
    let folder = Folder::new("hostile-hello");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = listener.local_addr().expect("bound").port();
    // Ends with the process: it only waits for connections.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut hello = [0; 4096];
            let _ = stream.read(&mut hello);
            let _ = stream.write_all(&old_server_hello());
            let _ = stream.read(&mut hello);
        }
    });
    let server = format!("sip.test:{port}");
    let device = Device::registering(&folder, &server, &by("tls", &[]));
    device.complains(
        LINKS,
        &[
            "no TLS version",
            "TLS 1.0 and 1.1 are not",
            "the peer must be configured",
        ],
    );
}

/// RFC 2246 §7.4.1.3: version 3.1, 32 random octets, no session, one suite, no compression.
fn old_server_hello() -> Vec<u8> {
    let mut body = vec![3, 1];
    body.extend([0x5a; 32]);
    body.extend([0, 0x00, 0x2f, 0]);
    let length = u8::try_from(body.len()).expect("short");
    let mut record = vec![0x16, 3, 1, 0, length + 4, 2, 0, 0, length];
    record.extend(body);
    record
}
