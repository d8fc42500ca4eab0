//! When two URIs mean the same (RFC 3261 §19.1.4).

use super::escape::escaped_octet;
use super::uri::{Scheme, Uri};

impl Uri {
    /// Whether both URIs are equivalent by RFC 3261 §19.1.4; tel URIs by
    /// RFC 3966 §5 without its phone context, others by their text.
    pub fn is_equivalent(&self, other: &Uri) -> bool {
        if self.scheme() != other.scheme() {
            return false;
        }
        match self.scheme() {
            Scheme::Sip | Scheme::Sips => {
                same_escaped(self.user(), other.user())
                    && same_escaped(self.password(), other.password())
                    && self.host() == other.host()
                    && self.port() == other.port()
                    && params_match(self, other)
                    && params_match(other, self)
                    && headers_match(self, other)
            }
            Scheme::Tel => number(self) == number(other),
            Scheme::Other => self == other,
        }
    }
}

/// Digits count, visual separators do not.
fn number(uri: &Uri) -> String {
    let digits = uri.user().unwrap_or_default().chars();
    digits
        .filter(|digit| !"-.()".contains(*digit))
        .map(|digit| digit.to_ascii_lowercase())
        .collect()
}

/// A parameter in both must match; one that decides where a request goes must
/// be in both or in none. Of a repeated one the first counts.
fn params_match(one: &Uri, other: &Uri) -> bool {
    one.params()
        .all(|(name, _)| match (one.param(name), other.param(name)) {
            (Some(ours), Some(theirs)) => plain(ours).eq_ignore_ascii_case(&plain(theirs)),
            _ => !DECIDING.iter().any(|own| own.eq_ignore_ascii_case(name)),
        })
}

/// Headers are never ignored; their order does not count.
fn headers_match(one: &Uri, other: &Uri) -> bool {
    let sorted = |uri: &Uri| {
        let mut list: Vec<(String, String)> = uri
            .headers()
            .map(|(name, value)| (plain(name).to_ascii_lowercase(), plain(value)))
            .collect();
        list.sort();
        list
    };
    sorted(one) == sorted(other)
}

fn same_escaped(one: Option<&str>, other: Option<&str>) -> bool {
    one.map(plain) == other.map(plain)
}

/// `%HH` of an octet that is not reserved means the octet (RFC 3261 §19.1.4);
/// all others are kept, in one case.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match escaped_octet(rest.as_bytes()) {
            Some(octet) if is_text(octet) => plain.push(char::from(octet)),
            Some(octet) => plain.push_str(&format!("%{octet:02X}")),
            None => plain.push(first),
        }
        let taken = match escaped_octet(rest.as_bytes()) {
            Some(_) => 3,
            None => first.len_utf8(),
        };
        rest = &rest[taken..];
    }
    plain
}

/// Printable and not of the `reserved` set, nor `%` itself.
fn is_text(octet: u8) -> bool {
    octet.is_ascii_graphic() && !b";/?:@&=+$,%".contains(&octet)
}

/// RFC 3261 §19.1.4: never ignored when only one URI has them.
const DECIDING: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];

#[cfg(test)]
mod tests {
    use super::*;

    fn same(one: &str, other: &str) -> bool {
        let read = |text| Uri::parse(text).expect("a URI");
        let there = read(one).is_equivalent(&read(other));
        assert_eq!(there, read(other).is_equivalent(&read(one)), "symmetry");
        there
    }

    #[test]
    fn hosts_schemes_and_parameters_compare_without_case() {
        assert!(same(
            "sip:%61nna@Gate.example.NET;Transport=TCP",
            "SIP:anna@gate.EXAMPLE.net;transport=tcp"
        ));
    }

    #[test]
    fn users_compare_with_case() {
        assert!(!same(
            "sip:Anna@gate.example.net",
            "sip:anna@gate.example.net"
        ));
    }

    #[test]
    fn an_absent_port_is_not_the_default_port() {
        assert!(!same("sip:a@example.net", "sip:a@example.net:5060"));
    }

    #[test]
    fn a_transport_in_one_only_makes_them_differ() {
        assert!(!same(
            "sip:a@example.net",
            "sip:a@example.net;transport=udp"
        ));
        assert!(!same(
            "sip:a@example.net",
            "sip:a@example.net;maddr=192.0.2.1"
        ));
    }

    #[test]
    fn an_unknown_parameter_in_one_only_is_ignored() {
        assert!(same("sip:a@example.net", "sip:a@example.net;colour=red"));
        assert!(!same(
            "sip:a@example.net;colour=blue",
            "sip:a@example.net;colour=red"
        ));
    }

    #[test]
    fn a_uri_that_repeats_a_parameter_is_still_itself() {
        assert!(same("sip:a@example.net;p;p=1", "sip:a@example.net;p;p=1"));
    }

    #[test]
    fn headers_count_but_not_their_order() {
        assert!(same(
            "sip:a@example.net?Subject=x&Priority=urgent",
            "sip:a@example.net?priority=urgent&subject=x"
        ));
        assert!(!same("sip:a@example.net?Subject=x", "sip:a@example.net"));
    }

    #[test]
    fn an_escaped_reserved_octet_is_not_the_octet() {
        assert!(!same("sip:a%3Bb@example.net", "sip:a;b@example.net"));
        assert!(same("sip:a%3bb@example.net", "sip:a%3Bb@example.net"));
        assert!(!same("sip:%2541@example.net", "sip:%41@example.net"));
    }

    #[test]
    fn sip_is_not_sips() {
        assert!(!same("sip:a@example.net", "sips:a@example.net"));
    }

    #[test]
    fn telephone_numbers_ignore_visual_separators() {
        assert!(same("tel:+1-(555)-0100", "tel:+15550100"));
    }
}
