//! What an object may hold: base type, ranges, labels, format.

use super::value::Value;
use std::net::IpAddr;

/// The SYNTAX clause of an object, resolved.
#[derive(Clone, Copy, Debug)]
pub struct Syntax {
    /// The type on the wire.
    pub base: Base,
    /// The textual convention's name, or "".
    pub format: &'static str,
    /// Allowed numbers, inclusive; empty allows all.
    pub ranges: &'static [(i64, i64)],
    /// Allowed lengths in octets, inclusive; empty allows 0..65535.
    pub sizes: &'static [(i64, i64)],
    /// Labels of an enumeration.
    pub labels: &'static [(&'static str, i64)],
}

/// The type of a value on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Base {
    Integer,
    Unsigned,
    Counter32,
    Counter64,
    TimeTicks,
    Octets,
    Oid,
    IpAddress,
}

/// A DEFVAL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    /// A number or the number of a label.
    Integer(i64),
    /// A string.
    Octets(&'static [u8]),
}

/// Why a value does not fit, in the order in which RFC 3416 §4.2.5 asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misfit {
    /// Another base type.
    Type,
    /// A length that no SIZE allows.
    Length,
    /// A number out of range, no label, or text that the format refuses.
    Value,
}

impl Syntax {
    /// A base type without constraints.
    pub const fn plain(base: Base) -> Self {
        Self {
            base,
            format: "",
            ranges: &[],
            sizes: &[],
            labels: &[],
        }
    }

    /// The label of a number.
    pub fn label(&self, number: i64) -> Option<&'static str> {
        let found = self.labels.iter().find(|(_, known)| *known == number);
        found.map(|(label, _)| *label)
    }

    /// `number` as a value of this base type.
    pub(crate) fn number(&self, number: i64) -> Option<Value> {
        Some(match self.base {
            Base::Integer => Value::Integer(i32::try_from(number).ok()?),
            Base::Unsigned => Value::Unsigned(u32::try_from(number).ok()?),
            Base::Counter32 => Value::Counter32(u32::try_from(number).ok()?),
            Base::Counter64 => Value::Counter64(u64::try_from(number).ok()?),
            Base::TimeTicks => Value::TimeTicks(u32::try_from(number).ok()?),
            Base::Octets | Base::Oid | Base::IpAddress => return None,
        })
    }

    /// Whether `value` may stand here.
    pub fn check(&self, value: &Value) -> Result<(), Misfit> {
        if value.base() != self.base {
            return Err(Misfit::Type);
        }
        if let Value::Octets(octets) = value {
            return self.check_octets(octets);
        }
        let fits = value.number().is_none_or(|number| self.allows(number));
        fits.then_some(()).ok_or(Misfit::Value)
    }

    fn allows(&self, number: i64) -> bool {
        if !self.labels.is_empty() {
            return self.label(number).is_some();
        }
        within(self.ranges, number)
    }

    fn check_octets(&self, octets: &[u8]) -> Result<(), Misfit> {
        let length = i64::try_from(octets.len()).unwrap_or(i64::MAX);
        if length > LONGEST || !within(self.sizes, length) {
            return Err(Misfit::Length);
        }
        well_formed(self.format, octets)
            .then_some(())
            .ok_or(Misfit::Value)
    }

    /// The constraint in words, for a refusal: "100..200", "1 to 32 octets", "disable(0), enable(1)".
    pub fn expectation(&self) -> String {
        if !self.labels.is_empty() {
            let labels = self.labels.iter();
            let listed: Vec<_> = labels.map(|(label, n)| format!("{label}({n})")).collect();
            return format!("one of {}", listed.join(", "));
        }
        match self.base {
            Base::Octets if format_in_words(self.format).is_some() => {
                format_in_words(self.format).unwrap_or_default().to_owned()
            }
            Base::Octets => format!("text of {} octets", spans(self.sizes, (0, LONGEST))),
            Base::Integer => format!(
                "a number {}",
                spans(self.ranges, (-(1 << 31), (1 << 31) - 1))
            ),
            Base::Oid => "an OID".to_owned(),
            Base::IpAddress => "an IPv4 address".to_owned(),
            Base::Unsigned | Base::Counter32 | Base::Counter64 | Base::TimeTicks => {
                format!("a number {}", spans(self.ranges, (0, (1 << 32) - 1)))
            }
        }
    }
}

/// The longest OCTET STRING that SMIv2 knows (RFC 2578 §7.1.2).
const LONGEST: i64 = 65_535;

fn within(spans: &[(i64, i64)], number: i64) -> bool {
    spans.is_empty()
        || spans
            .iter()
            .any(|(low, high)| (low..=high).contains(&&number))
}

fn spans(spans: &[(i64, i64)], otherwise: (i64, i64)) -> String {
    let spans = if spans.is_empty() {
        &[otherwise][..]
    } else {
        spans
    };
    let listed: Vec<String> = spans
        .iter()
        .map(|(low, high)| match low == high {
            true => low.to_string(),
            false => format!("{low}..{high}"),
        })
        .collect();
    listed.join(" or ")
}

