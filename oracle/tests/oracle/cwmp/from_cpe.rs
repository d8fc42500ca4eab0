//! What a CPE says: we write it, the crate reads it.

use super::{ID_TEXT, ODD, text, theirs, theirs_with};
use ::cwmp::protocol::{self as they, BodyElement, HeaderElement, ID};
use chrono::{DateTime, Utc};
use demarc::wire::soap::message::{
    Applied, AutonomousTransferComplete, CpeRequest, CpeResponse, DeviceIdStruct, Envelope, Event,
    Fault, FaultStruct, FromCpe, Header, Inform, Kind, Namespace, ParameterAttributes,
    ParameterFault, ParameterInfo, ParameterValue, Party, QueuedTransfer, TransferComplete,
    TransferStarted,
};
use demarc::wire::soap::print;

#[test]
fn what_we_write_is_read_as_it_was_meant() {
    let cases = [requests(), responses()].concat();
    assert!(cases.len() >= 20, "{}", cases.len());
    for (ours, theirs_body) in cases {
        let printed = printed(Header::default(), ours);
        assert_eq!(read(&printed), theirs(theirs_body), "{printed}");
    }
}

#[test]
fn the_headers_of_an_inform_are_read_too() {
    let header = Header {
        session_timeout: Some(60),
        supported_versions: Some("1.0,1.1,1.2".into()),
        ..Header::default()
    };
    let (ours, theirs_body) = inform();
    let expected = vec![
        HeaderElement::ID(ID::new(true, ID_TEXT.into())),
        HeaderElement::SessionTimeout(they::SessionTimeout::new(false, 60)),
        HeaderElement::SupportedCWMPVersions(they::SupportedCWMPVersions::new(
            false,
            text("1.0,1.1,1.2"),
        )),
    ];
    let printed = printed(header, ours);
    assert_eq!(
        read(&printed),
        theirs_with(expected, theirs_body),
        "{printed}"
    );
}

/// TR-069 A.3.2.1: which parameters were refused, and why, stands in the
/// detail of the fault. The crate has no place for it.
#[test]
fn the_faults_of_single_parameters_are_lost_on_the_crate() {
    let with = |parameters| {
        FromCpe::Fault(Fault {
            party: Party::Client,
            fault: fault(9003).0,
            parameters,
        })
    };
    let refused = ParameterFault {
        name: "Device.A".into(),
        fault: fault(9007).0,
    };
    let whole = printed(Header::default(), with(vec![refused]));
    assert!(whole.contains("<SetParameterValuesFault>"));
    assert_eq!(
        read(&whole),
        read(&printed(Header::default(), with(Vec::new())))
    );
}

fn read(printed: &str) -> they::Envelope {
    ::cwmp::parse(printed.to_owned()).expect(printed)
}

