//! Capability negotiation (RFC 5939): what else an offer could be.

use std::fmt;

use super::attribute::Attribute;

/// `a=acap`: an attribute that a configuration may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributeCapability {
    /// Its number.
    pub number: u32,
    /// The attribute; never a capability itself.
    pub attribute: Box<Attribute>,
}

/// `a=pcfg` and `a=acfg`: a configuration that is possible, or that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configuration {
    /// Its number, the lowest first.
    pub number: u32,
    /// Transport capabilities, one of which to use; empty for that of the media line.
    pub transports: Vec<u32>,
    /// Sets of attribute capabilities, one of which to use.
    pub attributes: Vec<AttributeSet>,
    /// Extensions, as written; one with a `+` must be understood.
    pub extensions: Vec<String>,
}

/// Attribute capabilities that are used together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeSet {
    /// Which attributes of the offer do not count.
    pub delete: Delete,
    /// All of these are used.
    pub mandatory: Vec<u32>,
    /// Of these, as many as are understood.
    pub optional: Vec<u32>,
}

/// RFC 5939 §3.5.1, `delete-attributes`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delete {
    /// All stay.
    #[default]
    Nothing,
    /// `-m`
    Media,
    /// `-s`
    Session,
    /// `-ms`
    Both,
}

impl AttributeCapability {
    pub(super) fn parse(value: &str) -> Option<Self> {
        let (number, attribute) = value.trim_start().split_once(' ')?;
        Some(Self {
            number: number_of(number)?,
            attribute: Box::new(Attribute::plain(attribute.trim_start())),
        })
    }
}

impl Configuration {
    pub(super) fn parse(value: &str) -> Option<Self> {
        let mut words = value.split_ascii_whitespace();
        let mut configuration = Self {
            number: number_of(words.next()?)?,
            transports: Vec::new(),
            attributes: Vec::new(),
            extensions: Vec::new(),
        };
        for word in words {
            if let Some(list) = word.strip_prefix("t=") {
                configuration.transports = list.split('|').map(number_of).collect::<Option<_>>()?;
            } else if let Some(list) = word.strip_prefix("a=") {
                configuration.attributes = list
                    .split('|')
                    .map(AttributeSet::parse)
                    .collect::<Option<_>>()?;
            } else {
                configuration.extensions.push(word.to_owned());
            }
        }
        Some(configuration)
    }

    /// Whether it can be used without knowing any extension (RFC 5939 §3.5.1).
    #[must_use]
    pub fn is_plain(&self) -> bool {
        !self.extensions.iter().any(|word| word.starts_with('+'))
    }
}

impl AttributeSet {
    fn parse(text: &str) -> Option<Self> {
        let (delete, list) = match text.split_once(':') {
            Some(("-m", list)) => (Delete::Media, list),
            Some(("-s", list)) => (Delete::Session, list),
            Some(("-ms" | "-sm", list)) => (Delete::Both, list),
            Some(_) => return None,
            None => match text {
                "-m" => (Delete::Media, ""),
                "-s" => (Delete::Session, ""),
                "-ms" => (Delete::Both, ""),
                list => (Delete::Nothing, list),
            },
        };
        let (mandatory, optional) = match list.split_once('[') {
            Some((mandatory, optional)) => (mandatory, optional.strip_suffix(']')?),
            None => (list, ""),
        };
        let numbers = |list: &str| -> Option<Vec<u32>> {
            list.split(',')
                .filter(|word| !word.is_empty())
                .map(number_of)
                .collect()
        };
        Some(Self {
            delete,
            mandatory: numbers(mandatory)?,
            optional: numbers(optional)?,
        })
    }
}

pub(super) fn number_of(word: &str) -> Option<u32> {
    let number = word.parse().ok()?;
    (1..=MAX_CAPABILITY).contains(&number).then_some(number)
}

impl fmt::Display for AttributeCapability {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.number, self.attribute)
    }
}

impl fmt::Display for Configuration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.number)?;
        if !self.transports.is_empty() {
            write!(formatter, " t={}", join(&self.transports, "|"))?;
        }
        if !self.attributes.is_empty() {
            write!(formatter, " a={}", join(&self.attributes, "|"))?;
        }
        self.extensions
            .iter()
            .try_for_each(|word| write!(formatter, " {word}"))
    }
}

impl fmt::Display for AttributeSet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let delete = match self.delete {
            Delete::Nothing => "",
            Delete::Media => "-m",
            Delete::Session => "-s",
            Delete::Both => "-ms",
        };
        let empty = self.mandatory.is_empty() && self.optional.is_empty();
        let colon = if delete.is_empty() || empty { "" } else { ":" };
        write!(formatter, "{delete}{colon}{}", join(&self.mandatory, ","))?;
        if self.optional.is_empty() {
            return Ok(());
        }
        let comma = if self.mandatory.is_empty() { "" } else { "," };
        write!(formatter, "{comma}[{}]", join(&self.optional, ","))
    }
}

fn join<T: ToString>(list: &[T], between: &str) -> String {
    let words: Vec<String> = list.iter().map(ToString::to_string).collect();
    words.join(between)
}

/// RFC 5939 §3.4.1: capabilities are numbered from 1 to 2^31 - 1.
const MAX_CAPABILITY: u32 = i32::MAX as u32;
