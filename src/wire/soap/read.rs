//! Reading what an ACS sent.
//!
//! Elements are found by name, in any order and under any prefix: that is how
//! servers differ. Two kinds of trouble are kept apart: a document that is no
//! message of CWMP ends the session; a message whose arguments are wrong is
//! answered by a Fault, and so still says its ID and its namespace.

use super::SOAP;
use super::element::{Element, XmlError};
use super::message::{
    AcsRequest, AcsResponse, AttributeChange, Download, Envelope, Fault, FaultStruct, FromAcs,
    Header, Kind, Namespace, ParameterFault, ParameterValue, Party, TimeWindow, Upload,
};
use thiserror::Error;

/// Why octets are no message of an ACS.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SoapError {
    /// No document.
    #[error(transparent)]
    Xml(#[from] XmlError),
    /// Not an Envelope of SOAP 1.1 (SOAP 1.1 §4.4, VersionMismatch).
    #[error("the document is no SOAP 1.1 envelope")]
    NoEnvelope,
    /// The Body is missing, empty, or holds several elements.
    #[error("the envelope's body does not hold one message")]
    Body,
    /// The message's element is in no namespace of CWMP.
    #[error("the message {0} is in no namespace of CWMP")]
    Foreign(String),
}

/// Why a message cannot be done as it stands; answered by a Fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// A header that must be understood and is not (SOAP 1.1 §4.2.3).
    #[error("the header {0} must be understood and is not known here")]
    NotUnderstood(String),
    /// An argument is missing.
    #[error("{method} lacks the argument {argument}")]
    Missing {
        /// The RPC.
        method: String,
        /// Its argument.
        argument: &'static str,
    },
    /// An argument is not of its type.
    #[error("the argument {argument} of {method} is not {expected}")]
    Malformed {
        /// The RPC.
        method: String,
        /// Its argument.
        argument: &'static str,
        /// In words.
        expected: &'static str,
    },
    /// An answer to something that no CPE asks.
    #[error("the response {0} answers no request of this device")]
    Response(String),
}

/// The message of an ACS. A body that cannot be done is an `Err` within.
pub fn read(octets: &[u8]) -> Result<Envelope<Result<FromAcs, BodyError>>, SoapError> {
    let document = Element::read(octets)?;
    if !document.is(SOAP, "Envelope") {
        return Err(SoapError::NoEnvelope);
    }
    let part = |name| document.children.iter().find(|part| part.is(SOAP, name));
    let body = part("Body").ok_or(SoapError::Body)?;
    let [message] = &body.children[..] else {
        return Err(SoapError::Body);
    };
    let blocks = part("Header").map_or(&[][..], |header| &header.children[..]);
    let namespace = namespace(message, blocks)?;
    let (header, unknown) = header(blocks);
    let body = match unknown {
        Some(name) => Err(BodyError::NotUnderstood(name)),
        None => method(message),
    };
    Ok(Envelope {
        namespace,
        header,
        body,
    })
}

/// That of the method; of a Fault that of its detail, or of a header.
fn namespace(message: &Element, blocks: &[Element]) -> Result<Namespace, SoapError> {
    if !message.is(SOAP, "Fault") {
        return Namespace::of(&message.namespace)
            .ok_or_else(|| SoapError::Foreign(message.name.clone()));
    }
    let detail = message
        .child("detail")
        .and_then(|detail| detail.child("Fault"));
    let known = detail
        .into_iter()
        .chain(blocks)
        .find_map(|element| Namespace::of(&element.namespace));
    Ok(known.unwrap_or(Namespace::Cwmp12))
}

