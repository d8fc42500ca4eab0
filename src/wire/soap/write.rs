//! Printing what a CPE says, in the order of the schema.
//!
//! Printing the same message twice gives the same octets, so a sink that only
//! counts tells the Content-Length first; an answer of twenty thousand
//! parameters is never held as one text.

use super::SOAP;
use super::entry::{Entry, Object, print_text};
use super::message::{
    Applied, AutonomousTransferComplete, CpeRequest, CpeResponse, Envelope, Event, Fault,
    FaultStruct, FromCpe, Header, Inform, Kind, Namespace, ParameterAttributes, ParameterInfo,
    ParameterValue, Party, QueuedTransfer, TransferComplete, TransferStarted,
};
use std::io::{self, Write};

/// Prints a message.
///
/// # Errors
/// Those of the sink.
pub fn print(message: &Envelope<FromCpe>, sink: &mut impl Write) -> io::Result<()> {
    let mut page = Page::open(sink, message.namespace, &message.header)?;
    match &message.body {
        FromCpe::Request(request) => page.request(request)?,
        FromCpe::Response(response) => page.response(response)?,
        FromCpe::Fault(fault) => page.fault(fault)?,
        FromCpe::NotUnderstood(header) => page.not_understood(header)?,
    }
    page.close()
}

/// Prints a GetParameterValuesResponse of so many values; `each` prints them
/// one by one, since they are not collected first.
///
/// # Errors
/// Those of the sink.
pub fn print_values<W: Write>(
    namespace: Namespace,
    header: &Header,
    count: usize,
    sink: &mut W,
    each: impl FnOnce(&mut W) -> io::Result<()>,
) -> io::Result<()> {
    let mut page = Page::open(sink, namespace, header)?;
    page.within("cwmp:GetParameterValuesResponse", |page| {
        page.list(
            "ParameterList",
            "cwmp:ParameterValueStruct",
            count,
            |page| each(page.sink),
        )
    })?;
    page.close()
}

struct Page<'s, W> {
    sink: &'s mut W,
}

impl<'s, W: Write> Page<'s, W> {
    fn open(sink: &'s mut W, namespace: Namespace, header: &Header) -> io::Result<Self> {
        let mut page = Page { sink };
        write!(
            page.sink,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <soap:Envelope xmlns:soap=\"{SOAP}\" \
             xmlns:enc=\"http://schemas.xmlsoap.org/soap/encoding/\" \
             xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\" \
             xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" \
             xmlns:cwmp=\"{}\">",
            namespace.urn()
        )?;
        page.header(header)?;
        page.sink.write_all(b"<soap:Body>")?;
        Ok(page)
    }

    fn close(self) -> io::Result<()> {
        self.sink.write_all(b"</soap:Body></soap:Envelope>\n")
    }

    fn header(&mut self, header: &Header) -> io::Result<()> {
        if *header == Header::default() {
            return Ok(());
        }
        self.within("soap:Header", |page| {
            // TR-069 §3.5, table 4: what each block's mustUnderstand has to be.
            if let Some(id) = &header.id {
                page.block("ID", "1", id)?;
            }
            if header.hold_requests {
                page.block("HoldRequests", "1", "1")?;
            }
            if let Some(seconds) = header.session_timeout {
                page.block("SessionTimeout", "0", &seconds.to_string())?;
            }
            if let Some(versions) = &header.supported_versions {
                page.block("SupportedCWMPVersions", "0", versions)?;
            }
            if let Some(version) = &header.use_version {
                page.block("UseCWMPVersion", "1", version)?;
            }
            Ok(())
        })
    }

    fn block(&mut self, name: &str, must_understand: &str, text: &str) -> io::Result<()> {
        write!(
            self.sink,
            "<cwmp:{name} soap:mustUnderstand=\"{must_understand}\">"
        )?;
        self.text(text)?;
        write!(self.sink, "</cwmp:{name}>")
    }

