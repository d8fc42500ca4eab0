//! What TR-069 calls things: of a parameter, or the whole model as a document.

use super::ask::say;
use super::failure::Failure;
use super::mib::wrapped;
use crate::north::cwmp::model::explain::{Explained, explain};
use crate::north::cwmp::model::export::document;
use serde_json::{Map, Value, json};
use std::io::Write;

pub(super) fn tr069(path: Option<&str>, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
    let Some(path) = path else {
        return say(out, document().trim_end());
    };
    let found = explain(path);
    if found.is_empty() {
        let why =
            "no such parameter; paths look like Device.Time.NTPServer1, objects end with a dot";
        return Err(Failure::one(path, "noSuchObject", why));
    }
    if json {
        let all: Map<String, Value> = found.iter().map(as_json).collect();
        return say(out, json!(all));
    }
    for (at, one) in found.iter().enumerate() {
        if at > 0 {
            say(out, "")?;
        }
        as_text(one).iter().try_for_each(|line| say(out, line))?;
    }
    Ok(())
}

fn as_text(one: &Explained) -> Vec<String> {
    let mut lines = vec![
        one.path.clone(),
        format!("    {}", one.syntax),
        format!("    {}", one.source),
    ];
    if !one.description.is_empty() {
        lines.extend(wrapped(one.description, 72).map(|line| format!("    {line}")));
    }
    lines
}

fn as_json(one: &Explained) -> (String, Value) {
    let said = json!({
        "syntax": one.syntax,
        "source": one.source,
        "description": one.description,
    });
    (one.path.clone(), said)
}
