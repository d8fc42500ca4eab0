//! One session with an ACS (TR-069 §3.7).
//!
//! Says whose turn it is and what goes over the wire next: Inform, then what
//! this side has to ask, then an empty message, then answers until the ACS is
//! silent. It does not know what a parameter is: a request of the ACS is
//! handed out, and its answer handed in.

use super::fault::Code;
use crate::wire::soap::message::{
    AcsRequest, AcsResponse, CpeRequest, Envelope, FaultStruct, FromAcs, FromCpe, Header, Inform,
    Namespace, Party,
};
use crate::wire::soap::{BodyError, SoapError, read};
use std::collections::VecDeque;

/// A session between its first message and its end.
#[derive(Debug)]
pub struct Session {
    state: State,
    inform: Inform,
    /// What this side asks after Inform, in order.
    requests: VecDeque<CpeRequest>,
    /// What the ACS speaks, once it has spoken.
    namespace: Namespace,
    /// Seconds, as Inform's header says them.
    timeout: u32,
    /// The last envelope of the ACS said HoldRequests.
    held: bool,
    /// Own messages sent: their IDs count from 1.
    sent: u32,
    /// Attempts of the request that is under way.
    attempts: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// Inform is on its way.
    Informing,
    /// A request of this side is on its way.
    Asking,
    /// The ACS may ask, or end the session with an empty answer.
    Listening,
    /// A request of the ACS is being done here.
    Answering(Header),
    /// Over.
    Ended,
}

/// What came back for what was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// 204, or 200 without a body.
    Nothing,
    /// A body.
    Message(Vec<u8>),
}

/// What comes next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Post this.
    Send(Envelope<FromCpe>),
    /// Post an empty body.
    SendNothing,
    /// Find the answer and give it to [`Session::answer`].
    Do(AcsRequest),
    /// The session went well.
    Done,
    /// It did not.
    Failed(Failure),
}

/// Something of the session that counts before it ends.
#[derive(Debug, PartialEq, Eq)]
pub enum Milestone {
    /// The ACS has taken the events and values of Inform.
    Informed,
    /// The ACS has taken this request of ours, or will never take it.
    Told(CpeRequest),
    /// A fault went this or that way.
    Fault(FaultStruct, Party),
}

/// Why a session failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The answer is no message of CWMP.
    #[error("the ACS sent something that is no message of CWMP: {0}")]
    NotCwmp(#[from] SoapError),
    /// The answer is a message that makes no sense now.
    #[error("the ACS answered {asked} with {got}")]
    Unexpected {
        /// What this side had sent.
        asked: &'static str,
        /// What came.
        got: String,
    },
    /// A fault in place of an InformResponse.
    #[error("the ACS refused the Inform: {} {}", .0.code, .0.text)]
    Refused(FaultStruct),
    /// A fault in place of the answer to how a transfer ended.
    #[error("the ACS did not take how a transfer ended: {} {}", .0.code, .0.text)]
    NotTaken(FaultStruct),
    /// The ACS wants the same message again and again.
    #[error("the ACS asked {0} times for the same message (fault 8005)")]
    Repeats(u32),
}

impl Session {
    /// A session that begins with this Inform.
    pub fn new(inform: Inform, requests: Vec<CpeRequest>, timeout: u32) -> Self {
        Self {
            state: State::Informing,
            inform,
            requests: requests.into(),
            namespace: Namespace::Cwmp12,
            timeout,
            held: false,
            sent: 0,
            attempts: 1,
        }
    }

    /// The first message.
    pub fn begin(&mut self) -> Step {
        let inform = self.inform.clone();
        self.say(FromCpe::Request(CpeRequest::Inform(inform)))
    }

