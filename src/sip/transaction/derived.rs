//! Requests that are made of an INVITE: the ACK of its failure, and its CANCEL.

use crate::sip::message::{HeaderName, Headers, Method, Request, Response};
use crate::sip::session::Reason;

/// The ACK of a failure (RFC 3261 §17.1.1.3): the INVITE's own Via, Route and CSeq number, the response's To.
pub(super) fn acknowledgement(invite: &Request, response: &Response) -> Request {
    derive(Method::Ack, invite, &response.headers)
}

/// The CANCEL of an INVITE (§9.1): all of it is the INVITE's own.
pub(super) fn cancellation(invite: &Request, reason: Option<&Reason>) -> Request {
    let mut cancel = derive(Method::Cancel, invite, &invite.headers);
    if let Some(reason) = reason {
        cancel.headers.push(HeaderName::Reason, &reason.0);
    }
    cancel
}

fn derive(method: Method, invite: &Request, to: &Headers) -> Request {
    let mut headers = Headers::new();
    if let Ok(via) = invite.headers.via() {
        headers.push(HeaderName::Via, via);
    }
    for name in [HeaderName::Route, HeaderName::MaxForwards, HeaderName::From] {
        headers.copy(&name, &invite.headers);
    }
    headers.copy(&HeaderName::To, to);
    headers.copy(&HeaderName::CallId, &invite.headers);
    if let Ok(mut cseq) = invite.headers.cseq() {
        cseq.method = method.clone();
        headers.push(HeaderName::CSeq, cseq);
    }
    headers.push(HeaderName::ContentLength, 0);
    Request {
        method,
        headers,
        body: Vec::new(),
        ..invite.clone()
    }
}
