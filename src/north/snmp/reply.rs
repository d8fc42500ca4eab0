//! The way back to whoever asked.
//!
//! A [`ReplyTo`] remembers of a request what its answer needs, so that the
//! answer to a SET can leave long after the request's datagram is gone. It
//! puts the envelope of the request's version around a response, signs and
//! encrypts it.

use std::sync::Arc;

use async_snmp::v3::SaltCounter;
use async_snmp::v3::auth::authenticate_message;

use super::encode::write_pdu;
use super::identity::{Clock, EngineId, LOCAL_ENGINE_ID};
use super::message::{Level, USM, Version};
use super::response::Response;
use super::user::User;
use crate::wire::ber::{self, Writer};

/// The longest datagram that the agent takes (UDP over IPv4), its own msgMaxSize.
pub const MAX_DATAGRAM: usize = 65_507;

/// The engine as it shows in what it sends.
#[derive(Clone, Copy)]
pub struct Sender<'a> {
    /// Its id, authoritative for every message that it sends here.
    pub engine_id: &'a EngineId,
    /// Its boots and time.
    pub clock: Clock,
    /// Where the salts of encrypted messages come from.
    pub salts: &'a SaltCounter,
}

/// Where and how an answer goes back.
#[derive(Debug)]
pub struct ReplyTo {
    /// The longest message that may be sent, in octets.
    pub limit: usize,
    /// What stands around the PDU.
    pub envelope: Envelope,
}

/// What stands around the PDU of an answer.
#[derive(Debug)]
pub enum Envelope {
    /// v1 and v2c: the community comes back.
    Community {
        /// V1 or V2c.
        version: Version,
        /// The request's community.
        community: Box<[u8]>,
    },
    /// v3: the message is made anew.
    V3 {
        /// The request's msgID.
        id: i32,
        /// The request's msgUserName.
        user_name: String,
        /// The keys and how much of them is used; `None` protects nothing.
        security: Option<(Arc<User>, Level)>,
        /// The request's contextEngineID, where it was localEngineID (RFC 5343).
        context: Option<[u8; LOCAL_ENGINE_ID.len()]>,
    },
}

impl ReplyTo {
    /// The version in which the answer is given.
    pub fn version(&self) -> Version {
        match self.envelope {
            Envelope::Community { version, .. } => version,
            Envelope::V3 { .. } => Version::V3,
        }
    }

    /// The answer stands in the context in which was asked (RFC 3412 §7.1 (4)).
    pub fn answer_under(&mut self, asked: &[u8]) {
        if let Envelope::V3 { context, .. } = &mut self.envelope {
            *context = (asked == LOCAL_ENGINE_ID).then_some(LOCAL_ENGINE_ID);
        }
    }

    /// How many octets of bindings surely fit.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.overhead())
    }

    /// The answer as a datagram; `None` if it is longer than the limit.
    pub fn write(&self, response: &Response<'_>, sender: Sender<'_>) -> Option<Vec<u8>> {
        let datagram = match &self.envelope {
            Envelope::Community { version, community } => {
                Some(community_message(*version, community, response))
            }
            Envelope::V3 {
                id,
                user_name,
                security,
                context,
            } => {
                let header = Header {
                    id: *id,
                    context: context.as_ref().map(<[u8; _]>::as_slice),
                    user_name,
                    level: security
                        .as_ref()
                        .map_or(Level::NoAuthNoPriv, |(_, level)| *level),
                    user: security.as_ref().map(|(user, _)| &**user),
                };
                v3_message(&header, response, sender)
            }
        };
        datagram.filter(|datagram| datagram.len() <= self.limit)
    }

    /// An upper bound of what is written around the bindings.
    fn overhead(&self) -> usize {
        const HEADER: usize = 4;
        const INTEGER: usize = 6;
        const PDU: usize = 2 * HEADER + 3 * INTEGER;
        match &self.envelope {
            Envelope::Community { community, .. } => {
                HEADER + INTEGER + HEADER + community.len() + PDU
            }
            Envelope::V3 {
                user_name,
                security,
                ..
            } => {
                let digest = security
                    .as_ref()
                    .and_then(|(user, _)| user.auth())
                    .map_or(0, |key| key.mac_len());
                let engine_id = HEADER + size_of::<EngineId>();
                let global = HEADER + 4 * INTEGER;
                let usm = 6 * HEADER + engine_id + 2 * INTEGER + user_name.len() + digest + SALT;
                let scoped = 3 * HEADER + engine_id;
                HEADER + INTEGER + global + usm + scoped + PDU
            }
        }
    }
}

