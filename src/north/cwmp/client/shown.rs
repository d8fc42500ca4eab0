//! What the client shows: its status, and the ladder of each session.

use super::super::ladder::cut;
use super::super::status::{Record, SESSIONS, STEPS};
use super::{Client, Moment, Output};
use crate::schema::cwmp::{AcsStatus, AcsUrlConfigSource};
use crate::wire::time::UnixTime;

impl Client {
    pub(super) fn record(&mut self, now: Moment, codes: &[String]) {
        self.sessions += 1;
        self.status.last_session = now.wall;
        self.status.sessions.push_back(Record {
            number: self.sessions,
            began: now.wall,
            events: codes.join(", "),
            ..Record::default()
        });
        if self.status.sessions.len() > SESSIONS {
            self.status.sessions.pop_front();
        }
    }

    pub(super) fn note(&mut self, step: &str) {
        if let Some(record) = self.status.sessions.back_mut()
            && record.steps.len() < STEPS
        {
            let mut step = step.to_owned();
            cut(&mut step);
            record.steps.push(step);
        }
    }

    pub(super) fn close_record(&mut self, result: &str) {
        if let Some(record) = self.status.sessions.back_mut() {
            result.clone_into(&mut record.result);
        }
    }

    /// Publishes where anything of it changed.
    pub(super) fn show(&mut self, now: Moment) {
        if let Some(settings) = &self.settings {
            self.status.url = settings.url.clone().unwrap_or_default();
            if settings.url.is_none() {
                self.status.state = AcsStatus::NoUrl;
                no_url(settings.source).clone_into(&mut self.status.reason);
            }
        }
        self.status.retries = self.retry.count();
        let unfit = self.unfit.iter();
        let unfit: Vec<String> = unfit.map(|(row, why)| format!("{row}: {why}")).collect();
        self.status.rows_not_in_use = unfit.join("; ");
        self.status.next_inform = self.next_inform(now);
        self.status.image.follow(&self.transfers);
        if self.shown.as_ref() != Some(&self.status) {
            self.shown = Some(self.status.clone());
            let status = Box::new(self.status.clone());
            self.outputs.push_back(Output::Publish(status));
        }
    }

    fn next_inform(&self, now: Moment) -> Option<UnixTime> {
        let at = self.wake_at()?;
        let wait = at.saturating_duration_since(now.tick);
        // Whole seconds, or it would seem to move with each look at it.
        let then = now.wall?.plus(wait).secs();
        Some(UnixTime::from_secs(then))
    }
}

fn no_url(source: AcsUrlConfigSource) -> &'static str {
    match source {
        AcsUrlConfigSource::Dhcp => {
            "the DHCP server has named no ACS: set Cwmp.AcsStaticUrl and Cwmp.AcsUrlConfigSource=static, or have the host's DHCP client set Cwmp.DhcpAcsUrl"
        }
        AcsUrlConfigSource::Static => "there is no URL of an ACS: set Cwmp.AcsStaticUrl",
        AcsUrlConfigSource::DhcpWithFailover => {
            "the DHCP server has named no ACS and Cwmp.AcsStaticUrl is empty: set it"
        }
    }
}
