//! What differs between two versions of a table.
//!
//! Both are read from their first row on, side by side. Where the same node
//! comes next in both nothing differs below it, and both step over it.

use super::super::row::Row;
use super::node::{Entry, Node};
use crate::schema::Index;
use std::cmp::Ordering;

/// One row that is not as it was: its key, the row before, the row now.
pub(in crate::tree) type Changed<'a> = (&'a Index, Option<&'a Row>, Option<&'a Row>);

/// The differences in order of keys.
pub(in crate::tree) struct Changes<'a> {
    was: Ahead<'a>,
    is: Ahead<'a>,
}

impl<'a> Changes<'a> {
    pub(super) fn between(was: &'a Node, is: &'a Node) -> Self {
        let (was, is) = (Ahead::of(was), Ahead::of(is));
        Self { was, is }
    }

    /// Steps over what is the same, until both stand before a row or at the end.
    fn skip(&mut self) {
        loop {
            match (self.was.node(), self.is.node()) {
                (Some(was), Some(is)) if was.is_same(is) => {
                    self.was.nodes.pop();
                    self.is.nodes.pop();
                }
                (Some(Node::Inner(_)), Some(Node::Leaf(_))) => self.was.enter(),
                (Some(Node::Leaf(_)), Some(Node::Inner(_))) => self.is.enter(),
                (None, None) => return,
                _ => {
                    self.was.enter();
                    self.is.enter();
                }
            }
        }
    }
}

impl<'a> Iterator for Changes<'a> {
    type Item = Changed<'a>;

    fn next(&mut self) -> Option<Changed<'a>> {
        loop {
            self.skip();
            let order = match (self.was.rows, self.is.rows) {
                ([], []) => return None,
                (_, []) => Ordering::Less,
                ([], _) => Ordering::Greater,
                ([(was, _), ..], [(is, _), ..]) => was.cmp(is),
            };
            let was = if order.is_le() { self.was.step() } else { None };
            let is = if order.is_ge() { self.is.step() } else { None };
            match (was, is) {
                (Some((_, was)), Some((_, is))) if was == is => {}
                (was, Some((index, is))) => {
                    return Some((index, was.map(|(_, was)| was), Some(is)));
                }
                (Some((index, was)), None) => return Some((index, Some(was), None)),
                (None, None) => return None,
            }
        }
    }
}

/// What was not read yet.
struct Ahead<'a> {
    /// The rest of a leaf.
    rows: &'a [Entry],
    /// What comes after it, the next one last.
    nodes: Vec<&'a Node>,
}

impl<'a> Ahead<'a> {
    fn of(node: &'a Node) -> Self {
        Self {
            rows: &[],
            nodes: vec![node],
        }
    }

    /// The next node, where it comes next.
    fn node(&self) -> Option<&'a Node> {
        self.nodes.last().copied().filter(|_| self.rows.is_empty())
    }

    /// Goes into the next node, where it comes next.
    fn enter(&mut self) {
        let Some(node) = self.node() else { return };
        self.nodes.pop();
        match node {
            Node::Leaf(rows) => self.rows = rows,
            Node::Inner(children) => {
                let children = children.iter().rev();
                self.nodes.extend(children.map(|(_, child)| child));
            }
        }
    }

    fn step(&mut self) -> Option<&'a Entry> {
        let (first, rest) = self.rows.split_first()?;
        self.rows = rest;
        Some(first)
    }
}