fn format_in_words(format: &str) -> Option<&'static str> {
    Some(match format {
        "MxIpHostNamePort" => "host or host:port, an IPv6 address in brackets, \"\" for none",
        "MxIpHostName" => "a host name or address, \"\" for none",
        "MxIpAddress" => "an IPv4 or IPv6 address, \"\" for none",
        "MxIpAddrMask" => "an address with a prefix length, e.g. 192.0.2.1/24, \"\" for none",
        "MxUInt64" => "a decimal number of 64 bits",
        "DemarcPeriodRange" => "two numbers of seconds as 30-300, or 30- for no greatest",
        _ => return None,
    })
}

/// Whether the text obeys the textual convention `format`.
fn well_formed(format: &str, octets: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(octets) else {
        return !TEXTUAL.contains(&format);
    };
    match format {
        "MxIpHostNamePort" => text.is_empty() || host_and_port(text),
        "MxIpHostName" => text.is_empty() || host(text),
        "MxIpAddress" => text.is_empty() || text.parse::<IpAddr>().is_ok(),
        "MxIpAddrMask" => text.is_empty() || address_mask(text),
        "MxUInt64" => text.parse::<u64>().is_ok(),
        "DemarcPeriodRange" => text.is_empty() || period_range(text),
        _ => true,
    }
}

const TEXTUAL: [&str; 7] = [
    "MxIpHostNamePort",
    "MxIpHostName",
    "MxIpAddress",
    "MxIpAddrMask",
    "MxUInt64",
    "DemarcPeriodRange",
    "SnmpAdminString",
];

fn period_range(text: &str) -> bool {
    let seconds = |text: &str| text.bytes().all(|it| it.is_ascii_digit()) && text.len() <= 10;
    text.split_once('-')
        .is_some_and(|(least, greatest)| !least.is_empty() && seconds(least) && seconds(greatest))
}

fn host_and_port(text: &str) -> bool {
    let port = |port: &str| port.parse::<u16>().is_ok();
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, rest)) = rest.split_once(']') else {
            return false;
        };
        let v6 = address.parse::<std::net::Ipv6Addr>().is_ok();
        return v6 && (rest.is_empty() || rest.strip_prefix(':').is_some_and(port));
    }
    match text.split_once(':') {
        Some((name, number)) => host(name) && port(number),
        None => host(text),
    }
}

/// RFC 1123 §2.1, with the underscore that real names have.
fn host(text: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label
                .bytes()
                .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-' || octet == b'_')
    };
    text.parse::<IpAddr>().is_ok() || text.strip_suffix('.').unwrap_or(text).split('.').all(label)
}

fn address_mask(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else {
        return text.parse::<IpAddr>().is_ok();
    };
    match (address.parse::<IpAddr>(), bits.parse::<u8>()) {
        (Ok(IpAddr::V4(_)), Ok(bits)) => bits <= 32,
        (Ok(IpAddr::V6(_)), Ok(bits)) => bits <= 128,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PORT: Syntax = Syntax {
        ranges: &[(0, 0), (100, 1000)],
        ..Syntax::plain(Base::Unsigned)
    };

    #[test]
    fn a_value_is_checked_for_type_then_length_then_value() {
        let short = Syntax {
            sizes: &[(1, 3)],
            ..Syntax::plain(Base::Octets)
        };
        assert_eq!(short.check(&Value::Integer(1)), Err(Misfit::Type));
        assert_eq!(short.check(&Value::from("")), Err(Misfit::Length));
        assert_eq!(short.check(&Value::from("abc")), Ok(()));
        assert_eq!(PORT.check(&Value::Unsigned(0)), Ok(()));
        assert_eq!(PORT.check(&Value::Unsigned(1)), Err(Misfit::Value));
        assert_eq!(PORT.expectation(), "a number 0 or 100..1000");
    }

    #[test]
    fn hosts_are_names_addresses_and_bracketed_addresses() {
        let syntax = Syntax {
            format: "MxIpHostNamePort",
            ..Syntax::plain(Base::Octets)
        };
        for good in [
            "",
            "sip.example.com:0",
            "192.0.2.1:5061",
            "[2001:db8::1]:5061",
            "[::1]",
            "a",
        ] {
            assert_eq!(syntax.check(&Value::from(good)), Ok(()), "{good}");
        }
        for bad in ["a b", "a:port", "a:70000", "[::1", "a..b", "host:", ":5060"] {
            assert_eq!(syntax.check(&Value::from(bad)), Err(Misfit::Value), "{bad}");
        }
    }

    #[test]
    fn an_address_with_its_prefix_length_may_be_none() {
        let syntax = Syntax {
            format: "MxIpAddrMask",
            ..Syntax::plain(Base::Octets)
        };
        for good in ["", "192.0.2.1/24", "2001:db8::1/64", "127.0.0.1"] {
            assert_eq!(syntax.check(&Value::from(good)), Ok(()), "{good}");
        }
        for bad in ["192.0.2.1/33", "eth0", "/24"] {
            assert_eq!(syntax.check(&Value::from(bad)), Err(Misfit::Value), "{bad}");
        }
    }
}