    fn request(&mut self, request: &CpeRequest) -> io::Result<()> {
        match request {
            CpeRequest::Inform(inform) => self.inform(inform),
            CpeRequest::TransferComplete(complete) => self.transfer_complete(complete),
            CpeRequest::AutonomousTransferComplete(complete) => self.autonomous(complete),
            CpeRequest::GetRpcMethods => self.empty("cwmp:GetRPCMethods"),
            CpeRequest::RequestDownload {
                file_type,
                arguments,
            } => self.within("cwmp:RequestDownload", |page| {
                page.leaf("FileType", file_type)?;
                let entry = |page: &mut Self, (name, value): &(String, String)| {
                    page.within("ArgStruct", |page| {
                        page.leaf("Name", name)?;
                        page.leaf("Value", value)
                    })
                };
                page.array("FileTypeArg", "cwmp:ArgStruct", arguments, entry)
            }),
        }
    }

    fn inform(&mut self, inform: &Inform) -> io::Result<()> {
        self.within("cwmp:Inform", |page| {
            page.within("DeviceId", |page| {
                page.leaf("Manufacturer", &inform.device.manufacturer)?;
                page.leaf("OUI", &inform.device.oui)?;
                page.leaf("ProductClass", &inform.device.product_class)?;
                page.leaf("SerialNumber", &inform.device.serial_number)
            })?;
            let entry = |page: &mut Self, event: &Event| {
                page.within("EventStruct", |page| {
                    page.leaf("EventCode", &event.code)?;
                    page.leaf("CommandKey", &event.command_key)
                })
            };
            page.array("Event", "cwmp:EventStruct", &inform.events, entry)?;
            // A.3.3.1: always 1.
            page.leaf("MaxEnvelopes", "1")?;
            page.time("CurrentTime", inform.current_time.as_deref())?;
            page.leaf("RetryCount", &inform.retry_count.to_string())?;
            page.parameter_values(&inform.parameters)
        })
    }

    fn transfer_complete(&mut self, complete: &TransferComplete) -> io::Result<()> {
        self.within("cwmp:TransferComplete", |page| {
            page.leaf("CommandKey", &complete.command_key)?;
            page.within("FaultStruct", |page| page.fault_struct(&complete.fault))?;
            page.time("StartTime", complete.start_time.as_deref())?;
            page.time("CompleteTime", complete.complete_time.as_deref())
        })
    }

    fn autonomous(&mut self, complete: &AutonomousTransferComplete) -> io::Result<()> {
        self.within("cwmp:AutonomousTransferComplete", |page| {
            page.leaf("AnnounceURL", &complete.announce_url)?;
            page.leaf("TransferURL", &complete.transfer_url)?;
            page.leaf("IsDownload", truth(complete.is_download))?;
            page.leaf("FileType", &complete.file_type)?;
            page.leaf("FileSize", &complete.file_size.to_string())?;
            page.leaf("TargetFileName", &complete.target_file_name)?;
            page.within("FaultStruct", |page| page.fault_struct(&complete.fault))?;
            page.time("StartTime", complete.start_time.as_deref())?;
            page.time("CompleteTime", complete.complete_time.as_deref())
        })
    }

