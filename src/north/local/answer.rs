//! What is answered over the local socket: JSON objects, one a line.
//!
//! The `--json` output of the command line is made of the same objects. A
//! line with `"more": true` is followed by another.

use crate::north::script::Complaint;
use crate::schema::{NameError, Syntax, Value, ValueError};
use crate::tree::Refusal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, json};

/// One line of answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// Values by canonical name, in the order asked; each value is a [`Cell`].
    Values(Map<String, serde_json::Value>),
    /// A transaction is on disk; its version.
    Committed(u64),
    /// Why nothing was done.
    Refused(Vec<Refused>),
    /// How a script went.
    Script(ScriptReport),
    /// A text: a script, differences, the answer of an operation.
    Text(String),
    /// What may be invoked.
    Operations(Vec<OperationHelp>),
    /// Entries of the local log, oldest first.
    Log(Vec<LogLine>),
    /// Versions of the software and of the configuration.
    Version {
        /// Of the software.
        software: String,
        /// Of the configuration.
        configuration: u64,
    },
}

/// One value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// A number, or a string; octets that are no text as `0x...`.
    pub value: serde_json::Value,
    /// The label of an enumeration's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether the string stands for octets that are no text.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hex: bool,
    /// The OID of the instance.
    pub oid: String,
}

/// One reason why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What it is about.
    pub object: String,
    /// One word for programs.
    pub reason: String,
    /// The sentence.
    pub message: String,
}

/// How a script went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScriptReport {
    /// How many assignments became true.
    pub assigned: usize,
    /// The answers of the operations, in order.
    pub answers: Vec<String>,
    /// What was not done.
    pub refused: Vec<Refused>,
}

/// An operation on offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationHelp {
    /// `Service.Operation`.
    pub name: String,
    /// What it does.
    pub help: String,
    /// What it takes.
    pub arguments: Vec<ArgumentHelp>,
}

/// One argument of an operation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentHelp {
    /// Its name.
    pub name: String,
    /// Whether it must be given.
    pub required: bool,
    /// What it means.
    pub help: String,
}

/// One entry of the local log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// Grows by one with each entry.
    pub index: u32,
    /// `YYYY-MM-DD HH:MM:SS` in UTC, or "" while unknown.
    pub time: String,
    /// How grave it is.
    pub severity: String,
    /// The service that said it.
    pub service: String,
    /// `<service number>.<n>`.
    pub id: String,
    /// The text.
    pub message: String,
}

impl Answer {
    /// The line, with its end; `more` where another follows.
    pub fn line(&self, more: bool) -> Vec<u8> {
        let mut object = json!(self);
        if more && let Some(object) = object.as_object_mut() {
            object.insert("more".to_owned(), true.into());
        }
        let mut line = object.to_string().into_bytes();
        line.push(b'\n');
        line
    }

    /// Reads one line, and whether another follows.
    pub fn read(line: &[u8]) -> Result<(Self, bool), serde_json::Error> {
        let mut object: Map<String, serde_json::Value> = serde_json::from_slice(line)?;
        let more = object.shift_remove("more").is_some();
        let answer = serde_json::from_value(object.into())?;
        Ok((answer, more))
    }
}

impl Cell {
    /// A value of the tree.
    pub fn of(value: &Value, syntax: &Syntax, oid: String) -> Self {
        let text = value.display(syntax);
        let hex = value
            .as_octets()
            .is_some_and(|octets| octets != text.as_bytes());
        let number = match value {
            Value::Counter64(number) => Some(Number::from(*number)),
            value => value.number().map(Number::from),
        };
        let label = value.number().and_then(|number| syntax.label(number));
        Self {
            label: label.map(str::to_owned),
            hex,
            value: number.map_or_else(|| text.into(), serde_json::Value::Number),
            oid,
        }
    }

    /// The value as a script writes it.
    pub fn script(&self) -> String {
        match (&self.value, &self.label) {
            (_, Some(label)) => label.clone(),
            (serde_json::Value::String(text), _) if self.hex || self.is_bare(text) => text.clone(),
            (serde_json::Value::String(text), _) => {
                Value::from(text.as_str()).script(&Syntax::plain(crate::schema::Base::Octets))
            }
            (value, _) => value.to_string(),
        }
    }

    /// OIDs and addresses stand without quotes.
    fn is_bare(&self, text: &str) -> bool {
        let base = crate::schema::Name::parse(&self.oid)
            .map(|name| name.column.get().syntax.base)
            .ok();
        matches!(
            base,
            Some(crate::schema::Base::Oid | crate::schema::Base::IpAddress)
        ) && !text.is_empty()
    }

