//! The rows of one table.
//!
//! In OID order of their keys; a copy costs nothing, and a change to it costs
//! what it changes. Nothing here knows columns: cells go by their slots.

mod changes;
mod node;

use super::row::Row;
use crate::schema::{Index, Value};
use changes::Changes;
use node::{Child, Entry, From, Node};
use std::hint::black_box;

/// The rows of one table.
#[derive(Clone, Default)]
pub struct Rows {
    root: Node,
    len: usize,
    /// How many rows hold a value, for each cell: a column that no row has costs no scan.
    filled: Vec<u32>,
}

/// Rows in OID order of their keys, from somewhere on.
#[derive(Clone)]
pub struct RowsAfter<'a> {
    root: &'a Node,
    /// The rest of a leaf.
    leaf: &'a [Entry],
    /// Some of the leaves that follow it.
    leaves: &'a [Child],
}

impl Rows {
    /// Whether they are the very same: nobody has changed them since.
    pub fn is(&self, other: &Self) -> bool {
        self.root.is(&other.root)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The row of a key.
    pub fn get(&self, index: &Index) -> Option<&Row> {
        self.entry(index.arcs()).map(|(_, row)| row)
    }

    /// The row of a key with the key as it is kept.
    pub(super) fn entry(&self, arcs: &[u32]) -> Option<(&Index, &Row)> {
        let (index, row) = self.root.get(arcs)?;
        Some((index, row))
    }

    /// All rows in OID order of their keys.
    pub fn iter(&self) -> RowsAfter<'_> {
        self.rows(From::First)
    }

    /// Rows from the first key greater than `arcs`, or from the first of all.
    pub fn after(&self, arcs: Option<&[u32]>) -> RowsAfter<'_> {
        self.rows(arcs.map_or(From::First, From::After))
    }

    /// Rows from this key on.
    pub(super) fn from(&self, index: &Index) -> RowsAfter<'_> {
        self.rows(From::At(index.arcs()))
    }

    fn rows(&self, from: From<'_>) -> RowsAfter<'_> {
        let (leaf, leaves) = self.root.rows_from(from);
        RowsAfter {
            root: &self.root,
            leaf,
            leaves,
        }
    }

    /// Whether any row holds a value in this cell.
    pub fn has_any(&self, slot: u8) -> bool {
        self.filled
            .get(usize::from(slot))
            .is_some_and(|count| *count > 0)
    }

    /// What is not as it was, in order of keys.
    pub(super) fn changes<'a>(&'a self, now: &'a Self) -> Changes<'a> {
        Changes::between(&self.root, &now.root)
    }

    pub(crate) fn put(&mut self, index: Index, row: Row) {
        if self.filled.len() < row.cells.len() {
            self.filled.resize(row.cells.len(), 0);
        }
        count(&mut self.filled, &row, |filled| filled + 1);
        match self.root.put(index, row) {
            Some(old) => count(&mut self.filled, &old, |filled| filled - 1),
            None => self.len += 1,
        }
    }

    /// Changes a row where it stands and answers whether it is there.
    pub(crate) fn edit(&mut self, index: &Index, edit: impl FnOnce(&mut Row)) -> bool {
        let Some(row) = self.root.get_mut(index.arcs()) else {
            return false;
        };
        count(&mut self.filled, row, |filled| filled - 1);
        edit(row);
        count(&mut self.filled, row, |filled| filled + 1);
        true
    }

    pub(crate) fn take(&mut self, index: &Index) -> Option<Row> {
        let old = self.root.take(index.arcs())?;
        count(&mut self.filled, &old, |filled| filled - 1);
        self.len -= 1;
        Some(old)
    }
}

impl<'a> RowsAfter<'a> {
    /// Reads a cell of the next `many` rows of this leaf, so that the processor
    /// waits for all of them together; answers how many there were.
    pub(super) fn touch(&self, many: usize, slot: u8) -> usize {
        let near = &self.leaf[..many.min(self.leaf.len())];
        let cells = near.iter().map(|(_, row)| row.cell(slot));
        black_box(cells.filter(Option::is_some).count());
        for (_, row) in near {
            if let Some(Value::Octets(octets)) = row.cell(slot) {
                black_box((octets.first(), octets.last()));
            }
        }
        near.len()
    }
}

impl<'a> Iterator for RowsAfter<'a> {
    type Item = (&'a Index, &'a Row);

    fn next(&mut self) -> Option<Self::Item> {
        let ((index, row), rest) = self.leaf.split_first()?;
        self.leaf = rest;
        if rest.is_empty() {
            (self.leaf, self.leaves) = match self.leaves {
                [(_, leaf), leaves @ ..] => (leaf.rows(), leaves),
                [] => self.root.rows_from(From::After(index.arcs())),
            };
        }
        Some((index, row))
    }
}

