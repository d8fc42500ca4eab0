//! The lexical ground that every header value stands on (RFC 3261 §25.1).
//!
//! Works on octets: quoted strings may hold any. Folds count as white space,
//! since a line end inside a value can only be a fold.

use super::octets;

/// White space, folds included (LWS).
pub(super) fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The same octets without white space at either end.
pub(super) fn trim(mut octets: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = octets
        && is_space(*first)
    {
        octets = rest;
    }
    while let [rest @ .., last] = octets
        && is_space(*last)
    {
        octets = rest;
    }
    octets
}

/// `token`: at least one octet.
pub(super) fn is_token(octets: &[u8]) -> bool {
    !octets.is_empty() && octets::are(octets, octets::TOKEN)
}

/// Text for people and for comparison; octets that are no UTF-8 become U+FFFD.
pub(super) fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// `1*DIGIT` that fits 32 bits; leading zeros are fine (RFC 4475 §3.1.1.1).
pub(super) fn number(octets: &[u8]) -> Option<u32> {
    if octets.is_empty() {
        return None;
    }
    octets.iter().try_fold(0u32, |sum, &octet| {
        let digit = char::from(octet).to_digit(10)?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// The length of the quoted string that opens `octets`, quotes included; none
/// if its end is missing.
pub(super) fn quoted_len(octets: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match octets.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// What stands between quotes, with its quoted pairs undone. A fold, with the
/// white space around it, is one space (RFC 3261 §25.1, LWS).
pub(super) fn unquote(quoted: &str) -> String {
    let inner = quoted
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(quoted);
    if inner.contains(LINE_ENDS) {
        let lines = inner.split(LINE_ENDS);
        let lines = lines.map(|line| line.trim_matches([' ', '\t']));
        let lines: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        return unescape(&lines.join(" "));
    }
    unescape(inner)
}

fn unescape(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => plain.extend(chars.next()),
            _ => plain.push(char),
        }
    }
    plain
}

/// The text as a quoted string. A line end cannot be quoted and becomes a space.
pub(super) fn quote(plain: &str) -> String {
    let mut quoted = String::with_capacity(plain.len() + 2);
    quoted.push('"');
    for char in plain.chars() {
        match char {
            '"' | '\\' => quoted.extend(['\\', char]),
            '\r' | '\n' => quoted.push(' '),
            _ => quoted.push(char),
        }
    }
    quoted.push('"');
    quoted
}

/// Where `wanted` first stands outside quoted strings and angle brackets.
pub(super) fn find_outside(octets: &[u8], wanted: u8) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = octets.get(at..)?;
        at += rest
            .iter()
            .position(|&octet| octet == wanted || octet == b'"' || octet == b'<')?;
        at += match octets[at] {
            b'"' => quoted_len(&octets[at..])?,
            b'<' => octets[at..].iter().position(|&octet| octet == b'>')? + 1,
            _ => return Some(at),
        };
    }
}

/// The pieces between separators that stand outside quotes and brackets.
pub(super) fn split_outside(octets: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(octets);
    std::iter::from_fn(move || {
        let octets = rest?;
        match find_outside(octets, separator) {
            Some(at) => {
                rest = Some(&octets[at + 1..]);
                Some(trim(&octets[..at]))
            }
            None => {
                rest = None;
                Some(trim(octets))
            }
        }
    })
}

const LINE_ENDS: [char; 2] = ['\r', '\n'];

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<&str> {
        split_outside(text.as_bytes(), b',')
            .map(|piece| std::str::from_utf8(piece).expect("the text was UTF-8"))
            .collect()
    }

    #[test]
    fn a_comma_in_quotes_or_brackets_does_not_separate() {
        assert_eq!(
            pieces("\"a,\\\"b\" <sip:c,d@e>, f"),
            ["\"a,\\\"b\" <sip:c,d@e>", "f"]
        );
    }

    #[test]
    fn a_quote_that_never_ends_takes_the_rest() {
        assert_eq!(pieces("a, \"b, c"), ["a", "\"b, c"]);
    }

    #[test]
    fn quoting_and_unquoting_are_inverse() {
        for plain in ["", "a\"b", "back\\slash", "\u{7}\u{0}"] {
            assert_eq!(unquote(&quote(plain)), plain);
        }
    }

    #[test]
    fn a_fold_between_quotes_is_a_space() {
        assert_eq!(unquote("\"a \r\n\t b\""), "a b");
        assert_eq!(unquote("\"a\\\"\r\n b\\\\\""), "a\" b\\");
    }

    #[test]
    fn numbers_have_bounds_and_no_sign() {
        assert_eq!(number(b"0068"), Some(68));
        assert_eq!(number(b"4294967295"), Some(u32::MAX));
        assert_eq!(number(b"4294967296"), None);
        assert_eq!(number(b"-1"), None);
        assert_eq!(number(b""), None);
    }
}
