//! A device of our own, as a process, asked by its command line.

use super::{Folder, Running, demarc, eventually, free_tcp_port, free_udp_port};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// A Demarc of our own, as a process.
pub(crate) struct Device {
    pub(crate) home: PathBuf,
    pub(crate) process: Running,
    pub(crate) snmp: u16,
    settings: Vec<String>,
    /// Further words of `demarc run`.
    words: Vec<String>,
}

impl Device {
    /// Starts on an empty folder, with SNMP on a free port, and waits until it answers.
    pub(crate) fn start(folder: &Folder, settings: &[&str]) -> Self {
        Self::start_in(folder, "data", settings)
    }

    /// As [`Device::start`], with further words for `demarc run`.
    pub(crate) fn start_with(folder: &Folder, words: &[&str], settings: &[&str]) -> Self {
        Self::launched(folder, "data", words, settings)
    }

    pub(crate) fn start_in(folder: &Folder, name: &str, settings: &[&str]) -> Self {
        Self::launched(folder, name, &[], settings)
    }

    /// In the factory state: the built-in profile with more lines, and the
    /// authorities that the unit trusts.
    pub(crate) fn of_profile(folder: &Folder, lines: &[&str], anchors: &[&Path]) -> Self {
        let profile = folder.path().join("profile");
        fs::create_dir_all(profile.join("anchors")).expect("a folder");
        let script = format!("{BUILT_IN}\n{}\n", lines.join("\n"));
        fs::write(profile.join("profile.script"), script).expect("written");
        for (number, anchor) in anchors.iter().enumerate() {
            let place = profile.join(format!("anchors/{number}.pem"));
            fs::copy(anchor, place).expect("copied");
        }
        let words = ["--profile", &profile.display().to_string()];
        Self::launched(folder, "data", &words, &[])
    }

    /// In a folder of this name, with further words for `demarc run`.
    pub(crate) fn launched(folder: &Folder, name: &str, words: &[&str], settings: &[&str]) -> Self {
        let home = folder.path().join(name);
        let snmp = free_udp_port();
        let mut all = vec![format!("Snmp.Port={snmp}")];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let process = launch(&home, &words, &all);
        let device = Self {
            home,
            process,
            snmp,
            settings: all,
            words,
        };
        device.wait_until_it_answers();
        device
    }

    /// A device that knows `sip.test` as 127.0.0.1 and registers user 1000 at `server`.
    pub(crate) fn registering(folder: &Folder, server: &str, more: &[&str]) -> Self {
        let registrar = format!("SipEp.DefaultStaticRegistrarServerHost={server}");
        let proxy = format!("SipEp.DefaultStaticProxyHomeDomainHost={server}");
        let port = format!("SipEp.Gateway[Name=default].Port={}", free_udp_port());
        let secure = format!("SipEp.Gateway[Name=default].SecurePort={}", free_tcp_port());
        let base = free_tcp_port().clamp(1025, 64_000);
        let base = format!("SipEp.TransportPersistentBasePort={base}");
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
        Self::start(folder, &settings)
    }

    /// Installs a trust anchor.
    pub(crate) fn trusts(&self, name: &str, path: &Path) {
        let path = path.display().to_string();
        self.done(&["cert", "add", "--type", "other", "--name", name, &path]);
    }

    /// Installs a certificate of its own, with its key.
    pub(crate) fn shows(&self, name: &str, path: &Path) {
        let path = path.display().to_string();
        self.done(&["cert", "add", "--type", "host", "--name", name, &path]);
    }

    fn wait_until_it_answers(&self) {
        eventually(
            "demarc answers on its socket",
            Duration::from_secs(20),
            || {
                self.cli(&["get", "Hoc.SystemUptime"])
                    .status
                    .success()
                    .then_some(())
            },
        );
    }

    /// SIGKILL, and a new process on the same folder.
    pub(crate) fn kill_and_restart(&mut self) {
        self.process.kill();
        self.process = launch(&self.home, &self.words, &self.settings);
        self.wait_until_it_answers();
    }

    /// Runs `demarc VERB... --data HOME`.
    pub(crate) fn cli(&self, words: &[&str]) -> Output {
        let mut command = Command::new(demarc());
        command.args(words).arg("--data").arg(&self.home);
        command.output().expect("demarc runs")
    }

    /// As [`Device::cli`], which must succeed; what it printed.
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let output = self.cli(words);
        assert!(
            output.status.success(),
            "demarc {words:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The value of one object, named canonically.
    pub(crate) fn get(&self, name: &str) -> String {
        let line = self.done(&["get", name]);
        let value = line.trim_end().strip_prefix(name);
        let value = value
            .and_then(|rest| rest.strip_prefix('='))
            .expect("NAME=VALUE");
        value.trim_matches('"').to_owned()
    }

    /// A line of first-boot.txt.
    pub(crate) fn secret(&self, key: &str) -> String {
        let text = fs::read_to_string(self.home.join("first-boot.txt")).expect("first-boot.txt");
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{key}: ")));
        line.expect("a known key").to_owned()
    }
}

const BUILT_IN: &str = include_str!("../../../certs/profile/profile.script");

fn launch(home: &Path, words: &[String], settings: &[String]) -> Running {
    let mut command = Command::new(demarc());
    command.arg("run").arg("--data").arg(home).args(words);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let log = home.with_extension("log");
    Running::start(&mut command, log)
}
