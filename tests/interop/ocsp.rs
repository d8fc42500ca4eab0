//! OpenSSL as authority, as OCSP responder and as TLS server.

use crate::bench::{Device, Folder, eventually, free_tcp_port, free_udp_port, run};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(15);
const TRUST: &str = "SipEp.TransportTlsCertificateTrustLevel";
const OVERRIDE: &str =
    "Cert.CertificateAuthorities[FileName=ca.pem].OverrideIssuedCertificateOcspUrl";

/// An authority, a delegate that signs its OCSP answers, and a stranger of the same kind.
const MAKE: &str = r#"
key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $1.key; }
root() { key $1; openssl req -x509 -new -key $1.key -days 30 -subj "/CN=$2" -out $1.pem \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign; }
issue() { key $1; openssl req -new -key $1.key -subj "/CN=$1" -out $1.csr; printf "$3\n" >$1.ext
    openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -set_serial $4 -days 20 -extfile $1.ext -out $1.pem; }
root ca 'Test CA'; root stranger 'Another CA'
eku='keyUsage=digitalSignature\nextendedKeyUsage='
issue delegate ca "${eku}OCSPSigning" 2
issue intruder stranger "${eku}OCSPSigning" 2
issue named ca "${eku}serverAuth\nsubjectAltName=DNS:sip.test\nauthorityInfoAccess=OCSP;URI:http://127.0.0.1:$1/" 16
issue silent ca "${eku}serverAuth\nsubjectAltName=DNS:sip.test" 17
"#;

/// What the authority's book says of a certificate.
#[derive(Clone, Copy)]
enum Entry {
    Valid,
    Revoked,
    Missing,
}

struct Pki {
    folder: PathBuf,
    port: u16,
}

