//! The data model as a document (TR-106 annex A), for servers that import one.
//!
//! Complete by itself, as the `-full` models of the standard are: the vendor
//! objects with what the MIB says of them, and of the standard's objects
//! those that this device has, as it has them.

use super::map::{Access, Leaf, Object, Rows, Source, objects};
use crate::schema::Column;
use quick_xml::escape::escape;
use std::fmt::Write;

/// The whole document.
pub fn document() -> String {
    let mut out = String::from(HEAD);
    for object in objects() {
        one(&mut out, object);
    }
    out + "  </model>\n</dm:document>\n"
}

/// The object of the tree that a parameter shows.
pub(super) fn column(leaf: &Leaf) -> Option<&'static Column> {
    match leaf.source {
        Source::Cell(cell) => Some(cell.column.get()),
        Source::Constant(_)
        | Source::Version
        | Source::Count(_)
        | Source::Alias
        | Source::Transport => None,
    }
}

fn one(out: &mut String, object: &Object) {
    let (least, most) = match object.rows {
        Rows::Single | Rows::One => ("1", "1"),
        Rows::Of { .. } => ("0", "unbounded"),
    };
    let access = if object.adds { "readWrite" } else { "readOnly" };
    let _ = writeln!(
        out,
        "    <object name=\"{}\" access=\"{access}\" minEntries=\"{least}\" maxEntries=\"{most}\">",
        object.path
    );
    for leaf in object.leaves {
        parameter(out, leaf);
    }
    out.push_str("    </object>\n");
}

fn parameter(out: &mut String, leaf: &Leaf) {
    let access = match leaf.access {
        Access::Read => "readOnly",
        Access::Write => "readWrite",
        Access::Once => "writeOnceReadOnly",
    };
    let inform = if leaf.inform {
        " forcedInform=\"true\""
    } else {
        ""
    };
    let _ = writeln!(
        out,
        "      <parameter name=\"{}\" access=\"{access}\"{inform}>",
        leaf.name
    );
    let column = column(leaf);
    if let Some(column) = column.filter(|column| !column.description.is_empty()) {
        let text = escape(column.description);
        let _ = writeln!(out, "        <description>{text}</description>");
    }
    let hidden = match column.is_some_and(|column| column.secret) {
        true => " hidden=\"true\"",
        false => "",
    };
    let _ = writeln!(out, "        <syntax{hidden}>{}</syntax>", facets(leaf));
    out.push_str("      </parameter>\n");
}

/// The type as elements; a data type of the standard as what it is made of.
pub(super) fn facets(leaf: &Leaf) -> String {
    let end = leaf.syntax.find(['(', '{', '[']);
    let (word, _) = leaf.syntax.split_at(end.unwrap_or(leaf.syntax.len()));
    let (list, kind) = match word {
        "list" => ("<list/>", "string"),
        "listUnsignedInt" => ("<list/>", "unsignedInt"),
        "URL" | "IPAddress" | "Alias" => ("", "string"),
        word => ("", word),
    };
    let mut facets = String::new();
    if leaf.most > 0 {
        let _ = write!(facets, "<size maxLength=\"{}\"/>", leaf.most);
    }
    for value in values(leaf) {
        let _ = write!(facets, "<enumeration value=\"{}\"/>", escape(value));
    }
    let bound = |name: &str, number: i64, none: i64| match number == none {
        true => String::new(),
        false => format!(" {name}=\"{number}\""),
    };
    let low = bound("minInclusive", leaf.range.0, i64::MIN);
    let high = bound("maxInclusive", leaf.range.1, i64::MAX);
    if !(low.is_empty() && high.is_empty()) {
        let _ = write!(facets, "<range{low}{high}/>");
    }
    match facets.is_empty() {
        true => format!("{list}<{kind}/>"),
        false => format!("{list}<{kind}>{facets}</{kind}>"),
    }
}

/// The words of an enumeration.
fn values(leaf: &Leaf) -> impl Iterator<Item = &'static str> {
    let inner = leaf.syntax.split_once('{').map(|(_, rest)| rest);
    let inner = inner.and_then(|rest| rest.strip_suffix('}'));
    inner.into_iter().flat_map(|inner| inner.split('|'))
}

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
<dm:document xmlns:dm=\"urn:broadband-forum-org:cwmp:datamodel-1-14\"\n    \
xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n    \
xsi:schemaLocation=\"urn:broadband-forum-org:cwmp:datamodel-1-14 https://www.broadband-forum.org/cwmp/cwmp-datamodel-1-14.xsd\"\n    \
spec=\"urn:demarc:device-2-17-0\">\n  \
<model name=\"Device:2.17\">\n";
