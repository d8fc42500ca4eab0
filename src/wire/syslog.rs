//! One syslog message as a line (RFC 5424 §6).
//!
//! For the log's UDP sender. Header fields are cut to their grammar, text is
//! UTF-8 behind a byte order mark, and control characters are spelled out, so
//! that no text can forge a second line. It never keeps or sends a message.

use std::fmt::{self, Write};

use super::time::UnixTime;

/// The longest message in octets; every receiver should take as much (RFC 5424 §6.1).
pub const MESSAGE_LIMIT: usize = 2048;

/// The port of syslog receivers over UDP (RFC 5426 §3.3).
pub const PORT: u16 = 514;

/// RFC 5424 §6.2.1, table 2: those that Demarc has a use for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Severity {
    /// A part of the device does not work at all.
    Critical = 2,
    /// Something failed.
    Error = 3,
    /// Something is not as it should be.
    Warning = 4,
    /// Something happened.
    Informational = 6,
    /// How it happened.
    Debug = 7,
}

/// RFC 5424 §6.2.1, table 1: the facilities left to local use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum Facility {
    /// local0, the usual one of gateways.
    #[default]
    Local0 = 16,
    /// local1.
    Local1 = 17,
    /// local2.
    Local2 = 18,
    /// local3.
    Local3 = 19,
    /// local4.
    Local4 = 20,
    /// local5.
    Local5 = 21,
    /// local6.
    Local6 = 22,
    /// local7.
    Local7 = 23,
}

/// What a message says, before it is a line.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who is meant to read it.
    pub facility: Facility,
    /// How grave it is.
    pub severity: Severity,
    /// When it happened; `None` while the time is not known.
    pub at: Option<UnixTime>,
    /// The sending machine; "" where it has no name.
    pub host: &'a str,
    /// The process, if there is one to tell from others.
    pub process: Option<u32>,
    /// `<service number>.<n>`, registered.
    pub id: &'a str,
    /// The device of this process that speaks.
    pub device: &'a str,
    /// Its service.
    pub service: &'a str,
    /// What happened.
    pub text: &'a str,
}

impl Message<'_> {
    /// The datagram, at most [`MESSAGE_LIMIT`] octets; text that is too long is cut at a character.
    pub fn print(&self) -> Vec<u8> {
        let mut line = String::with_capacity(256);
        // A String takes whatever is written to it.
        let _ = self.header(&mut line);
        let _ = self.structured_data(&mut line);
        line.push(' ');
        // RFC 5424 §6.4: the mark says that the text is UTF-8.
        line.push('\u{feff}');
        let _ = write!(line, "{}", Plain(self.text));
        cut(&mut line, MESSAGE_LIMIT);
        line.into_bytes()
    }

    /// RFC 5424 §6.2.
    fn header(&self, line: &mut String) -> fmt::Result {
        let priority = self.facility as u8 * 8 + self.severity as u8;
        write!(line, "<{priority}>{VERSION} ")?;
        match self.at {
            Some(at) => write!(line, "{}", at.rfc3339())?,
            None => line.push_str(NIL),
        }
        line.push(' ');
        field(line, self.host, HOST_LIMIT);
        write!(line, " {APP_NAME} ")?;
        match self.process {
            Some(process) => write!(line, "{process}")?,
            None => line.push_str(NIL),
        }
        line.push(' ');
        field(line, self.id, ID_LIMIT);
        Ok(())
    }

    /// RFC 5424 §6.3.
    fn structured_data(&self, line: &mut String) -> fmt::Result {
        let device = Value(self.device);
        let service = Value(self.service);
        write!(line, " [{SD_ID} device=\"{device}\" service=\"{service}\"]")
    }
}

/// A header field: printable US-ASCII without spaces, `-` where nothing is left of it.
fn field(line: &mut String, text: &str, limit: usize) {
    let before = line.len();
    line.extend(text.chars().filter(char::is_ascii_graphic).take(limit));
    if line.len() == before {
        line.push_str(NIL);
    }
}

/// Text with its control characters spelled out as `\xNN`.
struct Plain<'a>(&'a str);

