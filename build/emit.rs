//! The schema as Rust source.

use crate::model::{Column, Default, Model, Role, Rows, Table};
use std::fmt::Write;
use std::path::PathBuf;

pub(crate) fn schema(model: &Model) -> String {
    let mut out = String::new();
    services(&mut out, model);
    tables(&mut out, model);
    columns(&mut out, model);
    for service in &model.services {
        module(&mut out, model, &service.name, &service.description);
    }
    out
}

/// The text of each module, so that a device can hand them to a manager.
pub(crate) fn sources(files: &[(String, PathBuf)]) -> String {
    let mut out = String::from(
        "/// Name and text of each module in `mib/`.\npub const MODULES: &[(&str, &str)] = &[\n",
    );
    for (name, path) in files {
        let path = path.canonicalize().expect("the module was just read");
        let _ = writeln!(out, "    ({name:?}, include_str!({path:?})),");
    }
    out + "];\n"
}

fn services(out: &mut String, model: &Model) {
    out.push_str("static SERVICES: &[Service] = &[\n");
    for service in &model.services {
        let _ = writeln!(
            out,
            "    Service {{ name: {:?}, number: {}, description: {:?} }},",
            service.name, service.number, service.description
        );
    }
    out.push_str("];\n");
}

fn tables(out: &mut String, model: &Model) {
    out.push_str("static TABLES: &[Table] = &[\n");
    for table in &model.tables {
        let columns = ids(&own_columns(model, table));
        let indexes: Vec<usize> = table
            .indexes
            .iter()
            .map(|name| column_id(model, name))
            .collect();
        let rows = match &table.rows {
            Rows::Scalar => "RowLife::Scalar".to_owned(),
            Rows::Free => "RowLife::Free".to_owned(),
            Rows::Fixed => "RowLife::Fixed".to_owned(),
            Rows::Live => "RowLife::Live".to_owned(),
            Rows::Kept => "RowLife::Kept".to_owned(),
            Rows::Follow(leader) => {
                format!("RowLife::Follow(TableId({}))", table_id(model, leader))
            }
        };
        let _ = writeln!(
            out,
            "    Table {{ name: {:?}, short: {:?}, service: ServiceId({}), rows: {rows}, indexes: &[{}], columns: &[{columns}], description: {:?} }},",
            table.name,
            upper_camel(&table.name),
            service_id(model, &table.service),
            ids(&indexes),
            table.description,
        );
    }
    out.push_str("];\n");
}

fn columns(out: &mut String, model: &Model) {
    out.push_str("static COLUMNS: &[Column] = &[\n");
    for column in &model.columns {
        let (stored, live) = slots(model, column);
        let role = match &column.role {
            Role::Index => "Role::Index".to_owned(),
            Role::Stored => format!("Role::Stored({stored})"),
            Role::RowStatus => "Role::RowStatus".to_owned(),
            Role::Live => format!("Role::Live({live})"),
            Role::Input => "Role::Input".to_owned(),
            Role::Alias(target) => format!("Role::Alias(ColumnId({}))", column_id(model, target)),
            Role::Command(verb) => format!("Role::Command({verb})"),
        };
        let default = match &column.default {
            None => "None".to_owned(),
            Some(Default::Integer(number)) => format!("Some(Default::Integer({number}))"),
            Some(Default::Octets(octets)) => format!("Some(Default::Octets(&{octets:?}))"),
        };
        let _ = writeln!(
            out,
            "    Column {{ name: {:?}, short: {:?}, table: TableId({}), oid: &{:?}, encoded: &{:?}, writable: {}, role: {role}, syntax: Syntax {{ base: Base::{}, format: {:?}, ranges: &{:?}, sizes: &{:?}, labels: &{:?} }}, default: {default}, secret: {}, units: {:?}, description: {:?} }},",
            column.name,
            short(column),
            table_index(model, column),
            column.oid,
            encoded(&column.oid),
            column.writable,
            column.base,
            column.format,
            column.ranges,
            column.sizes,
            column.labels,
            column.secret,
            column.units,
            column.description,
        );
    }
    out.push_str("];\n");
}

/// The content of an OBJECT IDENTIFIER (X.690 §8.19); each of ours begins with 1.
fn encoded(oid: &[u32]) -> Vec<u8> {
    let mut octets = vec![40 + u8::try_from(oid[1]).expect("below 40 under 1")];
    for &arc in &oid[2..] {
        let septets = arc.checked_ilog2().unwrap_or(0) / 7;
        for septet in (1..=septets).rev() {
            octets.push((arc >> (7 * septet)) as u8 | 0x80);
        }
        octets.push(arc as u8 & 0x7f);
    }
    octets
}

/// One Rust module a service: scalars first, then a module a table.
fn module(out: &mut String, model: &Model, service: &str, description: &str) {
    let _ = writeln!(
        out,
        "#[doc = {description:?}]\npub mod {} {{\n    use super::*;",
        snake(service)
    );
    for table in model.tables.iter().filter(|table| table.service == service) {
        let id = table_index_of(model, service, &table.name);
        let nested = !table.name.is_empty();
        if nested {
            let _ = writeln!(
                out,
                "    #[doc = {:?}]\n    pub mod {} {{\n    use super::*;",
                table.description,
                snake(&table.name)
            );
        }
        let _ = writeln!(
            out,
            "    /// The table of these columns.\n    pub const TABLE: TableId = TableId({id});"
        );
        for column in own_columns(model, table) {
            constant(out, model, column);
        }
        if nested {
            out.push_str("    }\n");
        }
    }
    out.push_str("}\n");
}

