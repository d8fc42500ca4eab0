//! One value of an object, as SMIv2 types it.

use super::octets::Octets;
use super::syntax::{Base, Syntax};
use std::fmt::Write;
use std::sync::Arc;

/// A value; a copy costs no allocation.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// INTEGER, Integer32 and enumerations.
    Integer(i32),
    /// Unsigned32 and Gauge32.
    Unsigned(u32),
    /// Counter32: wraps.
    Counter32(u32),
    /// Counter64: wraps; not for SNMPv1.
    Counter64(u64),
    /// Hundredths of a second.
    TimeTicks(u32),
    /// OCTET STRING.
    Octets(Octets),
    /// OBJECT IDENTIFIER.
    Oid(Arc<[u32]>),
    /// IPv4 address.
    IpAddress([u8; 4]),
}

/// Why a text is no value of a syntax.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Not a number where one is needed.
    #[error("\"{0}\" is not a number")]
    NotANumber(String),
    /// Neither a label nor a number of the enumeration.
    #[error("\"{0}\" is none of {1}")]
    NoSuchLabel(String, String),
    /// A quoted string or `0x` octets that end too early or escape wrongly.
    #[error("\"{0}\" is not a well-formed string")]
    BadString(String),
    /// Not an OID.
    #[error("\"{0}\" is not an OID")]
    BadOid(String),
    /// Not an IPv4 address.
    #[error("\"{0}\" is not an IPv4 address")]
    BadAddress(String),
    /// Any of these, of a secret: what was written stays unsaid.
    #[error("the value is not well-formed")]
    OfSecret,
}

impl Value {
    /// Octets of a text or of bytes.
    pub fn octets(octets: impl AsRef<[u8]>) -> Self {
        Self::Octets(Octets::new(octets.as_ref()))
    }

    /// The base type it has.
    pub fn base(&self) -> Base {
        match self {
            Self::Integer(_) => Base::Integer,
            Self::Unsigned(_) => Base::Unsigned,
            Self::Counter32(_) => Base::Counter32,
            Self::Counter64(_) => Base::Counter64,
            Self::TimeTicks(_) => Base::TimeTicks,
            Self::Octets(_) => Base::Octets,
            Self::Oid(_) => Base::Oid,
            Self::IpAddress(_) => Base::IpAddress,
        }
    }

    /// The number in it, if it is one.
    pub fn number(&self) -> Option<i64> {
        Some(match self {
            Self::Integer(number) => i64::from(*number),
            Self::Unsigned(number) | Self::Counter32(number) | Self::TimeTicks(number) => {
                i64::from(*number)
            }
            Self::Counter64(number) => i64::try_from(*number).ok()?,
            Self::Octets(_) | Self::Oid(_) | Self::IpAddress(_) => return None,
        })
    }

    /// Its octets, if it is a string.
    pub fn as_octets(&self) -> Option<&[u8]> {
        match self {
            Self::Octets(octets) => Some(octets),
            _ => None,
        }
    }

    /// The value written as `text` in scripts and on the command line:
    /// numbers plain, enumerations by label or number, strings bare or in
    /// double quotes with `\"` `\\` `\n` `\xNN`, octets as `0x...`.
    pub fn parse(text: &str, syntax: &Syntax) -> Result<Self, ValueError> {
        if !syntax.labels.is_empty() {
            return labelled(text, syntax);
        }
        let not_a_number = || ValueError::NotANumber(text.to_owned());
        Ok(match syntax.base {
            Base::Integer => Self::Integer(text.parse().map_err(|_| not_a_number())?),
            Base::Unsigned => Self::Unsigned(text.parse().map_err(|_| not_a_number())?),
            Base::Counter32 => Self::Counter32(text.parse().map_err(|_| not_a_number())?),
            Base::Counter64 => Self::Counter64(text.parse().map_err(|_| not_a_number())?),
            Base::TimeTicks => Self::TimeTicks(text.parse().map_err(|_| not_a_number())?),
            Base::Octets => Self::octets(unquote(text)?),
            Base::Oid => Self::Oid(parse_oid(text)?.into()),
            Base::IpAddress => Self::IpAddress(
                text.parse::<std::net::Ipv4Addr>()
                    .map_err(|_| ValueError::BadAddress(text.to_owned()))?
                    .octets(),
            ),
        })
    }

