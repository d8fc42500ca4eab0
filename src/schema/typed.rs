//! Columns with the type of what they hold, so that a view that reads one
//! wrongly does not compile.

use super::ColumnId;
use super::octets::Octets;
use super::value::Value;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;

/// A column whose kind is known to the compiler; `build.rs` makes the constants.
pub struct Typed<K> {
    id: ColumnId,
    kind: PhantomData<K>,
}

impl<K> Typed<K> {
    /// For generated code.
    pub const fn new(id: ColumnId) -> Self {
        Self {
            id,
            kind: PhantomData,
        }
    }

    /// The column's id.
    pub const fn id(&self) -> ColumnId {
        self.id
    }
}

impl<K> Clone for Typed<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Typed<K> {}

/// Kinds of columns that are no enumeration of their own.
pub mod kind {
    /// MxEnableState.
    pub enum Switch {}
    /// noOp and a verb.
    pub enum Command {}
    /// Sealed text.
    pub enum Secret {}
    /// INTEGER without labels.
    pub enum Integer {}
    /// Unsigned32, Gauge32.
    pub enum Unsigned {}
    /// Counter32.
    pub enum Counter32 {}
    /// Counter64.
    pub enum Counter64 {}
    /// TimeTicks.
    pub enum TimeTicks {}
    /// OCTET STRING.
    pub enum Octets {}
    /// OBJECT IDENTIFIER.
    pub enum Oid {}
    /// IpAddress.
    pub enum IpAddress {}
}

/// An enumeration that `build.rs` made of a column's labels.
pub trait Enumerated: Copy {
    /// The variant of a number.
    fn from_number(number: i32) -> Option<Self>;
    /// The number of a variant.
    fn number(self) -> i32;
}

/// What a view's field may be for a column of kind `K`.
///
/// The tree holds only values that passed their syntax; where a field's own
/// grammar is narrower, `from_cell` chooses the value that means "none".
pub trait FromCell<K>: Sized {
    /// The field's value for a cell; `None` is a cell that was never set.
    fn from_cell(cell: Option<&Value>) -> Self;
}

impl FromCell<kind::Switch> for bool {
    fn from_cell(cell: Option<&Value>) -> Self {
        matches!(cell, Some(Value::Integer(1)))
    }
}

impl FromCell<kind::Integer> for i32 {
    fn from_cell(cell: Option<&Value>) -> Self {
        match cell {
            Some(Value::Integer(number)) => *number,
            _ => 0,
        }
    }
}

impl FromCell<kind::Unsigned> for u32 {
    fn from_cell(cell: Option<&Value>) -> Self {
        match cell {
            Some(Value::Unsigned(number)) => *number,
            _ => 0,
        }
    }
}

impl FromCell<kind::Unsigned> for u16 {
    fn from_cell(cell: Option<&Value>) -> Self {
        Self::try_from(u32::from_cell(cell)).unwrap_or(Self::MAX)
    }
}

impl FromCell<kind::Octets> for String {
    fn from_cell(cell: Option<&Value>) -> Self {
        let octets = cell.and_then(Value::as_octets).unwrap_or_default();
        Self::from_utf8_lossy(octets).into_owned()
    }
}

impl FromCell<kind::Octets> for Arc<[u8]> {
    fn from_cell(cell: Option<&Value>) -> Self {
        match cell {
            Some(Value::Octets(octets)) => octets[..].into(),
            _ => Self::from([]),
        }
    }
}

impl FromCell<kind::Octets> for Option<IpAddr> {
    fn from_cell(cell: Option<&Value>) -> Self {
        String::from_cell(cell).parse().ok()
    }
}

impl<E: Enumerated> FromCell<E> for E {
    /// The first label where the cell holds none: only a row that was never
    /// given its default can lack it.
    fn from_cell(cell: Option<&Value>) -> Self {
        let number = match cell {
            Some(Value::Integer(number)) => Self::from_number(*number),
            _ => None,
        };
        number
            .or_else(|| (0..=i32::from(u16::MAX)).find_map(Self::from_number))
            .expect("build.rs makes no enumeration without labels")
    }
}

/// A secret in a view: readable by the engine, never by a formatter.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(Octets);

impl Secret {
    /// The plain octets.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether nothing is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl From<&[u8]> for Secret {
    fn from(octets: &[u8]) -> Self {
        Self(Octets::new(octets))
    }
}

impl FromCell<kind::Secret> for Secret {
    fn from_cell(cell: Option<&Value>) -> Self {
        match cell {
            Some(Value::Octets(octets)) => Self(octets.clone()),
            _ => Self::default(),
        }
    }
}
