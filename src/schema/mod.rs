//! Objects by name, by OID and next-after, made from `mib/` by `build.rs`.
//!
//! The MIB text is the only definition of a setting; these tables are that
//! text in another form. Scalars of a service are one table with one row, so
//! that nothing above needs to know the difference.

mod index;
mod name;
mod near;
mod octets;
mod syntax;
mod typed;
mod value;

pub use index::{Index, IndexError};
pub use name::{Name, NameError, Selection, row_name};
pub use octets::Octets;
pub use syntax::{Base, Default, Misfit, Syntax};
pub use typed::{Enumerated, FromCell, Secret, Typed, kind};
pub use value::{Value, ValueError, dotted};

include!(concat!(env!("OUT_DIR"), "/schema.rs"));

/// The device's build time, seconds since 1970: no clock below it is right.
pub const BUILD_DATE: &str = env!("DEMARC_BUILD_DATE");

/// A column or scalar; ids are in order of OID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnId(pub u16);

/// A table, or the scalars of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub u16);

/// A service of the device (`SipEp`, `Hoc`, ...).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceId(pub u8);

/// One leaf object of the MIB.
#[derive(Debug)]
pub struct Column {
    /// The descriptor, e.g. `transportConfigTlsEnable`.
    pub name: &'static str,
    /// The name within its table, e.g. `TlsEnable`.
    pub short: &'static str,
    /// The table it belongs to.
    pub table: TableId,
    /// Its OID without the index.
    pub oid: &'static [u32],
    /// The same as the content of an OBJECT IDENTIFIER in BER.
    pub encoded: &'static [u8],
    /// Whether MAX-ACCESS lets a manager write it.
    pub writable: bool,
    /// Where its value lives.
    pub role: Role,
    /// What it may hold.
    pub syntax: Syntax,
    /// Its DEFVAL.
    pub default: Option<Default>,
    /// Reads as "", sealed on disk, never logged.
    pub secret: bool,
    /// UNITS clause, or "".
    pub units: &'static str,
    /// DESCRIPTION clause on one line.
    pub description: &'static str,
}

impl Column {
    /// [`Value::parse`] for this column; the error of a secret does not repeat it.
    pub fn parse(&self, text: &str) -> Result<Value, ValueError> {
        let value = Value::parse(text, &self.syntax);
        match self.secret {
            true => value.map_err(|_| ValueError::OfSecret),
            false => value,
        }
    }
}

/// Where the value of a column lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Part of the row's key.
    Index,
    /// In the stored row, at this position.
    Stored(u8),
    /// noOp(0) and this verb: reaches an engine, is never stored.
    Command(i32),
    /// The row's own state (RFC 2579 RowStatus).
    RowStatus,
    /// Written text reaches an engine; reads as "", is never stored.
    Input,
    /// Another object under a standard's OID.
    Alias(ColumnId),
    /// Published by an engine at this position, never stored.
    Live(u8),
}

/// One table of the MIB, or the scalars of one service.
#[derive(Debug)]
pub struct Table {
    /// The entry's descriptor without `Entry`, e.g. `transportConfig`; "" for scalars.
    pub name: &'static str,
    /// The name in scripts, e.g. `TransportConfig`; "" for scalars.
    pub short: &'static str,
    /// Whose table it is.
    pub service: ServiceId,
    /// How rows come and go.
    pub rows: RowLife,
    /// The columns that make the key, in order; of another table for AUGMENTS.
    pub indexes: &'static [ColumnId],
    /// Its columns in order of OID.
    pub columns: &'static [ColumnId],
    /// DESCRIPTION clause of the entry.
    pub description: &'static str,
}

/// How the rows of a table come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowLife {
    /// One row, always there.
    Scalar,
    /// Made by assignment or RowStatus, deleted by command or RowStatus.
    Free,
    /// Made by the device and its profile only.
    Fixed,
    /// Published by an engine.
    Live,
    /// The device keeps them over restarts; managers only read them.
    Kept,
    /// With the rows of another table.
    Follow(TableId),
}

/// A service of the device.
#[derive(Debug)]
pub struct Service {
    /// Its prefix in names, e.g. `SipEp`.
    pub name: &'static str,
    /// Its number in the dictionary, 0 for standard modules.
    pub number: u32,
    /// What it is for.
    pub description: &'static str,
}

impl ColumnId {
    /// The column itself.
    pub fn get(self) -> &'static Column {
        &COLUMNS[usize::from(self.0)]
    }
}

impl TableId {
    /// The table itself.
    pub fn get(self) -> &'static Table {
        &TABLES[usize::from(self.0)]
    }

    /// Position in an array of one entry a table.
    pub fn at(self) -> usize {
        usize::from(self.0)
    }
}

impl ServiceId {
    /// The service itself.
    pub fn get(self) -> &'static Service {
        &SERVICES[usize::from(self.0)]
    }
}