impl fmt::Display for Plain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match u32::from(c) {
                code if c.is_control() => write!(f, "\\x{code:02x}")?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A PARAM-VALUE: `"`, `\` and `]` behind a backslash (RFC 5424 §6.3.3).
struct Value<'a>(&'a str);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars().take(VALUE_LIMIT) {
            match c {
                '"' | '\\' | ']' => write!(f, "\\{c}")?,
                c if c.is_control() => f.write_char('?')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Shortens `line` to `limit` octets without splitting a character.
fn cut(line: &mut String, limit: usize) {
    if line.len() > limit {
        line.truncate(line.floor_char_boundary(limit));
    }
}

const VERSION: u8 = 1;
const NIL: &str = "-";
const APP_NAME: &str = "demarc";
/// 32473 is the documentation enterprise number (RFC 5612).
const SD_ID: &str = "demarc@32473";
/// RFC 5424 §6: HOSTNAME and MSGID.
const HOST_LIMIT: usize = 255;
const ID_LIMIT: usize = 32;
/// Characters of a parameter; two of them leave room for text in every message.
const VALUE_LIMIT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message<'static> {
        Message {
            facility: Facility::Local0,
            severity: Severity::Warning,
            at: Some(UnixTime::from_micros(1_065_910_455_003_000)),
            host: "mymachine.example.com",
            process: Some(8710),
            id: "1400.100",
            device: "gw1",
            service: "SipEp",
            text: "establishing persistent connection",
        }
    }

    fn print(message: Message<'_>) -> String {
        String::from_utf8(message.print()).expect("UTF-8")
    }

    /// Header fields, structured data and text, read back by the grammar of RFC 5424 §6.
    fn read(line: &str) -> (Vec<&str>, &str, &str) {
        let header: Vec<&str> = line.splitn(7, ' ').collect();
        let rest = header[6];
        let mut escaped = false;
        let end = rest
            .char_indices()
            .find(|(_, c)| {
                let ends = *c == ']' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            })
            .map(|(at, _)| at + 1)
            .expect("a closing bracket");
        let (data, text) = rest.split_at(end);
        let text = text.strip_prefix(" \u{feff}").expect("a space and the BOM");
        (header[..6].to_vec(), data, text)
    }

    #[test]
    fn a_message_is_the_line_that_rfc_5424_describes() {
        assert_eq!(
            print(message()),
            "<132>1 2003-10-11T22:14:15.003000Z mymachine.example.com demarc 8710 1400.100 \
             [demarc@32473 device=\"gw1\" service=\"SipEp\"] \u{feff}establishing persistent connection"
        );
    }

    #[test]
    fn the_priority_is_eight_facilities_and_a_severity() {
        // RFC 5424 §6.2.1: local4 at notice is 165, so local4 at warning is 164.
        let severities = [
            (Severity::Critical, 162),
            (Severity::Error, 163),
            (Severity::Warning, 164),
            (Severity::Informational, 166),
            (Severity::Debug, 167),
        ];
        for (severity, priority) in severities {
            let line = print(Message {
                facility: Facility::Local4,
                severity,
                ..message()
            });
            assert!(line.starts_with(&format!("<{priority}>1 ")));
        }
    }

    #[test]
    fn what_is_not_known_is_a_dash() {
        let line = print(Message {
            at: None,
            host: "",
            process: None,
            ..message()
        });
        assert!(line.starts_with("<132>1 - - demarc - 1400.100 ["));
    }

    #[test]
    fn a_parameter_escapes_exactly_three_characters() {
        let line = print(Message {
            device: "a\"b\\c]d'e[",
            ..message()
        });
        let (_, data, _) = read(&line);
        assert_eq!(
            data,
            "[demarc@32473 device=\"a\\\"b\\\\c\\]d'e[\" service=\"SipEp\"]"
        );
    }

    #[test]
    fn control_characters_cannot_forge_a_line() {
        let line = print(Message {
            text: "one\r\n<0>1 two\u{0}\u{7f}\u{85}",
            device: "d\n",
            host: "a b\nc",
            ..message()
        });
        assert!(!line.chars().any(char::is_control));
        let (header, _, text) = read(&line);
        assert_eq!(header[2], "abc");
        assert_eq!(text, "one\\x0d\\x0a<0>1 two\\x00\\x7f\\x85");
    }

    #[test]
    fn text_is_cut_at_a_character_at_2048_octets() {
        let text = "é".repeat(2000);
        let line = print(Message {
            text: &text,
            ..message()
        });
        assert!(line.len() <= MESSAGE_LIMIT && line.len() > MESSAGE_LIMIT - 2);
        assert!(line.ends_with('é'));
    }

    #[test]
    fn the_longest_header_still_leaves_room_for_text() {
        let long = "\"".repeat(4000);
        let line = print(Message {
            host: &long,
            id: &long,
            device: &long,
            service: &long,
            text: "here",
            ..message()
        });
        let (header, _, text) = read(&line);
        assert_eq!(header[2].len(), 255);
        assert_eq!(header[5].len(), 32);
        assert_eq!(text, "here");
    }
}
