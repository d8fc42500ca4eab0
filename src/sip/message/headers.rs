//! The header fields of a message, in order, as they were written.
//!
//! All lines share one buffer and a field is where it stands there, so that a
//! message that nobody changes prints the octets that it was read from. What
//! is added is appended to the buffer; the order is that of the list.

use std::fmt::{self, Display, Write};

use super::error::ParseError;
use super::limits::{MAX_HEADERS, MAX_LINE};
use super::name::HeaderName;
use super::scan;

/// An ordered list of header fields.
#[derive(Clone, Default)]
pub struct Headers {
    buffer: Vec<u8>,
    fields: Vec<Field>,
}

/// One field: its name, and offsets into the buffer.
#[derive(Clone)]
struct Field {
    name: HeaderName,
    /// Where the line starts.
    start: usize,
    /// End of the name as written.
    name_end: usize,
    /// The value without white space around it.
    value: (usize, usize),
    /// Where the line ends, its CRLF included.
    end: usize,
}

impl Headers {
    /// No fields.
    pub fn new() -> Headers {
        Headers::default()
    }

    /// Reads lines that each end in CRLF; a line that starts with white space
    /// continues the one before (RFC 3261 §7.3.1). A line that is no header
    /// field is kept as it is, for [`validate`](super::validate()) to refuse.
    pub fn parse(lines: &[u8]) -> Result<Headers, ParseError> {
        Headers::read(lines).map(|(headers, _)| headers)
    }

    /// Reads lines up to an empty one or the end; also how many octets they are.
    pub(super) fn read(octets: &[u8]) -> Result<(Headers, usize), ParseError> {
        let mut fields = Vec::with_capacity(TYPICAL);
        let mut start = 0;
        while start < octets.len() && !octets[start..].starts_with(CRLF) {
            let end = line_end(octets, start).ok_or(ParseError::Truncated)?;
            if fields.len() == MAX_HEADERS {
                return Err(ParseError::TooManyHeaders);
            }
            if end - start > MAX_LINE {
                // The start line is line 1.
                return Err(ParseError::LineTooLong(fields.len() + 2));
            }
            fields.push(field(octets, start, end));
            start = end;
        }
        let buffer = octets[..start].to_vec();
        Ok((Headers { buffer, fields }, start))
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// No fields at all.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Each field in order: its name, and its raw value, folds included.
    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &[u8])> {
        self.fields
            .iter()
            .map(|field| (&field.name, self.value(field)))
    }

    /// The raw value of the first field of this name.
    pub fn get(&self, name: &HeaderName) -> Option<&[u8]> {
        let field = self.fields.iter().find(|field| field.name == *name)?;
        Some(self.value(field))
    }

