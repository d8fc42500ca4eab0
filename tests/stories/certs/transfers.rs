//! Certificates fetched by the transfer table and by Cert.Transfer.

use std::sync::{Arc, Mutex};

use demarc::certs::{
    ClientAuth, HostBundle, HostCertificate, Keyring, MAX_FILE, OthersBundle, Service, Services,
    TlsPolicy, TlsTime, server_config,
};
use demarc::tree::{OperationError, Value};
use openssl::sha::sha256;
use tokio::net::TcpListener;

use super::device::Device;
use super::pki::{Authority, NOW};
use super::server::{Pages, Server, moved, ok};

const HOST: &str = "files.example.com";
const SHA256: &str = "Cert.Transfer[Index=1].ExpectedSha256";
const FETCHED: &str = "Cert.OthersCertificatesInfo[FileName=fetched.pem].IssuedTo";

/// A device that trusts Web, and the file that it is to fetch.
struct Bench {
    device: Device,
    web: Authority,
    file: String,
    servers: Mutex<Vec<Server>>,
}

impl Bench {
    async fn new() -> Self {
        let web = Authority::new("Web");
        let device = Device::start();
        device.trust(&web.0.pem()).await;
        Self {
            device,
            web,
            file: Authority::new("Carrier").0.pem(),
            servers: Mutex::default(),
        }
    }