    /// Takes what came for the last message.
    pub fn hear(&mut self, heard: Heard, told: &mut Vec<Milestone>) -> Step {
        let octets = match heard {
            Heard::Nothing => return self.hear_nothing(),
            Heard::Message(octets) => octets,
        };
        let message = match read(&octets) {
            Ok(message) => message,
            Err(error) => return self.fail(error.into()),
        };
        if matches!(message.body, Ok(FromAcs::Request(_)) | Err(_)) {
            // Answers go back in the namespace of the question.
            self.namespace = message.namespace;
        }
        self.held = message.header.hold_requests;
        match message.body {
            Ok(FromAcs::Response(response)) => self.hear_response(&response, told),
            Ok(FromAcs::Fault(fault)) => self.hear_fault(fault.fault, told),
            Ok(FromAcs::Request(request)) => self.hear_request(request, message.header),
            Err(error) => self.hear_nonsense(error, message.header, told),
        }
    }

    /// The answer to what [`Step::Do`] asked for, and how to say it.
    ///
    /// The ID is the request's; without one the answer has none.
    pub fn answer(&mut self) -> Option<(Namespace, Header)> {
        let State::Answering(asked) = std::mem::replace(&mut self.state, State::Listening) else {
            return None;
        };
        let header = Header {
            id: asked.id,
            ..Header::default()
        };
        Some((self.namespace, header))
    }

    /// Says a fault or a response as the answer.
    pub fn answer_with(&mut self, body: FromCpe, told: &mut Vec<Milestone>) -> Option<Step> {
        if let FromCpe::Fault(fault) = &body {
            told.push(Milestone::Fault(fault.fault.clone(), Party::Client));
        }
        let (namespace, header) = self.answer()?;
        Some(Step::Send(Envelope {
            namespace,
            header,
            body,
        }))
    }

    /// Adds something that this side wants to say before the session ends.
    pub fn ask(&mut self, request: CpeRequest) {
        self.requests.push_back(request);
    }

    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    fn hear_nothing(&mut self) -> Step {
        match self.state {
            // An empty answer holds nothing back (§3.7.1.4).
            State::Listening => {
                self.held = false;
                match self.requests.is_empty() {
                    true => self.end(),
                    false => self.next(),
                }
            }
            State::Informing => self.unexpected("Inform", "an empty message"),
            State::Asking => self.unexpected("a request", "an empty message"),
            State::Answering(_) | State::Ended => self.end(),
        }
    }

    fn hear_response(&mut self, response: &AcsResponse, told: &mut Vec<Milestone>) -> Step {
        match (&self.state, response) {
            (State::Informing, AcsResponse::Inform { .. }) => {
                told.push(Milestone::Informed);
                self.next()
            }
            (State::Asking, response) if self.awaits(response) => {
                self.is_told(told);
                self.next()
            }
            _ => self.unexpected("a message", &format!("{}Response", name(response))),
        }
    }

    fn hear_fault(&mut self, fault: FaultStruct, told: &mut Vec<Milestone>) -> Step {
        told.push(Milestone::Fault(fault.clone(), Party::Server));
        match (&self.state, fault.code) {
            // Table 64, 8005: the same message once more.
            (State::Informing | State::Asking, 8005) => self.repeat(),
            (State::Informing, _) => self.fail(Failure::Refused(fault)),
            (State::Asking, code) if self.may_be_taken_later(code) => {
                self.fail(Failure::NotTaken(fault))
            }
            (State::Asking, _) => {
                // It will say the same next time: it is not told again.
                self.is_told(told);
                self.next()
            }
            // A fault for an answer of ours: the ACS ends or goes on as it likes.
            _ => self.listen(),
        }
    }

    fn hear_request(&mut self, request: AcsRequest, header: Header) -> Step {
        match self.state {
            State::Listening => {
                self.state = State::Answering(header);
                Step::Do(request)
            }
            State::Informing => self.unexpected("Inform", "a request"),
            // HTTP leaves no room for it: the answer to our request is what it must be.
            _ => self.unexpected("a request", "a request"),
        }
    }

    fn hear_nonsense(
        &mut self,
        error: BodyError,
        header: Header,
        told: &mut Vec<Milestone>,
    ) -> Step {
        if self.state != State::Listening {
            return self.unexpected("a message", &error.to_string());
        }
        self.state = State::Answering(header);
        let answer = match error {
            BodyError::NotUnderstood(name) => FromCpe::NotUnderstood(name),
            error => FromCpe::Fault(Code::InvalidArguments.fault(&error.to_string())),
        };
        match self.answer_with(answer, told) {
            Some(step) => step,
            None => self.end(),
        }
    }

