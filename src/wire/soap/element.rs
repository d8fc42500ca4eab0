//! An XML document as a small tree with its namespaces resolved.
//!
//! For [`super::read`], which looks for elements by their namespace and name,
//! whatever prefixes the sender chose. Everything is bounded, and document
//! types and entities of one's own are refused: nothing here expands.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::name::{NamespaceResolver, QName, ResolveResult};
use quick_xml::reader::NsReader;
use thiserror::Error;

/// The schemas' `xsi:type` and `xsi:nil` live here.
const XSI: &str = "http://www.w3.org/2001/XMLSchema-instance";
/// `mustUnderstand` lives here.
const SOAP: &str = super::SOAP;

/// An element and what stands in it.
#[derive(Debug)]
pub(super) struct Element {
    /// "" where it has none.
    pub(super) namespace: String,
    pub(super) name: String,
    /// The local part of `xsi:type`, where its prefix is declared.
    pub(super) kind: Option<String>,
    /// SOAP 1.1 §4.2.3.
    pub(super) must_understand: bool,
    /// Text, CDATA and references joined; white space is kept.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

/// Why octets are no document that is read here.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum XmlError {
    /// More octets than a message may have.
    #[error("the message has {0} octets, at most {MAX_OCTETS} are read")]
    TooLong(usize),
    /// Not UTF-8, or of another declared encoding.
    #[error("the message is not UTF-8")]
    Encoding,
    /// Not well formed.
    #[error("the XML is not well formed at octet {0}")]
    IllFormed(u64),
    /// A document type, which SOAP forbids (SOAP 1.1 §3).
    #[error("the message has a document type declaration")]
    DocumentType,
    /// A reference to an entity that XML does not predefine.
    #[error("the message refers to an entity that does not exist")]
    Entity,
    /// Deeper than any message of CWMP.
    #[error("elements are nested deeper than {MAX_DEPTH}")]
    TooDeep,
    /// More elements than a message may have.
    #[error("more than {MAX_ELEMENTS} elements")]
    TooMany,
    /// More attributes than an element may have.
    #[error("an element has more than {MAX_ATTRIBUTES} attributes")]
    TooManyAttributes,
    /// Ends too early, or has no element.
    #[error("the message ends before its last element does")]
    Truncated,
    /// Something stands after the last element.
    #[error("something follows the end of the message")]
    Trailing,
}

impl Element {
    /// The document's element.
    pub(super) fn read(octets: &[u8]) -> Result<Element, XmlError> {
        if octets.len() > MAX_OCTETS {
            return Err(XmlError::TooLong(octets.len()));
        }
        let text = std::str::from_utf8(octets).map_err(|_| XmlError::Encoding)?;
        Builder::default().build(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The first child of that name, whatever its namespace: the arguments of
    /// an RPC are unqualified in the schema, and qualified by some servers.
    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// Whether it is that element.
    pub(super) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }
}

#[derive(Default)]
struct Builder {
    /// From the document's element to the one that is open.
    open: Vec<Element>,
    elements: usize,
    root: Option<Element>,
}

impl Builder {
    fn build(mut self, text: &str) -> Result<Element, XmlError> {
        let mut reader = NsReader::from_str(text);
        reader.config_mut().check_end_names = true;
        loop {
            let event = reader
                .read_event()
                .map_err(|_| XmlError::IllFormed(reader.error_position()))?;
            if let Event::Start(tag) | Event::Empty(tag) = &event
                && has_too_many_attributes(tag)
            {
                return Err(XmlError::TooManyAttributes);
            }
            match event {
                Event::Start(tag) => {
                    let element = opened(&tag, reader.resolver())
                        .ok_or_else(|| XmlError::IllFormed(reader.buffer_position()))?;
                    self.push(element)?;
                }
                Event::Empty(tag) => {
                    let element = opened(&tag, reader.resolver())
                        .ok_or_else(|| XmlError::IllFormed(reader.buffer_position()))?;
                    self.push(element)?;
                    self.close()?;
                }
                Event::End(_) => self.close()?,
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let expanded = match reference.resolve_char_ref() {
                        Ok(Some(character)) => character,
                        Ok(None) => {
                            predefined(&reference.xml10_content()).ok_or(XmlError::Entity)?
                        }
                        Err(_) => return Err(XmlError::Entity),
                    };
                    self.text(expanded.encode_utf8(&mut [0; 4]))?;
                }
                Event::Decl(declaration) => encoding_is_utf8(declaration.encoding())?,
                Event::DocType(_) => return Err(XmlError::DocumentType),
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof if self.open.is_empty() => {
                    return self.root.ok_or(XmlError::Truncated);
                }
                Event::Eof => return Err(XmlError::Truncated),
            }
        }
    }

    fn push(&mut self, element: Element) -> Result<(), XmlError> {
        self.elements += 1;
        match () {
            () if self.root.is_some() => Err(XmlError::Trailing),
            () if self.open.len() >= MAX_DEPTH => Err(XmlError::TooDeep),
            () if self.elements > MAX_ELEMENTS => Err(XmlError::TooMany),
            () => {
                self.open.push(element);
                Ok(())
            }
        }
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let element = self.open.pop().ok_or(XmlError::Truncated)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err(XmlError::Trailing),
        }
        Ok(())
    }
}

/// Without comparing one with another.
fn has_too_many_attributes(tag: &BytesStart<'_>) -> bool {
    let mut attributes = tag.attributes();
    attributes.with_checks(false);
    attributes.nth(MAX_ATTRIBUTES).is_some()
}

