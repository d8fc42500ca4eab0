//! Name-addr and addr-spec: From, To, Route and the like (RFC 3261 §20.10).

use std::fmt;

use super::params::Params;
use super::scan;
use super::uri::Uri;

/// A URI with a display name before it and parameters behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameAddr {
    /// The display name without quotes and escapes.
    pub display: Option<String>,
    /// The address.
    pub uri: Uri,
    /// Parameters of the header, not of the URI.
    pub params: Params,
}

impl NameAddr {
    /// The bare address, without name and parameters.
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr {
            display: None,
            uri,
            params: Params::default(),
        }
    }

    /// Reads `[ name ] "<" URI ">" params` or `URI params`.
    pub fn parse(octets: &[u8]) -> Option<NameAddr> {
        let octets = scan::trim(octets);
        match octets.first()? {
            b'"' => {
                let end = scan::quoted_len(octets)?;
                let name = scan::unquote(&String::from_utf8_lossy(&octets[..end]));
                bracketed(Some(name), scan::trim(&octets[end..]))
            }
            _ => match octets.iter().position(|&octet| octet == b'<') {
                Some(at) => bracketed(words(&octets[..at])?, &octets[at..]),
                None => bare(octets),
            },
        }
    }

    /// The `tag` of a From or To.
    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag").filter(|tag| !tag.is_empty())
    }
}

/// A display name without quotes is a row of tokens. White space before `<` is
/// not needed (RFC 4475 §3.1.1.6).
fn words(octets: &[u8]) -> Option<Option<String>> {
    let octets = scan::trim(octets);
    if octets.is_empty() {
        return Some(None);
    }
    let tokens = octets
        .split(|&octet| scan::is_space(octet))
        .filter(|word| !word.is_empty());
    let fine = tokens.clone().all(scan::is_token);
    let name = tokens.map(scan::text).collect::<Vec<_>>().join(" ");
    fine.then_some(Some(name))
}

fn bracketed(display: Option<String>, octets: &[u8]) -> Option<NameAddr> {
    let inner = octets.strip_prefix(b"<")?;
    let end = inner.iter().position(|&octet| octet == b'>')?;
    Some(NameAddr {
        display,
        uri: Uri::parse(std::str::from_utf8(&inner[..end]).ok()?)?,
        params: Params::parse(&inner[end + 1..])?,
    })
}

/// Without brackets a `;` ends the URI, and `?` or `,` may not stand in it.
fn bare(octets: &[u8]) -> Option<NameAddr> {
    let end = octets.iter().position(|&octet| octet == b';');
    let (uri, params) = octets.split_at(end.unwrap_or(octets.len()));
    if uri.iter().any(|octet| b"?,".contains(octet)) {
        return None;
    }
    Some(NameAddr {
        display: None,
        uri: Uri::parse(std::str::from_utf8(scan::trim(uri)).ok()?)?,
        params: Params::parse(params)?,
    })
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = &self.display {
            write!(f, "{} ", scan::quote(display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> NameAddr {
        NameAddr::parse(text.as_bytes()).expect(text)
    }

    #[test]
    fn a_quoted_name_loses_quotes_and_escapes() {
        let address = read("\"J \\\\\\\"\"  <sip:j@example.com>\r\n  ;\r\n  tag = 98");
        assert_eq!(address.display.as_deref(), Some("J \\\""));
        assert_eq!(address.tag(), Some("98"));
        assert_eq!(
            address.to_string(),
            "\"J \\\\\\\"\" <sip:j@example.com>;\r\n  tag = 98"
        );
    }

    #[test]
    fn words_and_brackets_need_no_space_between() {
        assert_eq!(
            read("caller<sip:c@example.com>;tag=3").display.as_deref(),
            Some("caller")
        );
        assert_eq!(
            read("to1~` to2'+_  <sip:c@example.com>").display.as_deref(),
            Some("to1~` to2'+_")
        );
    }

    #[test]
    fn without_brackets_parameters_are_those_of_the_header() {
        let address = read("sip:u@example.com ;tag=1;x");
        assert_eq!(address.uri.params().count(), 0);
        assert_eq!(
            (address.tag(), address.params.get("x")),
            (Some("1"), Some(""))
        );
        let address = read("<sip:u@example.com;x>");
        assert!(address.params.is_empty());
        assert_eq!(address.uri.param("x"), Some(""));
    }

    #[test]
    fn malformed_values_are_refused() {
        for bad in [
            "",
            "x",
            "\"Mr. J <sip:j@example.com>",
            "Bell, Alexander <sip:a@example.com>",
            "\"T\" < sip:t@example.org >",
            "sip:u@example.com?Route=%3Csip:x%3E",
            "<sip:u@example.com",
            "\"T\" sip:t@example.org",
            "<sip:a@b> x",
            "<>",
        ] {
            assert_eq!(NameAddr::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn octets_that_are_no_text_do_not_stop_the_reading() {
        let address = NameAddr::parse(b"\"\xff\\\x00\" <sip:u@example.com>").expect("an address");
        assert_eq!(address.display.as_deref(), Some("\u{fffd}\0"));
    }

    #[test]
    fn other_schemes_may_be_addresses() {
        assert_eq!(read("isbn:2983792873").uri.as_str(), "isbn:2983792873");
        assert_eq!(read("<http://www.example.com>;tag=3").tag(), Some("3"));
    }
}
