//! One session with an ACS (TR-069 §3.7).
//!
//! Says whose turn it is and what goes over the wire next: Inform, then what
//! this side has to ask, then an empty message, then answers until the ACS is
//! silent. It does not know what a parameter is: a request of the ACS is
//! handed out, and its answer handed in.

mod outbox;
mod step;

pub use step::{Failure, Heard, Milestone, Step};

use super::fault::Code;
use crate::wire::soap::message::{
    AcsRequest, AcsResponse, CpeRequest, Envelope, FaultStruct, FromAcs, FromCpe, Header, Inform,
    Namespace, Party,
};
use crate::wire::soap::{BodyError, read};
use outbox::Outbox;

/// A session between its first message and its end.
#[derive(Debug)]
pub struct Session {
    state: State,
    inform: Inform,
    /// What this side asks after Inform.
    outbox: Outbox,
    /// What the ACS speaks, once it has spoken.
    namespace: Namespace,
    /// Seconds, as Inform's header says them.
    timeout: u32,
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

impl Session {
    /// A session that begins with this Inform.
    pub fn new(inform: Inform, requests: Vec<CpeRequest>, timeout: u32) -> Self {
        Self {
            state: State::Informing,
            inform,
            outbox: Outbox::new(requests),
            namespace: Namespace::Cwmp12,
            timeout,
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
        self.outbox.hold(message.header.hold_requests);
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
        self.outbox.add(request);
    }

    /// Whether nothing more will come of it.
    pub fn is_over(&self) -> bool {
        self.state == State::Ended
    }

    fn hear_nothing(&mut self) -> Step {
        match self.state {
            // An empty answer holds nothing back (§3.7.1.4).
            State::Listening => {
                self.outbox.hold(false);
                match self.outbox.is_empty() {
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
            (State::Asking, response) if self.outbox.awaits(response) => {
                told.extend(self.outbox.done().map(Milestone::Told));
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
            (State::Asking, code) if self.outbox.may_be_taken_later(code) => {
                self.fail(Failure::NotTaken(fault))
            }
            (State::Asking, _) => {
                // It will say the same next time: it is not told again.
                told.extend(self.outbox.done().map(Milestone::Told));
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
        match self.outbox.next() {
            Some(request) => {
                self.state = State::Asking;
                self.say(FromCpe::Request(request))
            }
            None => self.listen(),
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
        match (&self.state, self.outbox.current()) {
            (State::Asking, Some(request)) => self.say(FromCpe::Request(request)),
            _ => self.begin(),
        }
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
mod tests;
