//! The rows of a device from the store to its first snapshot.
//!
//! What this firmware does not know is left out and named; what an older one
//! did not know yet gets its defaults.

use super::codec::{RowCodec, table_named};
use super::device_tree::OpenError;
use super::row::Row;
use super::rows::followers;
use super::snapshot::Snapshot;
use super::store::{DeviceId, Store};
use crate::schema::{self, Index, RowLife, TableId};
use std::collections::BTreeMap;

/// The snapshot, and the names of what was left out.
pub(super) fn load(
    store: &Store,
    device: DeviceId,
    codec: &RowCodec,
) -> Result<(Snapshot, Vec<String>), OpenError> {
    let stored = store.load(device)?;
    let mut snapshot = Snapshot::factory();
    let mut dropped = Vec::new();
    let mut known: BTreeMap<&str, Option<TableId>> = BTreeMap::new();
    for row in &stored.rows {
        let table = *known
            .entry(&row.table)
            .or_insert_with(|| table_named(&row.table));
        let index = table.and_then(|table| Index::read(table.get(), &row.key).ok());
        let (Some(table), Some(index)) = (table, index) else {
            dropped.push(format!("{}[{}]", row.table, schema::dotted(&row.key)));
            continue;
        };
        let decoded = codec.decode(table, &index, &row.value)?;
        dropped.extend(decoded.dropped);
        snapshot.rows_mut(table).put(index, decoded.row);
    }
    complete_followers(&mut snapshot);
    snapshot.set_version(stored.version);
    Ok((snapshot, dropped))
}

/// Tables that a newer firmware added get their rows.
fn complete_followers(snapshot: &mut Snapshot) {
    let mut open: Vec<TableId> = schema::tables()
        .filter(|(_, table)| !matches!(table.rows, RowLife::Follow(_) | RowLife::Live))
        .map(|(id, _)| id)
        .collect();
    while let Some(leader) = open.pop() {
        let keys: Vec<Index> = snapshot
            .rows(leader)
            .iter()
            .map(|(index, _)| index.clone())
            .collect();
        for follower in followers(leader) {
            for index in &keys {
                if snapshot.row(follower, index).is_none() {
                    let row = Row::initial(follower);
                    snapshot.rows_mut(follower).put(index.clone(), row);
                }
            }
            open.push(follower);
        }
    }
}
