//! The objects and parameters that exist, as `build.rs` made them.
//!
//! The maps in `tr069/` say which standard's parameter is which object of the
//! tree; the vendor objects are the schema itself. What these types mean is
//! read in `read` and obeyed in `write`.

use crate::schema::{ColumnId, TableId};
use crate::wire::soap::message::Kind;

include!(concat!(env!("OUT_DIR"), "/tr069.rs"));

/// An object, or a table of them; in order of path, so that ids are places.
#[derive(Debug)]
pub struct Object {
    /// `{i}` stands for a number; ends with a dot.
    pub path: &'static str,
    /// Its own name, without the instance.
    pub name: &'static str,
    /// Where its instances come from.
    pub rows: Rows,
    /// Whether the ACS may add and delete them.
    pub adds: bool,
    /// Ids of the objects directly below.
    pub children: &'static [u16],
    /// Its parameters, in the order of the map.
    pub leaves: &'static [Leaf],
}

/// Where instances come from.
#[derive(Debug)]
pub enum Rows {
    /// There is one and it has no number.
    Single,
    /// There is one, with number 1.
    One,
    /// The rows of a table.
    Of {
        /// Which.
        table: TableId,
        /// Only rows whose column has this text, or the name of the instance around them.
        only: Option<(ColumnId, &'static str)>,
    },
}

/// A parameter of an object.
#[derive(Debug)]
pub struct Leaf {
    /// Its own name.
    pub name: &'static str,
    /// Whether the ACS may write it.
    pub access: Access,
    /// The type of its values on the wire.
    pub kind: Kind,
    /// The type as the map writes it.
    pub syntax: &'static str,
    /// Octets of the longest value; 0: no limit.
    pub most: u32,
    /// The standard's range of a number.
    pub range: (i64, i64),
    /// Where its value comes from.
    pub source: Source,
    /// Whether every Inform carries it.
    pub inform: bool,
    /// Whether a change is told before the ACS asks for it.
    pub told: Told,
}

/// Whether the ACS may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Never.
    Read,
    /// Always.
    Write,
    /// Until it has been written.
    Once,
}

/// Notification before the ACS says anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// None.
    Off,
    /// None, and never an active one.
    Quiet,
    /// Active, as long as the ACS wants it.
    Active,
    /// Active, whatever the ACS wants.
    Always,
}

/// Where a value comes from.
#[derive(Debug)]
pub enum Source {
    /// It cannot be anything else.
    Constant(&'static str),
    /// The version of this software.
    Version,
    /// How many instances an object has.
    Count(u16),
    /// The alias of the instance.
    Alias,
    /// The transport that a gateway's requests use.
    Transport,
    /// An object of the tree.
    Cell(&'static Cell),
}

/// An object of the tree as the source of a parameter.
#[derive(Debug)]
pub struct Cell {
    /// In which row.
    pub at: At,
    /// Which column.
    pub column: ColumnId,
    /// How the value is written for the ACS.
    pub form: Form,
    /// What stands in for it.
    pub otherwise: Otherwise,
    /// Columns that get a value whenever it is written.
    pub also: &'static [(ColumnId, i32)],
}

/// The row of a source.
#[derive(Debug)]
pub enum At {
    /// There is one.
    Scalar,
    /// That of the instance around the parameter.
    Row,
    /// Always this one.
    Key(&'static [u32]),
    /// The one with these values; writing makes it.
    Where(&'static [(ColumnId, Wanted)]),
}

/// A value that a row is found by.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// A label or number.
    Number(i64),
    /// The name of the instance around the parameter.
    Here,
}

/// How a value is written for the ACS.
#[derive(Debug)]
pub enum Form {
    /// As the tree displays it.
    Plain,
    /// enable as true.
    Switch,
    /// The tree's word (or `*`) and the standard's.
    Choice(&'static [(&'static str, &'static str)]),
    /// The host of a host:port.
    Host,
    /// The port of a host:port, and what 0 means.
    Port(u16),
    /// The first number of a range of periods.
    Least,
    /// The second, -1 where there is none.
    Greatest,
    /// A user as a SIP URI.
    Uri,
    /// A user, which may be written as a URI.
    User,
    /// A time.
    Time,
    /// Hundredths of a second as seconds.
    Tenths,
    /// The name of a row as the path of its instance of this object.
    Path(u16),
    /// A pattern of parameters that Informs are to carry.
    Pattern,
    /// The events that they are to be carried with.
    Events,
}

/// What stands in for a value.
#[derive(Debug)]
pub enum Otherwise {
    /// Nothing does.
    Nothing,
    /// This scalar where it is empty.
    Empty(ColumnId),
    /// This scalar unless the switch has the number.
    Unless {
        /// In the row of the value.
        switch: ColumnId,
        /// What makes the value count.
        number: i32,
        /// What counts otherwise.
        column: ColumnId,
    },
}

/// What a switch takes along from the defaults as it is turned.
#[derive(Debug)]
pub struct Companion {
    /// The switch of a row.
    pub switch: ColumnId,
    /// A column of the row that counts with it.
    pub own: ColumnId,
    /// The scalar that counted before.
    pub other: ColumnId,
}

/// Every object; the first is the root.
pub fn objects() -> &'static [Object] {
    OBJECTS
}

/// An object by its place.
pub(super) fn object(id: u16) -> &'static Object {
    &OBJECTS[usize::from(id)]
}

/// What else a switch takes along.
pub(super) fn companions(switch: ColumnId) -> impl Iterator<Item = &'static Companion> {
    COMPANIONS.iter().filter(move |one| one.switch == switch)
}
