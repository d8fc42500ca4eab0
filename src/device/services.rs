//! The service table (Scm): what runs, and starting and stopping it.
//!
//! Nothing needs a restart to apply its settings; stopping a service is for
//! an operator who wants it silent. A system service cannot be stopped.

use super::settled::Follower;
use crate::schema::scm::{service_commands, services_config, services_info};
use crate::schema::{ColumnId, Index};
use crate::tree::{Candidate, Command, Configured, Refusal, Snapshot, Tree, View, messages};
use crate::view;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;

view! {
    /// Whether a service starts with the device.
    struct Startup: scm::services_config {
        /// Which service.
        name: String = NAME,
        /// Automatic or by hand.
        startup: services_config::StartupType = STARTUP_TYPE,
    }
}

/// Which services start with the device.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings(BTreeMap<String, bool>);

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        let commands = [
            service_commands::RESTART.id(),
            service_commands::STOP.id(),
            service_commands::START.id(),
        ];
        [Startup::COLUMNS, &commands].concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        let rows = snapshot.view::<Startup>().into_iter();
        Self(
            rows.map(|(_, row)| (row.name, row.startup == services_config::StartupType::Auto))
                .collect(),
        )
    }
}

/// What a service is to the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Always runs.
    System,
    /// May be stopped.
    User,
}

/// Every service of the device.
pub(super) const SERVICES: [(&str, Class, &str); 12] = [
    ("Aaa", Class::System, "Users and their rights"),
    ("Bni", Class::System, "Network interfaces"),
    ("Cert", Class::System, "Certificates"),
    ("Conf", Class::System, "Configuration and its store"),
    (
        "Cwmp",
        Class::User,
        "Client of an auto-configuration server",
    ),
    ("Dcm", Class::System, "Unit information"),
    ("EpAdm", Class::System, "Endpoint administration"),
    ("Hoc", Class::System, "Host: names, DNS, time"),
    ("Nlm", Class::User, "Notifications and logs"),
    ("Scm", Class::System, "Service control"),
    ("SipEp", Class::User, "SIP gateways and endpoints"),
    ("Snmp", Class::User, "SNMP agent"),
];

/// A system service keeps running.
pub(super) fn system_services_run(candidate: &Candidate<'_>) -> Vec<Refusal> {
    candidate
        .commands()
        .iter()
        .filter(|command| command.column == service_commands::STOP.id())
        .filter(|command| {
            let name = command.row.name();
            SERVICES
                .iter()
                .any(|(service, class, _)| *service == name && *class == Class::System)
        })
        .map(|command| {
            let why = "the device needs this service, it cannot be stopped";
            candidate.refuse(command.column, &command.row, why)
        })
        .collect()
}

/// What one user service is told and tells.
pub(super) struct Gate {
    wanted: watch::Receiver<Wanted>,
    name: &'static str,
    tree: Tree,
}

/// Whether a service is to run; the number grows with each restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Running(u32),
    Stopped,
    /// The device stops.
    Over,
}

/// The commands for all services.
pub(super) struct Control {
    follower: Follower,
    gates: BTreeMap<&'static str, watch::Sender<Wanted>>,
}

/// How long a service may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(3);

impl Control {
    /// All services shown; the user services wait for their gate.
    pub(super) fn new(tree: &Tree) -> Self {
        let settings = Settings::read(&tree.snapshot());
        let mut gates = BTreeMap::new();
        tree.live().publish(|live| {
            for (name, class, comment) in SERVICES {
                let index = Index::text(name);
                let number = crate::schema::service(name).map_or(0, |id| id.get().number);
                let auto = class == Class::System || settings.0.get(name).copied().unwrap_or(true);
                live.set(services_info::ID, &index, number);
                let shown = match class {
                    Class::System => services_info::Class::System,
                    Class::User => services_info::Class::User,
                };
                live.set(services_info::CLASS, &index, shown);
                let startup = match auto {
                    true => services_info::StartupType::Auto,
                    false => services_info::StartupType::Manual,
                };
                live.set(services_info::STARTUP_TYPE, &index, startup);
                live.set(services_info::COMMENT, &index, comment);
                let state = match class {
                    Class::System => services_info::ExecState::Started,
                    Class::User => services_info::ExecState::Stopped,
                };
                live.set(services_info::EXEC_STATE, &index, state);
                if class == Class::User {
                    let wanted = if auto {
                        Wanted::Running(0)
                    } else {
                        Wanted::Stopped
                    };
                    gates.insert(name, watch::Sender::new(wanted));
                }
            }
        });
        Self {
            follower: Follower::new(tree, &Settings::claims()),
            gates,
        }
    }

