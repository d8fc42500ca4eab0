//! Who changed what: a bounded table of commits, newest last.
//!
//! Names only, never values: a secret must not reach a face by this door.

use super::actor::Actor;
use super::live::Publication;
use crate::schema::conf::{self, audit};
use crate::schema::{Index, TableId, row_name};
use crate::wire::time::UnixTime;
use std::collections::VecDeque;

/// The commits that the audit table still shows.
#[derive(Default)]
pub(crate) struct Audit {
    shown: VecDeque<u32>,
    last: u32,
}

/// Commits kept in the audit table.
pub(crate) const KEPT: usize = 256;
/// Longest list of objects that one entry shows, in octets.
const LONGEST_LIST: usize = 1000;

impl Audit {
    /// Adds a commit; `at` in seconds since 1970, 0 unknown.
    pub(crate) fn add(
        &mut self,
        publication: &mut Publication<'_>,
        actor: &Actor,
        version: u64,
        at: u64,
        rows: &[(TableId, Index)],
    ) {
        self.last = self.last.wrapping_add(1);
        let index = Index::number(self.last);
        let time = match at {
            0 => String::new(),
            seconds => UnixTime::from_secs(seconds).to_string(),
        };
        publication.set(audit::TIME, &index, &time);
        publication.set(audit::FACE, &index, actor.face.word());
        publication.set(audit::USER, &index, &actor.user);
        publication.set(audit::ADDRESS, &index, &actor.address);
        publication.set(audit::VERSION, &index, version.to_string());
        publication.set(audit::OBJECTS, &index, listed(rows));
        publication.scalar(conf::LAST_COMMIT, format!("{time} {actor}").trim_start());
        self.shown.push_back(self.last);
        if self.shown.len() > KEPT
            && let Some(oldest) = self.shown.pop_front()
        {
            publication.remove(audit::TABLE, &Index::number(oldest));
        }
    }
}

pub(crate) fn listed(rows: &[(TableId, Index)]) -> String {
    let mut out = String::new();
    for (at, (table, index)) in rows.iter().enumerate() {
        let name = row_name(*table, index);
        if out.len() + name.len() > LONGEST_LIST {
            out.push_str(&format!(" and {} more", rows.len() - at));
            break;
        }
        if at > 0 {
            out.push_str(", ");
        }
        out.push_str(&name);
    }
    out
}
