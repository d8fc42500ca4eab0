//! The persistent tree that holds the rows of a table.
//!
//! A leaf is one piece of memory with its rows in order of their keys, an
//! inner node one with its children: few pieces lie on the way to a row, and
//! neighbours lie side by side. A change copies the nodes on its way that an
//! older version holds too. Leaves are not merged when rows go: they are as
//! large as what is left in them, and an empty one is taken out.

use super::super::row::Row;
use crate::schema::Index;
use std::sync::Arc;

/// A row under its key.
pub(in crate::tree) type Entry = (Index, Row);

/// A part of the tree with the bound of its keys.
pub(super) type Child = (Index, Node);

/// A part of the tree.
#[derive(Clone)]
pub(super) enum Node {
    Leaf(Arc<[Entry]>),
    /// Children, each with a bound: its keys are not below it, and those of
    /// the child before are. The bound of the first child bounds nothing.
    Inner(Arc<[Child]>),
}

/// Where to begin among the rows.
#[derive(Clone, Copy)]
pub(super) enum From<'a> {
    /// At the first row.
    First,
    /// At the first row whose key is not below.
    At(&'a [u32]),
    /// At the first row whose key is above.
    After(&'a [u32]),
}

impl Default for Node {
    fn default() -> Self {
        Self::Leaf(Arc::default())
    }
}

impl Node {
    /// Whether it is the very same node.
    pub(super) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(one), Self::Leaf(other)) => Arc::ptr_eq(one, other),
            (Self::Inner(one), Self::Inner(other)) => Arc::ptr_eq(one, other),
            (Self::Leaf(_), Self::Inner(_)) | (Self::Inner(_), Self::Leaf(_)) => false,
        }
    }

    /// The row of a key.
    pub(super) fn get(&self, key: &[u32]) -> Option<&Entry> {
        match self {
            Self::Leaf(rows) => rows.get(position(rows, key).ok()?),
            Self::Inner(children) => children[child(children, key)].1.get(key),
        }
    }

    /// The rest of the leaf that holds the first row from there on, empty where there is none,
    /// and the leaves that follow it below the same node.
    pub(super) fn rows_from(&self, from: From<'_>) -> (&[Entry], &[Child]) {
        match self {
            Self::Leaf(rows) => (&rows[from.position(rows)..], &[]),
            Self::Inner(children) => {
                let at = from.child(children);
                let behind = &children[at + 1..];
                match (children[at].1.rows_from(from), behind) {
                    (([], _), [(_, Self::Leaf(rows)), behind @ ..]) => (rows, behind),
                    (([], _), [(_, inner), ..]) => inner.rows_from(From::First),
                    ((rows, []), _) if matches!(children[at].1, Self::Leaf(_)) => (rows, behind),
                    (below, _) => below,
                }
            }
        }
    }

    /// The rows of a leaf.
    pub(super) fn rows(&self) -> &[Entry] {
        match self {
            Self::Leaf(rows) => rows,
            Self::Inner(_) => &[],
        }
    }

    /// The row of a key, to change it.
    pub(super) fn get_mut(&mut self, key: &[u32]) -> Option<&mut Row> {
        match self {
            Self::Leaf(rows) => {
                let at = position(rows, key).ok()?;
                Some(&mut Arc::make_mut(rows)[at].1)
            }
            Self::Inner(children) => {
                let at = child(children, key);
                Arc::make_mut(children)[at].1.get_mut(key)
            }
        }
    }

    /// Puts a row in the place of the one that has its key, or among the others.
    pub(super) fn put(&mut self, key: Index, row: Row) -> Option<Row> {
        let (old, split) = self.put_below(key, row);
        if let Some(right) = split {
            let left = (Index::from_arcs(&[]), std::mem::take(self));
            *self = Self::Inner([left, right].into());
        }
        old
    }

    /// As [`Node::put`]; where it grew too large, its second half with its bound.
    fn put_below(&mut self, key: Index, row: Row) -> (Option<Row>, Option<(Index, Self)>) {
        match self {
            Self::Leaf(rows) => match position(rows, key.arcs()) {
                Ok(at) => {
                    let old = std::mem::replace(&mut Arc::make_mut(rows)[at].1, row);
                    (Some(old), None)
                }
                Err(at) => {
                    let right = insert(rows, at, (key, row));
                    let right = right.map(|right| (right[0].0.clone(), Self::Leaf(right)));
                    (None, right)
                }
            },
            Self::Inner(children) => {
                let at = child(children, key.arcs());
                let (old, split) = Arc::make_mut(children)[at].1.put_below(key, row);
                let right = split.and_then(|right| insert(children, at + 1, right));
                (
                    old,
                    right.map(|right| (right[0].0.clone(), Self::Inner(right))),
                )
            }
        }
    }

    /// Takes a row out.
    pub(super) fn take(&mut self, key: &[u32]) -> Option<Row> {
        match self {
            Self::Leaf(rows) => {
                let at = position(rows, key).ok()?;
                let old = rows[at].1.clone();
                *rows = without(rows, at);
                Some(old)
            }
            Self::Inner(children) => {
                let at = child(children, key);
                let old = Arc::make_mut(children)[at].1.take(key)?;
                if children[at].1.is_empty() {
                    *children = without(children, at);
                }
                match &**children {
                    [] => *self = Self::default(),
                    [(_, only)] => *self = only.clone(),
                    _ => {}
                }
                Some(old)
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Leaf(rows) => rows.is_empty(),
            Self::Inner(children) => children.is_empty(),
        }
    }

    /// Whether both are the same piece of memory, so that nothing differs below.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Leaf(one), Self::Leaf(other)) => Arc::ptr_eq(one, other),
            (Self::Inner(one), Self::Inner(other)) => Arc::ptr_eq(one, other),
            (Self::Leaf(_), Self::Inner(_)) | (Self::Inner(_), Self::Leaf(_)) => false,
        }
    }
}

