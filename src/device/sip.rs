//! The SIP stack on its device: settings in, TLS from the keyring, status out.

mod tls;

use super::endpoints::{Unlocked, Unregistered};
use super::interfaces::Addresses;
use super::led::{self, Led};
use super::names::Names;
use super::parts::Device;
use super::services::Gate;
use super::settled::settings;
use super::system::VERSION;
use crate::certs::Keyring;
use crate::clock::Time;
use crate::clock::io::read_clocks;
use crate::sip::event::{Input, TimeOfDay};
use crate::sip::io::{Report, run};
use crate::sip::settings::{Settings, Tls as TlsSettings, Unit};
use crate::sip::stack::Stack;
use crate::sip::status::{Calendar, GatewayState, Status};
use crate::tree::messages;
use arc_swap::ArcSwap;
use openssl::rand::rand_bytes;
use std::path::Path;
use std::sync::Arc;
use tls::{Dialler, count_generations, host_turns, tls};
use tokio::sync::{mpsc, watch};

/// What the stack depends on beside its own settings.
pub(super) struct Around {
    pub(super) addresses: watch::Receiver<Addresses>,
    pub(super) unlocked: watch::Receiver<Unlocked>,
    pub(super) unregistered: watch::Sender<Unregistered>,
    pub(super) time: watch::Receiver<Option<Time>>,
    pub(super) names: Names,
    pub(super) keyring: Arc<Keyring>,
}

/// Inputs that may wait for the stack.
const QUEUE: usize = 64;
const SERVICE: &str = "SipEp";

/// Runs the stack whenever its service is wanted.
pub(super) async fn serve(device: Arc<Device>, gate: Gate, around: Around) {
    let (config, follow) = settings::<Settings>(&device.tree, SERVICE);
    let (generation, generations) = watch::channel(1);
    let (led, shining) = watch::channel(Led::default());
    let stack = gate.supervise(|stop| {
        let part = Part {
            device: device.clone(),
            config: config.clone(),
            addresses: around.addresses.clone(),
            unlocked: around.unlocked.clone(),
            unregistered: around.unregistered.clone(),
            time: around.time.clone(),
            generations: generations.clone(),
            tls: Arc::new(ArcSwap::from_pointee(TlsSettings::default())),
            tls_changes: 0,
            led: led.clone(),
            stop,
        };
        part.run(around.keyring.clone(), around.names.clone())
    });
    tokio::select! {
        () = stack => {}
        () = follow => {}
        () = led::follow(&device.tree, shining) => {}
        () = count_generations(&device.tree, generation) => {}
    }
    let file = led.borrow().file.clone();
    led::put_out(&file).await;
}

/// One life of the stack.
struct Part {
    device: Arc<Device>,
    config: watch::Receiver<Settings>,
    addresses: watch::Receiver<Addresses>,
    unlocked: watch::Receiver<Unlocked>,
    unregistered: watch::Sender<Unregistered>,
    time: watch::Receiver<Option<Time>>,
    generations: watch::Receiver<u64>,
    tls: Arc<ArcSwap<TlsSettings>>,
    tls_changes: u64,
    led: watch::Sender<Led>,
    stop: watch::Receiver<bool>,
}

impl Part {
    async fn run(mut self, keyring: Arc<Keyring>, names: Names) {
        let mut seed = [0; 32];
        if rand_bytes(&mut seed).is_err() {
            return;
        }
        let (send, inputs) = mpsc::channel(QUEUE);
        let (reports, told) = mpsc::unbounded_channel();
        let resolver = names.resolver();
        let ring = keyring.clone();
        let dialler = Dialler {
            tree: self.device.tree.clone(),
            keyring,
            lookup: names.lookup(),
        };
        let tls = tls(dialler, &self.tls);
        let stack = run(Stack::new(seed), inputs, tls, resolver, reports);
        let show = Shown {
            device: self.device.clone(),
            status: Status::default(),
            time: self.time.clone(),
            unregistered: self.unregistered.clone(),
            led: self.led.clone(),
        };
        let show = show.follow(told);
        let feed = async {
            self.feed(&send, &ring).await;
            // The stack says goodbye by itself; its inputs stay open until then.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stack => {}
            () = show => {}
            () = feed => {}
        }
        let tree = &self.device.tree;
        let calendar = calendar(&self.time);
        tree.live()
            .publish(|live| Status::default().publish(live, &calendar));
        self.led.send_modify(|led| led.on = false);
        tree.troubled(SERVICE, "");
    }

    /// Gives the stack what it lives by, until it is to stop.
    async fn feed(&mut self, send: &mpsc::Sender<Input>, keyring: &Keyring) {
        loop {
            let version = self.device.tree.snapshot().version();
            let known = self
                .time
                .borrow_and_update()
                .is_some_and(|time| time.is_known());
            let time = if known {
                TimeOfDay::Known
            } else {
                TimeOfDay::Unknown
            };
            let settings = self.settings();
            let inputs = [Input::Time(time), Input::Settings(Box::new(settings))];
            for input in inputs {
                if send.send(input).await.is_err() {
                    return;
                }
            }
            self.device.tree.follows(SERVICE, version);
            tokio::select! {
                changed = self.config.changed() => if changed.is_err() { return },
                changed = self.addresses.changed() => if changed.is_err() { return },
                changed = self.unlocked.changed() => if changed.is_err() { return },
                changed = self.time.changed() => if changed.is_err() { return },
                changed = self.generations.changed() => if changed.is_err() { return },
                () = host_turns(keyring) => {}
                () = told_to_stop(&mut self.stop) => {
                    // A stack that is gone already needs no goodbye.
                    let _ = send.send(Input::Shutdown).await;
                    return;
                }
            }
        }
    }