/// The header blocks, and the first that had to be understood and is not.
fn header(blocks: &[Element]) -> (Header, Option<String>) {
    let mut header = Header::default();
    let mut unknown = None;
    for block in blocks {
        let known = Namespace::of(&block.namespace).map(|_| block.name.as_str());
        match known {
            Some("ID") => header.id = Some(block.text.clone()),
            Some("HoldRequests") => header.hold_requests = truth(&block.text) == Some(true),
            Some("SessionTimeout") => header.session_timeout = block.text.trim().parse().ok(),
            Some("UseCWMPVersion") => header.use_version = Some(block.text.trim().to_owned()),
            Some("SupportedCWMPVersions") => {
                header.supported_versions = Some(block.text.trim().to_owned());
            }
            // Of CWMP 1.0, gone since: it asks for nothing.
            Some("NoMoreRequests") => {}
            _ if block.must_understand => {
                unknown.get_or_insert_with(|| block.name.clone());
            }
            _ => {}
        }
    }
    (header, unknown)
}

fn method(message: &Element) -> Result<FromAcs, BodyError> {
    if message.is(SOAP, "Fault") {
        return Ok(FromAcs::Fault(fault(message)));
    }
    let arguments = Arguments(message);
    if let Some(response) = message.name.strip_suffix("Response") {
        return arguments.response(response).map(FromAcs::Response);
    }
    arguments.request().map(FromAcs::Request)
}

/// The arguments of an RPC, by name.
struct Arguments<'a>(&'a Element);

