//! The one row-life machine.
//!
//! RowStatus (RFC 2579), AddObject and DeleteObject, assignment to an absent
//! row and the row commands are spellings of what happens here. Wishes of one
//! transaction count wherever they stand: rows are made first, then filled,
//! then put into use or deleted.

use super::actor::{Actor, Face, Rights};
use super::phase::{
    ACTIVE, CREATE_AND_GO, CREATE_AND_WAIT, DESTROY, NOT_IN_SERVICE, Phase, phase_of,
};
use super::refusal::{Reason, Refusal, Subject};
use super::row::{Row, RowState};
use super::snapshot::Snapshot;
use super::txn::{Creation, Wish};
use super::watch::Command;
use crate::schema::{self, Index, Name, Role, RowLife, TableId, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The tree as it would be after a transaction.
pub struct Candidate<'a> {
    /// Who wishes it.
    pub actor: &'a Actor,
    /// The tree as it stands.
    pub before: &'a Snapshot,
    /// The tree as it would stand.
    pub after: Snapshot,
    pub(crate) commands: Vec<Command>,
    /// Rows that a wish or a leader touched, with the first wish that did.
    touched: BTreeMap<(TableId, Index), usize>,
}

impl<'a> Candidate<'a> {
    pub(crate) fn build(
        actor: &'a Actor,
        before: &'a Snapshot,
        wishes: &[Wish],
    ) -> Result<Self, Vec<Refusal>> {
        let mut candidate = Self {
            actor,
            before,
            after: before.clone(),
            commands: Vec::new(),
            touched: BTreeMap::new(),
        };
        let mut refusals = Vec::new();
        let with_status = rows_with_status(wishes);
        for phase in [Phase::Make, Phase::Fill, Phase::Settle, Phase::Tell] {
            for (at, wish) in wishes.iter().enumerate() {
                if phase_of(wish) != phase {
                    continue;
                }
                if let Err(reason) = candidate.grant(at, wish, &with_status) {
                    refusals.push(Refusal::new(at, subject(wish), reason));
                }
            }
        }
        candidate.follow();
        refusals.extend(candidate.incomplete());
        refusals.sort_by_key(|refusal| refusal.wish);
        if refusals.is_empty() {
            Ok(candidate)
        } else {
            Err(refusals)
        }
    }

    /// Every row that is not as it was, in order of table and key.
    pub(crate) fn changed_rows(&self) -> impl Iterator<Item = (TableId, &Index)> {
        self.touched
            .keys()
            .filter(|(table, index)| {
                self.before.row(*table, index) != self.after.row(*table, index)
            })
            .map(|(table, index)| (*table, index))
    }

    /// The verbs that would be told to engines.
    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    /// The first wish that touched a row; 0 for a row that none touched.
    pub fn wish_of(&self, table: TableId, index: &Index) -> usize {
        let key = (table, index.clone());
        self.touched.get(&key).copied().unwrap_or_default()
    }

    fn grant(
        &mut self,
        at: usize,
        wish: &Wish,
        with_status: &BTreeSet<(TableId, Index)>,
    ) -> Result<(), Reason> {
        match wish {
            Wish::Assign(name, value) => match name.column.get().role {
                Role::Stored(slot) => self.assign(at, name, slot, value, with_status),
                Role::Command(verb) => self.command(at, name, verb, value),
                Role::RowStatus => self.status(at, name, value),
                Role::Input => {
                    self.tell(name, value);
                    Ok(())
                }
                Role::Index | Role::Live(_) | Role::Alias(_) => Err(Reason::NotWritable),
            },
            Wish::Create(table, index, creation) => self.create(at, *table, index, *creation),
            Wish::Activate(table, index) => self.set_state(at, *table, index, RowState::Active),
            Wish::Delete(table, index) => self.delete(at, *table, index),
            Wish::Put(table, index, row) => {
                self.after.rows_mut(*table).put(index.clone(), row.clone());
                self.touch(at, *table, index);
                Ok(())
            }
            // Both were refused before any row was looked at.
            Wish::Unknown(_, reason) => Err(reason.clone()),
            Wish::Unfit(_) => Err(Reason::NotWritable),
        }
    }

