//! Endpoints and the unit as a whole: locked, unlocked, usable (EpAdm).

use super::settled::Follower;
use crate::schema::ep_adm::{self, endpoint};
use crate::schema::{ColumnId, Index};
use crate::tree::{Configured, Snapshot, Tree, View, messages};
use crate::view;
use std::collections::BTreeMap;
use tokio::sync::watch;

view! {
    /// How an endpoint begins.
    struct Endpoint: ep_adm::endpoint {
        /// Its name.
        name: String = EP_ID,
        /// Its state after a start.
        initial: endpoint::InitialAdminStateConfig = INITIAL_ADMIN_STATE_CONFIG,
    }
}

/// The endpoints as configured.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings(Vec<(Index, Endpoint)>);

impl Configured for Settings {
    fn claims() -> Vec<ColumnId> {
        let commands = [
            endpoint::UNLOCK.id(),
            endpoint::LOCK.id(),
            endpoint::FORCE_LOCK.id(),
        ];
        [Endpoint::COLUMNS, &commands].concat()
    }

    fn read(snapshot: &Snapshot) -> Self {
        Self(snapshot.view())
    }
}

/// Which endpoints are unlocked.
pub(crate) type Unlocked = BTreeMap<String, bool>;

/// Follows locks and unlocks; tells who may be used.
pub(super) async fn run(tree: Tree, tell: watch::Sender<Unlocked>) {
    let follower = Follower::new(&tree, &Settings::claims());
    let mut unlocked = Unlocked::new();
    loop {
        let commands = follower.next().await;
        let snapshot = tree.snapshot();
        let settings = Settings::read(&snapshot);
        for (_, row) in &settings.0 {
            let initially = row.initial == endpoint::InitialAdminStateConfig::Unlocked;
            unlocked.entry(row.name.clone()).or_insert(initially);
        }
        unlocked.retain(|name, _| settings.0.iter().any(|(_, row)| row.name == *name));
        for command in commands {
            let name = command.row.name();
            let open = command.column == endpoint::UNLOCK.id();
            if let Some(state) = unlocked.get_mut(&name)
                && *state != open
            {
                *state = open;
                let word = if open { "unlocked" } else { "locked" };
                tree.notify(&messages::ENDPOINT_STATE.with([&name, &word]));
            }
        }
        publish(&tree, &unlocked);
        tell.send_if_modified(|told| {
            let differs = *told != unlocked;
            told.clone_from(&unlocked);
            differs
        });
        tree.follows("EpAdm", snapshot.version());
    }
}

fn publish(tree: &Tree, unlocked: &Unlocked) {
    let any = unlocked.values().any(|open| *open);
    tree.live().publish(|live| {
        for (name, open) in unlocked {
            let index = Index::text(name);
            let (admin, usage) = match open {
                true => (endpoint::AdminState::Unlocked, endpoint::UsageState::Idle),
                false => (
                    endpoint::AdminState::Locked,
                    endpoint::UsageState::IdleUnusable,
                ),
            };
            live.set(endpoint::ADMIN_STATE, &index, admin);
            live.set(endpoint::OP_STATE, &index, *open);
            live.set(endpoint::USAGE_STATE, &index, usage);
        }
        let (admin, usage) = match any {
            true => (
                ep_adm::UnitAdminState::Unlocked,
                ep_adm::UnitUsageState::Idle,
            ),
            false => (
                ep_adm::UnitAdminState::Locked,
                ep_adm::UnitUsageState::IdleUnusable,
            ),
        };
        live.scalar(ep_adm::UNIT_ADMIN_STATE, admin);
        live.scalar(ep_adm::UNIT_OP_STATE, any);
        live.scalar(ep_adm::UNIT_USAGE_STATE, usage);
    });
}
