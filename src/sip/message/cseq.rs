//! CSeq: a request's number and method (RFC 3261 §20.16).

use std::fmt;

use super::method::Method;
use super::scan;

/// A CSeq value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^31 in a valid message (RFC 3261 §8.1.1.5).
    pub number: u32,
    /// The method of the request, in its responses too.
    pub method: Method,
}

impl CSeq {
    /// Reads a number, white space, and a method.
    pub fn parse(octets: &[u8]) -> Option<CSeq> {
        let octets = scan::trim(octets);
        let space = octets.iter().position(|&octet| scan::is_space(octet))?;
        let method = scan::trim(&octets[space..]);
        if !scan::is_token(method) {
            return None;
        }
        Some(CSeq {
            number: scan::number(&octets[..space])?,
            method: Method::new(std::str::from_utf8(method).ok()?),
        })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_and_folds_are_fine() {
        let cseq = CSeq::parse(b"0009\r\n  INVITE").expect("a CSeq");
        assert_eq!((cseq.number, cseq.method), (9, Method::Invite));
    }

    #[test]
    fn malformed_values_are_refused() {
        for bad in [
            "",
            "1",
            "INVITE",
            "1INVITE",
            "-1 INVITE",
            "4294967296 INVITE",
            "1 IN VITE",
        ] {
            assert_eq!(CSeq::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
