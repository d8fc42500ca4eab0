//! Changes that are undone unless they are confirmed.
//!
//! A transaction that also sets `Conf.ConfirmWithin` leaves a row in
//! `Conf.PendingChange`, in the same commit: what undoes it is on disk before
//! the change is true, and is there after a restart. Who counts the seconds
//! and who finds that a change works stand above: the tree only remembers,
//! confirms and goes back.

use super::actor::{Actor, Rights};
use super::audit::listed;
use super::codec::{RowCodec, disk_name, table_named};
use super::commit::Outcome;
use super::device_tree::Tree;
use super::refusal::{Reason, Refusal, Subject};
use super::row::Row;
use super::snapshot::Snapshot;
use super::txn::Transaction;
use super::watch::Command;
use crate::schema::conf::{self, pending_change};
use crate::schema::{Index, Name, RowLife, TableId, Value};
use crate::wire::time::UnixTime;
use std::sync::Arc;

/// Changes that may wait at once.
const MAX_PENDING: usize = 8;
/// Changes that were undone, as far back as they are remembered.
const MAX_UNDONE: usize = 16;
/// What undoes one change, in octets.
const MAX_UNDO: usize = 1 << 20;

/// What must be seen to work after a change of these tables; asked just before.
pub type Prober = Arc<dyn Fn(&[TableId]) -> Vec<String> + Send + Sync>;

/// Something works as of a version: the probe's name, and the version.
pub type ProofSink = Arc<dyn Fn(&str, u64) + Send + Sync>;

/// A change that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingChange {
    /// The version that it made.
    pub version: u32,
    /// Seconds after which it is undone.
    pub within: u32,
    /// What confirms it; none: only by hand.
    pub probes: Vec<String>,
    /// The rows that it changed.
    pub objects: String,
}

/// The seconds that a transaction asks for, and the wish that asked.
pub(super) fn asked(commands: &[Command]) -> Option<u32> {
    let mut asked = commands
        .iter()
        .filter(|command| command.column == conf::CONFIRM_WITHIN.id());
    match asked.next_back()?.argument {
        Value::Unsigned(seconds) if seconds > 0 => Some(seconds),
        _ => None,
    }
}

/// A change on its way to disk, as the row that undoes it needs it.
pub(super) struct Promise<'a> {
    pub(super) before: &'a Snapshot,
    pub(super) rows: &'a [(TableId, Index)],
    pub(super) actor: &'a Actor,
    pub(super) at: u64,
    pub(super) within: u32,
    pub(super) probes: &'a [String],
}

impl Promise<'_> {
    /// Lays the row into `after`, whose version is set; the row's key.
    pub(super) fn keep(&self, after: &mut Snapshot) -> Result<(TableId, Index), Refusal> {
        let table = pending_change::TABLE;
        if self.before.rows(table).len() >= MAX_PENDING {
            let why = format!("{MAX_PENDING} changes wait already: confirm or undo one of them");
            return Err(refused(why));
        }
        let undo = Undo::of(self.before, after, self.rows)?;
        // Versions beyond 32 bits are as far away as clocks of microseconds.
        let version = u32::try_from(after.version()).unwrap_or(u32::MAX);
        let made = match self.at {
            0 => String::new(),
            seconds => UnixTime::from_secs(seconds).to_string(),
        };
        let mut row = Row::initial(table);
        for (column, value) in [
            (pending_change::USER.id(), self.actor.to_string().into()),
            (pending_change::MADE.id(), made.into()),
            (pending_change::WITHIN.id(), Value::Unsigned(self.within)),
            (pending_change::PROBES.id(), self.probes.join(" ").into()),
            (pending_change::OBJECTS.id(), listed(self.rows).into()),
            (pending_change::UNDO.id(), Value::octets(undo)),
        ] {
            row.put(column, value);
        }
        let index = Index::number(version);
        after.rows_mut(table).put(index.clone(), row);
        Ok((table, index))
    }
}

