//! Every object of the schema as a vendor's parameter (TR-106 §3.3).
//!
//! A service is an object below `Device.`, a table one below that, a column a
//! parameter; the types are those of the MIB in the standard's words.

use crate::emit::{short, table_index_of, upper_camel};
use crate::model::{Column, Model, Role, Rows};
use crate::tr069::{Object, Told, leaf, plain, typing};
use std::collections::BTreeMap;

/// TR-106 §3.3: `X_` and the OUI of who defined it, or the name of who did.
fn prefix(column: &Column) -> &'static str {
    const DGW: [u32; 7] = [1, 3, 6, 1, 4, 1, 4935];
    match column.oid.starts_with(&DGW) {
        true => "X_0090F8_",
        false => "X_DEMARC_",
    }
}

fn vendor_path(model: &Model, column: &Column) -> String {
    let top = format!("Device.{}{}.", prefix(column), column.service);
    let table = table_index_of(model, &column.service, &column.table);
    match model.tables[table].name.as_str() {
        "" => top,
        name => format!("{top}{}.{{i}}.", upper_camel(name)),
    }
}

fn shown(model: &Model) -> impl Iterator<Item = (usize, &Column)> {
    // An alias is another object under a standard's OID; numbers of numbers have no end.
    let all = model.columns.iter().enumerate();
    all.filter(|(_, column)| !matches!(column.role, Role::Alias(_)))
        .filter(|(_, column)| {
            (column.service.as_str(), column.table.as_str()) != ("Cwmp", "instance")
        })
}

pub(crate) fn vendor_objects(model: &Model, objects: &mut BTreeMap<String, Object>) {
    for (_, column) in shown(model) {
        let top = format!("Device.{}{}.", prefix(column), column.service);
        objects.entry(top.clone()).or_insert_with(|| plain(&top));
        let path = vendor_path(model, column);
        let id = table_index_of(model, &column.service, &column.table);
        objects.entry(path.clone()).or_insert_with(|| Object {
            rows: format!("Rows::Of {{ table: TableId({id}), only: None }}"),
            table: Some((column.service.clone(), column.table.clone())),
            adds: matches!(model.tables[id].rows, Rows::Free),
            ..plain(&path)
        });
    }
}

pub(crate) fn vendor_leaves(model: &Model, told: &Told, objects: &mut BTreeMap<String, Object>) {
    for (id, column) in shown(model) {
        let path = vendor_path(model, column);
        let object = objects.get_mut(&path).expect("it was declared");
        let row = object.table.is_some();
        if row && !object.leaves.iter().any(|(name, _)| name == "Alias") {
            let alias = typing("Alias").expect("a type");
            let leaf = leaf("Alias", "RW", "Alias", &alias, "Source::Alias", "");
            object
                .leaves
                .push(("Alias".to_owned(), leaf.expect("a leaf")));
        }
        let syntax = vendor_type(column);
        let typing = typing(&syntax).expect("a type");
        let access = match (column.writable, &column.role) {
            (true, _) | (false, Role::Index) if row && object.adds => "RW",
            (true, _) => "RW",
            (false, _) => "R",
        };
        let at = if row { "At::Row" } else { "At::Scalar" };
        let form = match typing.word.as_str() {
            "boolean" => "Form::Switch",
            "dateTime" => "Form::Time",
            _ => "Form::Plain",
        };
        let source = format!(
            "Source::Cell(&Cell {{ at: {at}, column: ColumnId({id}), form: {form}, otherwise: Otherwise::Nothing, also: &[] }})"
        );
        let name = short(column);
        let counts = matches!(column.base, "Counter32" | "Counter64" | "TimeTicks");
        let flags = match counts || told.quiet.contains(&id) {
            true => "quiet",
            false if told.active.contains(&id) => "active",
            false => "",
        };
        let leaf = leaf(&name, access, &syntax, &typing, &source, flags).expect("a leaf");
        object.leaves.push((name, leaf));
    }
}

/// The TR-106 type of an object of the MIB.
fn vendor_type(column: &Column) -> String {
    let labels: Vec<&str> = column
        .labels
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    if labels == ["disable", "enable"] {
        return "boolean".to_owned();
    }
    if !labels.is_empty() {
        return format!("string{{{}}}", labels.join("|"));
    }
    let (low, high) = (
        column.ranges.iter().map(|range| range.0).min(),
        column.ranges.iter().map(|range| range.1).max(),
    );
    let range = match low.zip(high) {
        Some((low, high)) => format!("[{low}..{high}]"),
        None => String::new(),
    };
    match column.base {
        "Integer" => format!("int{range}"),
        "Unsigned" | "Counter32" | "TimeTicks" => format!("unsignedInt{range}"),
        "Counter64" => "unsignedLong".to_owned(),
        "Octets" if column.format == "DemarcTime" => "dateTime".to_owned(),
        _ => match column.sizes.iter().map(|size| size.1).max() {
            Some(most) => format!("string({most})"),
            None => "string".to_owned(),
        },
    }
}
