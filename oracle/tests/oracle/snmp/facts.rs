//! What a message says, in words that every codec's reading can be put into.

use demarc::north::snmp::access::Value;
use demarc::north::snmp::message::Version;
use demarc::north::snmp::pdu::Kind;
use demarc::north::snmp::response::Shown;
use proptest::collection::vec;
use proptest::prelude::*;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) envelope: Envelope,
    pub(super) kind: Kind,
    pub(super) request_id: i32,
    /// error-status or non-repeaters.
    pub(super) first: i32,
    /// error-index or max-repetitions.
    pub(super) second: i32,
    pub(super) bindings: Vec<Binding>,
}

/// What stands around the PDU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Envelope {
    /// v1 and v2c.
    Community(Version, Vec<u8>),
    /// v3, neither authenticated nor encrypted.
    User {
        message_id: i32,
        max_size: i32,
        engine_id: Vec<u8>,
        boots: i32,
        time: i32,
        user: String,
        context: Vec<u8>,
    },
}

/// A name and its value; `None` is NULL.
pub(super) type Binding = (Vec<u32>, Option<Shown<'static>>);

/// Every type that SNMPv1 has.
pub(super) fn one_of_each_but_counter64() -> Vec<Binding> {
    let values = [
        Value::Integer(i32::MIN),
        Value::Unsigned(u32::MAX),
        Value::Counter32(1 << 31),
        Value::TimeTicks(0),
        Value::Octets([].into()),
        Value::Oid([2, 999, u32::MAX].into()),
        Value::IpAddress([192, 0, 2, 1]),
    ];
    let bind = |(row, value)| (vec![1, 3, row], Some(Shown::from(value)));
    (1..).zip(values).map(bind).collect()
}

/// A request of v1 or v2c.
pub(super) fn community_request() -> impl Strategy<Value = Facts> {
    let version = prop_oneof![Just(Version::V1), Just(Version::V2c)];
    (version, vec(any::<u8>(), 0..40)).prop_flat_map(|(version, community)| {
        request(Envelope::Community(version, community), version)
    })
}

/// A request of v3.
pub(super) fn user_request() -> impl Strategy<Value = Facts> {
    user().prop_flat_map(|envelope| request(envelope, Version::V3))
}

/// A response, or to a user also a Report.
pub(super) fn answer() -> impl Strategy<Value = Facts> {
    let version = prop_oneof![Just(Version::V1), Just(Version::V2c)];
    let community = (version, vec(any::<u8>(), 0..40))
        .prop_map(|(version, community)| Envelope::Community(version, community));
    // Our agent answers in the default context and names its own longest message.
    let user = user().prop_map(|envelope| match envelope {
        Envelope::User {
            message_id,
            boots,
            time,
            user,
            ..
        } => Envelope::User {
            message_id,
            max_size: super::ours::MAX_SIZE,
            engine_id: super::ours::engine_id(),
            boots,
            time,
            user,
            context: Vec::new(),
        },
        community => community,
    });
    let envelope = prop_oneof![community, user];
    let bindings = |version| vec((any_oid(), shown(version)), 0..5);
    envelope.prop_flat_map(move |envelope| {
        let (version, kinds) = match &envelope {
            Envelope::Community(version, _) => (*version, vec![Kind::Response]),
            Envelope::User { .. } => (Version::V3, vec![Kind::Response, Kind::Report]),
        };
        let kind = prop::sample::select(kinds);
        (Just(envelope), kind, any::<i32>(), bindings(version)).prop_map(
            |(envelope, kind, request_id, bindings)| Facts {
                envelope,
                kind,
                request_id,
                first: 0,
                second: 0,
                bindings,
            },
        )
    })
}

fn user() -> impl Strategy<Value = Envelope> {
    let numbers = (0..=i32::MAX, 484..=i32::MAX, 0..=i32::MAX, 0..=i32::MAX);
    (
        numbers,
        vec(any::<u8>(), 5..=32),
        "[a-z]{1,32}",
        vec(any::<u8>(), 0..=32),
    )
        .prop_filter("not all the same octet", |(_, id, ..)| {
            // RFC 3411 §5: an id of nothing but 0 or ff is none.
            id.iter().any(|octet| *octet != 0) && id.iter().any(|octet| *octet != 0xff)
        })
        .prop_map(|(numbers, engine_id, user, context)| Envelope::User {
            message_id: numbers.0,
            max_size: numbers.1,
            boots: numbers.2,
            time: numbers.3,
            engine_id,
            user,
            context,
        })
}

fn request(envelope: Envelope, version: Version) -> impl Strategy<Value = Facts> {
    let mut kinds = vec![Kind::Get, Kind::GetNext, Kind::Set];
    if version != Version::V1 {
        kinds.push(Kind::GetBulk);
    }
    let kind = prop::sample::select(kinds);
    (kind, any::<i32>(), 0..=i32::MAX, 0..=i32::MAX).prop_flat_map(
        move |(kind, request_id, first, second)| {
            let bulk = kind == Kind::GetBulk;
            let value = match kind {
                Kind::Set => value(version).prop_map(Shown::from).prop_map(Some).boxed(),
                _ => Just(None).boxed(),
            };
            let envelope = envelope.clone();
            vec((any_oid(), value), 0..5).prop_map(move |bindings| Facts {
                envelope: envelope.clone(),
                kind,
                request_id,
                first: if bulk { first } else { 0 },
                second: if bulk { second } else { 0 },
                bindings,
            })
        },
    )
}

fn shown(version: Version) -> impl Strategy<Value = Option<Shown<'static>>> {
    let value = value(version).prop_map(Shown::from);
    let exception = prop_oneof![
        Just(Shown::NoSuchObject),
        Just(Shown::NoSuchInstance),
        Just(Shown::EndOfMibView),
    ];
    match version {
        Version::V1 => value.boxed(),
        Version::V2c | Version::V3 => prop_oneof![4 => value, 1 => exception].boxed(),
    }
    .prop_map(Some)
}

