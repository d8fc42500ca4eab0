//! How a session begins: what its Inform says.

use super::super::added::Added;
use super::super::event::Cause;
use super::super::ladder::shown;
use super::super::model::DataModel;
use super::super::notify::Changed;
use super::super::session::Session;
use super::{Client, Moment, Running};
use crate::tree::Instances;
use crate::wire::soap::message::{Event, Inform, ParameterValue};
use crate::wire::time::UnixTime;
use std::collections::HashSet;

impl Client {
    pub(super) fn begin_if_due(&mut self, now: Moment, view: &Instances) {
        if !self.may_begin() || self.due.is_none_or(|due| due > now.tick) {
            return;
        }
        let Some(settings) = &self.settings else {
            return;
        };
        let Some(url) = settings.url.clone() else {
            self.due = None;
            return;
        };
        self.due = None;
        let model = DataModel::new(view, &settings.model);
        self.notifications.watch_forced(&model);
        let is_first_contact = url != settings.known_url;
        let news = match is_first_contact {
            true => Vec::new(),
            false => self.notifications.changes(&model),
        };
        if !news.is_empty() {
            self.happened(Cause::ValueChange);
        }
        let (told_transfers, requests, causes) = self.to_say(is_first_contact);
        let (mut events, told_events) = match is_first_contact {
            true => self.events.told_first(&causes),
            false => self.events.told(&causes),
        };
        if is_first_contact {
            let code = Cause::Bootstrap.code().to_owned();
            let command_key = String::new();
            events.insert(0, Event { code, command_key });
        }
        if events.is_empty() {
            // Only to see whether the ACS is still reached.
            let code = Cause::Periodic.code().to_owned();
            let command_key = String::new();
            events.push(Event { code, command_key });
        }
        let Some(settings) = &self.settings else {
            return;
        };
        let model = DataModel::new(view, &settings.model);
        let parameters = carried(&model, view, &events, news);
        let codes: Vec<String> = events.iter().map(shown).collect();
        let inform = Inform {
            device: self.who.clone(),
            events,
            current_time: now.wall.map(UnixTime::iso8601),
            retry_count: self.retry.count(),
            parameters: parameters.clone(),
        };
        let timeout = u32::try_from(self.timeout().as_secs()).unwrap_or(u32::MAX);
        let mut session = Session::new(inform, requests, timeout);
        let first = session.begin();
        self.record(now, &codes);
        self.running = Some(Running {
            session,
            url,
            version: view.version(),
            told_events,
            told_values: parameters,
            told_transfers,
            is_first_contact,
            leaving: None,
        });
        self.step(now, view, first, true);
    }
}

/// The forced parameters, what the ACS wants besides, and what is news; each once.
fn carried(
    model: &DataModel<'_>,
    view: &Instances,
    events: &[Event],
    news: Vec<Changed>,
) -> Vec<ParameterValue> {
    let mut carried = model.inform();
    carried.extend(Added::read(view.stored()).parameters(events, model));
    let values = carried.iter().map(|parameter| model.value(parameter));
    let values = values.chain(news.into_iter().map(|changed| changed.value));
    let mut names = HashSet::new();
    values
        .filter(|value| names.insert(value.name.clone()))
        .collect()
}
