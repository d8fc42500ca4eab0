//! Kamailio as registrar; its own location table is what counts.

use crate::bench::{Device, Folder, Running, eventually, free_tcp_port, run};
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

struct Kamailio {
    folder: PathBuf,
    clear: u16,
    tls: u16,
    process: Running,
}

impl Kamailio {
    fn start(folder: &Folder) -> Self {
        let peers = std::env::var("DEMARC_PEERS").expect("DEMARC_PEERS names the peers' folder");
        let home = folder.path().join("kamailio");
        fs::create_dir_all(home.join("ca")).expect("a folder");
        let (clear, tls) = (free_tcp_port(), free_tcp_port());
        for name in ["kamailio.cfg", "tls.cfg"] {
            let text =
                fs::read_to_string(format!("{peers}/kamailio/{name}")).expect("a configuration");
            let text = text
                .replace("@DIR@", &home.display().to_string())
                .replace("15060", &clear.to_string())
                .replace("15061", &tls.to_string());
            fs::write(home.join(name), text).expect("written");
        }
        let mut make_ca = Command::new("sh");
        make_ca
            .arg(format!("{peers}/kamailio/make-ca.sh"))
            .current_dir(home.join("ca"));
        run(&mut make_ca);
        run(Command::new("chmod")
            .args(["-R", "a+rX"])
            .arg(folder.path()));
        let process = launch(&home);
        let kamailio = Self {
            folder: home,
            clear,
            tls,
            process,
        };
        kamailio.wait();
        kamailio
    }

    fn wait(&self) {
        eventually("kamailio answers", Duration::from_secs(15), || {
            self.location().map(|_| ())
        });
    }

    fn restart(&mut self) {
        self.process.stop();
        self.process = launch(&self.folder);
        self.wait();
    }

    /// Each registered contact with the socket that it came by.
    fn location(&self) -> Option<Vec<(String, String)>> {
        let socket = format!("unix:{}/kam_ctl", self.folder.display());
        let output = Command::new("kamcmd")
            .args(["-s", &socket, "ul.dump"])
            .output()
            .expect("kamcmd");
        if !output.status.success() {
            return None;
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let values = |key: &str| -> Vec<String> {
            let lines = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix(key));
            lines.map(|value| value.trim().to_owned()).collect()
        };
        Some(
            values("Address:")
                .into_iter()
                .zip(values("Socket:"))
                .collect(),
        )
    }

    fn registered_by(&self, transport: &str, limit: Duration) {
        let socket = match transport {
            "tls" => format!("tls:127.0.0.1:{}", self.tls),
            other => format!("{other}:127.0.0.1:{}", self.clear),
        };
        eventually(&format!("one contact by {socket}"), limit, || {
            let contacts = self.location()?;
            (contacts.len() == 1 && contacts[0].1 == socket).then_some(())
        });
    }

    fn ca(&self, name: &str) -> String {
        self.folder.join("ca").join(name).display().to_string()
    }

    fn device(&self, folder: &Folder, more: &[&str]) -> Device {
        let server = format!("sip.test:{}", self.clear);
        let registrar = format!("SipEp.DefaultStaticRegistrarServerHost={server}");
        let proxy = format!("SipEp.DefaultStaticProxyHomeDomainHost={server}");
        let port = format!(
            "SipEp.Gateway[Name=default].Port={}",
            crate::bench::free_udp_port()
        );
        let secure = format!("SipEp.Gateway[Name=default].SecurePort={}", free_tcp_port());
        let base = format!(
            "SipEp.TransportPersistentBasePort={}",
            free_tcp_port().clamp(1025, 64_000)
        );
        let mut settings = vec![
            "Hoc.StaticHosts[Index=1].Name=sip.test",
            "Hoc.StaticHosts[Index=1].IpAddresses=127.0.0.1",
            "SipEp.UserAgent[EpId=Port01].Username=1000",
            "SipEp.UserAgent[EpId=Port01].Register=enable",
            "SipEp.Authentication[Index=1].Username=1000",
            "SipEp.Authentication[Index=1].Password=pw-1000",
            "SipEp.Authentication[Index=1].Realm=sip.test",
            &registrar,
            &proxy,
            &port,
            &secure,
            &base,
        ];
        settings.extend(more);
        Device::start(folder, &settings)
    }

    /// Over TLS from now on, told by snmpset as one PDU.
    fn switch_to_tls(&self, device: &Device) {
        let server = format!("sip.test:{}", self.tls);
        let sip = "1.3.6.1.4.1.4935.1000.100.200.100.1400.1";
        let gateway = "7.100.101.102.97.117.108.116";
        let mut command = Command::new("snmpset");
        command
            .args([
                "-v3", "-l", "authPriv", "-u", "admin", "-a", "SHA-256", "-x", "AES",
            ])
            .args(["-A", &device.secret("snmp-auth-password")])
            .args(["-X", &device.secret("snmp-priv-password")])
            .arg(format!("127.0.0.1:{}", device.snmp))
            .args([&format!("{sip}.800.500.0"), "s", &server])
            .args([&format!("{sip}.500.100.0"), "s", &server])
            .args([&format!("{sip}.900.100.1.800.{gateway}"), "i", "1"])
            .args([&format!("{sip}.900.100.1.400.{gateway}"), "i", "0"]);
        run(&mut command);
    }
}

