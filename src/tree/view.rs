//! Typed rows, and what changed in them.
//!
//! An engine declares a struct of the columns that it needs. That declaration
//! types them, reads them and subscribes to them; its first delta is the rows
//! as they stand, so that there is no separate load path.

use super::row::{Row, RowState};
use super::snapshot::Snapshot;
use super::table::Rows;
use crate::schema::{ColumnId, FromCell, Index, Role, TableId, Typed, Value, kind};
use crate::wire::host_port::HostPort;
use std::marker::PhantomData;

/// A struct of columns of one table; made by [`view!`](crate::view).
pub trait View: Sized + PartialEq {
    /// The table.
    const TABLE: TableId;
    /// The columns: what the engine that holds this view claims.
    const COLUMNS: &'static [ColumnId];
    /// The struct of one row.
    fn read(row: RowView<'_>) -> Self;
}

/// One row in use, with its key.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    index: &'a Index,
    row: &'a Row,
}

impl<'a> RowView<'a> {
    /// The row if engines may see it.
    pub fn active(index: &'a Index, row: &'a Row) -> Option<Self> {
        (row.state == RowState::Active).then_some(Self { index, row })
    }

    /// The value of a column as the field's type.
    pub fn get<K, T: FromCell<K>>(&self, column: Typed<K>) -> T {
        let object = column.id().get();
        match object.role {
            Role::Stored(slot) => T::from_cell(self.row.cell(slot)),
            Role::Index => T::from_cell(self.key(column.id()).as_ref()),
            Role::Command(_) | Role::RowStatus | Role::Live(_) | Role::Input | Role::Alias(_) => {
                T::from_cell(None)
            }
        }
    }

    fn key(&self, column: ColumnId) -> Option<Value> {
        let table = column.get().table.get();
        let at = table.indexes.iter().position(|index| *index == column)?;
        self.index.values(table).ok()?.into_iter().nth(at)
    }
}

/// What happened to one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change<V> {
    /// The row's key.
    pub row: Index,
    /// The row before, if engines saw one.
    pub was: Option<V>,
    /// The row now, if engines see one.
    pub is: Option<V>,
}

/// Where a subscriber stands: compares what it saw with what there is.
pub struct Tracker<V> {
    seen: Rows,
    view: PhantomData<fn() -> V>,
}

impl<V: View> Tracker<V> {
    /// Saw nothing yet: the first delta is every row.
    pub fn new() -> Self {
        Self {
            seen: Rows::default(),
            view: PhantomData,
        }
    }

    /// Saw this version.
    pub fn at(snapshot: &Snapshot) -> Self {
        Self {
            seen: snapshot.rows(V::TABLE).clone(),
            view: PhantomData,
        }
    }

    /// What changed for this view since the last call; skipped versions are not told.
    pub fn delta(&mut self, snapshot: &Snapshot) -> Vec<Change<V>> {
        let now = snapshot.rows(V::TABLE);
        let changes = self.seen.changes(now);
        let changes = changes.filter_map(|(index, was, is)| change(index, was, is));
        let changes = changes.collect();
        self.seen = now.clone();
        changes
    }
}

impl<V: View> Default for Tracker<V> {
    fn default() -> Self {
        Self::new()
    }
}

fn change<V: View>(index: &Index, was: Option<&Row>, is: Option<&Row>) -> Option<Change<V>> {
    let read = |row: Option<&Row>| row.and_then(|row| RowView::active(index, row)).map(V::read);
    let (was, is) = (read(was), read(is));
    (was != is).then(|| Change {
        row: index.clone(),
        was,
        is,
    })
}

/// Settings that an engine reads as a whole, from several views.
///
/// For engines that compare what they were told with what they are told now;
/// whoever runs them reads again when a claimed table changed.
pub trait Configured: Sized + PartialEq {
    /// Every column that counts.
    fn claims() -> Vec<ColumnId>;
    /// The settings of a version.
    fn read(snapshot: &Snapshot) -> Self;
}

impl FromCell<kind::Octets> for Option<HostPort> {
    /// "", `0.0.0.0:0` and what is no host mean none.
    fn from_cell(cell: Option<&Value>) -> Self {
        HostPort::parse(&String::from_cell(cell)).ok().flatten()
    }
}

