//! What TR-069 calls things: of a parameter, or whole models as documents.

use super::ask::say;
use super::failure::Failure;
use super::mib::wrapped;
use crate::north::cwmp::model::device_type::Standard;
use crate::north::cwmp::model::explain::{Explained, explain};
use crate::north::cwmp::model::export::document;
use clap::ValueEnum;
use serde_json::{Map, Value, json};
use std::io::Write;

/// What may be exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Document {
    /// The data model, complete by itself, vendor objects and all.
    Model,
    /// The device type over the standard's Device:2.17 (TR-181).
    Device,
    /// The device type over the standard's VoiceService:2.0 (TR-104).
    VoiceService,
}

pub(super) fn export(what: Document, out: &mut dyn Write) -> Result<(), Failure> {
    let document = match what {
        Document::Model => document(),
        Document::Device => Standard::Device.document(),
        Document::VoiceService => Standard::VoiceService.document(),
    };
    say(out, document.trim_end())
}

pub(super) fn tr069(path: &str, json: bool, out: &mut dyn Write) -> Result<(), Failure> {
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
