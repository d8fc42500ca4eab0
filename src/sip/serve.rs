//! The server side: what peers ask of us, and what they are answered.
//!
//! Answers OPTIONS, refuses calls with 503 as long as there is no call
//! control above, and everything else by the book. It keeps nothing: the
//! transaction table repeats its answers.

use crate::sip::message::{
    Abilities, HeaderName, Method, Refuse, Request, Response, StatusCode, validate,
};
use crate::sip::session;
use crate::sip::settings::{Interop, OptionsSupport};

/// The methods that we know, as Allow writes them.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, OPTIONS";

const METHODS: [Method; 4] = [Method::Invite, Method::Ack, Method::Cancel, Method::Options];
const CALL_METHODS: [Method; 10] = [
    Method::Invite,
    Method::Ack,
    Method::Cancel,
    Method::Options,
    Method::Bye,
    Method::Prack,
    Method::Update,
    Method::Info,
    Method::Refer,
    Method::Notify,
];
const MEDIA: &str = "application/sdp";
/// What else may come within a call: states of transfers, and digits.
const CALL_MEDIA: [&str; 5] = [
    MEDIA,
    "message/sipfrag",
    "application/dtmf-relay",
    "application/dtmf",
    "application/hook-flash",
];

/// What is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope<'a> {
    /// OPTIONS alone: there is no call control above.
    Options,
    /// Calls, with these extensions.
    Calls(&'a [&'a str]),
}

/// Whether the gateway that was asked could serve a call as far as the network goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Its links and registrations stand.
    Ready,
    /// They do not.
    NotReady,
}

/// Whether the INVITE that a CANCEL is for is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// There is such a transaction.
    Known,
    /// There is none.
    Unknown,
}

/// What an answer depends on beside the request.
#[derive(Debug, Clone, Copy)]
pub struct Server<'a> {
    /// The interoperability switches.
    pub interop: &'a Interop,
    /// The value of Server, where it is sent.
    pub name: Option<&'a str>,
    /// Where the gateway is reached, for the Contact of a 200.
    pub contact: Option<&'a str>,
    /// How the gateway is.
    pub readiness: Readiness,
    /// For a CANCEL: whether there is something to cancel.
    pub cancelled: Cancelled,
    /// What is served.
    pub scope: Scope<'a>,
}

impl Server<'_> {
    /// The final answer to a request that is no ACK; `tag` goes into its To.
    pub fn answer(&self, request: &Request, tag: &str) -> Response {
        let mut response = match self.judge(request) {
            Ok(()) => Response::answering(request, self.status(request), Some(tag)),
            Err(refuse) => refusal(request, &refuse, self.scope, tag),
        };
        if let Some(name) = self.name {
            response.headers.push(HeaderName::Server, name);
        }
        let accepts = request.method == Method::Options && response.status.is_success();
        if accepts {
            // RFC 3261 §11.2.
            response.headers.push(HeaderName::Allow, self.scope.allow());
            response.headers.push(HeaderName::Accept, MEDIA);
            if let Some(contact) = self.contact {
                response.headers.push(HeaderName::Contact, contact);
            }
        }
        response
    }

    /// Whether the request is valid, and one that can be served.
    pub fn judge(&self, request: &Request) -> Result<(), Refuse> {
        validate(request)?;
        let abilities = match self.scope {
            Scope::Options => Abilities {
                methods: &METHODS,
                extensions: &[],
                media: &[MEDIA],
            },
            Scope::Calls(extensions) => Abilities {
                methods: &CALL_METHODS,
                extensions,
                media: match request.method {
                    Method::Info | Method::Notify => &CALL_MEDIA,
                    _ => &[MEDIA],
                },
            },
        };
        match abilities.admit(request) {
            Err(Refuse::Required(_)) if self.interop.ignore_require_header_enable => Ok(()),
            judged => judged,
        }
    }

    fn status(&self, request: &Request) -> StatusCode {
        if request.method == Method::Cancel {
            // RFC 3261 §9.2: 200 whatever the INVITE came to; it has its final answer.
            return match self.cancelled {
                Cancelled::Known => StatusCode::OK,
                Cancelled::Unknown => StatusCode::DOES_NOT_EXIST,
            };
        }
        // §12.2.2: there is no dialog yet that a tag could belong to.
        if request.headers.to().is_ok_and(|to| to.tag().is_some()) {
            return StatusCode::DOES_NOT_EXIST;
        }
        let always = self.interop.sip_options_method_support == OptionsSupport::AlwaysOk;
        match (&request.method, self.readiness) {
            (Method::Options, Readiness::Ready) => StatusCode::OK,
            (Method::Options, Readiness::NotReady) if always => StatusCode::OK,
            (Method::Options | Method::Invite, _) => StatusCode::SERVICE_UNAVAILABLE,
            // What is only asked within a dialog was asked outside of any.
            _ if matches!(self.scope, Scope::Calls(_)) => StatusCode::DOES_NOT_EXIST,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl Scope<'_> {
    fn allow(self) -> &'static str {
        match self {
            Self::Options => ALLOW,
            Self::Calls(_) => session::ALLOW,
        }
    }
}

