//! What each object of the TR-069 client changes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use demarc::north::cwmp::doorman::{Doorman, Knock, Verdict};
use demarc::north::cwmp::settings::Settings;
use demarc::schema::Value;
use demarc::tree::Configured;
use demarc::wire::digest::{Challenge, Credentials, Secret, Target};
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode};
use openssl::x509::X509;

use super::tls::install;
use crate::certs::pki::{Authority, Pair};
use crate::cwmp::world::{Answer, World as Wire, acs, informed, set, texts};
use crate::services::{Folder, World, eventually};
use demarc::north::cwmp::client::TroubleKind;

/// An ACS on the wire that says nothing but its first line; what it heard of each connection.
struct Acs {
    port: u16,
    heard: Receiver<Heard>,
}

struct Heard {
    head: String,
    showed_a_certificate: bool,
}

impl Acs {
    /// In the clear: asks for a digest, then is busy.
    fn clear() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                while let Some(head) = request(&mut stream) {
                    let answer = match head.contains("authorization:") {
                        true => BUSY,
                        false => PROVE,
                    };
                    if stream.write_all(answer.as_bytes()).is_err() {
                        break;
                    }
                    let told = tell.send(Heard {
                        head,
                        showed_a_certificate: false,
                    });
                    if told.is_err() {
                        return;
                    }
                }
            }
        });
        Self { port, heard }
    }

    /// Over TLS: asks for a client's certificate, and is busy.
    fn secure(pair: &Pair) -> Self {
        let mut acceptor = SslAcceptor::mozilla_intermediate(SslMethod::tls()).expect("TLS");
        acceptor
            .set_certificate(&pair.certificate)
            .expect("a certificate");
        acceptor.set_private_key(&pair.key).expect("its key");
        acceptor.set_verify_callback(SslVerifyMode::PEER, |_, _| true);
        let acceptor = acceptor.build();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("bound").port();
        let (tell, heard) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
                let Ok(mut stream) = acceptor.accept(stream) else {
                    continue;
                };
                let shown: Option<X509> = stream.ssl().peer_certificate();
                let Some(head) = request(&mut stream) else {
                    continue;
                };
                let _ = stream.write_all(BUSY.as_bytes());
                let told = tell.send(Heard {
                    head,
                    showed_a_certificate: shown.is_some(),
                });
                if told.is_err() {
                    return;
                }
            }
        });
        Self { port, heard }
    }

    /// The next request that `is` so.
    fn hears(&self, what: &str, is: impl Fn(&Heard) -> bool) {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.heard.recv_timeout(left) {
                Ok(heard) if is(&heard) => return,
                Ok(_) => {}
                Err(_) => panic!("it never heard {what}"),
            }
        }
    }
}

