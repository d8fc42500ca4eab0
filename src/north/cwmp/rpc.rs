//! What the ACS asks for, one request at a time (TR-069 annex A.3, A.4.1).
//!
//! Reading is answered here; changing becomes one transaction, whose refusals
//! come back as faults that name each parameter. What ends or restarts the
//! device is only noted: it waits for the end of the session.

use super::client::After;
use super::event::{Cause, Events, Method};
use super::fault::{Code, of_parameters};
use super::lockout::{reaches_acs, undo_after, undo_in_any_case};
use super::model::{DataModel, Selection};
use super::notify::Notifications;
use super::transfers::{Request, Transfers};
use crate::schema::cwmp::{scheduled_inform, transfer};
use crate::schema::{Index, Name, cwmp};
use crate::tree::{Actor, Creation, Face, Refusal, Rights, Transaction};
use crate::wire::soap::message::{
    AcsRequest, Applied, AttributeChange, CpeResponse, Fault, FromCpe, ParameterAttributes,
    ParameterFault, ParameterValue, TransferStarted,
};
use crate::wire::time::UnixTime;
use std::collections::HashSet;

/// The requests that are understood, as GetRPCMethods lists them.
const METHODS: [&str; 17] = [
    "GetRPCMethods",
    "SetParameterValues",
    "GetParameterValues",
    "GetParameterNames",
    "SetParameterAttributes",
    "GetParameterAttributes",
    "AddObject",
    "DeleteObject",
    "Reboot",
    "FactoryReset",
    "ScheduleInform",
    "Download",
    "ScheduleDownload",
    "Upload",
    "CancelTransfer",
    "GetQueuedTransfers",
    "GetAllQueuedTransfers",
];

/// What a request comes to.
pub(super) enum Work {
    /// The answer.
    Say(FromCpe),
    /// The answer's values, to be printed one by one.
    Values(Selection),
    /// A transaction first.
    Change(Box<Change>),
}

/// A change, and what is said once it is made.
pub(super) struct Change {
    pub(super) wishes: Transaction,
    /// For each of the first wishes, the parameter of the request that it came from.
    pub(super) origins: Vec<usize>,
    /// The parameters of the request.
    pub(super) asked: Vec<String>,
    pub(super) answer: CpeResponse,
    pub(super) after: After,
    /// Whether a refusal is told for each parameter (SetParameterValues only).
    pub(super) each: bool,
}

/// What requests are answered from.
pub(super) struct Desk<'a> {
    pub(super) model: DataModel<'a>,
    pub(super) events: &'a mut Events,
    pub(super) notifications: &'a Notifications,
    /// Seconds after which a change of how the ACS is reached is undone.
    pub(super) change_deadline: Option<u32>,
    /// When `DelaySeconds` from now is, where the time is known.
    pub(super) due: &'a dyn Fn(u32) -> String,
    /// The address of the ACS, for the record of who changed what.
    pub(super) acs: &'a str,
    /// How many Informs are scheduled.
    pub(super) scheduled: usize,
    /// The next free row of the scheduled Informs.
    pub(super) schedule: u32,
    /// Those that wait and run.
    pub(super) transfers: &'a Transfers,
    /// The time, where it is known.
    pub(super) wall: Option<UnixTime>,
}