fn refusal(request: &Request, refuse: &Refuse, scope: Scope<'_>, tag: &str) -> Response {
    let mut response = Response::answering(request, refuse.status(), Some(tag));
    let headers = &mut response.headers;
    match refuse {
        Refuse::UnknownMethod(_) | Refuse::MethodNotAllowed(_) => {
            headers.push(HeaderName::Allow, scope.allow());
        }
        Refuse::Required(tags) => headers.push(HeaderName::Unsupported, tags.join(", ")),
        Refuse::MediaType | Refuse::NotAcceptable => headers.push(HeaderName::Accept, MEDIA),
        Refuse::Encoding => headers.push(HeaderName::AcceptEncoding, "identity"),
        _ => {}
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::message::Message;

    fn request(line: &str, more: &str) -> Request {
        let method = line.split(' ').next().expect("a method");
        let text = format!(
            "{line} SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa\r\nMax-Forwards: 0\r\nFrom: <sip:a@example>;tag=1\r\nTo: <sip:b@example>\r\nCall-ID: x\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        match Message::parse(text.as_bytes()) {
            Ok(Message::Request(request)) => request,
            other => panic!("not a request: {other:?}"),
        }
    }

    fn answered(interop: &Interop, readiness: Readiness, request: &Request) -> Response {
        let server = Server {
            interop,
            name: Some("Demarc"),
            contact: None,
            readiness,
            cancelled: Cancelled::Unknown,
            scope: Scope::Options,
        };
        server.answer(request, "tag")
    }

    fn status(request: &Request) -> u16 {
        answered(&Interop::default(), Readiness::Ready, request)
            .status
            .code()
    }

    #[test]
    fn options_are_answered_as_a_call_would_fare_unless_always_ok_is_set() {
        let options = request("OPTIONS sip:b@example", "");
        let mut interop = Interop::default();
        let code = |interop: &Interop, ready| answered(interop, ready, &options).status.code();
        assert_eq!(code(&interop, Readiness::Ready), 200);
        assert_eq!(code(&interop, Readiness::NotReady), 503);
        interop.sip_options_method_support = OptionsSupport::AlwaysOk;
        assert_eq!(code(&interop, Readiness::NotReady), 200);
    }

    #[test]
    fn a_call_is_refused_with_503() {
        assert_eq!(status(&request("INVITE sip:b@example", "")), 503);
    }

    #[test]
    fn a_method_that_is_not_served_is_told_which_ones_are() {
        let known = answered(
            &Interop::default(),
            Readiness::Ready,
            &request("BYE sip:b@example", ""),
        );
        assert_eq!(known.status.code(), 405);
        assert_eq!(
            known.headers.text(&HeaderName::Allow).as_deref(),
            Some(ALLOW)
        );
        assert_eq!(status(&request("NEWMETHOD sip:b@example", "")), 501);
    }

    #[test]
    fn a_required_extension_is_refused_unless_require_is_ignored() {
        let wants = request("OPTIONS sip:b@example", "Require: foo\r\n");
        assert_eq!(status(&wants), 200);
        let strict = Interop {
            ignore_require_header_enable: false,
            ..Interop::default()
        };
        let refused = answered(&strict, Readiness::Ready, &wants);
        assert_eq!(refused.status.code(), 420);
        assert_eq!(
            refused.headers.text(&HeaderName::Unsupported).as_deref(),
            Some("foo")
        );
    }

    #[test]
    fn a_cancel_without_its_invite_does_not_exist() {
        assert_eq!(status(&request("CANCEL sip:b@example", "")), 481);
    }

    #[test]
    fn the_last_hop_answers_although_no_hops_are_left() {
        // RFC 3261 §16.3: only a proxy refuses Max-Forwards 0.
        assert_eq!(status(&request("OPTIONS sip:b@example", "")), 200);
    }
}
