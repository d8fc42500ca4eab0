//! The agent's reading operations (RFC 3416 §4.2.1 to §4.2.3).
//!
//! A decoded request and one version of the tree in, a response out. No
//! sockets, no keys, no settings: who may ask was decided before. A SET is not
//! here, since the tree answers it later.

use super::access::{Found, Got, Mib, Value};
use super::encode::List;
use super::message::Version;
use super::pdu::{Binding, Pdu};
use super::response::{Bindings, Kind, Response, Shown};
use super::status::{Failure, Status};

/// Answers a GetRequest.
pub fn get<'a>(mib: &impl Mib, pdu: &Pdu<'a>, version: Version) -> Response<'a> {
    each(pdu, version, |binding| {
        let value = match mib.get(&binding.name) {
            Got::Value(value) => value.into(),
            Got::NoSuchObject => Shown::NoSuchObject,
            Got::NoSuchInstance => Shown::NoSuchInstance,
        };
        (binding.name[..].into(), value)
    })
}

/// Answers a GetNextRequest.
pub fn get_next<'a>(mib: &impl Mib, pdu: &Pdu<'a>, version: Version) -> Response<'a> {
    each(pdu, version, |binding| next(mib, binding, version))
}

/// Answers a GetBulkRequest with as many bindings as `room` octets take, but
/// with one at least.
pub fn get_bulk<'a>(mib: &impl Mib, pdu: &Pdu<'a>, room: usize) -> Response<'a> {
    let list = List::default();
    let mut answers = Answers { list, room };
    // RFC 3416 §4.2.3: N, and negative counts are zero.
    let once = usize::try_from(pdu.non_repeaters).unwrap_or(0);
    let (once, repeated) = pdu.bindings.split_at(once.min(pdu.bindings.len()));
    let fits = once.iter().all(|binding| {
        let (name, value) = next(mib, binding, Version::V2c);
        answers.push(name, &value)
    });
    if fits {
        repeat(mib, repeated, pdu.max_repetitions, &mut answers);
    }
    respond(pdu, answers.list)
}

/// Rows of `repeated`, until they are enough, do not fit, or all have ended.
fn repeat(mib: &impl Mib, repeated: &[Binding<'_>], times: i32, answers: &mut Answers) {
    // Each walk, and the name at which it stands.
    let mut walks: Vec<(_, Found<'_>)> = repeated
        .iter()
        .map(|binding| (mib.walk(&binding.name), binding.name[..].into()))
        .collect();
    for _ in 0..times {
        let mut ended = 0;
        for (walk, at) in &mut walks {
            let value = match walk.next() {
                Some((name, value)) => {
                    *at = name;
                    Shown::Value(value)
                }
                None => {
                    ended += 1;
                    // RFC 3416 §4.2.3: under the name that came before.
                    Shown::EndOfMibView
                }
            };
            if !answers.push(*at, &value) {
                return;
            }
        }
        if ended == walks.len() {
            return;
        }
    }
}

/// The first instance after a name that `version` can carry; at the end, the name.
fn next<'a>(
    mib: &'a impl Mib,
    binding: &'a Binding<'_>,
    version: Version,
) -> (Found<'a>, Shown<'a>) {
    // RFC 3584 §4.2.2: SNMPv1 has no Counter64, so those are stepped over.
    let carried = |value: &Value| version != Version::V1 || !matches!(value, Value::Counter64(_));
    match mib.walk(&binding.name).find(|(_, value)| carried(value)) {
        Some((name, value)) => (name, Shown::Value(value)),
        None => (binding.name[..].into(), Shown::EndOfMibView),
    }
}

/// One answer for each binding; in SNMPv1, where there are no exceptions and
/// no Counter64, the first such answer fails the request (RFC 3584 §4.2.2).
fn each<'a, 'b>(
    pdu: &'b Pdu<'a>,
    version: Version,
    answer: impl Fn(&'b Binding<'a>) -> (Found<'b>, Shown<'b>),
) -> Response<'a> {
    let mut list = List::default();
    for (position, binding) in pdu.bindings.iter().enumerate() {
        let (name, value) = answer(binding);
        if version == Version::V1 && !fits_version_1(&value) {
            return fail(pdu, Failure::at(position, Status::NoSuchName));
        }
        list.push(name, &value);
    }
    respond(pdu, list)
}

fn fits_version_1(value: &Shown<'_>) -> bool {
    match value {
        Shown::Value(value) => !matches!(**value, Value::Counter64(_)),
        Shown::NoSuchObject | Shown::NoSuchInstance | Shown::EndOfMibView => false,
    }
}

fn respond<'a>(pdu: &Pdu<'a>, list: List) -> Response<'a> {
    Response {
        kind: Kind::Response,
        request_id: pdu.request_id,
        failure: Failure::whole(Status::NoError),
        bindings: Bindings::List(list),
        list: pdu.list,
    }
}

