//! The reading and the writing of async-snmp, at its strictest.

use async_snmp::message::{
    CommunityMessage, CommunityPdu, Message, MsgFlags, MsgGlobalData, ScopedPdu, SecurityLevel,
    V3Message,
};
use async_snmp::pdu::{Pdu, PduBody, PduType, StandardPduType};
use async_snmp::v3::UsmSecurityParams;
use async_snmp::{DecodeConfig, MessageSize, Oid, Value, VarBind};
use demarc::north::snmp::access;
use demarc::north::snmp::message::Version;
use demarc::north::snmp::pdu::Kind;
use demarc::north::snmp::response::Shown;

use super::facts::{Binding, Envelope, Facts};

pub(super) fn write(facts: &Facts) -> Vec<u8> {
    let written = match &facts.envelope {
        Envelope::Community(Version::V1, community) => {
            CommunityMessage::v1(community.as_slice(), pdu(facts)).and_then(|one| one.encode())
        }
        Envelope::Community(_, community) => {
            CommunityMessage::v2c(community.as_slice(), pdu(facts)).and_then(|one| one.encode())
        }
        Envelope::User {
            message_id,
            max_size,
            engine_id,
            boots,
            time,
            user,
            context,
        } => {
            let size = MessageSize::from_i32(*max_size).expect("at least 484");
            let flags = MsgFlags::new(SecurityLevel::NoAuthNoPriv, true);
            let global = MsgGlobalData::new(*message_id, size, flags).expect("in range");
            let (boots, time) = (boots.unsigned_abs(), time.unsigned_abs());
            let usm = UsmSecurityParams::new(engine_id.clone(), boots, time, user.clone());
            let usm = usm.and_then(|usm| usm.encode()).expect("in range");
            let scoped = ScopedPdu::new(engine_id.clone(), context.clone(), pdu(facts));
            V3Message::new(global, usm, scoped).and_then(|one| one.encode())
        }
    };
    written.expect("a request that can be written").to_vec()
}

fn pdu(facts: &Facts) -> Pdu {
    let standard = |pdu_type| PduBody::Standard {
        pdu_type,
        error_status: facts.first,
        error_index: facts.second,
    };
    let body = match facts.kind {
        Kind::Get => standard(StandardPduType::GetRequest),
        Kind::GetNext => standard(StandardPduType::GetNextRequest),
        Kind::Set => standard(StandardPduType::SetRequest),
        Kind::GetBulk => PduBody::GetBulk {
            non_repeaters: facts.first.unsigned_abs(),
            max_repetitions: facts.second.unsigned_abs(),
        },
        other => panic!("no request: {other:?}"),
    };
    let bindings = facts.bindings.iter();
    let bindings = bindings.map(|(name, value)| VarBind::new(Oid::from_slice(name), theirs(value)));
    Pdu::from_raw_parts(facts.request_id, body, bindings.collect())
}

pub(super) fn read(octets: &[u8]) -> Option<Facts> {
    let message = Message::decode(octets.to_vec().into(), DecodeConfig::STRICT).ok()?;
    match message.value {
        Message::Community(message) => {
            let (version, community, pdu) = message.into_parts();
            let version = match version {
                async_snmp::Version::V1 => Version::V1,
                async_snmp::Version::V2c => Version::V2c,
                _ => return None,
            };
            let CommunityPdu::Standard(pdu) = pdu else {
                return None;
            };
            read_pdu(
                Envelope::Community(version, community.as_bytes().to_vec()),
                pdu,
            )
        }
        Message::V3(message) => read_v3(message),
    }
}

