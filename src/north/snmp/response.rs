//! What the agent answers, before it is written.
//!
//! Plain data: which PDU goes back, what failed, and the bindings. It knows
//! nothing of envelopes and keys.

use std::borrow::Cow;

use super::access::Value;
use super::counters::Counter;
use super::encode::List;
use super::message::Version;
use super::status::{Failure, Status};

/// A value, or one of the exceptions of RFC 3416 §3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// The instance's value.
    Value(Cow<'a, Value>),
    /// No such object here.
    NoSuchObject,
    /// The object has no such instance.
    NoSuchInstance,
    /// Nothing comes after this name.
    EndOfMibView,
}

impl From<Value> for Shown<'_> {
    fn from(value: Value) -> Self {
        Self::Value(Cow::Owned(value))
    }
}

/// The bindings of a response.
#[derive(Debug)]
pub enum Bindings {
    /// None.
    Empty,
    /// The request's own list, octet for octet.
    Echo,
    /// The agent's answers.
    List(List),
}

/// Which PDU goes back; its number is the wire's tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Response.
    Response = 0xa2,
    /// Report.
    Report = 0xa8,
}

/// One response before it is written.
#[derive(Debug)]
pub struct Response<'a> {
    /// Response or Report.
    pub kind: Kind,
    /// The request's.
    pub request_id: i32,
    /// error-status and error-index.
    pub failure: Failure,
    /// The bindings.
    pub bindings: Bindings,
    /// The request's list of bindings, tag and all.
    pub list: &'a [u8],
}

impl Response<'_> {
    /// A Report about `counter`, which now stands at `count`.
    pub fn report(request_id: i32, counter: Counter, count: u32) -> Self {
        let mut list = List::default();
        let count = Value::Counter32(count);
        list.push(counter.instance().into(), &count.into());
        Self {
            kind: Kind::Report,
            request_id,
            failure: Failure::whole(Status::NoError),
            bindings: Bindings::List(list),
            list: &[],
        }
    }

    /// What to say instead if this does not fit: nothing of the bindings, but
    /// to SNMPv1 the request's own (RFC 3416 §4.2.1, RFC 1157 §4.1.2).
    pub fn too_big(self, version: Version) -> Self {
        Self {
            failure: Failure::whole(Status::TooBig),
            bindings: match version {
                Version::V1 => Bindings::Echo,
                Version::V2c | Version::V3 => Bindings::Empty,
            },
            ..self
        }
    }
}
