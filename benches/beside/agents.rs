//! The two agents: our program and net-snmp's, each on a free port of loopback.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Command;

use crate::folder::Folder;
use crate::manager::{COMMUNITY, Manager, SYS_DESCR, User};
use crate::process::{Process, program};

/// An agent and who asks it.
pub(crate) struct Agent {
    pub(crate) process: Process,
    pub(crate) manager: Manager,
    user: (String, String, String),
}

impl Agent {
    /// Microseconds of its CPU for one of these requests.
    pub(crate) fn cost(&mut self, requests: &[Vec<u8>], at_once: usize) -> f64 {
        let times = REQUESTS / requests.len();
        let before = self.process.cpu();
        self.manager.ask(requests, times, at_once);
        (self.process.cpu() - before) / (times * requests.len()) as f64
    }

    /// An encrypted GET of sysDescr that it answers.
    pub(crate) fn private_get(&mut self) -> Vec<u8> {
        let (name, auth, privacy) = &self.user;
        let user = User {
            name,
            auth,
            privacy,
        };
        self.manager.private_get(&user, SYS_DESCR)
    }
}

/// Ours, with 1 000 rows of Hoc.StaticHosts.
pub(crate) fn demarc(folder: &Folder) -> Agent {
    let home = folder.path().join("demarc");
    let port = free_port();
    let script = folder.path().join("hosts.script");
    let host = |row| format!("Hoc.StaticHosts[Index={row}].Name=\"host-{row}.example.org\"\n");
    fs::write(&script, (1..=1_000).map(host).collect::<String>()).expect("a file");
    let mut command = start(&home);
    command.arg("--script").arg(&script);
    for setting in [
        format!("Snmp.Port={port}"),
        "Snmp.EnableSnmpV2=enable".to_owned(),
        format!("Snmp.Community={COMMUNITY}"),
        "Aaa.UserSnmp[UserName=admin].AuthProtocol=sha1".to_owned(),
    ] {
        command.args(["--set", &setting]);
    }
    let process = Process::start(&mut command);
    let manager = Manager::of(port);
    let [auth, privacy] = ["auth", "priv"].map(|kind| password(&home, kind));
    Agent {
        process,
        manager,
        user: ("admin".to_owned(), auth, privacy),
    }
}

/// `demarc run` on a folder.
pub(crate) fn start(home: &Path) -> Command {
    let mut command = Command::new(program());
    command.arg("run").arg("--data").arg(home);
    command
}

/// Theirs.
pub(crate) fn snmpd(folder: &Folder) -> Agent {
    let home = folder.path().join("snmpd");
    let port = free_port();
    fs::create_dir_all(&home).expect("a folder");
    let configuration = home.join("snmpd.conf");
    fs::write(&configuration, CONFIGURATION).expect("a file");
    let process = Process::start(
        Command::new("snmpd")
            .env("SNMP_PERSISTENT_DIR", &home)
            .args(["-f", "-Lf", "/dev/null", "-C", "-c"])
            .arg(&configuration)
            .arg(format!("udp:127.0.0.1:{port}")),
    );
    let user = ["bench", PASSWORD, PASSWORD].map(str::to_owned);
    Agent {
        process,
        manager: Manager::of(port),
        user: user.into(),
    }
}

/// Their version, as they print it.
pub(crate) fn version() -> String {
    let output = Command::new("snmpd").arg("--version").output();
    let output = output.expect("Debian's snmpd is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("version:"));
    line.map_or("?".to_owned(), |(_, version)| version.trim().to_owned())
}

pub(crate) fn free_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("bound").port()
}

fn password(home: &Path, kind: &str) -> String {
    let text = fs::read_to_string(home.join("first-boot.txt")).expect("first-boot.txt");
    let key = format!("snmp-{kind}-password: ");
    let line = text.lines().find_map(|line| line.strip_prefix(&key));
    line.expect("a line for each password").to_owned()
}

/// What snmpd is told.
pub(crate) const CONFIGURATION: &str = "\
rocommunity beside 127.0.0.1
createUser bench SHA besides-all-that AES besides-all-that
rouser bench priv
dontLogTCPWrappersConnects yes
";
const PASSWORD: &str = "besides-all-that";
/// Requests of one round.
const REQUESTS: usize = 20_000;
