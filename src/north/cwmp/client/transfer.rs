//! Files that are moved for the ACS, between its sessions.

use super::super::event::Cause;
use super::super::rpc::acs_actor;
use super::super::transfers::{Heard, Terms, Transfer, Transfers, Wanted};
use super::{Client, Moment, Output};
use crate::schema::cwmp::AcsStatus;
use crate::tree::notice::Notice;
use crate::tree::{Actor, Instances, Rights, Transaction, messages};
use crate::wire::soap::message::CpeRequest;
use std::collections::VecDeque;

impl Client {
    pub(super) fn recall_transfers(&mut self, now: Moment, view: &Instances) {
        let (transfers, wanted) = Transfers::recall(now, view.stored());
        self.transfers = transfers;
        self.outputs.extend(wanted.map(Output::Transfer));
    }

    /// A step of a transfer, while no session runs.
    pub(super) fn transfer_if_due(&mut self, now: Moment) {
        if self.running.is_some() || self.leaving || self.settings.is_none() {
            return;
        }
        self.step_of_transfer(now, |transfers, keep| transfers.next(now, keep));
    }

    /// Changes that waited may have been decided, and transfers of others ended.
    pub(super) fn look_at_transfers(&mut self, now: Moment, view: &Instances) {
        self.step_of_transfer(now, |transfers, keep| {
            transfers.judge(view.stored(), keep);
            None
        });
        let Some(policy) = self.settings.as_ref().map(|it| it.autonomous.clone()) else {
            return;
        };
        self.step_of_transfer(now, |transfers, keep| {
            transfers.look(now, view, &policy, keep);
            None
        });
    }

    /// Somebody at the unit would like a file of this type (TR-069 A.4.2.2).
    pub(super) fn wish_for(&mut self, now: Moment, file_type: String) {
        if !self.wishes.contains(&file_type) && self.wishes.len() < MOST_WISHES {
            self.wishes.push(file_type);
        }
        self.due = Some(now.tick);
    }

    /// What this side has to say in a session, with the rows of transfers
    /// among it, and the events that it is. Nothing of transfers at the first
    /// contact: they are another ACS's.
    pub(super) fn to_say(
        &self,
        is_first_contact: bool,
    ) -> (VecDeque<u32>, Vec<CpeRequest>, Vec<Cause>) {
        let (news, mut causes) = match is_first_contact {
            true => (Vec::new(), Vec::new()),
            false => (self.transfers.news(), self.transfers.causes()),
        };
        let (rows, mut requests): (VecDeque<u32>, Vec<CpeRequest>) = news.into_iter().unzip();
        if !self.wishes.is_empty() {
            causes.push(Cause::RequestDownload);
        }
        let wishes = self.wishes.iter();
        requests.extend(wishes.map(|file_type| CpeRequest::RequestDownload {
            file_type: file_type.clone(),
            arguments: Vec::new(),
        }));
        (rows, requests, causes)
    }

    /// The ACS has heard this; it is not told again.
    pub(super) fn told(&mut self, request: &CpeRequest) {
        let row = match request {
            CpeRequest::TransferComplete(_) | CpeRequest::AutonomousTransferComplete(_) => {
                let running = self.running.as_mut();
                running.and_then(|running| running.told_transfers.pop_front())
            }
            CpeRequest::RequestDownload { file_type, .. } => {
                self.wishes.retain(|wish| wish != file_type);
                None
            }
            CpeRequest::Inform(_) | CpeRequest::GetRpcMethods => None,
        };
        if let Some(row) = row {
            let mut forget = Transaction::new(Actor::device());
            self.transfers.told(row, &mut forget);
            self.keep(forget);
        }
    }

    pub(super) fn hear_of_transfer(&mut self, now: Moment, heard: Heard) {
        let terms = self.terms();
        if matches!(heard, Heard::Applied(_, Ok(version)) if version > 0) {
            // A session proves whether the ACS is still reached.
            self.due = Some(now.tick);
        }
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
        let before: Vec<u32> = self.transfers.ended().map(|(row, _)| row).collect();
        let mut keep = Transaction::new(Actor::device());
        let wanted = step(&mut self.transfers, &mut keep);
        self.keep(keep);
        self.outputs.extend(wanted.map(Output::Transfer));
        let ended = self.transfers.ended();
        let new = ended.filter(|(row, _)| !before.contains(row));
        let said: Vec<Notice> = new.map(|(_, transfer)| notice(transfer)).collect();
        if !said.is_empty() {
            self.due = Some(now.tick);
        }
        self.outputs.extend(said.into_iter().map(Output::Say));
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

/// For the log; a query may hold a secret.
fn notice(transfer: &Transfer) -> Notice {
    let url = transfer.url.split('?').next().unwrap_or_default();
    match transfer.fault.code {
        0 => messages::ACS_TRANSFER_DONE.with([&transfer.file_type, &url]),
        _ => {
            let why = &transfer.fault.text;
            messages::ACS_TRANSFER_FAILED.with([&transfer.file_type, &url, why])
        }
    }
}

/// Kinds of files that are asked for at once.
const MOST_WISHES: usize = 8;
