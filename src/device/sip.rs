//! The SIP stack on its device: settings in, TLS from the keyring, status out.

use super::endpoints::Unlocked;
use super::interfaces::Addresses;
use super::names::Names;
use super::parts::Device;
use super::services::Gate;
use super::settled::{Follower, settings};
use super::system::VERSION;
use crate::certs::{
    self, Attempt, ExpectedServer, Host, Identity, Keyring, Purpose, Service, server_config,
};
use crate::clock::Time;
use crate::schema::Index;
use crate::schema::conf::service_version;
use crate::sip::event::{Connect, Input, TimeOfDay};
use crate::sip::io::{Handshake, Report, Tls, run};
use crate::sip::settings::{Settings, Tls as TlsSettings, Unit};
use crate::sip::stack::Stack;
use crate::sip::status::{GatewayState, Status};
use crate::tree::{Configured, Tree, messages};
use arc_swap::ArcSwap;
use openssl::rand::rand_bytes;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What the stack depends on beside its own settings.
pub(super) struct Around {
    pub(super) addresses: watch::Receiver<Addresses>,
    pub(super) unlocked: watch::Receiver<Unlocked>,
    pub(super) time: watch::Receiver<Option<Time>>,
    pub(super) names: Names,
    pub(super) keyring: Arc<Keyring>,
}

/// Inputs that may wait for the stack.
const QUEUE: usize = 64;
const SERVICE: &str = "SipEp";
/// How long the keyring may take to follow the tree before SIP goes on.
const KEYRING_PATIENCE: Duration = Duration::from_secs(2);

/// Runs the stack whenever its service is wanted.
pub(super) async fn serve(device: Arc<Device>, gate: Gate, around: Around) {
    let (config, follow) = settings::<Settings>(&device.tree, SERVICE);
    let (generation, generations) = watch::channel(1);
    let stack = gate.supervise(|stop| {
        let part = Part {
            device: device.clone(),
            config: config.clone(),
            addresses: around.addresses.clone(),
            unlocked: around.unlocked.clone(),
            time: around.time.clone(),
            generations: generations.clone(),
            tls: Arc::new(ArcSwap::from_pointee(TlsSettings::default())),
            tls_changes: 0,
            stop,
        };
        part.run(around.keyring.clone(), around.names.resolver())
    });
    tokio::select! {
        () = stack => {}
        () = follow => {}
        () = count_generations(&device.tree, generation) => {}
    }
}

/// One life of the stack.
struct Part {
    device: Arc<Device>,
    config: watch::Receiver<Settings>,
    addresses: watch::Receiver<Addresses>,
    unlocked: watch::Receiver<Unlocked>,
    time: watch::Receiver<Option<Time>>,
    generations: watch::Receiver<u64>,
    tls: Arc<ArcSwap<TlsSettings>>,
    tls_changes: u64,
    stop: watch::Receiver<bool>,
}

impl Part {
    async fn run(
        mut self,
        keyring: Arc<Keyring>,
        resolver: watch::Receiver<hickory_resolver::TokioResolver>,
    ) {
        let mut seed = [0; 32];
        if rand_bytes(&mut seed).is_err() {
            return;
        }
        let (send, inputs) = mpsc::channel(QUEUE);
        let (reports, told) = mpsc::unbounded_channel();
        let tls = tls(&keyring, &self.tls);
        let stack = run(Stack::new(seed), inputs, tls, resolver, reports);
        let show = show(self.device.clone(), told);
        let feed = async {
            self.feed(&send).await;
            // The stack says goodbye by itself; its inputs stay open until then.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = stack => {}
            () = show => {}
            () = feed => {}
        }
        let tree = &self.device.tree;
        tree.live().publish(|live| Status::default().publish(live));
        tree.troubled(SERVICE, "");
    }

    /// Gives the stack what it lives by, until it is to stop.
    async fn feed(&mut self, send: &mpsc::Sender<Input>) {
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

async fn show(device: Arc<Device>, mut told: mpsc::UnboundedReceiver<Report>) {
    let mut shown = Status::default();
    while let Some(report) = told.recv().await {
        match report {
            Report::Status(status) => {
                device.tree.live().publish(|live| status.publish(live));
                for notice in status.changes(&shown) {
                    device.tree.notify(&notice);
                }
                if let Some(trouble) = trouble(&status) {
                    device.tree.troubled(SERVICE, &trouble);
                }
                shown = *status;
            }
            Report::Notice(notice) => device.tree.notify(&notice.logged()),
            Report::LastPort(port) => {
                // Lost, it costs only a cycle that starts over.
                let path = device.home.join("last-port");
                let _ = super::files::write_durably(&path, format!("{port}\n").as_bytes());
            }
        }
    }
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

/// How links and listeners do TLS, asked anew for each.
fn tls(keyring: &Arc<Keyring>, settings: &Arc<ArcSwap<TlsSettings>>) -> Tls {
    let (ring, set) = (keyring.clone(), settings.clone());
    let dial = move |connect: &Connect| handshake(&ring, &set.load(), connect);
    let (ring, set) = (keyring.clone(), settings.clone());
    let accept = move |_gateway: &str| {
        let set = set.load();
        ring.host_for(Service::Sip, Purpose::SipServer).ok()?;
        server_config(&ring, Service::Sip, set.policy, set.client_authentication).ok()
    };
    Tls {
        dial: Arc::new(dial),
        accept: Arc::new(accept),
    }
}

fn handshake(
    keyring: &Arc<Keyring>,
    settings: &TlsSettings,
    connect: &Connect,
) -> Result<Handshake, String> {
    let reference = &connect.reference;
    let host = Host::parse(&reference.host).map_err(|error| error.to_string())?;
    let server = ExpectedServer {
        level: settings.validation,
        identity: Identity::Sip(host),
        srv_target: Host::parse(&reference.srv_target).ok(),
    };
    let attempt = Attempt::new(keyring, Service::Sip, settings.policy, server)
        .map_err(|error| error.to_string())?;
    Ok(Handshake {
        config: attempt.config(),
        name: attempt.server_name(),
        explain: Box::new(move |error| attempt.explain(error).1),
    })
}

/// Counts what makes new handshakes necessary: certificates and anchors.
async fn count_generations(tree: &Tree, generation: watch::Sender<u64>) {
    let follower = Follower::new(tree, &certs::Settings::claims());
    let mut known = certs::Settings::read(&tree.snapshot());
    loop {
        follower.next().await;
        let snapshot = tree.snapshot();
        let now = certs::Settings::read(&snapshot);
        if now != known {
            known = now;
            keyring_follows(tree, snapshot.version()).await;
            generation.send_modify(|generation| *generation += 1);
        }
    }
}

/// Waits until the keyring holds what this version says.
async fn keyring_follows(tree: &Tree, version: u64) {
    let name = crate::schema::Name {
        column: service_version::APPLIED_VERSION.id(),
        index: Index::text("Cert"),
    };
    let applied = || {
        let value = tree.instances().read(&name)?;
        let text = String::from_utf8_lossy(value.as_octets()?).into_owned();
        text.parse::<u64>().ok()
    };
    let wait = async {
        while applied().is_none_or(|applied| applied < version) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = tokio::time::timeout(KEYRING_PATIENCE, wait).await;
}