fn count(filled: &mut [u32], row: &Row, count: impl Fn(u32) -> u32) {
    for (filled, cell) in filled.iter_mut().zip(row.cells.iter()) {
        if cell.is_some() {
            *filled = count(*filled);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::hoc;
    use std::collections::BTreeMap;

    #[test]
    fn the_count_of_filled_cells_follows_every_change() {
        let mut rows = Rows::default();
        let full = Row::initial(hoc::static_hosts::TABLE);
        let mut hollow = full.clone();
        hollow.cells = [None, full.cells[1].clone()].into();
        rows.put(Index::number(1), full);
        assert!(rows.has_any(0));
        rows.put(Index::number(1), hollow);
        assert!(!rows.has_any(0) && rows.has_any(1));
        assert!(rows.edit(&Index::number(1), |row| row.set(0, Value::from("x"))));
        assert!(rows.has_any(0));
        rows.take(&Index::number(1));
        assert!(!rows.has_any(0) && !rows.has_any(1));
        assert!(!rows.edit(&Index::number(1), |_| ()));
    }

    /// Numbers that look like none in particular, the same each time.
    fn numbers(below: u32) -> impl FnMut() -> u32 {
        let mut state = 7_u64;
        move || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as u32 % below
        }
    }

    fn row(number: u32) -> Row {
        let mut row = Row::hollow(1);
        row.set(0, Value::Unsigned(number));
        row
    }

    /// Rows beside a map of the standard library that was changed in the same way.
    struct Pair {
        rows: Rows,
        judge: BTreeMap<Index, Row>,
        number: Box<dyn FnMut() -> u32>,
    }

    impl Pair {
        fn change(&mut self, keys: u32) {
            let (what, key, value) = ((self.number)(), (self.number)() % keys, (self.number)());
            // Keys of one number and of two.
            let index = match key % 3 {
                0 => Index::from_arcs(&[key / 3, key % 7]),
                _ => Index::number(key),
            };
            match what % 4 {
                0 => assert_eq!(self.rows.take(&index), self.judge.remove(&index)),
                1 => {
                    let found = self.rows.edit(&index, |now| *now = row(value));
                    let judged = self.judge.get_mut(&index).map(|now| *now = row(value));
                    assert_eq!(found, judged.is_some());
                }
                _ => {
                    self.rows.put(index.clone(), row(value));
                    self.judge.insert(index, row(value));
                }
            }
        }

        fn compare(&self) {
            assert_eq!(self.rows.len(), self.judge.len());
            assert!(self.rows.iter().eq(self.judge.iter()));
            for (index, row) in &self.judge {
                assert_eq!(self.rows.get(index), Some(row));
                let mut behind = self.judge.range::<Index, _>(index..).skip(1);
                assert_eq!(
                    self.rows.after(Some(index.arcs())).next(),
                    behind.clone().next(),
                );
                assert_eq!(self.rows.from(index).next(), Some((index, row)));
                let between = [index.arcs(), &[0, 0]].concat();
                let first = behind.find(|(key, _)| key.arcs() >= &between[..]);
                assert_eq!(self.rows.from(&Index::from_arcs(&between)).next(), first);
            }
        }
    }

    #[test]
    fn any_changes_leave_what_they_would_leave_in_a_plain_map() {
        let mut pair = Pair {
            rows: Rows::default(),
            judge: BTreeMap::new(),
            number: Box::new(numbers(u32::MAX)),
        };
        for keys in [10, 12_000, 60] {
            (0..20_000).for_each(|_| pair.change(keys));
            pair.compare();
        }
        while let Some((index, _)) = pair.judge.pop_first() {
            assert!(pair.rows.take(&index).is_some());
        }
        assert!(pair.rows.is_empty() && pair.rows.iter().next().is_none());
    }

    #[test]
    fn rows_added_in_order_fill_their_leaves_and_go_in_any_order() {
        let mut rows = Rows::default();
        (0..10_000).for_each(|number| rows.put(Index::number(number), row(number)));
        assert_eq!(rows.iter().leaf.len(), 64);
        assert!(rows.iter().map(|(index, _)| index.arcs()[0]).eq(0..10_000));
        let mut other_way = rows.clone();
        for number in 0..10_000 {
            assert!(rows.take(&Index::number(number)).is_some());
            assert!(other_way.take(&Index::number(9_999 - number)).is_some());
            let first = rows.iter().next().map(|(index, _)| index.clone());
            assert_eq!(first, (number < 9_999).then(|| Index::number(number + 1)));
        }
        assert!(other_way.is_empty() && other_way.iter().next().is_none());
        rows.put(Index::number(1), row(1));
        assert_eq!(rows.iter().count(), 1);
    }

    #[test]
    fn changes_are_those_that_comparing_every_row_finds() {
        let mut pair = Pair {
            rows: Rows::default(),
            judge: BTreeMap::new(),
            number: Box::new(numbers(u32::MAX)),
        };
        let (mut was, mut judged) = (pair.rows.clone(), pair.judge.clone());
        for many in [1, 5_000, 3, 40, 1_000, 0] {
            (0..many).for_each(|_| pair.change(9_000));
            let mut expected: BTreeMap<&Index, (Option<&Row>, Option<&Row>)> = BTreeMap::new();
            for (index, row) in &judged {
                expected.entry(index).or_default().0 = Some(row);
            }
            for (index, row) in &pair.judge {
                expected.entry(index).or_default().1 = Some(row);
            }
            expected.retain(|_, (was, is)| was != is);
            let found = was.changes(&pair.rows);
            assert!(
                found
                    .map(|(index, was, is)| (index, (was, is)))
                    .eq(expected)
            );
            (was, judged) = (pair.rows.clone(), pair.judge.clone());
        }
    }
}