    /// The raw values of all fields of this name.
    pub fn all<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.fields
            .iter()
            .filter(move |field| field.name == *name)
            .map(|field| self.value(field))
    }

    /// The elements of a list header, whether on one line or on several.
    pub fn values<'a>(&'a self, name: &'a HeaderName) -> impl Iterator<Item = &'a [u8]> {
        self.all(name)
            .flat_map(|value| scan::split_outside(value, b','))
    }

    /// The first value as text, each fold turned into one space.
    pub fn text(&self, name: &HeaderName) -> Option<String> {
        self.get(name).map(unfold)
    }

    /// Whether there is a field of this name.
    pub fn contains(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    /// Appends a field. A line end in the value becomes a space, so that a
    /// value can never start a field of its own.
    pub fn push(&mut self, name: HeaderName, value: impl Display) {
        let field = self.write(name, value);
        self.fields.push(field);
    }

    /// Puts a field before all others.
    pub fn prepend(&mut self, name: HeaderName, value: impl Display) {
        let field = self.write(name, value);
        self.fields.insert(0, field);
    }

    /// Changes the first field of this name in its place and takes the others
    /// away; appends it if there is none.
    pub fn set(&mut self, name: HeaderName, value: impl Display) {
        let field = self.write(name, value);
        match self.fields.iter().position(|old| old.name == field.name) {
            None => self.fields.push(field),
            Some(first) => {
                let mut at = 0;
                self.fields.retain(|old| {
                    at += 1;
                    at <= first + 1 || old.name != field.name
                });
                self.fields[first] = field;
            }
        }
    }

    /// Takes all fields of this name away.
    pub fn remove(&mut self, name: &HeaderName) {
        self.fields.retain(|field| field.name != *name);
    }

    /// Appends all fields of this name from another message, octet for octet.
    pub fn copy(&mut self, name: &HeaderName, from: &Headers) {
        for field in from.fields.iter().filter(|field| field.name == *name) {
            let copy = self.append(field.name.clone(), from.line(field));
            self.fields.push(copy);
        }
    }

    /// Appends octets to the first value of this name, in its line: how a
    /// response gets its To tag without reading the To.
    pub(super) fn extend_value(&mut self, name: &HeaderName, more: &str) {
        let Some(at) = self.fields.iter().position(|field| field.name == *name) else {
            return;
        };
        let mut line = self.buffer[self.fields[at].start..self.fields[at].value.1].to_vec();
        line.extend(more.bytes().filter(|octet| !b"\r\n".contains(octet)));
        line.extend(CRLF);
        self.fields[at] = self.append(name.clone(), &line);
    }

    /// Appends all lines to `out`.
    pub(super) fn print(&self, out: &mut Vec<u8>) {
        for field in &self.fields {
            out.extend_from_slice(self.line(field));
        }
    }

    /// Octets of all lines together.
    pub(super) fn printed_len(&self) -> usize {
        self.fields
            .iter()
            .map(|field| field.end - field.start)
            .sum()
    }

    /// Each line in two: the name as written, and what follows up to the CRLF.
    pub(super) fn as_written(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().map(|field| {
            self.buffer[field.start..field.end - CRLF.len()].split_at(field.name_end - field.start)
        })
    }

    fn write(&mut self, name: HeaderName, value: impl Display) -> Field {
        let start = self.buffer.len();
        let mut line = Line {
            buffer: &mut self.buffer,
        };
        // Writing to memory does not fail; a Display that does writes less.
        let _ = line.write_str(name.as_str());
        line.buffer.extend_from_slice(b": ");
        let value_start = line.buffer.len();
        let _ = write!(line, "{value}");
        let value_end = line.buffer.len();
        line.buffer.extend_from_slice(CRLF);
        Field {
            name_end: start + name.as_str().len(),
            name,
            start,
            value: (value_start, value_end),
            end: value_end + CRLF.len(),
        }
    }

    fn append(&mut self, name: HeaderName, line: &[u8]) -> Field {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(line);
        Field {
            name,
            ..field(&self.buffer, start, self.buffer.len())
        }
    }

    fn line(&self, field: &Field) -> &[u8] {
        &self.buffer[field.start..field.end]
    }

    fn value(&self, field: &Field) -> &[u8] {
        &self.buffer[field.value.0..field.value.1]
    }
}

/// Writes into the buffer, never a line end.
struct Line<'a> {
    buffer: &'a mut Vec<u8>,
}

impl Write for Line<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(text.as_bytes());
        for octet in &mut self.buffer[start..] {
            if matches!(octet, b'\r' | b'\n') {
                *octet = b' ';
            }
        }
        Ok(())
    }
}

/// The end of the line that starts here, its folds and its CRLF included.
fn line_end(lines: &[u8], start: usize) -> Option<usize> {
    let mut from = start;
    loop {
        let feed = from + lines[from..].iter().position(|&octet| octet == b'\n')?;
        let ends = feed > start && lines[feed - 1] == b'\r';
        let folded = matches!(lines.get(feed + 1), Some(b' ' | b'\t'));
        if ends && !folded {
            return Some(feed + 1);
        }
        from = feed + 1;
    }
}

/// `name HCOLON value CRLF`. Without a colon all of it is the name.
fn field(buffer: &[u8], start: usize, end: usize) -> Field {
    let line = &buffer[start..end];
    let colon = line.iter().position(|&octet| octet == b':');
    let after = colon.map_or(line.len(), |colon| colon + 1);
    let name = trim_end(&line[..colon.unwrap_or(line.len())]);
    let value = scan::trim(&line[after..]);
    let value_start = match value.is_empty() {
        true => start + after,
        false => start + after + leading_space(&line[after..]),
    };
    Field {
        name: std::str::from_utf8(name).map_or_else(
            |_| HeaderName::Other(scan::text(name).into()),
            HeaderName::new,
        ),
        start,
        name_end: start + name.len(),
        value: (value_start, value_start + value.len()),
        end,
    }
}

fn trim_end(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|&octet| !scan::is_space(octet));
    &name[..end.map_or(0, |last| last + 1)]
}

fn leading_space(octets: &[u8]) -> usize {
    octets
        .iter()
        .position(|&octet| !scan::is_space(octet))
        .unwrap_or(0)
}

