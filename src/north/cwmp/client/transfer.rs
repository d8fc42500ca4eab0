//! Files that are moved for the ACS, between its sessions.

use super::super::rpc::acs_actor;
use super::super::transfers::{Heard, Terms, Transfers, Wanted};
use super::{Client, Moment, Output};
use crate::schema::cwmp::AcsStatus;
use crate::tree::{Actor, Instances, Rights, Transaction};

impl Client {
    pub(super) fn recall_transfers(&mut self, now: Moment, view: &Instances) {
        let mut keep = Transaction::new(Actor::device());
        self.transfers = Transfers::recall(now, view.stored(), &mut keep);
        self.keep(keep);
    }

    /// A step of a transfer, while no session runs.
    pub(super) fn transfer_if_due(&mut self, now: Moment) {
        if self.running.is_some() || self.leaving || self.settings.is_none() {
            return;
        }
        self.step_of_transfer(now, |transfers, keep| transfers.next(now, keep));
    }

    pub(super) fn hear_of_transfer(&mut self, now: Moment, heard: Heard) {
        let terms = self.terms();
        self.step_of_transfer(now, |transfers, keep| {
            transfers.hear(now, heard, terms, keep)
        });
    }

    /// One step; where a transfer has ended by it, the ACS is to hear of that.
    fn step_of_transfer(
        &mut self,
        now: Moment,
        step: impl FnOnce(&mut Transfers, &mut Transaction) -> Option<Wanted>,
    ) {
        let before = self.transfers.news().len();
        let mut keep = Transaction::new(Actor::device());
        let wanted = step(&mut self.transfers, &mut keep);
        self.keep(keep);
        self.outputs.extend(wanted.map(Output::Transfer));
        if self.transfers.news().len() > before {
            self.due = Some(now.tick);
        }
    }

    fn terms(&self) -> Terms {
        let settings = self.settings.as_ref();
        // Without an ACS that is reached now there is nothing to be lost.
        let reached = self.status.state == AcsStatus::Connected;
        Terms {
            actor: acs_actor("", Rights::Admin),
            pkcs12: settings.and_then(|settings| settings.pkcs12.clone()),
            within: settings
                .and_then(|settings| settings.change_deadline)
                .filter(|_| reached),
        }
    }
}
