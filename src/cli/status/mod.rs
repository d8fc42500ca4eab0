//! `demarc status`: the gateway at a glance, for an operator at night.
//!
//! Facts are read by name from whatever tables the device has, a picture is
//! drawn of them, and whatever is not as it should be stands once more at the
//! end with its reason.

mod beside;
mod draw;
mod facts;
mod picture;
mod sections;
mod svg;

use super::ask::{Ask, say};
use super::failure::Failure;
use super::paint::Paint;
use crate::north::local::{Answer, Request};
use facts::Facts;
use picture::Picture;
use serde_json::json;
use std::io::Write;

/// How the status is shown to a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// As lines of text.
    Text,
    /// As an image of these lines.
    Image,
}

pub(super) fn status(ask: &mut Ask, shown: Shown, out: &mut dyn Write) -> Result<(), Failure> {
    let mut facts = Facts::default();
    for name in sections::names() {
        facts.take(ask.cells(name)?);
    }
    let mut version = String::new();
    ask.each(&Request::Version, |answer| {
        if let Answer::Version { software, .. } = answer {
            version = software;
        }
        Ok(())
    })?;
    let picture = Picture::of(&facts, &version);
    match (ask.json, shown) {
        (true, _) => say(out, json!(picture)),
        (false, Shown::Text) => {
            let lines = draw::lines(&picture, Paint::of_stdout());
            lines.iter().try_for_each(|line| say(out, line))
        }
        (false, Shown::Image) => {
            let image = svg::svg(&draw::lines(&picture, Paint::Colour));
            out.write_all(image.as_bytes()).map_err(Failure::Output)
        }
    }
}
