//! A process under measurement: its CPU time, its memory, its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Ended by its own pid when dropped.
pub(crate) struct Process(Child);

impl Process {
    pub(crate) fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        Self(child)
    }

    /// Microseconds of CPU of all its threads, in its own code and in the kernel.
    pub(crate) fn cpu(&self) -> f64 {
        let tasks = fs::read_dir(self.file("task")).expect("a living process");
        let spent = |task: fs::DirEntry| -> Option<f64> {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse().ok()
        };
        tasks.flatten().filter_map(spent).sum::<f64>() / 1e3
    }

    /// Resident memory in MiB, from smaps_rollup: all of it, and what is not backed by a file.
    pub(crate) fn resident(&self) -> (f64, f64) {
        let text = fs::read_to_string(self.file("smaps_rollup")).expect("a living process");
        let field = |name: &str| -> f64 {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            number.expect("a field in kB") / 1024.0
        };
        (field("Rss:"), field("Anonymous:"))
    }

    /// Forgets the peak of its resident memory; what it has now, in MiB.
    pub(crate) fn forget_peak(&self) -> f64 {
        // proc(5): 5 resets the peak.
        fs::write(self.file("clear_refs"), "5").expect("a living process");
        self.status("VmRSS:")
    }

    /// The peak of its resident memory since, in MiB.
    pub(crate) fn peak(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, field: &str) -> f64 {
        let text = fs::read_to_string(self.file("status")).expect("a living process");
        let line = text.lines().find_map(|line| line.strip_prefix(field));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        number.expect("a field in kB") / 1024.0
    }

    /// SIGTERM, and the wait for its end.
    pub(crate) fn stop(mut self) {
        let pid = self.0.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.expect("kill runs").success());
        let started = Instant::now();
        while self.0.try_wait().expect("a child can be asked").is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(10),
                "it does not end"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/proc/{}/{name}", self.0.id()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The program, built as the benches are.
pub(crate) fn program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_demarc"))
}

/// Where CPU figures come from.
pub(crate) const CPU: &str = "CPU: the time on a processor of all threads of the agent's process, \
     in its own code and in the kernel, by /proc/PID/task/*/schedstat";
