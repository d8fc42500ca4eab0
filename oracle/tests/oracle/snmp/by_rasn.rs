//! The reading and the writing of rasn-snmp, which is made from the RFCs' ASN.1.

use demarc::north::snmp::access::Value;
use demarc::north::snmp::message::Version;
use demarc::north::snmp::pdu::Kind;
use demarc::north::snmp::response::Shown;
use rasn::ber;
use rasn::types::{Integer, ObjectIdentifier};
use rasn_smi::{v1 as smi1, v2 as smi2};
use rasn_snmp::{v1, v2, v2c, v3};

use super::facts::{Binding, Envelope, Facts};

pub(super) fn write(facts: &Facts) -> Vec<u8> {
    let written = match &facts.envelope {
        Envelope::Community(version, community) => ber::encode(&v2c::Message {
            version: number(*version),
            community: community.clone().into(),
            data: pdus(facts),
        }),
        Envelope::User {
            message_id,
            max_size,
            engine_id,
            boots,
            time,
            user,
            context,
        } => {
            let usm = ber::encode(&v3::USMSecurityParameters {
                authoritative_engine_id: engine_id.clone().into(),
                authoritative_engine_boots: (*boots).into(),
                authoritative_engine_time: (*time).into(),
                user_name: user.clone().into_bytes().into(),
                authentication_parameters: Vec::new().into(),
                privacy_parameters: Vec::new().into(),
            });
            ber::encode(&v3::Message {
                version: number(Version::V3),
                global_data: v3::HeaderData {
                    message_id: (*message_id).into(),
                    max_size: (*max_size).into(),
                    flags: vec![REPORTABLE].into(),
                    security_model: USM.into(),
                },
                security_parameters: usm.expect("written").into(),
                scoped_data: v3::ScopedPduData::CleartextPdu(v3::ScopedPdu {
                    engine_id: engine_id.clone().into(),
                    name: context.clone().into(),
                    data: pdus(facts),
                }),
            })
        }
    };
    written.expect("a message that can be written")
}

fn number(version: Version) -> Integer {
    match version {
        Version::V1 => 0.into(),
        Version::V2c => 1.into(),
        Version::V3 => 3.into(),
    }
}

/// The PDUs of v1 but the trap have the layout of v2's.
fn pdus(facts: &Facts) -> v2::Pdus {
    let bindings = facts.bindings.iter().map(|(name, value)| v2::VarBind {
        name: object_identifier(name),
        value: theirs(value),
    });
    let variable_bindings = bindings.collect();
    let (first, second) = (facts.first.unsigned_abs(), facts.second.unsigned_abs());
    if facts.kind == Kind::GetBulk {
        return v2::Pdus::GetBulkRequest(v2::GetBulkRequest(v2::BulkPdu {
            request_id: facts.request_id,
            non_repeaters: first,
            max_repetitions: second,
            variable_bindings,
        }));
    }
    let pdu = v2::Pdu {
        request_id: facts.request_id,
        error_status: first,
        error_index: second,
        variable_bindings,
    };
    match facts.kind {
        Kind::Get => v2::Pdus::GetRequest(v2::GetRequest(pdu)),
        Kind::GetNext => v2::Pdus::GetNextRequest(v2::GetNextRequest(pdu)),
        Kind::Set => v2::Pdus::SetRequest(v2::SetRequest(pdu)),
        other => panic!("no request: {other:?}"),
    }
}

pub(super) fn read(octets: &[u8]) -> Option<Facts> {
    if let Ok(message) = ber::decode::<v3::Message>(octets) {
        return read_v3(message);
    }
    let message = ber::decode::<v2c::Message<v2::Pdus>>(octets).ok()?;
    let version = match i32::try_from(&message.version).ok()? {
        0 => Version::V1,
        1 => Version::V2c,
        _ => return None,
    };
    read_pdus(
        Envelope::Community(version, message.community.to_vec()),
        message.data,
    )
}

fn read_v3(message: v3::Message) -> Option<Facts> {
    let usm: v3::USMSecurityParameters = ber::decode(&message.security_parameters).ok()?;
    let v3::ScopedPduData::CleartextPdu(scoped) = message.scoped_data else {
        return None;
    };
    let (header, clear) = (
        &message.global_data,
        scoped.engine_id == usm.authoritative_engine_id,
    );
    // The library reads the ASN.1; which numbers mean what is prose.
    let is_usm = header.security_model == Integer::from(USM) && header.flags.len() == 1;
    (clear && is_usm && message.version == number(Version::V3)).then_some(())?;
    let envelope = Envelope::User {
        message_id: i32::try_from(&header.message_id).ok()?,
        max_size: i32::try_from(&header.max_size).ok()?,
        engine_id: usm.authoritative_engine_id.to_vec(),
        boots: i32::try_from(&usm.authoritative_engine_boots).ok()?,
        time: i32::try_from(&usm.authoritative_engine_time).ok()?,
        user: String::from_utf8(usm.user_name.to_vec()).ok()?,
        context: scoped.name.to_vec(),
    };
    read_pdus(envelope, scoped.data)
}

