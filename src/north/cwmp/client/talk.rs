//! A session as it runs: what the ACS says, and what that does to the device.

use super::super::ladder::{asked, cut, said};
use super::super::lockout::is_provisional;
use super::super::model::DataModel;
use super::super::rpc::{Desk, Work};
use super::super::session::{Heard, Milestone, Step};
use super::{After, Body, Client, Leaving, Moment, Output, Post, Trouble, TroubleKind};
use crate::schema::cwmp::{self, AcsStatus, scheduled_inform};
use crate::schema::{Index, Name};
use crate::tree::{Actor, Instances, Outcome, Transaction, Value};
use crate::wire::soap::message::{AcsRequest, FromCpe, ParameterValue, Party};
use std::time::Duration;

impl Client {
    pub(super) fn hear(&mut self, now: Moment, view: &Instances, heard: Heard) {
        let Some(running) = &mut self.running else {
            return;
        };
        let mut told = Vec::new();
        let step = running.session.hear(heard, &mut told);
        for milestone in told {
            self.reached(now, view, milestone);
        }
        self.step(now, view, step, false);
    }

    pub(super) fn step(&mut self, now: Moment, view: &Instances, step: Step, first: bool) {
        match step {
            Step::Send(envelope) => {
                self.note(&format!("-> {}", said(&envelope.body)));
                self.post(Body::Message(Box::new(envelope)), first);
            }
            Step::SendNothing => {
                self.note("-> (empty)");
                self.post(Body::Nothing, first);
            }
            Step::Do(request) => self.work(now, view, request),
            Step::Done => self.done(now, view),
            Step::Failed(why) => self.fail(
                now,
                view,
                Trouble {
                    kind: TroubleKind::Other,
                    reason: why.to_string(),
                    pause: None,
                },
            ),
        }
    }

    fn work(&mut self, now: Moment, view: &Instances, request: AcsRequest) {
        self.note(&format!("<- {}", asked(&request)));
        let (Some(settings), Some(running)) = (&self.settings, &self.running) else {
            return;
        };
        // Numbers are kept before anything is said that tells them.
        let mut numbered = Transaction::new(Actor::device());
        DataModel::new(view, &settings.model).number(&mut numbered);
        let wall = now.wall;
        let due = move |delay: u32| match wall {
            Some(wall) => wall.plus(Duration::from_secs(delay.into())).to_string(),
            None => String::new(),
        };
        let mut desk = Desk {
            model: DataModel::new(view, &settings.model),
            events: &mut self.events,
            notifications: &self.notifications,
            change_deadline: settings.change_deadline,
            due: &due,
            acs: &host(&running.url),
            scheduled: self.scheduled.len(),
            schedule: self.scheduled.keys().next_back().map_or(1, |last| last + 1),
            transfers: &self.transfers,
            wall: now.wall,
        };
        let work = desk.work(request);
        self.keep(numbered);
        match work {
            Work::Say(body) => self.answer(now, view, body),
            Work::Values(selection) => {
                let answer = self
                    .running
                    .as_mut()
                    .and_then(|running| running.session.answer());
                if let Some((namespace, header)) = answer {
                    let count = selection.count();
                    self.note(&format!("-> GetParameterValuesResponse ({count})"));
                    let body = Body::Values {
                        namespace,
                        header,
                        selection,
                    };
                    self.post(body, false);
                }
            }
            Work::Change(change) => {
                let wishes = change.wishes.clone();
                self.changes.push_back(change);
                self.outputs.push_back(Output::Change(wishes));
            }
        }
    }

    pub(super) fn changed(&mut self, now: Moment, view: &Instances, outcome: Outcome) {
        let Some(change) = self.changes.pop_front() else {
            return;
        };
        match outcome {
            Ok(_) => {
                self.made(now, view, change.after.clone());
                if is_provisional(&change.wishes) {
                    // The next session proves whether the ACS is still reached.
                    self.due = Some(now.tick);
                }
                self.answer(now, view, FromCpe::Response(change.answer));
            }
            Err(refusals) => {
                self.answer(now, view, FromCpe::Fault(change.refused(&refusals)));
            }
        }
    }