impl From<'_> {
    fn position(self, rows: &[Entry]) -> usize {
        match self {
            Self::First => 0,
            Self::At(key) => search(rows, |own| own.arcs() < key),
            Self::After(key) => search(rows, |own| own.arcs() <= key),
        }
    }

    fn child(self, children: &[Child]) -> usize {
        match self {
            Self::First => 0,
            Self::At(key) | Self::After(key) => child(children, key),
        }
    }
}

fn position(rows: &[Entry], key: &[u32]) -> Result<usize, usize> {
    let at = search(rows, |own| own.arcs() < key);
    match rows.get(at) {
        Some((own, _)) if own.arcs() == key => Ok(at),
        _ => Err(at),
    }
}

/// The child that a key belongs to; the first takes whatever is below the bound of the second.
fn child(children: &[Child], key: &[u32]) -> usize {
    search(&children[1..], |bound| bound.arcs() <= key)
}

/// How many keys are below, all of which come first.
///
/// Halving would wait for memory at each of six steps. Here some keys that
/// stand far apart are compared at once, then those between two of them.
fn search<T>(all: &[(Index, T)], below: impl Fn(&Index) -> bool) -> usize {
    let below = |(own, _): &&(Index, T)| below(own);
    let passed = all.iter().step_by(STRIDE).filter(below).count();
    let from = passed.saturating_sub(1) * STRIDE;
    from + all[from..].iter().take(STRIDE).filter(below).count()
}

/// Inserts, and splits off what is too much: the half, but only the last where that is the new
/// one, since whoever adds at the end will go on there.
fn insert<T: Clone>(all: &mut Arc<[T]>, at: usize, new: T) -> Option<Arc<[T]>> {
    let (before, after) = all.split_at(at);
    let (before, after) = (before.iter().cloned(), after.iter().cloned());
    let all_of_them = before.chain([new]).chain(after);
    if all.len() < WIDTH {
        *all = all_of_them.collect();
        return None;
    }
    let left = if at == WIDTH { WIDTH } else { WIDTH / 2 };
    let mut all_of_them: Vec<T> = all_of_them.collect();
    let right = all_of_them.split_off(left).into();
    *all = all_of_them.into();
    Some(right)
}

fn without<T: Clone>(all: &[T], at: usize) -> Arc<[T]> {
    let (before, after) = (&all[..at], &all[at + 1..]);
    before.iter().chain(after).cloned().collect()
}

/// The root of [`WIDTH`].
const STRIDE: usize = 8;
/// Rows of a leaf, children of an inner node.
const WIDTH: usize = 64;
