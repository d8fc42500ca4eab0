//! What the messages of a session are called where people read of them.
//!
//! Names of methods and parameters, codes and counts; never a value, which may
//! be a password.

use crate::wire::soap::message::{AcsRequest, CpeRequest, CpeResponse, Event, FromCpe};

/// Leaves of a text, which may be a peer's and of any length, what people read of it.
pub(super) fn cut(text: &mut String) {
    text.truncate(text.floor_char_boundary(LONGEST));
    text.shrink_to_fit();
}

/// An event with its key.
pub(super) fn shown(event: &Event) -> String {
    match event.command_key.is_empty() {
        true => event.code.clone(),
        false => format!("{} ({})", event.code, event.command_key),
    }
}

/// What a message of this side is called in the ladder.
pub(super) fn said(body: &FromCpe) -> String {
    match body {
        FromCpe::Request(CpeRequest::Inform(inform)) => {
            let codes: Vec<String> = inform.events.iter().map(shown).collect();
            format!("Inform: {}", codes.join(", "))
        }
        FromCpe::Request(CpeRequest::TransferComplete(_)) => "TransferComplete".to_owned(),
        FromCpe::Request(CpeRequest::AutonomousTransferComplete(_)) => {
            "AutonomousTransferComplete".to_owned()
        }
        FromCpe::Request(CpeRequest::GetRpcMethods) => "GetRPCMethods".to_owned(),
        FromCpe::Request(CpeRequest::RequestDownload { .. }) => "RequestDownload".to_owned(),
        FromCpe::NotUnderstood(header) => format!("Fault MustUnderstand {header}"),
        FromCpe::Response(response) => format!("{}Response", answered(response)),
        FromCpe::Fault(fault) => {
            let mut line = format!("Fault {}", fault.fault.code);
            for refused in &fault.parameters {
                line.push_str(&format!(" {}:{}", refused.name, refused.fault.code));
            }
            line
        }
    }
}

fn answered(response: &CpeResponse) -> &'static str {
    match response {
        CpeResponse::GetRpcMethods(_) => "GetRPCMethods",
        CpeResponse::SetParameterValues(_) => "SetParameterValues",
        CpeResponse::GetParameterValues(_) => "GetParameterValues",
        CpeResponse::GetParameterNames(_) => "GetParameterNames",
        CpeResponse::SetParameterAttributes => "SetParameterAttributes",
        CpeResponse::GetParameterAttributes(_) => "GetParameterAttributes",
        CpeResponse::AddObject { .. } => "AddObject",
        CpeResponse::DeleteObject(_) => "DeleteObject",
        CpeResponse::Reboot => "Reboot",
        CpeResponse::Download(_) => "Download",
        CpeResponse::Upload(_) => "Upload",
        CpeResponse::FactoryReset => "FactoryReset",
        CpeResponse::ScheduleInform => "ScheduleInform",
        CpeResponse::ScheduleDownload => "ScheduleDownload",
        CpeResponse::CancelTransfer => "CancelTransfer",
        CpeResponse::GetAllQueuedTransfers(_) => "GetAllQueuedTransfers",
        CpeResponse::GetQueuedTransfers(_) => "GetQueuedTransfers",
    }
}

/// What the ACS asked, without values.
pub(super) fn asked(request: &AcsRequest) -> String {
    let some = |method: &str, what: &[String]| match what {
        [] => method.to_owned(),
        [one] => format!("{method} {one}"),
        [first, rest @ ..] => format!("{method} {first} and {} more", rest.len()),
    };
    match request {
        AcsRequest::GetRpcMethods => "GetRPCMethods".to_owned(),
        AcsRequest::SetParameterValues { values, .. } => {
            let names: Vec<String> = values.iter().map(|value| value.name.clone()).collect();
            some("SetParameterValues", &names)
        }
        AcsRequest::GetParameterValues(paths) => some("GetParameterValues", paths),
        AcsRequest::GetParameterNames { path, .. } => format!("GetParameterNames {path}"),
        AcsRequest::SetParameterAttributes(changes) => {
            let names: Vec<String> = changes.iter().map(|change| change.name.clone()).collect();
            some("SetParameterAttributes", &names)
        }
        AcsRequest::GetParameterAttributes(paths) => some("GetParameterAttributes", paths),
        AcsRequest::AddObject { path, .. } => format!("AddObject {path}"),
        AcsRequest::DeleteObject { path, .. } => format!("DeleteObject {path}"),
        AcsRequest::Reboot { command_key } => format!("Reboot {command_key}"),
        AcsRequest::Download { file, .. } => format!("Download {}", file.file_type),
        AcsRequest::Upload(upload) => format!("Upload {}", upload.file_type),
        AcsRequest::FactoryReset => "FactoryReset".to_owned(),
        AcsRequest::ScheduleInform { delay_seconds, .. } => {
            format!("ScheduleInform in {delay_seconds} s")
        }
        AcsRequest::ScheduleDownload { file, .. } => {
            format!("ScheduleDownload {}", file.file_type)
        }
        AcsRequest::CancelTransfer { command_key } => format!("CancelTransfer {command_key}"),
        AcsRequest::GetAllQueuedTransfers => "GetAllQueuedTransfers".to_owned(),
        AcsRequest::GetQueuedTransfers => "GetQueuedTransfers".to_owned(),
        AcsRequest::Unknown(method) => method.clone(),
    }
}

/// Octets that are kept of one text.
const LONGEST: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_a_character_ends() {
        let mut text = "\u{e9}".repeat(1000);
        cut(&mut text);
        assert_eq!(text, "\u{e9}".repeat(128));
        text.insert(0, 'x');
        cut(&mut text);
        assert_eq!(text.len(), 255);
        assert!(text.capacity() < 300);
    }
}