impl Arguments<'_> {
    fn response(&self, method: &str) -> Result<AcsResponse, BodyError> {
        match method {
            // TR-069 A.3.3.1: MaxEnvelopes is 1 and means nothing any more.
            "Inform" => Ok(AcsResponse::Inform {
                max_envelopes: self.number("MaxEnvelopes").unwrap_or(1),
            }),
            "TransferComplete" => Ok(AcsResponse::TransferComplete),
            "AutonomousTransferComplete" => Ok(AcsResponse::AutonomousTransferComplete),
            "RequestDownload" => Ok(AcsResponse::RequestDownload),
            "GetRPCMethods" => Ok(AcsResponse::GetRpcMethods(self.strings("MethodList")?)),
            _ => Err(BodyError::Response(self.0.name.clone())),
        }
    }

    fn request(&self) -> Result<AcsRequest, BodyError> {
        Ok(match self.0.name.as_str() {
            "GetRPCMethods" => AcsRequest::GetRpcMethods,
            "SetParameterValues" => AcsRequest::SetParameterValues {
                values: self.each("ParameterList", parameter_value)?,
                parameter_key: self.text_or_empty("ParameterKey"),
            },
            "GetParameterValues" => AcsRequest::GetParameterValues(self.strings("ParameterNames")?),
            "GetParameterNames" => AcsRequest::GetParameterNames {
                path: self.text_or_empty("ParameterPath"),
                next_level: self.boolean("NextLevel")?,
            },
            "SetParameterAttributes" => AcsRequest::SetParameterAttributes(
                self.each("ParameterList", |entry| entry.attribute_change())?,
            ),
            "GetParameterAttributes" => {
                AcsRequest::GetParameterAttributes(self.strings("ParameterNames")?)
            }
            "AddObject" => AcsRequest::AddObject {
                path: self.text("ObjectName")?,
                parameter_key: self.text_or_empty("ParameterKey"),
            },
            "DeleteObject" => AcsRequest::DeleteObject {
                path: self.text("ObjectName")?,
                parameter_key: self.text_or_empty("ParameterKey"),
            },
            "Reboot" => AcsRequest::Reboot {
                command_key: self.text_or_empty("CommandKey"),
            },
            "FactoryReset" => AcsRequest::FactoryReset,
            "Download" => AcsRequest::Download {
                file: self.download()?,
                delay_seconds: self.number_or_zero("DelaySeconds")?,
            },
            "Upload" => AcsRequest::Upload(self.upload()?),
            "ScheduleInform" => AcsRequest::ScheduleInform {
                delay_seconds: self.number("DelaySeconds")?,
                command_key: self.text_or_empty("CommandKey"),
            },
            "ScheduleDownload" => AcsRequest::ScheduleDownload {
                file: self.download()?,
                windows: self.each("TimeWindowList", |entry| entry.time_window())?,
            },
            "CancelTransfer" => AcsRequest::CancelTransfer {
                command_key: self.text_or_empty("CommandKey"),
            },
            "GetAllQueuedTransfers" => AcsRequest::GetAllQueuedTransfers,
            "GetQueuedTransfers" => AcsRequest::GetQueuedTransfers,
            other => AcsRequest::Unknown(other.to_owned()),
        })
    }

    fn download(&self) -> Result<Download, BodyError> {
        Ok(Download {
            command_key: self.text_or_empty("CommandKey"),
            file_type: self.text("FileType")?,
            url: self.text("URL")?,
            username: self.text_or_empty("Username"),
            password: self.text_or_empty("Password"),
            file_size: self.number_or_zero("FileSize")?,
            target_file_name: self.text_or_empty("TargetFileName"),
        })
    }

    fn upload(&self) -> Result<Upload, BodyError> {
        Ok(Upload {
            command_key: self.text_or_empty("CommandKey"),
            file_type: self.text("FileType")?,
            url: self.text("URL")?,
            username: self.text_or_empty("Username"),
            password: self.text_or_empty("Password"),
            delay_seconds: self.number_or_zero("DelaySeconds")?,
        })
    }

    fn time_window(&self) -> Result<TimeWindow, BodyError> {
        let retries = self.found("MaxRetries")?.text.trim().parse();
        Ok(TimeWindow {
            start: self.number("WindowStart")?,
            end: self.number("WindowEnd")?,
            mode: self.text("WindowMode")?,
            user_message: self.text_or_empty("UserMessage"),
            max_retries: retries.map_err(|_| self.malformed("MaxRetries", "an integer"))?,
        })
    }

    fn attribute_change(&self) -> Result<AttributeChange, BodyError> {
        let notification = match self.boolean("NotificationChange")? {
            true => Some(self.number("Notification")?),
            false => None,
        };
        let notification = notification
            .map(u8::try_from)
            .transpose()
            .map_err(|_| self.malformed("Notification", "a number from 0 to 6"))?;
        let access_list = match self.boolean("AccessListChange")? {
            true => Some(self.strings("AccessList")?),
            false => None,
        };
        Ok(AttributeChange {
            name: self.text_or_empty("Name"),
            notification,
            access_list,
        })
    }

    fn found(&self, argument: &'static str) -> Result<&Element, BodyError> {
        self.0.child(argument).ok_or_else(|| BodyError::Missing {
            method: self.0.name.clone(),
            argument,
        })
    }

    fn malformed(&self, argument: &'static str, expected: &'static str) -> BodyError {
        BodyError::Malformed {
            method: self.0.name.clone(),
            argument,
            expected,
        }
    }

    fn text(&self, argument: &'static str) -> Result<String, BodyError> {
        Ok(self.found(argument)?.text.trim().to_owned())
    }

    /// Servers leave empty elements out.
    fn text_or_empty(&self, argument: &'static str) -> String {
        self.0
            .child(argument)
            .map_or_else(String::new, |element| element.text.trim().to_owned())
    }

    fn number(&self, argument: &'static str) -> Result<u32, BodyError> {
        let text = &self.found(argument)?.text;
        text.trim()
            .parse()
            .map_err(|_| self.malformed(argument, "an unsigned integer"))
    }

    fn number_or_zero(&self, argument: &'static str) -> Result<u32, BodyError> {
        match self.text_or_empty(argument).is_empty() {
            true => Ok(0),
            false => self.number(argument),
        }
    }

    fn boolean(&self, argument: &'static str) -> Result<bool, BodyError> {
        truth(&self.found(argument)?.text).ok_or_else(|| self.malformed(argument, "a boolean"))
    }

    /// The entries of an array, which may be empty and not absent.
    fn each<T>(
        &self,
        argument: &'static str,
        read: impl for<'a> Fn(Arguments<'a>) -> Result<T, BodyError>,
    ) -> Result<Vec<T>, BodyError> {
        let entries = &self.found(argument)?.children;
        entries.iter().map(|entry| read(Arguments(entry))).collect()
    }

    fn strings(&self, argument: &'static str) -> Result<Vec<String>, BodyError> {
        self.each(argument, |entry| Ok(entry.0.text.trim().to_owned()))
    }
}

