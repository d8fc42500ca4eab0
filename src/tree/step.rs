//! One commit on its way from the tip to the readers.
//!
//! Holds what becomes true and who wished it, and says it as the journal
//! keeps it: the rows before and after as octets. It does not write.

use super::actor::Actor;
use super::codec::{RowCodec, disk_name};
use super::refusal::Refusal;
use super::snapshot::Snapshot;
use super::store::{DeviceId, Record, RowChange, Who};
use super::watch::Command;
use crate::schema::{Index, TableId};
use std::sync::Arc;

/// One commit that was checked.
pub(super) struct Step {
    pub(super) next: Arc<Snapshot>,
    pub(super) rows: Vec<(TableId, Index)>,
    pub(super) commands: Vec<Command>,
    pub(super) actor: Actor,
    pub(super) at: u64,
}

impl Step {
    /// As the journal keeps it.
    pub(super) fn record(
        &self,
        device: DeviceId,
        before: &Snapshot,
        codec: &RowCodec,
    ) -> Result<Record, Refusal> {
        let encode = |snapshot: &Snapshot, table, index: &Index| {
            let row = snapshot.row(table, index);
            row.map(|row| codec.encode(table, index, row))
                .transpose()
                .map_err(Refusal::unavailable)
        };
        let rows: Result<Vec<RowChange>, Refusal> = self
            .rows
            .iter()
            .map(|(table, index)| {
                Ok(RowChange {
                    table: disk_name(*table).into(),
                    key: index.arcs().to_vec(),
                    before: encode(before, *table, index)?,
                    after: encode(&self.next, *table, index)?,
                })
            })
            .collect();
        Ok(Record {
            device,
            version: self.next.version(),
            at: self.at * 1_000_000,
            who: Who {
                face: self.actor.face.number(),
                user: self.actor.user.clone(),
                address: self.actor.address.clone(),
            },
            rows: rows?,
        })
    }
}