    /// The value as a person reads it: the label of an enumeration, a string bare.
    pub fn display(&self, syntax: &Syntax) -> String {
        if let Some(text) = self.as_displayed(syntax) {
            return text.to_owned();
        }
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Unsigned(number) | Self::Counter32(number) | Self::TimeTicks(number) => {
                number.to_string()
            }
            Self::Counter64(number) => number.to_string(),
            Self::Octets(octets) => octets_text(octets),
            Self::Oid(arcs) => dotted(arcs),
            Self::IpAddress(octets) => std::net::Ipv4Addr::from(*octets).to_string(),
        }
    }

    /// [`Value::display`] where it is a text that is there already: a label, or what an
    /// OCTET STRING says.
    pub fn as_displayed(&self, syntax: &Syntax) -> Option<&str> {
        match self {
            Self::Integer(number) => syntax.label(i64::from(*number)),
            Self::Octets(octets) => is_text(octets),
            _ => None,
        }
    }

    /// The value as a script writes it, so that [`Value::parse`] reads it back.
    pub fn script(&self, syntax: &Syntax) -> String {
        match self {
            Self::Octets(octets) => quote(octets),
            _ => self.display(syntax),
        }
    }
}

impl std::fmt::Debug for Value {
    /// Types only: a value may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Octets(octets) => write!(f, "Octets({} octets)", octets.len()),
            Self::Oid(arcs) => write!(f, "Oid({})", dotted(arcs)),
            Self::IpAddress(octets) => write!(f, "IpAddress({octets:?})"),
            Self::Integer(number) => write!(f, "Integer({number})"),
            Self::Unsigned(number) => write!(f, "Unsigned({number})"),
            Self::Counter32(number) => write!(f, "Counter32({number})"),
            Self::Counter64(number) => write!(f, "Counter64({number})"),
            Self::TimeTicks(number) => write!(f, "TimeTicks({number})"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::octets(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::octets(text)
    }
}

impl From<bool> for Value {
    /// MxEnableState: disable(0), enable(1).
    fn from(enabled: bool) -> Self {
        Self::Integer(i32::from(enabled))
    }
}

/// `1.3.6.1` as sub-identifiers; a leading dot is allowed.
pub(crate) fn parse_oid(text: &str) -> Result<Vec<u32>, ValueError> {
    let bad = || ValueError::BadOid(text.to_owned());
    text.strip_prefix('.')
        .unwrap_or(text)
        .split('.')
        .map(|arc| arc.parse().map_err(|_| bad()))
        .collect()
}

/// Sub-identifiers as `1.3.6.1`.
pub fn dotted(arcs: &[u32]) -> String {
    let mut out = String::with_capacity(arcs.len() * 4);
    for (at, arc) in arcs.iter().enumerate() {
        if at > 0 {
            out.push('.');
        }
        let _ = write!(out, "{arc}");
    }
    out
}

fn labelled(text: &str, syntax: &Syntax) -> Result<Value, ValueError> {
    let by_label = syntax
        .labels
        .iter()
        .find(|(label, _)| label.eq_ignore_ascii_case(text))
        .map(|(_, number)| *number);
    by_label
        .or_else(|| text.parse().ok())
        .and_then(|number| i32::try_from(number).ok())
        .map(Value::Integer)
        .ok_or_else(|| {
            let known: Vec<String> = syntax
                .labels
                .iter()
                .map(|(label, number)| format!("{label}({number})"))
                .collect();
            ValueError::NoSuchLabel(text.to_owned(), known.join(", "))
        })
}

fn unquote(text: &str) -> Result<Vec<u8>, ValueError> {
    let bad = || ValueError::BadString(text.to_owned());
    if let Some(hex) = text.strip_prefix("0x") {
        return (hex.len() % 2 == 0)
            .then(|| hex_octets(hex))
            .flatten()
            .ok_or_else(bad);
    }
    let Some(inner) = text.strip_prefix('"') else {
        return Ok(text.as_bytes().to_vec());
    };
    let inner = inner.strip_suffix('"').ok_or_else(bad)?;
    let mut out = Vec::with_capacity(inner.len());
    let mut rest = inner.bytes();
    while let Some(octet) = rest.next() {
        match octet {
            b'"' => return Err(bad()),
            b'\\' => out.push(escaped(&mut rest).ok_or_else(bad)?),
            plain => out.push(plain),
        }
    }
    Ok(out)
}

fn escaped(rest: &mut std::str::Bytes<'_>) -> Option<u8> {
    match rest.next()? {
        b'n' => Some(b'\n'),
        b'x' => {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            u8::try_from(digit()? << 4 | digit()?).ok()
        }
        same @ (b'"' | b'\\') => Some(same),
        _ => None,
    }
}

fn hex_octets(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect();
    Some(
        digits?
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect(),
    )
}

fn is_text(octets: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(octets).ok()?;
    let is_plain = |octet: &u8| matches!(octet, b' '..=b'~' | b'\n');
    let is_control = |letter: char| letter.is_control() && letter != '\n';
    // Most are of ASCII, whose octets need not be put together to letters.
    (octets.iter().all(is_plain) || !text.contains(is_control)).then_some(text)
}

fn octets_text(octets: &[u8]) -> String {
    is_text(octets).map_or_else(|| hex(octets), str::to_owned)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::from("0x"), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}

fn quote(octets: &[u8]) -> String {
    let Some(text) = is_text(octets) else {
        return hex(octets);
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            plain => out.push(plain),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Syntax = Syntax::plain(Base::Octets);
    const SWITCH: Syntax = Syntax {
        labels: &[("disable", 0), ("enable", 1)],
        ..Syntax::plain(Base::Integer)
    };

    #[test]
    fn strings_are_read_bare_quoted_and_as_octets() {
        let read = |text| Value::parse(text, &TEXT);
        assert_eq!(read("a b"), Ok(Value::from("a b")));
        assert_eq!(read(r#""a\"\\\n\x41""#), Ok(Value::from("a\"\\\nA")));
        assert_eq!(read("0x00ff"), Ok(Value::octets([0, 255])));
        for bad in [
            "\"open",
            "\"a\"b\"",
            r#""\q""#,
            r#""\x4""#,
            r#""\x+f""#,
            "0x0",
            "0xzz",
        ] {
            assert!(matches!(read(bad), Err(ValueError::BadString(_))), "{bad}");
        }
    }

    #[test]
    fn what_a_script_writes_is_read_back() {
        for octets in [
            &b"plain"[..],
            b"",
            b"\"q\\\n",
            b"\x00\xff",
            "\u{e9}".as_bytes(),
        ] {
            let value = Value::octets(octets);
            assert_eq!(Value::parse(&value.script(&TEXT), &TEXT), Ok(value));
        }
    }

    #[test]
    fn enumerations_are_read_by_label_and_by_number() {
        assert_eq!(Value::parse("Enable", &SWITCH), Ok(Value::Integer(1)));
        assert_eq!(Value::parse("0", &SWITCH), Ok(Value::Integer(0)));
        let refused = Value::parse("on", &SWITCH).map_err(|error| error.to_string());
        assert_eq!(
            refused,
            Err("\"on\" is none of disable(0), enable(1)".to_owned())
        );
        assert_eq!(Value::Integer(1).display(&SWITCH), "enable");
    }

    #[test]
    fn debug_output_never_shows_a_string() {
        assert_eq!(format!("{:?}", Value::from("secret")), "Octets(6 octets)");
    }
}