fn parameter_value(entry: Arguments<'_>) -> Result<ParameterValue, BodyError> {
    let value = entry.found("Value")?;
    Ok(ParameterValue {
        name: entry.text("Name")?,
        value: value.text.clone(),
        kind: value.kind.as_deref().and_then(Kind::of),
    })
}

/// Both forms of detail: with `cwmp:Fault` inside, and without any.
fn fault(message: &Element) -> Fault {
    let text = |element: Option<&Element>| {
        element.map_or_else(String::new, |found| found.text.trim().to_owned())
    };
    let party = match text(message.child("faultcode")).ends_with("Server") {
        true => Party::Server,
        false => Party::Client,
    };
    let detail = message
        .child("detail")
        .and_then(|detail| detail.child("Fault"));
    let structure = |element: &Element| FaultStruct {
        code: text(element.child("FaultCode")).parse().unwrap_or(0),
        text: text(element.child("FaultString")),
    };
    let refused = detail.into_iter().flat_map(|detail| &detail.children);
    let parameters = refused
        .filter(|element| element.name == "SetParameterValuesFault")
        .map(|element| ParameterFault {
            name: text(element.child("ParameterName")),
            fault: structure(element),
        });
    Fault {
        party,
        fault: detail.map_or_else(
            || FaultStruct {
                code: 0,
                text: text(message.child("faultstring")),
            },
            structure,
        ),
        parameters: parameters.collect(),
    }
}