    /// A change of the ACS is on disk.
    fn made(&mut self, now: Moment, view: &Instances, after: After) {
        match after {
            After::Nothing => {}
            After::Set(paths) => {
                let Some(settings) = &self.settings else {
                    return;
                };
                // The ACS's own change is no news to it.
                let model = DataModel::new(view, &settings.model);
                let found = paths.iter().filter_map(|path| model.find(path).ok());
                let values: Vec<ParameterValue> = found
                    .flatten()
                    .map(|parameter| model.value(&parameter))
                    .collect();
                let mut keep = Transaction::new(Actor::device());
                self.notifications.acknowledged(&values, &mut keep);
                self.notifications.announced(&values, &mut keep);
                self.keep(keep);
            }
            After::Schedule { row, delay } => {
                let at = now.tick + Duration::from_secs(delay.into());
                let key = view
                    .stored()
                    .row(scheduled_inform::TABLE, &Index::number(row));
                let key = match key.and_then(|row| row.column(scheduled_inform::COMMAND_KEY.id())) {
                    Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                    _ => String::new(),
                };
                self.scheduled.insert(row, (at, key));
            }
            After::Transfer(row, transfer) => self.transfers.add(row, *transfer, now),
            After::Cancelled(rows) => {
                let aborted = self.transfers.forget(&rows);
                self.outputs.extend(aborted.map(Output::Transfer));
            }
            After::Attributes(draft) => self.notifications.adopt(draft),
            After::Reboot(promised) => {
                self.events.adopt(promised);
                self.leave_after(Leaving::Reboot);
            }
            After::FactoryReset => self.leave_after(Leaving::FactoryReset),
        }
    }

    fn leave_after(&mut self, how: Leaving) {
        match &mut self.running {
            Some(running) => running.leaving = running.leaving.max(Some(how)),
            // It failed before the ACS had the answer: nothing was promised.
            None => self.forget_reboots(),
        }
    }

    fn answer(&mut self, now: Moment, view: &Instances, body: FromCpe) {
        let Some(running) = &mut self.running else {
            return;
        };
        let mut told = Vec::new();
        let step = running.session.answer_with(body, &mut told);
        for milestone in told {
            self.reached(now, view, milestone);
        }
        if let Some(step) = step {
            self.step(now, view, step, false);
        }
    }

    /// Something that stays true however the session ends.
    fn reached(&mut self, now: Moment, view: &Instances, milestone: Milestone) {
        match milestone {
            Milestone::Informed => self.informed(view),
            Milestone::Told(request) => self.told(&request),
            Milestone::Fault(fault, party) => {
                let who = match party {
                    Party::Server => "the ACS",
                    Party::Client => "this device",
                };
                let when = now
                    .wall
                    .map_or_else(String::new, |wall| format!(", {wall}"));
                let mut text = fault.text;
                cut(&mut text);
                self.status.last_fault = format!("{} {text} ({who}{when})", fault.code);
                if party == Party::Server {
                    self.note(&format!("<- Fault {}", fault.code));
                }
            }
        }
    }

    fn informed(&mut self, view: &Instances) {
        self.note("<- InformResponse");
        // It is reached, whatever else comes of this session.
        self.status.state = AcsStatus::Connected;
        let Some(running) = &mut self.running else {
            return;
        };
        let mut keep = Transaction::new(Actor::device());
        self.events.delivered(&running.told_events, &mut keep);
        self.notifications
            .acknowledged(&running.told_values, &mut keep);
        if running.is_first_contact {
            let name = Name {
                column: cwmp::KNOWN_ACS_URL.id(),
                index: Index::scalar(),
            };
            keep.assign(name, running.url.as_str().into());
            // It counts from now on, whatever the tree has come to by then.
            if let Some(settings) = &mut self.settings {
                settings.known_url.clone_from(&running.url);
            }
            // What the last one had asked for is not this one's business.
            for row in std::mem::take(&mut self.scheduled).into_keys() {
                keep.delete(scheduled_inform::TABLE, Index::number(row));
            }
            let aborted = self.transfers.start_over(&mut keep);
            self.outputs.extend(aborted.map(Output::Transfer));
        }
        if let Some(settings) = &self.settings {
            let model = DataModel::new(view, &settings.model);
            self.notifications.all_acknowledged(&model, &mut keep);
        }
        self.keep(keep);
    }

    fn post(&mut self, body: Body, first: bool) {
        if let Some(running) = &self.running {
            let url = running.url.clone();
            self.outputs
                .push_back(Output::Post(Post { url, first, body }));
        }
    }
}

pub(super) fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    host.rsplit('@').next().unwrap_or_default().to_owned()
}
