//! A user at a domain as settings write it: a SIP URI, or less.
//!
//! For parameters whose standard wants a URI while the tree keeps the user
//! alone. What a server of SIP sends is read by `sip/message`, not here.

use super::host_port::HostPort;
use std::fmt::Write;

/// Who, and at which domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressOfRecord {
    /// As text: no escapes.
    pub user: String,
    /// "" where only the user is said.
    pub domain: String,
}

/// Why a text is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Another scheme than `sip` or `sips`.
    #[error("it is no SIP URI: it begins with another scheme than sip: or sips:")]
    Scheme,
    /// The user part is missing or has a character that has to be escaped.
    #[error("its user part is empty or has a character that a SIP URI has not")]
    User,
    /// A password in a setting that is shown to everybody.
    #[error("it has a password, which is never part of an address of record")]
    Password,
    /// The domain is neither a name nor an address.
    #[error("its domain is neither a name nor an address")]
    Domain,
    /// Headers: they are not allowed in a registration (RFC 3261 §19.1.1, table 1).
    #[error("it has headers, which an address of record has not")]
    Headers,
}

impl AddressOfRecord {
    /// Reads `sip:user@domain;parameters`, `user@domain` or `user`; None where it is empty.
    pub fn parse(text: &str) -> Result<Option<Self>, AddressError> {
        if text.is_empty() {
            return Ok(None);
        }
        let (has_scheme, rest) = scheme(text)?;
        if rest.contains('?') {
            return Err(AddressError::Headers);
        }
        let (user, domain) = match rest.rsplit_once('@') {
            Some((user, domain)) => (user, domain.split(';').next().unwrap_or_default()),
            // `sip:example.com` names a domain and nobody at it.
            None if has_scheme => return Err(AddressError::User),
            None => (rest, ""),
        };
        if rest.contains('@') {
            match HostPort::parse(domain) {
                Ok(Some(_)) => {}
                Ok(None) | Err(_) => return Err(AddressError::Domain),
            }
        }
        if has_scheme && user.contains(':') {
            return Err(AddressError::Password);
        }
        Ok(Some(Self {
            user: unescape(user).ok_or(AddressError::User)?,
            domain: domain.to_owned(),
        }))
    }

    /// As a SIP URI.
    pub fn uri(&self) -> String {
        let mut out = String::from("sip:");
        for octet in self.user.bytes() {
            match is_plain(octet) {
                true => out.push(char::from(octet)),
                false => {
                    let _ = write!(out, "%{octet:02X}");
                }
            }
        }
        out + "@" + &self.domain
    }
}

fn scheme(text: &str) -> Result<(bool, &str), AddressError> {
    let Some((scheme, rest)) = text.split_once(':') else {
        return Ok((false, text));
    };
    // A colon behind the domain is that of a port.
    if scheme.contains('@') {
        return Ok((false, text));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "sip" | "sips" => Ok((true, rest)),
        _ => Err(AddressError::Scheme),
    }
}

/// RFC 3261 §25.1: `user`, and `#`, which many write without its escape.
fn is_plain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&octet)
}

fn unescape(user: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = match (first, tail) {
            (b'%', [high, low, behind @ ..]) => {
                let high = char::from(*high).to_digit(16)?;
                let low = char::from(*low).to_digit(16)?;
                octets.push(u8::try_from(high * 16 + low).ok()?);
                behind
            }
            (octet, _) if is_plain(*octet) || *octet == b'#' => {
                octets.push(*octet);
                tail
            }
            _ => return None,
        };
    }
    let text = String::from_utf8(octets).ok()?;
    (!text.is_empty() && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(text: &str) -> Option<(String, String)> {
        let parsed = AddressOfRecord::parse(text).expect(text);
        parsed.map(|one| (one.user, one.domain))
    }

    #[test]
    fn a_uri_a_user_at_a_domain_and_a_user_are_read() {
        let is = |text: &str, user: &str, domain: &str| {
            assert_eq!(pair(text), Some((user.into(), domain.into())), "{text}");
        };
        is("sip:1000@ims.example", "1000", "ims.example");
        is(
            "SIPS:a%20b@[2001:db8::1]:5061;transport=tcp",
            "a b",
            "[2001:db8::1]:5061",
        );
        is("1000@ims.example:5060", "1000", "ims.example:5060");
        is("+49%23;phone-context=x@a", "+49#;phone-context=x", "a");
        is("1000", "1000", "");
        assert_eq!(pair(""), None);
    }

    #[test]
    fn nonsense_is_refused_with_what_is_wrong_about_it() {
        let wrong = |text: &str| AddressOfRecord::parse(text).expect_err(text);
        assert_eq!(wrong("tel:+491234"), AddressError::Scheme);
        assert_eq!(wrong("sip:ims.example"), AddressError::User);
        assert_eq!(wrong("sip:@ims.example"), AddressError::User);
        assert_eq!(wrong("a b"), AddressError::User);
        assert_eq!(wrong("sip:a%2@x"), AddressError::User);
        assert_eq!(wrong("sip:a%00@x"), AddressError::User);
        assert_eq!(wrong("sip:a:secret@x"), AddressError::Password);
        assert_eq!(wrong("sip:a@"), AddressError::Domain);
        assert_eq!(wrong("sip:a@x y"), AddressError::Domain);
        assert_eq!(wrong("sip:a@x?Subject=y"), AddressError::Headers);
    }

    #[test]
    fn what_is_written_reads_back() {
        let one = AddressOfRecord {
            user: "a b#".into(),
            domain: "x".into(),
        };
        assert_eq!(one.uri(), "sip:a%20b%23@x");
        assert_eq!(AddressOfRecord::parse(&one.uri()), Ok(Some(one)));
    }
}
