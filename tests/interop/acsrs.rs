//! From the factory state to a registration over TLS, nobody touching the
//! device: an ACS of somebody else's (acsrs) does all of it.
//!
//! What counts is what the ACS says of the device, by its API, its record and
//! its log, and what Kamailio has registered, and over whose certificate.

use crate::bench::{
    Acsrs, Authority, Clients, Device, Folder, Identity, Kamailio, Life, Proof, Running,
    eventually, free_tcp_port, free_udp_port,
};
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(30);
const CERT: &str = "Device.X_DEMARC_Cert.";
const NETWORK: &str = "Device.Services.VoiceService.1.SIP.Network.1.";
const CLIENT: &str = "Device.Services.VoiceService.1.SIP.Client.1.";

/// A device fresh from the factory whose profile names the ACS.
fn device(folder: &Folder, url: &str, more: &[&str], anchors: &[&Path]) -> Device {
    let base = free_tcp_port().clamp(1025, 64_000);
    let lines = [
        "Cwmp.AcsUrlConfigSource=static".to_owned(),
        format!("Cwmp.AcsStaticUrl={url}"),
        format!("Cwmp.ListeningPort={}", free_tcp_port()),
        // acsrs signs "/", whatever the path is.
        "Cwmp.InteropConnectionRequestUri=mayDiffer".to_owned(),
        // Several tests run on one machine.
        format!("SipEp.Gateway[Name=default].Port={}", free_udp_port()),
        format!("SipEp.Gateway[Name=default].SecurePort={}", free_tcp_port()),
        format!("SipEp.TransportPersistentBasePort={base}"),
    ];
    let lines: Vec<&str> = lines
        .iter()
        .map(String::as_str)
        .chain(more.iter().copied())
        .collect();
    Device::of_profile(folder, &lines, anchors)
}

/// What the carrier does for each new gateway.
struct Carrier<'a> {
    acs: &'a Acsrs,
    serial: String,
}

impl Carrier<'_> {
    fn sets(&self, values: &[(&str, &str)]) {
        self.acs.sets(&self.serial, values);
    }

    /// Has the device fetch a certificate, and waits until it is installed.
    fn delivers(&self, kind: &str, name: &str, url: &str) {
        let row = self.acs.adds(&self.serial, &format!("{CERT}Transfer."));
        self.sets(&[
            (&format!("{row}Url"), url),
            (&format!("{row}Type"), kind),
            (&format!("{row}FileName"), name),
        ]);
        // Until then the row is inert (TR-069 A.3.2.6).
        self.acs.lets_it_end();
        self.sets(&[(&format!("{row}Start"), "start")]);
        let state = format!("{row}State");
        self.acs.becomes(&self.serial, &state, "done");
    }

    /// The account, the registrar, and TLS.
    fn provisions(&self, port: u16) {
        self.sets(&[("Device.X_0090F8_Cwmp.Tr104Enable", "1")]);
        let hosts = self
            .acs
            .adds(&self.serial, "Device.X_0090F8_Hoc.StaticHosts.");
        let network = |name: &str| format!("{NETWORK}{name}");
        let client = |name: &str| format!("{CLIENT}{name}");
        let port = port.to_string();
        self.sets(&[
            (&format!("{hosts}Name"), "sip.test"),
            (&format!("{hosts}IpAddresses"), "127.0.0.1"),
            (&network("ProxyServer"), "sip.test"),
            (&network("ProxyServerPort"), &port),
            (&network("RegistrarServer"), "sip.test"),
            (&network("RegistrarServerPort"), &port),
            (&network("UserAgentTransport"), "TLS"),
            (&client("RegisterURI"), "1000"),
            (&client("AuthUserName"), "1000"),
            (&client("AuthPassword"), "pw-1000"),
            (&client("Enable"), "1"),
        ]);
        self.acs.lets_it_end();
        self.acs.becomes(&self.serial, &client("Status"), "Up");
    }
}