/// None: an attribute is not well formed, or a prefix is not declared.
fn opened(tag: &BytesStart<'_>, resolver: &NamespaceResolver) -> Option<Element> {
    let (namespace, name) = resolver.resolve_element(tag.name());
    let mut element = Element {
        namespace: bound(&namespace)?.to_owned(),
        name: name.into_inner().to_owned(),
        kind: None,
        must_understand: false,
        text: String::new(),
        children: Vec::new(),
    };
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        let (namespace, name) = resolver.resolve_attribute(attribute.key);
        let value = attribute.normalized_value(XmlVersion::Explicit1_0).ok()?;
        match (bound(&namespace)?, name.into_inner()) {
            (XSI, "type") => element.kind = kind(value.trim(), resolver),
            (SOAP, "mustUnderstand") => element.must_understand = value.trim() == "1",
            _ => {}
        }
    }
    Some(element)
}

/// `xsd:string` and `cwmp:ParameterKeyType` alike: the part after the prefix.
/// The namespace is not compared; servers differ in which schema they name.
fn kind(value: &str, resolver: &NamespaceResolver) -> Option<String> {
    let (namespace, name) = resolver.resolve_element(QName(value));
    bound(&namespace)?;
    Some(name.into_inner().to_owned())
}

/// None: the prefix is declared nowhere.
fn bound<'r>(result: &'r ResolveResult<'_>) -> Option<&'r str> {
    match result {
        ResolveResult::Bound(namespace) => Some(namespace.0),
        ResolveResult::Unbound => Some(""),
        ResolveResult::Unknown(_) => None,
    }
}

/// XML 1.0 §4.6.
fn predefined(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "apos" => Some('\''),
        "quot" => Some('"'),
        _ => None,
    }
}

fn encoding_is_utf8<E>(
    declared: Option<Result<std::borrow::Cow<'_, str>, E>>,
) -> Result<(), XmlError> {
    match declared {
        None => Ok(()),
        Some(Ok(name)) if matches!(&*name.to_ascii_lowercase(), "utf-8" | "us-ascii") => Ok(()),
        Some(_) => Err(XmlError::Encoding),
    }
}

/// 20 000 parameters of 256 octets with their markup.
const MAX_OCTETS: usize = 16 * 1024 * 1024;
/// Envelope, Body, method, list, struct, field: six in any message.
const MAX_DEPTH: usize = 16;
const MAX_ELEMENTS: usize = 200_000;
/// That each is another one is found by comparing them all.
const MAX_ATTRIBUTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> XmlError {
        Element::read(text.as_bytes()).expect_err(text)
    }

    #[test]
    fn elements_are_found_by_namespace_whatever_the_prefix() {
        for text in [
            "<a:E xmlns:a='urn:x'><b>1</b></a:E>",
            "<E xmlns='urn:x'><b>1</b></E>",
            "\u{feff}<?xml version='1.0' encoding='UTF-8'?><z:E xmlns:z='urn:x'><b>1</b></z:E>\n",
        ] {
            let element = Element::read(text.as_bytes()).expect(text);
            assert!(element.is("urn:x", "E"), "{text}");
            assert_eq!(element.child("b").expect("b").text, "1");
        }
    }

    #[test]
    fn text_references_and_cdata_are_one_value_with_its_white_space() {
        let text = "<v> a&amp;b<!-- no -->&#x20AC;<![CDATA[<c>]]>\r\n </v>";
        let element = Element::read(text.as_bytes()).expect("well formed");
        assert_eq!(element.text, " a&b\u{20ac}<c>\n ");
    }

    #[test]
    fn the_type_is_known_by_its_local_name_and_only_with_a_declared_prefix() {
        let typed = format!("<v xmlns:i='{XSI}' xmlns:q='urn:s' i:type='q:boolean'>1</v>");
        let element = Element::read(typed.as_bytes()).expect("well formed");
        assert_eq!(element.kind.as_deref(), Some("boolean"));
        let undeclared = format!("<v xmlns:i='{XSI}' i:type='q:boolean'>1</v>");
        let element = Element::read(undeclared.as_bytes()).expect("well formed");
        assert_eq!(element.kind, None);
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_reason() {
        assert_eq!(refused(""), XmlError::Truncated);
        assert_eq!(refused("<a><b></b>"), XmlError::Truncated);
        assert!(matches!(refused("<a></b>"), XmlError::IllFormed(_)));
        assert!(matches!(refused("<p:a/>"), XmlError::IllFormed(_)));
        assert_eq!(refused("<a/><b/>"), XmlError::Trailing);
        assert_eq!(refused("<a/>x"), XmlError::Trailing);
        assert_eq!(refused("<!DOCTYPE a><a/>"), XmlError::DocumentType);
        assert_eq!(refused("<a>&unknown;</a>"), XmlError::Entity);
        assert_eq!(refused("<a>&#xD800;</a>"), XmlError::Entity);
        let other = "<?xml version='1.0' encoding='UTF-16'?><a/>";
        assert_eq!(refused(other), XmlError::Encoding);
        assert_eq!(
            Element::read(b"<a>\xff</a>").err(),
            Some(XmlError::Encoding)
        );
    }

    #[test]
    fn depth_and_number_of_elements_are_bounded() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert_eq!(refused(&deep), XmlError::TooDeep);
        let many = format!("<a>{}</a>", "<b/>".repeat(MAX_ELEMENTS));
        assert_eq!(refused(&many), XmlError::TooMany);
    }
}
