//! A device while it runs: every part a task, and the end of all of them.

use super::files::write_durably;
use super::parts::Device;
use super::services::Control;
use super::settled::{settings, without_engine};
use super::system::{self, TimeOfDay, VERSION};
use super::{
    DeviceError, alarms, clock, confirm, cwmp, endpoints, factory, interfaces, log, operations,
    sip, snmp, snmpex, store,
};
use crate::certs::io::{Memory, Ports as CertPorts, Runner};
use crate::certs::{Keyring, TlsTime, Unit};
use crate::clock::Time;
use crate::clock::io::read_clocks;
use crate::north::local::Desk;
use crate::north::local::io::{Listener, runtime_folder};
use crate::north::syslog::io::Logger;
use crate::north::syslog::settings::{Identity as LogIdentity, Settings as LogSettings};
use crate::tree::{Actor, Configured, messages};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

/// The longest that all services together may take to end.
const GOODBYE: Duration = Duration::from_secs(4);

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It was told to stop.
    Stopped,
    /// It is to be opened and run again.
    Reboot,
}

impl Device {
    /// Runs until `stop` is ready or a reboot is asked for; then says goodbye and ends.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<End, DeviceError> {
        let started = Instant::now();
        let device = Arc::new(self);
        let tree = device.tree.clone();
        let (time, known) = watch::channel(None);
        let now = time_of_day(known.clone());
        let logger = device.logger(now.clone());
        system::publish(&tree, &device.identity, started, now.clone());
        store::say_what_was_found(&device);
        factory::say_recovered(&tree, &device.home);

        let mut parts = JoinSet::new();
        let names = device.names();
        let (resolving, follow) = settings(&tree, "Hoc");
        parts.spawn(follow);
        parts.spawn(names.clone().run(tree.clone(), resolving));
        parts.spawn(clock::keep(
            tree.clone(),
            device.home.clone(),
            names.clone(),
            time,
        ));

        let (addresses, at) = watch::channel(device.addresses());
        let (links, follow) = settings(&tree, "Bni");
        parts.spawn(follow);
        parts.spawn(interfaces::run(tree.clone(), links, addresses));

        let (unlocked, usable) = watch::channel(endpoints::Unlocked::new());
        let (unregistered, registered) = watch::channel(endpoints::Unregistered::new());
        parts.spawn(endpoints::run(tree.clone(), unlocked, registered));
        parts.spawn(without_engine(tree.clone()));
        parts.spawn(log::configure(tree.clone(), logger.clone()));
        let (grow, grown) = watch::channel(0);
        parts.spawn(log::show(tree.clone(), logger.clone(), grow));
        parts.spawn(snmpex::run(tree.clone(), now.clone()));
        parts.spawn(alarms::run(tree.clone(), now.clone()));
        parts.spawn(store::watch(tree.clone(), device.store.clone()));
        let asked = Arc::downgrade(&device);
        tree.probe_changes_by(Arc::new(move |tables| {
            let device = asked.upgrade();
            device.map_or_else(Vec::new, |device| confirm::probes(&device.tree, tables))
        }));
        parts.spawn(confirm::run(tree.clone(), now.clone()));
        let time_changed = Arc::new(Notify::new());
        parts.spawn(tell_changes(known.clone(), time_changed.clone()));
        let (certificates, keyring) = device.certificates(&names, known.clone(), time_changed);
        parts.spawn(certificates.run());

        let control = Control::new(&tree);
        let mut services = JoinSet::new();
        let files = cwmp::files(&device, logger.clone(), now.clone())?;
        services.spawn(log::deliver(control.gate("Nlm"), logger, names.clone()));
        let (agent, stack) = (control.gate("Snmp"), control.gate("SipEp"));
        services.spawn(cwmp::serve(
            device.clone(),
            control.gate("Cwmp"),
            at.clone(),
            names.clone(),
            keyring.clone(),
            files,
        ));
        services.spawn(snmp::serve(device.clone(), agent, at.clone(), now.clone()));
        let around = sip::Around {
            addresses: at,
            unlocked: usable,
            unregistered,
            time: known,
            names,
            keyring,
        };
        services.spawn(sip::serve(device.clone(), stack, around));

