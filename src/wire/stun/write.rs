//! Writing messages.

use super::integrity::Key;
use super::read::unmasked;
use super::{
    Attribute, BINDING, BINDING_CHANGE, BINDING_OF, CONNECTION_REQUEST_BINDING, COOKIE, Class,
    ERROR_CODE, HEADER, MAPPED_ADDRESS, MESSAGE_INTEGRITY, Message, NONCE, REALM, RESPONSE_ADDRESS,
    RESPONSE_PORT, USERNAME, XOR_MAPPED_ADDRESS,
};
use std::net::{IpAddr, SocketAddr};

pub(super) fn message(message: &Message, key: Option<&Key>) -> Vec<u8> {
    let class = match message.class {
        Class::Request => 0x0000,
        Class::Indication => 0x0010,
        Class::Success => 0x0100,
        Class::Error => 0x0110,
    };
    let kind: u16 = BINDING | class;
    let mut octets = Vec::with_capacity(128);
    octets.extend(kind.to_be_bytes());
    octets.extend([0, 0]);
    octets.extend(COOKIE.to_be_bytes());
    octets.extend(message.id.0);
    for attribute in &message.attributes {
        let (kind, value) = value(attribute, message);
        push(&mut octets, kind, &value);
    }
    if let Some(digest) = key.and_then(|key| key.digest(&octets)) {
        push(&mut octets, MESSAGE_INTEGRITY, &digest);
    }
    let length = u16::try_from(octets.len() - HEADER).unwrap_or(u16::MAX);
    octets[2..4].copy_from_slice(&length.to_be_bytes());
    octets
}

fn value(attribute: &Attribute, message: &Message) -> (u16, Vec<u8>) {
    match attribute {
        Attribute::MappedAddress(to) => (MAPPED_ADDRESS, address(*to)),
        Attribute::ResponseAddress(to) => (RESPONSE_ADDRESS, address(*to)),
        Attribute::XorMappedAddress(to) => (XOR_MAPPED_ADDRESS, address(unmasked(*to, message.id))),
        Attribute::ResponsePort(port) => {
            let [high, low] = port.to_be_bytes();
            (RESPONSE_PORT, vec![high, low, 0, 0])
        }
        Attribute::Username(name) => (USERNAME, name.clone()),
        Attribute::Realm(realm) => (REALM, realm.clone()),
        Attribute::Nonce(nonce) => (NONCE, nonce.clone()),
        Attribute::ErrorCode(code, reason) => {
            let hundreds = u8::try_from(code / 100).unwrap_or_default();
            let rest = u8::try_from(code % 100).unwrap_or_default();
            let mut value = vec![0, 0, hundreds, rest];
            value.extend(reason.as_bytes());
            (ERROR_CODE, value)
        }
        Attribute::ConnectionRequestBinding => (CONNECTION_REQUEST_BINDING, BINDING_OF.to_vec()),
        Attribute::BindingChange => (BINDING_CHANGE, Vec::new()),
        Attribute::Unknown(kind) => (*kind, Vec::new()),
    }
}

fn address(to: SocketAddr) -> Vec<u8> {
    let (family, octets) = match to.ip() {
        IpAddr::V4(ip) => (1, ip.octets().to_vec()),
        IpAddr::V6(ip) => (2, ip.octets().to_vec()),
    };
    let [high, low] = to.port().to_be_bytes();
    [vec![0, family, high, low], octets].concat()
}

fn push(octets: &mut Vec<u8>, kind: u16, value: &[u8]) {
    let length = u16::try_from(value.len()).unwrap_or(u16::MAX);
    octets.extend(kind.to_be_bytes());
    octets.extend(length.to_be_bytes());
    octets.extend(value);
    octets.resize(octets.len().next_multiple_of(4), 0);
}