fn read_pdus(envelope: Envelope, pdus: v2::Pdus) -> Option<Facts> {
    let (kind, pdu) = match pdus {
        v2::Pdus::GetBulkRequest(v2::GetBulkRequest(bulk)) => (
            Kind::GetBulk,
            v2::Pdu {
                request_id: bulk.request_id,
                error_status: bulk.non_repeaters,
                error_index: bulk.max_repetitions,
                variable_bindings: bulk.variable_bindings,
            },
        ),
        v2::Pdus::GetRequest(v2::GetRequest(pdu)) => (Kind::Get, pdu),
        v2::Pdus::GetNextRequest(v2::GetNextRequest(pdu)) => (Kind::GetNext, pdu),
        v2::Pdus::Response(v2::Response(pdu)) => (Kind::Response, pdu),
        v2::Pdus::SetRequest(v2::SetRequest(pdu)) => (Kind::Set, pdu),
        v2::Pdus::InformRequest(v2::InformRequest(pdu)) => (Kind::Inform, pdu),
        v2::Pdus::Trap(v2::Trap(pdu)) => (Kind::Trap, pdu),
        v2::Pdus::Report(v2::Report(pdu)) => (Kind::Report, pdu),
    };
    let bindings = pdu.variable_bindings.into_iter();
    let bindings = bindings.map(|one| Some((one.name.to_vec(), ours(one.value)?)));
    Some(Facts {
        envelope,
        kind,
        request_id: pdu.request_id,
        first: i32::try_from(pdu.error_status).ok()?,
        second: i32::try_from(pdu.error_index).ok()?,
        bindings: bindings.collect::<Option<Vec<Binding>>>()?,
    })
}

/// The bindings of a response by the ASN.1 of SNMPv1.
pub(super) fn read_v1(octets: &[u8]) -> Option<Vec<Binding>> {
    let message = ber::decode::<v1::Message<v1::Pdus>>(octets).ok()?;
    let v1::Pdus::GetResponse(v1::GetResponse(pdu)) = message.data else {
        return None;
    };
    let bindings = pdu.variable_bindings.into_iter().map(|one| {
        let value = match one.value {
            smi1::ObjectSyntax::Simple(simple) => match simple {
                smi1::SimpleSyntax::Number(n) => Value::Integer(i32::try_from(&n).ok()?),
                smi1::SimpleSyntax::String(octets) => Value::octets(octets),
                smi1::SimpleSyntax::Object(oid) => Value::Oid(oid.to_vec().into()),
                smi1::SimpleSyntax::Empty => return Some((one.name.to_vec(), None)),
            },
            smi1::ObjectSyntax::ApplicationWide(wide) => match wide {
                smi1::ApplicationSyntax::Address(smi1::NetworkAddress::Internet(address)) => {
                    Value::IpAddress(*address.0)
                }
                smi1::ApplicationSyntax::Counter(n) => Value::Counter32(n.0),
                smi1::ApplicationSyntax::Gauge(n) => Value::Unsigned(n.0),
                smi1::ApplicationSyntax::Ticks(n) => Value::TimeTicks(n.0),
                smi1::ApplicationSyntax::Arbitrary(_) => return None,
            },
        };
        Some((one.name.to_vec(), Some(Shown::from(value))))
    });
    bindings.collect()
}

fn theirs(value: &Option<Shown<'static>>) -> v2::VarBindValue {
    let value = match value {
        None => return v2::VarBindValue::Unspecified,
        Some(Shown::NoSuchObject) => return v2::VarBindValue::NoSuchObject,
        Some(Shown::NoSuchInstance) => return v2::VarBindValue::NoSuchInstance,
        Some(Shown::EndOfMibView) => return v2::VarBindValue::EndOfMibView,
        Some(Shown::Value(value)) => &**value,
    };
    v2::VarBindValue::Value(match value {
        Value::Integer(n) => Integer::from(*n).into(),
        Value::Unsigned(n) => smi1::Gauge(*n).into(),
        Value::Counter32(n) => smi1::Counter(*n).into(),
        Value::Counter64(n) => smi2::Counter64(*n).into(),
        Value::TimeTicks(n) => smi1::TimeTicks(*n).into(),
        Value::Octets(octets) => rasn::types::OctetString::from(octets.to_vec()).into(),
        Value::Oid(arcs) => object_identifier(arcs).into(),
        Value::IpAddress(octets) => smi1::IpAddress((*octets).into()).into(),
    })
}

/// The outer `None` is a type that no object of ours has.
fn ours(value: v2::VarBindValue) -> Option<Option<Shown<'static>>> {
    use smi2::{ApplicationSyntax, ObjectSyntax, SimpleSyntax};
    let syntax = match value {
        v2::VarBindValue::Unspecified => return Some(None),
        v2::VarBindValue::NoSuchObject => return Some(Some(Shown::NoSuchObject)),
        v2::VarBindValue::NoSuchInstance => return Some(Some(Shown::NoSuchInstance)),
        v2::VarBindValue::EndOfMibView => return Some(Some(Shown::EndOfMibView)),
        v2::VarBindValue::Value(syntax) => syntax,
    };
    Some(Some(Shown::from(match syntax {
        ObjectSyntax::Simple(SimpleSyntax::Integer(n)) => Value::Integer(i32::try_from(&n).ok()?),
        ObjectSyntax::Simple(SimpleSyntax::String(octets)) => Value::octets(octets),
        ObjectSyntax::Simple(SimpleSyntax::ObjectId(oid)) => Value::Oid(oid.to_vec().into()),
        ObjectSyntax::ApplicationWide(wide) => match wide {
            ApplicationSyntax::Address(address) => Value::IpAddress(*address.0),
            ApplicationSyntax::Counter(n) => Value::Counter32(n.0),
            ApplicationSyntax::Ticks(n) => Value::TimeTicks(n.0),
            ApplicationSyntax::BigCounter(n) => Value::Counter64(n.0),
            ApplicationSyntax::Unsigned(n) => Value::Unsigned(n.0),
            ApplicationSyntax::Arbitrary(_) => return None,
        },
    })))
}

fn object_identifier(arcs: &[u32]) -> ObjectIdentifier {
    ObjectIdentifier::new_unchecked(arcs.to_vec().into())
}

const REPORTABLE: u8 = 4;
const USM: i32 = 3;
