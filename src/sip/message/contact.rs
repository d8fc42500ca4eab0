//! Contact: an address with its preference and its time to live, or `*`.

use std::fmt;

use super::address::NameAddr;
use super::scan;

/// One Contact value (RFC 3261 §20.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Contact {
    /// `*`: all bindings of the address-of-record (RFC 3261 §10.2.2).
    Star,
    /// One address.
    Address(NameAddr),
}

impl Contact {
    /// Reads one value.
    pub fn parse(octets: &[u8]) -> Option<Contact> {
        match scan::trim(octets) {
            b"*" => Some(Contact::Star),
            octets => NameAddr::parse(octets).map(Contact::Address),
        }
    }

    /// The address; none for `*`.
    pub fn address(&self) -> Option<&NameAddr> {
        match self {
            Contact::Star => None,
            Contact::Address(address) => Some(address),
        }
    }

    /// The preference in thousandths, 0 to 1000; none if absent or malformed.
    pub fn q(&self) -> Option<u16> {
        thousandths(self.address()?.params.get("q")?)
    }

    /// Seconds that the binding lives; none if absent or malformed, which means
    /// the default (RFC 3261 §20.10).
    pub fn expires(&self) -> Option<u32> {
        scan::number(self.address()?.params.get("expires")?.as_bytes())
    }
}

/// `qvalue`: `0` or `1` with at most three decimals, never above 1.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let fine = decimals.len() <= 3 && decimals.bytes().all(|octet| octet.is_ascii_digit());
    let part = format!("{decimals:0<3}").parse().ok().filter(|_| fine)?;
    match (whole, part) {
        ("0", part) => Some(part),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Contact::Star => f.write_str("*"),
            Contact::Address(address) => write!(f, "{address}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Contact {
        Contact::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn a_star_is_no_address() {
        assert_eq!(read(" * "), Contact::Star);
        assert_eq!(read("*").address(), None);
        assert_eq!(read("*").to_string(), "*");
    }

    #[test]
    fn preferences_are_thousandths() {
        let q = |text: &str| read(&format!("<sip:a@b>;q={text}")).q();
        assert_eq!(q("0.33"), Some(330));
        assert_eq!(
            (q("1"), q("1.000"), q("0"), q("0.")),
            (Some(1_000), Some(1_000), Some(0), Some(0))
        );
        for bad in ["1.1", "2", ".5", "0.1234", "x", "0.x"] {
            assert_eq!(q(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_overlarge_expires_counts_as_absent() {
        assert_eq!(read("<sip:a@b>;expires=60").expires(), Some(60));
        assert_eq!(read("<sip:a@b>;expires=280297596632815").expires(), None);
    }
}
