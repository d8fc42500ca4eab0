//! What the schema keeps of the compiled modules: services, tables, columns.

use mib_rs::mib::{DefVal, DefValValue, Range};
use mib_rs::{BaseType, Mib};
use std::collections::BTreeMap;

pub(crate) struct Model {
    pub(crate) services: Vec<Service>,
    /// In order of name; scalars of a service are one table of one row.
    pub(crate) tables: Vec<Table>,
    /// In order of OID.
    pub(crate) columns: Vec<Column>,
}

pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) description: String,
}

pub(crate) struct Table {
    /// The entry's descriptor without `Entry`; "" for a service's scalars.
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) rows: Rows,
    /// Descriptors of the index columns.
    pub(crate) indexes: Vec<String>,
    pub(crate) description: String,
}

#[derive(Clone)]
pub(crate) enum Rows {
    Scalar,
    Free,
    Fixed,
    Live,
    /// What the device itself keeps over restarts and nobody sets.
    Kept,
    /// Rows appear and go with those of the table of this name.
    Follow(String),
}

pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) table: String,
    pub(crate) oid: Vec<u32>,
    pub(crate) writable: bool,
    pub(crate) role: Role,
    pub(crate) base: &'static str,
    pub(crate) format: String,
    pub(crate) ranges: Vec<(i64, i64)>,
    pub(crate) sizes: Vec<(i64, i64)>,
    pub(crate) labels: Vec<(String, i64)>,
    pub(crate) default: Option<Default>,
    pub(crate) secret: bool,
    pub(crate) description: String,
    pub(crate) units: String,
}

pub(crate) enum Default {
    Integer(i64),
    Octets(Vec<u8>),
}

#[derive(PartialEq)]
pub(crate) enum Role {
    Index,
    Stored,
    Command(i64),
    RowStatus,
    /// Written text reaches an engine, is never stored.
    Input,
    /// The object of this name under another OID.
    Alias(String),
    Live,
}

pub(crate) fn read(mib: &Mib) -> Result<Model, String> {
    let mut services: BTreeMap<String, Service> = BTreeMap::new();
    let mut tables: BTreeMap<(String, String), Table> = BTreeMap::new();
    let mut columns = Vec::new();
    for module in mib.modules().filter(|module| !module.is_base()) {
        let service = service_of(module.name(), module.description());
        for object in module.objects() {
            if object.is_row() {
                let table = table(object, &service.name)?;
                tables.insert((service.name.clone(), table.name.clone()), table);
            } else if object.is_column() || object.is_scalar() {
                columns.push(column(object, &service.name)?);
                if object.is_scalar() {
                    tables
                        .entry((service.name.clone(), String::new()))
                        .or_insert_with(|| scalars(&service.name));
                }
            } else {
                continue;
            }
            let known = services.contains_key(&service.name);
            if !known || module.name().starts_with("DGW-") {
                let service = service_of(module.name(), module.description());
                services.insert(service.name.clone(), service);
            }
        }
    }
    columns.sort_by(|left: &Column, right: &Column| left.oid.cmp(&right.oid));
    Ok(Model {
        services: services.into_values().collect(),
        tables: tables.into_values().collect(),
        columns,
    })
}

/// `Service SipEp (1400). ...` at the head of a module's description; a
/// standard module is its own service, without a number.
fn service_of(module: &str, description: &str) -> Service {
    let named = description
        .trim()
        .strip_prefix("Service ")
        .and_then(|rest| {
            let (name, rest) = rest.split_once(" (")?;
            let (number, rest) = rest.split_once(").")?;
            Some(Service {
                name: name.to_owned(),
                number: number.parse().ok()?,
                description: squeeze(rest),
            })
        });
    named.unwrap_or_else(|| Service {
        name: module
            .trim_end_matches("-MIB")
            .split('-')
            .map(capitalised)
            .collect(),
        number: 0,
        description: squeeze(description),
    })
}

/// `SNMPv2` as `Snmpv2`.
fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + &rest.to_lowercase()
}

fn scalars(service: &str) -> Table {
    Table {
        name: String::new(),
        service: service.to_owned(),
        rows: Rows::Scalar,
        indexes: Vec::new(),
        description: String::new(),
    }
}

fn table(row: mib_rs::Object<'_>, service: &str) -> Result<Table, String> {
    let name = row.name().trim_end_matches("Entry").to_owned();
    let rows = match (
        row.augments(),
        row.reference().trim().strip_prefix("rows: "),
    ) {
        (Some(base), _) => Rows::Follow(base.name().trim_end_matches("Entry").to_owned()),
        (None, Some("free")) => Rows::Free,
        (None, Some("fixed")) => Rows::Fixed,
        (None, Some("live")) => Rows::Live,
        (None, Some("kept")) => Rows::Kept,
        (None, Some(entry)) => Rows::Follow(entry.trim_end_matches("Entry").to_owned()),
        (None, None) => {
            return Err(format!(
                "{}: its REFERENCE must say \"rows: ...\"",
                row.name()
            ));
        }
    };
    let indexes = row
        .effective_indexes()
        .map(|index| index.name().to_owned())
        .collect();
    Ok(Table {
        name,
        service: service.to_owned(),
        rows,
        indexes,
        description: squeeze(
            row.table()
                .map_or(row.description(), |table| table.description()),
        ),
    })
}

