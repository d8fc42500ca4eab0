//! Which parameters an ACS wants to hear of, and what it has heard.
//!
//! A value is compared with the one that the ACS last acknowledged, over
//! restarts too, so that a change while nobody could tell it is still told
//! (TR-069 §3.7.1.5, 4 VALUE CHANGE). Kept is a digest: no value is copied.

use super::model::{DataModel, tables};
use crate::schema::cwmp::notification as row;
use crate::schema::{Index, Name, TableId, Value};
use crate::tree::{Creation, Snapshot, Transaction};
use crate::wire::soap::message::{AttributeChange, ParameterValue};
use openssl::sha::sha256;
use std::collections::{BTreeMap, BTreeSet};

/// Every parameter that has attributes.
#[derive(Debug, Default)]
pub struct Notifications {
    watched: BTreeMap<String, Watched>,
    /// Whether parameters or levels are others than when they were last asked for.
    moved: bool,
}

/// The attributes of one parameter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    row: u32,
    /// 0 to 6 (A.3.2.4).
    pub level: u8,
    /// Who besides the ACS may change it.
    pub access: Vec<String>,
    /// A digest of what was acknowledged; "": nothing was.
    acknowledged: String,
    /// A digest of what a lightweight notification last told.
    announced: String,
}

/// A parameter that is not as the ACS knows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Changed {
    /// As it is.
    pub value: ParameterValue,
    /// Whether it is to be told at once.
    pub active: bool,
}

/// Attributes on their way to disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft(BTreeMap<String, Watched>);

impl Watched {
    /// 1, 2, 4, 6: a change is told in the next Inform.
    fn is_told(&self) -> bool {
        matches!(self.level, 1 | 2 | 4 | 6)
    }

    /// 2: a change opens a session.
    fn is_active(&self) -> bool {
        self.level == 2
    }

    /// 3 to 6: a change is told by a lightweight notification.
    fn is_announced(&self) -> bool {
        matches!(self.level, 3..=6)
    }

    /// 5, 6: by one of its own.
    fn is_announced_at_once(&self) -> bool {
        matches!(self.level, 5 | 6)
    }
}

impl Notifications {
    /// What the last run left.
    pub fn recall(snapshot: &Snapshot) -> Self {
        let rows = snapshot.rows(row::TABLE).iter();
        let watched = rows.filter_map(|(index, kept)| {
            let text = |column| match kept.column(column) {
                Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                _ => String::new(),
            };
            let level = match kept.column(row::ATTRIBUTE.id()) {
                Some(Value::Unsigned(level)) => u8::try_from(*level).ok()?,
                _ => 0,
            };
            let access = text(row::ACCESS_LIST.id());
            let access = access.split(',').filter(|name| !name.is_empty());
            let watched = Watched {
                row: *index.arcs().first()?,
                level,
                access: access.map(str::to_owned).collect(),
                acknowledged: text(row::ACKNOWLEDGED.id()),
                announced: text(row::ANNOUNCED.id()),
            };
            Some((text(row::PATH.id()), watched))
        });
        Self {
            watched: watched.collect(),
            moved: true,
        }
    }

    /// The attributes of a parameter; those of the model where the ACS set none.
    pub fn of(&self, path: &str, model: &DataModel<'_>) -> (u8, Vec<String>) {
        match self.watched.get(path) {
            Some(watched) => (watched.level, watched.access.clone()),
            None => (model.notification(path), Vec::new()),
        }
    }

    /// Watches what the model wants told without being asked.
    pub fn watch_forced(&mut self, model: &DataModel<'_>) {
        for parameter in model.told_unasked() {
            let level = model.notification(&parameter.path());
            if level > 0 && !self.watched.contains_key(&parameter.path()) {
                let row = self.free_row();
                let watched = Watched {
                    row,
                    level,
                    ..Watched::default()
                };
                self.watched.insert(parameter.path(), watched);
                self.moved = true;
            }
        }
    }

    /// What setting attributes comes to; it counts from [`Notifications::adopt`]
    /// on, when its rows are on disk.
    ///
    /// None: too many parameters would have attributes.
    pub fn drafted<'a>(
        &self,
        asked: impl IntoIterator<Item = (ParameterValue, &'a AttributeChange)>,
        keep: &mut Transaction,
    ) -> Option<Draft> {
        let mut draft: BTreeMap<String, Watched> = BTreeMap::new();
        let (mut row, mut count) = (self.free_row(), self.watched.len());
        for (value, change) in asked {
            let known = draft
                .get(&value.name)
                .or_else(|| self.watched.get(&value.name));
            let mut watched = known.cloned().unwrap_or_default();
            if known.is_none() {
                (watched.row, row, count) = (row, row + 1, count + 1);
            }
            watched.change(&value, change);
            draft.insert(value.name, watched);
        }
        if count > MOST {
            return None;
        }
        for (path, watched) in &draft {
            watched.keep(path, keep);
        }
        Some(Draft(draft))
    }