        let socket = Listener::bind(&device.home, &runtime_folder())
            .map_err(|error| DeviceError::Socket(error.to_string()))?;
        let desk = Desk::new(tree.clone(), device.baseline()?.snapshot());
        let seconds = move || now().map_or(0, |time| time.secs());
        let (leave, leaving) = watch::channel(false);
        let desk = tokio::spawn(socket.serve(desk, Arc::new(seconds), grown, leaving));

        tree.notify(&messages::DEVICE_STARTED.with([&VERSION]));
        parts.spawn(start_up(device.clone()));
        let again = Arc::new(Notify::new());
        operations::offer(&device, &again);
        let mut end = End::Stopped;
        let told = async {
            tokio::select! {
                () = stop => {}
                () = again.notified() => end = End::Reboot,
            }
        };
        control.run(told).await;
        tree.notify(&messages::DEVICE_STOPPING.with([&"it was asked to"]));
        let ended = async { while services.join_next().await.is_some() {} };
        // A service that hangs is ended with its runtime.
        let _ = tokio::time::timeout(GOODBYE, ended).await;
        leave.send_replace(true);
        // It ends by itself within its own limit.
        let _ = desk.await;
        parts.shutdown().await;
        Ok(end)
    }

    fn logger(&self, now: TimeOfDay) -> Logger {
        let identity = LogIdentity {
            device: self.identity.serial.clone(),
            process: Some(std::process::id()),
        };
        let logger = Logger::new(identity, Box::new(move || now()));
        // Before the first message: none is judged by settings that are not the device's.
        logger.configure(LogSettings::read(&self.tree.snapshot()));
        let sink = logger.clone();
        self.tree.on_notice(move |notice| sink.say(notice.clone()));
        logger
    }

    fn certificates(
        &self,
        names: &super::names::Names,
        known: watch::Receiver<Option<Time>>,
        time_changed: Arc<Notify>,
    ) -> (Runner, Arc<Keyring>) {
        let floor = clock::built();
        let time = move || {
            let time = *known.borrow();
            let now = time.and_then(|time| time.at(read_clocks()));
            TlsTime::of(now, time.map_or(floor, |time| time.floor))
        };
        let keyring = Arc::new(Keyring::new(TlsTime::of(None, floor)));
        let runner = Runner::prepare(CertPorts {
            tree: self.tree.clone(),
            keyring: keyring.clone(),
            unit: Unit {
                mac: self.identity.mac.clone(),
                serial: self.identity.serial.clone(),
                product: self.identity.product.clone(),
                version: VERSION.to_owned(),
                profile: self.profile.name.clone(),
            },
            time: Arc::new(time),
            time_changed,
            lookup: names.lookup(),
            memory: self.memory_of_transfers(),
        });
        (runner, keyring)
    }

    fn memory_of_transfers(&self) -> Memory {
        let path = self.home.join("transfers.json");
        Memory {
            kept: std::fs::read(&path).unwrap_or_default(),
            // Lost, it costs only how transfers ended before a restart.
            keep: Box::new(move |kept| drop(write_durably(&path, kept))),
        }
    }
}

/// The operations of the start-up script, now that there are engines.
async fn start_up(device: Arc<Device>) {
    let script = device.start_up.clone();
    if script.entries.is_empty() {
        return;
    }
    let report = snmpex::run_script(&device.tree, Actor::local(), script, 0).await;
    device.tree.notify(&report.notice("start-up"));
}

/// Whoever only asks for the time hears so that it is another.
async fn tell_changes(mut known: watch::Receiver<Option<Time>>, changed: Arc<Notify>) {
    while known.changed().await.is_ok() {
        changed.notify_one();
    }
}

fn time_of_day(known: watch::Receiver<Option<Time>>) -> TimeOfDay {
    Arc::new(move || {
        let time: Option<Time> = *known.borrow();
        time.and_then(|time| time.at(read_clocks()))
    })
}
