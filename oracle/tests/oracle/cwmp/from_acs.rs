//! What an ACS says: the crate writes it, we read it.

use super::{ID_TEXT, ODD, text, theirs, theirs_with};
use ::cwmp::protocol::{self as they, BodyElement, HeaderElement, ID};
use demarc::wire::soap::message::{
    AcsRequest, AcsResponse, AttributeChange, Download, Fault, FaultStruct, FromAcs, Header, Kind,
    Namespace, ParameterValue, Party, TimeWindow, Upload,
};
use demarc::wire::soap::{SoapError, read};

#[test]
fn what_the_crate_writes_is_read_as_it_was_meant() {
    let cases = [settings(), transfers(), answers()].concat();
    assert!(cases.len() >= 20, "{}", cases.len());
    for (theirs_body, ours) in cases {
        let written = mended(&theirs(theirs_body));
        let envelope = read(written.as_bytes()).expect(&written);
        assert_eq!(envelope.namespace, Namespace::Cwmp10);
        assert_eq!(envelope.header.id.as_deref(), Some(ID_TEXT));
        assert_eq!(envelope.body, Ok(ours), "{written}");
    }
}

#[test]
fn the_headers_of_an_acs_are_read_too() {
    let header = vec![
        HeaderElement::ID(ID::new(true, text("7"))),
        HeaderElement::HoldRequests(they::HoldRequests::new(true, true)),
        HeaderElement::NoMoreRequests(they::NoMoreRequests::new(true, 1)),
        HeaderElement::UseCWMPVersion(they::UseCWMPVersion::new(true, text("1.2"))),
    ];
    let body = BodyElement::InformResponse(they::InformResponse::new(1));
    let written = mended(&theirs_with(header, body));
    let envelope = read(written.as_bytes()).expect(&written);
    let expected = Header {
        id: Some("7".into()),
        hold_requests: true,
        use_version: Some("1.2".into()),
        ..Header::default()
    };
    assert_eq!(envelope.header, expected);
}

/// SOAP 1.1 §4.1.2: an envelope that is not of SOAP's namespace is another
/// version's, and discarded. The crate's has no namespace at all.
#[test]
fn the_envelope_of_the_crate_is_in_no_namespace_and_refused_as_it_is() {
    let written = theirs(BodyElement::GetRPCMethods(they::GetRPCMethods {}));
    let written = written.generate().expect("an envelope");
    assert_eq!(read(written.as_bytes()), Err(SoapError::NoEnvelope));
}

/// With the one thing put right that would refuse all of it.
fn mended(envelope: &they::Envelope) -> String {
    let written = envelope.generate().expect("an envelope");
    let written = written.replacen("<Envelope ", "<SOAP-ENV:Envelope ", 1);
    written.replacen("</Envelope>", "</SOAP-ENV:Envelope>", 1)
}

fn request(body: BodyElement, ours: AcsRequest) -> (BodyElement, FromAcs) {
    (body, FromAcs::Request(ours))
}

fn settings() -> Vec<(BodyElement, FromAcs)> {
    let value = |name: &str, kind, value: &str| ParameterValue {
        name: name.into(),
        value: value.into(),
        kind: Some(kind),
    };
    let change = |changed: bool| AttributeChange {
        name: "Device.A".into(),
        notification: changed.then_some(2),
        access_list: changed.then(|| vec![text("Subscriber")]),
    };
    let their_change = |changed: u8| {
        let list = vec![text("Subscriber")];
        they::SetParameterAttributesStruct::new(text("Device.A"), changed, 2, changed, list)
    };
    vec![
        request(
            BodyElement::GetRPCMethods(they::GetRPCMethods {}),
            AcsRequest::GetRpcMethods,
        ),
        request(
            BodyElement::SetParameterValues(they::SetParameterValues::new(
                Some(text(ODD)),
                vec![
                    they::ParameterValue::new(text("Device.A"), text("xsd:string"), text(ODD)),
                    they::ParameterValue::new(text("Device.B"), text("xsd:boolean"), text("1")),
                    they::ParameterValue::new(text("Device.C"), text("xsd:string"), text("")),
                ],
            )),
            AcsRequest::SetParameterValues {
                values: vec![
                    value("Device.A", Kind::String, ODD),
                    value("Device.B", Kind::Boolean, "1"),
                    value("Device.C", Kind::String, ""),
                ],
                parameter_key: ODD.into(),
            },
        ),
        request(
            BodyElement::GetParameterValues(they::GetParameterValues::new(vec![
                text(""),
                text("Device.A"),
            ])),
            AcsRequest::GetParameterValues(vec![text(""), text("Device.A")]),
        ),
        request(
            BodyElement::GetParameterNames(they::GetParameterNames::new(text("Device."), 1)),
            AcsRequest::GetParameterNames {
                path: "Device.".into(),
                next_level: true,
            },
        ),
        request(
            BodyElement::SetParameterAttributes(they::SetParameterAttributes::new(vec![
                their_change(1),
                their_change(0),
            ])),
            AcsRequest::SetParameterAttributes(vec![change(true), change(false)]),
        ),
        request(
            BodyElement::GetParameterAttributes(they::GetParameterAttributes::new(vec![text(
                "Device.A",
            )])),
            AcsRequest::GetParameterAttributes(vec![text("Device.A")]),
        ),
        request(
            BodyElement::AddObject(they::AddObject::new(text("Device.T."), text("k"))),
            AcsRequest::AddObject {
                path: "Device.T.".into(),
                parameter_key: "k".into(),
            },
        ),
        request(
            BodyElement::DeleteObject(they::DeleteObject::new(text("Device.T.1."), text(""))),
            AcsRequest::DeleteObject {
                path: "Device.T.1.".into(),
                parameter_key: String::new(),
            },
        ),
        request(
            BodyElement::Reboot(they::Reboot::new(text(ODD))),
            AcsRequest::Reboot {
                command_key: ODD.into(),
            },
        ),
        request(
            BodyElement::FactoryReset(they::FactoryReset),
            AcsRequest::FactoryReset,
        ),
        request(
            BodyElement::ScheduleInform(they::ScheduleInform::new(60, text("k"))),
            AcsRequest::ScheduleInform {
                delay_seconds: 60,
                command_key: "k".into(),
            },
        ),
    ]
}