    /// What was drafted is on disk.
    pub fn adopt(&mut self, draft: Draft) {
        for (path, watched) in draft.0 {
            let level = self.watched.get(&path).map_or(0, |known| known.level);
            self.moved |= level != watched.level;
            self.watched.insert(path, watched);
        }
    }

    /// What is not as the ACS knows it. Parameters that are gone are forgotten
    /// with the rows that kept them.
    pub fn changes(&self, model: &DataModel<'_>) -> Vec<Changed> {
        let told = self.watched.iter().filter(|(_, watched)| watched.is_told());
        told.filter_map(|(path, watched)| {
            let value = unlike(model, path, &watched.acknowledged)?;
            let active = watched.is_active();
            Some(Changed { value, active })
        })
        .collect()
    }

    /// Whether a session is to be opened for a change.
    pub fn is_urgent(&self, model: &DataModel<'_>) -> bool {
        let active = self.watched.iter().filter(|(_, one)| one.is_active());
        let mut changed = active.filter_map(|(path, one)| unlike(model, path, &one.acknowledged));
        changed.next().is_some()
    }

    /// What no lightweight notification has told yet.
    pub fn announcements(&self, model: &DataModel<'_>) -> Vec<Changed> {
        let light = self.watched.iter().filter(|(_, one)| one.is_announced());
        light
            .filter_map(|(path, watched)| {
                let value = unlike(model, path, &watched.announced)?;
                let active = watched.is_announced_at_once();
                Some(Changed { value, active })
            })
            .collect()
    }

    /// Where to look for changes that are to be told at once, or soon without a
    /// session; None while that is as it was.
    pub fn moved(&mut self) -> Option<BTreeSet<TableId>> {
        std::mem::take(&mut self.moved).then(|| {
            let all = self.watched.iter();
            let seen = all.filter(|(_, one)| one.is_active() || one.is_announced_at_once());
            seen.flat_map(|(path, _)| tables(path)).collect()
        })
    }

    /// The ACS has seen all there is to see of these: their values as they are.
    pub fn acknowledged<'v>(
        &mut self,
        values: impl IntoIterator<Item = &'v ParameterValue>,
        keep: &mut Transaction,
    ) {
        for value in values {
            let Some(watched) = self.watched.get_mut(&value.name) else {
                continue;
            };
            let now = digest(value);
            if watched.acknowledged != now {
                watched.acknowledged = now;
                watched.keep(&value.name, keep);
            }
        }
    }

    /// These were told by a lightweight notification, or set by the ACS itself.
    pub fn announced<'v>(
        &mut self,
        values: impl IntoIterator<Item = &'v ParameterValue>,
        keep: &mut Transaction,
    ) {
        for value in values {
            let now = digest(value);
            if let Some(watched) = self.watched.get_mut(&value.name)
                && watched.is_announced()
                && watched.announced != now
            {
                watched.announced = now;
                watched.keep(&value.name, keep);
            }
        }
    }

    /// A first contact: everything that is watched is known as it is.
    pub fn all_acknowledged(&mut self, model: &DataModel<'_>, keep: &mut Transaction) {
        let unknown = self
            .watched
            .iter()
            .filter(|(_, watched)| watched.acknowledged.is_empty());
        let values: Vec<ParameterValue> = unknown
            .filter_map(|(path, _)| current(model, path))
            .collect();
        self.acknowledged(&values, keep);
    }

    fn free_row(&self) -> u32 {
        let highest = self.watched.values().map(|watched| watched.row).max();
        highest.unwrap_or(0) + 1
    }
}

impl Watched {
    fn change(&mut self, value: &ParameterValue, change: &AttributeChange) {
        if let Some(level) = change.notification {
            // What it is now is what the ACS knows: only later changes are news.
            if self.level == 0 && level > 0 {
                self.acknowledged = digest(value);
            }
            let was_announced = self.is_announced();
            self.level = level;
            if self.is_announced() && !was_announced {
                self.announced = digest(value);
            }
        }
        if let Some(access) = &change.access_list {
            self.access.clone_from(access);
        }
    }

    fn keep(&self, path: &str, keep: &mut Transaction) {
        let index = Index::number(self.row);
        keep.create(row::TABLE, index.clone(), Creation::Active);
        for (column, value) in [
            (row::PATH.id(), Value::from(path)),
            (row::ATTRIBUTE.id(), Value::Unsigned(self.level.into())),
            (row::ACCESS_LIST.id(), Value::from(self.access.join(","))),
            (
                row::ACKNOWLEDGED.id(),
                Value::from(self.acknowledged.as_str()),
            ),
            (row::ANNOUNCED.id(), Value::from(self.announced.as_str())),
        ] {
            let index = index.clone();
            keep.assign(Name { column, index }, value);
        }
    }
}

