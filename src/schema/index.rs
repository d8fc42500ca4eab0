//! Keys that sort as OIDs do.
//!
//! A row's key is the sub-identifiers that stand behind a column's OID in an
//! instance, so that GETNEXT is the map's next key. Strings carry their
//! length in front (RFC 2578 §7.7): "b" sorts before "aa".

use super::syntax::Base;
use super::value::Value;
use super::{RowLife, Table};
use smallvec::SmallVec;
use std::borrow::Borrow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The key of a row; a copy costs no allocation.
#[derive(Clone)]
pub struct Index(Kept);

#[derive(Clone)]
enum Kept {
    Here { count: u8, arcs: [u32; FEW] },
    Shared(Arc<[u32]>),
}

/// Why values or sub-identifiers are no key of a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Too few or too many index values or sub-identifiers.
    #[error("wrong number of index values")]
    Count,
    /// A sub-identifier that its index column cannot hold.
    #[error("index {0} cannot hold this value")]
    Value(&'static str),
}

impl Index {
    /// The key of the one row of a service's scalars.
    pub fn scalar() -> Self {
        Self::number(0)
    }

    /// A key of raw sub-identifiers; use [`Index::read`] for what comes from outside.
    pub fn from_arcs(arcs: &[u32]) -> Self {
        let mut here = [0; FEW];
        let room = here.get_mut(..arcs.len());
        Self(match (room, u8::try_from(arcs.len())) {
            (Some(room), Ok(count)) => {
                room.copy_from_slice(arcs);
                Kept::Here { count, arcs: here }
            }
            _ => Kept::Shared(arcs.into()),
        })
    }

    /// The key of a row whose one index is a string.
    pub fn text(name: &str) -> Self {
        let mut arcs = Arcs::new();
        push_octets(&mut arcs, name.as_bytes());
        Self::from_arcs(&arcs)
    }

    /// The key of a row whose one index is a number.
    pub fn number(number: u32) -> Self {
        Self::from_arcs(&[number])
    }

    /// Its sub-identifiers.
    pub fn arcs(&self) -> &[u32] {
        match &self.0 {
            Kept::Here { count, arcs } => &arcs[..usize::from(*count)],
            Kept::Shared(arcs) => arcs,
        }
    }

    /// The key of these index values, each fitting its column.
    pub fn of(table: &Table, values: &[Value]) -> Result<Self, IndexError> {
        if values.len() != table.indexes.len() {
            return Err(IndexError::Count);
        }
        let mut arcs = Arcs::new();
        for (column, value) in table.indexes.iter().zip(values) {
            let column = column.get();
            let misfit = IndexError::Value(column.short);
            column.syntax.check(value).map_err(|_| misfit.clone())?;
            match value {
                Value::Unsigned(number) => arcs.push(*number),
                Value::Integer(number) => arcs.push(u32::try_from(*number).map_err(|_| misfit)?),
                Value::Octets(octets) => push_octets(&mut arcs, octets),
                _ => return Err(misfit),
            }
        }
        Ok(Self::from_arcs(&arcs))
    }

    /// A key that came from outside, checked against the index columns.
    pub fn read(table: &Table, arcs: &[u32]) -> Result<Self, IndexError> {
        if table.rows == RowLife::Scalar {
            return (arcs == [0]).then(Self::scalar).ok_or(IndexError::Count);
        }
        let index = Self::from_arcs(arcs);
        let values = index.values(table)?;
        for (column, value) in table.indexes.iter().zip(&values) {
            let column = column.get();
            let fits = column.syntax.check(value);
            fits.map_err(|_| IndexError::Value(column.short))?;
        }
        Ok(index)
    }

    /// The index values in the key, one for each index column of `table`.
    pub fn values(&self, table: &Table) -> Result<Vec<Value>, IndexError> {
        let mut rest = self.arcs();
        let mut values = Vec::with_capacity(table.indexes.len());
        for column in table.indexes {
            let column = column.get();
            let (first, tail) = rest.split_first().ok_or(IndexError::Count)?;
            let misfit = || IndexError::Value(column.short);
            rest = tail;
            values.push(match column.syntax.base {
                Base::Unsigned => Value::Unsigned(*first),
                Base::Integer => Value::Integer(i32::try_from(*first).map_err(|_| misfit())?),
                Base::Octets => {
                    let length = usize::try_from(*first).map_err(|_| misfit())?;
                    let (text, tail) = rest.split_at_checked(length).ok_or(IndexError::Count)?;
                    rest = tail;
                    let octets: Result<Vec<u8>, _> =
                        text.iter().map(|arc| u8::try_from(*arc)).collect();
                    Value::octets(octets.map_err(|_| misfit())?)
                }
                _ => return Err(misfit()),
            });
        }
        rest.is_empty().then_some(values).ok_or(IndexError::Count)
    }

    /// The first index as text, for tables that are indexed by one name.
    pub fn name(&self) -> String {
        let octets = self.arcs().iter().skip(1);
        let octets: Vec<u8> = octets.filter_map(|arc| u8::try_from(*arc).ok()).collect();
        String::from_utf8_lossy(&octets).into_owned()
    }
}

impl Borrow<[u32]> for Index {
    /// Keys compare as their sub-identifiers do, so that a search needs no copy.
    fn borrow(&self) -> &[u32] {
        self.arcs()
    }
}

impl PartialEq for Index {
    fn eq(&self, other: &Self) -> bool {
        self.arcs() == other.arcs()
    }
}

impl Eq for Index {}

impl PartialOrd for Index {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Index {
    fn cmp(&self, other: &Self) -> Ordering {
        self.arcs().cmp(other.arcs())
    }
}

impl Hash for Index {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.arcs().hash(state);
    }
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&super::value::dotted(self.arcs()))
    }
}

/// A key in the making.
type Arcs = SmallVec<[u32; 32]>;

fn push_octets(arcs: &mut Arcs, octets: &[u8]) {
    arcs.push(u32::try_from(octets.len()).unwrap_or(u32::MAX));
    arcs.extend(octets.iter().map(|octet| u32::from(*octet)));
}

/// As many as fit in little more than a pointer to more would take.
const FEW: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shorter_name_sorts_before_a_longer_one() {
        assert!(Index::text("b") < Index::text("aa"));
        assert!(Index::text("") < Index::text("a"));
        assert!(Index::number(2) < Index::number(10));
        assert_eq!(Index::text("default").name(), "default");
    }

    #[test]
    fn a_key_reads_back_however_long_it_is() {
        for count in [0, 1, FEW, FEW + 1, 128] {
            let arcs: Vec<u32> = (0..).take(count).collect();
            let index = Index::from_arcs(&arcs);
            assert_eq!(index.arcs(), arcs);
            assert_eq!(index, index.clone());
        }
        assert_eq!(size_of::<Index>(), 24);
    }
}