fn transfers() -> Vec<(BodyElement, FromAcs)> {
    let download = Download {
        command_key: "k".into(),
        file_type: "3 Vendor Configuration File".into(),
        url: "https://a/?b=c&d".into(),
        username: "u".into(),
        password: ODD.into(),
        file_size: 9,
        target_file_name: "t".into(),
    };
    let upload = Upload {
        command_key: "k".into(),
        file_type: "2 Vendor Log File".into(),
        url: "https://a/".into(),
        username: "u".into(),
        password: "p".into(),
        delay_seconds: 0,
    };
    let scheduled = Download {
        command_key: "k".into(),
        file_type: "1 Firmware Upgrade Image".into(),
        url: "https://a/".into(),
        username: "u".into(),
        password: "p".into(),
        file_size: 0,
        target_file_name: String::new(),
    };
    let windows = vec![TimeWindow {
        start: 1,
        end: 2,
        mode: "2 Immediately".into(),
        user_message: String::new(),
        max_retries: -1,
    }];
    vec![
        request(
            BodyElement::Download(they::Download::new(
                text("k"),
                text("3 Vendor Configuration File"),
                text("https://a/?b=c&d"),
                text("u"),
                text(ODD),
                9,
                text("t"),
                5,
                text("s"),
                text("f"),
            )),
            AcsRequest::Download {
                file: download,
                delay_seconds: 5,
            },
        ),
        request(
            BodyElement::Upload(they::Upload::new(
                text("k"),
                text("2 Vendor Log File"),
                text("https://a/"),
                text("u"),
                text("p"),
                0,
            )),
            AcsRequest::Upload(upload),
        ),
        request(
            BodyElement::ScheduleDownload(they::ScheduleDownload::new(
                text("k"),
                text("1 Firmware Upgrade Image"),
                text("https://a/"),
                text("u"),
                text("p"),
                0,
                text(""),
                vec![they::TimeWindow::new(
                    1,
                    2,
                    text("2 Immediately"),
                    text(""),
                    -1,
                )],
            )),
            AcsRequest::ScheduleDownload {
                file: scheduled,
                windows,
            },
        ),
        request(
            BodyElement::CancelTransfer(they::CancelTransfer::new(text("k"))),
            AcsRequest::CancelTransfer {
                command_key: "k".into(),
            },
        ),
        request(
            BodyElement::GetAllQueuedTransfers(they::GetAllQueuedTransfers),
            AcsRequest::GetAllQueuedTransfers,
        ),
    ]
}

fn answers() -> Vec<(BodyElement, FromAcs)> {
    let refused = Fault {
        party: Party::Server,
        fault: FaultStruct {
            code: 8005,
            text: ODD.into(),
        },
        parameters: Vec::new(),
    };
    vec![
        (
            BodyElement::InformResponse(they::InformResponse::new(1)),
            FromAcs::Response(AcsResponse::Inform { max_envelopes: 1 }),
        ),
        (
            BodyElement::TransferCompleteResponse(they::TransferCompleteResponse {}),
            FromAcs::Response(AcsResponse::TransferComplete),
        ),
        (
            BodyElement::AutonomousTransferCompleteResponse(
                they::AutonomousTransferCompleteResponse {},
            ),
            FromAcs::Response(AcsResponse::AutonomousTransferComplete),
        ),
        (
            BodyElement::GetRPCMethodsResponse(they::GetRPCMethodsResponse::new(vec![text(
                "Inform",
            )])),
            FromAcs::Response(AcsResponse::GetRpcMethods(vec![text("Inform")])),
        ),
        (
            BodyElement::RequestDownloadResponse(they::RequestDownloadResponse {}),
            FromAcs::Response(AcsResponse::RequestDownload),
        ),
        (
            BodyElement::Fault(they::Fault::new(
                text("Server"),
                text("CWMP fault"),
                8005,
                text(ODD),
            )),
            FromAcs::Fault(refused),
        ),
    ]
}