/// What was delivered is what Kamailio sees, and the ACS has called the device.
fn judged(kamailio: &Kamailio, carrier: &Carrier, device: &Device) {
    kamailio.registered_by("tls", LIMIT);
    let seen = kamailio.process.said();
    assert!(seen.contains("peer gw.test serial"), "{seen}");
    let said = carrier.acs.said();
    assert!(said.contains("Event: 0 BOOTSTRAP"), "{said}");
    assert!(said.contains("Event: 6 CONNECTION REQUEST"), "{said}");
    assert!(
        said.contains("ConnectionRequest was acknowledged"),
        "{said}"
    );
    assert!(!said.contains("Failed to parse XML"), "{said}");
    let record = carrier.acs.record();
    assert!(record.contains(&carrier.serial), "{record}");
    assert!(
        record.contains(&device.get("Cwmp.ConnectionRequestUrl")),
        "{record}"
    );
    let names = carrier
        .acs
        .names(&carrier.serial, "Device.Security.Certificate.");
    assert_eq!(
        names,
        [("Device.Security.Certificate.1.".to_owned(), false)]
    );
}

#[test]
fn over_http_a_factory_new_gateway_comes_to_be_registered_over_tls() {
    let folder = Folder::new("acsrs-http");
    let kamailio = Kamailio::start_as(&folder, "127.0.0.1", Clients::Certified, &[]);
    let acs = Acsrs::start(
        &folder,
        &Authority::new("CA").issue("acs.test", 2, Life::Now),
        Proof::None,
    );
    let url = format!("http://127.0.0.1:{}/cwmpWeb/CPEMgt", acs.clear);
    let device = device(&folder, &url, &[], &[]);
    let serial = acs.knows_one();
    let carrier = Carrier { acs: &acs, serial };
    carrier.sets(&[(&format!("{CERT}UnsecureTransferActivate"), "activate")]);
    for (kind, file) in [("other", "ca.crt"), ("host", "gw.pem")] {
        let octets = fs::read(kamailio.ca(file)).expect("made beforehand");
        carrier.delivers(kind, file, &acs.serves(file, &octets));
    }
    carrier.provisions(kamailio.tls);
    judged(&kamailio, &carrier, &device);
}

#[test]
fn over_https_a_factory_new_gateway_comes_to_be_registered_over_tls() {
    let folder = Folder::new("acsrs-https");
    let kamailio = Kamailio::start_as(&folder, "127.0.0.1", Clients::Certified, &[]);
    let authority = Authority::new("Management CA");
    let anchor = authority.anchor(folder.path(), "management");
    let identity = authority.issue("acs.test", 2, Life::Now);
    let acs = Acsrs::start(&folder, &identity, Proof::Basic);
    let url = format!("https://acs.test:{}/cwmpWeb/CPEMgt", acs.secure);
    let user = format!("Cwmp.Username={}", Acsrs::USER);
    let password = format!("Cwmp.Password={}", Acsrs::PASSWORD);
    let more = [
        "Hoc.StaticHosts[Index=9].Name=acs.test",
        "Hoc.StaticHosts[Index=9].IpAddresses=127.0.0.1",
        &user,
        &password,
    ];
    let device = device(&folder, &url, &more, &[&anchor]);
    let serial = acs.knows_one();
    let carrier = Carrier { acs: &acs, serial };
    let files = Files::start(&folder, &identity, &kamailio);
    for (kind, file) in [("other", "ca.crt"), ("host", "gw.pem")] {
        let url = format!("https://acs.test:{}/{file}", files.port);
        carrier.delivers(kind, file, &url);
    }
    carrier.provisions(kamailio.tls);
    judged(&kamailio, &carrier, &device);
    assert!(acs.said().contains("Authorization required"));
}

/// Files over https, by openssl.
struct Files {
    port: u16,
    _process: Running,
}

impl Files {
    /// Gives out the certificates that Kamailio's authority has made.
    fn start(folder: &Folder, identity: &Identity, kamailio: &Kamailio) -> Self {
        let port = free_tcp_port();
        let both = identity.write(folder.path(), "files");
        let mut command = Command::new("openssl");
        command
            .args(["s_server", "-WWW", "-accept", &format!("127.0.0.1:{port}")])
            .arg("-cert")
            .arg(&both)
            .arg("-key")
            .arg(&both)
            .current_dir(kamailio.ca(""));
        let process = Running::start(&mut command, folder.path().join("files.log"));
        eventually("the file server listens", LIMIT, || {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        Self {
            port,
            _process: process,
        }
    }
}