fn launch(home: &std::path::Path) -> Running {
    let mut command = Command::new("kamailio");
    command
        .args(["-DD", "-E", "-m", "64", "-M", "8", "-f"])
        .arg(home.join("kamailio.cfg"))
        .arg("-P")
        .arg(home.join("pid"))
        .arg("-Y")
        .arg(home);
    Running::start(&mut command, home.join("log"))
}

fn link_reason(device: &Device, said: &str) -> String {
    eventually(
        &format!("a reason that says {said:?}"),
        Duration::from_secs(15),
        || {
            let reasons = device.done(&["walk", "SipEp.TlsPersistentConnectionStatusReason"]);
            reasons
                .lines()
                .find(|line| line.contains(said))
                .map(str::to_owned)
        },
    )
}

#[test]
fn it_registers_over_udp_with_digest_and_unregisters_at_the_end() {
    let folder = Folder::new("kam-udp");
    let kamailio = Kamailio::start(&folder);
    let mut device = kamailio.device(&folder, &[]);
    kamailio.registered_by("udp", Duration::from_secs(10));
    assert_eq!(device.process.stop(), Some(0));
    eventually("nothing is registered", Duration::from_secs(5), || {
        kamailio.location()?.is_empty().then_some(())
    });
}

#[test]
fn it_registers_over_tcp() {
    let folder = Folder::new("kam-tcp");
    let kamailio = Kamailio::start(&folder);
    let _device = kamailio.device(
        &folder,
        &[
            "SipEp.TransportConfig[GatewayName=default].TcpEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ],
    );
    kamailio.registered_by("tcp", Duration::from_secs(10));
}

#[test]
fn tls_switched_on_by_snmpset_leads_to_a_registration_over_tls() {
    let folder = Folder::new("kam-tls");
    let mut kamailio = Kamailio::start(&folder);
    let device = kamailio.device(&folder, &[]);
    kamailio.registered_by("udp", Duration::from_secs(10));
    device.done(&[
        "cert",
        "add",
        "--type",
        "other",
        "--name",
        "ca.pem",
        &kamailio.ca("ca.crt"),
    ]);
    kamailio.switch_to_tls(&device);
    kamailio.registered_by("tls", Duration::from_secs(10));
    // The host certificate is swapped in live, and the registrar found again after a restart.
    device.done(&[
        "cert",
        "add",
        "--type",
        "host",
        "--name",
        "gw.pem",
        &kamailio.ca("gw.pem"),
    ]);
    kamailio.registered_by("tls", Duration::from_secs(10));
    kamailio.restart();
    kamailio.registered_by("tls", Duration::from_secs(40));
}

#[test]
fn an_unknown_authority_and_a_wrong_name_are_refused_with_the_object_to_change() {
    let folder = Folder::new("kam-refused");
    let kamailio = Kamailio::start(&folder);
    let device = kamailio.device(
        &folder,
        &[
            "Hoc.StaticHosts[Index=2].Name=other.test",
            "Hoc.StaticHosts[Index=2].IpAddresses=127.0.0.1",
        ],
    );
    kamailio.switch_to_tls(&device);
    let reason = link_reason(&device, "demarc cert add --type other");
    assert!(reason.contains("Test SIP CA"), "{reason}");
    device.done(&[
        "cert",
        "add",
        "--type",
        "other",
        "--name",
        "ca.pem",
        &kamailio.ca("ca.crt"),
    ]);
    kamailio.registered_by("tls", Duration::from_secs(15));
    let server = format!("other.test:{}", kamailio.tls);
    device.done(&[
        "set",
        &format!("SipEp.DefaultStaticRegistrarServerHost={server}"),
        &format!("SipEp.DefaultStaticProxyHomeDomainHost={server}"),
    ]);
    let reason = link_reason(&device, "SipEp.InteropTlsCertificateValidation");
    assert!(reason.contains("other.test"), "{reason}");
    device.done(&[
        "set",
        "SipEp.InteropTlsCertificateValidation=trustedCertificate",
    ]);
    kamailio.registered_by("tls", Duration::from_secs(15));
}

#[test]
fn a_wrong_password_stops_and_names_the_credentials() {
    let folder = Folder::new("kam-password");
    let kamailio = Kamailio::start(&folder);
    let device = kamailio.device(&folder, &["SipEp.Authentication[Index=1].Password=wrong"]);
    let status = eventually("authFailed", Duration::from_secs(10), || {
        let rows = device.done(&["walk", "SipEp.RegistrationStatus"]);
        rows.contains("authFailed").then_some(rows)
    });
    assert!(status.contains("Port01"), "{status}");
    assert_eq!(kamailio.location(), Some(Vec::new()));
    let reasons = device.done(&["walk", "SipEp.RegistrationStatusReason"]);
    assert!(reasons.contains("SipEp.Authentication"), "{reasons}");
}
