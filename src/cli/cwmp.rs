//! The sessions with the ACS, as a ladder of what each side said, and the
//! transfers that wait.

use super::ask::{Ask, say};
use super::failure::Failure;
use super::paint::Paint;
use super::values::answer;
use crate::north::local::{Cell, Request};
use crate::schema::Name;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;

/// One session.
#[derive(Debug, Default, PartialEq, Eq)]
struct Session {
    began: String,
    events: String,
    steps: String,
    result: String,
}

/// A file that is moved, or of which the ACS is still to be told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Transfer {
    method: String,
    key: String,
    file_type: String,
    url: String,
    state: String,
    fault: String,
}

const SESSIONS: &str = "Cwmp.Session";
const TRANSFERS: &str = "Cwmp.Transfer";
/// What stands above the sessions, each with what it is called.
const HEAD: [(&str, &str); 11] = [
    ("Cwmp.AcsUrl", "ACS"),
    ("Cwmp.AcsStatus", "status"),
    ("Cwmp.AcsReason", "reason"),
    ("Cwmp.LastFault", "last fault"),
    ("Cwmp.NextInformTime", "next session"),
    ("Cwmp.ParameterKey", "parameter key"),
    ("Cwmp.ConnectionRequestUrl", "asked at"),
    ("Cwmp.UdpConnectionRequestAddress", "and by UDP at"),
    ("Cwmp.StunStatusReason", "STUN"),
    ("Cwmp.DhcpAcsUrl", "DHCP says"),
    ("Cwmp.DhcpProvisioningCode", "DHCP code"),
];

pub(super) fn show(ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    let mut head = Vec::new();
    for (name, _) in HEAD {
        head.extend(ask.cells(name)?);
    }
    let sessions = ask.cells(SESSIONS)?;
    let transfers = ask.cells(TRANSFERS)?;
    if ask.json {
        let all = head.iter().chain(&transfers).chain(&sessions);
        let all: serde_json::Map<_, _> = all
            .map(|(name, cell)| (name.to_string(), json!(cell)))
            .collect();
        return say(out, json!(all));
    }
    let paint = Paint::of_stdout();
    let mut lines = head_lines(&head);
    lines.extend(transfer_lines(&transfers_of(&transfers), paint));
    lines.extend(session_lines(&by_number(&sessions), paint));
    lines.iter().try_for_each(|line| say(out, line))
}

pub(super) fn inform(ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    let request = Request::Invoke {
        operation: "Cwmp.Inform".to_owned(),
        args: BTreeMap::new(),
        blob: None,
    };
    answer(ask, &request, out)
}

fn by_number(cells: &[(Name, Cell)]) -> BTreeMap<u32, Session> {
    let mut sessions: BTreeMap<u32, Session> = BTreeMap::new();
    for (name, cell) in cells {
        let Some(number) = name.index.arcs().first() else {
            continue;
        };
        let session = sessions.entry(*number).or_default();
        let field = match name.column.get().short {
            "Began" => &mut session.began,
            "Events" => &mut session.events,
            "Steps" => &mut session.steps,
            "Result" => &mut session.result,
            _ => continue,
        };
        *field = cell.display();
    }
    sessions
}

fn transfers_of(cells: &[(Name, Cell)]) -> BTreeMap<u32, Transfer> {
    let mut transfers: BTreeMap<u32, Transfer> = BTreeMap::new();
    for (name, cell) in cells {
        let Some(number) = name.index.arcs().first() else {
            continue;
        };
        let transfer = transfers.entry(*number).or_default();
        let field = match name.column.get().short {
            "Method" => &mut transfer.method,
            "CommandKey" => &mut transfer.key,
            "FileType" => &mut transfer.file_type,
            "Url" => &mut transfer.url,
            "State" => &mut transfer.state,
            "Fault" => &mut transfer.fault,
            _ => continue,
        };
        *field = cell.display();
    }
    transfers
}

