//! The map against the Broadband Forum's models: each standard parameter has
//! the standard's type, access, size, range, enumeration and notification.
//!
//! The models are not part of the repository: the environment variable
//! `DEMARC_BBF` names the folder that holds their XML.

use demarc::north::cwmp::model::device_type::Standard;
use demarc::north::cwmp::model::export::document;
use demarc::north::cwmp::model::map::{Access, Leaf, Object, Told, objects};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// The files, and where their objects stand.
const MODELS: [(&str, &str); 2] = [
    ("tr-181-2-17-0-cwmp-full.xml", ""),
    ("tr-104-2-0-2-cwmp-full.xml", "Device.Services."),
];

/// What a model says of a parameter or object.
#[derive(Debug, Default, PartialEq)]
struct Said {
    access: String,
    kind: String,
    is_list: bool,
    most: Option<u32>,
    low: Option<i64>,
    high: Option<i64>,
    values: BTreeSet<String>,
    notify: String,
    inform: bool,
}

/// The folder of models, if it was named; in CI it must be.
fn models() -> Option<PathBuf> {
    match std::env::var_os("DEMARC_BBF") {
        Some(folder) => Some(PathBuf::from(folder)),
        None => {
            assert!(
                std::env::var_os("CI").is_none(),
                "DEMARC_BBF must name the data models in CI"
            );
            println!("not asked for: DEMARC_BBF names no folder");
            None
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let found = element.try_get_attribute(name).expect("well formed")?;
    Some(found.value.into_owned())
}

/// Reads one model; `prefix` is where its objects stand.
fn read(text: &str, prefix: &str, into: &mut BTreeMap<String, Said>) {
    let mut reader = Reader::from_str(text);
    let mut open: Vec<String> = Vec::new();
    let mut object = prefix.to_owned();
    let mut current = String::new();
    loop {
        let event = reader.read_event().expect("well formed");
        let (element, is_empty) = match &event {
            Event::Start(element) => (element, false),
            Event::Empty(element) => (element, true),
            Event::End(_) => {
                if open.pop().as_deref() == Some("object") {
                    prefix.clone_into(&mut object);
                }
                continue;
            }
            Event::Eof => return,
            _ => continue,
        };
        let tag = element.name().as_ref().to_owned();
        let around: Vec<&str> = open.iter().map(String::as_str).rev().take(3).collect();
        match (tag.as_str(), around.as_slice()) {
            ("object", ["model", ..]) => {
                let name = attribute(element, "name").expect("a name");
                object = format!("{prefix}{name}");
                into.insert(object.clone(), said(element));
            }
            ("parameter", ["model", ..] | ["object", "model", ..]) => {
                let name = attribute(element, "name").expect("a name");
                current = format!("{object}{name}");
                into.insert(current.clone(), said(element));
            }
            ("list", ["syntax", "parameter", ..]) => {
                into.get_mut(&current).expect("known").is_list = true;
            }
            (_, ["syntax", "parameter", ..]) if tag != "default" => {
                let said = into.get_mut(&current).expect("known");
                said.kind = attribute(element, "ref").unwrap_or(tag.clone());
            }
            (_, [_, "syntax", "parameter"]) => {
                detail(element, &tag, into.get_mut(&current).expect("known"));
            }
            _ => {}
        }
        if !is_empty {
            open.push(tag);
        }
    }
}

fn said(element: &BytesStart<'_>) -> Said {
    Said {
        access: attribute(element, "access").unwrap_or_default(),
        notify: attribute(element, "activeNotify").unwrap_or_default(),
        inform: attribute(element, "forcedInform").as_deref() == Some("true"),
        ..Said::default()
    }
}

fn detail(element: &BytesStart<'_>, tag: &str, said: &mut Said) {
    let number = |name| attribute(element, name).and_then(|text| text.parse::<i64>().ok());
    match tag {
        "size" => said.most = number("maxLength").and_then(|most| u32::try_from(most).ok()),
        "range" => (said.low, said.high) = (number("minInclusive"), number("maxInclusive")),
        "enumeration" => {
            said.values.extend(attribute(element, "value"));
        }
        _ => {}
    }
}

/// The map's line in the same words.
fn ours(leaf: &Leaf) -> Said {
    let end = leaf.syntax.find(['(', '{', '[']);
    let (word, rest) = leaf.syntax.split_at(end.unwrap_or(leaf.syntax.len()));
    let values = rest
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'));
    let (kind, is_list) = match word {
        "list" => ("string", true),
        "listUnsignedInt" => ("unsignedInt", true),
        word => (word, false),
    };
    let access = match leaf.access {
        Access::Read => "readOnly",
        Access::Write => "readWrite",
        Access::Once => "writeOnceReadOnly",
    };
    let notify = match leaf.told {
        Told::Off => "",
        Told::Quiet => "canDeny",
        Told::Active => "forceDefaultEnabled",
        Told::Always => "forceEnabled",
    };
    // What a data type of the standard bounds is not said again by the parameter.
    let is_plain = !matches!(kind, "URL" | "Alias" | "IPAddress");
    Said {
        access: access.to_owned(),
        kind: kind.to_owned(),
        is_list,
        most: Some(leaf.most).filter(|most| *most > 0 && is_plain),
        low: Some(leaf.range.0).filter(|low| *low != i64::MIN),
        high: Some(leaf.range.1).filter(|high| *high != i64::MAX),
        values: values.map_or_else(BTreeSet::new, |values| {
            values.split('|').map(str::to_owned).collect()
        }),
        notify: notify.to_owned(),
        inform: leaf.inform,
    }
}

fn is_standard(object: &Object) -> bool {
    // Issue 1 of TR-104 has no model in that folder.
    !object.path.contains(".X_") && !object.path.contains(".VoiceProfile.")
}

#[test]
fn each_standard_parameter_is_what_the_standard_says() {
    let Some(folder) = models() else { return };
    let mut standard = BTreeMap::new();
    for (model, prefix) in MODELS {
        let text = std::fs::read_to_string(folder.join(model)).expect("a model");
        read(&text, prefix, &mut standard);
    }
    let mut faults = Vec::new();
    let mut checked = 0;
    for object in objects().iter().filter(|object| is_standard(object)) {
        match standard.get(object.path) {
            None => faults.push(format!("{} is not in the standard", object.path)),
            Some(said) if object.adds && said.access != "readWrite" => {
                faults.push(format!("{} takes no rows in the standard", object.path));
            }
            Some(_) => {}
        }
        for leaf in object.leaves {
            let path = format!("{}{}", object.path, leaf.name);
            if leaf.name == "VoiceProfileNumberOfEntries" {
                continue;
            }
            match standard.get(&path) {
                None => faults.push(format!("{path} is not in the standard")),
                Some(said) if *said != ours(leaf) => {
                    faults.push(format!("{path}: {said:?} is {:?}", ours(leaf)));
                }
                Some(_) => checked += 1,
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(checked >= 90, "{checked} parameters");
}

/// The facets that the document says, in the words of a model.
fn facets(leaf: &Leaf) -> Said {
    let ours = ours(leaf);
    let kind = match ours.kind.as_str() {
        "URL" | "Alias" | "IPAddress" => "string".to_owned(),
        kind => kind.to_owned(),
    };
    Said {
        kind,
        most: Some(leaf.most).filter(|most| *most > 0),
        notify: String::new(),
        ..ours
    }
}

#[test]
fn the_document_says_of_each_parameter_what_the_device_does() {
    let mut said = BTreeMap::new();
    read(&document(), "", &mut said);
    let mut count = 0;
    for object in objects() {
        assert!(said.contains_key(object.path), "{}", object.path);
        count += 1;
        for leaf in object.leaves {
            let path = format!("{}{}", object.path, leaf.name);
            assert_eq!(said.get(&path), Some(&facets(leaf)), "{path}");
            count += 1;
        }
    }
    assert_eq!(said.len(), count);
}

/// What stands in a device type document; the objects by `ref`, the parameters by both.
fn device_type(text: &str) -> (BTreeMap<String, String>, BTreeSet<String>, BTreeSet<String>) {
    let mut reader = Reader::from_str(text);
    let (mut access, mut imported, mut used) = (BTreeMap::new(), BTreeSet::new(), BTreeSet::new());
    let mut object = String::new();
    loop {
        let event = reader.read_event().expect("well formed");
        let element = match &event {
            Event::Start(element) | Event::Empty(element) => element,
            Event::Eof => return (access, imported, used),
            _ => continue,
        };
        let of = |name| attribute(element, name).unwrap_or_default();
        match element.name().as_ref() {
            "object" => {
                object = of("ref");
                let first = access.insert(object.clone(), of("access"));
                assert_eq!(first, None, "{object} is there twice");
            }
            "parameter" => {
                let path = format!("{object}{}", of("ref"));
                let first = access.insert(path.clone(), of("access"));
                assert_eq!(first, None, "{path} is there twice");
            }
            // A reference to a data type has to be imported (the schema's keyref).
            "dataType" if of("name").is_empty() => drop(used.insert(of("ref"))),
            "dataType" => drop(imported.insert(of("name"))),
            _ => {}
        }
    }
}

#[test]
fn a_device_type_says_of_the_standards_model_what_the_device_has() {
    let mut count = 0;
    for (standard, (model, prefix)) in [Standard::Device, Standard::VoiceService]
        .into_iter()
        .zip(MODELS)
    {
        let document = standard.document();
        assert!(document.contains(&format!("/{}\"", model.replace("-full", ""))));
        let (said, imported, used) = device_type(&document);
        assert_eq!(imported, used);
        count += said.len();
        let ours: BTreeSet<String> = objects()
            .iter()
            .filter(|object| is_standard(object))
            .flat_map(|object| {
                let leaves = object.leaves.iter();
                let leaves = leaves.map(move |leaf| format!("{}{}", object.path, leaf.name));
                leaves.chain([object.path.to_owned()])
            })
            .filter(|path| !path.ends_with(".VoiceProfileNumberOfEntries"))
            .filter(|path| {
                let service = path.strip_prefix("Device.Services.");
                let service = service.is_some_and(|rest| rest.starts_with("VoiceService.{i}."));
                let count = path == "Device.Services.VoiceServiceNumberOfEntries";
                (service || count) != prefix.is_empty()
            })
            .collect();
        let named: BTreeSet<String> = said.keys().map(|name| format!("{prefix}{name}")).collect();
        let missing: Vec<&String> = ours.symmetric_difference(&named).collect();
        assert!(missing.is_empty(), "{missing:?}");
        let Some(folder) = models() else { continue };
        let text = std::fs::read_to_string(folder.join(model)).expect("a model");
        let mut theirs = BTreeMap::new();
        read(&text, "", &mut theirs);
        for (path, access) in &said {
            let standard = theirs
                .get(path)
                .unwrap_or_else(|| panic!("{path} is not in {model}"));
            // An object may take fewer rows than the standard lets it.
            let allowed = match (path.ends_with('.'), access.as_str()) {
                (true, "createDelete") => standard.access == "readWrite",
                (true, access) => access == "readOnly",
                (false, access) => access == standard.access,
            };
            assert!(allowed, "{path}: {access}, {}", standard.access);
        }
    }
    assert!(count >= 200, "{count}");
}
