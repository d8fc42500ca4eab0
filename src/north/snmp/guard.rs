//! What the agent's settings may not be.

use super::settings::SourceFilter;
use crate::schema::{Index, aaa, snmp};
use crate::tree::{Candidate, Guard, Refusal, Row, Value};

/// The rules of the agent and its users.
pub fn guards() -> Vec<Guard> {
    vec![sources_can_be_read, somebody_stays_admin]
}

/// A source filter that cannot be read would lock everybody out.
fn sources_can_be_read(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let (column, index) = (snmp::ALLOWED_SOURCES.id(), Index::scalar());
    let text = candidate
        .after
        .cell(column, &index)
        .and_then(Value::as_octets);
    let text = String::from_utf8_lossy(text.unwrap_or_default()).into_owned();
    match SourceFilter::parse(&text) {
        Ok(_) => Vec::new(),
        Err(error) => vec![candidate.refuse(column, &index, error.to_string())],
    }
}

/// The last admin, and the user whose rights the community has, stay.
fn somebody_stays_admin(candidate: &Candidate<'_>) -> Vec<Refusal> {
    let rights = aaa::users::ACCESS_RIGHTS.id();
    let admin = Value::Integer(aaa::users::AccessRights::Admin as i32);
    let is_admin = |row: &Row| row.cells.contains(&Some(admin.clone()));
    let table = aaa::users::TABLE;
    let had = candidate
        .before
        .rows(table)
        .iter()
        .any(|(_, row)| is_admin(row));
    let has = candidate
        .after
        .rows(table)
        .iter()
        .any(|(_, row)| is_admin(row));
    let gone = candidate
        .before
        .rows(table)
        .iter()
        .map(|(index, _)| index)
        .filter(|index| candidate.after.row(table, index).is_none());
    let (snmp_user, scalar) = (snmp::SNMP_USER.id(), Index::scalar());
    let community_user = candidate.after.cell(snmp_user, &scalar).cloned();
    let mut refusals: Vec<Refusal> = gone
        .filter(|index| community_user == Some(Value::from(index.name())))
        .map(|index| {
            candidate.refuse_row(
                table,
                index,
                "Snmp.SnmpUser names this user; change that first",
            )
        })
        .collect();
    if had && !has {
        let index = candidate
            .before
            .rows(table)
            .iter()
            .find(|(_, row)| is_admin(row));
        let index = index.map_or_else(|| Index::text("admin"), |(index, _)| index.clone());
        let why = "this is the last admin: nobody could change users any more";
        refusals.push(candidate.refuse(rights, &index, why));
    }
    refusals
}
