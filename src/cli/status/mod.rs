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

use super::ask::{Ask, say};
use super::failure::Failure;
use super::paint::Paint;
use crate::north::local::{Answer, Request};
use facts::Facts;
use picture::Picture;
use serde_json::json;
use std::io::Write;

pub(super) fn status(ask: &mut Ask, paint: Paint, out: &mut dyn Write) -> Result<(), Failure> {
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
    match ask.json {
        true => say(out, json!(picture)),
        false => {
            let lines = draw::lines(&picture, paint);
            lines.iter().try_for_each(|line| say(out, line))
        }
    }
}
