//! The sources of a map's lines as Rust expressions, checked against the schema.

use crate::emit::short;
use crate::model::{Column, Model, Role};
use crate::tr069::{Paths, Typing, find, spaced};

/// What a line may refer to.
pub(crate) struct Scope<'a> {
    pub(crate) model: &'a Model,
    pub(crate) paths: &'a Paths,
    /// Service and table of the instance around it.
    pub(crate) table: Option<&'a (String, String)>,
    pub(crate) writes: bool,
    pub(crate) typing: &'a Typing,
}

pub(crate) fn source(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    if let Some(constant) = text.strip_prefix('=') {
        return Ok(match constant {
            "%version%" => "Source::Version".to_owned(),
            constant => format!("Source::Constant({constant:?})"),
        });
    }
    if let Some(path) = text.strip_prefix('#') {
        return Ok(format!("Source::Count({})", object(path, scope)?));
    }
    match text {
        "alias" => Ok("Source::Alias".to_owned()),
        "transport" => Ok("Source::Transport".to_owned()),
        _ => cell(text, scope),
    }
}

fn object(path: &str, scope: &Scope<'_>) -> Result<usize, String> {
    let id = scope.paths.ids.get(path);
    id.copied().ok_or(format!("there is no {path}"))
}

fn cell(text: &str, scope: &Scope<'_>) -> Result<String, String> {
    let mut words = text.split_whitespace();
    let name = words.next().ok_or("no source")?;
    let (at, id) = place(name, scope)?;
    let column = &scope.model.columns[id];
    let mut form = None;
    let mut otherwise = "Otherwise::Nothing".to_owned();
    let mut also = Vec::new();
    while let Some(word) = words.next() {
        let mut next = || words.next().ok_or(format!("nothing behind {word}"));
        match word {
            "host" => form = Some("Form::Host".to_owned()),
            "port" => form = Some("Form::Port(0)".to_owned()),
            "least" => form = Some("Form::Least".to_owned()),
            "greatest" => form = Some("Form::Greatest".to_owned()),
            "uri" => form = Some("Form::Uri".to_owned()),
            "user" => form = Some("Form::User".to_owned()),
            "pattern" => form = Some("Form::Pattern".to_owned()),
            "events" => form = Some("Form::Events".to_owned()),
            "tenths" => form = Some("Form::Tenths".to_owned()),
            "as" => form = Some(choices(next()?, column, scope)?),
            "to" => form = Some(format!("Form::Path({})", object(next()?, scope)?)),
            "or" => otherwise = format!("Otherwise::Empty(ColumnId({}))", named(next()?, scope)?),
            "else" => {
                let other = named(next()?, scope)?;
                let "by" = next()? else {
                    return Err("else without by".to_owned());
                };
                let (switch, number) = setting(next()?, scope)?;
                otherwise = format!(
                    "Otherwise::Unless {{ switch: ColumnId({switch}), number: {number}, column: ColumnId({other}) }}"
                );
            }
            "also" => {
                let (switch, number) = setting(next()?, scope)?;
                also.push(format!("(ColumnId({switch}), {number})"));
            }
            word => {
                let port = word
                    .strip_prefix("port(")
                    .and_then(|word| word.strip_suffix(')'));
                let port: u16 = port
                    .and_then(|port| port.parse().ok())
                    .ok_or(format!("{word} means nothing"))?;
                form = Some(format!("Form::Port({port})"));
            }
        }
    }
    let form = match form {
        Some(form) => form,
        None => plain(column, scope)?,
    };
    if scope.writes && !column.writable && column.role != Role::Index {
        return Err(format!("{name} cannot be written"));
    }
    Ok(format!(
        "Source::Cell(&Cell {{ at: {at}, column: ColumnId({id}), form: {form}, otherwise: {otherwise}, also: &[{}] }})",
        also.join(", ")
    ))
}

/// A source without a conversion has to be of the type that it is shown as.
fn plain(column: &Column, scope: &Scope<'_>) -> Result<String, String> {
    let labels: Vec<&str> = column
        .labels
        .iter()
        .map(|(label, _)| label.as_str())
        .collect();
    let fits = |yes: bool, form: &str| match yes {
        true => Ok(form.to_owned()),
        false => Err(format!("{} is no {}", column.name, scope.typing.word)),
    };
    match scope.typing.word.as_str() {
        "boolean" => fits(labels == ["disable", "enable"], "Form::Switch"),
        "unsignedInt" => fits(
            labels.is_empty() && (column.base == "Unsigned" || in_range(column)),
            "Form::Plain",
        ),
        "int" => fits(labels.is_empty() && column.base == "Integer", "Form::Plain"),
        "dateTime" => fits(column.base == "Octets", "Form::Time"),
        _ => {
            // A number reads as text, and only reads.
            let number = !scope.writes && column.base == "Unsigned" && labels.is_empty();
            let text = column.base == "Octets" || number;
            fits(text && scope.typing.values.is_empty(), "Form::Plain")
        }
    }
}

