//! Device type documents (TR-106 annex B): which parts of a standard's model
//! this device has, for servers that import them.
//!
//! One for the root model and one for the service, since a document speaks of
//! one model. Vendor objects are in neither: they are defined by the data
//! model that `export` prints.

use super::export::facets;
use super::map::{Access, Leaf, Object, Rows, Told, objects};
use openssl::sha::Sha1;
use std::collections::BTreeSet;
use std::fmt::Write;

/// A model of the Broadband Forum that the device implements in part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standard {
    /// TR-181 issue 2 amendment 17.
    Device,
    /// TR-104 issue 2 amendment 0 corrigendum 2.
    VoiceService,
}

impl Standard {
    /// The whole document.
    pub fn document(self) -> String {
        let mut model = String::new();
        let mut types = BTreeSet::new();
        for object in objects() {
            match (self, object.path) {
                // How many services there are is said by the model of the service.
                (Self::VoiceService, SERVICES) => parameters(&mut model, object, &mut types),
                (Self::Device, SERVICES) => open(&mut model, object, SERVICES, "/"),
                _ => {
                    let Some(name) = self.name_of(object) else {
                        continue;
                    };
                    open(&mut model, object, name, "");
                    parameters(&mut model, object, &mut types);
                    model.push_str("    </object>\n");
                }
            }
        }
        let name = self.model();
        let uuid = uuid(&format!("{name}\n{model}"));
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <dt:document xmlns:dt=\"urn:broadband-forum-org:cwmp:devicetype-1-14\"\n    \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\"\n    \
             xsi:schemaLocation=\"urn:broadband-forum-org:cwmp:devicetype-1-14 \
             https://www.broadband-forum.org/cwmp/cwmp-devicetype-1-14.xsd\"\n    \
             deviceType=\"{DEVICE_TYPE}\" uuid=\"{uuid}\">\n  \
             <import file=\"{FOLDER}{file}.xml\" spec=\"urn:broadband-forum-org:{file}\">\n",
            file = self.file(),
        );
        for name in types {
            let _ = writeln!(out, "    <dataType name=\"{name}\"/>");
        }
        let _ = write!(
            out,
            "    <model name=\"{name}\"/>\n  </import>\n  <model ref=\"{name}\">\n{model}  </model>\n</dt:document>\n"
        );
        out
    }

    fn model(self) -> &'static str {
        match self {
            Self::Device => "Device:2.17",
            Self::VoiceService => "VoiceService:2.0",
        }
    }

    /// The document that defines it, which its `spec` names too.
    fn file(self) -> &'static str {
        match self {
            Self::Device => "tr-181-2-17-0-cwmp",
            Self::VoiceService => "tr-104-2-0-2-cwmp",
        }
    }

    /// What an object is called in the model; None: it is not in it.
    fn name_of(self, object: &Object) -> Option<&'static str> {
        let service = object.path.strip_prefix(SERVICES);
        // Issue 1 of TR-104 is another model, and a view of the same rows.
        let standard = !object.path.contains(".X_") && !object.path.contains(".VoiceProfile.");
        match self {
            Self::Device if standard && service.is_none() => Some(object.path),
            Self::VoiceService if standard => service,
            Self::Device | Self::VoiceService => None,
        }
    }
}

fn open(out: &mut String, object: &Object, name: &str, end: &str) {
    let (least, most) = match object.rows {
        Rows::Single | Rows::One => ("1", "1"),
        Rows::Of { .. } => ("0", "unbounded"),
    };
    let access = if object.adds {
        "createDelete"
    } else {
        "readOnly"
    };
    let _ = writeln!(
        out,
        "    <object ref=\"{name}\" access=\"{access}\" minEntries=\"{least}\" maxEntries=\"{most}\"{end}>"
    );
}

fn parameters(out: &mut String, object: &Object, types: &mut BTreeSet<&'static str>) {
    let leaves = object.leaves.iter();
    // The count of the other view's rows is not in this model either.
    for leaf in leaves.filter(|leaf| leaf.name != "VoiceProfileNumberOfEntries") {
        parameter(out, leaf, types);
    }
}

fn parameter(out: &mut String, leaf: &Leaf, types: &mut BTreeSet<&'static str>) {
    let access = match leaf.access {
        Access::Read => "readOnly",
        Access::Write => "readWrite",
        Access::Once => "writeOnceReadOnly",
    };
    let notify = match leaf.told {
        Told::Quiet => " activeNotify=\"willDeny\"",
        Told::Off | Told::Active | Told::Always => "",
    };
    let syntax = match named(leaf) {
        Some(name) => {
            types.insert(name);
            format!("<dataType ref=\"{name}\"/>")
        }
        None => facets(leaf),
    };
    let _ = writeln!(
        out,
        "      <parameter ref=\"{}\" access=\"{access}\"{notify}><syntax>{syntax}</syntax></parameter>",
        leaf.name
    );
}

/// A data type that has a name of its own.
fn named(leaf: &Leaf) -> Option<&'static str> {
    let word = leaf.syntax.split('(').next()?;
    let named = ["Alias", "IPAddress", "URL"].into_iter();
    named.into_iter().find(|name| *name == word)
}

/// RFC 9562 §5.5, in the name space of OIDs: the same document, the same number.
fn uuid(text: &str) -> String {
    const OIDS: [u8; 16] = [
        0x6b, 0xa7, 0xb8, 0x12, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30,
        0xc8,
    ];
    let mut hash = Sha1::new();
    hash.update(&OIDS);
    hash.update(text.as_bytes());
    let mut octets = hash.finish();
    octets[6] = octets[6] & 0x0f | 0x50;
    octets[8] = octets[8] & 0x3f | 0x80;
    let mut out = String::new();
    for (at, octet) in octets[..16].iter().enumerate() {
        if [4, 6, 8, 10].contains(&at) {
            out.push('-');
        }
        let _ = write!(out, "{octet:02x}");
    }
    out
}

/// Where services stand in the root model.
const SERVICES: &str = "Device.Services.";
const DEVICE_TYPE: &str = "urn:demarc:voice-gateway";
/// Where the Broadband Forum publishes its models.
const FOLDER: &str = "https://cwmp-data-models.broadband-forum.org/";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_document_is_a_name_based_one() {
        let one = uuid("a");
        assert_eq!((one.len(), one.as_bytes()[14]), (36, b'5'));
        assert!(b"89ab".contains(&one.as_bytes()[19]));
        assert_ne!(one, uuid("b"));
    }
}