    fn response(&mut self, response: &CpeResponse) -> io::Result<()> {
        match response {
            CpeResponse::GetRpcMethods(methods) => self
                .within("cwmp:GetRPCMethodsResponse", |page| {
                    page.strings("MethodList", methods)
                }),
            CpeResponse::SetParameterValues(applied) => self
                .within("cwmp:SetParameterValuesResponse", |page| {
                    page.status(*applied)
                }),
            CpeResponse::GetParameterValues(values) => self
                .within("cwmp:GetParameterValuesResponse", |page| {
                    page.parameter_values(values)
                }),
            CpeResponse::GetParameterNames(names) => {
                self.within("cwmp:GetParameterNamesResponse", |page| page.names(names))
            }
            CpeResponse::GetParameterAttributes(attributes) => self
                .within("cwmp:GetParameterAttributesResponse", |page| {
                    page.attributes(attributes)
                }),
            CpeResponse::AddObject { instance, status } => {
                self.within("cwmp:AddObjectResponse", |page| {
                    page.leaf("InstanceNumber", &instance.to_string())?;
                    page.status(*status)
                })
            }
            CpeResponse::DeleteObject(applied) => {
                self.within("cwmp:DeleteObjectResponse", |page| page.status(*applied))
            }
            CpeResponse::Download(started) => {
                self.within("cwmp:DownloadResponse", |page| page.started(started))
            }
            CpeResponse::Upload(started) => {
                self.within("cwmp:UploadResponse", |page| page.started(started))
            }
            CpeResponse::GetAllQueuedTransfers(transfers) => self
                .within("cwmp:GetAllQueuedTransfersResponse", |page| {
                    page.queued(transfers)
                }),
            CpeResponse::GetQueuedTransfers(transfers) => self
                .within("cwmp:GetQueuedTransfersResponse", |page| {
                    page.queued_by_key(transfers)
                }),
            CpeResponse::SetParameterAttributes => {
                self.empty("cwmp:SetParameterAttributesResponse")
            }
            CpeResponse::Reboot => self.empty("cwmp:RebootResponse"),
            CpeResponse::FactoryReset => self.empty("cwmp:FactoryResetResponse"),
            CpeResponse::ScheduleInform => self.empty("cwmp:ScheduleInformResponse"),
            CpeResponse::ScheduleDownload => self.empty("cwmp:ScheduleDownloadResponse"),
            CpeResponse::CancelTransfer => self.empty("cwmp:CancelTransferResponse"),
        }
    }

    fn fault(&mut self, fault: &Fault) -> io::Result<()> {
        self.within("soap:Fault", |page| {
            let party = match fault.party {
                Party::Client => "Client",
                Party::Server => "Server",
            };
            page.leaf("faultcode", party)?;
            // TR-069 §3.5: the string is always this one.
            page.leaf("faultstring", "CWMP fault")?;
            page.within("detail", |page| {
                page.within("cwmp:Fault", |page| {
                    page.fault_struct(&fault.fault)?;
                    for refused in &fault.parameters {
                        page.within("SetParameterValuesFault", |page| {
                            page.leaf("ParameterName", &refused.name)?;
                            page.fault_struct(&refused.fault)
                        })?;
                    }
                    Ok(())
                })
            })
        })
    }

    /// SOAP 1.1 §4.4: the detail is for faults of the body only.
    fn not_understood(&mut self, header: &str) -> io::Result<()> {
        self.within("soap:Fault", |page| {
            page.leaf("faultcode", "soap:MustUnderstand")?;
            page.leaf("faultstring", &format!("the header {header} is not known"))
        })
    }

    fn names(&mut self, names: &[ParameterInfo]) -> io::Result<()> {
        let entry = |page: &mut Self, info: &ParameterInfo| {
            page.within("ParameterInfoStruct", |page| {
                page.leaf("Name", &info.name)?;
                page.leaf("Writable", truth(info.writable))
            })
        };
        self.array("ParameterList", "cwmp:ParameterInfoStruct", names, entry)
    }

    fn attributes(&mut self, attributes: &[ParameterAttributes]) -> io::Result<()> {
        let entry = |page: &mut Self, of: &ParameterAttributes| {
            page.within("ParameterAttributeStruct", |page| {
                page.leaf("Name", &of.name)?;
                page.leaf("Notification", &of.notification.to_string())?;
                page.strings("AccessList", &of.access_list)
            })
        };
        let kind = "cwmp:ParameterAttributeStruct";
        self.array("ParameterList", kind, attributes, entry)
    }