/// The head of a request, in lower case, whose body is read too.
fn request(stream: &mut impl Read) -> Option<String> {
    let mut octets = Vec::new();
    let mut one = [0];
    while !octets.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut one).ok()?;
        octets.push(one[0]);
    }
    let head = String::from_utf8_lossy(&octets).into_owned();
    let lower = head.to_ascii_lowercase();
    let length = lower.split("content-length:").nth(1)?;
    let length: usize = length.lines().next()?.trim().parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    let lines = head.lines().map(|line| match line.split_once(':') {
        Some((name, value)) => format!("{}:{value}", name.to_ascii_lowercase()),
        None => line.to_owned(),
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

const BUSY: &str = "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n";
const PROVE: &str = "HTTP/1.1 401 Prove\r\nContent-Length: 0\r\n\
    WWW-Authenticate: Digest realm=\"acs\", nonce=\"n\", qop=\"auth\"\r\n\r\n";
const PATIENCE: Duration = Duration::from_secs(20);

/// A device that tries its ACS every second or so.
fn unit(folder: &Folder, url: &str, more: &[&str]) -> World {
    let url = format!("Cwmp.AcsStaticUrl={url}");
    let mut settings = vec![
        "Cwmp.AcsUrlConfigSource=static",
        "Cwmp.RetryMinimumWaitInterval=1",
        "Cwmp.RetryIntervalMultiplier=1000",
        &url,
    ];
    settings.extend(more);
    World::boot(folder, &settings)
}

#[test]
pub(crate) fn the_acs_is_told_who_asks_with_the_password_that_is_set() {
    let acs = Acs::clear();
    let folder = Folder::new();
    let url = format!("http://127.0.0.1:{}/acs", acs.port);
    let world = unit(&folder, &url, &["Cwmp.Username=one", "Cwmp.Password=first"]);
    let proves = |user: &'static str, password: &'static str| {
        move |heard: &Heard| {
            let line = heard.head.lines();
            let mut line = line.filter_map(|line| line.strip_prefix("authorization:"));
            let credentials = line.next().map(|line| Credentials::parse(line.trim()));
            let Some(Ok(credentials)) = credentials else {
                return false;
            };
            let target = Target {
                method: "POST",
                uri: "/acs",
                body: &[],
            };
            let right = credentials.verify(Secret::Password(password), target);
            credentials.username == user && right == Ok(true)
        }
    };
    acs.hears("the first proof", proves("one", "first"));
    world.set("Cwmp.Username", "two").expect("granted");
    acs.hears("the other name", proves("two", "first"));
    world.set("Cwmp.Password", "second").expect("granted");
    acs.hears("the other password", proves("two", "second"));
    world.end();
}

#[test]
pub(crate) fn an_acs_over_tls_is_judged_as_set_and_shown_a_certificate_where_the_association_says_so()
 {
    let authority = Authority::today("Root");
    let acs = Acs::secure(&authority.issue("other.example"));
    let folder = Folder::new();
    let url = format!("https://127.0.0.1:{}/", acs.port);
    let world = unit(&folder, &url, &[]);
    let refused = || world.read("Cwmp.AcsReason").contains("--type other");
    eventually("it is refused", refused);
    let validation = "Cwmp.TransportCertificateValidation";
    world.set(validation, "noValidation").expect("granted");
    acs.hears("a post", |heard| !heard.showed_a_certificate);
    let pem = "Cert.HostCertificateMaterial[FileName=gw.pem].Pem";
    install(&world, pem, &authority.issue("gw.example").bundle());
    acs.hears("a post with a certificate", |heard| {
        heard.showed_a_certificate
    });
    let association = "Cert.HostCertificateAssociation[FileName=gw.pem].Cwmp";
    world.set(association, "disable").expect("granted");
    acs.hears("a post without", |heard| !heard.showed_a_certificate);
    world.end();
}

#[test]
pub(crate) fn connection_requests_are_heard_where_the_settings_say() {
    let folder = Folder::new();
    let first = crate::services::free_port();
    let port = format!("Cwmp.ListeningPort={first}");
    let world = unit(&folder, "http://127.0.0.1:1/", &[&port]);
    let url = || world.read("Cwmp.ConnectionRequestUrl");
    eventually("it listens", || {
        url().starts_with(&format!("http://127.0.0.1:{first}/"))
    });
    let second = crate::services::free_port();
    world
        .set("Cwmp.ListeningPort", &second.to_string())
        .expect("granted");
    eventually("it moved", || {
        url().starts_with(&format!("http://127.0.0.1:{second}/"))
    });
    world
        .set("Cwmp.ConnectionRequestPath", "elsewhere")
        .expect("granted");
    eventually("the path moved", || url().ends_with("/elsewhere"));
    for (column, value) in [
        ("InterfaceName", "Six"),
        ("LinkName", "lo"),
        ("StaticIpAddr", "127.0.0.2/8"),
        ("Activation", "enable"),
    ] {
        let name = format!("Bni.NetworkInterfaces[Idx=9].{column}");
        world.set(&name, value).expect("granted");
    }
    world.set("Cwmp.NetworkInterface", "Six").expect("granted");
    eventually("the interface moved", || {
        url().starts_with("http://127.0.0.2:")
    });
    world.end();
}

#[test]
pub(crate) fn a_connection_request_has_to_prove_what_is_set() {
    let mut wire = Wire::new();
    for (name, value) in [
        ("Cwmp.ConnectionRequestUsername", "asker"),
        ("Cwmp.ConnectionRequestPassword", "secret"),
        ("Cwmp.ConnectionRequestPath", "door"),
    ] {
        wire.assign(name, value.into());
    }
    let is_welcome = |wire: &Wire, signed: &str| {
        let settings = Settings::read(&wire.tree.snapshot()).requests;
        let (mut doorman, now) = (Doorman::default(), Instant::now());
        let mut knock = |authorization: Option<&str>| {
            let knock = Knock {
                method: "GET",
                target: "/door",
                authorization,
            };
            doorman.judge(now, &settings, knock, "n".to_owned())
        };
        let Verdict::Prove(challenge) = knock(None) else {
            return false;
        };
        let challenge = Challenge::parse_all([challenge.as_str()]).remove(0);
        let target = Target {
            method: "GET",
            uri: signed,
            body: &[],
        };
        let secret = Secret::Password("secret");
        let proof = challenge.answer("asker", secret, target, 1, "c");
        knock(Some(&proof.expect("MD5").to_string())) == Verdict::Welcome
    };
    assert!(is_welcome(&wire, "/door"));
    assert!(!is_welcome(&wire, "/"));
    wire.assign("Cwmp.InteropConnectionRequestUri", Value::Integer(200));
    assert!(is_welcome(&wire, "/"));
    wire.assign("Cwmp.ConnectionRequestUsername", "another".into());
    assert!(!is_welcome(&wire, "/door"));
    wire.assign("Cwmp.ConnectionRequestUsername", "asker".into());
    wire.assign("Cwmp.ConnectionRequestPassword", "another".into());
    assert!(!is_welcome(&wire, "/door"));
}

#[test]
pub(crate) fn the_acs_is_the_one_that_its_source_names() {
    let posted = |source: i32, dhcp: &str, fixed: &str| {
        let mut wire = Wire::new();
        wire.assign("Cwmp.AcsUrlConfigSource", Value::Integer(source));
        wire.assign("Cwmp.DhcpAcsUrl", dhcp.into());
        wire.assign("Cwmp.AcsStaticUrl", fixed.into());
        wire.answers([informed()]);
        wire.start();
        wire.urls.first().cloned()
    };
    let (dhcp, fixed) = ("http://dhcp/", "http://static/");
    assert_eq!(posted(100, dhcp, fixed).as_deref(), Some(dhcp));
    assert_eq!(posted(200, dhcp, fixed).as_deref(), Some(fixed));
    assert_eq!(posted(300, dhcp, fixed).as_deref(), Some(dhcp));
    assert_eq!(posted(300, "", fixed).as_deref(), Some(fixed));
    assert_eq!(posted(200, dhcp, ""), None);
}

#[test]
pub(crate) fn an_inform_says_the_code_and_the_time_limit_that_are_set() {
    let inform = |assignments: &[(&str, Value)]| {
        let mut wire = Wire::new();
        for (name, value) in assignments {
            wire.assign(name, value.clone());
        }
        wire.answers([informed()]);
        wire.start();
        wire.posts.remove(0)
    };
    let plain = inform(&[]);
    assert!(plain.contains(">60</cwmp:SessionTimeout>"), "{plain}");
    let limit = inform(&[("Cwmp.SessionTimeout", Value::Unsigned(90))]);
    assert!(limit.contains(">90</cwmp:SessionTimeout>"));
    let by_dhcp = ("Cwmp.DhcpProvisioningCode", Value::from("by-dhcp"));
    let by_hand = ("Cwmp.ProvisioningCode", Value::from("by-hand"));
    assert!(!plain.contains("by-dhcp"));
    assert!(inform(std::slice::from_ref(&by_dhcp)).contains(">by-dhcp<"));
    let both = inform(&[by_dhcp, by_hand]);
    assert!(both.contains(">by-hand<") && !both.contains("by-dhcp"));
}

#[test]
pub(crate) fn the_wait_after_a_failure_is_as_long_as_set() {
    let waits = |minimum: u32, multiplier: u32| {
        let mut wire = Wire::bootstrapped();
        wire.assign("Cwmp.RetryMinimumWaitInterval", Value::Unsigned(minimum));
        wire.assign("Cwmp.RetryIntervalMultiplier", Value::Unsigned(multiplier));
        let cut = || Answer::Trouble(TroubleKind::NotResponding);
        wire.answers([cut(), cut()]);
        wire.restart();
        let first = wire.wait().expect("it waits");
        wire.pass(Duration::from_secs(first));
        (first, wire.wait().expect("it waits"))
    };
    assert_eq!(waits(5, 2000), (5, 10));
    assert_eq!(waits(7, 2000), (7, 14));
    assert_eq!(waits(5, 3000), (5, 15));
}

#[test]
pub(crate) fn the_wait_after_a_failure_is_as_long_as_dhcp_says_where_nobody_else_does() {
    let waits = |assignments: &[(&str, u32)]| {
        let mut wire = Wire::bootstrapped();
        for (name, number) in assignments {
            wire.assign(name, Value::Unsigned(*number));
        }
        let cut = || Answer::Trouble(TroubleKind::NotResponding);
        wire.answers([cut(), cut()]);
        wire.restart();
        let first = wire.wait().expect("it waits");
        wire.pass(Duration::from_secs(first));
        (first, wire.wait().expect("it waits"))
    };
    let minimum = ("Cwmp.DhcpRetryMinimumWaitInterval", 7);
    let multiplier = ("Cwmp.DhcpRetryIntervalMultiplier", 3000);
    assert_eq!(waits(&[]), (5, 10));
    assert_eq!(waits(&[minimum]), (7, 14));
    assert_eq!(waits(&[minimum, multiplier]), (7, 21));
    let set = ("Cwmp.RetryMinimumWaitInterval", 9);
    assert_eq!(waits(&[minimum, set]), (9, 18));
}

#[test]
pub(crate) fn a_change_of_the_acs_is_provisional_for_as_long_as_set() {
    let within = |deadline: u32| {
        let mut wire = Wire::bootstrapped();
        wire.change("Cwmp.AcsChangeDeadline", Value::Unsigned(deadline));
        let url = "Device.X_0090F8_Cwmp.AcsStaticUrl";
        wire.answers([informed(), set(&[(url, "http://other/")], "")]);
        wire.ask_for_a_session();
        assert_eq!(wire.read("Cwmp.AcsStaticUrl"), "http://other/".into());
        wire.tree
            .pending_changes()
            .first()
            .map(|change| change.within)
    };
    assert_eq!(within(600), Some(600));
    assert_eq!(within(120), Some(120));
    assert_eq!(within(0), None);
}

/// The names that a session hears below a path.
fn names(wire: &mut Wire, path: &str) -> Vec<String> {
    let body = format!(
        "<C:GetParameterNames><ParameterPath>{path}</ParameterPath>\
         <NextLevel>0</NextLevel></C:GetParameterNames>"
    );
    wire.posts.clear();
    wire.answers([informed(), acs("n", &body)]);
    wire.ask_for_a_session();
    texts(&wire.posts[2], "Name")
}

#[test]
pub(crate) fn paths_begin_with_the_root_that_is_set_and_have_a_voice_service_where_it_is_on() {
    let mut wire = Wire::bootstrapped();
    let has_voice = |names: &[String]| names.iter().any(|name| name.contains(".VoiceService."));
    let device = names(&mut wire, "");
    assert!(device.iter().all(|name| name.starts_with("Device.")));
    assert!(!has_voice(&device));
    wire.change("Cwmp.Tr104Enable", Value::Integer(1));
    assert!(has_voice(&names(&mut wire, "")));
    wire.change("Cwmp.RootElement", Value::Integer(200));
    wire.pass(Duration::from_secs(1));
    let gateway = names(&mut wire, "");
    assert!(!gateway.is_empty());
    assert!(
        gateway
            .iter()
            .all(|name| name.starts_with("InternetGatewayDevice."))
    );
}

#[test]
pub(crate) fn a_wrong_type_is_taken_only_where_that_is_allowed() {
    let faults = |strict: i32| {
        let mut wire = Wire::bootstrapped();
        wire.change(
            "Cwmp.InteropParameterTypeValidation",
            Value::Integer(strict),
        );
        // The ACS here writes xsd:string for a number.
        let limit = "Device.X_DEMARC_Cwmp.SessionTimeout";
        wire.answers([informed(), set(&[(limit, "90")], "")]);
        wire.ask_for_a_session();
        texts(&wire.posts[2], "FaultCode")
    };
    assert!(faults(100).is_empty());
    assert_eq!(faults(200), ["9003", "9006"]);
}

#[test]
pub(crate) fn paths_have_aliases_and_make_rows_where_that_is_set() {
    let table = "Device.X_0090F8_Hoc.StaticHosts.";
    let mut wire = Wire::bootstrapped();
    wire.change("Hoc.StaticHosts[Index=4].Name", "pbx".into());
    let numbers = names(&mut wire, table);
    assert!(numbers.contains(&format!("{table}4.")), "{numbers:?}");
    wire.change("Cwmp.InstanceMode", Value::Integer(200));
    let aliases = names(&mut wire, table);
    assert!(
        aliases
            .iter()
            .any(|name| name.starts_with(&format!("{table}["))),
        "{aliases:?}"
    );
    let made = |wire: &mut Wire| {
        let name = format!("{table}[new].Name");
        wire.posts.clear();
        wire.answers([informed(), set(&[(&name, "made")], "")]);
        wire.ask_for_a_session();
        texts(&wire.posts[2], "FaultCode").is_empty()
    };
    assert!(!made(&mut wire));
    wire.change("Cwmp.AutoCreateInstances", Value::Integer(1));
    assert!(made(&mut wire));
}
