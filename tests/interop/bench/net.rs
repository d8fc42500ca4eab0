//! Networks of their own for a test: namespaces, joined by virtual cables.
//!
//! A test that needs some runs itself again inside a namespace, so that
//! nothing of it is left on the machine, and nothing of the machine in it.

use super::{Running, demarc, eventually, run};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

/// Whether this runs inside already; if not, it has run there when this returns.
pub(crate) fn is_inside(test: &str) -> bool {
    if std::env::var_os("DEMARC_TEST_INSIDE").is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("the tests are a program");
    let output = Command::new("unshare")
        .args(["--net", "--mount"])
        .arg(program)
        .args(["--exact", test, "--nocapture"])
        .env("DEMARC_TEST_INSIDE", "yes")
        .output()
        .expect("unshare is there");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("1 passed"), "it did not run: {said}");
    false
}

/// Runs a line of shell in the test's own namespace.
pub(crate) fn shell(line: &str) -> String {
    run(Command::new("sh").args(["-ec", line]))
}

/// Another namespace; it ends with the test.
pub(crate) struct Space {
    keeper: Running,
}

impl Space {
    pub(crate) fn new(folder: &Path, name: &str) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sleep", "3600"]);
        let keeper = Running::start(&mut command, folder.join(format!("{name}.log")));
        let own = fs::read_link("/proc/self/ns/net").expect("a namespace");
        let of = format!("/proc/{}/ns/net", keeper.pid());
        eventually("the namespace is there", Duration::from_secs(5), || {
            let other = fs::read_link(&of).ok()?;
            (other != own).then_some(())
        });
        let space = Self { keeper };
        space.shell("ip link set lo up");
        space
    }

    pub(crate) fn pid(&self) -> u32 {
        self.keeper.pid()
    }

    /// A program inside.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--net", "--target", &self.pid().to_string()])
            .arg(program);
        command
    }

    /// Runs a line of shell inside.
    pub(crate) fn shell(&self, line: &str) -> String {
        run(self.command("sh").args(["-ec", line]))
    }
}

/// A device inside another namespace; its command line is outside.
pub(crate) struct Unit {
    home: PathBuf,
    _process: Running,
}

impl Unit {
    pub(crate) fn start(space: &Space, folder: &Path, settings: &[&str]) -> Self {
        let home = folder.join("unit");
        let mut command = space.command(demarc());
        command.arg("run").arg("--data").arg(&home);
        for setting in settings {
            command.args(["--set", setting]);
        }
        let process = Running::start(&mut command, folder.join("unit.log"));
        let unit = Self {
            home,
            _process: process,
        };
        eventually("it answers", Duration::from_secs(20), || {
            let answer = unit.cli(&["get", "Hoc.SystemUptime"]);
            answer.status.success().then_some(())
        });
        unit
    }

    /// Runs `demarc VERB... --data HOME`.
    pub(crate) fn cli(&self, words: &[&str]) -> Output {
        let mut command = Command::new(demarc());
        command.args(words).arg("--data").arg(&self.home);
        command.output().expect("demarc runs")
    }

    /// The value of one object, named canonically; "" where it is not there.
    pub(crate) fn get(&self, name: &str) -> String {
        let output = self.cli(&["get", name]);
        let line = String::from_utf8_lossy(&output.stdout).into_owned();
        let value = line.trim_end().strip_prefix(name);
        let value = value.and_then(|rest| rest.strip_prefix('='));
        value.unwrap_or_default().trim_matches('"').to_owned()
    }

    /// A line of first-boot.txt.
    pub(crate) fn secret(&self, key: &str) -> String {
        let text = fs::read_to_string(self.home.join("first-boot.txt")).expect("first-boot.txt");
        let key = format!("{key}: ");
        let line = text.lines().find_map(|line| line.strip_prefix(&key));
        line.expect("a known key").to_owned()
    }
}
