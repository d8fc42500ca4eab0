//! When the next session is due: the period, what the ACS asked for, and what
//! has changed.

use super::super::event::{Cause, Method};
use super::super::model::DataModel;
use super::{Client, Moment};
use crate::schema::Index;
use crate::schema::cwmp::scheduled_inform;
use crate::tree::{Actor, Instances, Transaction, Value};
use crate::wire::time::UnixTime;
use std::time::Duration;

impl Client {
    /// The Informs that were asked for in an earlier run.
    pub(super) fn recall_schedule(&mut self, now: Moment, view: &Instances) {
        for (index, row) in view.stored().rows(scheduled_inform::TABLE).iter() {
            let text = |column| match row.column(column) {
                Some(Value::Octets(octets)) => String::from_utf8_lossy(octets).into_owned(),
                _ => String::new(),
            };
            let due = UnixTime::parse(&text(scheduled_inform::DUE.id()));
            // Where either time is unknown: at once, rather than never.
            let left = due
                .zip(now.wall)
                .map_or(0, |(due, wall)| due.micros_since(wall));
            let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
            if let Some(row) = index.arcs().first() {
                let key = text(scheduled_inform::COMMAND_KEY.id());
                self.scheduled.insert(*row, (now.tick + left, key));
            }
        }
    }

    /// What time and the tree bring.
    pub(super) fn look_around(&mut self, now: Moment, view: &Instances) {
        if self.period.has_come(now.tick, now.wall) {
            self.happened(Cause::Periodic);
            self.due = Some(now.tick);
        }
        if self.heartbeat.has_come(now.tick, now.wall) {
            self.happened(Cause::Heartbeat);
            self.due = Some(now.tick);
        }
        let ripe = self.scheduled.iter().filter(|(_, (at, _))| *at <= now.tick);
        let ripe: Vec<u32> = ripe.map(|(row, _)| *row).collect();
        for row in ripe {
            if let Some((_, key)) = self.scheduled.remove(&row) {
                self.scheduled_inform_is_due(row, key);
                self.due = Some(now.tick);
            }
        }
        self.announce(now, view);
        if self.running.is_some() || self.is_new_to_acs() {
            return;
        }
        let Some(settings) = &self.settings else {
            return;
        };
        // §3.2.1.1: a new event ends the wait of a retry. What the session that
        // failed was to tell is none: the wait holds for it.
        if self.retry.count() > 0 && self.events.has(&Cause::ValueChange) {
            return;
        }
        let model = DataModel::new(view, &settings.model);
        if self.notifications.is_urgent(&model) {
            // TR-181 ManagementServer.DefaultActiveNotificationThrottle.
            let earliest = self
                .last_ended
                .map_or(now.tick, |ended| ended + settings.throttle);
            let at = earliest.max(now.tick);
            self.due = Some(self.due.map_or(at, |due| due.min(at)));
        }
    }

    fn scheduled_inform_is_due(&mut self, row: u32, key: String) {
        let mut keep = Transaction::new(Actor::device());
        keep.delete(scheduled_inform::TABLE, Index::number(row));
        self.events.add(Cause::Scheduled, &mut keep);
        self.events
            .add(Cause::Method(Method::ScheduleInform, key), &mut keep);
        self.keep(keep);
    }
}