    fn assign(
        &mut self,
        at: usize,
        name: &Name,
        slot: u8,
        value: &Value,
        with_status: &BTreeSet<(TableId, Index)>,
    ) -> Result<(), Reason> {
        let table = name.column.get().table;
        if self.after.row(table, &name.index).is_none() {
            // RFC 2579: under RowStatus a manager's column alone makes no row.
            let key = (table, name.index.clone());
            let by_status = self.actor.face == Face::Snmp && status_column(table);
            if by_status && !with_status.contains(&key) {
                return Err(Reason::NoRow);
            }
            self.create(at, table, &name.index, Creation::Active)?;
        }
        let value = match name.column.get().syntax.format {
            "TestAndIncr" => self.test_and_increment(name, value)?,
            _ => value.clone(),
        };
        self.edit(at, table, &name.index, |row| row.set(slot, value))
    }

    /// RFC 2579 TestAndIncr: only the value it has may be set, and grows by one.
    fn test_and_increment(&self, name: &Name, value: &Value) -> Result<Value, Reason> {
        match (self.before.cell(name.column, &name.index), value) {
            (Some(Value::Integer(now)), Value::Integer(sent)) if now == sent => {
                Ok(Value::Integer(now.checked_add(1).unwrap_or_default()))
            }
            _ => Err(Reason::Inconsistent("it has another value now".to_owned())),
        }
    }

    fn command(&mut self, at: usize, name: &Name, verb: i32, value: &Value) -> Result<(), Reason> {
        let column = name.column.get();
        let exists = self.has_row(column.table, &name.index);
        if value != &Value::Integer(verb) {
            return exists.then_some(()).ok_or(Reason::NoRow);
        }
        if column.short == "Delete" {
            return self.delete(at, leader(column.table), &name.index);
        }
        if !exists {
            return Err(Reason::NoRow);
        }
        if self.reorder(at, column.table, &name.index, column.short)? {
            return Ok(());
        }
        let row = self.after.row(column.table, &name.index);
        if row.is_some_and(|row| row.state != RowState::Active) {
            // Engines do not see it: the command would be taken and lost.
            return Err(Reason::Inconsistent("the row is not in use yet".to_owned()));
        }
        self.tell(name, value);
        Ok(())
    }

    fn tell(&mut self, name: &Name, argument: &Value) {
        self.commands.push(Command {
            column: name.column,
            row: name.index.clone(),
            argument: argument.clone(),
            actor: self.actor.clone(),
        });
    }

    /// Rows that engines publish are not in the tree: their commands are checked by the engine.
    fn has_row(&self, table: TableId, index: &Index) -> bool {
        table.get().is_live() || self.after.row(table, index).is_some()
    }

    fn status(&mut self, at: usize, name: &Name, value: &Value) -> Result<(), Reason> {
        let (table, index) = (name.column.get().table, &name.index);
        let exists = self.before.row(table, index).is_some();
        let wrong = |why: &str| Err(Reason::Inconsistent(why.to_owned()));
        match value {
            Value::Integer(CREATE_AND_GO | CREATE_AND_WAIT) if exists => {
                wrong("the row is there already")
            }
            Value::Integer(CREATE_AND_GO) => self.create(at, table, index, Creation::Active),
            Value::Integer(CREATE_AND_WAIT) => self.create(at, table, index, Creation::Inert),
            Value::Integer(ACTIVE) => self.set_state(at, table, index, RowState::Active),
            Value::Integer(NOT_IN_SERVICE) => {
                self.set_state(at, table, index, RowState::NotInService)
            }
            Value::Integer(DESTROY) => self.delete(at, table, index),
            _ => Err(Reason::WrongValue(
                "active, notInService, createAndGo, createAndWait or destroy".to_owned(),
            )),
        }
    }

    fn create(
        &mut self,
        at: usize,
        table: TableId,
        index: &Index,
        creation: Creation,
    ) -> Result<(), Reason> {
        let free = table.get().rows == RowLife::Free;
        let stored = !matches!(table.get().rows, RowLife::Live | RowLife::Scalar);
        // A row that another brings along may be filled in by the wishes that make the other.
        let led = leader(table) != table && self.after.row(leader(table), index).is_some();
        if !(free || led || stored && self.actor.rights == Rights::Device) {
            return Err(Reason::NoCreation);
        }
        if self.after.row(table, index).is_some() {
            return Ok(());
        }
        if Index::read(table.get(), index.arcs()).is_err() {
            return Err(Reason::NoCreation);
        }
        let mut row = Row::initial(table);
        if creation == Creation::Inert {
            row.state = RowState::NotInService;
        }
        self.after.rows_mut(table).put(index.clone(), row);
        self.touch(at, table, index);
        Ok(())
    }

