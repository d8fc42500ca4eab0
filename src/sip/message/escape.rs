//! `%HH` in URIs (RFC 3261 §19.1.2). Nowhere else is `%` an escape.

use super::octets;

/// A user part: what the grammar forbids is written as `%HH`, `#` included.
pub fn escape_user(plain: &str) -> String {
    escape(plain, octets::USER)
}

/// A URI parameter's value: what the grammar forbids is written as `%HH`.
pub fn escape_param(plain: &str) -> String {
    escape(plain, octets::PARAM)
}

fn escape(plain: &str, class: u8) -> String {
    let mut escaped = String::with_capacity(plain.len());
    for &octet in plain.as_bytes() {
        match octets::is(octet, class) {
            true => escaped.push(char::from(octet)),
            false => escaped.push_str(&format!("%{octet:02X}")),
        }
    }
    escaped
}

/// The octets that a URI component stands for; undone once, never again
/// (RFC 4475 §3.1.1.3). They may be no text: `%00` is an octet like any other.
pub fn unescape(escaped: &str) -> Vec<u8> {
    let mut plain = Vec::with_capacity(escaped.len());
    let mut rest = escaped.as_bytes();
    while let [first, tail @ ..] = rest {
        match (first, escaped_octet(rest)) {
            (b'%', Some(octet)) => {
                plain.push(octet);
                rest = &rest[3..];
            }
            _ => {
                plain.push(*first);
                rest = tail;
            }
        }
    }
    plain
}

/// The octet that `%HH` at the start of `rest` stands for.
pub(super) fn escaped_octet(rest: &[u8]) -> Option<u8> {
    let [b'%', high, low, ..] = rest else {
        return None;
    };
    let high = char::from(*high).to_digit(16)?;
    let low = char::from(*low).to_digit(16)?;
    u8::try_from(high * 16 + low).ok()
}

/// Whether every octet is of the class, of `more`, or part of a whole `%HH`.
pub(super) fn is_escaped_text(text: &str, class: u8, more: &[u8]) -> bool {
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match first {
            octet if octets::is(*octet, class) || more.contains(octet) => tail,
            b'%' if escaped_octet(rest).is_some() => &rest[3..],
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unescaping_is_done_once() {
        assert_eq!(unescape("v%61lue%25%34%31"), b"value%41");
    }

    #[test]
    fn a_null_octet_does_not_end_the_text() {
        assert_eq!(unescape("null-%00-null"), b"null-\0-null");
    }

    #[test]
    fn what_the_grammar_forbids_is_escaped() {
        assert_eq!(escape_user("*72#a@b"), "*72%23a%40b");
        assert_eq!(unescape(&escape_user("*72#a@b")), b"*72#a@b");
        assert_eq!(escape_param("a;b=c"), "a%3Bb%3Dc");
    }

    #[test]
    fn half_an_escape_is_no_escape() {
        assert!(!is_escaped_text("a%4", octets::USER, b""));
        assert!(!is_escaped_text("a%ZZ", octets::USER, b""));
        assert!(is_escaped_text("a%4a", octets::USER, b""));
    }
}
