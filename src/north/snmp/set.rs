//! A SET between its arrival and its answer.
//!
//! The tree decides about all bindings at once and answers later, so what the
//! answer needs is kept apart from the datagram. Nothing is changed here.

use super::access::{Actor, Refusal, Wish};
use super::reply::ReplyTo;
use super::response::{Bindings, Kind, Response};
use super::status::{self, Failure, Status};

/// A SET on its way to the tree.
#[derive(Debug)]
pub struct PendingSet {
    /// Who asks.
    pub actor: Actor,
    /// What for.
    pub wishes: Vec<Wish>,
    /// What the answer needs.
    pub ticket: Ticket,
}

/// What the answer to a SET needs once the tree has decided.
#[derive(Debug)]
pub struct Ticket {
    /// The way back.
    pub reply: ReplyTo,
    /// The request's.
    pub request_id: i32,
    /// The request's list of bindings, which the answer repeats.
    pub list: Box<[u8]>,
}

impl Ticket {
    /// Whether this is of the same request as `earlier`, sent again. A manager
    /// that sends again may take a new msgID (RFC 3412 §6.2), so the request-id
    /// and the bindings tell.
    pub fn repeats(&self, earlier: &Self) -> bool {
        self.reply.version() == earlier.reply.version()
            && self.request_id == earlier.request_id
            && self.list == earlier.list
    }

    /// The answer for what the tree decided.
    pub fn response(&self, outcome: &Result<(), Vec<Refusal>>) -> Response<'_> {
        Response {
            kind: Kind::Response,
            request_id: self.request_id,
            failure: match outcome {
                Ok(()) => Failure::whole(Status::NoError),
                Err(refusals) => status::failure(refusals),
            },
            bindings: Bindings::Echo,
            list: &self.list,
        }
    }
}

/// The first wish for a name that an earlier wish gives another value. All
/// bindings are set "as if simultaneously" (RFC 3416 §4.2.5), so this cannot be
/// done; the same value twice can.
pub fn contradiction(wishes: &[Wish]) -> Option<usize> {
    let mut order: Vec<usize> = (0..wishes.len()).collect();
    order.sort_by_key(|&position| (&wishes[position].name, position));
    let differ = |pair: &&[usize]| {
        let (first, second) = (&wishes[pair[0]], &wishes[pair[1]]);
        first.name == second.name && first.value != second.value
    };
    order.windows(2).filter(differ).map(|pair| pair[1]).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::north::snmp::access::Value;

    fn wishes(pairs: &[(u32, i32)]) -> Vec<Wish> {
        let wish = |&(arc, number): &(u32, i32)| Wish {
            name: [1, 3, arc].into_iter().collect(),
            value: Ok(Value::Integer(number)),
        };
        pairs.iter().map(wish).collect()
    }

    #[test]
    fn one_name_with_two_values_is_a_contradiction_at_the_second() {
        assert_eq!(contradiction(&wishes(&[(7, 1), (5, 1), (7, 2)])), Some(2));
        assert_eq!(
            contradiction(&wishes(&[(9, 1), (9, 2), (7, 1), (7, 2)])),
            Some(1)
        );
    }

    #[test]
    fn one_name_with_one_value_twice_is_none() {
        assert_eq!(contradiction(&wishes(&[(7, 1), (5, 1), (7, 1)])), None);
        assert_eq!(contradiction(&[]), None);
    }
}
