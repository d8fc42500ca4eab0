//! Reading messages.

use super::{
    Attribute, BINDING, BINDING_CHANGE, CLASS, CONNECTION_REQUEST_BINDING, COOKIE, Class,
    ERROR_CODE, Fault, HEADER, Id, MAPPED_ADDRESS, MESSAGE_INTEGRITY, MOST_ATTRIBUTES, Message,
    NONCE, OPTIONAL, REALM, RESPONSE_ADDRESS, RESPONSE_PORT, USERNAME, XOR_MAPPED_ADDRESS,
};
use std::net::{IpAddr, SocketAddr};

pub(super) fn message(octets: &[u8]) -> Result<Message, Fault> {
    let short = Fault::Short(octets.len());
    let (head, rest) = octets.split_first_chunk::<HEADER>().ok_or(short)?;
    let kind = u16::from_be_bytes([head[0], head[1]]);
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if kind & 0xc000 != 0 || length % 4 != 0 || length != rest.len() {
        return Err(Fault::Header);
    }
    if head[4..8] != COOKIE.to_be_bytes() {
        return Err(Fault::Cookie);
    }
    if kind & !CLASS != BINDING {
        return Err(Fault::Method(kind));
    }
    let mut id = Id([0; 12]);
    id.0.copy_from_slice(&head[8..]);
    Ok(Message {
        class: match kind & CLASS {
            0x0000 => Class::Request,
            0x0010 => Class::Indication,
            0x0100 => Class::Success,
            _ => Class::Error,
        },
        id,
        attributes: attributes(rest, id)?,
    })
}

fn attributes(mut rest: &[u8], id: Id) -> Result<Vec<Attribute>, Fault> {
    let mut found = Vec::new();
    let mut seen = 0;
    while let Some((head, behind)) = rest.split_first_chunk::<4>() {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let malformed = Fault::Attribute(kind);
        let value = behind.get(..length).ok_or(malformed)?;
        rest = behind.get(length.next_multiple_of(4)..).ok_or(malformed)?;
        seen += 1;
        if seen > MOST_ATTRIBUTES {
            return Err(Fault::Many);
        }
        if kind == MESSAGE_INTEGRITY {
            // RFC 5389 §15.4: what follows is not covered, and ignored.
            break;
        }
        if let Some(attribute) = attribute(kind, value, id).map_err(|()| malformed)? {
            found.push(attribute);
        }
    }
    Ok(found)
}

/// None: one that may be ignored.
fn attribute(kind: u16, value: &[u8], id: Id) -> Result<Option<Attribute>, ()> {
    Ok(Some(match kind {
        MAPPED_ADDRESS => Attribute::MappedAddress(address(value)?),
        RESPONSE_ADDRESS => Attribute::ResponseAddress(address(value)?),
        XOR_MAPPED_ADDRESS => Attribute::XorMappedAddress(unmasked(address(value)?, id)),
        RESPONSE_PORT => match value {
            [high, low, ..] => Attribute::ResponsePort(u16::from_be_bytes([*high, *low])),
            _ => return Err(()),
        },
        USERNAME => Attribute::Username(text(value)?),
        REALM => Attribute::Realm(text(value)?),
        NONCE => Attribute::Nonce(text(value)?),
        ERROR_CODE => error(value)?,
        CONNECTION_REQUEST_BINDING => Attribute::ConnectionRequestBinding,
        BINDING_CHANGE => Attribute::BindingChange,
        // RFC 3489: CHANGE-REQUEST, SOURCE-ADDRESS, CHANGED-ADDRESS, REFLECTED-FROM.
        0x0003 | 0x0004 | 0x0005 | 0x000b => return Ok(None),
        kind if kind < OPTIONAL => Attribute::Unknown(kind),
        _ => return Ok(None),
    }))
}

/// RFC 5389 §15.1: a zero, the family, the port, the address.
fn address(value: &[u8]) -> Result<SocketAddr, ()> {
    let (head, address) = value.split_first_chunk::<4>().ok_or(())?;
    let address: IpAddr = match head[1] {
        1 => <[u8; 4]>::try_from(address).map_err(|_| ())?.into(),
        2 => <[u8; 16]>::try_from(address).map_err(|_| ())?.into(),
        _ => return Err(()),
    };
    let port = u16::from_be_bytes([head[2], head[3]]);
    Ok(SocketAddr::new(address, port))
}

/// RFC 5389 §15.2: the port with the cookie, the address with the cookie and the id.
pub(super) fn unmasked(address: SocketAddr, id: Id) -> SocketAddr {
    let cookie = COOKIE.to_be_bytes();
    let port = address.port() ^ u16::from_be_bytes([cookie[0], cookie[1]]);
    let mask = cookie.iter().chain(&id.0);
    let ip = match address.ip() {
        IpAddr::V4(ip) => {
            let mut octets = ip.octets();
            octets
                .iter_mut()
                .zip(mask)
                .for_each(|(it, mask)| *it ^= mask);
            octets.into()
        }
        IpAddr::V6(ip) => {
            let mut octets = ip.octets();
            octets
                .iter_mut()
                .zip(mask)
                .for_each(|(it, mask)| *it ^= mask);
            octets.into()
        }
    };
    SocketAddr::new(ip, port)
}

/// RFC 5389 §15.3, §15.7, §15.8: fewer than 128 characters, or 513 octets of a name.
fn text(value: &[u8]) -> Result<Vec<u8>, ()> {
    match value.len() <= LONGEST_TEXT {
        true => Ok(value.to_vec()),
        false => Err(()),
    }
}

/// RFC 5389 §15.6: the hundreds and the rest of the code, the reason.
fn error(value: &[u8]) -> Result<Attribute, ()> {
    let (head, reason) = value.split_first_chunk::<4>().ok_or(())?;
    let (hundreds, rest) = (head[2] & 7, head[3]);
    if !(3..=6).contains(&hundreds) || rest > 99 {
        return Err(());
    }
    let code = u16::from(hundreds) * 100 + u16::from(rest);
    // What is no text is no reason; the code counts in any case.
    let reason = String::from_utf8(text(reason)?).unwrap_or_default();
    Ok(Attribute::ErrorCode(code, reason))
}

/// RFC 5389 §15.6: a reason of 763 octets is the longest text.
const LONGEST_TEXT: usize = 763;
