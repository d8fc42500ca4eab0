//! A row as octets, as the journal and the tree on disk hold it.
//!
//! Only cells that differ from their default are written, under the column's
//! descriptor: a later firmware may move columns, change defaults or know
//! fewer, and still reads what an older one wrote. Secrets are sealed.
//!
//! ```text
//! row:  state 1 | cells
//! cell: name 1+n | tag 1 | length 4 | octets      (numbers little-endian)
//! ```

use super::row::{Row, RowState, initial_cell};
use super::seal::{SealError, Sealer};
use crate::schema::{self, Column, Index, Role, TableId, Value, dotted};
use std::sync::Arc;

/// Writes and reads the rows of one device.
pub(crate) struct RowCodec {
    /// None: secrets stay as they are, for octets that are sealed as a whole.
    sealer: Option<Arc<Sealer>>,
    device: u32,
}

/// Why stored octets are no row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The octets end too early or a tag is unknown.
    #[error("{0} cannot be read")]
    Malformed(String),
    /// A secret does not open with this device's key.
    #[error("the secret {0} was sealed with another device key")]
    Sealed(String),
}

/// What `decode` found.
pub(crate) struct Decoded {
    pub(crate) row: Row,
    /// Names of cells that this firmware does not know, or whose value it does not allow.
    pub(crate) dropped: Vec<String>,
}

impl RowCodec {
    pub(crate) fn new(sealer: Arc<Sealer>, device: u32) -> Self {
        let sealer = Some(sealer);
        Self { sealer, device }
    }

    /// For octets that will be sealed as a whole.
    pub(crate) fn clear() -> Self {
        Self {
            sealer: None,
            device: 0,
        }
    }

    pub(crate) fn encode(
        &self,
        table: TableId,
        index: &Index,
        row: &Row,
    ) -> Result<Vec<u8>, SealError> {
        let mut out = vec![state_octet(row.state)];
        for column in table.get().columns {
            let column = column.get();
            let Role::Stored(slot) = column.role else {
                continue;
            };
            let cell = row.cell(slot);
            if cell == initial_cell(column).as_ref() {
                continue;
            }
            let Some(value) = cell else {
                continue;
            };
            let (tag, mut octets) = plain(value);
            if let (Some(sealer), true) = (&self.sealer, column.secret) {
                octets = sealer.seal(&octets, &self.context(column, index))?;
            }
            put_cell(&mut out, column.name, tag, &octets);
        }
        Ok(out)
    }

    pub(crate) fn decode(
        &self,
        table: TableId,
        index: &Index,
        octets: &[u8],
    ) -> Result<Decoded, RowError> {
        let malformed = || RowError::Malformed(schema::row_name(table, index));
        let mut rest = octets;
        let state = take(&mut rest, 1).and_then(|octet| read_state(octet[0]));
        let mut row = Row::initial(table);
        row.state = state.ok_or_else(malformed)?;
        let mut dropped = Vec::new();
        while !rest.is_empty() {
            let (name, tag, octets) = take_cell(&mut rest).ok_or_else(malformed)?;
            let Some((slot, column)) = stored_column(table, name) else {
                dropped.push(name.to_owned());
                continue;
            };
            let opened;
            let mut octets = octets;
            if let (Some(sealer), true) = (&self.sealer, column.secret) {
                let context = self.context(column, index);
                opened = sealer
                    .open(octets, &context)
                    .map_err(|_| RowError::Sealed(column.name.to_owned()))?;
                octets = &opened;
            }
            let value = read_value(tag, octets).ok_or_else(malformed)?;
            // What is kept of a secret may be longer than what may be set.
            let fits = match column.secret {
                true => Ok(()),
                false => column.syntax.check(&value),
            };
            match fits {
                Ok(()) => row.set(slot, value),
                Err(_) => dropped.push(column.name.to_owned()),
            }
        }
        Ok(Decoded { row, dropped })
    }