    fn settings(&mut self) -> Settings {
        let identity = &self.device.identity;
        let unit = Unit {
            product: identity.product.clone(),
            version: VERSION.to_owned(),
            profile: self.device.profile.name.clone(),
            instance_id: instance_id(&identity.mac),
        };
        let mut settings = self
            .config
            .borrow_and_update()
            .clone()
            .with_addresses(&self.addresses.borrow_and_update())
            .with_endpoints(&self.unlocked.borrow_and_update())
            .with_unit(unit);
        let file = &settings.ready_led.file;
        self.led.send_if_modified(|led| {
            let differs = led.file != *file;
            led.file.clone_from(file);
            differs
        });
        if **self.tls.load() != settings.tls {
            for said in settings.tls.raised() {
                let [object, value, safe] = &said;
                let notice = messages::SETTING_RAISED.with([object, value, safe]);
                self.device.tree.notify(&notice);
            }
            self.tls.store(Arc::new(settings.tls.clone()));
            self.tls_changes += 1;
        }
        // Either makes new handshakes necessary.
        let certificates = *self.generations.borrow_and_update();
        settings.transport.tls_generation = certificates + (self.tls_changes << 32);
        settings.transport.last_persistent_port = last_port(&self.device.home);
        settings
    }
}

async fn told_to_stop(stop: &mut watch::Receiver<bool>) {
    // Whoever could say it being gone says it too.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// RFC 5626 §4.1: a UUID that stays; of the MAC address, as RFC 4122 §4.1.6 nodes are.
fn instance_id(mac: &str) -> String {
    format!(
        "urn:uuid:00000000-0000-1000-8000-{:0>12}",
        mac.to_lowercase()
    )
}

fn last_port(home: &Path) -> Option<u16> {
    let text = std::fs::read_to_string(home.join("last-port")).ok()?;
    text.trim().parse().ok()
}

/// What the stack told, shown on the device.
struct Shown {
    device: Arc<Device>,
    status: Status,
    time: watch::Receiver<Option<Time>>,
    unregistered: watch::Sender<Unregistered>,
    led: watch::Sender<Led>,
}

impl Shown {
    async fn follow(mut self, mut told: mpsc::UnboundedReceiver<Report>) {
        loop {
            tokio::select! {
                report = told.recv() => match report {
                    Some(report) => self.report(report),
                    None => return,
                },
                changed = self.time.changed() => match changed {
                    // Dates that could not be told, or were wrong.
                    Ok(()) => self.publish(),
                    Err(_) => return,
                },
            }
        }
    }

    fn report(&mut self, report: Report) {
        match report {
            Report::Status(status) => {
                let before = std::mem::replace(&mut self.status, *status);
                self.publish();
                self.led.send_modify(|led| led.on = self.status.ready);
                for notice in self.status.changes(&before) {
                    self.device.tree.notify(&notice);
                }
                if let Some(trouble) = trouble(&self.status) {
                    self.device.tree.troubled(SERVICE, &trouble);
                }
            }
            Report::Notice(notice) => self.device.tree.notify(&notice.logged()),
            // The device's stack has no user of calls.
            Report::Call(_) => {}
            Report::LastPort(port) => {
                // Lost, it costs only a cycle that starts over.
                let path = self.device.home.join("last-port");
                let _ = super::files::write_durably(&path, format!("{port}\n").as_bytes());
            }
        }
    }

    fn publish(&self) {
        let calendar = calendar(&self.time);
        let live = self.device.tree.live();
        live.publish(|live| self.status.publish(live, &calendar));
        self.unregistered.send_if_modified(|told| {
            let differs = *told != self.status.unregistered;
            told.clone_from(&self.status.unregistered);
            differs
        });
    }
}

/// The dates of moments as far as the time is known now.
fn calendar(time: &watch::Receiver<Option<Time>>) -> Calendar {
    let now = read_clocks();
    let date = time.borrow().and_then(|time| time.at(now));
    Calendar::new(now.monotonic, date)
}

/// What gateways cannot do as configured, "" where they can all; none while
/// one of them is only on its way. A server that does not answer is no fault
/// of the configuration.
fn trouble(status: &Status) -> Option<String> {
    use GatewayState::{InvalidConfiguration, NetworkDown, PortInUse, Restarting};
    let gateways = status.gateways.iter();
    let faults: Vec<String> = gateways
        .clone()
        .filter(|it| matches!(it.state, InvalidConfiguration | NetworkDown | PortInUse))
        .map(|it| format!("gateway {}: {}: {}", it.name, it.state.text(), it.reason))
        .collect();
    let under_way = gateways.clone().any(|it| it.state == Restarting);
    (!faults.is_empty() || !under_way).then(|| faults.join("; "))
}
