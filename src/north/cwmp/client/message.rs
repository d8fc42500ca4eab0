//! What goes into the client and what comes out of it.

use super::super::model::Selection;
use super::super::session::Heard;
use super::super::settings::Settings;
use super::super::status::Status;
use super::super::transfers;
use super::Announcement;
use crate::schema::TableId;
use crate::tree::notice::Notice;
use crate::tree::{Outcome, Transaction};
use crate::wire::soap::message::{Envelope, FromCpe, Header, Namespace};
use crate::wire::time::UnixTime;
use std::collections::BTreeSet;
use std::time::{Duration, Instant};

/// When something comes in.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// For spans.
    pub tick: Instant,
    /// For what the ACS is told; None while it is not known.
    pub wall: Option<UnixTime>,
    /// Sixty-four random bits.
    pub chance: u64,
}

/// What comes in.
#[derive(Debug)]
pub enum Input {
    /// The settings as they stand; the first ones start the client.
    Settings(Box<Settings>),
    /// A deadline of [`super::Client::wake_at`] has come, or something that the tree
    /// shows has changed.
    Wake,
    /// Somebody who may has asked for a session.
    ConnectionRequest,
    /// An operator has.
    InformNow,
    /// What came back for the last post.
    Heard(Heard),
    /// Nothing came back for it.
    Failed(Trouble),
    /// How the last [`Output::Change`] ended.
    Changed(Outcome),
    /// How an [`Output::PutIntoUse`] ended.
    Put {
        /// The row.
        row: String,
        /// Whether it is in use.
        outcome: Outcome,
    },
    /// The device does not start again after all.
    Stays,
    /// Somebody at the unit would like a file of this type.
    RequestDownload(String),
    /// What became of an [`Output::Transfer`].
    Transfer(transfers::Heard),
}

/// What goes out.
#[derive(Debug)]
pub enum Output {
    /// Post to the ACS and bring back what comes.
    Post(Post),
    /// The session is over: the connection and its cookies go.
    Close,
    /// A change that an answer waits for.
    Change(Transaction),
    /// A row that the ACS has added; how it went comes back.
    PutIntoUse {
        /// Its name.
        row: String,
        /// What makes it active.
        wishes: Transaction,
    },
    /// What the client remembers; nothing waits for it.
    Keep(Transaction),
    /// A session succeeded with the settings of this version.
    Proven(u64),
    /// What is shown has changed.
    Publish(Box<Status>),
    /// For the log.
    Say(Notice),
    /// A file is to be moved, or put into use.
    Transfer(transfers::Wanted),
    /// Send a lightweight notification.
    Announce(Announcement),
    /// From now on, wake the client when something published in these tables has changed.
    Watch(BTreeSet<TableId>),
    /// The ACS wants the device to start again.
    Reboot,
    /// The ACS wants the device as its profile made it.
    FactoryReset,
}

/// One message to the ACS.
#[derive(Debug)]
pub struct Post {
    /// Where to; the same for a whole session.
    pub url: String,
    /// The first of a session: no connection and no cookie is older than it.
    pub first: bool,
    /// What.
    pub body: Body,
}

/// The body of a post.
#[derive(Debug)]
pub enum Body {
    /// Empty.
    Nothing,
    /// A message.
    Message(Box<Envelope<FromCpe>>),
    /// A GetParameterValuesResponse whose values are read as they are printed.
    Values {
        /// Of the request.
        namespace: Namespace,
        /// With the request's ID.
        header: Header,
        /// In the order of the answer.
        selection: Selection,
    },
}

/// Why nothing came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// For `acsStatus`.
    pub kind: TroubleKind,
    /// In words, with the object to change.
    pub reason: String,
    /// What the server asked for (`Retry-After`).
    pub pause: Option<Duration>,
}

/// The kinds that `acsStatus` tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The host has no address.
    CannotResolve,
    /// No connection, or no answer in time.
    NotResponding,
    /// The ACS does not take the credentials.
    AuthFailure,
    /// Anything else.
    Other,
}
