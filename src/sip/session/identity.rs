//! Who calls: From, the identities of RFC 3325, privacy (RFC 3323), and what is carried through.

use super::MAX_CARRIED;
use super::seam::{CARRIED, Caller, Carried, Reason};
use crate::sip::message::{HeaderName, Headers, NameAddr, Uri};

/// RFC 3323 §4.1.1.3.
const ANONYMOUS: &str = "sip:anonymous@anonymous.invalid";

/// Reads who calls.
pub(super) fn read(headers: &Headers, from: NameAddr) -> Caller {
    let mut from = from;
    from.params.remove("tag");
    Caller {
        from,
        asserted: addresses(headers, &HeaderName::PAssertedIdentity),
        preferred: addresses(headers, &HeaderName::PPreferredIdentity),
        privacy: privacy(headers),
    }
}

/// The From of `caller`, as its privacy wants it.
pub(super) fn from(caller: &Caller, tag: &str) -> NameAddr {
    let anonymous = Uri::parse(ANONYMOUS).filter(|_| is_private(caller));
    let mut from = match anonymous {
        Some(uri) => NameAddr {
            display: Some("Anonymous".to_owned()),
            ..NameAddr::new(uri)
        },
        None => caller.from.clone(),
    };
    from.params.set("tag", Some(tag));
    from
}

/// Writes who calls, beside From.
pub(super) fn write(headers: &mut Headers, caller: &Caller) {
    for identity in &caller.asserted {
        headers.push(HeaderName::PAssertedIdentity, identity);
    }
    for identity in &caller.preferred {
        headers.push(HeaderName::PPreferredIdentity, identity);
    }
    if !caller.privacy.is_empty() {
        headers.push(HeaderName::Privacy, caller.privacy.join(";"));
    }
}

/// The header fields that are handed on.
pub(super) fn carried(headers: &Headers) -> Vec<Carried> {
    let names = CARRIED.iter().map(|it| HeaderName::new(it));
    names
        .flat_map(|name| {
            let values = { headers.all(&name) }.take(MAX_CARRIED);
            let values = values.map(|it| String::from_utf8_lossy(it).into_owned());
            values
                .map(|it| (name.clone(), it))
                .collect::<Vec<Carried>>()
        })
        .collect()
}

/// Writes what is handed on; nothing but what may be.
pub(super) fn carry(headers: &mut Headers, carried: &[Carried]) {
    for (name, value) in carried {
        if CARRIED.iter().any(|it| HeaderName::new(it) == *name) {
            headers.push(name.clone(), value);
        }
    }
}

/// The Reason of a message.
pub(super) fn reason(headers: &Headers) -> Option<Reason> {
    headers.text(&HeaderName::Reason).map(Reason)
}

/// The well-formed addresses of a list.
pub(super) fn addresses(headers: &Headers, name: &HeaderName) -> Vec<NameAddr> {
    let values = headers.values(name).take(MAX_CARRIED);
    values.filter_map(NameAddr::parse).collect()
}

fn privacy(headers: &Headers) -> Vec<String> {
    let text = headers.text(&HeaderName::Privacy).unwrap_or_default();
    let values = text.split(';').map(|it| it.trim().to_ascii_lowercase());
    { values }
        .filter(|it| !it.is_empty())
        .take(MAX_CARRIED)
        .collect()
}

fn is_private(caller: &Caller) -> bool {
    !caller.privacy.is_empty() && !caller.privacy.iter().any(|it| it == "none")
}
