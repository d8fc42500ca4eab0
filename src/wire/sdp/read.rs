//! From octets to a description, within bounds.

use thiserror::Error;

use super::attribute::Attribute;
use super::line::{Connection, Line, Origin};
use super::{Media, Session};

/// Why octets are no description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Longer than `MAX_OCTETS`.
    #[error("a description of {0} octets is too long")]
    Long(usize),
    /// Not UTF-8, or with a NUL.
    #[error("a description is text")]
    Text,
    /// The line of this number, from 1, is longer than `MAX_LINE`.
    #[error("line {0} is too long")]
    LongLine(usize),
    /// More than `MAX_LINES`.
    #[error("a description of more than {MAX_LINES} lines")]
    Lines,
    /// More than `MAX_MEDIA`.
    #[error("a description of more than {MAX_MEDIA} media")]
    Media,
    /// It does not begin with `v=0`.
    #[error("a description begins with v=0")]
    Version,
    /// There is no `o=`, or a second one.
    #[error("a description has one origin")]
    Origin,
    /// The line of this number, from 1, breaks its grammar.
    #[error("line {0} is malformed")]
    Line(usize),
}

pub(super) fn session(octets: &[u8]) -> Result<Session, Fault> {
    if octets.len() > MAX_OCTETS {
        return Err(Fault::Long(octets.len()));
    }
    let text = std::str::from_utf8(octets).map_err(|_| Fault::Text)?;
    if text.contains('\0') {
        return Err(Fault::Text);
    }
    let mut reader = Reader::default();
    for (at, line) in text.lines().enumerate() {
        reader.read(at + 1, line)?;
    }
    reader.finish()
}

#[derive(Default)]
struct Reader {
    version: bool,
    origin: Option<Origin>,
    lines: Vec<Line>,
    media: Vec<Media>,
}

impl Reader {
    fn read(&mut self, number: usize, line: &str) -> Result<(), Fault> {
        // RFC 8866 §5: a single newline ends a line too.
        let line = line.trim_end_matches('\r');
        if number > MAX_LINES {
            return Err(Fault::Lines);
        }
        if line.len() > MAX_LINE {
            return Err(Fault::LongLine(number));
        }
        if line.is_empty() {
            return Ok(());
        }
        let (kind, value) = split(line).ok_or(Fault::Line(number))?;
        if !self.version {
            self.version = kind == 'v' && value.trim() == "0";
            return self.version.then_some(()).ok_or(Fault::Version);
        }
        self.take(kind, value, number)
    }

    fn take(&mut self, kind: char, value: &str, number: usize) -> Result<(), Fault> {
        let malformed = Fault::Line(number);
        let line = match kind {
            'v' => return Err(malformed),
            'o' if self.origin.is_some() || !self.media.is_empty() => return Err(Fault::Origin),
            'o' => {
                self.origin = Some(Origin::parse(value).ok_or(malformed)?);
                return Ok(());
            }
            'm' if self.media.len() == MAX_MEDIA => return Err(Fault::Media),
            'm' => {
                self.media.push(Media::parse(value).ok_or(malformed)?);
                return Ok(());
            }
            'c' => Line::Connection(Connection::parse(value).ok_or(malformed)?),
            'a' => Line::Attribute(Attribute::parse(value)),
            _ => Line::Other(kind, value.to_owned()),
        };
        match self.media.last_mut() {
            Some(media) => media.lines.push(line),
            None => self.lines.push(line),
        }
        Ok(())
    }

    fn finish(self) -> Result<Session, Fault> {
        if !self.version {
            return Err(Fault::Version);
        }
        Ok(Session {
            origin: self.origin.ok_or(Fault::Origin)?,
            lines: self.lines,
            media: self.media,
        })
    }
}

fn split(line: &str) -> Option<(char, &str)> {
    let (kind, value) = line.split_once('=')?;
    let mut letters = kind.chars();
    let letter = letters.next().filter(char::is_ascii_lowercase)?;
    letters.next().is_none().then_some((letter, value))
}

/// Octets of a description; four of the largest datagrams of key material.
const MAX_OCTETS: usize = 65_536;
/// Octets of a line; a MIKEY message in base64 is the longest.
const MAX_LINE: usize = 8_192;
/// Lines of a description.
const MAX_LINES: usize = 1_024;
/// Media of a description.
const MAX_MEDIA: usize = 32;