fn current(model: &DataModel<'_>, path: &str) -> Option<ParameterValue> {
    let found = model.find(path).ok()?;
    Some(model.value(found.first()?))
}

/// The value of a parameter where it is not what a digest says; "": there is none to compare with.
fn unlike(model: &DataModel<'_>, path: &str, known: &str) -> Option<ParameterValue> {
    let value = (!known.is_empty())
        .then(|| current(model, path))
        .flatten()?;
    (digest(&value) != known).then_some(value)
}

/// Half a SHA-256 in hexadecimal.
fn digest(value: &ParameterValue) -> String {
    let hash = sha256(value.value.as_bytes());
    hash[..16]
        .iter()
        .map(|octet| format!("{octet:02x}"))
        .collect()
}

/// Parameters that may have attributes.
const MOST: usize = 2048;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::cwmp::settings::Settings;
    use crate::tree::{Actor, Configured, Tree};

    const NAME: &str = "Device.X_0090F8_Hoc.SystemName";

    fn rename(tree: &Tree, name: &str) {
        let mut txn = Transaction::new(Actor::local());
        txn.assign(Name::parse("Hoc.SystemName").expect("a name"), name.into());
        tree.commit_and_wait(txn, 0).expect("granted");
    }

    fn value(tree: &Tree) -> ParameterValue {
        let settings = Settings::read(&tree.snapshot()).model;
        let view = tree.instances();
        let model = DataModel::new(&view, &settings);
        current(&model, NAME).expect("it exists")
    }

    fn changes(notifications: &Notifications, tree: &Tree) -> Vec<Changed> {
        let settings = Settings::read(&tree.snapshot()).model;
        let view = tree.instances();
        notifications.changes(&DataModel::new(&view, &settings))
    }

    fn change(level: u8) -> AttributeChange {
        AttributeChange {
            name: NAME.into(),
            notification: Some(level),
            access_list: None,
        }
    }

    fn watched(tree: &Tree, level: u8) -> Notifications {
        let mut notifications = Notifications::default();
        let mut txn = Transaction::new(Actor::device());
        let asked = change(level);
        let draft = notifications.drafted([(value(tree), &asked)], &mut txn);
        tree.commit_and_wait(txn, 0).expect("granted");
        notifications.adopt(draft.expect("room"));
        notifications
    }

    #[test]
    fn a_change_is_news_until_it_is_acknowledged_and_over_a_restart() {
        let tree = Tree::in_memory();
        let notifications = watched(&tree, 2);
        assert!(changes(&notifications, &tree).is_empty());
        rename(&tree, "other");
        let mut recalled = Notifications::recall(&tree.snapshot());
        let news = changes(&recalled, &tree);
        assert_eq!(news.len(), 1);
        assert!(news[0].active && news[0].value.value == "other");
        let mut txn = Transaction::new(Actor::device());
        recalled.acknowledged([&news[0].value], &mut txn);
        tree.commit_and_wait(txn, 0).expect("granted");
        assert!(changes(&Notifications::recall(&tree.snapshot()), &tree).is_empty());
    }

    #[test]
    fn a_value_that_came_back_is_no_news() {
        let tree = Tree::in_memory();
        rename(&tree, "one");
        let notifications = watched(&tree, 1);
        rename(&tree, "two");
        let news = changes(&notifications, &tree);
        assert!(!news[0].active);
        rename(&tree, "one");
        assert!(changes(&notifications, &tree).is_empty());
    }

    #[test]
    fn attributes_are_drafted_whole_and_count_once_they_are_adopted() {
        let tree = Tree::in_memory();
        let mut notifications = Notifications::default();
        let asked = change(2);
        let named = |number: usize| {
            let name = number.to_string();
            let value = ParameterValue {
                name,
                ..value(&tree)
            };
            (value, &asked)
        };
        let mut txn = Transaction::new(Actor::device());
        assert_eq!(notifications.drafted((0..=MOST).map(named), &mut txn), None);
        assert!(txn.is_empty() && notifications.watched.is_empty());
        let twice = [named(1), named(2), named(1)];
        let draft = notifications.drafted(twice, &mut txn).expect("room");
        assert!(notifications.watched.is_empty() && notifications.moved().is_none());
        notifications.adopt(draft);
        let rows = notifications.watched.values().map(|one| one.row);
        assert_eq!(rows.collect::<Vec<_>>(), [1, 2]);
        assert!(notifications.moved().is_some());
    }

    #[test]
    fn a_parameter_that_is_off_is_not_told() {
        let tree = Tree::in_memory();
        let notifications = watched(&tree, 0);
        rename(&tree, "other");
        assert!(changes(&notifications, &tree).is_empty());
    }
}