/// A fold, with the white space around it, means one space (RFC 3261 §7.3.1).
fn unfold(value: &[u8]) -> String {
    let text = scan::text(value);
    match text.contains('\n') {
        false => text,
        true => text
            .split("\r\n")
            .map(|line| line.trim_matches([' ', '\t']))
            .collect::<Vec<_>>()
            .join(" "),
    }
}

impl PartialEq for Headers {
    fn eq(&self, other: &Headers) -> bool {
        self.len() == other.len()
            && self
                .fields
                .iter()
                .zip(&other.fields)
                .all(|(a, b)| self.line(a) == other.line(b))
    }
}

impl Eq for Headers {}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, scan::text(value))))
            .finish()
    }
}

const CRLF: &[u8] = b"\r\n";
/// Fields of a typical message: one allocation is enough for them.
const TYPICAL: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Headers {
        Headers::parse(lines.as_bytes()).expect("header lines")
    }

    fn printed(headers: &Headers) -> String {
        let mut out = Vec::new();
        headers.print(&mut out);
        assert_eq!(out.len(), headers.printed_len());
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn lines_print_as_they_were_written() {
        let lines = "vIa :  SIP/2.0/UDP h\r\nS:\r\nX-New: a\r\n  b\r\nno colon\r\nTO:\tx  \r\n";
        assert_eq!(printed(&read(lines)), lines);
    }

    #[test]
    fn a_fold_continues_the_line_and_means_one_space() {
        let headers = read("Subject: a\r\n\t b  \r\n c\r\nTo: x\r\n");
        assert_eq!(headers.len(), 2);
        assert_eq!(headers.text(&HeaderName::Subject).as_deref(), Some("a b c"));
    }

    #[test]
    fn values_of_a_list_come_from_all_lines_in_order() {
        let headers = read("Route: <sip:a,b>, <sip:c>\r\nTo: x\r\nroute:<sip:d>\r\n");
        let routes: Vec<&[u8]> = headers.values(&HeaderName::Route).collect();
        assert_eq!(routes, [&b"<sip:a,b>"[..], b"<sip:c>", b"<sip:d>"]);
    }

    #[test]
    fn setting_keeps_the_place_and_takes_the_others_away() {
        let mut headers = read("To: a\r\nf: b\r\nt: c\r\n");
        headers.set(HeaderName::To, "d");
        headers.set(HeaderName::Expires, 60);
        assert_eq!(printed(&headers), "To: d\r\nf: b\r\nExpires: 60\r\n");
        headers.remove(&HeaderName::From);
        headers.prepend(HeaderName::Via, "v");
        assert_eq!(printed(&headers), "Via: v\r\nTo: d\r\nExpires: 60\r\n");
    }

    #[test]
    fn a_value_cannot_start_a_field_of_its_own() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Subject, "a\r\nTo: b");
        headers.extend_value(&HeaderName::Subject, ";c\r\nX: y");
        assert_eq!(printed(&headers), "Subject: a  To: b;cX: y\r\n");
    }

    #[test]
    fn what_is_pushed_reads_back_the_same() {
        let mut headers = Headers::new();
        headers.push(HeaderName::Other("X-Ours".into()), "1");
        headers.push(HeaderName::Subject, "");
        assert_eq!(read(&printed(&headers)), headers);
        assert_eq!(headers.get(&HeaderName::new("x-ours")), Some(&b"1"[..]));
        assert_eq!(headers.get(&HeaderName::Subject), Some(&b""[..]));
    }

    #[test]
    fn copies_keep_their_spelling() {
        let from = read("v: SIP/2.0/UDP h\r\nTo: x\r\nVIA: SIP/2.0/TCP h\r\n");
        let mut headers = Headers::new();
        headers.copy(&HeaderName::Via, &from);
        assert_eq!(
            printed(&headers),
            "v: SIP/2.0/UDP h\r\nVIA: SIP/2.0/TCP h\r\n"
        );
    }

    #[test]
    fn lines_and_fields_are_bounded() {
        let many = "A: b\r\n".repeat(MAX_HEADERS + 1);
        let error = Headers::parse(many.as_bytes()).expect_err("one too many");
        assert_eq!(error, ParseError::TooManyHeaders);
        let long = format!("A: b\r\nC: {}\r\n", "x".repeat(MAX_LINE));
        let error = Headers::parse(long.as_bytes()).expect_err("too long");
        assert_eq!(error, ParseError::LineTooLong(3));
        let error = Headers::parse(b"A: b\r\nC: d").expect_err("no line end");
        assert_eq!(error, ParseError::Truncated);
    }
}