    /// The gate of a user service.
    pub(super) fn gate(&self, name: &'static str) -> Gate {
        let wanted = self.gates.get(name).map(watch::Sender::subscribe);
        Gate {
            wanted: wanted.unwrap_or_else(|| watch::Sender::new(Wanted::Running(0)).subscribe()),
            name,
            tree: self.follower.tree().clone(),
        }
    }

    /// Follows commands until the device stops; then every gate closes.
    pub(super) async fn run(self, stop: impl Future<Output = ()>) {
        tokio::pin!(stop);
        loop {
            let commands = tokio::select! {
                commands = self.follower.next() => commands,
                () = &mut stop => break,
            };
            let tree = self.follower.tree();
            let snapshot = tree.snapshot();
            self.show_startup(&Settings::read(&snapshot));
            for command in commands {
                self.obey(&command);
            }
            tree.follows("Scm", snapshot.version());
        }
        for gate in self.gates.values() {
            gate.send_replace(Wanted::Over);
        }
    }

    fn obey(&self, command: &Command) {
        let name = command.row.name();
        match self.gates.get(name.as_str()) {
            Some(gate) => {
                gate.send_if_modified(|wanted| {
                    let before = std::mem::replace(wanted, wanted.after(command.column));
                    before != *wanted
                });
            }
            None if command.column == service_commands::RESTART.id() => {
                let tree = self.follower.tree();
                tree.notify(&messages::SERVICE_RUNS_ON.with([&name]));
            }
            None => {}
        }
    }

    fn show_startup(&self, settings: &Settings) {
        self.follower.tree().live().publish(|live| {
            for name in self.gates.keys() {
                let startup = match settings.0.get(*name) {
                    Some(false) => services_info::StartupType::Manual,
                    _ => services_info::StartupType::Auto,
                };
                live.set(services_info::STARTUP_TYPE, &Index::text(name), startup);
            }
        });
    }
}

impl Wanted {
    fn after(self, command: ColumnId) -> Self {
        let stop = command == service_commands::STOP.id();
        let restart = command == service_commands::RESTART.id();
        match self {
            Self::Over => Self::Over,
            _ if stop => Self::Stopped,
            Self::Running(count) if restart => Self::Running(count + 1),
            Self::Running(count) => Self::Running(count),
            Self::Stopped => Self::Running(0),
        }
    }
}

impl Gate {
    /// Runs a service whenever it is wanted, until the device stops.
    ///
    /// `make` gets a receiver that turns true when the service is to end; it
    /// then has [`GOODBYE`] to end by itself.
    pub(super) async fn supervise<F, S>(mut self, mut make: F)
    where
        F: FnMut(watch::Receiver<bool>) -> S,
        S: Future<Output = ()>,
    {
        loop {
            let wanted = *self.wanted.borrow_and_update();
            match wanted {
                Wanted::Over => return,
                Wanted::Stopped => {
                    if self.wanted.changed().await.is_err() {
                        return;
                    }
                }
                Wanted::Running(_) => self.run_once(&mut make).await,
            }
        }
    }

    async fn run_once<F, S>(&mut self, make: &mut F)
    where
        F: FnMut(watch::Receiver<bool>) -> S,
        S: Future<Output = ()>,
    {
        let stop = watch::Sender::new(false);
        let service = make(stop.subscribe());
        tokio::pin!(service);
        self.show(services_info::ExecState::Started);
        self.tree
            .notify(&messages::SERVICE_STARTED.with([&self.name]));
        tokio::select! {
            () = &mut service => {
                // It ended by itself: what it waits for has gone, nothing to start again.
                self.show(services_info::ExecState::NotResponding);
                let why = "it ended by itself; restart it by Scm.ServiceCommands";
                self.tree.troubled(self.name, why);
                let _ = self.wanted.changed().await;
                self.tree.troubled(self.name, "");
            }
            _ = self.wanted.changed() => {
                self.show(services_info::ExecState::Stopping);
                stop.send_replace(true);
                let _ = tokio::time::timeout(GOODBYE, service).await;
            }
        }
        self.show(services_info::ExecState::Stopped);
        self.tree
            .notify(&messages::SERVICE_STOPPED.with([&self.name]));
    }

    fn show(&self, state: services_info::ExecState) {
        self.tree.live().publish(|live| {
            live.set(services_info::EXEC_STATE, &Index::text(self.name), state);
        });
    }
}