fn column(object: mib_rs::Object<'_>, service: &str) -> Result<Column, String> {
    let name = object.name().to_owned();
    let typ = object.ty().ok_or_else(|| format!("{name}: no type"))?;
    let labels: Vec<(String, i64)> = object
        .effective_enums()
        .iter()
        .map(|label| (label.label.clone(), label.value))
        .collect();
    let format = typ
        .effective_tc()
        .map_or(String::new(), |tc| tc.name().to_owned());
    let writable = matches!(
        object.access(),
        mib_rs::Access::ReadWrite | mib_rs::Access::ReadCreate
    );
    let table = object.row().map_or(String::new(), |row| {
        row.name().trim_end_matches("Entry").to_owned()
    });
    let role = role(object, writable, &labels, &format);
    Ok(Column {
        oid: object
            .node()
            .ok_or_else(|| format!("{name}: no OID"))?
            .oid()
            .to_vec(),
        base: base(typ.effective_base()).ok_or_else(|| format!("{name}: unusable base type"))?,
        ranges: bounds(object.effective_ranges(), &name)?,
        sizes: bounds(object.effective_sizes(), &name)?,
        default: default(object.default_value(), &labels, &name)?,
        secret: format == "DemarcSecret",
        description: squeeze(object.description()),
        units: object.units().to_owned(),
        service: service.to_owned(),
        table,
        writable,
        role,
        format,
        labels,
        name,
    })
}

fn role(
    object: mib_rs::Object<'_>,
    writable: bool,
    labels: &[(String, i64)],
    format: &str,
) -> Role {
    let reference = object.reference().trim();
    if let Some(target) = reference.strip_prefix("alias: ") {
        return Role::Alias(target.to_owned());
    }
    match labels {
        _ if format == "TestAndIncr" => Role::Stored,
        _ if reference == "stored: no" => Role::Input,
        [(noop, 0), (_, verb)] if noop == "noOp" && writable => Role::Command(*verb),
        _ if format == "RowStatus" => Role::RowStatus,
        _ if object.is_column() && object.is_index() => Role::Index,
        _ if writable || reference == "stored: yes" => Role::Stored,
        _ if object
            .row()
            .is_some_and(|row| row.reference().trim() == "rows: kept") =>
        {
            Role::Stored
        }
        _ => Role::Live,
    }
}

fn base(base: BaseType) -> Option<&'static str> {
    Some(match base {
        BaseType::Integer32 => "Integer",
        BaseType::Unsigned32 | BaseType::Gauge32 => "Unsigned",
        BaseType::Counter32 => "Counter32",
        BaseType::Counter64 => "Counter64",
        BaseType::TimeTicks => "TimeTicks",
        BaseType::IpAddress => "IpAddress",
        BaseType::OctetString | BaseType::Bits => "Octets",
        BaseType::ObjectIdentifier => "Oid",
        _ => return None,
    })
}

fn bounds(ranges: &[Range], name: &str) -> Result<Vec<(i64, i64)>, String> {
    ranges
        .iter()
        .map(|range| {
            let min = range.min.as_i64();
            let max = range.max.as_i64();
            min.zip(max)
                .ok_or_else(|| format!("{name}: a bound is not a number"))
        })
        .collect()
}

fn default(
    value: Option<&DefVal>,
    labels: &[(String, i64)],
    name: &str,
) -> Result<Option<Default>, String> {
    Ok(match value.map(DefVal::value) {
        None | Some(DefValValue::None) => None,
        Some(DefValValue::Int(number)) => Some(Default::Integer(*number)),
        Some(DefValValue::Uint(number)) => Some(Default::Integer(
            i64::try_from(*number).map_err(|_| format!("{name}: DEFVAL too large"))?,
        )),
        Some(DefValValue::String(text)) => Some(Default::Octets(text.as_bytes().to_vec())),
        Some(DefValValue::Bytes(octets)) => Some(Default::Octets(octets.clone())),
        Some(DefValValue::Enum(label)) => labels
            .iter()
            .find(|(known, _)| known == label)
            .map(|(_, number)| Some(Default::Integer(*number)))
            .ok_or_else(|| format!("{name}: DEFVAL {label} is no label"))?,
        Some(DefValValue::Bits(_) | DefValValue::Oid(_)) => {
            return Err(format!("{name}: DEFVAL of this kind is not supported"));
        }
    })
}

/// MIB text on one line.
fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
