//! What the store has to say: alarms, repairs, and its state as the tree shows it.

use super::parts::Device;
use crate::schema::conf::{self, JournalState, StoreState};
use crate::tree::{Store, StoreEvent, Tree, messages};
use std::time::Duration;

/// How often the store is asked.
const LOOK: Duration = Duration::from_millis(250);

/// Says what opening found, and shows the state as it stands.
pub(super) fn say_what_was_found(device: &Device) {
    show(&device.tree, JournalState::Writing, StoreState::Writing, "");
    if device.engine.copied {
        device.tree.notify(&messages::FOLDER_COPIED.with([]));
    }
    for name in &device.dropped {
        device.tree.notify(&messages::SETTING_DROPPED.with([name]));
    }
}

/// Follows the store while the device runs.
pub(super) async fn watch(tree: Tree, store: Store) {
    loop {
        for event in store.events() {
            say(&tree, &event);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn say(tree: &Tree, event: &StoreEvent) {
    let sentence = event.to_string();
    match event {
        StoreEvent::Full => {
            show(tree, JournalState::Full, StoreState::Full, &sentence);
            tree.notify(&messages::STORE_FULL.with([]));
        }
        StoreEvent::WritesAgain => {
            show(tree, JournalState::Writing, StoreState::Writing, "");
            tree.notify(&messages::STORE_WRITES_AGAIN.with([]));
        }
        StoreEvent::SyncFailed => {
            show(
                tree,
                JournalState::ReadOnly,
                StoreState::ReadOnly,
                &sentence,
            );
            tree.notify(&messages::STORE_STOPPED.with([&sentence]));
        }
        StoreEvent::TornTailCut { .. }
        | StoreEvent::JournalRepaired { .. }
        | StoreEvent::JournalShort { .. }
        | StoreEvent::SnapshotDamaged { .. }
        | StoreEvent::TreeMovedAside { .. }
        | StoreEvent::TreeRebuilt { .. }
        | StoreEvent::TreeNotRebuilt { .. }
        | StoreEvent::SnapshotFailed => {
            tree.notify(&messages::STORE_REPAIR.with([&sentence]));
        }
    }
}

fn show(tree: &Tree, journal: JournalState, store: StoreState, reason: &str) {
    tree.live().publish(|live| {
        live.scalar(conf::JOURNAL_STATE, journal);
        live.scalar(conf::STORE_STATE, store);
        live.scalar(conf::STORE_REASON, reason);
    });
}