    /// The value as a person reads it: the label of an enumeration, a string bare.
    pub fn display(&self) -> String {
        match (&self.value, &self.label) {
            (_, Some(label)) => label.clone(),
            (serde_json::Value::String(text), _) => text.clone(),
            (value, _) => value.to_string(),
        }
    }
}

impl Refused {
    /// A name that names nothing.
    pub fn name(object: &str, error: &NameError) -> Self {
        let reason = match error {
            NameError::BadIndex(..) => "noCreation",
            NameError::NoService(..)
            | NameError::NoObject(..)
            | NameError::NoOid(_)
            | NameError::NeedsRow(..)
            | NameError::NeedsColumn(..)
            | NameError::Malformed(_) => "noSuchObject",
        };
        Self::new(object, reason, error.to_string())
    }

    /// A value that does not fit.
    pub fn value(object: &str, error: &ValueError) -> Self {
        Self::new(object, "wrongValue", error.to_string())
    }

    pub(super) fn new(object: &str, reason: &str, message: impl Into<String>) -> Self {
        Self {
            object: object.to_owned(),
            reason: reason.to_owned(),
            message: message.into(),
        }
    }
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        Self::new(
            &refusal.subject.to_string(),
            refusal.reason.word(),
            refusal.reason.to_string(),
        )
    }
}

impl From<&Complaint> for Refused {
    fn from(complaint: &Complaint) -> Self {
        Self::new(
            &complaint.object,
            complaint.reason,
            complaint.message.clone(),
        )
    }
}

impl std::fmt::Display for Refused {
    /// The object first; a sentence that begins with it does not say it twice.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.message.strip_prefix(&self.object) {
            Some(rest) if rest.starts_with([':', ' ']) => f.write_str(&self.message),
            _ => write!(f, "{}: {}", self.object, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Base, Name};

    fn cell(name: &str, value: Value) -> Cell {
        let name = Name::parse(name).expect("a name");
        Cell::of(&value, &name.column.get().syntax, name.dotted())
    }

    #[test]
    fn a_value_has_the_documented_shape() {
        let name = "SipEp.TransportConfig[GatewayName=default].TlsEnable";
        let mut shape = json!(cell(name, Value::Integer(1)));
        let oid = shape["oid"].take();
        let oid = oid.as_str().expect("a string");
        assert!(oid.ends_with(".7.100.101.102.97.117.108.116"), "{oid}");
        assert_eq!(
            shape.to_string(),
            r#"{"value":1,"label":"enable","oid":null}"#
        );
    }

    #[test]
    fn a_cell_is_printed_as_a_script_writes_it() {
        let text = |value| cell("Hoc.SystemName", value).script();
        assert_eq!(text(Value::from("a \"b\"\n")), r#""a \"b\"\n""#);
        assert_eq!(text(Value::octets([0, 255])), "0x00ff");
        assert_eq!(text(Value::from("0x00ff")), "\"0x00ff\"");
        assert_eq!(cell("Hoc.SystemName", Value::from("")).display(), "");
        let period = cell("Hoc.SntpSynchronizationPeriod", Value::Unsigned(5));
        assert_eq!(period.script(), "5");
        let oid = cell("1.3.6.1.2.1.1.2.0", Value::Oid([1, 3, 6].into()));
        assert_eq!(oid.script(), "1.3.6");
    }

    #[test]
    fn a_large_counter_keeps_every_digit() {
        let syntax = Syntax::plain(Base::Counter64);
        let cell = Cell::of(&Value::Counter64(u64::MAX), &syntax, String::new());
        assert_eq!(cell.value.to_string(), u64::MAX.to_string());
    }

    #[test]
    fn an_answer_is_read_back_with_whether_more_follows() {
        let answers = [
            (Answer::Committed(7), "{\"committed\":7}\n"),
            (
                Answer::Refused(vec![Refused::new("a", "noAccess", "no")]),
                "{\"refused\":[{\"object\":\"a\",\"reason\":\"noAccess\",\"message\":\"no\"}]}\n",
            ),
        ];
        for (answer, line) in answers {
            assert_eq!(String::from_utf8_lossy(&answer.line(false)), line);
            for more in [false, true] {
                let read = Answer::read(&answer.line(more)).expect("our own");
                assert_eq!(read, (answer.clone(), more));
            }
        }
    }

    #[test]
    fn a_refusal_says_its_object_once_and_first() {
        let refused = Refused::new("Hoc.X", "noSuchObject", "Hoc.X needs a row");
        assert_eq!(refused.to_string(), "Hoc.X needs a row");
        let refused = Refused::new("Hoc.X", "noSuchObject", "Hoc.XY is not there");
        assert_eq!(refused.to_string(), "Hoc.X: Hoc.XY is not there");
    }
}
