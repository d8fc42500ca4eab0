//! What a name that names nothing may have meant.
//!
//! For the errors of reading names: the nearest services and objects, told
//! with their whole name so that they can be copied. It decides nothing.

use super::name::{NameError, pattern};
use super::{ColumnId, RowLife, ServiceId, TableId, columns, services, tables};
use std::collections::BTreeSet;

/// Suggestions in one error.
const MOST: usize = 3;
/// Columns that an error lists.
const MOST_COLUMNS: usize = 8;
/// Longer words are no typing errors, in letters.
const LONGEST: usize = 64;

/// No service of that name; perhaps another, or an object written without its service.
pub(super) fn no_service(text: &str) -> NameError {
    let known: Vec<&str> = services().map(|(_, service)| service.name).collect();
    let mut near = nearest(text, known.iter().map(|name| (*name, (*name).to_owned())));
    if near.is_empty() {
        near = nearest(text, objects(|_| true));
    }
    let all = known.join(", ");
    let hint = match near.is_empty() {
        true => format!("the services are {all}"),
        false => format!("did you mean {}? The services are {all}", near.join(" or ")),
    };
    NameError::NoService(text.to_owned(), hint)
}

/// The service has no such object, or one of its tables no such column.
pub(super) fn no_object(service: ServiceId, table: Option<TableId>, text: &str) -> NameError {
    let near = match table {
        Some(table) => nearest(text, table.get().columns.iter().map(|id| column(*id))),
        None => nearest(text, objects(|owner| owner == service)),
    };
    let hint = match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    };
    let place = match table {
        Some(table) => format!("{}.{}", service.get().name, table.get().short),
        None => service.get().name.to_owned(),
    };
    NameError::NoObject(place, text.to_owned(), hint)
}

/// A row where one instance is wanted.
pub(super) fn needs_column(text: &str, table: TableId) -> NameError {
    let columns = table.get().columns.iter().map(|column| column.get());
    let names: Vec<&str> = columns
        .filter(|column| column.writable)
        .map(|column| column.short)
        .take(MOST_COLUMNS)
        .collect();
    NameError::NeedsColumn(text.to_owned(), names.join(", "))
}

/// A table, or the beginning of several names, where one instance is wanted.
pub(super) fn begins_several(text: &str, columns: &[ColumnId]) -> NameError {
    let (Some(first), Some((_, rest))) = (columns.first(), text.split_once('.')) else {
        return NameError::Malformed(text.to_owned());
    };
    let table = first.get().table.get();
    if table.short.eq_ignore_ascii_case(rest.trim()) {
        return NameError::NeedsRow(text.to_owned(), pattern(*first));
    }
    match text
        .trim()
        .starts_with(|first: char| first.is_ascii_digit() || first == '.')
    {
        true => NameError::Malformed(text.to_owned()),
        false => no_object(table.service, None, rest),
    }
}

/// The scalars, tables and columns of services, each as it is called and as it is written.
fn objects(
    mine: impl Fn(ServiceId) -> bool + Copy,
) -> impl Iterator<Item = (&'static str, String)> {
    let of_tables = tables()
        .filter(move |(_, table)| mine(table.service) && !table.short.is_empty())
        .map(|(id, table)| (table.short, row_pattern(id)));
    let of_columns = columns()
        .filter(move |(id, _)| mine(id.get().table.get().service))
        .map(|(id, _)| column(id));
    of_tables.chain(of_columns)
}

fn column(id: ColumnId) -> (&'static str, String) {
    let object = id.get();
    let name = match object.table.get().rows {
        RowLife::Scalar => format!("{}.{}", object.table.get().service.get().name, object.short),
        _ => pattern(id),
    };
    (object.short, name)
}

/// `Service.Table[Index=...]`.
pub(super) fn row_pattern(table: TableId) -> String {
    let whole = table.get().columns.first().map(|column| pattern(*column));
    let mut whole = whole.unwrap_or_default();
    whole.truncate(whole.rfind("].").map_or(whole.len(), |at| at + 1));
    whole
}

