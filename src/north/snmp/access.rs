//! What the agent asks of the tree, and in which words it is answered.
//!
//! Names and values here are the protocol's: an instance is an object
//! identifier, a refusal is one of RFC 3416 §4.2.5's reasons. The agent knows
//! nothing else of the tree, least of all where its rows come from.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::tree::notice::Notice;

/// An object identifier; names of tables with a short string index stay inline.
pub type Oid = SmallVec<[u32; 24]>;

pub use crate::tree::{Got, Rights, Value};

/// The name of an instance that was found: its object, then which of the object's.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found<'a> {
    /// The object's identifier.
    pub object: &'a [u32],
    /// The same as the content of an OBJECT IDENTIFIER in BER.
    pub encoded: &'a [u8],
    /// The sub-identifiers after it.
    pub index: &'a [u32],
}

impl Found<'_> {
    /// The whole name.
    pub fn oid(&self) -> Oid {
        let mut oid = Oid::from_slice(self.object);
        oid.extend_from_slice(self.index);
        oid
    }
}

impl<'a> From<&'a [u32]> for Found<'a> {
    /// A name of which no part is encoded.
    fn from(name: &'a [u32]) -> Self {
        Self {
            index: name,
            ..Self::default()
        }
    }
}

/// The readable instances of one version of the tree.
pub trait Mib {
    /// The instance of exactly this name.
    fn get(&self, name: &[u32]) -> Got;

    /// The first instance after `name` in the order of the whole tree: a
    /// name strictly greater, or `None` at the end.
    fn next<'a>(&'a self, name: &[u32]) -> Option<(Found<'a>, Cow<'a, Value>)> {
        self.walk(name).next()
    }

    /// Every instance after `name`, in this order, one after the other.
    fn walk<'a>(
        &'a self,
        name: &[u32],
    ) -> impl Iterator<Item = (Found<'a>, Cow<'a, Value>)> + use<'a, Self>;
}

/// The tree itself: read through views, changed by whole SETs.
pub trait Tree: Send + Sync + 'static {
    /// One version, unchanging for as long as it is held.
    type View: Mib;

    /// The version of now.
    fn view(&self) -> Self::View;

    /// Asks for all of `wishes` as one transaction. `done` is called once,
    /// after the commit is on disk or nothing was changed, on any thread.
    fn set(&self, actor: &Actor, wishes: Vec<Wish>, done: Done);

    /// Says what happened; a tree without a log says nothing.
    fn notify(&self, _notice: &Notice) {}
}

/// Where the outcome of a SET goes.
pub type Done = Box<dyn FnOnce(Result<(), Vec<Refusal>>) + Send>;

/// On whose behalf a request is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user's name; "" for a community that stands for no user.
    pub user: Arc<str>,
    /// What the user may do.
    pub rights: Rights,
    /// Where the request came from.
    pub source: SocketAddr,
}

/// One binding of a SET.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The instance to change.
    pub name: Oid,
    /// The value, or why what stood there can be the value of no object. The
    /// tree gives that reason only when its own earlier checks have passed.
    pub value: Result<Value, Reason>,
}

/// Why the tree refuses one wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Which wish, counted from 0.
    pub position: usize,
    /// Why.
    pub reason: Reason,
}

/// The reasons of RFC 3416 §4.2.5, in the order in which they are tested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// This user may not change it.
    NoAccess,
    /// No name like this can ever be created or changed.
    NotWritable,
    /// The value is of another type.
    WrongType,
    /// The value is too long or too short.
    WrongLength,
    /// The value's octets do not fit its own tag.
    WrongEncoding,
    /// The object can never have this value.
    WrongValue,
    /// The instance does not exist and can never be created.
    NoCreation,
    /// The instance does not exist and cannot be created as things stand.
    InconsistentName,
    /// The object cannot have this value as things stand.
    InconsistentValue,
    /// Something that is needed ran out, disk space for instance.
    ResourceUnavailable,
    /// It could not be done, for none of the other reasons.
    General,
    /// All tests passed, yet the change failed, and nothing was changed.
    CommitFailed,
    /// The change failed, and what it left is not known.
    UndoFailed,
}