    async fn serve(&self, pages: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> String {
        let server = Server::secure(&self.web.issue(HOST), Arc::new(pages)).await;
        let url = format!("https://{HOST}:{}", server.port);
        self.servers.lock().expect("a list").push(server);
        url
    }

    async fn give_out(&self) -> String {
        let file = self.file.clone();
        self.serve(move |_| ok(&file)).await
    }

    async fn refusal(&self, url: &str, more: &[(&str, Value)]) -> String {
        let (state, reason) = self.device.transfer(url, more).await;
        assert_eq!((state.as_str(), self.installed().as_str()), ("failed", "-"));
        reason
    }

    fn installed(&self) -> String {
        self.device.read(FETCHED)
    }
}

fn hex(file: &str) -> String {
    let octets = sha256(file.as_bytes());
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

#[tokio::test]
async fn a_file_with_the_right_digest_is_installed_and_shown() {
    let bench = Bench::new().await;
    let url = bench.give_out().await + "/ca/%serial%.pem";
    let digest = (SHA256, Value::from(hex(&bench.file)));
    let (state, reason) = bench.device.transfer(&url, &[digest]).await;
    assert_eq!((state.as_str(), reason.as_str()), ("done", ""));
    assert_eq!(bench.installed(), "CN=Carrier");
    let finished = bench.device.read("Cert.Transfer[Index=1].Finished");
    assert_eq!(finished, "2026-01-01 00:00:00");
    let authority = "Cert.OthersCertificatesInfo[FileName=fetched.pem].CertificateAuthority";
    assert_eq!(bench.device.read(authority), "yes");
    assert_eq!(bench.device.keyring.anchors().iter().count(), 2);
}

#[tokio::test]
pub(crate) async fn a_file_with_another_digest_is_refused() {
    let bench = Bench::new().await;
    let url = bench.give_out().await + "/a.pem";
    let digest = (SHA256, Value::from(hex("another")));
    let reason = bench.refusal(&url, &[digest]).await;
    assert!(
        reason.contains("check Cert.Transfer.ExpectedSha256"),
        "{reason}"
    );
}

#[tokio::test]
async fn a_server_whose_authority_is_not_installed_is_refused() {
    let mut bench = Bench::new().await;
    bench.web = Authority::new("Stranger");
    let url = bench.give_out().await + "/a.pem";
    let reason = bench.refusal(&url, &[]).await;
    assert!(reason.contains("is issued by CN=Stranger"), "{reason}");
    assert!(reason.contains("demarc cert add --type other"), "{reason}");
}

#[tokio::test]
async fn a_server_of_another_name_is_refused() {
    let bench = Bench::new().await;
    let url = bench.give_out().await + "/a.pem";
    let url = url.replace(HOST, "other.example.com");
    let reason = bench.refusal(&url, &[]).await;
    assert!(reason.contains("files.example.com (SAN DNS)"), "{reason}");
}

#[tokio::test]
pub(crate) async fn without_tls_a_file_is_fetched_only_after_that_was_activated() {
    let bench = Bench::new().await;
    let file = bench.file.clone();
    let server = Server::clear(Arc::new(move |_: &str| ok(&file))).await;
    let url = format!("http://{HOST}:{}/a.pem", server.port);
    let reason = bench.refusal(&url, &[]).await;
    assert!(
        reason.contains("Cert.UnsecureTransferActivate=activate"),
        "{reason}"
    );
    bench
        .device
        .set(&[("Cert.UnsecureTransferActivate", Value::Integer(10))]);
    let until = "Cert.UnsecureTransferUntil";
    bench.device.wait_for(until, "2026-01-01 00:10:00").await;
    assert_eq!(bench.device.transfer(&url, &[]).await.0, "done");
    assert_eq!(bench.installed(), "CN=Carrier");
}

#[tokio::test]
async fn a_file_of_this_machine_is_fetched_only_after_that_was_activated() {
    let bench = Bench::new().await;
    let path = std::env::temp_dir().join(format!("demarc-story-{}.pem", std::process::id()));
    std::fs::write(&path, &bench.file).expect("a folder for temporary files");
    let url = format!("file://{}", path.display());
    let refused = bench.refusal(&url, &[]).await;
    bench
        .device
        .set(&[("Cert.UnsecureTransferActivate", Value::Integer(10))]);
    let fetched = bench.device.transfer(&url, &[]).await;
    let folder = bench.device.transfer("file:///tmp", &[]).await;
    std::fs::remove_file(&path).expect("the file is there");
    assert!(
        refused.starts_with("a transfer by file is not protected"),
        "{refused}"
    );
    assert_eq!(fetched.0, "done");
    assert!(folder.1.contains("/tmp cannot be read"), "{}", folder.1);
}

#[tokio::test]
async fn redirects_are_followed_but_never_out_of_tls() {
    let bench = Bench::new().await;
    let file = bench.file.clone();
    let clear = Server::clear(Arc::new(move |_: &str| ok(&file))).await;
    let out = format!("http://{HOST}:{}/a.pem", clear.port);
    let file = bench.file.clone();
    let url = bench
        .serve(move |path| match path {
            "/out" => moved(&out),
            "/round" => moved("/round"),
            "/in" => moved("found.pem"),
            _ => ok(&file),
        })
        .await;
    bench
        .device
        .set(&[("Cert.UnsecureTransferActivate", Value::Integer(10))]);
    let reason = bench.refusal(&(url.clone() + "/out"), &[]).await;
    assert!(reason.contains("which is not protected"), "{reason}");
    let reason = bench.refusal(&(url.clone() + "/round"), &[]).await;
    assert!(reason.contains("more than 5 times"), "{reason}");
    assert_eq!(bench.device.transfer(&(url + "/in"), &[]).await.0, "done");
}

#[tokio::test]
async fn a_body_that_is_cut_or_too_large_is_refused() {
    let bench = Bench::new().await;
    let file = bench.file.clone();
    let url = bench
        .serve(move |path| match path {
            "/cut" => {
                let mut answer = ok(&file);
                answer.truncate(answer.len() - 100);
                answer
            }
            "/large" => ok(&"x".repeat(MAX_FILE + 1)),
            "/endless" => {
                let mut answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec();
                answer.resize(2 * MAX_FILE, b'x');
                answer
            }
            "/garbage" => b"SSH-2.0-server\r\n".to_vec(),
            _ => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        })
        .await;
    for (path, why) in [
        ("/cut", "the file was cut off"),
        ("/large", "the file has more than 65535 octets"),
        ("/endless", "the file has more than 65535 octets"),
        ("/garbage", "did not answer as a web server does"),
        ("/none", "answered 404, it has no such file"),
    ] {
        let reason = bench.refusal(&(url.clone() + path), &[]).await;
        assert!(reason.contains(why), "{path}: {reason}");
    }
}

#[tokio::test]
async fn a_host_certificate_is_fetched_by_an_operation_and_bound_as_it_says() {
    let bench = Bench::new().await;
    let bundle = Authority::new("Carrier").issue("gw.example.com").bundle();
    let url = bench.serve(move |_| ok(&bundle)).await + "/gw.pem";
    let arguments = [
        ("Url", url.as_str()),
        ("Type", "host"),
        ("Associate", "Sip"),
    ];
    let answer = bench.device.invoke("Cert.Transfer", &arguments, None).await;
    assert_eq!(answer, Ok(format!("{url} is installed")));
    let bound = |service: &str| {
        let row = "Cert.HostCertificateAssociation[FileName=gw.pem]";
        bench.device.read(&format!("{row}.{service}"))
    };
    assert_eq!(
        (bound("Sip"), bound("Cert")),
        ("enable".into(), "disable".into())
    );
    let key = "Cert.HostCertificateMaterial[FileName=gw.pem].Pem";
    assert_eq!(bench.device.read(key), "");
    let wrong = [("Url", "http://a.example/x"), ("Type", "host")];
    let answer = bench.device.invoke("Cert.Transfer", &wrong, None).await;
    assert!(matches!(answer, Err(OperationError::Failed(_))));
}

/// A server that wants a certificate of the authority `wanted`.
async fn picky(web: &Authority, wanted: &Authority, pages: Pages) -> Server {
    let i64_now = i64::try_from(NOW).expect("small");
    let keyring = Arc::new(Keyring::new(TlsTime::Known(i64_now)));
    let bundle = HostBundle::read(web.issue(HOST).bundle().as_bytes()).expect("good");
    let host = HostCertificate::new("web".into(), Services::ALL, bundle, &keyring);
    keyring.set_hosts(vec![host.expect("a key that fits")]);
    let anchors = OthersBundle::read(wanted.0.pem().as_bytes()).expect("good");
    keyring.set_anchors(anchors.certificates().iter().cloned().collect());
    let required = ClientAuth::Required;
    let config = server_config(&keyring, Service::Cert, TlsPolicy::default(), required);
    Server::serve(Some(config.expect("ciphers")), pages).await
}

#[tokio::test]
pub(crate) async fn a_host_certificate_is_shown_to_a_server_where_the_association_says_so() {
    let bench = Bench::new().await;
    let carrier = Authority::new("Carrier");
    let file = bench.file.clone();
    let server = picky(&bench.web, &carrier, Arc::new(move |_: &str| ok(&file))).await;
    let url = format!("https://{HOST}:{}/a.pem", server.port);
    let bundle = carrier.issue("gw.example.com").bundle();
    let place = [("FileName", "gw.pem"), ("Type", "host")];
    let answer = bench
        .device
        .invoke("Cert.Install", &place, Some(&bundle))
        .await;
    answer.expect("installed");
    let association = "Cert.HostCertificateAssociation[FileName=gw.pem].Cert";
    bench.device.set(&[(association, Value::Integer(0))]);
    let reason = bench.refusal(&url, &[]).await;
    assert!(
        reason.contains("Cert.HostCertificateAssociation.Cert"),
        "{reason}"
    );
    bench.device.set(&[(association, Value::Integer(1))]);
    assert_eq!(bench.device.transfer(&url, &[]).await.0, "done");
}

#[tokio::test]
async fn a_transfer_that_a_restart_interrupts_has_failed_until_it_is_started_again() {
    let mut bench = Bench::new().await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = silent.local_addr().expect("bound").port();
    let (state, reason) = (
        "Cert.Transfer[Index=1].State",
        "Cert.Transfer[Index=1].Reason",
    );
    bench.device.set(&[
        (
            "Cert.Transfer[Index=1].Url",
            Value::from(format!("https://{HOST}:{port}/a.pem")),
        ),
        ("Cert.Transfer[Index=1].Start", Value::Integer(10)),
    ]);
    bench.device.wait_for(state, "running").await;
    bench.device = bench.device.restart();
    assert_eq!(bench.device.read(state), "failed");
    let why = bench.device.read(reason);
    assert!(why.starts_with("interrupted by a restart"), "{why}");
    let url = bench.give_out().await;
    let (state, reason) = bench.device.transfer(&format!("{url}/a.pem"), &[]).await;
    assert_eq!((state.as_str(), reason.as_str()), ("done", ""));
}
