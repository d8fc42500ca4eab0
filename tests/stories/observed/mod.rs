//! No dead settings: for each object that can be written, the test that
//! observes what it changes.
//!
//! `tests/stories/devices.rs` asks that something reads each object; here each
//! is named with a test that sets it and sees a packet, a status or an output
//! that differs. The lists hold the test functions themselves, so that one
//! that goes away does not compile.

mod clock;
mod cwmp;
mod log;
mod network;
mod others;
mod sip;
mod snmp;
mod stun;
mod tls;

use demarc::schema::{self, Column, ColumnId, Role};
use std::collections::BTreeSet;

/// A test, and the objects whose change it observes.
type Observation = (fn(), &'static [ColumnId]);

/// Names as managers know them, for whoever reads a failure.
fn names(columns: impl Iterator<Item = ColumnId>) -> Vec<String> {
    let name = |column: &Column| {
        let table = column.table.get();
        [column.service().name, table.short, column.short].join(".")
    };
    columns.map(|id| name(id.get())).collect()
}

#[test]
fn a_test_observes_every_object_that_can_be_written() {
    let observations = sip::SIP.iter().chain(others::OTHERS);
    let observed: BTreeSet<ColumnId> = observations.flat_map(|it| it.1).copied().collect();
    let writable: BTreeSet<ColumnId> = schema::columns()
        .filter(|(_, column)| column.writable)
        .map(|(id, column)| match column.role {
            Role::Alias(target) => target,
            _ => id,
        })
        .collect();
    let nobody = names(writable.difference(&observed).copied());
    assert!(nobody.is_empty(), "no test observes {nobody:?}");
    let read_only = names(observed.difference(&writable).copied());
    assert!(read_only.is_empty(), "nobody can write {read_only:?}");
}