/// What is written nearly so, the nearest first; else what has the text in it.
fn nearest(text: &str, candidates: impl Iterator<Item = (&'static str, String)>) -> Vec<String> {
    let text: Vec<char> = text.to_lowercase().chars().take(LONGEST).collect();
    let allowed = text.len().div_ceil(4).min(3);
    let whole: String = text.iter().collect();
    let mut ranked = BTreeSet::new();
    for (order, (short, name)) in candidates.enumerate() {
        let short = short.to_lowercase();
        let letters: Vec<char> = short.chars().take(LONGEST).collect();
        let distance = distance(&text, &letters);
        if distance <= allowed && distance < text.len() {
            ranked.insert((distance, order, name));
        } else if text.len() >= 3 && short.contains(&whole) {
            ranked.insert((LONGEST, order, name));
        }
    }
    let best = ranked.first().map(|(distance, ..)| *distance);
    let good = ranked
        .into_iter()
        .filter(|(distance, ..)| Some(*distance) == best);
    good.map(|(.., name)| name).take(MOST).collect()
}

/// How many letters are wrong, missing, too many or exchanged with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let changed = row[j] + usize::from(letter != other);
            let mut least = changed.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && a[i - 1] == *other && *letter == b[j - 1] {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::super::Name;
    use super::*;

    fn said(name: &str) -> String {
        Name::parse(name).expect_err("wrong").to_string()
    }

    fn letters_apart(a: &str, b: &str) -> usize {
        let letters = |text: &str| text.chars().collect::<Vec<char>>();
        distance(&letters(a), &letters(b))
    }

    #[test]
    fn letters_are_counted_that_must_change() {
        for (a, b, apart) in [
            ("", "", 0),
            ("", "abc", 3),
            ("name", "nam", 1),
            ("name", "nmae", 1),
            ("name", "lame", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(letters_apart(a, b), apart, "{a} {b}");
            assert_eq!(letters_apart(b, a), apart, "{b} {a}");
        }
    }

    #[test]
    fn a_typing_error_is_answered_with_the_whole_name() {
        for (wrong, meant) in [
            ("Hoc.SystemNam", "did you mean Hoc.SystemName?"),
            ("Hoc.sytsemname", "did you mean Hoc.SystemName?"),
            (
                "SipEp.TransportConfg[GatewayName=default].TlsEnable",
                "did you mean SipEp.TransportConfig[GatewayName=...]?",
            ),
            (
                "SipEp.TransportConfig[GatewayName=default].TlsEnabel",
                "did you mean SipEp.TransportConfig[GatewayName=...].TlsEnable?",
            ),
            ("Hoc.StaticHost", "did you mean Hoc.StaticHosts[Index=...]?"),
            ("Hok.SystemName", "did you mean Hoc? The services are "),
            (
                "SystemName",
                "did you mean Hoc.SystemName? The services are ",
            ),
        ] {
            assert!(said(wrong).contains(meant), "{}", said(wrong));
        }
    }

    #[test]
    fn a_table_and_a_row_say_what_is_missing() {
        assert!(
            said("Hoc.StaticHosts")
                .starts_with("Hoc.StaticHosts needs a row: Hoc.StaticHosts[Index=...].")
        );
        assert_eq!(
            said("Hoc.StaticHosts[Index=1]"),
            "Hoc.StaticHosts[Index=1] is a whole row, name a column of it: Name, IpAddresses, Delete"
        );
    }

    #[test]
    fn a_part_of_a_name_finds_it_and_nonsense_finds_nothing() {
        assert!(said("Hoc.Contact").ends_with("did you mean Hoc.SystemContact?"));
        assert_eq!(said("Hoc.Qwrtzuiop"), "Hoc has no object \"Qwrtzuiop\"");
        assert!(said("Xylophone.X").starts_with("\"Xylophone\" is no service; the services are "));
        let long = "x".repeat(100_000);
        assert!(said(&format!("Hoc.{long}")).starts_with("Hoc has no object"));
    }
}
