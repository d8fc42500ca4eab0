//! What an ACS must not be able to do by what it sends.

use demarc::wire::soap::message::{AcsRequest, FromAcs};
use demarc::wire::soap::{SoapError, XmlError, read};
use std::time::{Duration, Instant};

/// A SetParameterValues of some size, as a server writes it.
fn message(list: &str, values: usize) -> String {
    let values = "<ParameterValueStruct><Name>Device.A</Name>\
                  <Value I:type=\"D:string\">a &amp; &#x20AC; <![CDATA[b]]></Value>\
                  </ParameterValueStruct>"
        .repeat(values);
    format!(
        "<?xml version=\"1.0\"?><S:Envelope xmlns:S=\"http://schemas.xmlsoap.org/soap/envelope/\" \
         xmlns:E=\"http://schemas.xmlsoap.org/soap/encoding/\" \
         xmlns:D=\"http://www.w3.org/2001/XMLSchema\" \
         xmlns:I=\"http://www.w3.org/2001/XMLSchema-instance\" \
         xmlns:C=\"urn:dslforum-org:cwmp-1-2\"><S:Header><C:ID S:mustUnderstand=\"1\">7</C:ID>\
         </S:Header><S:Body><C:SetParameterValues><ParameterList{list}>{values}</ParameterList>\
         <ParameterKey>k</ParameterKey></C:SetParameterValues></S:Body></S:Envelope>"
    )
}

fn refused(text: &str) -> XmlError {
    let started = Instant::now();
    let error = match read(text.as_bytes()) {
        Err(SoapError::Xml(error)) => error,
        other => panic!("{other:?}"),
    };
    let took = started.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    error
}

#[test]
fn a_message_that_is_cut_anywhere_is_none() {
    let whole = message("", 1);
    assert!(read(whole.as_bytes()).is_ok());
    for end in 0..whole.len() {
        let cut = read(&whole.as_bytes()[..end]);
        assert!(matches!(cut, Err(SoapError::Xml(_))), "{end}: {cut:?}");
    }
}

#[test]
fn an_array_has_the_entries_that_are_there_whatever_its_type_says() {
    for said in [
        "C:ParameterValueStruct[7]",
        "C:ParameterValueStruct[]",
        "D:int[0]",
        "x",
    ] {
        let text = message(&format!(" E:arrayType=\"{said}\""), 2);
        let envelope = read(text.as_bytes()).expect(&text);
        match envelope.body {
            Ok(FromAcs::Request(AcsRequest::SetParameterValues { values, .. })) => {
                assert_eq!(values.len(), 2);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn entities_never_grow() {
    let text = message("", 1);
    let laughs = "<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\"><!ENTITY c \"&b;&b;\">]>";
    let with = text.replace("?><S:", &format!("?>{laughs}<S:"));
    assert_eq!(
        refused(&with.replace("&amp;", "&c;")),
        XmlError::DocumentType
    );
    assert_eq!(refused(&text.replace("&amp;", "&c;")), XmlError::Entity);
    let file = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>";
    assert_eq!(
        refused(&text.replace("?><S:", &format!("?>{file}<S:"))),
        XmlError::DocumentType
    );
}

#[test]
fn what_is_too_much_is_refused_soon() {
    let attributes: String = (0..200_000).map(|at| format!(" a{at}=\"\"")).collect();
    assert_eq!(
        refused(&message(&attributes, 1)),
        XmlError::TooManyAttributes
    );
    let declared: String = (0..200_000)
        .map(|at| format!(" xmlns:a{at}=\"u\""))
        .collect();
    // The parser has a bound of its own for these.
    refused(&message(&declared, 1));
    let long = message(&" ".repeat(16 << 20), 1);
    assert_eq!(refused(&long), XmlError::TooLong(long.len()));
    assert_eq!(
        refused(&message("><a".repeat(1000).as_str(), 1)),
        XmlError::TooDeep
    );
}
