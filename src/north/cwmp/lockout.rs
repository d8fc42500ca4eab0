//! What may lock the ACS out: its URL, its credentials, and whom the unit trusts.
//!
//! A change of these is provisional (`Conf.ConfirmWithin`): it is undone after
//! so many seconds, also after a restart, unless a session follows. Whatever
//! the ACS does, by request or by file, is judged here.

use crate::schema::{Index, Name, TableId, cert, conf};
use crate::tree::{Transaction, Value};

/// Asks for a change to be undone where it may lock the ACS out.
pub(super) fn undo_after(deadline: Option<u32>, wishes: &mut Transaction) {
    if wishes.assigned().any(reaches_acs) || wishes.deleted().any(is_trust) {
        undo_in_any_case(deadline, wishes);
    }
}

/// Asks for a change to be undone unless a session follows; None: nothing is.
pub(super) fn undo_in_any_case(deadline: Option<u32>, wishes: &mut Transaction) {
    if let Some(deadline) = deadline {
        wishes.assign(confirm_within(), Value::Unsigned(deadline));
    }
}

/// Whether a change has been asked to be undone.
pub(super) fn is_provisional(wishes: &Transaction) -> bool {
    let within = confirm_within();
    wishes.assigned().any(|name| *name == within)
}

/// Whether the rows of a table say whom the unit trusts, and who it is; what
/// is to be fetched (`Cert.Transfer`) does not.
pub(super) fn is_trust(table: TableId) -> bool {
    table.get().service.get().name == "Cert" && table != cert::transfer::TABLE
}

/// Whether an object decides whether the ACS is reached.
#[must_use]
pub fn reaches_acs(name: &Name) -> bool {
    const REACHED_BY: [&str; 8] = [
        "acsUrlConfigSource",
        "acsStaticUrl",
        "dhcpAcsUrl",
        "username",
        "password",
        "networkInterface",
        "transportCertificateValidation",
        "rootElement",
    ];
    let column = name.column.get();
    let of_client = column.service().name == "Cwmp";
    is_trust(column.table) || of_client && REACHED_BY.contains(&column.name)
}

fn confirm_within() -> Name {
    Name {
        column: conf::CONFIRM_WITHIN.id(),
        index: Index::scalar(),
    }
}