impl Snapshot {
    /// All rows of a view.
    pub fn view<V: View>(&self) -> Vec<(Index, V)> {
        let rows = self.rows(V::TABLE).iter();
        rows.filter_map(|(index, row)| Some((index.clone(), V::read(RowView::active(index, row)?))))
            .collect()
    }

    /// One row of a view.
    pub fn read<V: View>(&self, index: &Index) -> Option<V> {
        let row = self.row(V::TABLE, index)?;
        Some(V::read(RowView::active(index, row)?))
    }

    /// The scalars of a view.
    pub fn scalars<V: View>(&self) -> V {
        self.read(&Index::scalar())
            .expect("scalars are always there")
    }
}

/// A row of a view that nobody has touched: its defaults.
pub fn initial<V: View>() -> V {
    let row = Row::initial(V::TABLE);
    V::read(RowView {
        index: &Index::scalar(),
        row: &row,
    })
}

/// Declares a struct of columns: its fields, the table, the subscription and
/// the typed read in one place. A wrong column name or a type that does not
/// fit fails to compile.
#[macro_export]
macro_rules! view {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident: $($table:ident)::+ {
            $( $(#[$field_meta:meta])* $field:ident: $type:ty = $column:ident, )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        $vis struct $name {
            $( $(#[$field_meta])* pub $field: $type, )+
        }

        impl $crate::tree::View for $name {
            const TABLE: $crate::schema::TableId = $crate::schema::$($table)::+::TABLE;
            const COLUMNS: &'static [$crate::schema::ColumnId] = {
                use $crate::schema::$($table)::+ as table;
                &[$( table::$column.id(), )+]
            };

            fn read(row: $crate::tree::RowView<'_>) -> Self {
                use $crate::schema::$($table)::+ as table;
                Self {
                    $( $field: row.get(table::$column), )+
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Name, Value};
    use crate::tree::{Actor, Transaction, Tree};

    view! {
        /// A name of the host's own.
        struct StaticHost: hoc::static_hosts {
            /// Which row.
            index: u32 = INDEX,
            /// The name.
            name: String = NAME,
        }
    }

    view! {
        /// What the host is called.
        struct System: hoc {
            /// Its name.
            name: String = SYSTEM_NAME,
            /// Minutes.
            period: u32 = SNTP_SYNCHRONIZATION_PERIOD,
        }
    }

    fn set(tree: &Tree, name: &str, value: Value) {
        let mut txn = Transaction::new(Actor::local());
        txn.assign(Name::parse(name).expect("a name"), value);
        tree.commit_and_wait(txn, 0).expect("granted");
    }

    #[test]
    fn the_first_delta_is_the_rows_as_they_stand_and_the_next_what_changed() {
        let tree = Tree::in_memory();
        set(&tree, "Hoc.StaticHosts[Index=3].Name", Value::from("a"));
        let mut hosts = Tracker::<StaticHost>::new();
        let first = hosts.delta(&tree.snapshot());
        let host = |name: &str| {
            Some(StaticHost {
                index: 3,
                name: name.to_owned(),
            })
        };
        assert_eq!(
            (first[0].was.clone(), first[0].is.clone()),
            (None, host("a"))
        );
        set(&tree, "Hoc.StaticHosts[Index=3].Name", Value::from("b"));
        set(&tree, "Hoc.StaticHosts[Index=3].Name", Value::from("c"));
        let second = hosts.delta(&tree.snapshot());
        assert_eq!(second.len(), 1);
        assert_eq!(
            (second[0].was.clone(), second[0].is.clone()),
            (host("a"), host("c"))
        );
    }

    #[test]
    fn a_change_of_a_column_that_the_view_does_not_hold_is_not_told() {
        let tree = Tree::in_memory();
        set(&tree, "Hoc.StaticHosts[Index=3].Name", Value::from("a"));
        let mut hosts = Tracker::<StaticHost>::at(&tree.snapshot());
        set(
            &tree,
            "Hoc.StaticHosts[Index=3].IpAddresses",
            Value::from("192.0.2.1"),
        );
        assert!(hosts.delta(&tree.snapshot()).is_empty());
    }

    #[test]
    fn scalars_are_a_view_of_one_row() {
        let tree = Tree::in_memory();
        set(&tree, "Hoc.SystemName", Value::from("gw"));
        let system: System = tree.snapshot().scalars();
        assert_eq!((system.name.as_str(), system.period), ("gw", 1440));
    }
}