/// The length of msgPrivacyParameters (RFC 3826 §3.1.2.1).
const SALT: usize = 8;

fn community_message(version: Version, community: &[u8], response: &Response<'_>) -> Vec<u8> {
    let mut writer = Writer::with_capacity(ENOUGH);
    writer.sequence(|writer| {
        writer.integer(match version {
            Version::V1 => 0,
            Version::V2c => 1,
            Version::V3 => 3,
        });
        writer.octet_string(community);
        write_pdu(writer, response);
    });
    writer.finish()
}

/// Octets that hold all but the longest answers without growing.
const ENOUGH: usize = 1500;

struct Header<'a> {
    id: i32,
    /// The contextEngineID, where it is not the engine's.
    context: Option<&'a [u8]>,
    user_name: &'a str,
    level: Level,
    user: Option<&'a User>,
}

/// RFC 3412 §7.1 and RFC 3414 §3.1.
fn v3_message(header: &Header<'_>, response: &Response<'_>, sender: Sender<'_>) -> Option<Vec<u8>> {
    let (data, salt) = message_data(header, response, sender)?;
    let auth = header.user.and_then(User::auth);
    let auth = auth.filter(|_| header.level >= Level::AuthNoPriv);
    let digest = [0; MAX_DIGEST];
    let digest = &digest[..auth.map_or(0, |key| key.mac_len())];
    let mut writer = Writer::with_capacity(data.len() + 2 * MAX_DIGEST + 128);
    writer.sequence(|writer| {
        writer.integer(3);
        write_global(writer, header);
        writer.constructed(ber::OCTET_STRING, |writer| {
            writer.sequence(|writer| {
                writer.octet_string(sender.engine_id.as_bytes());
                // In the clear too: it saves the asker a second discovery.
                writer.integer(sender.clock.boots.cast_signed());
                writer.integer(sender.clock.time.cast_signed());
                writer.octet_string(header.user_name.as_bytes());
                writer.octet_string(digest);
                writer.octet_string(&salt);
            });
        });
        writer.raw(&data);
    });
    let mut datagram = writer.finish();
    if let Some(key) = auth {
        let after = 2 + salt.len() + data.len();
        let offset = datagram.len() - after - digest.len();
        authenticate_message(key, &mut datagram, offset, digest.len()).ok()?;
    }
    Some(datagram)
}

/// msgData, in the clear or encrypted, and the salt of its encryption.
fn message_data(
    header: &Header<'_>,
    response: &Response<'_>,
    sender: Sender<'_>,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut scoped = Writer::with_capacity(ENOUGH);
    scoped.sequence(|writer| {
        let context = header.context.unwrap_or(sender.engine_id.as_bytes());
        writer.octet_string(context);
        writer.octet_string(&[]);
        write_pdu(writer, response);
    });
    let scoped = scoped.finish();
    let Clock { boots, time } = sender.clock;
    match header.user.and_then(User::privacy) {
        Some(key) if header.level == Level::AuthPriv => {
            let (secret, salt) = key.encrypt_aes(&scoped, boots, time, sender.salts).ok()?;
            let mut data = Writer::with_capacity(secret.len() + 4);
            data.octet_string(&secret);
            Some((data.finish(), salt.to_vec()))
        }
        _ => Some((scoped, Vec::new())),
    }
}

/// The longest digest, HMAC-384-SHA-512's.
const MAX_DIGEST: usize = 48;

/// msgGlobalData; an answer is never reportable (RFC 3412 §6.4).
fn write_global(writer: &mut Writer, header: &Header<'_>) {
    let flags = match header.level {
        Level::NoAuthNoPriv => 0,
        Level::AuthNoPriv => 1,
        Level::AuthPriv => 3,
    };
    writer.sequence(|writer| {
        writer.integer(header.id);
        writer.unsigned(ber::INTEGER, MAX_DATAGRAM as u32);
        writer.octet_string(&[flags]);
        writer.unsigned(ber::INTEGER, USM);
    });
}
