//! Regular expressions of routes and mappings.

use regex_lite::{Captures, Regex, RegexBuilder};
use thiserror::Error;

/// A regular expression; it is found anywhere in a text unless it says `^` and `$`.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

/// Why a text is no regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{text:?} is no regular expression: {reason}")]
pub struct PatternFault {
    text: String,
    reason: String,
}

impl Pattern {
    /// Reads a regular expression; one that would need much memory is refused.
    ///
    /// # Errors
    /// The text and what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PatternFault> {
        let built = RegexBuilder::new(text).size_limit(MOST_OCTETS).build();
        built.map(Self).map_err(|fault| PatternFault {
            text: text.to_owned(),
            reason: fault.to_string(),
        })
    }

    /// Whether a text fits.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The replacement with its `\0` to `\9` filled in, where the text fits.
    #[must_use]
    pub fn replace(&self, text: &str, replacement: &str) -> Option<String> {
        let found = self.0.captures(text)?;
        Some(fill(&found, replacement))
    }
}

fn fill(found: &Captures<'_>, replacement: &str) -> String {
    let mut text = String::new();
    let mut letters = replacement.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(digit) if digit.is_ascii_digit() => {
                    let group = digit.to_digit(10).unwrap_or(0) as usize;
                    text.push_str(found.get(group).map_or("", |it| it.as_str()));
                }
                other => text.extend(other),
            },
            letter => text.push(letter),
        }
    }
    text
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for Pattern {}

const MOST_OCTETS: usize = 1 << 20;