fn head_lines(head: &[(Name, Cell)]) -> Vec<String> {
    let mut lines = Vec::new();
    for (object, called) in HEAD {
        let found = head.iter().find(|(name, _)| name.to_string() == object);
        let text = found.map_or_else(String::new, |(_, cell)| cell.display());
        if !text.is_empty() {
            lines.push(format!("{called:14} {text}"));
        }
    }
    lines
}

fn transfer_lines(transfers: &BTreeMap<u32, Transfer>, paint: Paint) -> Vec<String> {
    let line = |transfer: &Transfer| {
        let Transfer {
            method,
            key,
            file_type,
            url,
            state,
            fault,
        } = transfer;
        // A query may hold a secret.
        let url = url.split('?').next().unwrap_or_default();
        let state = match (state.as_str(), fault.as_str()) {
            ("ended", "") => paint.good("ended"),
            ("ended", why) => paint.bad(why),
            (state, _) => paint.warn(state),
        };
        let key = match key.as_str() {
            "" => String::new(),
            key => format!(" ({key})"),
        };
        format!(
            "{:14} {method}{key}  {file_type}  {url}  {state}",
            "transfer"
        )
    };
    transfers.values().map(line).collect()
}

fn session_lines(sessions: &BTreeMap<u32, Session>, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for (number, session) in sessions {
        let began = match session.began.as_str() {
            "" => "time not known",
            began => began,
        };
        let result = match session.result.as_str() {
            "" => paint.warn("under way"),
            "done" => paint.good("done"),
            why => paint.bad(why),
        };
        lines.push(String::new());
        lines.push(paint.title(&format!("{number}  {began}  {}", session.events)));
        lines.extend(session.steps.lines().map(|step| format!("  {step}")));
        lines.push(format!("  {result}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Value;

    fn cells(values: &[(&str, &str)]) -> Vec<(Name, Cell)> {
        let cell = |(name, value): &(&str, &str)| {
            let name = Name::parse(name).expect("a name");
            let syntax = &name.column.get().syntax;
            let value = Value::parse(value, syntax).expect("a value");
            let cell = Cell::of(&value, syntax, name.dotted());
            (name, cell)
        };
        values.iter().map(cell).collect()
    }

    #[test]
    fn a_session_is_a_ladder_under_what_is_known_of_the_acs() {
        let head = cells(&[
            ("Cwmp.AcsUrl", "http://acs.example/"),
            ("Cwmp.AcsStatus", "connected"),
            ("Cwmp.AcsReason", ""),
        ]);
        let of = "Cwmp.Session[Index=2]";
        let sessions = [
            (format!("{of}.Began"), "2026-03-01 14:05:09"),
            (format!("{of}.Events"), "2 PERIODIC"),
            (
                format!("{of}.Steps"),
                "-> Inform: 2 PERIODIC\n<- InformResponse",
            ),
            (format!("{of}.Result"), "done"),
        ];
        let sessions: Vec<(&str, &str)> = sessions
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let sessions = by_number(&cells(&sessions));
        let of = "Cwmp.Transfer[Index=1]";
        let transfers = [
            (format!("{of}.Method"), "download"),
            (format!("{of}.CommandKey"), "k1"),
            (format!("{of}.FileType"), "3 Vendor Configuration File"),
            (format!("{of}.Url"), "https://files.example/a?token=x"),
            (format!("{of}.State"), "running"),
        ];
        let transfers: Vec<(&str, &str)> = transfers
            .iter()
            .map(|(name, value)| (name.as_str(), *value))
            .collect();
        let transfers = transfers_of(&cells(&transfers));
        let mut lines = head_lines(&head);
        lines.extend(transfer_lines(&transfers, Paint::Plain));
        lines.extend(session_lines(&sessions, Paint::Plain));
        assert_eq!(
            lines.join("\n"),
            "\
ACS            http://acs.example/
status         connected
transfer       download (k1)  3 Vendor Configuration File  https://files.example/a  running

2  2026-03-01 14:05:09  2 PERIODIC
  -> Inform: 2 PERIODIC
  <- InformResponse
  done"
        );
    }

    #[test]
    fn everything_that_stands_above_is_an_object() {
        for (name, _) in HEAD {
            assert!(Name::parse(name).is_ok(), "{name}");
        }
    }
}
