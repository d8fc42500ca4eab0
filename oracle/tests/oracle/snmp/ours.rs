//! Our reading and our writing.

use async_snmp::v3::SaltCounter;
use demarc::north::snmp::encode::List;
use demarc::north::snmp::identity::{Clock, EngineId};
use demarc::north::snmp::message::{Message, ScopedPdu, V3Message, Version};
use demarc::north::snmp::pdu::{Kind, Pdu};
use demarc::north::snmp::reply::{self, MAX_DATAGRAM, ReplyTo, Sender};
use demarc::north::snmp::response::{self, Bindings, Response, Shown};
use demarc::north::snmp::status::{Failure, Status};
use demarc::north::snmp::usm;

use super::facts::{Binding, Envelope, Facts};

/// The longest message that our agent takes.
pub(super) const MAX_SIZE: i32 = MAX_DATAGRAM as i32;

/// The id under which our agent answers.
pub(super) fn engine_id() -> Vec<u8> {
    EngineId::new(ID).as_bytes().to_vec()
}

pub(super) fn read(octets: &[u8]) -> Option<Facts> {
    match Message::open(octets).ok()? {
        Message::Community(message) => {
            let envelope = Envelope::Community(message.version, message.community.to_vec());
            facts(envelope, message.pdu, message.version)
        }
        Message::V3(message) => {
            let scoped = ScopedPdu::open(message.data).ok()?;
            facts(user(&message, &scoped)?, scoped.pdu, Version::V3)
        }
    }
}

fn user(message: &V3Message<'_>, scoped: &ScopedPdu<'_>) -> Option<Envelope> {
    let usm = usm::parameters(message).ok()?;
    // The facts have one engine: it speaks for its own contexts.
    (usm.msg_authoritative_engine_id == scoped.context_engine_id).then_some(Envelope::User {
        message_id: message.id,
        max_size: i32::try_from(message.max_size).ok()?,
        engine_id: usm.msg_authoritative_engine_id.to_vec(),
        boots: i32::try_from(usm.msg_authoritative_engine_boots).ok()?,
        time: i32::try_from(usm.msg_authoritative_engine_time).ok()?,
        user: usm.msg_user_name,
        context: scoped.context_name.to_vec(),
    })
}

fn facts(envelope: Envelope, pdu: &[u8], version: Version) -> Option<Facts> {
    let pdu = Pdu::read(pdu, version).ok()?;
    let values = pdu.bindings.iter().zip(pdu.wishes());
    let bindings = values.map(|(binding, wish)| {
        let value = match (binding.value.tag, binding.value.content) {
            (0x05, []) => None,
            (0x80, []) => Some(Shown::NoSuchObject),
            (0x81, []) => Some(Shown::NoSuchInstance),
            (0x82, []) => Some(Shown::EndOfMibView),
            _ => Some(wish.value.ok()?.into()),
        };
        Some((binding.name.to_vec(), value))
    });
    Some(Facts {
        envelope,
        kind: pdu.kind,
        request_id: pdu.request_id,
        first: pdu.non_repeaters,
        second: pdu.max_repetitions,
        bindings: bindings.collect::<Option<Vec<Binding>>>()?,
    })
}

/// Our agent writes nothing but Responses and Reports.
pub(super) fn write(facts: &Facts) -> Vec<u8> {
    let (envelope, clock) = match &facts.envelope {
        Envelope::Community(version, community) => (
            reply::Envelope::Community {
                version: *version,
                community: community.as_slice().into(),
            },
            Clock { boots: 0, time: 0 },
        ),
        Envelope::User {
            message_id,
            boots,
            time,
            user,
            ..
        } => (
            reply::Envelope::V3 {
                id: *message_id,
                user_name: user.clone(),
                security: None,
                context: None,
            },
            Clock {
                boots: boots.unsigned_abs(),
                time: time.unsigned_abs(),
            },
        ),
    };
    let reply = ReplyTo {
        limit: MAX_DATAGRAM,
        envelope,
    };
    let sender = Sender {
        engine_id: &EngineId::new(ID),
        clock,
        salts: &SaltCounter::new().expect("random octets"),
    };
    reply.write(&response(facts), sender).expect("it fits")
}

fn response(facts: &Facts) -> Response<'static> {
    let mut list = List::default();
    for (name, value) in &facts.bindings {
        let value = value.as_ref().expect("no answer holds NULL");
        list.push(name[..].into(), value);
    }
    Response {
        kind: match facts.kind {
            Kind::Report => response::Kind::Report,
            _ => response::Kind::Response,
        },
        request_id: facts.request_id,
        failure: match facts.first {
            0 => Failure::whole(Status::NoError),
            _ => Failure::at(0, Status::NoSuchName),
        },
        bindings: Bindings::List(list),
        list: &[],
    }
}

const ID: [u8; 8] = *b"demarc!!";