    fn queued(&mut self, transfers: &[QueuedTransfer]) -> io::Result<()> {
        let entry = |page: &mut Self, transfer: &QueuedTransfer| {
            page.within("AllQueuedTransferStruct", |page| {
                page.leaf("CommandKey", &transfer.command_key)?;
                page.leaf("State", &transfer.state.to_string())?;
                page.leaf("IsDownload", truth(transfer.is_download))?;
                page.leaf("FileType", &transfer.file_type)?;
                page.leaf("FileSize", &transfer.file_size.to_string())?;
                page.leaf("TargetFileName", &transfer.target_file_name)
            })
        };
        let kind = "cwmp:AllQueuedTransferStruct";
        self.array("TransferList", kind, transfers, entry)
    }

    fn queued_by_key(&mut self, transfers: &[QueuedTransfer]) -> io::Result<()> {
        let entry = |page: &mut Self, transfer: &QueuedTransfer| {
            page.within("QueuedTransferStruct", |page| {
                page.leaf("CommandKey", &transfer.command_key)?;
                page.leaf("State", &transfer.state.to_string())
            })
        };
        let kind = "cwmp:QueuedTransferStruct";
        self.array("TransferList", kind, transfers, entry)
    }

    fn started(&mut self, started: &TransferStarted) -> io::Result<()> {
        self.status(started.status)?;
        self.time("StartTime", started.start_time.as_deref())?;
        self.time("CompleteTime", started.complete_time.as_deref())
    }

    fn parameter_values(&mut self, values: &[ParameterValue]) -> io::Result<()> {
        let kind = "cwmp:ParameterValueStruct";
        self.array("ParameterList", kind, values, |page, value| {
            page.parameter_value(value)
        })
    }

    fn parameter_value(&mut self, value: &ParameterValue) -> io::Result<()> {
        let entry = Entry {
            object: &Object::of(&value.name),
            name: "",
            kind: value.kind.unwrap_or(Kind::String),
            value: &value.value,
        };
        entry.print(self.sink)
    }

    fn fault_struct(&mut self, fault: &FaultStruct) -> io::Result<()> {
        self.leaf("FaultCode", &fault.code.to_string())?;
        self.leaf("FaultString", &fault.text)
    }

    fn status(&mut self, applied: Applied) -> io::Result<()> {
        let number = match applied {
            Applied::Now => "0",
            Applied::Later => "1",
        };
        self.leaf("Status", number)
    }

    /// TR-106 §3.2.1: the unknown time.
    fn time(&mut self, name: &str, time: Option<&str>) -> io::Result<()> {
        self.leaf(name, time.unwrap_or("0001-01-01T00:00:00Z"))
    }

    fn strings(&mut self, name: &str, strings: &[String]) -> io::Result<()> {
        self.array(name, "xsd:string", strings, |page, text| {
            page.leaf("string", text)
        })
    }