    fn delete(&mut self, at: usize, table: TableId, index: &Index) -> Result<(), Reason> {
        let own = self.actor.rights == Rights::Device;
        match table.get().rows {
            RowLife::Free | RowLife::Fixed => {}
            RowLife::Kept if own => {}
            RowLife::Kept | RowLife::Scalar | RowLife::Live | RowLife::Follow(_) => {
                return Err(Reason::NotWritable);
            }
        }
        if self.after.rows_mut(table).take(index).is_some() {
            self.touch(at, table, index);
        }
        Ok(())
    }

    fn set_state(
        &mut self,
        at: usize,
        table: TableId,
        index: &Index,
        state: RowState,
    ) -> Result<(), Reason> {
        self.edit(at, table, index, |row| row.state = state)
    }

    fn edit(
        &mut self,
        at: usize,
        table: TableId,
        index: &Index,
        edit: impl FnOnce(&mut Row),
    ) -> Result<(), Reason> {
        if !self.after.rows_mut(table).edit(index, edit) {
            return Err(Reason::NoRow);
        }
        self.touch(at, table, index);
        Ok(())
    }

    pub(super) fn touch(&mut self, at: usize, table: TableId, index: &Index) {
        self.touched.entry((table, index.clone())).or_insert(at);
    }

    /// Rows that belong to another row appear and go with it.
    fn follow(&mut self) {
        let mut open: Vec<(TableId, Index, usize)> = self
            .touched
            .iter()
            .map(|((table, index), at)| (*table, index.clone(), *at))
            .collect();
        while let Some((leader, index, at)) = open.pop() {
            let there = self.after.row(leader, &index).is_some();
            for follower in followers(leader) {
                if there == self.after.row(follower, &index).is_some() {
                    continue;
                }
                if there {
                    let row = Row::initial(follower);
                    self.after.rows_mut(follower).put(index.clone(), row);
                } else {
                    self.after.rows_mut(follower).take(&index);
                }
                self.touch(at, follower, &index);
                open.push((follower, index.clone(), at));
            }
        }
    }

    /// A row in use has a value in each cell; an inert one says by its state whether it has.
    fn incomplete(&mut self) -> Vec<Refusal> {
        let touched: Vec<_> = self
            .touched
            .iter()
            .map(|(key, at)| (key.clone(), *at))
            .collect();
        let mut refusals = Vec::new();
        for ((table, index), at) in touched {
            let Some(row) = self.after.row(table, &index) else {
                continue;
            };
            match (row.state, row.is_complete()) {
                (RowState::Active, false) => {
                    let why = format!("it also needs {}", missing(table, row));
                    let subject = Subject::Row(table, index);
                    refusals.push(Refusal::new(at, subject, Reason::Inconsistent(why)));
                }
                (RowState::NotInService, false) => self.restate(table, &index, RowState::NotReady),
                (RowState::NotReady, true) => self.restate(table, &index, RowState::NotInService),
                _ => {}
            }
        }
        refusals
    }

    fn restate(&mut self, table: TableId, index: &Index, state: RowState) {
        let rows = self.after.rows_mut(table);
        rows.edit(index, |row| row.state = state);
    }
}

/// The table whose rows those of `table` come and go with; itself where they have their own life.
fn leader(table: TableId) -> TableId {
    match table.get().rows {
        RowLife::Follow(leader) => leader,
        RowLife::Scalar | RowLife::Free | RowLife::Fixed | RowLife::Live | RowLife::Kept => table,
    }
}

/// The tables whose rows come and go with those of `leader`.
pub(crate) fn followers(leader: TableId) -> impl Iterator<Item = TableId> {
    schema::tables()
        .filter(move |(_, table)| table.rows == RowLife::Follow(leader))
        .map(|(id, _)| id)
}

fn subject(wish: &Wish) -> Subject {
    match wish {
        Wish::Assign(name, _) | Wish::Unfit(name) => Subject::Instance(name.clone()),
        Wish::Create(table, index, _)
        | Wish::Activate(table, index)
        | Wish::Delete(table, index)
        | Wish::Put(table, index, _) => Subject::Row(*table, index.clone()),
        Wish::Unknown(oid, _) => Subject::Oid(oid.clone()),
    }
}

fn rows_with_status(wishes: &[Wish]) -> BTreeSet<(TableId, Index)> {
    let status = wishes.iter().filter_map(|wish| match wish {
        Wish::Assign(name, _) if name.column.get().role == Role::RowStatus => {
            Some((name.column.get().table, name.index.clone()))
        }
        _ => None,
    });
    status.collect()
}

fn status_column(table: TableId) -> bool {
    let columns = table.get().columns.iter();
    columns
        .copied()
        .any(|column| column.get().role == Role::RowStatus)
}

