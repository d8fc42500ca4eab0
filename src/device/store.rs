//! What the store has to say: alarms, repairs, and its state as the tree shows it.

use super::parts::Device;
use crate::schema::conf::{self, JournalState, StoreState};
use crate::tree::{Store, StoreEvent, Tree, messages};
use std::time::Duration;

/// How often the store is asked.
const LOOK: Duration = Duration::from_millis(250);

/// How the journal and the database are, and why.
struct Health {
    journal: JournalState,
    store: StoreState,
    reason: String,
    /// What was last found damaged.
    repair: String,
}

impl Health {
    fn good() -> Self {
        Self {
            journal: JournalState::Writing,
            store: StoreState::Writing,
            reason: String::new(),
            repair: String::new(),
        }
    }

    /// What an event makes of it.
    fn hear(&mut self, event: &StoreEvent) {
        let sentence = event.to_string();
        match event {
            StoreEvent::Full => {
                (self.journal, self.store) = (JournalState::Full, StoreState::Full);
                self.reason = format!("{sentence}: make room on the disk of the data folder");
            }
            StoreEvent::WritesAgain => {
                (self.journal, self.store) = (JournalState::Writing, StoreState::Writing);
                self.reason = String::new();
            }
            StoreEvent::SyncFailed => {
                (self.journal, self.store) = (JournalState::ReadOnly, StoreState::ReadOnly);
                self.reason = format!("{sentence}: look at the disk, then invoke Scm.Reboot");
            }
            StoreEvent::TreeMovedAside { .. } | StoreEvent::TreeNotRebuilt { .. } => {
                self.store = StoreState::ReadOnly;
                self.reason.clone_from(&sentence);
                self.repair = sentence;
            }
            StoreEvent::TreeRebuilt { .. } => {
                self.store = StoreState::Writing;
                self.reason = String::new();
                self.repair = sentence;
            }
            StoreEvent::TornTailCut { .. } => {}
            StoreEvent::JournalRepaired { .. }
            | StoreEvent::JournalShort { .. }
            | StoreEvent::SnapshotDamaged { .. }
            | StoreEvent::SnapshotFailed => self.repair = sentence,
        }
    }

    fn show(&self, tree: &Tree) {
        tree.live().publish(|live| {
            live.scalar(conf::JOURNAL_STATE, self.journal);
            live.scalar(conf::STORE_STATE, self.store);
            live.scalar(conf::STORE_REASON, bounded(&self.reason));
            live.scalar(conf::LAST_REPAIR, bounded(&self.repair));
        });
    }
}

/// The longest reason, in octets.
const LONGEST: usize = 255;

fn bounded(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

/// Says what opening found, and shows the state as it stands.
pub(super) fn say_what_was_found(device: &Device) {
    Health::good().show(&device.tree);
    if device.engine.copied {
        device.tree.notify(&messages::FOLDER_COPIED.with([]));
    }
    for name in &device.dropped {
        device.tree.notify(&messages::SETTING_DROPPED.with([name]));
    }
}

/// Follows the store while the device runs.
pub(super) async fn watch(tree: Tree, store: Store) {
    let mut health = Health::good();
    loop {
        for event in store.events() {
            health.hear(&event);
            health.show(&tree);
            say(&tree, &event);
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn say(tree: &Tree, event: &StoreEvent) {
    tree.notify(&match event {
        StoreEvent::Full => messages::STORE_FULL.with([]),
        StoreEvent::WritesAgain => messages::STORE_WRITES_AGAIN.with([]),
        StoreEvent::SyncFailed => messages::STORE_STOPPED.with([event]),
        StoreEvent::TornTailCut { .. }
        | StoreEvent::JournalRepaired { .. }
        | StoreEvent::JournalShort { .. }
        | StoreEvent::SnapshotDamaged { .. }
        | StoreEvent::TreeMovedAside { .. }
        | StoreEvent::TreeRebuilt { .. }
        | StoreEvent::TreeNotRebuilt { .. }
        | StoreEvent::SnapshotFailed => messages::STORE_REPAIR.with([event]),
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Name;

    fn shown(tree: &Tree, name: &str) -> String {
        let name = Name::parse(name).expect("a name");
        let value = tree.instances().read(&name).expect("it is there");
        value.display(&name.column.get().syntax)
    }

    #[test]
    fn a_full_disk_and_its_end_show() {
        let (tree, mut health) = (Tree::in_memory(), Health::good());
        health.hear(&StoreEvent::Full);
        health.show(&tree);
        assert_eq!(shown(&tree, "Conf.JournalState"), "full");
        assert_eq!(
            shown(&tree, "Conf.StoreReason"),
            "the disk is full, changes are refused: make room on the disk of the data folder"
        );
        health.hear(&StoreEvent::WritesAgain);
        health.show(&tree);
        assert_eq!(shown(&tree, "Conf.StoreState"), "writing");
        assert_eq!(shown(&tree, "Conf.StoreReason"), "");
    }

    #[test]
    fn a_damage_stays_in_sight_after_its_repair() {
        let (tree, mut health) = (Tree::in_memory(), Health::good());
        health.hear(&StoreEvent::JournalRepaired {
            file: "journal/7".into(),
            offset: 512,
            lost: 2,
        });
        health.show(&tree);
        assert_eq!(shown(&tree, "Conf.JournalState"), "writing");
        assert_eq!(
            shown(&tree, "Conf.LastRepair"),
            "journal/7 is damaged at octet 512: moved aside, 2 commit groups lost"
        );
    }
}
