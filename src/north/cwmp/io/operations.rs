//! What an operator can ask of the client.

use crate::north::cwmp::client::Input;
use crate::tree::{Argument, Invocation, Operation, OperationError, Rights, Tree};
use std::sync::Arc;
use tokio::sync::mpsc;

/// A session now.
static INFORM: Operation = Operation {
    name: "Cwmp.Inform",
    arguments: &[],
    rights: Rights::User,
    help: "Has a session with the ACS now, and says how it ended.",
};

/// A file, if the ACS likes.
static REQUEST_DOWNLOAD: Operation = Operation {
    name: "Cwmp.RequestDownload",
    arguments: &[Argument {
        name: "FileType",
        required: true,
        help: "as TR-069 calls it, for example 1 Firmware Upgrade Image",
    }],
    rights: Rights::User,
    help: "Asks the ACS for a Download of a file of this type, in a session now.",
};

/// Offers them; each reaches the client as an invocation.
pub(super) fn offer(tree: &Tree, invoke: mpsc::Sender<Invocation>) {
    let sink = move |invocation: Invocation| {
        let asks = invocation.operation.name == REQUEST_DOWNLOAD.name;
        if asks && !is_file_type(invocation.argument("FileType")) {
            let why = "FileType is a number and words, as 1 Firmware Upgrade Image, or X, an OUI and words";
            return (invocation.answer)(Err(OperationError::Failed(why.to_owned())));
        }
        if let Err(error) = invoke.try_send(invocation) {
            let why = "the service Cwmp does not run, or is busy: see Scm.ServicesInfo";
            (error.into_inner().answer)(Err(OperationError::Failed(why.to_owned())));
        }
    };
    let sink = Arc::new(sink);
    tree.offer(&INFORM, sink.clone());
    tree.offer(&REQUEST_DOWNLOAD, sink);
}

/// What the client hears of one.
pub(super) fn input(invocation: &Invocation) -> Input {
    match invocation.operation.name == REQUEST_DOWNLOAD.name {
        true => Input::RequestDownload(invocation.argument("FileType").to_owned()),
        false => Input::InformNow,
    }
}

/// cwmp-1-2.xsd, DownloadFileType.
fn is_file_type(text: &str) -> bool {
    let mut words = text.split(' ');
    let first = words.next().unwrap_or_default();
    let number = first.starts_with(|c: char| ('1'..='9').contains(&c))
        && first.bytes().all(|octet| octet.is_ascii_digit());
    let words: Vec<&str> = words.collect();
    let enough = if first == "X" { 2 } else { 1 };
    (number || first == "X")
        && words.len() >= enough
        && words.iter().all(|word| !word.is_empty())
        && text.len() <= LONGEST_TYPE
}

const LONGEST_TYPE: usize = 64;