/// A response that says what failed, with the request's own bindings.
pub fn fail<'a>(pdu: &Pdu<'a>, failure: Failure) -> Response<'a> {
    Response {
        kind: Kind::Response,
        request_id: pdu.request_id,
        failure,
        bindings: Bindings::Echo,
        list: pdu.list,
    }
}

/// Bindings that are collected until their room is used up.
struct Answers {
    list: List,
    room: usize,
}

impl Answers {
    /// Takes a binding if it fits, or if it is the first: whether that one is
    /// too big shows when the message is written.
    fn push(&mut self, name: Found<'_>, value: &Shown<'_>) -> bool {
        let before = self.list.size();
        self.list.push(name, value);
        let fits = self.list.size() <= self.room || before == 0;
        if !fits {
            self.list.cut(before);
        }
        fits
    }
}

#[cfg(test)]
mod tests {
    use crate::north::snmp::engine::Outcome;
    use crate::north::snmp::testing::{Answer, Bench, NULL, SYS_DESCR, community_datagram, pdu};

    const V1: u8 = 0;
    const V2C: u8 = 1;
    const GET: u8 = 0xa0;
    const GET_NEXT: u8 = 0xa1;
    const GET_BULK: u8 = 0xa5;
    const COLUMN_2: &[u32] = &[1, 3, 6, 1, 4, 1, 32473, 5, 1, 2];
    const COLUMN_3: &[u32] = &[1, 3, 6, 1, 4, 1, 32473, 5, 1, 3];
    const LAST: &[u32] = &[1, 3, 6, 1, 4, 1, 32473, 6, 0];
    const END_OF_MIB_VIEW: &[u8] = &[0x82, 0];

    fn ask(version: u8, tag: u8, names: &[&[u32]]) -> Answer {
        let bindings: Vec<_> = names.iter().map(|&name| (name, NULL)).collect();
        Bench::new().ask(version, &pdu(tag, 42, 0, 0, &bindings))
    }

    fn bulk(non_repeaters: i32, max_repetitions: i32, names: &[&[u32]]) -> Answer {
        let bindings: Vec<_> = names.iter().map(|&name| (name, NULL)).collect();
        Bench::new().ask(
            V2C,
            &pdu(GET_BULK, 42, non_repeaters, max_repetitions, &bindings),
        )
    }

    fn row(column: &[u32], row: u32) -> Vec<u32> {
        [column, &[row]].concat()
    }

    #[test]
    fn get_tells_a_missing_object_from_a_missing_instance() {
        let names = [SYS_DESCR, &[1, 3, 6, 1, 2, 1, 99, 0], &row(COLUMN_2, 9)];
        let answer = ask(V2C, GET, &names);
        assert_eq!((answer.tag, answer.id), (0xa2, 42));
        assert_eq!((answer.status, answer.index), (0, 0));
        let values: Vec<_> = answer
            .bindings
            .iter()
            .map(|(_, value)| &value[..])
            .collect();
        assert_eq!(values, [b"\x04\x09a gateway", &[0x80, 0][..], &[0x81, 0]]);
        assert_eq!(answer.names(), names);
    }

    #[test]
    fn version_1_fails_at_the_first_name_that_it_cannot_have() {
        for missing in [&[1, 3, 6, 1, 2, 1, 99, 0][..], &row(COLUMN_2, 9)] {
            let answer = ask(V1, GET, &[SYS_DESCR, missing]);
            assert_eq!((answer.status, answer.index), (2, 2));
            // RFC 1157 §4.1.2: the response is otherwise the request.
            assert_eq!(answer.names(), [SYS_DESCR, missing]);
            assert_eq!(answer.bindings[0].1, NULL);
        }
    }

    #[test]
    fn a_counter64_does_not_exist_in_version_1() {
        let answer = ask(V1, GET, &[&row(COLUMN_3, 1)]);
        assert_eq!((answer.status, answer.index), (2, 1));
        let next = ask(V1, GET_NEXT, &[&row(COLUMN_2, 3)]);
        assert_eq!(next.names(), [LAST]);
        let next = ask(V2C, GET_NEXT, &[&row(COLUMN_2, 3)]);
        assert_eq!(next.names(), [&row(COLUMN_3, 1)[..]]);
    }

    #[test]
    fn get_next_goes_column_by_column_to_the_end() {
        let mut name = vec![1, 3];
        let mut walked = Vec::new();
        loop {
            let answer = ask(V2C, GET_NEXT, &[&name]);
            let (next, value) = answer.bindings.into_iter().next().expect("one");
            if value == END_OF_MIB_VIEW {
                assert_eq!(next, name);
                break;
            }
            assert!(next > name);
            walked.push(next.clone());
            name = next;
        }
        assert!(walked.iter().eq(Bench::new().mib.instances.keys()));
    }

