//! What may be asked over the local socket: one JSON object a line.

use super::answer::Refused;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A request, told apart by its `op`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// The values of these names; a name that selects several answers them all.
    Get {
        /// Names as the command line takes them.
        names: Vec<String>,
    },
    /// Assigns values in one transaction.
    Set {
        /// What to assign.
        values: Vec<Wish>,
    },
    /// Everything below a name, in order of OID; all of it below "".
    Walk {
        /// A name or the beginning of several.
        #[serde(default)]
        name: String,
    },
    /// Runs a script.
    Script {
        /// Its text.
        text: String,
        /// What the log calls it.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        name: String,
    },
    /// The script that makes this device again.
    Export,
    /// What differs from the profile.
    Diff,
    /// Invokes an operation and waits for its answer.
    Invoke {
        /// `Service.Operation`.
        operation: String,
        /// Its arguments.
        #[serde(default)]
        args: BTreeMap<String, String>,
        /// A file for it, in base64.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        blob: Option<String>,
    },
    /// The operations on offer.
    Operations,
    /// The local log.
    Log {
        /// Only what came after the entry with this index.
        #[serde(default)]
        since: u32,
        /// Whether to go on as more comes.
        #[serde(default)]
        follow: bool,
    },
    /// The version of the software and of the configuration.
    Version,
}

/// One assignment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The name of the object.
    pub name: String,
    /// Its value, as a script writes it.
    pub value: String,
}

/// The longest request line, in octets.
pub const REQUEST_LIMIT: usize = 8 << 20;

impl Request {
    /// Reads one line.
    pub fn read(line: &[u8]) -> Result<Self, Refused> {
        serde_json::from_slice(line).map_err(|error| Refused {
            object: "request".to_owned(),
            reason: "unreadable".to_owned(),
            message: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_requests_are_read() {
        let get = Request::read(br#"{"op":"get","names":["Hoc.SystemName"]}"#);
        let names = vec!["Hoc.SystemName".to_owned()];
        assert_eq!(get, Ok(Request::Get { names }));
        let invoke = Request::read(
            br#"{"op":"invoke","operation":"Cert.Install","args":{"Type":"host"},"blob":"AAA="}"#,
        );
        let args = BTreeMap::from([("Type".to_owned(), "host".to_owned())]);
        let expected = Request::Invoke {
            operation: "Cert.Install".to_owned(),
            args,
            blob: Some("AAA=".to_owned()),
        };
        assert_eq!(invoke, Ok(expected));
        assert_eq!(Request::read(br#"{"op":"export"}"#), Ok(Request::Export));
    }

    #[test]
    fn garbage_is_refused_with_what_is_wrong() {
        for garbage in [
            &b""[..],
            b"\xff\xfe",
            b"get Hoc.SystemName",
            br#"{"op":"fly"}"#,
            br#"{"op":"get"}"#,
            br#"{"op":"get","names":["x"],"more":1}"#,
            &b"[".repeat(100_000),
        ] {
            let refused = Request::read(garbage).expect_err("garbage");
            assert_eq!(refused.reason, "unreadable");
            assert!(!refused.message.is_empty());
        }
    }
}
