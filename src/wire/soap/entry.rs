//! A value as it stands in an answer, and text as XML carries it.
//!
//! Apart from the rest of what a CPE says because there are thousands of
//! these: for them it is told by its cost.

use super::message::Kind;
use std::io::{self, Write};

/// An object as the entries of its parameters begin.
#[derive(Default)]
pub struct Object(Vec<u8>);

/// A value as it stands in an answer. Its name comes in two parts, so that
/// nothing has to be put together for each of thousands.
pub struct Entry<'a> {
    /// What it is a parameter of.
    pub object: &'a Object,
    /// Its own name, in which nothing needs to be escaped.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The text of its value.
    pub value: &'a str,
}

impl Object {
    /// That of a path, which ends with a dot.
    pub fn of(path: &str) -> Self {
        let mut object = Self::default();
        object.enter(path);
        object
    }

    /// It is that of another path from here on.
    pub fn enter(&mut self, path: &str) {
        self.0.clear();
        self.0.extend_from_slice(b"<ParameterValueStruct><Name>");
        print_text(path, &mut self.0).expect("a Vec takes everything");
    }
}

impl Entry<'_> {
    /// Prints the ParameterValueStruct.
    ///
    /// # Errors
    /// Those of the sink.
    pub fn print(&self, sink: &mut impl Write) -> io::Result<()> {
        sink.write_all(&self.object.0)?;
        sink.write_all(self.name.as_bytes())?;
        sink.write_all(b"</Name><Value xsi:type=\"xsd:")?;
        sink.write_all(self.kind.name().as_bytes())?;
        sink.write_all(b"\">")?;
        print_text(self.value, sink)?;
        sink.write_all(b"</Value></ParameterValueStruct>")
    }
}

/// Prints it escaped, so that what is read is what was written: a CR as a
/// reference, which else reads as LF (XML 1.0 §2.11), and a character that XML
/// cannot carry (§2.2) as U+FFFD.
pub(super) fn print_text(text: &str, sink: &mut impl Write) -> io::Result<()> {
    if !needs_care(text.as_bytes()) {
        return sink.write_all(text.as_bytes());
    }
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let escaped = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '\r' => "&#13;",
            '\t' | '\n' => continue,
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        sink.write_all(&text.as_bytes()[plain..at])?;
        sink.write_all(escaped.as_bytes())?;
        plain = at + character.len_utf8();
    }
    sink.write_all(&text.as_bytes()[plain..])
}

/// Whether anything may have to be escaped or replaced: what it is known by is
/// its first octet in UTF-8.
fn needs_care(text: &[u8]) -> bool {
    text.iter().any(|octet| CARE[usize::from(*octet)])
}

/// Looked up, since most texts are too short for anything cleverer.
static CARE: [bool; 256] = {
    let mut care = [false; 256];
    let mut octet = 0;
    while octet < care.len() {
        care[octet] = octet < 0x20 || matches!(octet as u8, b'&' | b'<' | b'>' | 0xef);
        octet += 1;
    }
    care
};