    #[test]
    fn version_1_ends_a_walk_with_no_such_name() {
        let answer = ask(V1, GET_NEXT, &[SYS_DESCR, LAST]);
        assert_eq!((answer.status, answer.index), (2, 2));
    }

    #[test]
    fn get_next_starts_at_any_name() {
        assert_eq!(ask(V2C, GET_NEXT, &[&[0, 0]]).names(), [SYS_DESCR]);
        let huge = [COLUMN_2, &[1, u32::MAX, u32::MAX]].concat();
        assert_eq!(
            ask(V2C, GET_NEXT, &[&huge]).names(),
            [&row(COLUMN_2, 2)[..]]
        );
        let long = [COLUMN_2, &[2][..], &[0; 117]].concat();
        assert_eq!(long.len(), 128);
        assert_eq!(
            ask(V2C, GET_NEXT, &[&long]).names(),
            [&row(COLUMN_2, 3)[..]]
        );
    }

    #[test]
    fn get_bulk_asks_some_once_and_the_others_often() {
        let answer = bulk(1, 2, &[&[1, 3], COLUMN_2, COLUMN_3]);
        assert_eq!(
            answer.names(),
            [
                SYS_DESCR,
                &row(COLUMN_2, 1),
                &row(COLUMN_3, 1),
                &row(COLUMN_2, 2),
                &row(COLUMN_3, 2),
            ]
        );
    }

    #[test]
    fn get_bulk_takes_negative_counts_for_zero() {
        assert_eq!(bulk(-1, 1, &[COLUMN_2]).names(), [&row(COLUMN_2, 1)[..]]);
        assert!(bulk(i32::MIN, i32::MIN, &[COLUMN_2]).names().is_empty());
        assert_eq!(bulk(1, -5, &[COLUMN_2, COLUMN_3]).names().len(), 1);
    }

    #[test]
    fn more_non_repeaters_than_names_are_all_the_names() {
        let answer = bulk(i32::MAX, i32::MAX, &[COLUMN_2, COLUMN_3]);
        assert_eq!(answer.names(), [&row(COLUMN_2, 1)[..], &row(COLUMN_3, 1)]);
        assert!(bulk(i32::MAX, i32::MAX, &[]).names().is_empty());
    }

    #[test]
    fn get_bulk_stops_when_every_column_has_ended() {
        let answer = bulk(0, i32::MAX, &[&row(COLUMN_3, 3), LAST]);
        // The last instance and one end; then two ends, and no more.
        assert_eq!(answer.names(), [LAST, LAST, LAST, LAST]);
        let ended = |at: usize| answer.bindings[at].1 == END_OF_MIB_VIEW;
        assert_eq!([0, 1, 2, 3].map(ended), [false, true, true, true]);
    }

    #[test]
    fn get_bulk_is_cut_at_its_end_to_fit() {
        let names = vec![COLUMN_2; 1000];
        let bindings: Vec<_> = names.iter().map(|&name| (name, NULL)).collect();
        let request = pdu(GET_BULK, 42, 0, i32::MAX, &bindings);
        let bench = Bench::new();
        let Outcome::Answer(datagram) = bench.handle(&community_datagram(V2C, "public", &request))
        else {
            panic!("no answer");
        };
        assert!(
            (1400..=1472).contains(&datagram.len()),
            "{}",
            datagram.len()
        );
        let answer = Answer::of_community(&datagram);
        assert_eq!(answer.status, 0);
        assert!(answer.names().iter().all(|name| *name == row(COLUMN_2, 1)));
    }

    #[test]
    fn get_bulk_is_too_big_only_when_not_even_one_binding_fits() {
        let mut bench = Bench::new();
        let long = crate::north::snmp::access::Value::Octets(vec![b'x'; 1500].into());
        bench.mib.instances.insert(SYS_DESCR.to_vec(), long);
        let request = |name| pdu(GET_BULK, 42, 0, 9, &[(name, NULL)]);
        let answer = bench.ask(V2C, &request(&[1, 3]));
        assert_eq!((answer.status, answer.index), (1, 0));
        assert!(answer.bindings.is_empty());
        let answer = bench.ask(V2C, &request(SYS_DESCR));
        assert_eq!(answer.status, 0);
        assert!(answer.names().len() > 1);
    }

    #[test]
    fn a_get_that_does_not_fit_is_too_big() {
        let names = vec![SYS_DESCR; 100];
        let answer = ask(V2C, GET, &names);
        assert_eq!((answer.status, answer.index), (1, 0));
        assert!(answer.bindings.is_empty());
    }
}