/// RFC 3584 §4.2.2.1: SNMPv1 has no Counter64.
fn value(version: Version) -> impl Strategy<Value = Value> {
    let counter64 = any::<u64>().prop_map(Value::Counter64);
    let others = prop_oneof![
        edge(
            any::<i32>(),
            &[0, -1, 127, 128, -128, -129, i32::MIN, i32::MAX]
        )
        .prop_map(Value::Integer),
        number().prop_map(Value::Unsigned),
        number().prop_map(Value::Counter32),
        number().prop_map(Value::TimeTicks),
        any::<[u8; 4]>().prop_map(Value::IpAddress),
        any_oid().prop_map(|arcs| Value::Oid(arcs.into())),
        vec(any::<u8>(), 0..200).prop_map(Value::octets),
    ];
    match version {
        Version::V1 => others.boxed(),
        Version::V2c | Version::V3 => prop_oneof![6 => others, 1 => counter64].boxed(),
    }
}

fn number() -> impl Strategy<Value = u32> {
    edge(
        any::<u32>(),
        &[0, 127, 128, 1 << 31, (1 << 31) - 1, u32::MAX],
    )
}

fn edge<T: Clone + std::fmt::Debug + 'static>(
    any: impl Strategy<Value = T> + 'static,
    edges: &[T],
) -> impl Strategy<Value = T> {
    prop_oneof![any, prop::sample::select(edges.to_vec())]
}

/// RFC 2578 §3.5: 2 to 128 sub-identifiers, each up to 2^32-1.
pub(super) fn any_oid() -> impl Strategy<Value = Vec<u32>> {
    let arc = || prop_oneof![0..300u32, any::<u32>()];
    let root = prop_oneof![(0..2u32, 0..40u32), (Just(2), 0..u32::MAX - 79),];
    (root, vec(arc(), 0..20)).prop_map(|((top, second), rest)| [vec![top, second], rest].concat())
}