impl Pki {
    /// Its responder is to be on a port that nobody has yet.
    fn make(folder: &Folder) -> Self {
        let pki = Self {
            folder: folder.path().join("pki"),
            port: free_tcp_port(),
        };
        fs::create_dir_all(&pki.folder).expect("a folder");
        let port = pki.port.to_string();
        run(Command::new("sh")
            .args(["-e", "-c", MAKE, "make", &port])
            .current_dir(&pki.folder));
        pki
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn write(&self, entry: Entry) {
        let line = |serial: &str| match entry {
            Entry::Valid => format!("V\t400101000000Z\t\t{serial}\tunknown\t/CN={serial}\n"),
            Entry::Revoked => {
                let revoked = "251111000000Z,keyCompromise";
                format!("R\t400101000000Z\t{revoked}\t{serial}\tunknown\t/CN={serial}\n")
            }
            Entry::Missing => String::new(),
        };
        fs::write(self.file("index.txt"), line("10") + &line("11")).expect("the book");
    }

    /// Answers the question in a file, as `signer`.
    fn answer(folder: &Path, signer: &str, question: &Path, answer: &Path) {
        run(Command::new("openssl")
            .args([
                "ocsp",
                "-index",
                "index.txt",
                "-CA",
                "ca.pem",
                "-ndays",
                "1",
            ])
            .args(["-rsigner", &format!("{signer}.pem")])
            .args(["-rkey", &format!("{signer}.key")])
            .arg("-reqin")
            .arg(question)
            .arg("-respout")
            .arg(answer)
            .current_dir(folder));
    }

    fn responder(&self, signer: &'static str) -> Responder {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("its port");
        let asked = Arc::new(AtomicUsize::new(0));
        let (folder, count) = (self.folder.clone(), asked.clone());
        thread::spawn(move || {
            for connection in listener.incoming() {
                let number = count.fetch_add(1, Ordering::SeqCst);
                serve(&folder, signer, number, connection.expect("a question"));
            }
        });
        Responder { asked }
    }

    /// A TLS server that takes whatever comes, one link at a time; with what it staples, if anything.
    fn server(&self, name: &str, staple: Option<&str>) -> Server {
        self.server_on(free_tcp_port(), name, staple)
    }

    fn server_on(&self, port: u16, name: &str, staple: Option<&str>) -> Server {
        let mut command = Command::new("openssl");
        command
            .args([
                "s_server",
                "-quiet",
                "-accept",
                &format!("127.0.0.1:{port}"),
            ])
            .args([
                "-cert",
                &format!("{name}.pem"),
                "-key",
                &format!("{name}.key"),
            ])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some(staple) = staple {
            command.args(["-status_file", staple]);
        }
        let child = command.spawn().expect("openssl s_server");
        eventually("the server listens", LIMIT, || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Server { child, port }
    }

    /// A device whose gateway is to link with the server, trusting the authority.
    fn device(&self, folder: &Folder, server: &Server, trust: &str) -> Device {
        let registrar = format!("sip.test:{}", server.port);
        let device = Device::start(
            folder,
            &[
                "Hoc.StaticHosts[Index=1].Name=sip.test",
                "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
                &format!("SipEp.DefaultStaticRegistrarServerHost={registrar}"),
                &format!("SipEp.DefaultStaticProxyHomeDomainHost={registrar}"),
                &format!("SipEp.Gateway[Name=default].Port={}", free_udp_port()),
                &format!("SipEp.Gateway[Name=default].SecurePort={}", free_tcp_port()),
                &format!(
                    "SipEp.TransportPersistentBasePort={}",
                    free_tcp_port().clamp(1025, 64_000)
                ),
                &format!("{TRUST}={trust}"),
                "Cert.MinSeverity=debug",
            ],
        );
        let ca = self.file("ca.pem").display().to_string();
        device.done(&["cert", "add", "--type", "other", "--name", "ca.pem", &ca]);
        device.done(&[
            "set",
            "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ]);
        device
    }
}

struct Responder {
    asked: Arc<AtomicUsize>,
}

impl Responder {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn serve(folder: &Path, signer: &str, number: usize, mut connection: TcpStream) {
    let mut request = Vec::new();
    let mut octets = [0; 4096];
    let question = loop {
        let count = connection.read(&mut octets).expect("a question");
        assert_ne!(count, 0, "the question was cut off");
        request.extend_from_slice(&octets[..count]);
        if let Some(question) = body(&request) {
            break question;
        }
    };
    let head = String::from_utf8_lossy(&request).to_ascii_lowercase();
    assert!(head.starts_with("post "), "{head}");
    assert!(
        head.contains("content-type: application/ocsp-request"),
        "{head}"
    );
    let [asked, told] = ["request", "answer"].map(|name| folder.join(format!("{name}-{number}")));
    fs::write(&asked, question).expect("written");
    Pki::answer(folder, signer, &asked, &told);
    let told = fs::read(told).expect("an answer");
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/ocsp-response\r\nContent-Length: {}\r\n\r\n",
        told.len()
    );
    connection.write_all(head.as_bytes()).expect("sent");
    connection.write_all(&told).expect("sent");
}

/// The body of a request, once all of it is there.
fn body(request: &[u8]) -> Option<Vec<u8>> {
    let end = request.windows(4).position(|end| end == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&request[..end]).to_ascii_lowercase();
    let (_, length) = head.split_once("content-length: ")?;
    let length: usize = length.split("\r\n").next()?.parse().ok()?;
    request.get(end..end + length).map(<[u8]>::to_vec)
}

fn link_is_up(device: &Device) {
    link_is(device, "up");
}

fn link_is(device: &Device, state: &str) {
    let ending = format!(".State={state}");
    eventually(&format!("the link is {state}"), LIMIT, || {
        let states = device.done(&["walk", "SipEp.TlsPersistentConnectionStatus"]);
        states
            .lines()
            .find(|line| line.ends_with(&ending))
            .map(|_| ())
    });
}

fn link_is_down(device: &Device, said: &str) -> String {
    eventually(&format!("a reason that says {said:?}"), LIMIT, || {
        let reasons = device.done(&["walk", "SipEp.TlsPersistentConnectionStatusReason"]);
        let found = reasons.lines().find(|line| line.contains(said));
        found.map(str::to_owned)
    })
}

fn trust(device: &Device, level: &str) {
    device.done(&["set", &format!("{TRUST}={level}")]);
}

#[test]
fn a_certificate_that_is_good_is_asked_after_once() {
    let folder = Folder::new("ocsp-good");
    let pki = Pki::make(&folder);
    pki.write(Entry::Valid);
    let responder = pki.responder("delegate");
    let mut server = pki.server("named", None);
    let device = pki.device(&folder, &server, "ocspMandatory");
    link_is_up(&device);
    assert_eq!(responder.asked(), 1);
    // A new link: what was said holds for a day.
    server.stop();
    link_is(&device, "down");
    let _server = pki.server_on(server.port, "named", None);
    link_is_up(&device);
    assert_eq!(responder.asked(), 1);
}

#[test]
fn a_revoked_certificate_is_refused_unless_nobody_is_to_be_asked() {
    let folder = Folder::new("ocsp-revoked");
    let pki = Pki::make(&folder);
    pki.write(Entry::Revoked);
    let responder = pki.responder("ca");
    let server = pki.server("named", None);
    let device = pki.device(&folder, &server, "ocspOptional");
    let reason = link_is_down(&device, "was revoked on 2025-11-11 00:00:00");
    assert!(reason.contains("its key was compromised"), "{reason}");
    let asked = responder.asked();
    trust(&device, "ocspMandatory");
    link_is_down(&device, "was revoked on");
    trust(&device, "locallyTrusted");
    link_is_up(&device);
    assert_eq!(responder.asked(), asked);
}

#[test]
fn what_cannot_be_found_out_counts_only_where_it_must_be_known() {
    let folder = Folder::new("ocsp-doubt");
    let pki = Pki::make(&folder);
    pki.write(Entry::Valid);
    let server = pki.server("named", None);
    // Nobody listens there yet.
    let device = pki.device(&folder, &server, "ocspMandatory");
    let reason = link_is_down(&device, "cannot be connected");
    assert!(reason.contains(OVERRIDE), "{reason}");
    assert!(
        reason.contains(&format!("{TRUST}=ocspOptional")),
        "{reason}"
    );
    let intruder = pki.responder("intruder");
    link_is_down(
        &device,
        "signed neither by the authority nor by its delegate",
    );
    assert!(intruder.asked() >= 1);
    trust(&device, "ocspOptional");
    link_is_up(&device);
    assert!(device.done(&["log"]).contains("it is trusted all the same"));
}

#[test]
fn a_certificate_that_its_authority_does_not_know_is_in_doubt() {
    let folder = Folder::new("ocsp-unknown");
    let pki = Pki::make(&folder);
    pki.write(Entry::Missing);
    let _responder = pki.responder("delegate");
    let server = pki.server("named", None);
    let device = pki.device(&folder, &server, "ocspMandatory");
    link_is_down(&device, "its authority does not know the certificate");
    trust(&device, "ocspOptional");
    link_is_up(&device);
}

#[test]
fn the_operator_names_a_responder_for_an_authority() {
    let folder = Folder::new("ocsp-override");
    let pki = Pki::make(&folder);
    pki.write(Entry::Valid);
    let responder = pki.responder("delegate");
    let server = pki.server("silent", None);
    let device = pki.device(&folder, &server, "ocspMandatory");
    let reason = link_is_down(&device, "names no OCSP responder");
    assert!(reason.contains(OVERRIDE), "{reason}");
    assert_eq!(responder.asked(), 0);
    device.done(&["set", &format!("{OVERRIDE}=http://127.0.0.1:{}/", pki.port)]);
    link_is_up(&device);
    assert_eq!(responder.asked(), 1);
}

#[test]
fn what_the_server_staples_is_believed_and_nobody_else_is_asked() {
    for (entry, level) in [
        (Entry::Valid, "ocspMandatory"),
        (Entry::Revoked, "ocspOptional"),
    ] {
        let folder = Folder::new("ocsp-staple");
        let pki = Pki::make(&folder);
        pki.write(entry);
        let [question, staple] = ["question", "staple"].map(|name| pki.file(name));
        run(Command::new("openssl")
            .args([
                "ocsp",
                "-issuer",
                "ca.pem",
                "-cert",
                "named.pem",
                "-no_nonce",
                "-reqout",
            ])
            .arg(&question)
            .current_dir(&pki.folder));
        Pki::answer(&pki.folder, "ca", &question, &staple);
        let responder = pki.responder("ca");
        let server = pki.server("named", Some("staple"));
        let device = pki.device(&folder, &server, level);
        match entry {
            Entry::Revoked => drop(link_is_down(&device, "was revoked on")),
            _ => link_is_up(&device),
        }
        assert_eq!(responder.asked(), 0);
    }
}