fn read_v3(message: V3Message) -> Option<Facts> {
    let params = message.security_params().clone();
    let usm = UsmSecurityParams::decode(params, DecodeConfig::STRICT)
        .ok()?
        .value;
    let message_id = message.msg_id();
    let max_size = message.global_data().msg_max_size();
    let scoped = message.into_scoped_pdu()?;
    let envelope = Envelope::User {
        message_id,
        max_size: max_size.as_i32(),
        engine_id: usm.engine_id().to_vec(),
        boots: i32::try_from(usm.engine_boots()).ok()?,
        time: i32::try_from(usm.engine_time()).ok()?,
        user: String::from_utf8(usm.username().to_vec()).ok()?,
        context: scoped.context_name.to_vec(),
    };
    (*usm.engine_id() == scoped.context_engine_id).then_some(())?;
    read_pdu(envelope, scoped.pdu)
}

fn read_pdu(envelope: Envelope, pdu: Pdu) -> Option<Facts> {
    let kind = match pdu.pdu_type() {
        PduType::GetRequest => Kind::Get,
        PduType::GetNextRequest => Kind::GetNext,
        PduType::GetBulkRequest => Kind::GetBulk,
        PduType::SetRequest => Kind::Set,
        PduType::InformRequest => Kind::Inform,
        PduType::Response => Kind::Response,
        PduType::TrapV1 | PduType::TrapV2 => Kind::Trap,
        PduType::Report => Kind::Report,
    };
    let (request_id, body, bindings) = pdu.into_raw_parts();
    let (first, second) = match body {
        PduBody::Standard {
            error_status,
            error_index,
            ..
        } => (error_status, error_index),
        PduBody::GetBulk {
            non_repeaters,
            max_repetitions,
        } => (non_repeaters as i32, max_repetitions as i32),
    };
    let bindings = bindings.into_iter();
    let bindings = bindings.map(|one| Some((one.oid.arcs().to_vec(), ours(one.value)?)));
    Some(Facts {
        envelope,
        kind,
        request_id,
        first,
        second,
        bindings: bindings.collect::<Option<Vec<Binding>>>()?,
    })
}

fn theirs(value: &Option<Shown<'static>>) -> Value {
    use access::Value as Ours;
    match value {
        None => Value::Null,
        Some(Shown::NoSuchObject) => Value::NoSuchObject,
        Some(Shown::NoSuchInstance) => Value::NoSuchInstance,
        Some(Shown::EndOfMibView) => Value::EndOfMibView,
        Some(Shown::Value(value)) => match &**value {
            Ours::Integer(n) => Value::Integer(*n),
            Ours::Unsigned(n) => Value::Gauge32(*n),
            Ours::Counter32(n) => Value::Counter32(*n),
            Ours::Counter64(n) => Value::Counter64(*n),
            Ours::TimeTicks(n) => Value::TimeTicks(*n),
            Ours::Octets(octets) => Value::OctetString(octets.to_vec().into()),
            Ours::Oid(arcs) => Value::ObjectIdentifier(Oid::from_slice(arcs)),
            Ours::IpAddress(octets) => Value::IpAddress(*octets),
        },
    }
}

/// The outer `None` is a type that no object of ours has.
fn ours(value: Value) -> Option<Option<Shown<'static>>> {
    use access::Value as Ours;
    Some(Some(Shown::from(match value {
        Value::Null => return Some(None),
        Value::NoSuchObject => return Some(Some(Shown::NoSuchObject)),
        Value::NoSuchInstance => return Some(Some(Shown::NoSuchInstance)),
        Value::EndOfMibView => return Some(Some(Shown::EndOfMibView)),
        Value::Integer(n) => Ours::Integer(n),
        Value::Gauge32(n) => Ours::Unsigned(n),
        Value::Counter32(n) => Ours::Counter32(n),
        Value::Counter64(n) => Ours::Counter64(n),
        Value::TimeTicks(n) => Ours::TimeTicks(n),
        Value::OctetString(octets) => Ours::octets(octets),
        Value::ObjectIdentifier(oid) => Ours::Oid(oid.arcs().into()),
        Value::IpAddress(octets) => Ours::IpAddress(octets),
        _ => return None,
    })))
}
