use super::*;
use crate::wire::soap::message::{DeviceIdStruct, TransferComplete};

fn inform() -> Inform {
    Inform {
        device: DeviceIdStruct::default(),
        events: Vec::new(),
        current_time: None,
        retry_count: 0,
        parameters: Vec::new(),
    }
}

fn complete() -> CpeRequest {
    CpeRequest::TransferComplete(TransferComplete {
        command_key: "k".into(),
        fault: FaultStruct::default(),
        start_time: None,
        complete_time: None,
    })
}

/// An envelope as an ACS writes it.
fn acs(header: &str, body: &str) -> Heard {
    let text = format!(
        "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/' \
         xmlns:w='urn:dslforum-org:cwmp-1-0'><e:Header>{header}</e:Header>\
         <e:Body>{body}</e:Body></e:Envelope>"
    );
    Heard::Message(text.into_bytes())
}

fn informed() -> Heard {
    acs(
        "",
        "<w:InformResponse><MaxEnvelopes>1</MaxEnvelopes></w:InformResponse>",
    )
}

fn fault(code: u16) -> Heard {
    let detail =
        format!("<w:Fault><FaultCode>{code}</FaultCode><FaultString>no</FaultString></w:Fault>");
    let body = format!(
        "<e:Fault><faultcode>Server</faultcode><faultstring>CWMP fault</faultstring>\
         <detail>{detail}</detail></e:Fault>"
    );
    acs("", &body)
}

fn kind(step: &Step) -> String {
    match step {
        Step::Send(envelope) => match &envelope.body {
            FromCpe::Request(CpeRequest::Inform(_)) => "Inform".into(),
            FromCpe::Request(CpeRequest::TransferComplete(_)) => "TransferComplete".into(),
            FromCpe::Request(_) => "request".into(),
            FromCpe::Response(_) => "response".into(),
            FromCpe::Fault(fault) => format!("fault {}", fault.fault.code),
            FromCpe::NotUnderstood(header) => format!("no {header}"),
        },
        Step::SendNothing => "nothing".into(),
        Step::Do(request) => format!("{request:?}"),
        Step::Done => "done".into(),
        Step::Failed(why) => why.to_string(),
    }
}

fn play(requests: Vec<CpeRequest>, heard: impl IntoIterator<Item = Heard>) -> Vec<String> {
    let mut session = Session::new(inform(), requests, 60);
    let mut steps = vec![kind(&session.begin())];
    let mut told = Vec::new();
    for heard in heard {
        steps.push(kind(&session.hear(heard, &mut told)));
    }
    steps
}

#[test]
fn own_requests_come_before_the_empty_message_and_the_acs_after_it() {
    let heard = [
        informed(),
        acs("", "<w:TransferCompleteResponse/>"),
        acs("", "<w:GetRPCMethods/>"),
    ];
    let steps = play(vec![complete()], heard);
    assert_eq!(
        steps,
        ["Inform", "TransferComplete", "nothing", "GetRpcMethods"]
    );
}

#[test]
fn held_requests_wait_until_the_acs_lets_go() {
    let hold = "<w:HoldRequests e:mustUnderstand='1'>1</w:HoldRequests>";
    let held = acs(
        hold,
        "<w:InformResponse><MaxEnvelopes>1</MaxEnvelopes></w:InformResponse>",
    );
    let heard = [
        held,
        Heard::Nothing,
        acs("", "<w:TransferCompleteResponse/>"),
        Heard::Nothing,
    ];
    let steps = play(vec![complete()], heard);
    assert_eq!(
        steps,
        ["Inform", "nothing", "TransferComplete", "nothing", "done"]
    );
}