/// The names of the cells that have no value.
fn missing(table: TableId, row: &Row) -> String {
    let empty = |role: Role| matches!(role, Role::Stored(slot) if row.cell(slot).is_none());
    let names = table.get().columns.iter().map(|column| column.get());
    let names: Vec<&str> = names
        .filter(|column| empty(column.role))
        .map(|column| column.short)
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use crate::schema::{Index, Name, Value, hoc, scm};
    use crate::tree::{Actor, Creation, Face, Reason, Rights, RowState, Transaction, Tree};

    fn assign(txn: &mut Transaction, name: &str, value: impl Into<Value>) {
        txn.assign(Name::parse(name).expect("a name"), value.into());
    }

    fn commit(tree: &Tree, actor: Actor, wishes: &[(&str, Value)]) -> Result<u64, Vec<String>> {
        let mut txn = Transaction::new(actor);
        for (name, value) in wishes {
            assign(&mut txn, name, value.clone());
        }
        tree.commit_and_wait(txn, 0)
            .map(|committed| committed.version)
            .map_err(|refusals| refusals.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn assignment_to_an_absent_row_makes_it_with_its_defaults() {
        let tree = Tree::in_memory();
        let wish = ("Hoc.StaticHosts[Index=7].Name", Value::from("pbx"));
        assert_eq!(commit(&tree, Actor::local(), &[wish]), Ok(1));
        let snapshot = tree.snapshot();
        let row = snapshot
            .row(hoc::static_hosts::TABLE, &Index::number(7))
            .expect("made");
        assert_eq!(row.cell(0), Some(&Value::from("pbx")));
        assert_eq!(row.cell(1), Some(&Value::from("")));
    }

    #[test]
    fn a_delete_command_removes_the_row_and_is_never_stored() {
        let tree = Tree::in_memory();
        let wish = ("Hoc.StaticHosts[Index=7].Name", Value::from("pbx"));
        commit(&tree, Actor::local(), &[wish]).expect("made");
        let delete = "Hoc.StaticHosts[Index=7].Delete";
        let name = Name::parse(delete).expect("a name");
        assert_eq!(tree.instances().read(&name), Some(Value::Integer(0)));
        commit(&tree, Actor::local(), &[(delete, Value::Integer(10))]).expect("deleted");
        assert_eq!(tree.instances().read(&name), None);
    }

    #[test]
    fn fixed_rows_are_made_by_the_device_only() {
        let tree = Tree::in_memory();
        let wish = (
            "Hoc.StaticSntpServers[Priority=1].HostName",
            Value::from("ntp.example.com"),
        );
        let refused = commit(&tree, Actor::local(), std::slice::from_ref(&wish));
        let sentence = "Hoc.StaticSntpServers[Priority=1].HostName: there is no such row, and it cannot be made from outside";
        assert_eq!(refused, Err(vec![sentence.to_owned()]));
        let mut txn = Transaction::new(Actor::device());
        txn.create(
            hoc::static_sntp_servers::TABLE,
            Index::number(1),
            Creation::Active,
        );
        tree.commit_and_wait(txn, 0).expect("the device may");
        assert_eq!(commit(&tree, Actor::local(), &[wish]), Ok(2));
    }

    #[test]
    fn an_inert_row_is_made_in_one_commit_and_used_in_another() {
        let tree = Tree::in_memory();
        let table = hoc::static_hosts::TABLE;
        let mut txn = Transaction::new(Actor::local());
        txn.create(table, Index::number(1), Creation::Inert);
        tree.commit_and_wait(txn, 0).expect("made");
        let state = |tree: &Tree| {
            let snapshot = tree.snapshot();
            snapshot.row(table, &Index::number(1)).map(|row| row.state)
        };
        assert_eq!(state(&tree), Some(RowState::NotInService));
        let mut txn = Transaction::new(Actor::local());
        txn.activate(table, Index::number(1));
        tree.commit_and_wait(txn, 0).expect("used");
        assert_eq!(state(&tree), Some(RowState::Active));
    }

    #[test]
    fn every_offender_is_named_and_nothing_is_changed() {
        let tree = Tree::in_memory();
        let refused = commit(
            &tree,
            Actor::local(),
            &[
                ("Hoc.SystemName", Value::from("ok")),
                ("Hoc.SntpSynchronizationPeriod", Value::Unsigned(0)),
                ("Hoc.SystemUptime", Value::from("now")),
                ("Hoc.SystemContact", Value::Integer(1)),
            ],
        );
        let refusals = refused.expect_err("three are wrong");
        assert_eq!(
            refusals,
            [
                "Hoc.SntpSynchronizationPeriod: wrong value, it takes a number 1..1440",
                "Hoc.SystemUptime: it cannot be written",
                "Hoc.SystemContact: wrong type, it takes text of 0..255 octets",
            ]
        );
        assert_eq!(tree.snapshot().version(), 0);
    }

    #[test]
    fn rights_bound_what_a_user_may_change() {
        let tree = Tree::in_memory();
        let wish = ("Hoc.SystemName", Value::from("x"));
        let observer = Actor {
            rights: Rights::Observer,
            ..Actor::local()
        };
        let mut txn = Transaction::new(observer);
        assign(&mut txn, wish.0, wish.1);
        let refused = tree.commit_and_wait(txn, 0).expect_err("may not");
        assert_eq!(refused[0].reason, Reason::NoAccess);
    }

    #[test]
    fn a_row_that_follows_is_filled_in_with_its_leader_and_its_delete_takes_both() {
        let tree = Tree::in_memory();
        let pem = "Cert.HostCertificateMaterial[FileName=a].Pem";
        let sip = "Cert.HostCertificateAssociation[FileName=a].Sip";
        let alone = commit(&tree, Actor::local(), &[(sip, Value::Integer(0))]);
        assert!(alone.is_err());
        let both = [(pem, Value::from("x")), (sip, Value::Integer(0))];
        assert_eq!(commit(&tree, Actor::local(), &both), Ok(1));
        let delete = "Cert.HostCertificatesInfo[FileName=a].Delete";
        commit(&tree, Actor::local(), &[(delete, Value::Integer(10))]).expect("deleted");
        for name in [pem, sip, delete] {
            let name = Name::parse(name).expect("a name");
            assert_eq!(tree.instances().read(&name), None);
        }
    }

    #[test]
    fn a_command_needs_its_row() {
        let tree = Tree::in_memory();
        let wish = (
            "Scm.ServiceCommands[Name=SipEp].Restart",
            Value::Integer(10),
        );
        let refused = commit(&tree, Actor::local(), std::slice::from_ref(&wish));
        assert_eq!(
            refused,
            Err(vec![
                "Scm.ServiceCommands[Name=SipEp].Restart: there is no such row".to_owned()
            ])
        );
        let mut txn = Transaction::new(Actor::device());
        txn.create(
            scm::service_commands::TABLE,
            Index::text("SipEp"),
            Creation::Active,
        );
        tree.commit_and_wait(txn, 0).expect("made");
        let told = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
        let count = told.clone();
        let subscription = tree.subscribe([scm::service_commands::TABLE], move || {
            count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        });
        assert_eq!(commit(&tree, Actor::local(), &[wish]), Ok(1));
        assert_eq!(told.load(std::sync::atomic::Ordering::Relaxed), 1);
        let commands = subscription.commands();
        assert_eq!(commands[0].row, Index::text("SipEp"));
        assert!(subscription.commands().is_empty());
    }

    #[test]
    fn a_row_that_is_not_in_use_takes_no_command() {
        let tree = Tree::in_memory();
        let table = crate::schema::cert::transfer::TABLE;
        let mut txn = Transaction::new(Actor::local());
        txn.create(table, Index::number(1), Creation::Inert);
        tree.commit_and_wait(txn, 0).expect("made");
        let start = ("Cert.Transfer[Index=1].Start", Value::Integer(10));
        let refused = commit(&tree, Actor::local(), std::slice::from_ref(&start));
        let sentence = "Cert.Transfer[Index=1].Start: the row is not in use yet";
        assert_eq!(refused, Err(vec![sentence.to_owned()]));
        let mut txn = Transaction::new(Actor::local());
        txn.activate(table, Index::number(1));
        assign(&mut txn, start.0, start.1);
        tree.commit_and_wait(txn, 0).expect("it is in use first");
    }

    #[test]
    fn two_values_for_one_object_contradict_each_other_except_in_a_script() {
        let wishes = [
            ("Hoc.SystemName", Value::from("a")),
            ("Hoc.SystemName", Value::from("b")),
        ];
        let by = |face| Actor {
            face,
            ..Actor::local()
        };
        let tree = Tree::in_memory();
        assert!(commit(&tree, by(Face::Snmp), &wishes).is_err());
        assert_eq!(commit(&tree, by(Face::Script), &wishes), Ok(1));
        let cell = tree
            .snapshot()
            .cell(hoc::SYSTEM_NAME.id(), &Index::scalar())
            .cloned();
        assert_eq!(cell, Some(Value::from("b")));
    }
}
