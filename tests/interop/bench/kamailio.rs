//! Kamailio as registrar; its own location table is what counts.

use super::{Authority, Device, Folder, Identity, Running, eventually, free_tcp_port, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Whether Kamailio wants to see certificates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clients {
    /// Whoever connects.
    Anybody,
    /// Those with a certificate of its authority.
    Certified,
}

/// A registrar for users 1xxx with the password `pw-1xxx` in the realm sip.test.
pub(crate) struct Kamailio {
    folder: PathBuf,
    host: &'static str,
    pub(crate) clear: u16,
    pub(crate) tls: u16,
    pub(crate) process: Running,
    defined: &'static [&'static str],
}

impl Kamailio {
    /// On 127.0.0.1, for anybody.
    pub(crate) fn start(folder: &Folder) -> Self {
        Self::start_as(folder, "127.0.0.1", Clients::Anybody, &[])
    }

    /// On `host`, with variants of its configuration (`-A`).
    pub(crate) fn start_as(
        folder: &Folder,
        host: &'static str,
        clients: Clients,
        defined: &'static [&'static str],
    ) -> Self {
        let peers = std::env::var("DEMARC_PEERS").expect("DEMARC_PEERS names the peers' folder");
        let home = folder.path().join("kamailio");
        fs::create_dir_all(home.join("ca")).expect("a folder");
        let (clear, tls) = (free_tcp_port(), free_tcp_port());
        for name in ["kamailio.cfg", "tls.cfg"] {
            let text =
                fs::read_to_string(format!("{peers}/kamailio/{name}")).expect("a configuration");
            let text = text
                .replace("@DIR@", &home.display().to_string())
                .replace("127.0.0.1", host)
                .replace("15060", &clear.to_string())
                .replace("15061", &tls.to_string());
            let text = match clients {
                Clients::Anybody => text,
                Clients::Certified => asking_for_certificates(&text),
            };
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
        let process = launch(&home, defined);
        let kamailio = Self {
            folder: home,
            host,
            clear,
            tls,
            process,
            defined,
        };
        kamailio.wait();
        kamailio
    }

    fn wait(&self) {
        eventually("kamailio answers", Duration::from_secs(15), || {
            self.location().map(|_| ())
        });
    }

    pub(crate) fn restart(&mut self) {
        self.process.stop();
        self.process = launch(&self.folder, self.defined);
        self.wait();
    }

    /// What `kamcmd` prints, unless Kamailio is not there.
    pub(crate) fn command(&self, words: &[&str]) -> Option<String> {
        let socket = format!("unix:{}/kam_ctl", self.folder.display());
        let mut command = Command::new("kamcmd");
        let output = command.args(["-s", &socket]).args(words).output();
        let output = output.expect("kamcmd");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    /// Each registered contact with the socket that it came by.
    pub(crate) fn location(&self) -> Option<Vec<(String, String)>> {
        let text = self.command(&["ul.dump"])?;
        let values = |key: &str| -> Vec<String> {
            let lines = text
                .lines()
                .filter_map(|line| line.trim().strip_prefix(key));
            lines.map(|value| value.trim().to_owned()).collect()
        };
        let sockets = values("Socket:");
        Some(values("Address:").into_iter().zip(sockets).collect())
    }

    /// Waits until there is one contact, and that came by `transport`.
    pub(crate) fn registered_by(&self, transport: &str, limit: Duration) {
        let port = match transport {
            "tls" => self.tls,
            _ => self.clear,
        };
        let socket = format!("{transport}:{}:{port}", self.host);
        eventually(&format!("one contact by {socket}"), limit, || {
            let contacts = self.location()?;
            (contacts.len() == 1 && contacts[0].1 == socket).then_some(())
        });
    }

    /// A file of its authority.
    pub(crate) fn ca(&self, name: &str) -> PathBuf {
        self.folder.join("ca").join(name)
    }

    /// Shows another certificate to whoever connects from now on.
    pub(crate) fn shows(&self, identity: &Identity) {
        identity.write(&self.ca(""), "proxy");
        self.reload_tls();
    }

    /// Accepts the clients of another authority from now on.
    pub(crate) fn trusts(&self, authority: &Authority) {
        let anchor = authority.anchor(&self.folder, "clients");
        let text = fs::read_to_string(self.folder.join("tls.cfg")).expect("its settings");
        let own = self.ca("ca.crt").display().to_string();
        let text = text.replace(&own, &anchor.display().to_string());
        fs::write(self.folder.join("tls.cfg"), text).expect("written");
        self.reload_tls();
    }

    fn reload_tls(&self) {
        let said = self.command(&["tls.reload"]);
        said.expect("kamailio takes its new TLS settings");
    }

    /// A device that registers here over UDP.
    pub(crate) fn device(&self, folder: &Folder, more: &[&str]) -> Device {
        Device::registering(folder, &format!("sip.test:{}", self.clear), more)
    }

    /// A device that registers here over TLS.
    pub(crate) fn secure_device(&self, folder: &Folder, more: &[&str]) -> Device {
        let tls = [
            "SipEp.TransportConfig[GatewayName=default].TlsEnable=enable",
            "SipEp.TransportConfig[GatewayName=default].UdpEnable=disable",
        ];
        let server = format!("sip.test:{}", self.tls);
        Device::registering(folder, &server, &[&tls, more].concat())
    }

    /// Over TLS from now on, told by snmpset as one PDU.
    pub(crate) fn switch_to_tls(&self, device: &Device) {
        self.switch(device, self.tls, ("1", "0"));
    }

    /// Over UDP from now on.
    pub(crate) fn switch_to_udp(&self, device: &Device) {
        self.switch(device, self.clear, ("0", "1"));
    }

    fn switch(&self, device: &Device, port: u16, (tls, udp): (&str, &str)) {
        let server = format!("sip.test:{port}");
        let transport = "SipEp.TransportConfig[GatewayName=default]";
        device.snmpset(&[
            ("SipEp.DefaultStaticRegistrarServerHost", "s", &server),
            ("SipEp.DefaultStaticProxyHomeDomainHost", "s", &server),
            (&format!("{transport}.TlsEnable"), "i", tls),
            (&format!("{transport}.UdpEnable"), "i", udp),
        ]);
    }
}

/// And saying whose it saw, with each REGISTER.
fn asking_for_certificates(text: &str) -> String {
    let saved = "if (!save(\"location\"))";
    let seen = "peer $tls_peer_subject_cn serial $tls_peer_serial over $tls_version";
    text.replacen("require_certificate = no", "require_certificate = yes", 1)
        .replace(
            saved,
            &format!("xlog(\"L_NOTICE\", \"{seen}\\n\");\n        {saved}"),
        )
}

fn launch(home: &Path, defined: &[&str]) -> Running {
    let mut command = Command::new("kamailio");
    command
        .args(["-DD", "-E", "-m", "64", "-M", "8", "-f"])
        .arg(home.join("kamailio.cfg"))
        .arg("-P")
        .arg(home.join("pid"))
        .arg("-Y")
        .arg(home);
    for name in defined {
        command.args(["-A", name]);
    }
    Running::start(&mut command, home.join("log"))
}
