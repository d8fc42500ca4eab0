//! Parameters of header values: `;name` and `;name=value` (RFC 3261 §25.1).
//!
//! Kept as the text they came in, so that order, case and spelling survive;
//! reading scans that text, and names compare without case.

use std::fmt;

use super::limits::MAX_PARAMS;
use super::scan;

/// A list of parameters, printed as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(String);

impl Params {
    /// Reads `*( ";" name [ "=" value ] )`; none if an element is empty, a name
    /// is no token, a quote does not end, or there are too many.
    pub fn parse(octets: &[u8]) -> Option<Params> {
        let octets = scan::trim(octets);
        if octets.is_empty() {
            return Some(Params::default());
        }
        let list = octets.strip_prefix(b";")?;
        let mut count = 0;
        for piece in scan::split_outside(list, b';') {
            count += 1;
            if count > MAX_PARAMS || !is_param(piece) {
                return None;
            }
        }
        Some(Params(scan::text(octets)))
    }

    /// The value of a parameter as written, quotes included; "" for a bare name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.unwrap_or(""))
    }

    /// The value of a parameter without quotes.
    pub fn unquoted(&self, name: &str) -> Option<String> {
        self.get(name).map(scan::unquote)
    }

    /// Whether the parameter is there, with a value or without.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Each parameter in order: its name, and its value if it has one.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        pieces(&self.0)
    }

    /// No parameter at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends a parameter. The value is written as it is: quote it first with
    /// [`Params::quoted`] if it is no token.
    pub fn push(&mut self, name: &str, value: Option<&str>) {
        self.0.push(';');
        self.0.push_str(name);
        if let Some(value) = value {
            self.0.push('=');
            self.0.push_str(value);
        }
    }

    /// Changes a parameter in its place, or appends it.
    pub fn set(&mut self, name: &str, value: Option<&str>) {
        let mut changed = Params::default();
        let mut found = false;
        for (own, old) in self.iter() {
            let here = own.eq_ignore_ascii_case(name);
            match (here, found) {
                (true, false) => changed.push(own, value),
                (true, true) => {}
                (false, _) => changed.push(own, old),
            }
            found |= here;
        }
        if !found {
            changed.push(name, value);
        }
        *self = changed;
    }

    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        let mut kept = Params::default();
        for (own, value) in self.iter() {
            if !own.eq_ignore_ascii_case(name) {
                kept.push(own, value);
            }
        }
        *self = kept;
    }

    /// A value in quotes, with `"` and `\` escaped.
    pub fn quoted(value: &str) -> String {
        scan::quote(value)
    }
}

/// The parameters of a text that is known to hold nothing else.
pub(super) fn from_text(text: &str) -> Params {
    Params(text.to_owned())
}

/// The parameters of a text that starts with `;` or is empty.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let list = text.strip_prefix(';');
    list.into_iter()
        .flat_map(|list| scan::split_outside(list.as_bytes(), b';'))
        .filter_map(|piece| std::str::from_utf8(piece).ok())
        .map(|piece| match piece.split_once('=') {
            Some((name, value)) => (trim(name), Some(trim(value))),
            None => (piece, None),
        })
}

fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

fn is_param(piece: &[u8]) -> bool {
    match piece.iter().position(|&octet| octet == b'=') {
        None => scan::is_token(piece),
        Some(at) => {
            scan::is_token(scan::trim(&piece[..at])) && is_value(scan::trim(&piece[at + 1..]))
        }
    }
}

/// A token, a host or a quoted string; anything without the marks of other
/// grammar is let pass.
fn is_value(value: &[u8]) -> bool {
    match value.first() {
        None => false,
        Some(b'"') => scan::quoted_len(value) == Some(value.len()),
        Some(_) => !value
            .iter()
            .any(|&octet| scan::is_space(octet) || b"\"<>,;".contains(&octet)),
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Params {
        Params::parse(text.as_bytes()).expect("parameters")
    }

    #[test]
    fn white_space_and_folds_may_stand_anywhere() {
        let params = read(" ;\r\n  tag = 98asjd8 ;  secondparam ; q = 0.33");
        assert_eq!(params.get("TAG"), Some("98asjd8"));
        assert_eq!(params.get("secondparam"), Some(""));
        assert_eq!(params.get("q"), Some("0.33"));
        assert!(!params.contains("lr"));
    }

    #[test]
    fn empty_elements_are_refused() {
        for bad in [";", ";;", ";a;", ";=b", ";a=", "a", ";a b", ";a=\"b"] {
            assert_eq!(Params::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn setting_changes_in_place_and_keeps_the_rest() {
        let mut params = read(";a=1;RPORT;b=\"x;y\"");
        params.set("rport", Some("5060"));
        params.set("c", None);
        assert_eq!(params.to_string(), ";a=1;RPORT=5060;b=\"x;y\";c");
        params.remove("A");
        assert_eq!(params.to_string(), ";RPORT=5060;b=\"x;y\";c");
    }

    #[test]
    fn a_quoted_value_reads_with_and_without_quotes() {
        let params = read(";+sip.instance=\"<urn:uuid:1>\"");
        assert_eq!(params.get("+sip.instance"), Some("\"<urn:uuid:1>\""));
        assert_eq!(
            params.unquoted("+sip.instance").as_deref(),
            Some("<urn:uuid:1>")
        );
    }

    #[test]
    fn too_many_are_refused() {
        assert!(Params::parse(";a".repeat(MAX_PARAMS).as_bytes()).is_some());
        assert!(Params::parse(";a".repeat(MAX_PARAMS + 1).as_bytes()).is_none());
    }
}
