//! `tr069/*.map` and the schema as the tables of the data model.
//!
//! A line is a parameter: path, access, type, source (tr069/README.md). What
//! names nothing in the tree, does not fit it, or is there twice fails the
//! build. The vendor objects are made from the schema itself.

use crate::emit::{short, table_index_of, upper_camel};
use crate::model::{Model, Rows};
use crate::tr069_source::{Scope, source};
use crate::tr069_vendor::{vendor_leaves, vendor_objects};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;
use std::{fs, iter};

/// An object of the data model, in order of path.
pub(crate) struct Object {
    /// `{i}` stands for a number; ends with a dot.
    pub(crate) path: String,
    /// The Rust expression of where its instances come from.
    pub(crate) rows: String,
    /// Name of the tree's table whose rows its instances are: service and table.
    pub(crate) table: Option<(String, String)>,
    pub(crate) adds: bool,
    pub(crate) leaves: Vec<(String, String)>,
}

/// A type as a map writes it.
pub(crate) struct Typing {
    pub(crate) word: String,
    pub(crate) most: u32,
    pub(crate) range: (i64, i64),
    pub(crate) values: Vec<String>,
}

/// Every object in the order of its path.
pub(crate) struct Paths {
    pub(crate) ids: BTreeMap<String, usize>,
}

pub(crate) fn tables(model: &Model) -> Result<String, String> {
    let mut texts = Vec::new();
    for path in maps() {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        texts.push((path.display().to_string(), text));
    }
    let mut objects = BTreeMap::new();
    for (file, text) in &texts {
        declare(text, model, &mut objects).map_err(|fault| format!("{file}: {fault}"))?;
    }
    vendor_objects(model, &mut objects);
    let ids = objects.keys().cloned().zip(0..).collect();
    let paths = Paths { ids };
    for (file, text) in &texts {
        fill(text, model, &paths, &mut objects).map_err(|fault| format!("{file}: {fault}"))?;
    }
    let told = Told {
        quiet: told(&texts, model, "quiet ")?,
        active: told(&texts, model, "active ")?,
    };
    vendor_leaves(model, &told, &mut objects);
    Ok(emit(&objects, &paths)? + &companions(&texts, model)?)
}

/// `with OWN else OTHER by SWITCH=LABEL`: what else the switch takes along, beside the parameters.
fn companions(texts: &[(String, String)], model: &Model) -> Result<String, String> {
    let mut out = String::from("static COMPANIONS: &[Companion] = &[\n");
    let all = texts.iter().flat_map(|(_, text)| lines(text));
    for line in all.filter(|line| line.contains(" else ")) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = |word| words.iter().position(|known| *known == word);
        let own = at("with").map_or(3, |_| 1);
        let named = |at: usize| {
            let name = words.get(at).and_then(|name| name.split('=').next());
            name.and_then(|name| find(model, name))
                .ok_or(format!("{line}: a name is not in the tree"))
        };
        let other = named(at("else").unwrap_or(0) + 1)?;
        let switch = named(at("by").unwrap_or(0) + 1)?;
        let own = named(own)?;
        let _ = writeln!(
            out,
            "    Companion {{ switch: ColumnId({switch}), own: ColumnId({own}), other: ColumnId({other}) }},"
        );
    }
    Ok(out + "];\n")
}

/// The columns of vendor objects that are notified in a way of their own.
pub(crate) struct Told {
    /// They may not be notified actively.
    pub(crate) quiet: BTreeSet<usize>,
    /// They are, from the start.
    pub(crate) active: BTreeSet<usize>,
}

/// `quiet Service.Scalar` or `quiet Service.Table`; `active` likewise.
fn told(texts: &[(String, String)], model: &Model, verb: &str) -> Result<BTreeSet<usize>, String> {
    let mut told = BTreeSet::new();
    let all = texts.iter().flat_map(|(_, text)| lines(text));
    for name in all.filter_map(|line| line.strip_prefix(verb)) {
        match (find(model, name), table_named(model, name)) {
            (Some(column), _) => drop(told.insert(column)),
            (None, Some((service, table))) => {
                let columns = model.columns.iter().enumerate();
                let of = columns.filter(|(_, one)| one.service == service && one.table == table);
                told.extend(of.map(|(id, _)| id));
            }
            (None, None) => return Err(format!("{verb}{name}: it is not in the tree")),
        }
    }
    Ok(told)
}