fn constant(out: &mut String, model: &Model, id: usize) {
    let column = &model.columns[id];
    let short = short(column);
    let kind = kind(column, &short);
    if kind == short {
        enumeration(out, column, &short);
    }
    let _ = writeln!(
        out,
        "    #[doc = {:?}]\n    pub const {}: Typed<{kind}> = Typed::new(ColumnId({id}));",
        column.description,
        snake(&short).to_uppercase(),
    );
}

/// The marker or enum that types a column; see `schema::typed`.
fn kind(column: &Column, short: &str) -> String {
    match (column.base, column.labels.as_slice()) {
        ("Integer", [(no, 0), (yes, 1)]) if no == "disable" && yes == "enable" => {
            "kind::Switch".to_owned()
        }
        ("Integer", [_, ..]) if matches!(column.role, Role::Command(_)) => {
            "kind::Command".to_owned()
        }
        ("Integer", [_, ..]) => short.to_owned(),
        ("Octets", _) if column.secret => "kind::Secret".to_owned(),
        (base, _) => format!("kind::{base}"),
    }
}

fn enumeration(out: &mut String, column: &Column, short: &str) {
    let _ = writeln!(
        out,
        "    #[doc = {:?}]\n    #[allow(non_camel_case_types, missing_docs, clippy::upper_case_acronyms)]\n    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]\n    pub enum {short} {{",
        format!("Values of `{}`.", column.name)
    );
    for (label, number) in &column.labels {
        let _ = writeln!(out, "        {} = {number},", variant(label));
    }
    let _ = writeln!(
        out,
        "    }}\n    impl Enumerated for {short} {{\n        fn from_number(number: i32) -> Option<Self> {{\n            Some(match number {{"
    );
    for (label, number) in &column.labels {
        let _ = writeln!(out, "                {number} => Self::{},", variant(label));
    }
    out.push_str("                _ => return None,\n            })\n        }\n        fn number(self) -> i32 { self as i32 }\n    }\n");
}

fn variant(label: &str) -> String {
    upper_camel(&label.replace('-', "_"))
}

/// `transportConfigTlsEnable` in `transportConfig` is `TlsEnable`.
pub(crate) fn short(column: &Column) -> String {
    let rest = column
        .name
        .strip_prefix(&column.table)
        .unwrap_or(&column.name);
    upper_camel(if rest.is_empty() { &column.name } else { rest })
}

pub(crate) fn upper_camel(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or(String::new(), |first| {
        first.to_uppercase().collect::<String>() + letters.as_str()
    })
}

/// `SipEp` and `transportConfig` as `sip_ep` and `transport_config`; a run of capitals is one word.
fn snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut out = String::new();
    for (at, letter) in letters.iter().enumerate() {
        let starts = letter.is_uppercase()
            && at > 0
            && (!letters[at - 1].is_uppercase()
                || letters.get(at + 1).is_some_and(|next| next.is_lowercase()));
        if starts {
            out.push('_');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

/// Position among the stored and among the live columns of its table.
fn slots(model: &Model, column: &Column) -> (usize, usize) {
    let mates = model
        .columns
        .iter()
        .take_while(|mate| mate.oid != column.oid)
        .filter(|mate| mate.table == column.table && mate.service == column.service);
    let (stored, live): (Vec<&Column>, Vec<&Column>) = mates
        .filter(|mate| matches!(mate.role, Role::Stored | Role::Live))
        .partition(|mate| mate.role == Role::Stored);
    (stored.len(), live.len())
}

fn own_columns(model: &Model, table: &Table) -> Vec<usize> {
    let own = |column: &Column| column.table == table.name && column.service == table.service;
    (0..model.columns.len())
        .filter(|id| own(&model.columns[*id]))
        .collect()
}

fn ids(ids: &[usize]) -> String {
    ids.iter().map(|id| format!("ColumnId({id}), ")).collect()
}

fn service_id(model: &Model, name: &str) -> usize {
    model
        .services
        .iter()
        .position(|service| service.name == name)
        .expect("a table's service was read")
}

pub(crate) fn column_id(model: &Model, name: &str) -> usize {
    model
        .columns
        .iter()
        .position(|column| column.name == name)
        .expect("an index is a column")
}

fn table_id(model: &Model, name: &str) -> usize {
    model
        .tables
        .iter()
        .position(|table| table.name == name)
        .unwrap_or_else(|| panic!("no table {name} to follow"))
}

fn table_index(model: &Model, column: &Column) -> usize {
    table_index_of(model, &column.service, &column.table)
}

pub(crate) fn table_index_of(model: &Model, service: &str, name: &str) -> usize {
    model
        .tables
        .iter()
        .position(|table| table.service == service && table.name == name)
        .unwrap_or_else(|| panic!("no table {name} in {service}"))
}
