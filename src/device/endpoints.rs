//! Endpoints and the unit as a whole: locked, unlocked, usable (EpAdm).

use super::settled::Follower;
use crate::schema::ep_adm::{self, endpoint};
use crate::schema::{ColumnId, Index};
use crate::tree::{Configured, Snapshot, Tree, View, messages};
use crate::view;
use std::collections::{BTreeMap, BTreeSet};
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

/// Which endpoints cannot be used as they are not registered.
pub(crate) type Unregistered = BTreeSet<String>;

/// Follows locks, unlocks and registrations; tells who is in service.
pub(super) async fn run(
    tree: Tree,
    tell: watch::Sender<Unlocked>,
    mut registered: watch::Receiver<Unregistered>,
) {
    let follower = Follower::new(&tree, &Settings::claims());
    let mut unlocked = Unlocked::new();
    let mut told = Unregistered::new();
    loop {
        let commands = tokio::select! {
            commands = follower.next() => commands,
            changed = registered.changed() => match changed {
                Ok(()) => Vec::new(),
                Err(_) => return,
            },
        };
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
        let unregistered = registered.borrow_and_update().clone();
        tell_apart(&tree, &told, &unregistered);
        publish(&tree, &unlocked, &unregistered);
        told = unregistered;
        tell.send_if_modified(|told| {
            let differs = *told != unlocked;
            told.clone_from(&unlocked);
            differs
        });
        tree.follows("EpAdm", snapshot.version());
    }
}

/// Logs who lost its registration, and who has it again.
fn tell_apart(tree: &Tree, before: &Unregistered, now: &Unregistered) {
    let lost = now.difference(before).map(|name| (name, "not registered"));
    let back = before.difference(now).map(|name| (name, "usable again"));
    for (name, word) in lost.chain(back) {
        tree.notify(&messages::ENDPOINT_STATE.with([name, &word]));
    }
}

fn publish(tree: &Tree, unlocked: &Unlocked, unregistered: &Unregistered) {
    let usable = |name: &String, open: bool| open && !unregistered.contains(name);
    let any_open = unlocked.values().any(|open| *open);
    let any_usable = unlocked.iter().any(|(name, open)| usable(name, *open));
    tree.live().publish(|live| {
        for (name, open) in unlocked {
            let index = Index::text(name);
            let usable = usable(name, *open);
            live.set(
                endpoint::ADMIN_STATE,
                &index,
                match open {
                    true => endpoint::AdminState::Unlocked,
                    false => endpoint::AdminState::Locked,
                },
            );
            live.set(endpoint::OP_STATE, &index, usable);
            live.set(
                endpoint::USAGE_STATE,
                &index,
                match usable {
                    true => endpoint::UsageState::Idle,
                    false => endpoint::UsageState::IdleUnusable,
                },
            );
        }
        live.scalar(
            ep_adm::UNIT_ADMIN_STATE,
            match any_open {
                true => ep_adm::UnitAdminState::Unlocked,
                false => ep_adm::UnitAdminState::Locked,
            },
        );
        live.scalar(ep_adm::UNIT_OP_STATE, any_usable);
        live.scalar(
            ep_adm::UNIT_USAGE_STATE,
            match any_usable {
                true => ep_adm::UnitUsageState::Idle,
                false => ep_adm::UnitUsageState::IdleUnusable,
            },
        );
    });
}
