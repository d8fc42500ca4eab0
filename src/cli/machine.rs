//! Where the command line starts a device, or works on a stopped one.

use super::args::data_option;
use super::failure::Failure;
use crate::device::{Device, DeviceError, DeviceOptions, End};
use crate::north::local::Refused;
use crate::north::script::Script;
use crate::schema::{Index, Value, snmp};
use crate::tree::StoreError;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

/// How a device is started.
#[derive(Debug)]
pub struct RunOptions {
    /// Its data folder.
    pub data: PathBuf,
    /// Its profile; the built-in one if none is named.
    pub profile: Option<PathBuf>,
    /// What `--script` and `--set` ask for: [`Script::start`] before the
    /// services start, then the operations that it leaves.
    pub start: Script,
}

/// Runs a device until it is told to stop.
pub(super) fn run(options: RunOptions) -> Result<(), Failure> {
    settle_allocator();
    log_to_standard_error();
    let start = DeviceOptions {
        profile: options.profile,
        start: options.start,
    };
    loop {
        let device = open(&options.data, &start)?;
        greet(&device, &options.data, &mut io::stdout()).map_err(Failure::Output)?;
        // A runtime for each run: nothing of one reaches into the next.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::Machine(format!("cannot start: {error}")))?;
        let end = runtime.block_on(async {
            let stop = told_to_stop().map_err(|error| Failure::Machine(error.to_string()))?;
            device.run(stop).await.map_err(failure)
        })?;
        match end {
            End::Stopped => return Ok(()),
            End::Reboot => drop(runtime),
        }
    }
}

/// Begins anew with an allocator that gives back what only the start needed.
///
/// The C library raises its threshold for mapped memory whenever mapped memory
/// is freed, and keeps a third of a device's memory for nothing from then on. A
/// threshold that was set stays, and it can only be set before a program
/// begins. Whoever sets GLIBC_TUNABLES knows better; other C libraries pass
/// over it.
fn settle_allocator() {
    const TUNABLES: &str = "GLIBC_TUNABLES";
    if std::env::var_os(TUNABLES).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        // It returns only where it failed, and then this program goes on as it is.
        let _ = Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(
                TUNABLES,
                "glibc.malloc.mmap_threshold=65536:glibc.malloc.arena_max=2",
            )
            .exec();
    }
}

/// Opens the device; the store of the run before a reboot may take a moment to let go.
fn open(folder: &Path, start: &DeviceOptions) -> Result<Device, Failure> {
    const TRIES: u32 = 20;
    const PAUSE: Duration = Duration::from_millis(50);
    for _ in 1..TRIES {
        match Device::open(folder, start) {
            Err(DeviceError::Store(StoreError::Locked(_))) => std::thread::sleep(PAUSE),
            outcome => return outcome.map_err(failure),
        }
    }
    Device::open(folder, start).map_err(failure)
}

/// Makes a new password for the administrator of a stopped device, and says where it is written.
pub(super) fn recover_admin(folder: &Path, out: &mut dyn Write) -> Result<(), Failure> {
    Device::recover_admin(folder).map_err(failure)?;
    let file = folder.join("first-boot.txt");
    writeln!(out, "the new password is in {}", file.display()).map_err(Failure::Output)
}

/// What a person at the terminal needs first.
fn greet(device: &Device, folder: &Path, out: &mut dyn Write) -> io::Result<()> {
    let identity = device.identity();
    let port = device
        .tree()
        .snapshot()
        .cell(snmp::PORT.id(), &Index::scalar())
        .cloned();
    let port = port.as_ref().and_then(Value::number).unwrap_or_default();
    let file = folder.join("first-boot.txt");
    writeln!(
        out,
        "{} {} starts on {}",
        identity.product,
        identity.serial,
        folder.display()
    )?;
    let data = data_option(folder);
    writeln!(
        out,
        "  SNMP   127.0.0.1:{port}, SNMPv3 user admin (SHA-256, AES)"
    )?;
    writeln!(out, "  secrets of the first boot are in {}", file.display())?;
    writeln!(out, "Worth trying, in another terminal:")?;
    writeln!(out, "  demarc status{data}")?;
    writeln!(out, "  demarc walk Hoc{data}")?;
    writeln!(out, "  demarc set Hoc.SystemName=gateway-1{data}")
}

/// SIGTERM or SIGINT.
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}

/// The one subscriber of the process. What a service logs is decided by its
/// `MinSeverity`; `RUST_LOG` is for those who look into the program itself.
fn log_to_standard_error() {
    let asked = std::env::var("RUST_LOG").ok();
    let asked = asked.and_then(|text| text.parse().ok());
    let filter = asked.unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::ERROR)
            .with_target("demarc", LevelFilter::DEBUG)
    });
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_target(false);
    // Another subscriber stands only in a test, and stays.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
}

fn failure(error: DeviceError) -> Failure {
    match error {
        DeviceError::StartUp(complaints) => {
            Failure::Refused(complaints.iter().map(Refused::from).collect())
        }
        DeviceError::Refused { reasons, .. } => {
            let complaints = reasons.iter();
            Failure::Refused(complaints.map(Refused::from).collect())
        }
        other => Failure::Machine(format!("cannot start: {other}")),
    }
}