    fn array<T>(
        &mut self,
        name: &str,
        kind: &str,
        entries: &[T],
        entry: impl Fn(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        self.list(name, kind, entries.len(), |page| {
            entries.iter().try_for_each(|each| entry(page, each))
        })
    }

    fn list(
        &mut self,
        name: &str,
        kind: &str,
        count: usize,
        entries: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        write!(self.sink, "<{name} enc:arrayType=\"{kind}[{count}]\">")?;
        entries(self)?;
        write!(self.sink, "</{name}>")
    }

    fn within(
        &mut self,
        name: &str,
        inside: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> io::Result<()> {
        self.tag(b"<", name)?;
        inside(self)?;
        self.tag(b"</", name)
    }

    fn tag(&mut self, begin: &[u8], name: &str) -> io::Result<()> {
        self.sink.write_all(begin)?;
        self.sink.write_all(name.as_bytes())?;
        self.sink.write_all(b">")
    }

    fn leaf(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.within(name, |page| page.text(text))
    }

    fn empty(&mut self, name: &str) -> io::Result<()> {
        write!(self.sink, "<{name}/>")
    }

    fn text(&mut self, text: &str) -> io::Result<()> {
        print_text(text, self.sink)
    }
}

fn truth(value: bool) -> &'static str {
    match value {
        true => "1",
        false => "0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::soap::element::Element;

    fn printed(body: FromCpe) -> Vec<u8> {
        let message = Envelope {
            namespace: Namespace::Cwmp12,
            header: Header {
                id: Some("<7>".into()),
                session_timeout: Some(60),
                ..Header::default()
            },
            body,
        };
        let mut octets = Vec::new();
        print(&message, &mut octets).expect("a Vec takes everything");
        octets
    }

    fn values(count: usize) -> impl Iterator<Item = ParameterValue> {
        (0..count).map(|number| ParameterValue {
            name: format!("Device.X.{number}.Name"),
            value: "a\r\n<&>\u{1}".into(),
            kind: Some(Kind::String),
        })
    }

    #[test]
    fn what_is_printed_reads_as_what_was_meant() {
        let octets = printed(FromCpe::Response(CpeResponse::GetParameterValues(
            values(2).collect(),
        )));
        let document = Element::read(&octets).expect("well formed");
        let header = document.child("Header").expect("a header");
        let id = header.child("ID").expect("an ID");
        assert_eq!((id.text.as_str(), id.must_understand), ("<7>", true));
        let timeout = header.child("SessionTimeout").expect("a timeout");
        assert!(!timeout.must_understand);
        let method = &document.child("Body").expect("a body").children[0];
        assert!(method.is("urn:dslforum-org:cwmp-1-2", "GetParameterValuesResponse"));
        let list = method.child("ParameterList").expect("a list");
        assert_eq!(list.children.len(), 2);
        let value = list.children[1].child("Value").expect("a value");
        assert_eq!(value.kind.as_deref(), Some("string"));
        assert_eq!(value.text, "a\r\n<&>\u{fffd}");
    }

    #[test]
    fn streamed_values_are_the_same_octets_as_collected_ones() {
        let header = Header::default();
        let mut streamed = Vec::new();
        let each = |sink: &mut Vec<u8>| {
            values(3).try_for_each(|value| {
                let entry = Entry {
                    object: &Object::of(value.name.trim_end_matches("Name")),
                    name: "Name",
                    kind: Kind::String,
                    value: &value.value,
                };
                entry.print(sink)
            })
        };
        print_values(Namespace::Cwmp12, &header, 3, &mut streamed, each).expect("a Vec");
        let message = Envelope {
            namespace: Namespace::Cwmp12,
            header,
            body: FromCpe::Response(CpeResponse::GetParameterValues(values(3).collect())),
        };
        let mut collected = Vec::new();
        print(&message, &mut collected).expect("a Vec");
        assert_eq!(streamed, collected);
    }

    #[test]
    fn an_array_says_how_many_entries_it_has() {
        let methods = vec!["Inform".to_owned(), "Reboot".to_owned()];
        let octets = printed(FromCpe::Response(CpeResponse::GetRpcMethods(methods)));
        let text = String::from_utf8(octets).expect("UTF-8");
        assert!(text.contains("<MethodList enc:arrayType=\"xsd:string[2]\">"));
    }

    #[test]
    fn an_unknown_time_is_the_one_that_the_standard_names() {
        let started = TransferStarted {
            status: Applied::Later,
            start_time: None,
            complete_time: Some("2026-11-24T10:00:00Z".into()),
        };
        let octets = printed(FromCpe::Response(CpeResponse::Download(started)));
        let text = String::from_utf8(octets).expect("UTF-8");
        assert!(text.contains(
            "<Status>1</Status><StartTime>0001-01-01T00:00:00Z</StartTime>\
             <CompleteTime>2026-11-24T10:00:00Z</CompleteTime>"
        ));
    }
}