fn printed(header: Header, body: FromCpe) -> String {
    let message = Envelope {
        namespace: Namespace::Cwmp10,
        header: Header {
            id: Some(ID_TEXT.into()),
            ..header
        },
        body,
    };
    let mut octets = Vec::new();
    print(&message, &mut octets).expect("a Vec takes everything");
    String::from_utf8(octets).expect("UTF-8")
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

const STARTED: &str = "2026-11-24T10:00:00Z";
const ENDED: &str = "2026-11-24T10:01:02Z";

fn inform() -> (FromCpe, BodyElement) {
    let ours = Inform {
        device: DeviceIdStruct {
            manufacturer: "Demarc".into(),
            oui: "0090F8".into(),
            product_class: "Gate & Way".into(),
            serial_number: "S<1>".into(),
        },
        events: vec![
            Event {
                code: "1 BOOT".into(),
                command_key: String::new(),
            },
            Event {
                code: "M Reboot".into(),
                command_key: ODD.into(),
            },
        ],
        current_time: Some(STARTED.into()),
        retry_count: 3,
        parameters: values().0,
    };
    let theirs = they::Inform::new(
        they::DeviceId::new(
            text("Demarc"),
            text("0090F8"),
            text("Gate & Way"),
            text("S<1>"),
        ),
        vec![
            they::EventStruct::new(text("1 BOOT"), text("")),
            they::EventStruct::new(text("M Reboot"), text(ODD)),
        ],
        1,
        time(STARTED),
        3,
        values().1,
    );
    (
        FromCpe::Request(CpeRequest::Inform(ours)),
        BodyElement::Inform(theirs),
    )
}

fn values() -> (Vec<ParameterValue>, Vec<they::ParameterValue>) {
    let all = [
        ("Device.A", Kind::String, ODD),
        ("Device.B", Kind::String, ""),
        ("Device.C", Kind::UnsignedInt, "4294967295"),
        ("Device.D", Kind::Boolean, "true"),
        ("Device.E", Kind::DateTime, STARTED),
        ("Device.F", Kind::Int, "-1"),
    ];
    let ours = all.map(|(name, kind, value)| ParameterValue {
        name: name.into(),
        value: value.into(),
        kind: Some(kind),
    });
    let theirs = all.map(|(name, kind, value)| {
        they::ParameterValue::new(text(name), format!("xsd:{}", kind.name()), text(value))
    });
    (ours.into(), theirs.into())
}

fn fault(code: u16) -> (FaultStruct, they::FaultStruct) {
    let ours = FaultStruct {
        code,
        text: ODD.into(),
    };
    (ours, they::FaultStruct::new(code.into(), text(ODD)))
}

fn requests() -> Vec<(FromCpe, BodyElement)> {
    let complete = TransferComplete {
        command_key: ODD.into(),
        fault: fault(9010).0,
        start_time: Some(STARTED.into()),
        complete_time: Some(ENDED.into()),
    };
    let autonomous = AutonomousTransferComplete {
        announce_url: String::new(),
        transfer_url: "http://a/?b=c&d".into(),
        is_download: true,
        file_type: "3 Vendor Configuration File".into(),
        file_size: 7,
        target_file_name: "x".into(),
        fault: FaultStruct::default(),
        start_time: Some(STARTED.into()),
        complete_time: Some(ENDED.into()),
    };
    let download = CpeRequest::RequestDownload {
        file_type: "1 Firmware Upgrade Image".into(),
        arguments: vec![("a".into(), ODD.into()), ("b".into(), String::new())],
    };
    vec![
        inform(),
        (
            FromCpe::Request(CpeRequest::TransferComplete(complete)),
            BodyElement::TransferComplete(they::TransferComplete::new(
                text(ODD),
                fault(9010).1,
                Some(time(STARTED)),
                Some(time(ENDED)),
            )),
        ),
        (
            FromCpe::Request(CpeRequest::AutonomousTransferComplete(autonomous)),
            BodyElement::AutonomousTransferComplete(they::AutonomousTransferComplete::new(
                text(""),
                text("http://a/?b=c&d"),
                1,
                text("3 Vendor Configuration File"),
                7,
                text("x"),
                they::FaultStruct::new(0, text("")),
                time(STARTED),
                time(ENDED),
            )),
        ),
        (
            FromCpe::Request(CpeRequest::GetRpcMethods),
            BodyElement::GetRPCMethods(they::GetRPCMethods {}),
        ),
        (
            FromCpe::Request(download),
            BodyElement::RequestDownload(they::RequestDownload::new(
                text("1 Firmware Upgrade Image"),
                vec![
                    they::ArgStruct::new(text("a"), text(ODD)),
                    they::ArgStruct::new(text("b"), text("")),
                ],
            )),
        ),
    ]
}

fn responses() -> Vec<(FromCpe, BodyElement)> {
    let refused = Fault {
        party: Party::Client,
        fault: fault(9003).0,
        parameters: Vec::new(),
    };
    let all = about_parameters().into_iter().chain(about_files());
    let mut all: Vec<_> = all
        .map(|(ours, theirs)| (FromCpe::Response(ours), theirs))
        .collect();
    all.push((
        FromCpe::Fault(refused),
        BodyElement::Fault(they::Fault::new(
            text("Client"),
            text("CWMP fault"),
            9003,
            text(ODD),
        )),
    ));
    all
}

fn about_parameters() -> Vec<(CpeResponse, BodyElement)> {
    let methods = || vec![text("Reboot"), text("Download")];
    let info = |name: &str, writable| ParameterInfo {
        name: name.into(),
        writable,
    };
    let attributes = ParameterAttributes {
        name: "Device.A".into(),
        notification: 2,
        access_list: vec!["Subscriber".into()],
    };
    vec![
        (
            CpeResponse::GetRpcMethods(methods()),
            BodyElement::GetRPCMethodsResponse(they::GetRPCMethodsResponse::new(methods())),
        ),
        (
            CpeResponse::SetParameterValues(Applied::Later),
            BodyElement::SetParameterValuesResponse(they::SetParameterValuesResponse::new(1)),
        ),
        (
            CpeResponse::GetParameterValues(values().0),
            BodyElement::GetParameterValuesResponse(they::GetParameterValuesResponse::new(
                values().1,
            )),
        ),
        (
            CpeResponse::GetParameterNames(vec![info("Device.", false), info("Device.A", true)]),
            BodyElement::GetParameterNamesResponse(they::GetParameterNamesResponse::new(vec![
                they::ParameterInfoStruct::new(text("Device."), 0),
                they::ParameterInfoStruct::new(text("Device.A"), 1),
            ])),
        ),
        (
            CpeResponse::SetParameterAttributes,
            BodyElement::SetParameterAttributesResponse(they::SetParameterAttributesResponse {}),
        ),
        (
            CpeResponse::GetParameterAttributes(vec![attributes]),
            BodyElement::GetParameterAttributesResponse(they::GetParameterAttributesResponse::new(
                vec![they::ParameterAttribute::new(
                    text("Device.A"),
                    text("2"),
                    vec![text("Subscriber")],
                )],
            )),
        ),
        (
            CpeResponse::AddObject {
                instance: 5,
                status: Applied::Now,
            },
            BodyElement::AddObjectResponse(they::AddObjectResponse::new(5, text("0"))),
        ),
        (
            CpeResponse::DeleteObject(Applied::Later),
            BodyElement::DeleteObjectResponse(they::DeleteObjectResponse::new(text("1"))),
        ),
    ]
}

fn about_files() -> Vec<(CpeResponse, BodyElement)> {
    let started = TransferStarted {
        status: Applied::Later,
        start_time: Some(STARTED.into()),
        complete_time: Some(ENDED.into()),
    };
    let queued = QueuedTransfer {
        command_key: ODD.into(),
        state: 2,
        is_download: false,
        file_type: "1 Vendor Configuration File".into(),
        file_size: 9,
        target_file_name: String::new(),
    };
    vec![
        (
            CpeResponse::Reboot,
            BodyElement::RebootResponse(they::RebootResponse {}),
        ),
        (
            CpeResponse::Download(started.clone()),
            BodyElement::DownloadResponse(they::DownloadResponse::new(
                text("1"),
                time(STARTED),
                time(ENDED),
            )),
        ),
        (
            CpeResponse::Upload(started),
            BodyElement::UploadResponse(they::UploadResponse::new(
                1,
                Some(time(STARTED)),
                Some(time(ENDED)),
            )),
        ),
        (
            CpeResponse::FactoryReset,
            BodyElement::FactoryResetResponse(they::FactoryResetResponse {}),
        ),
        (
            CpeResponse::ScheduleInform,
            BodyElement::ScheduleInformResponse(they::ScheduleInformResponse {}),
        ),
        (
            CpeResponse::ScheduleDownload,
            BodyElement::ScheduleDownloadResponse(they::ScheduleDownloadResponse {}),
        ),
        (
            CpeResponse::CancelTransfer,
            BodyElement::CancelTransferResponse(they::CancelTransferResponse {}),
        ),
        (
            CpeResponse::GetAllQueuedTransfers(vec![queued]),
            BodyElement::GetAllQueuedTransfersResponse(they::GetAllQueuedTransfersResponse::new(
                vec![they::AllQueuedTransfers::new(
                    text(ODD),
                    text("2"),
                    0,
                    text("1 Vendor Configuration File"),
                    9,
                    text(""),
                )],
            )),
        ),
    ]
}
