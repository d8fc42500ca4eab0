//! The name under which a certificate file is kept.
//!
//! It is the key of a table row and a word in log lines and scripts; it never
//! becomes a path.

use std::fmt;

use thiserror::Error;

use crate::schema::Index;

/// 1 to 64 octets without a slash and without control characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileName(String);

/// Why a text is no file name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum BadFileName {
    /// Nothing there.
    #[error("the file name is empty")]
    Empty,
    /// Over 64 octets.
    #[error("the file name is longer than {LONGEST} octets")]
    TooLong,
    /// Not UTF-8.
    #[error("the file name is not UTF-8")]
    NotText,
    /// A slash or a control character.
    #[error("the file name holds a slash or a control character")]
    BadCharacter,
}

impl FileName {
    /// Reads a name.
    ///
    /// # Errors
    /// [`BadFileName`] says what is wrong.
    pub fn parse(text: &str) -> Result<Self, BadFileName> {
        match text {
            "" => Err(BadFileName::Empty),
            _ if text.len() > LONGEST => Err(BadFileName::TooLong),
            _ if text.contains(|c: char| c == '/' || c.is_control()) => {
                Err(BadFileName::BadCharacter)
            }
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// Reads the name that is the key of a row.
    ///
    /// # Errors
    /// [`BadFileName`] says what is wrong.
    pub fn of_row(index: &Index) -> Result<Self, BadFileName> {
        let octets = index.arcs().iter().skip(1);
        let octets: Result<Vec<u8>, _> = octets.map(|arc| u8::try_from(*arc)).collect();
        let text = octets
            .ok()
            .and_then(|octets| String::from_utf8(octets).ok());
        Self::parse(&text.ok_or(BadFileName::NotText)?)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of its rows.
    #[must_use]
    pub fn index(&self) -> Index {
        Index::text(&self.0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Octets of a name, as the index columns have it.
pub(super) const LONGEST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_words_and_never_paths() {
        for good in ["a.pem", "Ca 1", "..", "é", &"x".repeat(64)] {
            let name = FileName::parse(good).expect(good);
            assert_eq!(FileName::of_row(&name.index()), Ok(name));
        }
        for (bad, why) in [
            ("", BadFileName::Empty),
            ("a/b", BadFileName::BadCharacter),
            ("a\nb", BadFileName::BadCharacter),
            (&"é".repeat(33), BadFileName::TooLong),
        ] {
            assert_eq!(FileName::parse(bad), Err(why), "{bad}");
        }
        let latin = Index::from_arcs(&[1, 0xe9]);
        assert_eq!(FileName::of_row(&latin), Err(BadFileName::NotText));
    }
}