fn refused(why: String) -> Refusal {
    let name = Name {
        column: conf::CONFIRM_WITHIN.id(),
        index: Index::scalar(),
    };
    Refusal::new(0, Subject::Instance(name), Reason::Inconsistent(why))
}

impl Tree {
    /// Every change that waits, the oldest first.
    pub fn pending_changes(&self) -> Vec<PendingChange> {
        let snapshot = self.snapshot();
        let rows = snapshot.rows(pending_change::TABLE).iter();
        rows.map(|(index, row)| {
            let text = |column| match row.column(column) {
                Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                _ => String::new(),
            };
            let probes = text(pending_change::PROBES.id());
            PendingChange {
                version: index.arcs().first().copied().unwrap_or_default(),
                within: match row.column(pending_change::WITHIN.id()) {
                    Some(Value::Unsigned(seconds)) => *seconds,
                    _ => 0,
                },
                probes: probes.split_whitespace().map(str::to_owned).collect(),
                objects: text(pending_change::OBJECTS.id()),
            }
        })
        .collect()
    }

    /// The change of that version stays.
    pub fn confirm(&self, version: u32, actor: &Actor, at: u64, done: impl Done) {
        let mut txn = Transaction::new(on_behalf(actor));
        txn.delete(pending_change::TABLE, Index::number(version));
        self.commit(txn, at, done);
    }

    /// The change of that version is undone by a new one: a cell goes back
    /// where it still has the value that the change gave it, rows that it made
    /// go, rows that it deleted come back. Refused where the tree is changed
    /// meanwhile, and where a guard objects.
    pub fn go_back(&self, version: u32, actor: &Actor, at: u64, done: impl Done) {
        let snapshot = self.snapshot();
        let index = Index::number(version);
        let mut txn = Transaction::new(on_behalf(actor)).based_on(snapshot.version());
        if let Some(row) = snapshot.row(pending_change::TABLE, &index)
            && let Some(Value::Octets(undo)) = row.column(pending_change::UNDO.id())
        {
            Undo::wish(undo, &snapshot, &mut txn);
        }
        txn.delete(pending_change::TABLE, index);
        let mut undone = undone(&snapshot);
        undone.push(version);
        let forgotten = undone.len().saturating_sub(MAX_UNDONE);
        let undone: Vec<String> = undone[forgotten..].iter().map(u32::to_string).collect();
        txn.assign(undone_changes(), undone.join(" ").into());
        self.commit(txn, at, done);
    }
}

impl Snapshot {
    /// Whether the change of that version was undone, as far as that is remembered.
    pub fn was_undone(&self, version: u32) -> bool {
        undone(self).contains(&version)
    }
}

fn undone_changes() -> Name {
    Name {
        column: conf::UNDONE_CHANGES.id(),
        index: Index::scalar(),
    }
}

/// The versions of the changes that were undone, the latest last.
fn undone(snapshot: &Snapshot) -> Vec<u32> {
    let name = undone_changes();
    let text = snapshot.cell(name.column, &name.index);
    let text = text.and_then(Value::as_octets).unwrap_or_default();
    let text = String::from_utf8_lossy(text);
    let versions = text.split_whitespace();
    versions
        .filter_map(|version| version.parse().ok())
        .collect()
}

/// Hears how a commit ended.
pub trait Done: FnOnce(Outcome) + Send + 'static {}
impl<F: FnOnce(Outcome) + Send + 'static> Done for F {}

/// Only the device deletes what it keeps; the audit still names who wanted it.
fn on_behalf(actor: &Actor) -> Actor {
    Actor {
        rights: Rights::Device,
        ..actor.clone()
    }
}

/// What undoes a change: each row as it was and as the change left it.
///
/// ```text
/// row:  name 1+n | key 1+4n | was | is       (numbers little-endian)
/// was, is: 0, or 1 | length 4 | octets, secrets in the clear: all of it is sealed
/// ```
struct Undo;

