//! Who is told after a commit.
//!
//! Level-triggered: a subscriber is woken, then compares what it saw with
//! what there is. A slow one skips versions, never blocks a writer, and never
//! misses the last state. Commands are facts, so they queue.

use super::actor::Actor;
use crate::schema::{ColumnId, Index, TableId, Value};
use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// A verb that an actor set on a command column, or text on an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command column.
    pub column: ColumnId,
    /// The row.
    pub row: Index,
    /// The verb's number or the text.
    pub argument: Value,
    /// Who wants it.
    pub actor: Actor,
}

/// A subscriber's end: dropped, it is forgotten.
pub struct Subscription {
    shared: Arc<Subscriber>,
}

pub(crate) struct Subscriber {
    tables: BTreeSet<TableId>,
    commands: Mutex<VecDeque<Command>>,
    wake: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
pub(crate) struct Subscribers {
    all: Mutex<Vec<Weak<Subscriber>>>,
}

/// Commands that a subscriber has not fetched; beyond it the oldest go.
const COMMAND_QUEUE: usize = 1024;

impl Subscription {
    /// The commands since the last call.
    pub fn commands(&self) -> Vec<Command> {
        let mut queue = self
            .shared
            .commands
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        queue.drain(..).collect()
    }
}

impl Subscribers {
    pub(crate) fn add(
        &self,
        tables: impl IntoIterator<Item = TableId>,
        wake: Box<dyn Fn() + Send + Sync>,
    ) -> Subscription {
        let shared = Arc::new(Subscriber {
            tables: tables.into_iter().collect(),
            commands: Mutex::default(),
            wake,
        });
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|subscriber| subscriber.strong_count() > 0);
        all.push(Arc::downgrade(&shared));
        Subscription { shared }
    }

    /// Tells those who watch a changed table or own a command's table.
    pub(crate) fn tell(&self, changed: &BTreeSet<TableId>, commands: &[Command]) {
        let all = self
            .all
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for subscriber in all.iter().filter_map(Weak::upgrade) {
            let mine = |table: &TableId| subscriber.tables.contains(table);
            let told = commands
                .iter()
                .filter(|command| mine(&command.column.get().table));
            let told: Vec<Command> = told.cloned().collect();
            if told.is_empty() && !changed.iter().any(mine) {
                continue;
            }
            subscriber.queue(told);
            (subscriber.wake)();
        }
    }
}

impl Subscriber {
    fn queue(&self, commands: Vec<Command>) {
        let mut queue = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        queue.extend(commands);
        while queue.len() > COMMAND_QUEUE {
            queue.pop_front();
        }
    }
}

/// The tables whose rows differ between two versions.
pub(crate) fn changed_tables(rows: &[(TableId, Index)]) -> BTreeSet<TableId> {
    rows.iter().map(|(table, _)| *table).collect()
}