    /// The next thing that this side says.
    fn next(&mut self) -> Step {
        self.attempts = 1;
        match self.requests.front().cloned() {
            Some(request) if !self.held => {
                self.state = State::Asking;
                self.say(FromCpe::Request(request))
            }
            _ => self.listen(),
        }
    }

    fn listen(&mut self) -> Step {
        self.state = State::Listening;
        Step::SendNothing
    }

    fn repeat(&mut self) -> Step {
        self.attempts += 1;
        if self.attempts > MOST_ATTEMPTS {
            return self.fail(Failure::Repeats(MOST_ATTEMPTS));
        }
        match (&self.state, self.requests.front().cloned()) {
            (State::Asking, Some(request)) => self.say(FromCpe::Request(request)),
            _ => self.begin(),
        }
    }

    fn is_told(&mut self, told: &mut Vec<Milestone>) {
        told.extend(self.requests.pop_front().map(Milestone::Told));
    }

    /// Table 64: only 8000 (no such method) and 8003 (bad arguments) are what
    /// the ACS says for ever. How a transfer ended is told until it is taken
    /// (§3.7.1.5); what somebody only wishes for may be denied.
    fn may_be_taken_later(&self, code: u16) -> bool {
        let of_transfer = matches!(
            self.requests.front(),
            Some(CpeRequest::TransferComplete(_) | CpeRequest::AutonomousTransferComplete(_))
        );
        of_transfer && !matches!(code, 8000 | 8003)
    }

    fn awaits(&self, response: &AcsResponse) -> bool {
        matches!(
            (self.requests.front(), response),
            (
                Some(CpeRequest::TransferComplete(_)),
                AcsResponse::TransferComplete
            ) | (
                Some(CpeRequest::AutonomousTransferComplete(_)),
                AcsResponse::AutonomousTransferComplete
            ) | (
                Some(CpeRequest::GetRpcMethods),
                AcsResponse::GetRpcMethods(_)
            ) | (
                Some(CpeRequest::RequestDownload { .. }),
                AcsResponse::RequestDownload
            )
        )
    }

    fn say(&mut self, body: FromCpe) -> Step {
        self.sent += 1;
        let mut header = Header {
            id: Some(self.sent.to_string()),
            ..Header::default()
        };
        if self.state == State::Informing {
            header.session_timeout = Some(self.timeout);
            header.supported_versions = Some(VERSIONS.to_owned());
        }
        Step::Send(Envelope {
            namespace: self.namespace,
            header,
            body,
        })
    }

    fn unexpected(&mut self, asked: &'static str, got: &str) -> Step {
        let got = got.to_owned();
        self.fail(Failure::Unexpected { asked, got })
    }

    fn fail(&mut self, why: Failure) -> Step {
        self.state = State::Ended;
        Step::Failed(why)
    }

    fn end(&mut self) -> Step {
        self.state = State::Ended;
        Step::Done
    }
}

fn name(response: &AcsResponse) -> &'static str {
    match response {
        AcsResponse::Inform { .. } => "Inform",
        AcsResponse::TransferComplete => "TransferComplete",
        AcsResponse::AutonomousTransferComplete => "AutonomousTransferComplete",
        AcsResponse::GetRpcMethods(_) => "GetRPCMethods",
        AcsResponse::RequestDownload => "RequestDownload",
    }
}

/// What this side speaks; their namespaces are those of 1.0, 1.1 and 1.2.
const VERSIONS: &str = "1.0,1.1,1.2,1.3,1.4";
/// How often one message is sent at the ACS's wish.
const MOST_ATTEMPTS: u32 = 5;

#[cfg(test)]
mod tests {
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
        let detail = format!(
            "<w:Fault><FaultCode>{code}</FaultCode><FaultString>no</FaultString></w:Fault>"
        );
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
}
