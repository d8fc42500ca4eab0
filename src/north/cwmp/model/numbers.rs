//! The numbers under which the ACS knows rows (TR-106 §3.2.2).
//!
//! Kept in `Cwmp.Instance`, so that a number is never given twice, whoever
//! made the row and however often the device restarts. Rows that have not
//! been seen yet get the next numbers; the client keeps them before it tells
//! them. Tables of one number that only the device fills go by that.

use super::text::push_number;
use crate::schema::cwmp::instance::{self, State};
use crate::schema::{Base, ColumnId, Enumerated, Index, Name, RowLife, TableId, Value, tables};
use crate::tree::{Creation, Instances, Row, Transaction};
use std::collections::{BTreeMap, HashMap};

/// The instances of one table.
#[derive(Clone, Debug)]
pub(super) struct Numbers {
    /// Whose rows come and go together have one number.
    leader: TableId,
    kept: bool,
    by_number: BTreeMap<u32, Instance>,
    by_key: HashMap<Index, u32>,
    /// What the kept part has to forget or learn.
    news: Vec<News>,
    next: Option<u32>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Instance {
    /// The key of its row.
    pub(super) index: Index,
    /// What the ACS calls it; "": nothing yet.
    alias: String,
}

#[derive(Clone, Debug)]
enum News {
    Seen(u32),
    /// Its row is gone; the highest number stays as a mark.
    Gone {
        number: u32,
        highest: bool,
    },
}

impl Numbers {
    /// Of the rows of a table as they are.
    pub(super) fn of(view: &Instances, table: TableId) -> Self {
        let leader = leader(table);
        let mut numbers = Self {
            leader,
            kept: !goes_by_its_key(leader),
            by_number: BTreeMap::new(),
            by_key: HashMap::new(),
            news: Vec::new(),
            next: Some(1),
        };
        match numbers.kept {
            true => numbers.recall(view),
            false => {
                for (index, _) in view.rows(leader).iter() {
                    let number = index.arcs().first().copied().filter(|number| *number > 0);
                    if let Some(number) = number {
                        numbers.insert(number, index.clone(), String::new());
                    }
                }
            }
        }
        numbers
    }

    fn recall(&mut self, view: &Instances) {
        let rows = view.rows(self.leader);
        let known = kept(view, self.leader);
        let highest = known.last().map(|(number, _)| *number);
        for (number, row) in known {
            let index = read_key(self.leader, &text(row, instance::ROW.id()));
            let there = index.filter(|index| rows.get(index).is_some());
            let is_mark = row.column(instance::STATE.id()) == Some(&state(State::Gone));
            match there {
                Some(index) if !is_mark && !self.by_key.contains_key(&index) => {
                    self.insert(number, index, text(row, instance::ALIAS.id()));
                }
                // A published row may come back after a restart.
                _ if self.leader.get().is_live() => {}
                _ if is_mark && highest == Some(number) => {}
                _ => self.news.push(News::Gone {
                    number,
                    highest: highest == Some(number),
                }),
            }
        }
        self.next = highest.map_or(Some(1), |highest| highest.checked_add(1));
        self.number_new_rows(view);
    }

    /// A row that is known by a number keeps it where nobody had it before.
    fn number_new_rows(&mut self, view: &Instances) {
        let by_number = has_one_number(self.leader);
        for (index, _) in view.rows(self.leader).iter() {
            if self.by_key.contains_key(index) {
                continue;
            }
            let Some(next) = self.next else { return };
            let own = index.arcs().first().copied().filter(|_| by_number);
            let number = own.unwrap_or(next).max(next);
            self.insert(number, index.clone(), String::new());
            self.news.push(News::Seen(number));
            self.next = number.checked_add(1);
        }
    }

    fn insert(&mut self, number: u32, index: Index, alias: String) {
        self.by_key.insert(index.clone(), number);
        self.by_number.insert(number, Instance { index, alias });
    }

    /// In order of number.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &Instance)> {
        self.by_number
            .iter()
            .map(|(number, instance)| (*number, instance))
    }

    /// The instance of a number.
    pub(super) fn get(&self, number: u32) -> Option<&Instance> {
        self.by_number.get(&number)
    }

    /// The number of a row.
    pub(super) fn number(&self, index: &Index) -> Option<u32> {
        self.by_key.get(index).copied()
    }

    /// The number of an alias.
    pub(super) fn by_alias(&self, alias: &str) -> Option<u32> {
        let mut all = self.iter();
        all.find(|(number, instance)| instance.alias(*number) == alias)
            .map(|(number, _)| number)
    }

    /// The number of the next row; None where there are no more.
    pub(super) fn next(&self) -> Option<u32> {
        self.next.filter(|_| self.by_number.len() < MOST)
    }

    /// Whether an alias can be given.
    pub(super) fn keeps_aliases(&self) -> bool {
        self.kept
    }

    /// Keeps what has been seen first, and forgets what is gone.
    pub(super) fn keep(&self, keep: &mut Transaction) {
        for news in &self.news {
            match news {
                News::Seen(number) => {
                    if let Some(instance) = self.by_number.get(number) {
                        self.write(*number, &instance.index, None, State::There, keep);
                    }
                }
                News::Gone { number, highest } => self.forget_as(*number, *highest, keep),
            }
        }
    }

    /// Keeps the number of a row that is being made.
    pub(super) fn write(
        &self,
        number: u32,
        row: &Index,
        alias: Option<&str>,
        is: State,
        keep: &mut Transaction,
    ) {
        let index = self.kept_at(number);
        keep.create(instance::TABLE, index.clone(), Creation::Active);
        for (column, value) in self.cells(row, alias, is) {
            let index = index.clone();
            keep.assign(Name { column, index }, value);
        }
    }

