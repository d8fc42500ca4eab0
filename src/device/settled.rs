//! From the tree to an engine that reads its settings as a whole.

use crate::schema::{self, ColumnId, TableId};
use crate::tree::{Command, Configured, Subscription, Tree};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::{Notify, watch};

/// Wakes a task when a table or a command of its concerns it.
pub(super) struct Follower {
    tree: Tree,
    subscription: Subscription,
    changed: Arc<Notify>,
}

impl Follower {
    pub(super) fn new(tree: &Tree, columns: &[ColumnId]) -> Self {
        let tables: BTreeSet<TableId> = columns.iter().map(|column| column.get().table).collect();
        let changed = Arc::new(Notify::new());
        let wake = changed.clone();
        // The first delta is the state as it stands: no separate way to start.
        changed.notify_one();
        Self {
            tree: tree.clone(),
            subscription: tree.subscribe(tables, move || wake.notify_one()),
            changed,
        }
    }

    /// Waits for the next change; the commands that came with it.
    pub(super) async fn next(&self) -> Vec<Command> {
        self.changed.notified().await;
        self.subscription.commands()
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }
}

/// The settings of a service's engine, as they change. A version that changes
/// none of them is applied by that alone; of the others the engine says so.
pub(super) fn settings<S: Configured + Send + Sync + 'static>(
    tree: &Tree,
    service: &'static str,
) -> (watch::Receiver<S>, impl Future<Output = ()> + Send + use<S>) {
    let follower = Follower::new(tree, &S::claims());
    let (send, receive) = watch::channel(S::read(&tree.snapshot()));
    let task = async move {
        loop {
            follower.next().await;
            let snapshot = follower.tree().snapshot();
            let settings = S::read(&snapshot);
            let differs = send.send_if_modified(|known| {
                let differs = *known != settings;
                *known = settings;
                differs
            });
            if !differs {
                follower.tree().follows(service, snapshot.version());
            }
        }
    };
    (receive, task)
}

/// Services that have no engine: their settings hold as soon as they are committed.
pub(super) async fn without_engine(tree: Tree) {
    const SERVICES: [&str; 3] = ["Aaa", "Conf", "Dcm"];
    let columns: Vec<ColumnId> = schema::columns()
        .filter(|(_, column)| SERVICES.contains(&column.table.get().service.get().name))
        .map(|(id, _)| id)
        .collect();
    let follower = Follower::new(&tree, &columns);
    loop {
        follower.next().await;
        for service in SERVICES {
            tree.follows(service, tree.snapshot().version());
        }
    }
}

/// Every stored or command column that some part of the device reads.
pub fn claims() -> Vec<ColumnId> {
    [
        crate::clock::settings::Settings::claims(),
        crate::north::syslog::settings::Settings::claims(),
        crate::north::snmp::settings::Config::claims(),
        crate::north::cwmp::settings::Settings::claims(),
        crate::certs::settings::Settings::claims(),
        crate::sip::settings::Settings::claims(),
        super::names::Settings::claims(),
        super::alarms::Settings::claims(),
        super::interfaces::Settings::claims(),
        super::services::Settings::claims(),
        super::endpoints::Settings::claims(),
        super::users::claims(),
        super::confirm::claims(),
        super::snmpex::claims(),
    ]
    .concat()
}
