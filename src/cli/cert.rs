//! Certificates: installed, listed, deleted.

use super::args::{self, CertAdd, CertKind};
use super::ask::{Ask, say};
use super::failure::Failure;
use super::values::answer;
use crate::north::local::{Answer, Cell, Request, Wish};
use crate::schema::{Base, Name, Syntax, Value};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;

/// One installed certificate.
#[derive(Debug, Default, PartialEq, Eq)]
struct Installed {
    file: String,
    store: String,
    position: String,
    /// Of the file's first certificate.
    issued_to: String,
    valid_to: String,
    days_left: String,
    state: String,
}

const DETAIL: &str = "Cert.CertificateDetail";

pub(super) fn add(ask: &mut Ask, add: CertAdd, out: &mut dyn Write) -> Result<(), Failure> {
    let octets = args::octets(&add.file)?;
    let own_name = add.file.file_name().and_then(|name| name.to_str());
    let Some(name) = add.name.as_deref().or(own_name) else {
        let why = format!("{}: give it a name with --name", add.file.display());
        return Err(Failure::Usage(why));
    };
    let kind = add.kind.unwrap_or_else(|| kind_of(&octets));
    let args = [("Type", kind.word()), ("FileName", name)];
    let args = args.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let request = Request::Invoke {
        operation: "Cert.Install".to_owned(),
        args: args.into(),
        blob: Some(STANDARD.encode(octets)),
    };
    answer(ask, &request, out)
}

pub(super) fn list(ask: &mut Ask, out: &mut dyn Write) -> Result<(), Failure> {
    let details = ask.cells(DETAIL)?;
    let mut names = ask.cells(CertKind::Host.table())?;
    names.extend(ask.cells(CertKind::Other.table())?);
    if ask.json {
        let all = details.iter().chain(&names);
        let all: serde_json::Map<_, _> = all
            .map(|(name, cell)| (name.to_string(), json!(cell)))
            .collect();
        return say(out, json!(all));
    }
    let lines = lines(&installed(&details, &names));
    lines.iter().try_for_each(|line| say(out, line))
}

pub(super) fn delete(
    ask: &mut Ask,
    name: &str,
    kind: Option<CertKind>,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let kinds = match kind {
        Some(kind) => vec![kind],
        None => vec![CertKind::Host, CertKind::Other],
    };
    let mut found = Vec::new();
    for kind in kinds {
        let row = kind.row(name);
        if !ask.cells(&row)?.is_empty() {
            found.push(row);
        }
    }
    let row = match found.as_slice() {
        [row] => row,
        [] => return Err(Failure::one(name, "noSuchInstance", "no such certificate")),
        _ => {
            let why = format!("{name}: both kinds have it, say --type host or --type other");
            return Err(Failure::Usage(why));
        }
    };
    let delete = Wish {
        name: format!("{row}.Delete"),
        value: "delete".to_owned(),
    };
    let values = vec![delete];
    let json = ask.json;
    ask.each(&Request::Set { values }, |answer: Answer| match json {
        true => say(out, json!(answer)),
        false => Ok(()),
    })
}

impl CertKind {
    fn table(self) -> &'static str {
        match self {
            Self::Host => "Cert.HostCertificatesInfo",
            Self::Other => "Cert.OthersCertificatesInfo",
        }
    }

    fn row(self, name: &str) -> String {
        let quoted = Value::from(name).script(&Syntax::plain(Base::Octets));
        format!("{}[FileName={quoted}]", self.table())
    }

    /// The label of its store in the detail table.
    fn store(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Other => "others",
        }
    }
}

/// A private key makes it a host certificate (RFC 7468 §10 and the older spellings).
fn kind_of(octets: &[u8]) -> CertKind {
    let mark = b"PRIVATE KEY-----";
    let has_key = octets.windows(mark.len()).any(|window| window == mark);
    match has_key {
        true => CertKind::Host,
        false => CertKind::Other,
    }
}

fn installed(details: &[(Name, Cell)], names: &[(Name, Cell)]) -> Vec<Installed> {
    let mut rows: BTreeMap<Vec<u32>, Installed> = BTreeMap::new();
    for (name, cell) in details {
        let row = rows.entry(name.index.arcs().to_vec()).or_default();
        let field = match name.column.get().short {
            "FileName" => &mut row.file,
            "Store" => &mut row.store,
            "Position" => &mut row.position,
            "DaysLeft" => &mut row.days_left,
            "State" => &mut row.state,
            _ => continue,
        };
        *field = cell.display();
    }
    let mut rows: Vec<Installed> = rows.into_values().collect();
    for row in rows.iter_mut().filter(|row| row.position == "1") {
        row.issued_to = of_file(names, row, "IssuedTo");
        row.valid_to = of_file(names, row, "ValidTo");
    }
    rows
}

fn of_file(names: &[(Name, Cell)], row: &Installed, short: &str) -> String {
    let kind = match row.store == CertKind::Host.store() {
        true => CertKind::Host,
        false => CertKind::Other,
    };
    let wanted = format!("{}.{short}", kind.row(&row.file));
    let wanted = Name::parse(&wanted).ok();
    let found = names.iter().find(|(name, _)| Some(name) == wanted.as_ref());
    found.map_or_else(String::new, |(_, cell)| cell.display())
}

fn lines(installed: &[Installed]) -> Vec<String> {
    let line = |row: &Installed| {
        let Installed {
            file,
            store,
            position,
            issued_to,
            valid_to,
            days_left,
            state,
        } = row;
        match position.as_str() {
            "1" => format!(
                "{file} ({store}): {state}, {days_left} days left, until {valid_to}: {issued_to}"
            ),
            _ => format!("{file} ({store}) certificate {position}: {state}, {days_left} days left"),
        }
    };
    installed.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_key_makes_a_host_certificate() {
        assert_eq!(kind_of(b"-----BEGIN EC PRIVATE KEY-----"), CertKind::Host);
        assert_eq!(kind_of(b"-----BEGIN CERTIFICATE-----"), CertKind::Other);
    }

    #[test]
    fn certificates_are_listed_with_what_their_file_says() {
        let at = "Cert.CertificateDetail[Store=host,FileName=\"a b.pem\",Position=1]";
        let of = "Cert.HostCertificatesInfo[FileName=\"a b.pem\"]";
        let details = [
            (format!("{at}.Store"), "host"),
            (format!("{at}.FileName"), "a b.pem"),
            (format!("{at}.Position"), "1"),
            (format!("{at}.State"), "valid"),
            (format!("{at}.DaysLeft"), "12"),
        ];
        let names = [
            (format!("{of}.IssuedTo"), "gw.example.com"),
            (format!("{of}.ValidTo"), "2027-01-01 00:00:00"),
        ];
        let cells = |values: &[(String, &str)]| {
            let values: Vec<(&str, &str)> = values
                .iter()
                .map(|(name, value)| (name.as_str(), *value))
                .collect();
            self::cells(&values)
        };
        assert_eq!(
            lines(&installed(&cells(&details), &cells(&names))),
            ["a b.pem (host): valid, 12 days left, until 2027-01-01 00:00:00: gw.example.com"]
        );
    }
}