impl Desk<'_> {
    pub(super) fn work(&mut self, request: AcsRequest) -> Work {
        let done = match request {
            AcsRequest::GetRpcMethods => Ok(said(CpeResponse::GetRpcMethods(
                METHODS.map(str::to_owned).to_vec(),
            ))),
            AcsRequest::GetParameterValues(paths) => self.values(&paths),
            AcsRequest::GetParameterNames { path, next_level } => self
                .model
                .names(&path, next_level)
                .map(|names| said(CpeResponse::GetParameterNames(names)))
                .map_err(|code| code.fault(&path)),
            AcsRequest::SetParameterValues {
                values,
                parameter_key,
            } => self.set(&values, &parameter_key),
            AcsRequest::GetParameterAttributes(paths) => self.attributes(&paths),
            AcsRequest::SetParameterAttributes(changes) => self.set_attributes(&changes),
            AcsRequest::AddObject {
                path,
                parameter_key,
            } => self.add(&path, &parameter_key),
            AcsRequest::DeleteObject {
                path,
                parameter_key,
            } => self.delete(&path, &parameter_key),
            AcsRequest::Reboot { command_key } => self.reboot(command_key),
            AcsRequest::FactoryReset => Ok(Work::Change(Box::new(Change {
                after: After::FactoryReset,
                ..self.change(CpeResponse::FactoryReset)
            }))),
            AcsRequest::ScheduleInform {
                delay_seconds,
                command_key,
            } => self.schedule(delay_seconds, &command_key),
            AcsRequest::Download {
                file,
                delay_seconds,
            } => {
                let started = TransferStarted {
                    status: Applied::Later,
                    start_time: None,
                    complete_time: None,
                };
                let request = Request::Download(file, delay_seconds);
                self.transfer(request, CpeResponse::Download(started))
            }
            AcsRequest::ScheduleDownload { file, windows } => {
                let request = Request::Schedule(file, windows);
                self.transfer(request, CpeResponse::ScheduleDownload)
            }
            AcsRequest::Upload(upload) => {
                let started = TransferStarted {
                    status: Applied::Later,
                    start_time: None,
                    complete_time: None,
                };
                let request = Request::Upload(upload);
                self.transfer(request, CpeResponse::Upload(started))
            }
            AcsRequest::CancelTransfer { command_key } => self.cancel(&command_key),
            AcsRequest::GetAllQueuedTransfers => Ok(said(CpeResponse::GetAllQueuedTransfers(
                self.transfers.queue(),
            ))),
            AcsRequest::GetQueuedTransfers => Ok(said(CpeResponse::GetQueuedTransfers(
                self.transfers.queue(),
            ))),
            AcsRequest::Unknown(method) => Err(Code::MethodNotSupported.fault(&method)),
        };
        done.unwrap_or_else(|fault| Work::Say(FromCpe::Fault(fault)))
    }

    /// One bad name is a fault for all (A.3.2.2).
    fn values(&self, paths: &[String]) -> Result<Work, Fault> {
        let mut selection = self.model.nothing();
        for path in paths {
            let selected = self.model.select(path, &mut selection);
            selected.map_err(|code| code.fault(path))?;
            few_enough(selection.count(), MOST_PARAMETERS)?;
        }
        Ok(Work::Values(selection))
    }

    fn set(&self, values: &[ParameterValue], key: &str) -> Result<Work, Fault> {
        let mut change = self.change(CpeResponse::SetParameterValues(Applied::Now));
        let mut twice: Vec<ParameterFault> = Vec::new();
        let mut names = HashSet::new();
        for value in values {
            // A.3.2.1: the same parameter more than once is an invalid argument.
            if !names.insert(&value.name) {
                twice.push(ParameterFault {
                    name: value.name.clone(),
                    fault: Code::InvalidArguments.because("it is there twice"),
                });
            }
        }
        if !twice.is_empty() {
            return Err(of_parameters(twice));
        }
        let origins = self.model.set(values, &mut change.wishes);
        change.origins = origins.map_err(of_parameters)?;
        change.asked = values.iter().map(|value| value.name.clone()).collect();
        change.each = true;
        change.after = After::Set(change.asked.clone());
        // What is in a row that is not in use yet counts once it is.
        let counts = |name: &Name| reaches_acs(name) && self.model.is_in_use(name);
        if change.wishes.assigned().any(counts) {
            undo_in_any_case(self.change_deadline, &mut change.wishes);
        }
        parameter_key(&mut change.wishes, key)?;
        Ok(Work::Change(Box::new(change)))
    }

    fn add(&self, path: &str, key: &str) -> Result<Work, Fault> {
        let mut change = self.change(CpeResponse::Reboot);
        let instance = self.model.add(path, &mut change.wishes);
        let instance = instance.map_err(|code| code.fault(path))?;
        parameter_key(&mut change.wishes, key)?;
        change.answer = CpeResponse::AddObject {
            instance,
            status: Applied::Now,
        };
        Ok(Work::Change(Box::new(change)))
    }

    fn delete(&self, path: &str, key: &str) -> Result<Work, Fault> {
        let mut change = self.change(CpeResponse::DeleteObject(Applied::Now));
        let deleted = self.model.delete(path, &mut change.wishes);
        deleted.map_err(|code| code.fault(path))?;
        undo_after(self.change_deadline, &mut change.wishes);
        parameter_key(&mut change.wishes, key)?;
        Ok(Work::Change(Box::new(change)))
    }

    fn attributes(&self, paths: &[String]) -> Result<Work, Fault> {
        let mut attributes = Vec::new();
        for path in paths {
            let found = self.model.find(path).map_err(|code| code.fault(path))?;
            attributes.extend(found.into_iter().map(|parameter| {
                let (notification, access_list) =
                    self.notifications.of(&parameter.path(), &self.model);
                ParameterAttributes {
                    name: parameter.path(),
                    notification,
                    access_list,
                }
            }));
            few_enough(attributes.len(), MOST_PARAMETERS)?;
        }
        Ok(said(CpeResponse::GetParameterAttributes(attributes)))
    }

    /// All or nothing (A.3.2.4): looked at whole before any is set.
    fn set_attributes(&self, changes: &[AttributeChange]) -> Result<Work, Fault> {
        let mut wanted = Vec::new();
        for change in changes {
            let found = self.model.find(&change.name);
            for parameter in found.map_err(|code| code.fault(&change.name))? {
                let path = parameter.path();
                match change.notification {
                    Some(asked) if asked > 6 => {
                        return Err(Code::InvalidArguments.fault(&change.name));
                    }
                    Some(asked) if !self.model.may_be_notified(&path, asked) => {
                        return Err(Code::NotificationRejected.fault(&path));
                    }
                    _ => wanted.push((parameter, change)),
                }
                few_enough(wanted.len(), MOST_ATTRIBUTES)?;
            }
        }
        let mut change = self.change(CpeResponse::SetParameterAttributes);
        let wanted = wanted.into_iter();
        let wanted = wanted.map(|(parameter, asked)| (self.model.value(&parameter), asked));
        let draft = self.notifications.drafted(wanted, &mut change.wishes);
        change.after = After::Attributes(draft.ok_or_else(too_many)?);
        Ok(Work::Change(Box::new(change)))
    }

    fn schedule(&self, delay: u32, key: &str) -> Result<Work, Fault> {
        // A.4.1.2: at least one second.
        if delay == 0 {
            return Err(Code::InvalidArguments.fault(""));
        }
        self.judge_key(key)?;
        let mut change = self.change(CpeResponse::ScheduleInform);
        let index = Index::number(self.schedule);
        let table = scheduled_inform::TABLE;
        change.wishes.create(table, index.clone(), Creation::Active);
        for (column, text) in [
            (scheduled_inform::COMMAND_KEY.id(), key.to_owned()),
            (scheduled_inform::DUE.id(), (self.due)(delay)),
        ] {
            let index = index.clone();
            change.wishes.assign(Name { column, index }, text.into());
        }
        change.after = After::Schedule {
            row: self.schedule,
            delay,
        };
        Ok(Work::Change(Box::new(change)))
    }

    /// A transfer that begins after the session, and whose row is on disk before the answer.
    fn transfer(&self, request: Request, answer: CpeResponse) -> Result<Work, Fault> {
        let transfer = request.plan(self.wall)?;
        let Some(row) = self.transfers.room() else {
            return Err(Code::ResourcesExceeded.fault("too many transfers wait already"));
        };
        let mut change = self.change(answer);
        transfer.make(row, &mut change.wishes);
        change.after = After::Transfer(row, Box::new(transfer));
        Ok(Work::Change(Box::new(change)))
    }

    /// A key that no transfer has leaves nothing to be forgotten.
    fn cancel(&self, key: &str) -> Result<Work, Fault> {
        let rows = self.transfers.cancellable(key);
        let rows = rows.map_err(|code| code.fault(""))?;
        let mut change = self.change(CpeResponse::CancelTransfer);
        for row in &rows {
            change.wishes.delete(transfer::TABLE, Index::number(*row));
        }
        change.after = After::Cancelled(rows);
        Ok(Work::Change(Box::new(change)))
    }

    /// Done after the session; that it is to be told is on disk before the answer.
    fn reboot(&mut self, key: String) -> Result<Work, Fault> {
        self.judge_key(&key)?;
        let mut change = self.change(CpeResponse::Reboot);
        let cause = Cause::Method(Method::Reboot, key);
        change.after = After::Reboot(self.events.promise(cause, &mut change.wishes));
        Ok(Work::Change(Box::new(change)))
    }

    /// The key of what is to be an event, for which there must be room.
    fn judge_key(&self, key: &str) -> Result<(), Fault> {
        if key.len() > LONGEST_KEY {
            return Err(Code::InvalidArguments.fault("CommandKey is longer than 32"));
        }
        if !self.events.has_room(self.scheduled) {
            return Err(Code::ResourcesExceeded.fault("too many events wait already"));
        }
        Ok(())
    }

    fn change(&self, answer: CpeResponse) -> Change {
        // The client's own rows go with the ACS's wishes in one commit;
        // what the ACS itself may not write, the model has refused.
        let actor = acs_actor(self.acs, Rights::Device);
        Change {
            wishes: Transaction::new(actor),
            origins: Vec::new(),
            asked: Vec::new(),
            answer,
            after: After::Nothing,
            each: false,
        }
    }
}