/// XML Schema 2 §3.2.2.1.
fn truth(text: &str) -> Option<bool> {
    match text.trim() {
        "1" | "true" => Some(true),
        "0" | "false" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(header: &str, body: &str) -> String {
        format!(
            "<s:Envelope xmlns:s='{SOAP}' xmlns:c='urn:dslforum-org:cwmp-1-0' \
             xmlns:d='http://www.w3.org/2001/XMLSchema' \
             xmlns:i='http://www.w3.org/2001/XMLSchema-instance'>\
             <s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
        )
    }

    fn understood(body: &str) -> FromAcs {
        let message = read(envelope("", body).as_bytes()).expect("an envelope");
        message.body.expect(body)
    }

    fn refused(header: &str, body: &str) -> BodyError {
        let message = read(envelope(header, body).as_bytes()).expect("an envelope");
        message.body.expect_err(body)
    }

    #[test]
    fn the_namespace_and_id_of_the_question_are_known_also_where_it_cannot_be_done() {
        let id = "<c:ID s:mustUnderstand='1'> a&lt;1 </c:ID>";
        let text = envelope(id, "<c:GetParameterNames/>");
        let message = read(text.as_bytes()).expect("an envelope");
        assert_eq!(message.namespace, Namespace::Cwmp10);
        assert_eq!(message.header.id.as_deref(), Some(" a<1 "));
        let missing = BodyError::Missing {
            method: "GetParameterNames".into(),
            argument: "NextLevel",
        };
        assert_eq!(message.body, Err(missing));
    }

    #[test]
    fn values_keep_their_white_space_and_say_their_type() {
        let body = "<c:SetParameterValues><ParameterKey>k</ParameterKey><ParameterList>\
             <ParameterValueStruct><Name> A.B </Name>\
             <Value i:type='d:boolean'>true</Value></ParameterValueStruct>\
             <x><Value> v </Value><Name>A.C</Name></x></ParameterList></c:SetParameterValues>";
        let value = |name: &str, value: &str, kind| ParameterValue {
            name: name.into(),
            value: value.into(),
            kind,
        };
        let expected = AcsRequest::SetParameterValues {
            values: vec![
                value("A.B", "true", Some(Kind::Boolean)),
                value("A.C", " v ", None),
            ],
            parameter_key: "k".into(),
        };
        assert_eq!(understood(body), FromAcs::Request(expected));
    }

    #[test]
    fn an_unknown_method_is_a_request_and_an_unknown_response_is_not() {
        let unknown = AcsRequest::Unknown("X_Reboot".into());
        assert_eq!(understood("<c:X_Reboot/>"), FromAcs::Request(unknown));
        let response = BodyError::Response("KickedResponse".into());
        assert_eq!(refused("", "<c:KickedResponse/>"), response);
    }

    #[test]
    fn a_header_that_must_be_understood_and_is_not_is_named() {
        let foreign = "<z:Lock xmlns:z='urn:z' s:mustUnderstand='1'/>";
        let named = BodyError::NotUnderstood("Lock".into());
        assert_eq!(refused(foreign, "<c:Reboot/>"), named);
        let harmless = "<z:Lock xmlns:z='urn:z'/><c:NoMoreRequests>0</c:NoMoreRequests>";
        let message = read(envelope(harmless, "<c:Reboot/>").as_bytes()).expect("an envelope");
        assert!(message.body.is_ok());
    }

    #[test]
    fn attributes_that_are_not_to_change_are_none() {
        let body = "<c:SetParameterAttributes><ParameterList><SetParameterAttributesStruct>\
             <Name>A.</Name><NotificationChange>1</NotificationChange>\
             <Notification>2</Notification><AccessListChange>0</AccessListChange>\
             <AccessList/></SetParameterAttributesStruct></ParameterList>\
             </c:SetParameterAttributes>";
        let expected = AttributeChange {
            name: "A.".into(),
            notification: Some(2),
            access_list: None,
        };
        let expected = AcsRequest::SetParameterAttributes(vec![expected]);
        assert_eq!(understood(body), FromAcs::Request(expected));
    }

    #[test]
    fn a_fault_tells_its_code_with_and_without_a_detail() {
        let body = "<s:Fault><faultcode>s:Server</faultcode><faultstring>CWMP fault\
             </faultstring><detail><c:Fault><FaultCode>8005</FaultCode><FaultString>Retry\
             </FaultString></c:Fault></detail></s:Fault>";
        let FromAcs::Fault(fault) = understood(body) else {
            panic!("a fault");
        };
        assert_eq!((fault.party, fault.fault.code), (Party::Server, 8005));
        let bare = "<s:Fault><faultcode>Client</faultcode><faultstring>no</faultstring></s:Fault>";
        let FromAcs::Fault(fault) = understood(bare) else {
            panic!("a fault");
        };
        assert_eq!((fault.fault.code, fault.fault.text.as_str()), (0, "no"));
    }

    #[test]
    fn what_is_no_message_of_cwmp_is_told_from_what_cannot_be_done() {
        let foreign = envelope("", "<z:Reboot xmlns:z='urn:z'/>");
        let error = read(foreign.as_bytes()).expect_err("foreign");
        assert_eq!(error, SoapError::Foreign("Reboot".into()));
        let empty = read(envelope("", "").as_bytes()).expect_err("empty");
        assert_eq!(empty, SoapError::Body);
        let two = envelope("", "<c:Reboot/><c:Reboot/>");
        assert_eq!(read(two.as_bytes()).expect_err("two"), SoapError::Body);
        assert_eq!(read(b"<html/>").expect_err("html"), SoapError::NoEnvelope);
        let soap12 = "<Envelope xmlns='http://www.w3.org/2003/05/soap-envelope'/>";
        assert_eq!(
            read(soap12.as_bytes()).expect_err("1.2"),
            SoapError::NoEnvelope
        );
    }
}