impl Undo {
    fn of(
        before: &Snapshot,
        after: &Snapshot,
        rows: &[(TableId, Index)],
    ) -> Result<Vec<u8>, Refusal> {
        let codec = RowCodec::clear();
        let mut out = Vec::new();
        for (table, index) in rows {
            let name = disk_name(*table);
            put_short(&mut out, name.as_bytes());
            out.push(u8::try_from(index.arcs().len()).unwrap_or(u8::MAX));
            out.extend(index.arcs().iter().flat_map(|arc| arc.to_le_bytes()));
            for snapshot in [before, after] {
                let Some(row) = snapshot.row(*table, index) else {
                    out.push(0);
                    continue;
                };
                let octets = codec
                    .encode(*table, index, row)
                    .map_err(Refusal::unavailable)?;
                let length = u32::try_from(octets.len()).unwrap_or(u32::MAX);
                out.push(1);
                out.extend(length.to_le_bytes());
                out.extend(octets);
            }
        }
        match out.len() {
            0..=MAX_UNDO => Ok(out),
            _ => Err(refused("the change is too large to be undone".to_owned())),
        }
    }

    /// The wishes that undo it, as far as it can still be read.
    fn wish(undo: &[u8], now: &Snapshot, txn: &mut Transaction) {
        let codec = RowCodec::clear();
        let mut rest = undo;
        while let Some(step) = UndoRow::take(&mut rest) {
            let Some(table) = table_named(step.table) else {
                continue;
            };
            let index = Index::from_arcs(&step.key);
            let read = |octets: Option<&[u8]>| {
                let decoded = codec.decode(table, &index, octets?).ok()?;
                Some(decoded.row)
            };
            let (was, is) = (read(step.was), read(step.is));
            match (was, is, now.row(table, &index)) {
                (Some(was), None, None) => txn.put(table, index, was),
                (Some(was), Some(is), Some(row)) => {
                    let row = restored(row, &was, &is);
                    txn.put(table, index, row);
                }
                // Rows that follow another go with it.
                (None, _, Some(_)) if !matches!(table.get().rows, RowLife::Follow(_)) => {
                    txn.delete(table, index);
                }
                _ => {}
            }
        }
    }
}

/// Each cell as it was, unless somebody has changed it since.
fn restored(now: &Row, was: &Row, is: &Row) -> Row {
    let mut row = now.clone();
    if now.state == is.state {
        row.state = was.state;
    }
    let cells = Arc::make_mut(&mut row.cells).iter_mut();
    for (cell, (was, is)) in cells.zip(was.cells.iter().zip(is.cells.iter())) {
        if cell == is {
            cell.clone_from(was);
        }
    }
    row
}

struct UndoRow<'a> {
    table: &'a str,
    key: Vec<u32>,
    was: Option<&'a [u8]>,
    is: Option<&'a [u8]>,
}

impl<'a> UndoRow<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Self> {
        let length = take(rest, 1)?[0];
        let table = std::str::from_utf8(take(rest, usize::from(length))?).ok()?;
        let arcs = usize::from(take(rest, 1)?[0]);
        let key = take(rest, arcs * 4)?.chunks_exact(4);
        let key = key.map(|arc| arc.try_into().map_or(0, u32::from_le_bytes));
        let key = key.collect();
        let (was, is) = (take_row(rest)?, take_row(rest)?);
        Some(Self {
            table,
            key,
            was,
            is,
        })
    }
}

fn take_row<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    if take(rest, 1)?[0] == 0 {
        return Some(None);
    }
    let length = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    Some(Some(take(rest, usize::try_from(length).ok()?)?))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(taken)
}

