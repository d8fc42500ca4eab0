//! UDP connection requests: a datagram with the shape of an HTTP GET
//! (TR-069 annex G).
//!
//! ```text
//! GET http://192.0.2.1:7547?ts=1170000000&id=7&un=acs&cn=XTGR&sig=... HTTP/1.1
//! ```
//!
//! Read and judged by its signature; whether it is new is not known here.

use super::hmac::{OCTETS, hmac_sha1, is_same};

/// A connection request as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UdpRequest {
    /// When the server made it, in seconds since 1970.
    pub ts: u64,
    /// The same for all copies of a request, and no other's.
    pub id: String,
    /// Who asks.
    pub user: String,
    /// What was signed: ts, id, un and cn, as they were meant and as they were written.
    texts: [String; 2],
    signature: [u8; OCTETS],
}

/// Why a datagram is no connection request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Longer than any.
    #[error("it has {0} octets")]
    Long(usize),
    /// No GET of an http URI with a query.
    #[error("it is no GET of an http URI")]
    Line,
    /// A parameter that is missing, there twice, or of no use.
    #[error("its {0} is missing or malformed")]
    Parameter(&'static str),
}

impl UdpRequest {
    /// Reads a datagram.
    pub fn parse(octets: &[u8]) -> Result<Self, Fault> {
        if octets.len() > LONGEST {
            return Err(Fault::Long(octets.len()));
        }
        let query = query(octets).ok_or(Fault::Line)?;
        let part = |name| part(query, name).ok_or(Fault::Parameter(name));
        let written = [part("ts")?, part("id")?, part("un")?, part("cn")?];
        let plain = |text: &str, name| decoded(text).ok_or(Fault::Parameter(name));
        let [ts, id, user, cnonce] = [
            plain(written[0], "ts")?,
            plain(written[1], "id")?,
            plain(written[2], "un")?,
            plain(written[3], "cn")?,
        ];
        let texts = [
            [ts.as_str(), &id, &user, &cnonce].concat(),
            written.concat(),
        ];
        let signature = signature(part("sig")?).ok_or(Fault::Parameter("sig"))?;
        if id.is_empty() || !id.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(Fault::Parameter("id"));
        }
        if !ts.bytes().all(|octet| octet.is_ascii_digit()) {
            return Err(Fault::Parameter("ts"));
        }
        Ok(Self {
            ts: ts.parse().map_err(|_| Fault::Parameter("ts"))?,
            id,
            user,
            texts,
            signature,
        })
    }

    /// Whether the signature was made with this password.
    pub fn is_signed_with(&self, password: &[u8]) -> bool {
        // Servers differ in whether they sign before or after they write the URI.
        self.texts.iter().any(|text| {
            let expected = hmac_sha1(password, text.as_bytes());
            expected.is_some_and(|expected| is_same(&expected, &self.signature))
        })
    }
}

fn query(octets: &[u8]) -> Option<&str> {
    let line = octets
        .split(|octet| matches!(octet, b'\r' | b'\n'))
        .next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let is_get = method == "GET" && version.starts_with("HTTP/1.") && words.next().is_none();
    let scheme = target.get(..7)?;
    let (_, query) = target.get(7..)?.split_once('?')?;
    (is_get && scheme.eq_ignore_ascii_case("http://")).then_some(query)
}

/// The value of a parameter that is there once.
fn part<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let query = query.split('#').next()?;
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let mut values = pairs
        .filter(|(key, _)| *key == name)
        .map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// RFC 3986 §2.1.
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'%' => nibble(rest.next()?)? * 16 + nibble(rest.next()?)?,
            octet => octet,
        });
    }
    String::from_utf8(octets).ok()
}

fn signature(text: &str) -> Option<[u8; OCTETS]> {
    let digits = text.bytes().map(nibble).collect::<Option<Vec<u8>>>()?;
    let digits: [u8; OCTETS * 2] = digits.try_into().ok()?;
    Some(std::array::from_fn(|at| {
        digits[at * 2] * 16 + digits[at * 2 + 1]
    }))
}

fn nibble(digit: u8) -> Option<u8> {
    let digit = char::from(digit).to_digit(16)?;
    u8::try_from(digit).ok()
}

/// Octets; a request fits into one datagram that is not cut on its way.
const LONGEST: usize = 1472;

#[cfg(test)]
mod tests {
    use super::*;

    /// HMAC-SHA1("pw", "1170000000" "7" "acs" "XTGR"), by another program.
    const SIGNED: &str = "da9b119ccde946b5f4044afb93c794d439758c34";

    fn with(query: &str) -> Result<UdpRequest, Fault> {
        let text = format!("GET http://192.0.2.1:7547?{query} HTTP/1.1\r\nHost: x\r\n\r\n");
        UdpRequest::parse(text.as_bytes())
    }

    fn good() -> String {
        format!("ts=1170000000&id=7&un=acs&cn=XTGR&sig={SIGNED}")
    }

    #[test]
    fn a_request_is_proven_by_the_password_alone() {
        let request = with(&good()).expect("a request");
        assert_eq!((request.ts, request.user.as_str()), (1_170_000_000, "acs"));
        assert!(request.is_signed_with(b"pw"));
        assert!(!request.is_signed_with(b"pw2"));
        let other = with(&good().replace("id=7", "id=8")).expect("a request");
        assert!(!other.is_signed_with(b"pw"));
        let upper = with(&good().replace(SIGNED, &SIGNED.to_uppercase()));
        assert!(upper.expect("a request").is_signed_with(b"pw"));
    }

    #[test]
    fn the_path_may_be_empty_or_a_slash() {
        let text = format!("GET http://h/?{} HTTP/1.1\r\n\r\n", good());
        assert!(UdpRequest::parse(text.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_escaped_is_meant_without_it() {
        let request = with(&good().replace("un=acs", "un=%61cs")).expect("a request");
        assert_eq!(request.user, "acs");
        assert!(request.is_signed_with(b"pw"));
    }

    #[test]
    fn what_is_missing_twice_or_malformed_is_refused_by_its_name() {
        for (old, new, name) in [
            ("ts=1170000000", "", "ts"),
            ("ts=1170000000", "ts=-1", "ts"),
            ("ts=1170000000", "ts=+1", "ts"),
            ("ts=1170000000", "ts=99999999999999999999999", "ts"),
            ("id=7", "id=", "id"),
            ("id=7", "id=7&id=8", "id"),
            ("un=acs", "un=%zz", "un"),
            ("un=acs", "un=%ff", "un"),
            ("cn=XTGR", "cm=XTGR", "cn"),
            (SIGNED, "00", "sig"),
        ] {
            let said = with(&good().replace(old, new));
            assert_eq!(said, Err(Fault::Parameter(name)), "{new}");
        }
    }

    #[test]
    fn what_is_no_get_of_an_http_uri_is_refused() {
        for line in [
            "",
            "GET",
            "GET /?ts=1 HTTP/1.1",
            "POST http://h?ts=1 HTTP/1.1",
            "GET https://h?ts=1 HTTP/1.1",
            "GET http://h HTTP/1.1",
            "GET http://h?ts=1",
            "GET http://h?ts=1 HTTP/1.1 x",
            "GET \u{20ac}\u{20ac}\u{20ac}?ts=1 HTTP/1.1",
        ] {
            assert_eq!(
                UdpRequest::parse(line.as_bytes()),
                Err(Fault::Line),
                "{line}"
            );
        }
        assert_eq!(UdpRequest::parse(b"\xff\xfe"), Err(Fault::Line));
        assert_eq!(UdpRequest::parse(&[b'G'; 1473]), Err(Fault::Long(1473)));
    }
}
