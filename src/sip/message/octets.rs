//! Which octets may stand where: one table, looked up once an octet.

/// `token` (RFC 3261 §25.1).
pub(super) const TOKEN: u8 = 1;
/// Unescaped in the user part of a SIP URI (`user`).
pub(super) const USER: u8 = 2;
/// Unescaped in the password of a SIP URI (`password`).
pub(super) const PASSWORD: u8 = 4;
/// Unescaped in a parameter of a URI (`paramchar`).
pub(super) const PARAM: u8 = 8;
/// Unescaped in a header of a URI (`hname`, `hvalue`).
pub(super) const HEADER: u8 = 16;
/// Of a host name; underscores are met in practice.
pub(super) const NAME: u8 = 32;

/// Whether the octet is of this class.
pub(super) fn is(octet: u8, class: u8) -> bool {
    CLASSES[usize::from(octet)] & class != 0
}

/// Whether all octets are of this class.
pub(super) fn are(octets: &[u8], class: u8) -> bool {
    octets.iter().all(|&octet| is(octet, class))
}

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0;
    while octet < 128 {
        if (octet as u8).is_ascii_alphanumeric() {
            table[octet] = TOKEN | USER | PASSWORD | PARAM | HEADER | NAME;
        }
        octet += 1;
    }
    let table = add(table, b"-_", NAME);
    let table = add(table, b"-.!%*_+`'~", TOKEN);
    // `unreserved` beyond letters and digits.
    let table = add(table, b"-_.!~*'()", USER | PASSWORD | PARAM | HEADER);
    let table = add(table, b"&=+$,", USER | PASSWORD);
    let table = add(table, b";?/", USER);
    let table = add(table, b"[]/:&+$", PARAM);
    add(table, b"[]/?:+$", HEADER)
}

const fn add(mut table: [u8; 256], octets: &[u8], class: u8) -> [u8; 256] {
    let mut at = 0;
    while at < octets.len() {
        table[octets[at] as usize] |= class;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_of_their_classes_only() {
        assert!(is(b'%', TOKEN) && !is(b'%', USER | PASSWORD | PARAM | HEADER | NAME));
        assert!(is(b';', USER) && !is(b';', TOKEN | PASSWORD | PARAM | HEADER | NAME));
        assert!(is(b'=', USER | PASSWORD) && !is(b'=', PARAM | HEADER | TOKEN));
        assert!(are(b"a-b_0", NAME) && !are(b"a.b", NAME));
        assert!(!is(b'@', 255) && !is(0, 255) && !is(0xe9, 255) && !is(b'"', 255));
    }
}
