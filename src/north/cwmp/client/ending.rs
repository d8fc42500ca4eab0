//! How a session ends, well or not, and what then is due.

use super::super::ladder::cut;
use super::super::lockout::undo_in_any_case;
use super::super::model::DataModel;
use super::{Client, Leaving, Moment, Output, Trouble, TroubleKind};
use crate::schema::cwmp::AcsStatus;
use crate::tree::{Actor, Instances, Outcome, Transaction, messages};

impl Client {
    pub(super) fn done(&mut self, now: Moment, view: &Instances) {
        let Some(running) = self.running.take() else {
            return;
        };
        self.last_ended = Some(now.tick);
        self.put_into_use(view);
        self.outputs.push_back(Output::Close);
        self.outputs.push_back(Output::Proven(running.version));
        self.retry.succeeded();
        self.status.state = AcsStatus::Connected;
        self.status.reason.clear();
        self.close_record("done");
        if let Some(record) = self.status.sessions.back() {
            let notice = messages::ACS_SESSION.with([&running.url, &record.events]);
            self.outputs.push_back(Output::Say(notice));
        }
        self.leave(running.leaving);
        // What came meanwhile has its own session.
        let untold = !self.events.is_empty() || !self.transfers.news().is_empty();
        if untold || self.is_new_to_acs() {
            self.due = Some(now.tick);
        }
    }

    /// Rows that the ACS has added wait for the end of its session.
    fn put_into_use(&mut self, view: &Instances) {
        if let Some(settings) = &self.settings {
            let all = DataModel::new(view, &settings.model).settle();
            self.unfit
                .retain(|row, _| all.iter().any(|one| one.row == *row));
            for mut one in all {
                if one.provisional {
                    undo_in_any_case(settings.change_deadline, &mut one.put);
                }
                let (row, wishes) = (one.row, one.put);
                self.outputs.push_back(Output::PutIntoUse { row, wishes });
                self.settling.push_back(one.settled);
            }
        }
    }

    /// How that went; whoever added a row that cannot be used is told by its status.
    pub(super) fn put(&mut self, now: Moment, row: String, outcome: Outcome) {
        let settled = self.settling.pop_front();
        let Err(refusals) = outcome else {
            self.unfit.remove(&row);
            if let Some(settled) = settled.filter(|settled| !settled.is_empty()) {
                self.keep(settled);
                // A session proves whether the ACS is still reached.
                self.due = Some(now.tick);
            }
            return;
        };
        let whole: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        let why = whole.join(", ");
        if self.unfit.get(&row) == Some(&why) {
            return;
        }
        self.note(&format!("{row} is not in use: {why}"));
        let notice = messages::ADDED_ROW_UNFIT.with([&row, &why]);
        self.outputs.push_back(Output::Say(notice));
        self.unfit.insert(row, why);
    }

    pub(super) fn fail(&mut self, now: Moment, view: &Instances, mut trouble: Trouble) {
        cut(&mut trouble.reason);
        let Some(running) = self.running.take() else {
            return;
        };
        self.put_into_use(view);
        self.outputs.push_back(Output::Close);
        self.events.failed();
        self.status.state = match trouble.kind {
            TroubleKind::CannotResolve => AcsStatus::ErrorCannotResolve,
            TroubleKind::NotResponding => AcsStatus::ErrorNotResponding,
            TroubleKind::AuthFailure => AcsStatus::ErrorAuthFailure,
            TroubleKind::Other => AcsStatus::ErrorOther,
        };
        self.status.reason.clone_from(&trouble.reason);
        self.close_record(&trouble.reason);
        let pace = self.settings.as_ref().map(|settings| settings.pace);
        if let Some(pace) = pace {
            let wait = self.retry.failed(pace, now.chance, trouble.pause);
            self.due = Some(now.tick + wait);
            let seconds = wait.as_secs();
            let notice = messages::ACS_NOT_REACHED.with([&running.url, &trouble.reason, &seconds]);
            self.outputs.push_back(Output::Say(notice));
        }
        // A restart that the ACS has been promised happens also now.
        self.leave(running.leaving);
    }

    /// The device starts again, if that was asked for in the session.
    fn leave(&mut self, how: Option<Leaving>) {
        let output = match how {
            Some(Leaving::FactoryReset) => Output::FactoryReset,
            Some(Leaving::Reboot) => Output::Reboot,
            None => return,
        };
        self.outputs.push_back(output);
        self.leaving = true;
    }

    /// The device does not start again after all.
    pub(super) fn stay(&mut self) {
        self.leaving = false;
        self.forget_reboots();
    }

    /// No reboot is made, so none is told.
    pub(super) fn forget_reboots(&mut self) {
        let mut forget = Transaction::new(Actor::device());
        self.events.no_reboot(&mut forget);
        self.keep(forget);
    }
}
