//! A conversation with the device of a data folder.

use super::args::Shared;
use super::failure::Failure;
use crate::north::local::client::Client;
use crate::north::local::{Answer, Cell, Request};
use crate::schema::Name;
use serde_json::Map;
use std::io::Write;
use std::ops::ControlFlow;

/// The device, and how its answers are to be printed.
pub(super) struct Ask {
    client: Client,
    /// Whether the user wants JSON.
    pub(super) json: bool,
}

impl Ask {
    pub(super) fn connect(shared: &Shared) -> Result<Self, Failure> {
        let client = Client::connect(&shared.data)?;
        let json = shared.json;
        Ok(Self { client, json })
    }

    /// Hands over every answer; refusals fail.
    pub(super) fn each(
        &mut self,
        request: &Request,
        mut each: impl FnMut(Answer) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut outcome = Ok(());
        self.client.ask(request, |answer| {
            outcome = match answer {
                Answer::Refused(refused) => Err(Failure::Refused(refused)),
                answer => each(answer),
            };
            match outcome {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        })?;
        outcome
    }

    /// The values that a request reads, in order.
    pub(super) fn values(
        &mut self,
        request: &Request,
    ) -> Result<Map<String, serde_json::Value>, Failure> {
        let mut all = Map::new();
        self.each(request, |answer| {
            if let Answer::Values(values) = answer {
                all.extend(values);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The cells below a name, in order; none where the device has no such object.
    pub(super) fn cells(&mut self, name: &str) -> Result<Vec<(Name, Cell)>, Failure> {
        let name = name.to_owned();
        let values = match self.values(&Request::Walk { name }) {
            Err(Failure::Refused(_)) => return Ok(Vec::new()),
            values => values?,
        };
        let cells = values.into_iter().filter_map(|(name, cell)| {
            let name = Name::parse(&name).ok()?;
            Some((name, serde_json::from_value(cell).ok()?))
        });
        Ok(cells.collect())
    }

    /// The one text that a request answers.
    pub(super) fn text(&mut self, request: &Request) -> Result<String, Failure> {
        let mut text = String::new();
        self.each(request, |answer| {
            if let Answer::Text(answer) = answer {
                text = answer;
            }
            Ok(())
        })?;
        Ok(text)
    }
}

/// Prints a line.
pub(super) fn say(out: &mut dyn Write, line: impl std::fmt::Display) -> Result<(), Failure> {
    writeln!(out, "{line}").map_err(Failure::Output)
}
