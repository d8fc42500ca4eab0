//! The device's whole configuration.
//!
//! Readers hold an immutable [`Snapshot`]; writers lay a [`Transaction`] over
//! it; engines subscribe by a [`View`] and publish what is with [`Live`]. A
//! commit is on disk before anyone sees it.

mod actor;
mod audit;
mod codec;
mod commit;
mod confirm;
mod device_tree;
mod guard;
mod instances;
mod journal;
mod live;
mod load;
pub mod messages;
pub mod notice;
mod operation;
mod order;
mod phase;
mod refusal;
mod row;
mod rows;
mod said;
pub mod seal;
mod snapshot;
mod snapshot_file;
mod source;
mod step;
pub mod store;
mod table;
mod txn;
mod view;
mod walk;
mod watch;

pub use actor::{Actor, Face, Rights};
pub use codec::RowError;
pub use commit::{Committed, Outcome};
pub use confirm::{PendingChange, Prober, ProofSink};
pub use device_tree::{Backing, Derive, OpenError, Tree};
pub use guard::Guard;
pub use instances::{Got, Instances};
pub use live::{IntoCell, Live, Probe, Publication};
pub use operation::{Answer, Argument, Invocation, Operation, OperationError, Sink};
pub use refusal::{Reason, Refusal, Subject};
pub use row::{Row, RowState};
pub use rows::Candidate;
pub use seal::{SealError, Sealer, device_key};
pub use snapshot::Snapshot;
pub use store::{
    DeviceId, Inspection, OnDamage, Store, StoreError, StoreEvent, StoreOptions, inspect,
};
pub use table::{Rows, RowsAfter};
pub use txn::{Creation, Transaction};
pub use view::{Change, Configured, RowView, Tracker, View, initial};
pub use walk::Walk;
pub use watch::{Command, Subscription};

pub use crate::schema::Value;