#[test]
fn an_answer_says_the_id_and_namespace_of_its_question() {
    let mut session = Session::new(inform(), Vec::new(), 60);
    let mut told = Vec::new();
    session.begin();
    session.hear(informed(), &mut told);
    session.hear(
        acs("<w:ID e:mustUnderstand='1'>a&amp;b</w:ID>", "<w:Reboot/>"),
        &mut told,
    );
    let (namespace, header) = session.answer().expect("a question waits");
    assert_eq!(namespace, Namespace::Cwmp10);
    assert_eq!(header.id.as_deref(), Some("a&b"));
    session.hear(acs("", "<w:Reboot/>"), &mut told);
    let (_, header) = session.answer().expect("a question waits");
    assert_eq!(header.id, None);
    assert_eq!(session.answer(), None);
}

#[test]
fn fault_8005_brings_the_same_message_again_but_not_for_ever() {
    let steps = play(vec![complete()], [fault(8005), informed(), fault(8005)]);
    assert_eq!(
        steps,
        ["Inform", "Inform", "TransferComplete", "TransferComplete"]
    );
    let steps = play(Vec::new(), std::iter::repeat_with(|| fault(8005)).take(5));
    let last = steps.last().expect("steps");
    assert_eq!(
        last,
        "the ACS asked 5 times for the same message (fault 8005)"
    );
}

#[test]
fn another_fault_fails_an_inform_and_ends_only_the_request_that_it_answers() {
    let steps = play(Vec::new(), [fault(8003)]);
    assert_eq!(steps[1], "the ACS refused the Inform: 8003 no");
    for code in [8000, 8003] {
        let steps = play(vec![complete()], [informed(), fault(code), Heard::Nothing]);
        assert_eq!(steps, ["Inform", "TransferComplete", "nothing", "done"]);
    }
}

#[test]
fn how_a_transfer_ended_is_told_again_where_the_acs_might_take_it_another_time() {
    for code in [8001, 8002, 8004, 8006, 8800] {
        let mut session = Session::new(inform(), vec![complete()], 60);
        let mut told = Vec::new();
        session.begin();
        session.hear(informed(), &mut told);
        let last = session.hear(fault(code), &mut told);
        let why = format!("the ACS did not take how a transfer ended: {code} no");
        assert_eq!(kind(&last), why);
        let lost = told.iter().any(|it| matches!(it, Milestone::Told(_)));
        assert!(!lost, "{code}");
    }
}

#[test]
fn an_acs_may_deny_a_wish_for_a_file() {
    let wish = CpeRequest::RequestDownload {
        file_type: "1 Firmware Upgrade Image".into(),
        arguments: Vec::new(),
    };
    let steps = play(vec![wish], [informed(), fault(8001), Heard::Nothing]);
    assert_eq!(steps, ["Inform", "request", "nothing", "done"]);
}

#[test]
fn what_makes_no_sense_fails_the_session_and_says_what_came() {
    let steps = play(Vec::new(), [Heard::Nothing]);
    assert_eq!(steps[1], "the ACS answered Inform with an empty message");
    let steps = play(Vec::new(), [acs("", "<w:Reboot/>")]);
    assert_eq!(steps[1], "the ACS answered Inform with a request");
    let steps = play(Vec::new(), [Heard::Message(b"<html>".to_vec())]);
    assert!(steps[1].starts_with("the ACS sent something that is no message of CWMP"));
}

#[test]
fn a_request_without_its_arguments_is_answered_by_fault_9003_and_the_session_goes_on() {
    let heard = [
        informed(),
        acs("", "<w:GetParameterNames/>"),
        Heard::Nothing,
    ];
    assert_eq!(
        play(Vec::new(), heard),
        ["Inform", "nothing", "fault 9003", "done"]
    );
}

#[test]
fn inform_says_the_versions_and_the_timeout_and_later_messages_do_not() {
    let mut session = Session::new(inform(), vec![complete()], 90);
    let Step::Send(first) = session.begin() else {
        panic!("an Inform");
    };
    assert_eq!(first.header.session_timeout, Some(90));
    assert_eq!(first.header.supported_versions.as_deref(), Some(VERSIONS));
    let Step::Send(second) = session.hear(informed(), &mut Vec::new()) else {
        panic!("a TransferComplete");
    };
    assert_eq!(second.header.session_timeout, None);
    assert_ne!(first.header.id, second.header.id);
}