fn maps() -> Vec<PathBuf> {
    let folder = fs::read_dir("tr069").expect("tr069/ stands beside build.rs");
    let mut maps: Vec<PathBuf> = folder
        .map(|entry| entry.expect("tr069/ can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "map"))
        .collect();
    maps.sort();
    maps
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// Whether a line says something beside the objects and parameters.
fn is_companion(line: &str) -> bool {
    let verbs = ["with ", "quiet ", "active "];
    verbs.iter().any(|verb| line.starts_with(verb))
}

fn words(line: &str, count: usize) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = line.trim();
    while words.len() + 1 < count && !rest.is_empty() {
        let (word, tail) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        words.push(word);
        rest = tail.trim_start();
    }
    words.push(rest);
    words
}

/// First the objects, so that a parameter may name one that stands below it.
fn declare(
    text: &str,
    model: &Model,
    objects: &mut BTreeMap<String, Object>,
) -> Result<(), String> {
    for line in lines(text).filter(|line| !is_companion(line)) {
        let parts = words(line, 4);
        let path = parts[0];
        if !path.ends_with('.') || parts.get(1).is_none_or(|access| access.is_empty()) {
            continue;
        }
        let [_, access, kind, from] = parts[..] else {
            let [_, _, "object"] = parts[..] else {
                return Err(format!("{path}: not an object line"));
            };
            insert(objects, plain(path))?;
            continue;
        };
        match kind {
            "object" if from.is_empty() => insert(objects, plain(path))?,
            "table" => insert(objects, rows(path, access, from, model)?)?,
            _ => return Err(format!("{path}: neither object nor table")),
        }
    }
    Ok(())
}

fn insert(objects: &mut BTreeMap<String, Object>, object: Object) -> Result<(), String> {
    let path = object.path.clone();
    match objects.insert(path.clone(), object) {
        None => Ok(()),
        Some(_) => Err(format!("{path} is there twice")),
    }
}

pub(crate) fn plain(path: &str) -> Object {
    Object {
        path: path.to_owned(),
        rows: "Rows::Single".to_owned(),
        table: None,
        adds: false,
        leaves: Vec::new(),
    }
}

fn rows(path: &str, access: &str, from: &str, model: &Model) -> Result<Object, String> {
    if from == "one" {
        let rows = "Rows::One".to_owned();
        return Ok(Object {
            rows,
            ..plain(path)
        });
    }
    let (name, only) = match from.split_once(" where ") {
        Some((name, only)) => (name, Some(only)),
        None => (from, None),
    };
    let (service, table) = table_named(model, name).ok_or(format!("{path}: no table {name}"))?;
    let only = match only {
        None => "None".to_owned(),
        Some(only) => {
            let fault = || format!("{path}: not COLUMN=TEXT|@: {only}");
            let (column, wanted) = only.split_once('=').ok_or_else(fault)?;
            let text = wanted.strip_suffix("|@").ok_or_else(fault)?;
            let column = find(model, &format!("{name}.{column}")).ok_or_else(fault)?;
            format!("Some((ColumnId({column}), {text:?}))")
        }
    };
    let id = table_index_of(model, &service, &table);
    let free = &model.tables[id].rows;
    let adds = access == "RW" && matches!(free, Rows::Free);
    Ok(Object {
        rows: format!("Rows::Of {{ table: TableId({id}), only: {only} }}"),
        table: Some((service, table)),
        adds,
        ..plain(path)
    })
}

/// `SipEp.Gateway` as service and table of the model.
fn table_named(model: &Model, name: &str) -> Option<(String, String)> {
    let (service, short) = name.split_once('.')?;
    let table = model.tables.iter().find(|table| {
        table.service == service && !table.name.is_empty() && upper_camel(&table.name) == short
    })?;
    Some((service.to_owned(), table.name.clone()))
}

/// `SipEp.Gateway.Port` or `Hoc.SystemName` as the number of a column.
pub(crate) fn find(model: &Model, name: &str) -> Option<usize> {
    let (owner, column) = name.rsplit_once('.')?;
    let (service, table) = match table_named(model, owner) {
        Some(found) => found,
        None => (owner.to_owned(), String::new()),
    };
    model
        .columns
        .iter()
        .position(|one| one.service == service && one.table == table && short(one) == column)
}

fn fill(
    text: &str,
    model: &Model,
    paths: &Paths,
    objects: &mut BTreeMap<String, Object>,
) -> Result<(), String> {
    let mut here = String::new();
    for line in lines(text).filter(|line| !is_companion(line)) {
        let parts = words(line, 4);
        if parts[0].ends_with('.') {
            here = parts[0].to_owned();
            if !objects.contains_key(&here) {
                return Err(format!("{here} is no object"));
            }
            continue;
        }
        let [name, access, kind, from] = parts[..] else {
            return Err(format!("{here}{line}: a word is missing"));
        };
        let fault = |why: String| format!("{here}{name}: {why}");
        let typing = typing(kind).map_err(fault)?;
        let (from, flags) = from.split_once(';').unwrap_or((from, ""));
        let chain = chain(&here, objects);
        let scope = Scope {
            model,
            paths,
            table: chain.last(),
            writes: access != "R",
            typing: &typing,
        };
        let source = source(from.trim(), &scope).map_err(fault)?;
        let leaf = leaf(name, access, kind, &typing, &source, flags).map_err(fault)?;
        let object = objects.get_mut(&here).expect("it was just found");
        if object.leaves.iter().any(|(known, _)| known == name) {
            return Err(format!("{here}{name} is there twice"));
        }
        object.leaves.push((name.to_owned(), leaf));
    }
    Ok(())
}

/// The tables around a parameter, the innermost last.
fn chain(path: &str, objects: &BTreeMap<String, Object>) -> Vec<(String, String)> {
    let ends = path.match_indices('.').map(|(at, _)| &path[..=at]);
    ends.filter_map(|path| objects.get(path)?.table.clone())
        .collect()
}

pub(crate) fn typing(kind: &str) -> Result<Typing, String> {
    let end = kind.find(['(', '{', '[']).unwrap_or(kind.len());
    let (word, rest) = kind.split_at(end);
    let inner = |open, close| {
        rest.strip_prefix(open)
            .and_then(|rest: &str| rest.strip_suffix(close))
    };
    let mut typing = Typing {
        word: word.to_owned(),
        most: 0,
        range: (i64::MIN, i64::MAX),
        values: Vec::new(),
    };
    if let Some(most) = inner('(', ')') {
        typing.most = most.parse().map_err(|_| format!("{kind}: no size"))?;
    } else if let Some(values) = inner('{', '}') {
        typing.values = values.split('|').map(spaced).collect();
    } else if let Some(range) = inner('[', ']') {
        let (low, high) = range.split_once("..").ok_or(format!("{kind}: no range"))?;
        let bound = |text: &str, none| match text {
            "" => Ok(none),
            text => text.parse().map_err(|_| format!("{kind}: no range")),
        };
        typing.range = (bound(low, i64::MIN)?, bound(high, i64::MAX)?);
    } else if !rest.is_empty() {
        return Err(format!("{kind} is no type"));
    }
    match KINDS.iter().any(|(known, _)| *known == word) {
        true => Ok(typing),
        false => Err(format!("{word} is no type")),
    }
}

/// A word of the standard that has a space in it stands in a map with a tilde.
pub(crate) fn spaced(word: &str) -> String {
    word.replace('~', " ")
}

pub(crate) fn leaf(
    name: &str,
    access: &str,
    syntax: &str,
    typing: &Typing,
    source: &str,
    flags: &str,
) -> Result<String, String> {
    let access = match access {
        "R" => "Access::Read",
        "RW" => "Access::Write",
        "WO" => "Access::Once",
        _ => return Err(format!("{access} is no access")),
    };
    let kind = KINDS.iter().find(|(word, _)| *word == typing.word);
    let kind = kind.map_or("String", |(_, kind)| kind);
    let mut inform = false;
    let mut told = "Told::Off";
    for flag in flags.split_whitespace() {
        match flag {
            "inform" => inform = true,
            "active" => told = "Told::Active",
            "always" => told = "Told::Always",
            "quiet" => told = "Told::Quiet",
            _ => return Err(format!("{flag} is no flag")),
        }
    }
    let (low, high) = typing.range;
    let syntax = spaced(syntax);
    Ok(format!(
        "Leaf {{ name: {name:?}, access: {access}, kind: Kind::{kind}, syntax: {syntax:?}, most: {}, range: ({low}, {high}), source: {source}, inform: {inform}, told: {told} }}",
        typing.most
    ))
}

const KINDS: [(&str, &str); 13] = [
    ("string", "String"),
    ("URL", "String"),
    ("Alias", "String"),
    ("IPAddress", "String"),
    ("list", "String"),
    ("listUnsignedInt", "String"),
    ("int", "Int"),
    ("long", "Long"),
    ("unsignedInt", "UnsignedInt"),
    ("unsignedLong", "UnsignedLong"),
    ("boolean", "Boolean"),
    ("dateTime", "DateTime"),
    ("hexBinary", "Hex"),
];

fn emit(objects: &BTreeMap<String, Object>, paths: &Paths) -> Result<String, String> {
    let mut out = String::from("static OBJECTS: &[Object] = &[\n");
    for object in objects.values() {
        let parent = parent(&object.path);
        if !parent.is_empty() && !objects.contains_key(parent) {
            return Err(format!("{}: there is no {parent}", object.path));
        }
        let children: Vec<String> = iter::repeat(object)
            .zip(objects.keys())
            .filter(|(object, path)| parent_is(path, &object.path))
            .map(|(_, path)| paths.ids[path].to_string())
            .collect();
        let stem = object.path.trim_end_matches("{i}.").trim_end_matches('.');
        let name = stem.rsplit('.').next().unwrap_or(stem);
        let leaves: Vec<&str> = object
            .leaves
            .iter()
            .map(|(_, leaf)| leaf.as_str())
            .collect();
        let _ = writeln!(
            out,
            "    Object {{ path: {:?}, name: {name:?}, rows: {}, adds: {}, children: &[{}], leaves: &[\n        {}] }},",
            object.path,
            object.rows,
            object.adds,
            children.join(", "),
            leaves.join(",\n        ")
        );
    }
    Ok(out + "];\n")
}

fn parent_is(path: &str, wanted: &str) -> bool {
    path != wanted && parent(path) == wanted
}

/// `Device.A.{i}.` stands in `Device.`.
fn parent(path: &str) -> &str {
    let stem = path.trim_end_matches("{i}.").trim_end_matches('.');
    stem.rfind('.').map_or("", |at| &path[..=at])
}
