//! What every interop test needs: folders, ports, processes that end.

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A folder that goes when the test ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("demarc-{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a temporary folder");
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file in the temporary folder");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that is killed by its own pid when the test ends.
pub(crate) struct Running {
    child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Self {
        let out = fs::File::create(&log).expect("a log file");
        let err = out.try_clone().expect("a log file");
        let child = command
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self { child, log }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child
            .try_wait()
            .expect("a child can be asked")
            .is_some()
    }

    pub(crate) fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// SIGTERM, and how it ended.
    pub(crate) fn stop(&mut self) -> Option<i32> {
        let pid = self.pid().to_string();
        run(Command::new("kill").args(["-TERM", &pid]));
        eventually("it ends after SIGTERM", Duration::from_secs(10), || {
            self.child.try_wait().expect("a child can be asked")
        })
        .code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A Demarc of our own, as a process.
pub(crate) struct Device {
    pub(crate) home: PathBuf,
    pub(crate) process: Running,
    pub(crate) snmp: u16,
    settings: Vec<String>,
}

impl Device {
    /// Starts on an empty folder, with SNMP on a free port, and waits until it answers.
    pub(crate) fn start(folder: &Folder, settings: &[&str]) -> Self {
        Self::start_in(folder, "data", settings)
    }

    pub(crate) fn start_in(folder: &Folder, name: &str, settings: &[&str]) -> Self {
        let home = folder.path().join(name);
        let snmp = free_udp_port();
        let mut all = vec![format!("Snmp.Port={snmp}")];
        all.extend(settings.iter().map(|setting| (*setting).to_owned()));
        let process = launch(&home, &all);
        let device = Self {
            home,
            process,
            snmp,
            settings: all,
        };
        device.wait_until_it_answers();
        device
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
        self.process = launch(&self.home, &self.settings);
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

fn launch(home: &Path, settings: &[String]) -> Running {
    let mut command = Command::new(demarc());
    command.arg("run").arg("--data").arg(home);
    for setting in settings {
        command.args(["--set", setting]);
    }
    let log = home.with_extension("log");
    Running::start(&mut command, log)
}

/// The program under test: the release build where there is one.
pub(crate) fn demarc() -> PathBuf {
    let built = PathBuf::from(env!("CARGO_BIN_EXE_demarc"));
    let release = built
        .parent()
        .and_then(Path::parent)
        .map(|target| target.join("release/demarc"));
    let wanted = std::env::var_os("DEMARC_RELEASE").is_some();
    release
        .filter(|path| wanted && path.exists())
        .unwrap_or(built)
}

/// Runs a command that must succeed; what it printed.
pub(crate) fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Asks until there is an answer; fails with `what` after `limit`.
pub(crate) fn eventually<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < limit, "not within {limit:?}: {what}");
        sleep(Duration::from_millis(50));
    }
}

pub(crate) fn free_udp_port() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("a bound socket").port()
}

pub(crate) fn free_tcp_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a free port");
    socket.local_addr().expect("a bound socket").port()
}