fn in_range(column: &Column) -> bool {
    column.base == "Integer" && column.ranges.iter().all(|range| range.0 >= 0)
}

/// `SipEp.Gateway.Port`, `Hoc.StaticSntpServers[1].HostName`, or a row by what is in it.
fn place(name: &str, scope: &Scope<'_>) -> Result<(String, usize), String> {
    if let Some((table, rest)) = name.split_once('[') {
        let (key, column) = rest.split_once("].").ok_or(format!("{name}: no key"))?;
        let key: u32 = key.parse().map_err(|_| format!("{name}: no number"))?;
        let id = named(&format!("{table}.{column}"), scope)?;
        return Ok((format!("At::Key(&[{key}])"), id));
    }
    if let Some((table, rest)) = name.split_once('{') {
        let (wanted, column) = rest.split_once("}.").ok_or(format!("{name}: no row"))?;
        let id = named(&format!("{table}.{column}"), scope)?;
        let mut pairs = Vec::new();
        for pair in wanted.split(',') {
            let (column, value) = pair.split_once('=').ok_or(format!("{name}: no pair"))?;
            let id = named(&format!("{table}.{column}"), scope)?;
            let value = match value {
                "@" => "Wanted::Here".to_owned(),
                value => format!(
                    "Wanted::Number({})",
                    number(&scope.model.columns[id], value)?
                ),
            };
            pairs.push(format!("(ColumnId({id}), {value})"));
        }
        return Ok((format!("At::Where(&[{}])", pairs.join(", ")), id));
    }
    let id = named(name, scope)?;
    let column = &scope.model.columns[id];
    if column.table.is_empty() {
        return Ok(("At::Scalar".to_owned(), id));
    }
    let around = scope
        .table
        .ok_or(format!("{name}: no instance is around it"))?;
    let arity = |table: &str, service: &str| {
        let mut tables = scope.model.tables.iter();
        let found = tables.find(|one| one.name == table && one.service == service);
        found.map(|table| table.indexes.len())
    };
    match arity(&column.table, &column.service) == arity(&around.1, &around.0) {
        true => Ok(("At::Row".to_owned(), id)),
        false => Err(format!("{name}: {} has other keys", around.1)),
    }
}

fn named(name: &str, scope: &Scope<'_>) -> Result<usize, String> {
    find(scope.model, name).ok_or(format!("{name} is not in the tree"))
}

/// `SipEp.GwSpecificProxy.EnableConfig=enable`.
fn setting(text: &str, scope: &Scope<'_>) -> Result<(usize, i64), String> {
    let (name, label) = text.split_once('=').ok_or(format!("{text}: no label"))?;
    let id = named(name, scope)?;
    let column = &scope.model.columns[id];
    match column.writable {
        true => Ok((id, number(column, label)?)),
        false => Err(format!("{name} cannot be written")),
    }
}

fn number(column: &Column, label: &str) -> Result<i64, String> {
    let known = column.labels.iter().find(|(known, _)| known == label);
    known
        .map(|(_, number)| *number)
        .or_else(|| label.parse().ok())
        .ok_or(format!("{} has no {label}", short(column)))
}

/// `enable=Enabled,*=Disabled`.
fn choices(text: &str, column: &Column, scope: &Scope<'_>) -> Result<String, String> {
    let mut pairs = Vec::new();
    for pair in text.split(',') {
        let (ours, theirs) = pair.split_once('=').ok_or(format!("{pair}: no pair"))?;
        let known = column.labels.iter().any(|(label, _)| label == ours);
        if !(known || column.labels.is_empty() || ours.is_empty() || ours == "*") {
            return Err(format!("{} has no {ours}", column.name));
        }
        let theirs = spaced(theirs);
        let allowed = &scope.typing.values;
        if !allowed.is_empty() && !allowed.contains(&theirs) {
            return Err(format!("{theirs} is no value of it"));
        }
        pairs.push(format!("({ours:?}, {theirs:?})"));
    }
    Ok(format!("Form::Choice(&[{}])", pairs.join(", ")))
}