impl Column {
    /// The service that owns the column.
    pub fn service(&self) -> &'static Service {
        self.table.get().service.get()
    }

    /// The default as a value, where the MIB gives one.
    pub fn default_value(&self) -> Option<Value> {
        match self.default? {
            Default::Integer(number) => self.syntax.number(number),
            Default::Octets(octets) => Some(Value::octets(octets)),
        }
    }
}

impl Table {
    /// How many stored cells a row has.
    pub fn stored_cells(&self) -> usize {
        self.count(|role| matches!(role, Role::Stored(_)))
    }

    /// How many published cells a row has.
    pub fn live_cells(&self) -> usize {
        self.count(|role| matches!(role, Role::Live(_)))
    }

    fn count(&self, wanted: impl Fn(Role) -> bool) -> usize {
        self.columns
            .iter()
            .filter(|id| wanted(id.get().role))
            .count()
    }

    /// Whether its rows are only published, never stored.
    pub fn is_live(&self) -> bool {
        self.rows == RowLife::Live
    }
}

/// Every column with its id, in order of OID.
pub fn columns() -> impl Iterator<Item = (ColumnId, &'static Column)> {
    (0..).map(ColumnId).zip(COLUMNS)
}

/// How many columns there are; ids run below it.
pub fn column_count() -> u16 {
    u16::try_from(COLUMNS.len()).unwrap_or(u16::MAX)
}

/// Every table with its id.
pub fn tables() -> impl Iterator<Item = (TableId, &'static Table)> {
    (0..).map(TableId).zip(TABLES)
}

/// Every service.
pub fn services() -> impl Iterator<Item = (ServiceId, &'static Service)> {
    (0..).map(ServiceId).zip(SERVICES)
}

/// The service of a name, whatever its case.
pub fn service(name: &str) -> Option<ServiceId> {
    services()
        .find(|(_, service)| service.name.eq_ignore_ascii_case(name))
        .map(|(id, _)| id)
}

/// The column whose OID is a prefix of `oid`, and the sub-identifiers after it.
pub fn column_at(oid: &[u32]) -> Option<(ColumnId, &[u32])> {
    column_before(first_column_after(oid), oid)
}

/// Position of the first column whose OID is greater than `oid`.
///
/// Most columns share their first dozen sub-identifiers, so that a search
/// does not compare again what both ends of what is left have in common.
pub fn first_column_after(oid: &[u32]) -> u16 {
    let (mut low, mut high) = (0, COLUMNS.len());
    let (mut common_low, mut common_high) = (0, 0);
    while low < high {
        let middle = low + (high - low) / 2;
        let column = COLUMNS[middle].oid;
        let mut common = std::cmp::min(common_low, common_high);
        while common < column.len() && oid.get(common) == Some(&column[common]) {
            common += 1;
        }
        if column.get(common) <= oid.get(common) {
            (low, common_low) = (middle + 1, common);
        } else {
            (high, common_high) = (middle, common);
        }
    }
    u16::try_from(low).unwrap_or(u16::MAX)
}

/// The column just before the position that [`first_column_after`] gave, if
/// `oid` stands below it, and the sub-identifiers after it.
pub fn column_before(position: u16, oid: &[u32]) -> Option<(ColumnId, &[u32])> {
    let candidate = position.checked_sub(1)?;
    let column = COLUMNS.get(usize::from(candidate))?;
    let rest = oid.strip_prefix(column.oid)?;
    Some((ColumnId(candidate), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_sorted_and_none_is_below_another() {
        for pair in COLUMNS.windows(2) {
            assert!(pair[0].oid < pair[1].oid, "{}", pair[1].name);
            assert!(!pair[1].oid.starts_with(pair[0].oid), "{}", pair[1].name);
        }
    }

    #[test]
    fn the_search_agrees_with_the_order_of_object_identifiers() {
        for (id, column) in columns() {
            let below = [column.oid, &[0]].concat();
            let before = &column.oid[..column.oid.len() - 1];
            for oid in [column.oid, &below, before, &[], &[9]] {
                let position = COLUMNS.partition_point(|known| known.oid <= oid);
                assert_eq!(usize::from(first_column_after(oid)), position, "{id:?}");
            }
        }
    }

    #[test]
    fn a_column_is_found_by_the_oid_of_its_instance() {
        let (id, column) = columns().next().expect("there are columns");
        let mut oid = column.oid.to_vec();
        oid.extend([7, 0]);
        assert_eq!(column_at(&oid), Some((id, &[7, 0][..])));
        assert_eq!(column_at(&[1, 3]), None);
    }

    #[test]
    fn every_default_fits_its_own_syntax() {
        let mut checked = 0;
        for column in COLUMNS {
            if let Some(value) = column.default_value() {
                assert_eq!(column.syntax.check(&value), Ok(()), "{}", column.name);
                checked += 1;
            } else {
                assert!(column.default.is_none(), "{}: DEFVAL lost", column.name);
            }
        }
        assert!(checked > 20);
    }
}
