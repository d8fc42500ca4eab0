//! The local log, read out of its table.
//!
//! For `io`, which knows when there is more to read; nothing here waits.

use super::answer::LogLine;
use crate::schema::nlm::local_log_messages as table;
use crate::schema::{Index, Name, Typed};
use crate::tree::{Instances, Value};

/// A reader's place in the local log.
#[derive(Clone, Copy, Debug)]
pub struct Follow {
    last: u32,
}

/// Entries in one answer.
const BATCH: usize = 200;

impl Follow {
    /// Starts after the entry with this index.
    pub fn after(last: u32) -> Self {
        Self { last }
    }

    /// The next entries, oldest first; none when it has caught up.
    pub fn read(&mut self, tree: &Instances) -> Vec<LogLine> {
        let mut lines = Vec::new();
        while lines.len() < BATCH {
            let place = [self.last];
            let next = tree.next_in(table::MESSAGE.id(), Some(&place));
            let Some((index, message)) = next else {
                break;
            };
            self.last = index.arcs().first().copied().unwrap_or(u32::MAX);
            lines.push(line(tree, index, &message));
        }
        lines
    }
}

fn line(tree: &Instances, index: &Index, message: &Value) -> LogLine {
    let service = cell(tree, table::SERVICE_NUMKEY, index);
    let id = cell(tree, table::NOTIFICATION_ID, index);
    LogLine {
        index: index.arcs().first().copied().unwrap_or_default(),
        time: cell(tree, table::LOCAL_TIME, index),
        severity: cell(tree, table::SEVERITY, index),
        service: cell(tree, table::SERVICE_TEXTKEY, index),
        id: format!("{service}.{id}"),
        message: message.display(&table::MESSAGE.id().get().syntax),
    }
}

fn cell<K>(tree: &Instances, column: Typed<K>, index: &Index) -> String {
    let column = column.id();
    let name = Name {
        column,
        index: index.clone(),
    };
    let value = tree.read(&name);
    value.map_or_else(String::new, |value| value.display(&column.get().syntax))
}