impl Change {
    /// The fault for what the tree refused.
    pub(super) fn refused(&self, refusals: &[Refusal]) -> Fault {
        let named = refusals.iter().map(|refusal| {
            let parameter = self
                .origins
                .get(refusal.wish)
                .and_then(|at| self.asked.get(*at));
            (parameter, refusal)
        });
        let first = refusals.first().map(|refusal| &refusal.reason);
        let code = first.map_or(Code::InternalError, Code::of);
        let whole: Vec<String> = refusals.iter().map(ToString::to_string).collect();
        if !self.each || code == Code::ResourcesExceeded {
            return code.fault(&whole.join("; "));
        }
        let faults = named.map(|(parameter, refusal)| ParameterFault {
            // A rule that spans objects names the one it found; it is in the words.
            name: parameter
                .or(self.asked.first())
                .cloned()
                .unwrap_or_default(),
            fault: Code::of(&refusal.reason).because(&refusal.reason.to_string()),
        });
        of_parameters(faults.collect())
    }
}

/// In whose name the ACS's wishes are done.
pub(super) fn acs_actor(acs: &str, rights: Rights) -> Actor {
    Actor {
        face: Face::Cwmp,
        user: "acs".to_owned(),
        address: acs.to_owned(),
        rights,
    }
}

/// A.3.2.1: stored with the change and only with it.
fn parameter_key(wishes: &mut Transaction, key: &str) -> Result<(), Fault> {
    if key.len() > LONGEST_KEY {
        return Err(Code::InvalidArguments.fault("ParameterKey is longer than 32"));
    }
    wishes.assign(scalar(cwmp::PARAMETER_KEY.id()), key.into());
    Ok(())
}

fn scalar(column: crate::schema::ColumnId) -> Name {
    Name {
        column,
        index: Index::scalar(),
    }
}

fn few_enough(count: usize, most: usize) -> Result<(), Fault> {
    match count > most {
        true => Err(too_many()),
        false => Ok(()),
    }
}

fn too_many() -> Fault {
    Code::ResourcesExceeded.fault("too many parameters")
}

fn said(response: CpeResponse) -> Work {
    Work::Say(FromCpe::Response(response))
}

/// cwmp-1-2.xsd: keys have at most 32 characters.
const LONGEST_KEY: usize = 32;
/// Parameters that one request may read: a full unit has some twenty thousand.
const MOST_PARAMETERS: usize = 100_000;
/// Parameters that one SetParameterAttributes may concern.
const MOST_ATTRIBUTES: usize = 1024;
