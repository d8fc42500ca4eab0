//! What the ACS is told of a transfer that has ended.

use super::super::event::{Cause, Method as Event};
use super::record::Transfer;
use crate::schema::cwmp::transfer::Method;
use crate::wire::soap::message::{AutonomousTransferComplete, CpeRequest, TransferComplete};
use crate::wire::time::UnixTime;

impl Transfer {
    /// The events that it is.
    pub(super) fn causes(&self) -> impl Iterator<Item = Cause> {
        let (all, own) = match self.method {
            Method::Autonomous => (Cause::AutonomousTransferComplete, None),
            Method::Download => (Cause::TransferComplete, Some(Event::Download)),
            Method::Upload => (Cause::TransferComplete, Some(Event::Upload)),
            Method::ScheduleDownload => (Cause::TransferComplete, Some(Event::ScheduleDownload)),
        };
        let own = own.map(|event| Cause::Method(event, self.command_key.clone()));
        std::iter::once(all).chain(own)
    }

    /// The request that tells it (A.3.3.2, A.3.3.3).
    pub(super) fn news(&self) -> CpeRequest {
        let time = |time: Option<UnixTime>| time.map(|time| time.iso8601());
        let (start_time, complete_time) = (time(self.started), time(self.completed));
        if self.method != Method::Autonomous {
            return CpeRequest::TransferComplete(TransferComplete {
                command_key: self.command_key.clone(),
                fault: self.fault.clone(),
                start_time,
                complete_time,
            });
        }
        CpeRequest::AutonomousTransferComplete(AutonomousTransferComplete {
            announce_url: String::new(),
            transfer_url: self.url.clone(),
            is_download: self.is_download(),
            file_type: self.file_type.clone(),
            file_size: self.file_size,
            target_file_name: self.target.clone(),
            fault: self.fault.clone(),
            start_time,
            complete_time,
        })
    }
}