fn put_short(out: &mut Vec<u8>, octets: &[u8]) {
    out.push(u8::try_from(octets.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(octets);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::hoc;
    use crate::tree::{Backing, DeviceId, Sealer, Store, StoreOptions};
    use std::sync::mpsc;

    fn transaction(assignments: &[(&str, Value)]) -> Transaction {
        let mut txn = Transaction::new(Actor::local());
        for (name, value) in assignments {
            txn.assign(Name::parse(name).expect("a name"), value.clone());
        }
        txn
    }

    fn set(tree: &Tree, assignments: &[(&str, Value)]) -> u32 {
        let outcome = tree.commit_and_wait(transaction(assignments), 1_800_000_000);
        let version = outcome.expect("granted").version;
        u32::try_from(version).expect("small")
    }

    fn undo(tree: &Tree, version: u32) -> Outcome {
        let (send, receive) = mpsc::channel();
        tree.go_back(version, &Actor::device(), 0, move |outcome| {
            send.send(outcome).expect("it waits");
        });
        receive.recv().expect("an outcome")
    }

    fn cell(tree: &Tree, name: &str) -> Option<Value> {
        let name = Name::parse(name).expect("a name");
        tree.snapshot().cell(name.column, &name.index).cloned()
    }

    const WITHIN: (&str, Value) = ("Conf.ConfirmWithin", Value::Unsigned(60));

    #[test]
    fn a_provisional_change_is_true_at_once_and_says_what_it_waits_for() {
        let tree = Tree::in_memory();
        tree.probe_changes_by(Arc::new(|tables: &[TableId]| {
            assert_eq!(tables, [hoc::TABLE]);
            vec!["registration:default".to_owned()]
        }));
        let version = set(&tree, &[WITHIN, ("Hoc.SystemName", "new".into())]);
        assert_eq!(cell(&tree, "Hoc.SystemName"), Some("new".into()));
        let pending = tree.pending_changes();
        assert_eq!(pending.len(), 1);
        assert_eq!((pending[0].version, pending[0].within), (version, 60));
        assert_eq!(pending[0].probes, ["registration:default"]);
        assert_eq!(pending[0].objects, "Hoc");
    }

    #[test]
    fn going_back_restores_cells_rows_and_followers_in_one_version() {
        let tree = Tree::in_memory();
        set(
            &tree,
            &[
                ("Hoc.SystemName", "old".into()),
                ("Hoc.StaticHosts[Index=1].Name", "keep".into()),
                ("SipEp.Gateway[Name=one].Port", Value::Unsigned(5070)),
                (
                    "SipEp.TransportConfig[GatewayName=one].TlsEnable",
                    Value::Integer(1),
                ),
            ],
        );
        let before = tree.snapshot();
        let version = set(
            &tree,
            &[
                WITHIN,
                ("Hoc.SystemName", "new".into()),
                ("Hoc.StaticHosts[Index=1].Name", "changed".into()),
                ("Hoc.StaticHosts[Index=2].Name", "made".into()),
                ("SipEp.Gateway[Name=one].Delete", Value::Integer(10)),
                ("SipEp.Gateway[Name=two].Port", Value::Unsigned(5080)),
            ],
        );
        undo(&tree, version).expect("undone");
        let after = tree.snapshot();
        let told_in = conf::UNDONE_CHANGES.id().get().table;
        for (table, _) in crate::schema::tables().filter(|(table, _)| *table != told_in) {
            let rows = |snapshot: &Snapshot| {
                let rows = snapshot.rows(table).iter();
                rows.map(|(index, row)| (index.clone(), row.clone()))
                    .collect::<Vec<_>>()
            };
            assert_eq!(rows(&before), rows(&after), "{}", table.get().name);
        }
        assert!(tree.pending_changes().is_empty());
        assert_eq!(after.version(), u64::from(version) + 1);
    }

    #[test]
    fn an_undone_change_is_told_from_a_confirmed_one_and_not_for_ever() {
        let tree = Tree::in_memory();
        let stays = set(&tree, &[WITHIN, ("Hoc.SystemName", "stays".into())]);
        let (send, receive) = mpsc::channel();
        tree.confirm(stays, &Actor::device(), 0, move |outcome| {
            send.send(outcome.is_ok()).expect("it waits");
        });
        assert!(receive.recv().expect("an outcome"));
        assert!(!tree.snapshot().was_undone(stays));
        let mut undone = Vec::new();
        for _ in 0..=MAX_UNDONE {
            let version = set(&tree, &[WITHIN, ("Hoc.SystemName", "goes".into())]);
            assert!(!tree.snapshot().was_undone(version));
            undo(&tree, version).expect("undone");
            undone.push(version);
        }
        let after = tree.snapshot();
        assert!(!after.was_undone(undone[0]));
        assert!(undone[1..].iter().all(|version| after.was_undone(*version)));
    }

    #[test]
    fn what_somebody_changed_since_stays() {
        let tree = Tree::in_memory();
        let version = set(
            &tree,
            &[
                WITHIN,
                ("Hoc.SystemName", "new".into()),
                ("Hoc.SystemContact", "new".into()),
            ],
        );
        set(&tree, &[("Hoc.SystemName", "later".into())]);
        undo(&tree, version).expect("undone");
        assert_eq!(cell(&tree, "Hoc.SystemName"), Some("later".into()));
        assert_eq!(cell(&tree, "Hoc.SystemContact"), Some("".into()));
    }

    #[test]
    fn a_confirmed_change_stays_and_is_forgotten() {
        let tree = Tree::in_memory();
        let version = set(&tree, &[WITHIN, ("Hoc.SystemName", "new".into())]);
        let (send, receive) = mpsc::channel();
        tree.confirm(version, &Actor::local(), 0, move |outcome| {
            send.send(outcome).expect("it waits");
        });
        receive.recv().expect("an outcome").expect("confirmed");
        assert!(tree.pending_changes().is_empty());
        assert_eq!(cell(&tree, "Hoc.SystemName"), Some("new".into()));
    }

    #[test]
    fn too_many_pending_changes_are_refused_and_nothing_is_changed() {
        let tree = Tree::in_memory();
        for number in 0..MAX_PENDING {
            set(
                &tree,
                &[WITHIN, ("Hoc.SystemName", number.to_string().into())],
            );
        }
        let refused = tree
            .commit_and_wait(transaction(&[WITHIN, ("Hoc.SystemName", "more".into())]), 0)
            .expect_err("full");
        assert_eq!(
            refused[0].to_string(),
            "Conf.ConfirmWithin: 8 changes wait already: confirm or undo one of them"
        );
        assert_eq!(cell(&tree, "Hoc.SystemName"), Some("7".into()));
    }

    #[test]
    fn a_transaction_that_changes_nothing_has_nothing_to_confirm() {
        let tree = Tree::in_memory();
        set(&tree, &[WITHIN]);
        assert!(tree.pending_changes().is_empty());
        assert_eq!(tree.snapshot().version(), 0);
    }

    #[test]
    fn it_waits_over_a_restart_and_its_secrets_are_sealed() {
        let folder = std::env::temp_dir().join(format!("demarc-pending-{}", std::process::id()));
        let sealer = Arc::new(Sealer::random().expect("random"));
        let open = || {
            let backing = Backing::Store {
                store: Store::open(&folder, StoreOptions::default()).expect("a store"),
                device: DeviceId(1),
                sealer: sealer.clone(),
            };
            Tree::open(backing, Vec::new(), Vec::new())
                .expect("a tree")
                .0
        };
        let tree = open();
        let old = "an-old-secret-community";
        set(&tree, &[("Snmp.Community", old.into())]);
        let version = set(&tree, &[WITHIN, ("Snmp.Community", "a-new-one".into())]);
        drop(tree);
        let tree = open();
        assert_eq!(tree.pending_changes().len(), 1);
        let shown = Name::parse(&format!("Conf.PendingChange[Version={version}].Undo"));
        let shown = tree.instances().read(&shown.expect("a name"));
        assert_eq!(shown, Some("".into()));
        undo(&tree, version).expect("undone");
        assert_eq!(cell(&tree, "Snmp.Community"), Some(old.into()));
        drop(tree);
        let mut folders = vec![folder.clone()];
        while let Some(path) = folders.pop() {
            for entry in std::fs::read_dir(path).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let octets = std::fs::read(&path).expect("a file");
                let leaked = octets.windows(old.len()).any(|part| part == old.as_bytes());
                assert!(!leaked, "{}", path.display());
            }
        }
        let _ = std::fs::remove_dir_all(&folder);
    }
}