    /// What is kept of a row.
    pub(super) fn cells(
        &self,
        row: &Index,
        alias: Option<&str>,
        is: State,
    ) -> Vec<(ColumnId, Value)> {
        let mut cells = vec![
            self.row_cell(row),
            (instance::STATE.id(), state(is)),
            (instance::ALIAS.id(), Value::from(alias.unwrap_or_default())),
        ];
        cells.truncate(if alias.is_some() { 3 } else { 2 });
        cells
    }

    /// With one more, which is being made.
    pub(super) fn with(&self, number: u32, index: &Index, alias: &str) -> Self {
        let mut more = self.clone();
        more.insert(number, index.clone(), alias.to_owned());
        more.next = number.checked_add(1);
        more
    }

    /// The column that keeps the key of a row, and its value.
    pub(super) fn row_cell(&self, row: &Index) -> (ColumnId, Value) {
        (instance::ROW.id(), Value::from(key(self.leader, row)))
    }

    /// The row of `Cwmp.Instance` of a number.
    pub(super) fn kept_at(&self, number: u32) -> Index {
        let arcs = [Index::text(&name(self.leader)).arcs(), &[number]].concat();
        Index::from_arcs(&arcs)
    }

    /// The row of a number is being deleted.
    pub(super) fn forget(&self, number: u32, keep: &mut Transaction) {
        let highest = self.next == number.checked_add(1);
        self.forget_as(number, highest, keep);
    }

    fn forget_as(&self, number: u32, highest: bool, keep: &mut Transaction) {
        match highest {
            true => self.write(number, &Index::from_arcs(&[]), Some(""), State::Gone, keep),
            false => keep.delete(instance::TABLE, self.kept_at(number)),
        }
    }
}

impl Instance {
    /// What it is called.
    pub(super) fn alias(&self, number: u32) -> String {
        let mut alias = String::new();
        self.push_alias(number, &mut alias);
        alias
    }

    /// TR-106 §3.6.1: what the device chooses begins with `cpe-`.
    pub(super) fn push_alias(&self, number: u32, text: &mut String) {
        text.push_str(&self.alias);
        if self.alias.is_empty() {
            text.push_str("cpe-");
            push_number(number.into(), text);
        }
    }

    /// Whether the ACS has chosen it.
    pub(super) fn is_named(&self) -> bool {
        !self.alias.is_empty()
    }
}

/// Rows that the ACS has added and that are not in use yet: table, key and number.
pub(super) fn added(view: &Instances) -> Vec<(TableId, Index, u32)> {
    let mut added = Vec::new();
    for (index, row) in view.rows(instance::TABLE).iter() {
        if row.column(instance::STATE.id()) != Some(&state(State::Added)) {
            continue;
        }
        let of = index.values(instance::TABLE.get()).ok();
        let [Some(Value::Octets(of)), Some(Value::Unsigned(number))] =
            of.map_or([None, None], |of| [of.first().cloned(), of.get(1).cloned()])
        else {
            continue;
        };
        let table = tables().find(|(id, _)| name(*id).as_bytes() == of.as_ref());
        let row = table.and_then(|(table, _)| {
            let index = read_key(table, &text(row, instance::ROW.id()))?;
            Some((table, index, number))
        });
        added.extend(row);
    }
    added
}

/// The table whose rows those of `table` come and go with.
pub(super) fn leader(table: TableId) -> TableId {
    let mut leader = table;
    while let RowLife::Follow(other) = leader.get().rows {
        leader = other;
    }
    leader
}

/// A state as a value.
pub(super) fn state(state: State) -> Value {
    Value::Integer(state.number())
}

/// What is kept of a table, in order of number.
fn kept(view: &Instances, table: TableId) -> Vec<(u32, &Row)> {
    let prefix = Index::text(&name(table));
    let rows = view.rows(instance::TABLE).after(Some(prefix.arcs()));
    let mine = rows.map_while(|(index, row)| {
        let number = index.arcs().strip_prefix(prefix.arcs())?;
        Some((*number.first()?, row))
    });
    mine.collect()
}

fn text(row: &Row, column: ColumnId) -> String {
    let octets = row.column(column).and_then(Value::as_octets);
    octets.map_or_else(String::new, |octets| {
        String::from_utf8_lossy(octets).into_owned()
    })
}

/// `SipEp.Gateway`.
fn name(table: TableId) -> String {
    let table = table.get();
    format!("{}.{}", table.service.get().name, table.short)
}

/// Only the device makes these rows, and their number says which.
fn goes_by_its_key(table: TableId) -> bool {
    matches!(table.get().rows, RowLife::Live | RowLife::Kept) && has_one_number(table)
}

fn has_one_number(table: TableId) -> bool {
    matches!(table.get().indexes, [only] if only.get().syntax.base != Base::Octets)
}

fn has_one_text(table: TableId) -> bool {
    matches!(table.get().indexes, [only] if only.get().syntax.base == Base::Octets)
}

/// A key as it is kept.
fn key(table: TableId, index: &Index) -> String {
    match has_one_text(table) && !index.arcs().is_empty() {
        true => index.name(),
        false => crate::schema::dotted(index.arcs()),
    }
}

fn read_key(table: TableId, key: &str) -> Option<Index> {
    if has_one_text(table) {
        return Some(Index::text(key));
    }
    let arcs: Result<Vec<u32>, _> = key.split('.').map(str::parse).collect();
    Some(Index::from_arcs(&arcs.ok()?))
}

/// Instances that one table may have.
const MOST: usize = 100_000;