    /// A sealed cell opens only where it was sealed.
    fn context(&self, column: &Column, index: &Index) -> Vec<u8> {
        format!("{}/{}/{}", self.device, column.name, dotted(index.arcs())).into_bytes()
    }
}

/// The table's name on disk: service and entry, e.g. `SipEp.transportConfig`.
pub(crate) fn disk_name(table: TableId) -> String {
    let table = table.get();
    format!("{}.{}", table.service.get().name, table.name)
}

/// The table of a name on disk.
pub(crate) fn table_named(name: &str) -> Option<TableId> {
    schema::tables()
        .map(|(id, _)| id)
        .find(|id| disk_name(*id) == name)
}

fn stored_column(table: TableId, name: &str) -> Option<(u8, &'static Column)> {
    let columns = table.get().columns.iter().map(|column| column.get());
    let mut named = columns.filter(|column| column.name == name);
    named.find_map(|column| match column.role {
        Role::Stored(slot) => Some((slot, column)),
        _ => None,
    })
}

fn state_octet(state: RowState) -> u8 {
    match state {
        RowState::Active => 1,
        RowState::NotInService => 2,
        RowState::NotReady => 3,
    }
}

fn read_state(octet: u8) -> Option<RowState> {
    [RowState::Active, RowState::NotInService, RowState::NotReady]
        .into_iter()
        .find(|state| state_octet(*state) == octet)
}

fn plain(value: &Value) -> (u8, Vec<u8>) {
    match value {
        Value::Integer(number) => (0, number.to_le_bytes().to_vec()),
        Value::Unsigned(number) => (1, number.to_le_bytes().to_vec()),
        Value::Counter32(number) => (2, number.to_le_bytes().to_vec()),
        Value::Counter64(number) => (3, number.to_le_bytes().to_vec()),
        Value::TimeTicks(number) => (4, number.to_le_bytes().to_vec()),
        Value::Octets(octets) => (5, octets.to_vec()),
        Value::Oid(arcs) => (6, arcs.iter().flat_map(|arc| arc.to_le_bytes()).collect()),
        Value::IpAddress(octets) => (7, octets.to_vec()),
    }
}

fn read_value(tag: u8, octets: &[u8]) -> Option<Value> {
    let word = || octets.try_into().map(u32::from_le_bytes).ok();
    Some(match tag {
        0 => Value::Integer(i32::from_le_bytes(octets.try_into().ok()?)),
        1 => Value::Unsigned(word()?),
        2 => Value::Counter32(word()?),
        3 => Value::Counter64(u64::from_le_bytes(octets.try_into().ok()?)),
        4 => Value::TimeTicks(word()?),
        5 => Value::octets(octets),
        6 => {
            let arcs = octets.chunks(4);
            let arcs: Option<Vec<u32>> = arcs
                .map(|arc| arc.try_into().map(u32::from_le_bytes).ok())
                .collect();
            Value::Oid(arcs?.into())
        }
        7 => Value::IpAddress(octets.try_into().ok()?),
        _ => return None,
    })
}

fn put_cell(out: &mut Vec<u8>, name: &str, tag: u8, octets: &[u8]) {
    // RFC 2578 §3.1 bounds descriptors at 64 letters, the schema values at 65 535 octets.
    out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(name.as_bytes());
    out.push(tag);
    out.extend_from_slice(
        &u32::try_from(octets.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    out.extend_from_slice(octets);
}

fn take_cell<'a>(rest: &mut &'a [u8]) -> Option<(&'a str, u8, &'a [u8])> {
    let length = usize::from(take(rest, 1)?[0]);
    let name = std::str::from_utf8(take(rest, length)?).ok()?;
    let tag = take(rest, 1)?[0];
    let length = u32::from_le_bytes(take(rest, 4)?.try_into().ok()?);
    Some((name, tag, take(rest, usize::try_from(length).ok()?)?))
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, tail) = rest.split_at_checked(count)?;
    *rest = tail;
    Some(taken)
}
